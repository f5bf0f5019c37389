/* Missing labels written as numbers, which are no measurement:
 *
 *   a pair of numbers, 0,0 or -1,-1, that stands in many labels to the last bit, far from where the points are otherwise;
 *   one number, -1, that stands in many labels for x, or for y, likewise, beside a true y or x;
 *   the mean or median of a point that a table was filled with: one pair of numbers to the last bit in many labels of the point, whose
 *   other labels hardly repeat, but where the rows' other points stand still with it, as in a film, and it is not in the middle. What was
 * filled from the row before is told by filled.h.
 *
 * Sets of whole numbers repeat pairs too, but where the points are, and the neighbours of a pair as well. A point that stands at one place
 * of the image in all rows is none of these: faces may be aligned by it. */
#ifndef SENTINEL_H
#define SENTINEL_H

#include <stddef.h>

enum { SENTINELS = 16 };

struct sentinels {
	int n;
	float xy[SENTINELS][2]; /* NaN: any number */
	int nstated; /* values that the user states instead: a label of two of them is missing; -1: none is looked for or stated */
	float stated[SENTINELS];
	/* after sentinels_find: (K, 2), NaN where there is none */
	float *mean;  /* what a point's missing labels were filled with */
	float *fixed; /* where a point stands in all rows, or all but one in a hundred */
};

/* "0,-1" as stated values, "none", or NULL: to be found. Wrong use exits 2. */
void sentinels_state(struct sentinels *s, const char *text);
/* From n rows of labels (n, K, 2) of w x h images, where nothing was stated. */
void sentinels_find(struct sentinels *s, int k, const float *xy, size_t n, int w, int h);
void sentinels_free(struct sentinels *s);

enum sentinel { SENTINEL_NOT, SENTINEL_NUMBER, SENTINEL_MEAN };
/* Whether the label of point p is none. */
enum sentinel sentinel_is(const struct sentinels *s, int p, const float xy[2]);

#endif
