/* Options that are small languages of their own: `flip,shift=4,rotate=10` and the schedules of the learning rate. */
#ifndef SPEC_H
#define SPEC_H

#include "kernels/backend.h"

/* --augment: flip, shift=PX, rotate=DEGREES, scale=F, contrast=F, brightness=F, noise=F, blur=PX, cutout=F, comma-joined; `default` is
 * flip,shift=4,rotate=10,scale=0.1,contrast=0.2,brightness=0.1,noise=0.02; "" leaves all 0. Wrong use ends the program (exit 2). */
void spec_augment(const char *text, struct augment *a);

enum schedule { SCHEDULE_CONSTANT, SCHEDULE_LINEAR, SCHEDULE_COSINE, SCHEDULE_STEP };
/* Factor of the rate in epoch e (from 1) of n: 1; falling linearly to 1 / n of it; half a cosine; a tenth after half and a hundredth after
 * three quarters of the epochs. */
double spec_rate(enum schedule s, int e, int n);
int spec_schedule(const char *name); /* or -1 */

#endif
