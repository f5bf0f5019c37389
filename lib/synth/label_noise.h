/* Faults in labels, planted on purpose and known, for whatever has to find them. Everything is a pure function of seed and row
 * (rows from 0). About 4 rows in 100 have a fault; 30 in 100 keep all labels, 63 only four points, the rest some of them. */
#ifndef LABEL_NOISE_H
#define LABEL_NOISE_H

#include <stdint.h>

enum label_noise_kind {
	LABEL_NOISE_NONE,
	LABEL_NOISE_SWAPPED,	/* left and right changed over: all pairs, or one */
	LABEL_NOISE_FAR,	/* one point far from where it belongs, within the picture */
	LABEL_NOISE_SHIFTED,	/* all labels moved by the same way */
	LABEL_NOISE_SCRAMBLED, /* every label at another's place */
	LABEL_NOISE_OUTSIDE,	/* one point outside the picture */
	LABEL_NOISE_DUPLICATE, /* the picture of an earlier row */
	LABEL_NOISE_KINDS
};

struct label_noise {
	enum label_noise_kind kind;
	int point;   /* the one point it befell (of a pair the left one), or -1: the whole row */
	uint32_t of; /* LABEL_NOISE_DUPLICATE: the earlier row; else the row itself */
};

/* "swapped", "far", ... */
const char *label_noise_name(enum label_noise_kind kind);
/* What befalls a row, and whose picture it shows; point isn't known yet. */
struct label_noise label_noise_plan(uint64_t seed, uint32_t row);
/* Leave labels out (NaN) and plant the plan's fault among the n points (N, 2) of a w x h picture; sets d->point.
 * A plan that can't be followed (swapping where no pair is labelled) becomes LABEL_NOISE_NONE. */
void label_noise_plant(struct label_noise *d, uint64_t seed, uint32_t row, int w, int h, int n, float *points);
/* Labels as the competition leaves them: four points for one row in three, else all. keep is (N). */
void label_noise_asked(uint64_t seed, uint32_t row, int n, uint8_t *keep);

#endif
