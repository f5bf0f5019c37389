/* Principal components, by the whole covariance or by its leading eigenvectors alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pca/eigen.h"
#include "lib/pca/krylov.h"
#include "lib/pca/pca.h"

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

static void whole(struct pca *p, const struct images *m, const struct pca_options *o)
{
	size_t n = (size_t)p->pixels;
	double *c = xmalloc(n * n * sizeof *c);
	p->variance = xcalloc(n, sizeof *p->variance);
	images_scatter(m, c);
	for (size_t i = 0; i < n * n; i++)
		c[i] /= m->rows - 1;
	eigen_symmetric(c, p->pixels, p->variance);
	p->k = count(p->variance, p->pixels, p->total, o);
	p->component = xrealloc(c, ((size_t)p->k * n + 1) * sizeof *c);
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
	struct images m = images_new(image, rows, pixels, o->threads);
	int varies = 0;
	eigen_begin();
	for (int i = 0; i < pixels; i++)
		if (m.square[i] > 0)
			varies = 1, p->total += m.square[i] / (rows - 1);
	if (!varies)
		die("%s: %s", name, rows == 1 ? "one row alone varies in nothing" : "all rows hold the same image, so nothing varies");
	p->pixels = pixels, p->mean = xmalloc((size_t)pixels * sizeof *p->mean);
	memcpy(p->mean, m.mean, (size_t)pixels * sizeof *p->mean);
	if (pixels <= o->whole)
		whole(p, &m, o);
	else
		p->k = krylov(&m, o->k, o->energy, o->seed, &p->variance, &p->component);
	if (p->k < o->k)
		die("%s: %u rows of %d pixels vary in %d direction%s, fewer than --components %d", name, rows, pixels, p->k,
			p->k == 1 ? "" : "s", o->k);
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
