/* Block Krylov space with full orthogonalisation, and Rayleigh-Ritz. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/pca/eigen.h"
#include "lib/pca/krylov.h"

enum { VECTORS = 64 }; /* of a block */

struct space {
	const struct images *images;
	int N, m, most;	       /* pixels; vectors so far; how many there can be */
	double *q, *cq;	       /* (m, N): orthonormal vectors, and the covariance times them; of the last block not yet */
	double *t, *block;     /* (rows, VECTORS), (VECTORS, N) */
	double total;	       /* variance of all pixels */
	double *theta, *small; /* (m): eigenvalues of the restricted covariance; (m, m): their vectors */
};

/* c (m, n) = alpha a b + beta c, a (m, k), b (k, n), or (n, k) where transposed. */
static void product(double *c, const double *a, const double *b, int transposed, int m, int n, int k, double alpha, double beta)
{
	cblas_dgemm(CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, k, b, transposed ? k : n, beta,
		c, n);
}

/* Makes an orthonormal basis of the rows of w (n, N), scaled to unit length in the directions that are longer than `zero` and than a small
 * part of the longest; by the eigenvectors of w w' (Stathopoulos and Wu, 2002). In place; returns how many there are. */
static int orthonormal(const struct space *s, double *w, int n, double zero, double part)
{
	double *g = xcalloc((size_t)n * (size_t)n, sizeof *g), *length = xcalloc((size_t)n, sizeof *length);
	double *copy = xmalloc((size_t)n * (size_t)s->N * sizeof *copy);
	int kept = 0;
	product(g, w, w, 1, n, n, s->N, 1, 0);
	eigen_symmetric(g, n, length);
	while (kept < n && length[kept] > zero * zero && length[kept] > part * length[0])
		kept++;
	for (int i = 0; i < kept; i++)
		for (int j = 0; j < n; j++)
			g[i * n + j] /= sqrt(length[i]);
	if (kept)
		product(copy, g, w, 0, kept, s->N, n, 1, 0);
	memcpy(w, copy, (size_t)kept * (size_t)s->N * sizeof *w);
	free(g), free(length), free(copy);
	return kept;
}

/* Adds what the block's n vectors have beside the space; returns how many vectors these are. */
static int grow(struct space *s, int n, double zero)
{
	double *w = s->block, *h = xmalloc((size_t)n * (size_t)(s->m + 1) * sizeof *h);
	for (int pass = 0; pass < 2 && n; pass++) { /* twice, as rounding asks for */
		if (s->m) {
			product(h, w, s->q, 1, n, s->m, s->N, 1, 0);
			product(w, h, s->q, 0, n, s->N, s->m, -1, 1);
		}
		n = orthonormal(s, w, n, pass ? 0 : zero, pass ? 0.1 : 1e-13);
	}
	free(h);
	n = n < s->most - s->m ? n : s->most - s->m;
	size_t size = (size_t)(s->m + n) * (size_t)s->N;
	s->q = xrealloc(s->q, size * sizeof *s->q), s->cq = xrealloc(s->cq, size * sizeof *s->cq);
	memcpy(s->q + (size_t)s->m * (size_t)s->N, w, (size_t)n * (size_t)s->N * sizeof *w);
	s->m += n;
	return n;
}

/* cq of the last n vectors. */
static void multiply(struct space *s, int n)
{
	size_t at = (size_t)(s->m - n) * (size_t)s->N;
	images_project(s->images, s->t, s->q + at, n);
	images_combine(s->images, s->cq + at, s->t, n);
	cblas_dscal(n * s->N, 1.0 / (s->images->rows - 1), s->cq + at, 1);
}

/* theta and small, of all vectors. */
static void restrict_covariance(struct space *s)
{
	size_t m = (size_t)s->m;
	s->theta = xrealloc(s->theta, m * sizeof *s->theta), s->small = xrealloc(s->small, m * m * sizeof *s->small);
	product(s->small, s->q, s->cq, 1, s->m, s->m, s->N, 1, 0);
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < i; j++)
			s->small[i * m + j] = (s->small[i * m + j] + s->small[j * m + i]) / 2;
	eigen_symmetric(s->small, s->m, s->theta);
}

