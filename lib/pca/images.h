/* Images as a matrix of centred rows, x - mean, of which no whole copy in floating point is made: its scatter matrix, and products with it.
 * Tiles of the results are divided among threads by shape; each is summed in the order of its rows or pixels, so that the number of threads
 * changes nothing. */
#ifndef IMAGES_H
#define IMAGES_H

#include <stdint.h>

struct images {
	const uint8_t *x; /* (rows, pixels) */
	uint32_t rows;
	int pixels, threads;
	double *mean;	/* (pixels) */
	double *square; /* (pixels): sum over rows of (x - mean)^2 */
};

/* Computes mean and square, from whole numbers, which are exact. */
struct images images_new(const uint8_t *x, uint32_t rows, int pixels, int threads);
void images_free(struct images *m);
/* s (pixels, pixels), lower triangle: the sum over rows of (x_i - mean_i)(x_j - mean_j). Sums of products of bytes are whole numbers, exact
 * in any order: in float as long as they are below 2^24, which 256 rows at once are, and in double to the end. */
void images_scatter(const struct images *m, double *s);
/* t (rows, n) = (x - mean) v', v (n, pixels) */
void images_project(const struct images *m, double *t, const double *v, int n);
/* w (n, pixels) = t' (x - mean), t (rows, n) */
void images_combine(const struct images *m, double *w, const double *t, int n);

#endif
