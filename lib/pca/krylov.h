/* The leading eigenvectors of the covariance of images, from products with it alone, without the matrix itself: a random block of vectors
 * in the range of the rows (Halko, Martinsson, Tropp, 2011, "Finding structure with randomness"), then the block Krylov space that the
 * covariance makes of it (Musco and Musco, 2015, "Randomized block Krylov methods"), orthonormalised; and the eigenvectors of the
 * covariance restricted to that space, until those that are wanted are ones of the covariance itself. */
#ifndef KRYLOV_H
#define KRYLOV_H

#include "lib/pca/images.h"

/* The largest k eigenvalues, falling, and unit eigenvectors (k, pixels) as rows; k 0: as many as have this share of the variance. Both are
 * to be freed. Of each eigenvector v the residual |C v - value v| is at most KRYLOV_RESIDUAL value + KRYLOV_ROUNDING of the largest value.
 * Returns how many: fewer than k where the rows vary in fewer directions, whose eigenvalues are above KRYLOV_ZERO of the largest. */
int krylov(const struct images *m, int k, double energy, uint64_t seed, double **values, double **vectors);
#define KRYLOV_RESIDUAL 1e-8
#define KRYLOV_ROUNDING 1e-13
#define KRYLOV_ZERO 1e-10

#endif
