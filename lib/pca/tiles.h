/* Work divided by shape into tiles, which threads take one by one, and products that are so divided: the number of threads changes nothing
 * of the results. */
#ifndef TILES_H
#define TILES_H

#include <stddef.h>

/* Calls fn(arg, tile, buffer) for the tiles 0 to count - 1, on at most so many threads, each with a buffer of its own. fn writes what no
 * other tile does. */
void tiles_run(int count, int threads, size_t bytes, void (*fn)(void *arg, int tile, void *buffer), void *arg);
/* c (m, n) = alpha a b + beta c, a (m, k), b (k, n), or (n, k) where transposed. */
struct tiles_product {
	double *c;
	const double *a, *b;
	int transposed, m, n, k;
	double alpha, beta;
};
void tiles_multiply(const struct tiles_product *p, int threads);

#endif
