/* Random split of a data set: a row's part is a function of seed and group, so that a group stays together and any number of rows can be
 * streamed. */
#ifndef SPLIT_H
#define SPLIT_H

#include <stdint.h>

#include "lib/stream/tns.h"

enum { SPLIT_PARTS = 64 };

struct split {
	int n;
	double share[SPLIT_PARTS]; /* probabilities, sum 1 */
	uint64_t seed;
};

/* Parses "0.6,0.15,0.25". 0, or -1 unless there are n numbers, each in (0, 1), with a sum within 1e-6 of 1 (they are scaled to 1). */
int split_parse(struct split *s, const char *text, int n);
/* The group's part, 0 to n - 1, by Philox (seed, PHILOX_SPLIT, high half of the group, low half of it, 0). */
int split_part(const struct split *s, uint64_t group);

/* META split of a part of `in`: how its rows were kept apart from those of other parts (lib/stream/format.md). by: row, near or a tensor's
 * name; NULL: by a list of groups. A part of a part has a word for each split, the first first. */
void split_put_meta(struct tns_writer *w, const struct tns *in, const char *by);

/* Groups images that look alike; rows that either of two rules holds together are one group.
 *
 * Near-duplicates are the connected components of pairs whose thumbnails correlate by at least SPLIT_NEAR. Thumbnails are 12 x 12 means,
 * centred and normalised to unit length; all flat ones are equal. Likeness (likeness.h, linkage.h) adds groups by average linkage, mostly
 * of one person in one scene; the data set its threshold, with SPLIT_ODDS. Neither knows a person in another scene: pipelines/README.md has
 * what was measured.
 *
 * Returns (N) the first row of each row's group, freed by the caller. Time is quadratic in N (3,000 rows: 3 s, 7,000: 17 s), memory linear.
 * image: id of u8 (N, H, W); if there is a tensor keypoints, f32 (N, K, 2), likeness is seen in faces laid on each other by it. */
#define SPLIT_NEAR 0.95f
#define SPLIT_ODDS (1 / 300.0)
uint32_t *split_near(const struct tns_table *t, int image);

#endif
