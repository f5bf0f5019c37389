/* Faults in rows of any number of points: beyond SHAPE_POINTS_MAX they are dealt out into blocks, each with a shape model of its own and
 * points from all over the face, left and right of a pair together. Up to that many points, which is the rule, there is one block. */
#ifndef LABEL_CHECK_H
#define LABEL_CHECK_H

#include "lib/labels/fault.h"

struct label_check {
	int fitted;		   /* 1: there are shape models */
	struct faults *found;	   /* of the row judged last; owned by the judge */
	struct label_check_block *block; /* private */
	int nblocks;
};

/* For k points; mirror (k) as from names_mirror. */
struct label_check *label_check_new(int k, const int *mirror);
void label_check_free(struct label_check *j);
/* Learn from n rows (n, k, 2) of w x h images; without it, or with too few rows, only half labels and labels outside are found. */
void label_check_fit(struct label_check *j, const float *xy, size_t n, int w, int h);
/* Judge a row (k, 2); the answer is j->found, until the next call. A fault of the whole row is told once, whatever block it showed in. */
const struct faults *label_check_row(struct label_check *j, const float *xy, int w, int h);

#endif
