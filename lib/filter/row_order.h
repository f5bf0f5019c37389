/* Orders of rows. */
#ifndef ROW_ORDER_H
#define ROW_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* Sorts the n rows by their values: the smallest first, or down: the largest; equal ones stay in order, NaN comes last either way. */
void row_order_sort(uint64_t *row, const double *value, size_t n, int down);
/* Permutes the n rows at random (shuffle.h, epoch 0). n is below 2^32. */
void row_order_shuffle(uint64_t *row, size_t n, uint64_t seed);

#endif
