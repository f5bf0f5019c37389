/* Faults in labels, planted on purpose and known, for whatever has to find them. Everything is a pure function of seed and row
 * (rows from 0). About 4 rows in 100 have a fault; 30 in 100 keep all labels, 63 only four points, the rest some of them. */
#ifndef DIRT_H
#define DIRT_H

#include <stdint.h>

enum dirt_kind {
	DIRT_NONE,
	DIRT_SWAPPED,	/* left and right changed over: all pairs, or one */
	DIRT_FAR,	/* one point far from where it belongs, within the picture */
	DIRT_SHIFTED,	/* all labels moved by the same way */
	DIRT_SCRAMBLED, /* every label at another's place */
	DIRT_OUTSIDE,	/* one point outside the picture */
	DIRT_DUPLICATE, /* the picture of an earlier row */
	DIRT_KINDS
};

struct dirt {
	enum dirt_kind kind;
	int point;   /* the one point it befell (of a pair the left one), or -1: the whole row */
	uint32_t of; /* DIRT_DUPLICATE: the earlier row; else the row itself */
};

/* "swapped", "far", ... */
const char *dirt_name(enum dirt_kind kind);
/* What befalls a row, and whose picture it shows; point isn't known yet. */
struct dirt dirt_plan(uint64_t seed, uint32_t row);
/* Leave labels out (NaN) and plant the plan's fault among the n points (N, 2) of a w x h picture; sets d->point.
 * A plan that can't be followed (swapping where no pair is labelled) becomes DIRT_NONE. */
void dirt_plant(struct dirt *d, uint64_t seed, uint32_t row, int w, int h, int n, float *points);
/* Labels as the competition leaves them: four points for one row in three, else all. keep is (N). */
void dirt_asked(uint64_t seed, uint32_t row, int n, uint8_t *keep);

#endif
