/* Images as a matrix of centred rows, x - mean, of which no whole copy in floating point is made: products with itself and others.
 * The number of threads changes nothing (tiles.h). */
#ifndef IMAGES_H
#define IMAGES_H

#include <stdint.h>

struct images {
	const uint8_t *x; /* (rows, pixels) */
	uint32_t rows;
	int pixels, threads;
	int64_t *sum;	/* (pixels): sum over rows of x - 128 */
	double *mean;	/* (pixels) */
	double *square; /* (pixels): sum over rows of (x - mean)^2 */
};

/* Computes sum, mean and square, from sums of bytes, which are whole numbers and exact in any order. */
struct images images_new(const uint8_t *x, uint32_t rows, int pixels, int threads);
void images_free(struct images *m);
/* s (pixels, pixels): the sums over rows of (x_i - mean_i)(x_j - mean_j). Computed about 128, where sums of products are whole numbers,
 * too: in float as long as they are below 2^24, which those of 1024 products are, in double to the end; what the mean has of them is taken
 * out in integers. So only the quotient is rounded, and a matrix of few directions has few, however large the sums are that cancel. */
void images_scatter(const struct images *m, double *s);
/* s (rows, rows): the sums over pixels of the products of two centred rows, likewise. */
void images_gram(const struct images *m, double *s);
/* t (rows, n) = (x - mean) v', v (n, pixels) */
void images_project(const struct images *m, double *t, const double *v, int n);
/* w (n, pixels) = t' (x - mean), t (rows, n) */
void images_combine(const struct images *m, double *w, const double *t, int n);

#endif
