/* Block Krylov space with full orthogonalisation, and Rayleigh-Ritz. A random block's space has at most as many eigenvectors of one
 * eigenvalue as the block has vectors, so where there may be more of them another block follows. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/pca/eigen.h"
#include "lib/pca/krylov.h"
#include "lib/pca/tiles.h"

enum { VECTORS = 64, HIDDEN = -1 }; /* vectors of a block; see look */

struct space {
	const struct krylov_matrix *a;
	int N, m, blocks;  /* a's size; vectors so far; random blocks that they were made of */
	double *q, *aq;	   /* (m, N): orthonormal vectors, and these times a */
	double *h, *theta; /* (m, m): a restricted to them, lower triangle; (m): its eigenvalues */
	double *block;	   /* (VECTORS, N): the last vectors' aq less its part in the space */
	double *gram;	   /* (VECTORS, VECTORS): block block' */
};

/* c (m, n) = alpha a b + beta c, a (m, k), b (k, n), or (n, k) where transposed. */
static void product(
	const struct space *s, double *c, const double *a, const double *b, int transposed, int m, int n, int k, double alpha, double beta)
{
	tiles_multiply(&(struct tiles_product){c, a, b, transposed, m, n, k, alpha, beta}, s->a->threads);
}

/* Makes an orthonormal basis of the block's n rows, scaled to unit length in the directions that are longer than `zero` and than a small
 * part of the longest; by the eigenvectors of its gram matrix (Stathopoulos and Wu, 2002). Returns how many there are. */
static int orthonormal(struct space *s, int n, double zero, double part)
{
	double *length = xcalloc((size_t)n, sizeof *length), *v = xmalloc((size_t)n * (size_t)n * sizeof *v);
	double *old = s->block;
	struct eigen *e = eigen_new(s->gram, n, length);
	int kept = 0;
	while (kept < n && length[kept] > zero * zero && length[kept] > part * length[0])
		kept++;
	eigen_vectors(e, kept, v);
	for (int i = 0; i < kept; i++)
		for (int j = 0; j < n; j++)
			v[i * n + j] /= sqrt(length[i]);
	s->block = xmalloc(VECTORS * (size_t)s->N * sizeof *s->block);
	if (kept)
		product(s, s->block, v, old, 0, kept, s->N, n, 1, 0);
	eigen_free(e), free(length), free(v), free(old);
	return kept;
}

/* Takes the space out of the block's n rows; h (n, m): what they had of it. */
static void outside(struct space *s, double *h, int n)
{
	if (s->m) {
		product(s, h, s->block, s->q, 1, n, s->m, s->N, 1, 0);
		product(s, s->block, h, s->q, 0, n, s->N, s->m, -1, 1);
	}
	product(s, s->gram, s->block, s->block, 1, n, n, s->N, 1, 0);
}

/* Adds the directions of the block's n vectors, which are outside of the space, but those of rounding; returns how many these are. */
static int grow(struct space *s, int n)
{
	double *h = xmalloc((size_t)n * (size_t)(s->m + 1) * sizeof *h);
	n = orthonormal(s, n, 1e-11 * s->a->trace, 1e-13);
	if (n) { /* once more, as rounding asks for */
		outside(s, h, n);
		n = orthonormal(s, n, 0, 0.1);
	}
	free(h);
	n = n < s->a->rank - s->m ? n : s->a->rank - s->m;
	size_t size = (size_t)(s->m + n) * (size_t)s->N;
	s->q = xrealloc(s->q, size * sizeof *s->q), s->aq = xrealloc(s->aq, size * sizeof *s->aq);
	memcpy(s->q + (size_t)s->m * (size_t)s->N, s->block, (size_t)n * (size_t)s->N * sizeof *s->q);
	s->m += n;
	return n;
}

/* aq, h, block and gram of the last n vectors. */
static void multiply(struct space *s, int n)
{
	size_t before = (size_t)(s->m - n), m = (size_t)s->m, N = (size_t)s->N;
	double *aq = s->aq + before * N, *h = xcalloc(m * m, sizeof *h);
	s->a->multiply(s->a, aq, s->q + before * N, n);
	memcpy(s->block, aq, (size_t)n * N * sizeof *aq);
	outside(s, h + before * m, n);
	for (size_t i = 0; i < before; i++)
		memcpy(h + i * m, s->h + i * before, before * sizeof *h);
	free(s->h);
	s->h = h;
}

