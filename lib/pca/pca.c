/* Principal components, by a whole matrix of products or by products with the images alone. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pca/eigen.h"
#include "lib/pca/images.h"
#include "lib/pca/krylov.h"
#include "lib/pca/pca.h"
#include "lib/pca/tiles.h"

/* How many components: k, or as many as energy needs; at most as many as vary. */
static int count(const double *variance, int n, double total, const struct pca_options *o)
{
	int rank = 0, k = 0;
	double sum = 0;
	while (rank < n && variance[rank] > KRYLOV_ZERO * variance[0])
		rank++;
	while (k < rank && (o->k ? k < o->k : sum < o->energy * total * (1 - 1e-12)))
		sum += variance[k++];
	return k;
}

/* The covariance of pixels, times v. */
static void multiply_images(const struct krylov_matrix *a, double *to, const double *v, int n)
{
	const struct images *m = a->arg;
	double *t = xmalloc((size_t)m->rows * (size_t)n * sizeof *t);
	images_project(m, t, v, n), images_combine(m, to, t, n);
	cblas_dscal(n * m->pixels, 1.0 / (m->rows - 1), to, 1);
	free(t);
}

static void multiply_matrix(const struct krylov_matrix *a, double *to, const double *v, int n)
{
	tiles_multiply(&(struct tiles_product){.c = to, .a = v, .b = a->arg, .m = n, .n = a->n, .k = a->n, .alpha = 1}, a->threads);
}

/* All eigenvalues of s (n, n), whose n are p->variance, and eigenvectors of those that are wanted. */
static void solve(struct pca *p, const double *s, int n, const struct pca_options *o)
{
	p->variance = xcalloc((size_t)n, sizeof *p->variance);
	struct eigen *e = eigen_new(s, n, p->variance);
	p->k = count(p->variance, n, p->total, o);
	p->component = xmalloc(((size_t)p->k * (size_t)n + 1) * sizeof *p->component);
	eigen_vectors(e, p->k, p->component);
	eigen_free(e);
}

/* Eigenvectors u (k, rows) of the products of rows become ones of those of pixels: u times the rows. */
static void to_pixels(struct pca *p, const struct images *m)
{
	size_t k = (size_t)p->k, rows = m->rows, n = (size_t)p->pixels;
	double *t = xmalloc((k * rows + 1) * sizeof *t);
	for (size_t i = 0; i < k; i++)
		for (size_t r = 0; r < rows; r++)
			t[r * k + i] = p->component[i * rows + r];
	p->component = xrealloc(p->component, (k * n + 1) * sizeof *p->component);
	if (k)
		images_combine(m, p->component, t, p->k);
	for (size_t i = 0; i < k; i++)
		cblas_dscal(p->pixels, 1 / cblas_dnrm2(p->pixels, p->component + i * n, 1), p->component + i * n, 1);
	free(t);
}

/* The eigenvectors of the covariance of pixels, or of the products of rows, which have the same eigenvalues, where these are fewer. */
static void find(struct pca *p, const struct images *m, const struct pca_options *o)
{
	int rows = m->rows < (uint32_t)p->pixels, n = rows ? (int)m->rows : p->pixels, rank = (int)m->rows - 1;
	struct krylov_matrix a = {p->pixels, rank < n ? rank : n, o->threads, p->total, multiply_images, m};
	if (n > o->matrix) {
		p->k = krylov(&a, o->k, o->energy, o->seed, &p->variance, &p->component);
		return;
	}
	double *s = xlarge((size_t)n * (size_t)n * sizeof *s);
	(rows ? images_gram : images_scatter)(m, s);
	for (size_t i = 0; i < (size_t)n * (size_t)n; i++)
		s[i] /= m->rows - 1;
	a.n = n, a.multiply = multiply_matrix, a.arg = s;
	if (n <= o->whole)
		solve(p, s, n, o);
	else
		p->k = krylov(&a, o->k, o->energy, o->seed, &p->variance, &p->component);
	free(s);
	if (rows)
		to_pixels(p, m);
}

/* Of v and -v the one whose largest value, the first of equals, is above 0. */
static void fix_sign(double *v, int n)
{
	int largest = 0;
	for (int i = 1; i < n; i++)
		if (fabs(v[i]) > fabs(v[largest]))
			largest = i;
	double sign = v[largest] < 0 ? -1 : 1;
	for (int i = 0; i < n; i++)
		v[i] *= sign;
}

struct pca *pca_fit(const uint8_t *image, uint32_t rows, int pixels, const struct pca_options *o, const char *name)
{
	struct pca *p = xcalloc(1, sizeof *p);
	int varies = 0;
	eigen_begin();
	struct images m = images_new(image, rows, pixels, o->threads);
	for (int i = 0; i < pixels; i++)
		if (m.square[i] > 0)
			varies = 1, p->total += m.square[i] / (rows - 1);
	if (!varies)
		die("%s: %s", name, rows == 1 ? "one row alone varies in nothing" : "all rows hold the same image, so nothing varies");
	p->pixels = pixels, p->mean = xmalloc((size_t)pixels * sizeof *p->mean);
	memcpy(p->mean, m.mean, (size_t)pixels * sizeof *p->mean);
	find(p, &m, o);
	if (p->k < o->k)
		die("%s: %u rows of %d pixels vary in %d direction%s, fewer than --components %d", name, rows, pixels, p->k,
			p->k == 1 ? "" : "s", o->k);
	if (!o->k && pca_explained(p, p->k) < o->energy * (1 - 1e-6)) /* what count takes for rounding is less */
		die("%s: the components that are found, %d, explain %.7g of the variance, less than --energy %g", name, p->k,
			pca_explained(p, p->k), o->energy);
	for (int k = 0; k < p->k; k++)
		fix_sign(p->component + (size_t)k * (size_t)pixels, pixels);
	images_free(&m);
	return p;
}

double pca_explained(const struct pca *p, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += p->variance[i];
	return sum / p->total;
}

void pca_free(struct pca *p)
{
	free(p->mean), free(p->variance), free(p->component), free(p);
}
