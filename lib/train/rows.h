/* Rows of numbers that a training makes for itself, codes and inputs as a layer takes them: in memory, or, where they would take more than
 * a third of what is left, in a file without a name. Either way the same numbers. */
#ifndef ROWS_H
#define ROWS_H

#include <stdint.h>
#include <stdio.h>

#include "kernels/backend.h"

struct rows {
	uint32_t n;
	int V;	      /* values of a row */
	real *memory; /* (n, V); NULL: in the file */
	FILE *file;
	real *buffer; /* of what was read last, `room` values */
	size_t room;
};

/* n rows of V values, not yet written. near: a file in whose directory the file is; NULL: /tmp. To be freed by rows_free. */
struct rows *rows_new(uint32_t n, int V, const char *near);
int rows_fit(uint64_t n, int V); /* 1: so many rows would be in memory */
/* Rows from `at` on, as n given ones. Ends the program where the file can't hold them. */
void rows_put(struct rows *r, uint32_t at, const real *from, uint32_t n);
/* n rows from `at` on: (n, V), valid until the next call of these two. */
const real *rows_get(struct rows *r, uint32_t at, uint32_t n);
/* to (B, V) is the rows of these numbers. */
void rows_gather(struct rows *r, real *to, const uint32_t *row, int B);
void rows_free(struct rows *r); /* NULL: nothing */

#endif
