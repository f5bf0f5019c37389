/* Missing labels that a table was filled with from the row before, or behind (ffill, bfill of data frames): in many rows a point has the
 * label of the row before to the last bit, although other points of the row moved, and although the point moves as far from row to row,
 * where it moves, as between any two rows. So frames of a video, whole numbers and copies of a row are none. Which of two equal labels is
 * the true one can't be told. */
#ifndef FILLED_H
#define FILLED_H

#include <stddef.h>

/* From n rows of labels (n, K, 2) in the table's order, NaN where missing: count (K): of points that were filled, how many labels are those
 * of the row before; else 0. */
void filled_find(int k, const float *xy, size_t n, size_t *count);

#endif
