/* Finds faults in rows of any number of points: more than SHAPE_POINTS_MAX are split into blocks, each with its own shape model and points
 * from all over the face, left and right of a pair in one block. Up to that many points, the usual case, there is one block. */
#ifndef LABEL_CHECK_H
#define LABEL_CHECK_H

#include "lib/labels/fault.h"

struct label_check {
	int fitted;			 /* 1: every block has a shape model */
	size_t rows;			 /* labelled ones that it was fitted to; of blocks, the fewest */
	double shrunk;			 /* as shape's; of blocks, the most */
	struct faults *found;		 /* of the last row; owned by the label_check */
	struct label_check_block *block; /* private */
	int nblocks;
};

/* For k points; mirror (k): names_partners. */
struct label_check *label_check_new(int k, const int *mirror);
void label_check_free(struct label_check *c);
/* Fits the shape models to n rows (n, k, 2) of w x h images. Without them (too few rows) only half labels and labels outside the image are
 * found. */
void label_check_fit(struct label_check *c, const float *xy, size_t n, int w, int h);
/* Checks a row (k, 2); returns c->found, valid until the next call. A fault of the whole row is reported once, however many blocks it is
 * found in. */
const struct faults *label_check_row(struct label_check *c, const float *xy, int w, int h);

#endif
