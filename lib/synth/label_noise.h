/* Label noise for tests of its detection: known faults are planted and labels removed, as a pure function of seed and row (from 0).
 * About 4 rows in 100 have a fault; 30 in 100 keep all labels, 63 only four points, the rest some of them. */
#ifndef LABEL_NOISE_H
#define LABEL_NOISE_H

#include <stdint.h>

enum label_noise_kind {
	LABEL_NOISE_NONE,
	LABEL_NOISE_SWAPPED,   /* left and right exchanged: in all pairs, or one */
	LABEL_NOISE_FAR,       /* one point far from its true position, within the image */
	LABEL_NOISE_SHIFTED,   /* all labels translated by one vector */
	LABEL_NOISE_SCRAMBLED, /* labels permuted, none is left in place */
	LABEL_NOISE_OUTSIDE,   /* one point outside the image */
	LABEL_NOISE_DUPLICATE, /* the image of an earlier row */
	LABEL_NOISE_KINDS
};

struct label_noise {
	enum label_noise_kind kind;
	int point;   /* the affected point (of a pair the left one), or -1: the whole row */
	uint32_t of; /* LABEL_NOISE_DUPLICATE: the earlier row; else the row itself */
};

/* "swapped", "far", ... */
const char *label_noise_name(enum label_noise_kind kind);
/* The fault of a row, and the row whose image it shows; point is not set yet. */
struct label_noise label_noise_plan(uint64_t seed, uint32_t row);
/* Removes labels (NaN) and plants the planned fault among the n points (N, 2) of a w x h image; sets noise->point.
 * A fault that is not possible (a swap where no pair is labelled) becomes LABEL_NOISE_NONE. */
void label_noise_plant(struct label_noise *noise, uint64_t seed, uint32_t row, int w, int h, int n, float *points);
/* Points that the competition's lookup table requests: four for one row in three, else all. keep (N): 1 for those. */
void label_noise_requested(uint64_t seed, uint32_t row, int n, uint8_t *keep);

#endif