/* How many eigenvalues have that share of the variance; m + 1: all of them don't. */
static int enough(const struct space *s, double energy)
{
	double sum = 0, want = energy * s->total * (1 - 1e-12);
	int k = 0;
	while (k < s->m && sum < want)
		sum += s->theta[k++];
	return sum < want ? s->m + 1 : k;
}

/* Eigenvalues that are not of rounding alone. */
static int rank(const struct space *s)
{
	int n = 0;
	while (n < s->m && s->theta[n] > KRYLOV_ZERO * s->theta[0])
		n++;
	return n;
}

/* vectors (k, N) from the restricted ones; 1: each is an eigenvector of the covariance, as far as krylov.h says. */
static int lift(const struct space *s, int k, double *vectors)
{
	double *c = xmalloc((size_t)k * (size_t)s->N * sizeof *c);
	int good = 1;
	product(vectors, s->small, s->q, 0, k, s->N, s->m, 1, 0);
	product(c, s->small, s->cq, 0, k, s->N, s->m, 1, 0);
	for (int i = 0; i < k && good; i++) {
		double *v = c + (size_t)i * (size_t)s->N;
		cblas_daxpy(s->N, -s->theta[i], vectors + (size_t)i * (size_t)s->N, 1, v, 1);
		good = cblas_dnrm2(s->N, v, 1) <= KRYLOV_RESIDUAL * s->theta[i] + KRYLOV_ROUNDING * s->theta[0];
	}
	free(c);
	return good;
}

/* A random block in the range of the rows: normal numbers times them. */
static int first_block(struct space *s, uint64_t seed)
{
	for (uint32_t r = 0; r < s->images->rows; r++)
		for (uint32_t j = 0; j < VECTORS; j += 2) {
			struct philox p = philox(seed, PHILOX_INIT, 0, r, j);
			double *to = s->t + (size_t)r * VECTORS + j;
			to[0] = (double)philox_normal(p.v[0], p.v[1]), to[1] = (double)philox_normal(p.v[2], p.v[3]);
		}
	images_combine(s->images, s->block, s->t, VECTORS);
	return grow(s, VECTORS, 0);
}

int krylov(const struct images *m, int k, double energy, uint64_t seed, double **values, double **vectors)
{
	size_t N = (size_t)m->pixels, rows = m->rows;
	struct space s = {.images = m, .N = m->pixels, .most = rows - 1 < N ? (int)rows - 1 : (int)N};
	int found = 0, next = k;
	for (size_t i = 0; i < N; i++)
		s.total += m->square[i] / (double)(rows - 1);
	*values = NULL, *vectors = NULL;
	if (!(s.total > 0))
		return 0;
	s.t = xmalloc(rows * VECTORS * sizeof *s.t), s.block = xmalloc(VECTORS * N * sizeof *s.block);
	for (int added = first_block(&s, seed); added && !found;) {
		multiply(&s, added);
		if (s.m >= next) {
			next = s.m + s.m / 8; /* as what a look costs grows */
			restrict_covariance(&s);
			int want = k ? k : enough(&s, energy);
			if (want <= rank(&s)) {
				*vectors = xrealloc(*vectors, (size_t)want * N * sizeof **vectors);
				found = lift(&s, want, *vectors) ? want : 0;
			}
		}
		memcpy(s.block, s.cq + (size_t)(s.m - added) * N, (size_t)added * N * sizeof *s.block);
		added = found ? 0 : grow(&s, added, 1e-11 * s.total);
	}
	if (!found) { /* the space is all that the rows vary in */
		restrict_covariance(&s);
		int want = k ? k : enough(&s, energy), all = rank(&s);
		found = want < all ? want : all;
		*vectors = xrealloc(*vectors, (size_t)found * N * sizeof **vectors);
		lift(&s, found, *vectors);
	}
	free(s.q), free(s.cq), free(s.t), free(s.block), free(s.small);
	*values = s.theta;
	return found;
}
