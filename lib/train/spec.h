/* Options with a syntax of their own: --augment `flip,shift=4,rotate=10`, and the learning rate schedules. */
#ifndef SPEC_H
#define SPEC_H

#include "kernels/backend.h"

/* --augment: flip or flip=alternate, squared, shift=PX, rotate=DEGREES, scale=F, contrast=F, brightness=F, noise=F, blur=PX, motion=PX,
 * cutout=F, elastic=PX, late=F, last=F, comma-joined (augment.md); `default` or `robust` may stand first, then what follows replaces their
 * amounts; "" leaves all 0. late without last: the last tenth of the epochs. Wrong use ends the program (exit 2). */
#define SPEC_AUGMENT_DEFAULT "flip,shift=4,rotate=10,scale=0.1,contrast=0.2,brightness=0.1,noise=0.02"
#define SPEC_AUGMENT_ROBUST                                                                                                                \
	"flip,squared,shift=8,rotate=55,scale=0.4,contrast=0.4,brightness=0.25,noise=0.1,blur=1,motion=8,cutout=0.2,late=0.25,last=0.1"
void spec_augment(const char *text, struct augment *a);
/* The text with `default` or `robust` spelt out; to be freed. */
char *spec_augment_text(const char *text);
/* a as it is in epoch (from 1) of so many: in the last share `last` of them all amounts are times `late`. */
struct augment spec_augment_at(const struct augment *a, int epoch, int epochs);

enum schedule { SCHEDULE_CONSTANT, SCHEDULE_LINEAR, SCHEDULE_COSINE, SCHEDULE_STEP };
/* --extend: of a run that goes on to other epochs than its schedule was made for. */
enum extend {
	EXTEND_NOT,	/* refused, unless the rate is constant */
	EXTEND_STRETCH, /* the rest follows the schedule of the new number of epochs */
	EXTEND_HOLD,	/* the schedule stays; what is beyond its end has the rate of its last epoch */
};

/* Factor of the learning rate in epoch e (from 1) of n: constant: 1; linear: from 1 down to 1 / n; cosine: from 1 towards 0, half a period;
 * step: 0.1 after half and 0.01 after three quarters of the epochs. */
double spec_schedule_factor(enum schedule s, int e, int n);
/* Warm-up: the factor that the schedule's is not to exceed, rising linearly from 0 to 1 over the first `epochs`; done: epochs that have
 * passed after this step, with fractions. epochs 0: 1. */
double spec_warmup_factor(double epochs, double done);
/* A length in epoch e (from 1) of n that goes from first to last by equal factors; last 0, or n 1: first; beyond n: last. */
double spec_length(double first, double last, int e, int n);
/* The number of a name, or -1. */
int spec_schedule(const char *name);
int spec_extend(const char *name);    /* no, stretch, hold */
int spec_optimizer(const char *name); /* sgd, nesterov, adam */
int spec_loss(const char *name);      /* of a coordinate: squared, smooth, wing */

/* The numbers "A" or "A,B" of an option, at least `least` of them, the first one or, where all, each in [min, max]; wrong
 * use else, where form says what is wanted. */
void spec_numbers(const char *option, const char *form, const char *text, double *to, int least, double min, double max, int all);

#endif
