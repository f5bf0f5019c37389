/* Missing labels written as numbers: 0,0 or -1,-1 in the place of an empty field. A pair of coordinates that stands in many labels to the
 * last bit, far from where the points are otherwise, is no measurement. Sets of whole numbers repeat pairs too, but where the points are.
 */
#ifndef SENTINEL_H
#define SENTINEL_H

#include <stddef.h>

enum { SENTINELS = 16 };

struct sentinels {
	int n;
	float xy[SENTINELS][2];
	int nstated; /* values that the user states instead: a label of two of them is missing; -1: none is looked for or stated */
	float stated[SENTINELS];
};

/* "0,-1" as stated values, "none", or NULL: to be found. Wrong use exits 2. */
void sentinels_state(struct sentinels *s, const char *text);
/* From n rows of labels (n, K, 2), where nothing was stated. */
void sentinels_find(struct sentinels *s, int k, const float *xy, size_t n);
/* 1: the label is none. */
int sentinel_is(const struct sentinels *s, const float xy[2]);

#endif