/* How many eigenvalues have that share of the trace; m + 1: all of them don't. */
static int enough(const struct space *s, double energy)
{
	double sum = 0, want = energy * s->a->trace * (1 - 1e-12);
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

static int is_small(const struct space *s, int i, double residual)
{
	return residual <= KRYLOV_RESIDUAL * s->theta[i] + KRYLOV_ROUNDING * s->theta[0];
}

/* Whether the residuals of k restricted eigenvectors, small (k, m), are small, by what the last n vectors' products have outside of the
 * space. Directions that were left out of it are in no block, so lift has the last word. */
static int promising(const struct space *s, const double *small, int k, int n)
{
	double *v = xmalloc((size_t)n * sizeof *v);
	int good = 1;
	for (int i = 0; i < k && good; i++) {
		const double *last = small + (size_t)i * (size_t)s->m + (s->m - n);
		cblas_dgemv(CblasRowMajor, CblasNoTrans, n, n, 1, s->gram, n, last, 1, 0, v, 1);
		good = is_small(s, i, sqrt(fabs(cblas_ddot(n, v, 1, last, 1))));
	}
	free(v);
	return good;
}

/* vectors (k, N) from the restricted ones; 1: each is an eigenvector of a, as far as krylov.h says. */
static int lift(const struct space *s, const double *small, int k, double *vectors)
{
	double *c = xmalloc((size_t)k * (size_t)s->N * sizeof *c);
	int good = 1;
	product(s, vectors, small, s->q, 0, k, s->N, s->m, 1, 0);
	product(s, c, small, s->aq, 0, k, s->N, s->m, 1, 0);
	for (int i = 0; i < k && good; i++) {
		double *v = c + (size_t)i * (size_t)s->N;
		cblas_daxpy(s->N, -s->theta[i], vectors + (size_t)i * (size_t)s->N, 1, v, 1);
		good = is_small(s, i, cblas_dnrm2(s->N, v, 1));
	}
	free(c);
	return good;
}

static int equal(const struct space *s, int i, int j)
{
	return is_small(s, i, (s->theta[i] - s->theta[j]) / 4); /* each is as far off as its residual, at most; twice that */
}

/* Whether eigenvalues that are larger than the last wanted one may be missing: as many are equal as the random blocks have vectors. */
static int hides(const struct space *s, int want)
{
	int most = s->blocks * VECTORS;
	for (int i = 0; i + most < want; i++)
		if (equal(s, i, i + most - 1) && !equal(s, i, want - 1))
			return 1;
	return 0;
}

/* Looks for the k largest eigenvalues, or as many as have that share of the trace, of a space to which n vectors were added, 0: all that
 * a has. Returns how many, with their vectors; 0: not there yet; HIDDEN: they are ones of a, but larger ones may be missing. */
static int look(struct space *s, int k, double energy, int n, double **vectors)
{
	s->theta = xrealloc(s->theta, (size_t)s->m * sizeof *s->theta);
	struct eigen *e = eigen_new(s->h, s->m, s->theta);
	int want = k ? k : enough(s, energy), all = rank(s), found = 0;
	if (want <= all || !n) {
		want = want < all ? want : all;
		double *small = xmalloc((size_t)want * (size_t)s->m * sizeof *small);
		eigen_vectors(e, want, small);
		if (!n || promising(s, small, want, n)) {
			*vectors = xrealloc(*vectors, (size_t)want * (size_t)s->N * sizeof **vectors);
			found = lift(s, small, want, *vectors) || !n ? want : 0;
			found = found && n && hides(s, want) ? HIDDEN : found;
		}
		free(small);
	}
	eigen_free(e);
	return found;
}

/* Adds the directions outside of the space of a random block in the range of a: normal numbers times it. Returns how many; 0: the space is
 * all that a has. */
static int random_block(struct space *s, uint64_t seed)
{
	size_t N = (size_t)s->N;
	if (s->m == s->a->rank)
		return 0;
	double *v = xmalloc((VECTORS * N + 1) * sizeof *v), *h = xmalloc(VECTORS * (size_t)(s->m + 1) * sizeof *h);
	for (size_t i = 0; i < VECTORS * N; i += 2) {
		struct philox p = philox(seed, PHILOX_INIT, (uint32_t)s->blocks, (uint32_t)(i / N), (uint32_t)(i % N));
		v[i] = (double)philox_normal(p.v[0], p.v[1]), v[i + 1] = (double)philox_normal(p.v[2], p.v[3]);
	}
	s->blocks++;
	s->a->multiply(s->a, s->block, v, VECTORS);
	outside(s, h, VECTORS);
	free(v), free(h);
	return grow(s, VECTORS);
}

int krylov(const struct krylov_matrix *a, int k, double energy, uint64_t seed, double **values, double **vectors)
{
	struct space s = {.a = a, .N = a->n};
	int found = 0, next = k;
	*values = NULL, *vectors = NULL;
	if (!(a->trace > 0))
		return 0;
	s.block = xmalloc(VECTORS * (size_t)s.N * sizeof *s.block), s.gram = xmalloc(VECTORS * VECTORS * sizeof *s.gram);
	for (int added = random_block(&s, seed); added && found <= 0;) {
		multiply(&s, added);
		found = 0;
		if (s.m >= next) {
			next = s.m + s.m / 8; /* as what a look costs grows */
			found = look(&s, k, energy, added, vectors);
		}
		if (!found)
			added = grow(&s, added);
		if (found == HIDDEN || !added)
			added = random_block(&s, seed);
	}
	if (found <= 0)
		found = look(&s, k, energy, 0, vectors);
	free(s.q), free(s.aq), free(s.h), free(s.block), free(s.gram);
	*values = s.theta;
	return found;
}
