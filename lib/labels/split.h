/* Which part a row goes to: drawn by its group alone, so that a group stays together and rows can come in any number. */
#ifndef SPLIT_H
#define SPLIT_H

#include <stdint.h>

#include "lib/stream/tns.h"

enum { SPLIT_PARTS = 8 };

struct split {
	int n;
	double share[SPLIT_PARTS]; /* sum 1 */
	uint64_t seed;
};

/* "0.6,0.15,0.25": 0, or -1 unless there are n of them, each in (0, 1), with a sum within 1e-6 of 1 (they are then scaled to it). */
int split_parse(struct split *s, const char *text, int n);
/* 0 to n - 1 by Philox (seed, PHILOX_SPLIT, high half of the group, low half of it, 0). */
int split_part(const struct split *s, uint64_t group);

/* Groups of near-duplicate images: thumbnails of 12 x 12 means, less their own mean, at unit length; two images whose thumbnails'
 * correlation is at least SPLIT_NEAR are of one group (images whose thumbnails are flat are alike), and so is whoever is linked through
 * others. Out: a number a row, the first row of its group; rows, to be freed. Time grows with the square of the rows (3,000 rows: a tenth
 * of a second). image: id of u8 (N, H, W). */
#define SPLIT_NEAR 0.95f
uint32_t *split_near(const struct tns_table *t, int image);

#endif
