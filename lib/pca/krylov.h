/* The leading eigenvectors of a matrix from products with it alone: the block Krylov space that it makes of a random block of vectors
 * (Halko, Martinsson, Tropp, 2011, "Finding structure with randomness"; Musco and Musco, 2015, "Randomized block Krylov methods"),
 * orthonormalised; and the eigenvectors of the matrix restricted to that space, until those that are wanted are ones of the matrix itself.
 * More random blocks follow where the space ends before the matrix's range does, or eigenvalues are equal, in any number. */
#ifndef KRYLOV_H
#define KRYLOV_H

#include <stdint.h>

/* Symmetric (n, n), no eigenvalue below 0. */
struct krylov_matrix {
	int n, rank, threads; /* rank: no more eigenvalues than that are above 0 */
	double trace;
	void (*multiply)(const struct krylov_matrix *a, double *to, const double *v, int count); /* to (count, n) = v a, v (count, n) */
	const void *arg;									 /* multiply's */
};

/* The largest k eigenvalues, falling, and unit eigenvectors (k, n) as rows; k 0: as many as have this share of the trace. Both are to be
 * freed. Of each eigenvector v the residual |a v - value v| is at most KRYLOV_RESIDUAL value + KRYLOV_ROUNDING of the largest value.
 * Returns how many: fewer than k where fewer eigenvalues are above KRYLOV_ZERO of the largest. */
int krylov(const struct krylov_matrix *a, int k, double energy, uint64_t seed, double **values, double **vectors);
#define KRYLOV_RESIDUAL 1e-8
#define KRYLOV_ROUNDING 1e-13
#define KRYLOV_ZERO 1e-10

#endif
