/* Tests of rows. What depends on the set of labelled points alone is computed once and cached, in a direct-mapped table. */
#include "lib/labels/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/labels/cholesky.h"
#include "lib/labels/f_dist.h"

#define CACHE_SIZE 256 /* sets of labelled points, a power of two */

/* Of one set of labelled points, n coordinates: its part of cov, and the bounds of the tests. */
struct shape_cache {
	uint64_t mask;
	int n, *at;		  /* (n) indices of the coordinates, 2 a point */
	double *precision;	  /* (n, n): inverse of the labelled part of cov */
	double *point_cov;	  /* (n/2, 3): a point's shape matrix given the others: inverse of its 2x2 block of precision; xx, xy, yy */
	double shift_alone;	  /* bound of a translation's part of D, whatever the rest */
	double set, point, shift; /* bounds: of D; as q of part_bound, of a point's and of a translation's part */
	double shift_cov[3];	  /* shape matrix of the estimated translation: inverse of the sum of all 2x2 blocks of precision */
	double logdet, shift_logdet; /* log determinants of the labelled part of cov, and of shift_cov */
};

uint64_t shape_visible(int k, const float *xy)
{
	uint64_t mask = 0;
	for (int i = 0; i < k; i++)
		mask |= (uint64_t)(!isnan(xy[2 * i]) && !isnan(xy[2 * i + 1])) << i;
	return mask;
}

static void invert2(double xx, double xy, double yy, double to[3])
{
	double det = xx * yy - xy * xy;
	to[0] = yy / det, to[1] = -xy / det, to[2] = xx / det;
}

static double quadratic_form2(const double m[3], double x, double y)
{
	return m[0] * x * x + 2 * m[1] * x * y + m[2] * y * y;
}

void shape_clear_cache(struct shape *s)
{
	for (int i = 0; i < CACHE_SIZE; i++) {
		if (s->cache[i]) {
			free(s->cache[i]->at);
			free(s->cache[i]->precision);
			free(s->cache[i]->point_cov);
		}
		free(s->cache[i]);
		s->cache[i] = NULL;
	}
}

struct shape *shape_new(int k)
{
	struct shape *s = xcalloc(1, sizeof *s);
	s->k = k;
	s->dof = 1;
	s->mean = xcalloc(2 * (size_t)k, sizeof *s->mean);
	s->cov = xcalloc(4 * (size_t)k * (size_t)k, sizeof *s->cov);
	s->cache = xcalloc(CACHE_SIZE, sizeof *s->cache);
	return s;
}

void shape_free(struct shape *s)
{
	if (!s)
		return;
	shape_clear_cache(s);
	free(s->cache);
	free(s->mean);
	free(s->cov);
	free(s);
}

/* ---- one row ---- */

/* q such that P(d > q (nu + D - d)) = a, where d is a point's (or a translation's) part of D, given the rest D - d: of n - 2 dimensions,
 * given which the part is t distributed with nu + n - 2 degrees of freedom, scaled by (nu + rest) / (nu + n - 2). */
static double part_bound(double a, double nu, int n)
{
	return pow(a, -2 / (nu + n - 2)) - 1;
}

static const struct shape_cache *cache_get(const struct shape *s, uint64_t mask)
{
	struct shape_cache **slot = &s->cache[(mask * 0x9e3779b97f4a7c15ull) >> 56 & (CACHE_SIZE - 1)], *e = *slot;
	if (e && e->mask == mask)
		return e;
	int p = 2 * s->k, n = 2 * __builtin_popcountll(mask);
	if (!e) {
		e = *slot = xcalloc(1, sizeof *e);
		e->at = xcalloc((size_t)p, sizeof *e->at);
		e->precision = xcalloc((size_t)p * (size_t)p, sizeof *e->precision);
		e->point_cov = xcalloc((size_t)p * 2, sizeof *e->point_cov);
	}
	e->mask = mask;
	e->n = 0;
	for (int j = 0; j < p; j++)
		if (mask >> (j / 2) & 1)
			e->at[e->n++] = j;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			e->precision[i * n + j] = s->cov[e->at[i] * p + e->at[j]];
	if (!cholesky_invert(e->precision, n, &e->logdet))
		die("the shape model is not positive definite"); /* not after a fit, which adds SHAPE_PRECISION^2 to the diagonal */
	double sum[3] = {0, 0, 0};
	for (int i = 0; i < n; i += 2) {
		const double *b = e->precision + i * n + i;
		invert2(b[0], b[1], b[n + 1], e->point_cov + i / 2 * 3);
		for (int j = 0; j < n; j += 2) {
			const double *c = e->precision + i * n + j;
			sum[0] += c[0], sum[1] += c[1], sum[2] += c[n + 1];
		}
	}
	if (n) {
		invert2(sum[0], sum[1], sum[2], e->shift_cov);
		e->shift_logdet = -log(sum[0] * sum[2] - sum[1] * sum[1]);
	}
	e->set = n ? f_dist_isf(SHAPE_ALPHA, n, s->dof) : INFINITY;
	e->point = n > 2 ? part_bound(SHAPE_ALPHA * 2 / n, s->dof, n) : INFINITY;
	e->shift_alone = f_dist_isf(SHAPE_ALPHA, 2, s->dof);
	e->shift = n > 2 ? part_bound(SHAPE_ALPHA, s->dof, n) : INFINITY;
	return e;
}

/* Squared Mahalanobis distance of the row; g (n) = precision times the deviation from the centre. */
static double mahalanobis(const struct shape *s, const struct shape_cache *e, const float *xy, double *g)
{
	double y[2 * SHAPE_POINTS_MAX], d = 0;
	int n = e->n;
	for (int i = 0; i < n; i++)
		y[i] = xy[e->at[i]] - s->mean[e->at[i]];
	for (int i = 0; i < n; i++) {
		const double *row = e->precision + i * n;
		double a = 0, b = 0; /* two independent sums, for instruction-level parallelism */
		for (int j = 0; j < n; j += 2)
			a += row[j] * y[j], b += row[j + 1] * y[j + 1];
		g[i] = a + b;
		d += g[i] * y[i];
	}
	return d;
}

double shape_distance(const struct shape *s, const float *xy, double *tail)
{
	double g[2 * SHAPE_POINTS_MAX];
	const struct shape_cache *e = cache_get(s, shape_visible(s->k, xy));
	double d = mahalanobis(s, e, xy, g);
	if (tail)
		*tail = e->n ? f_dist_sf(d, e->n, s->dof) : 1;
	return d;
}

void shape_test(const struct shape *s, const float *xy, struct shape_test_result *v)
{
	double g[2 * SHAPE_POINTS_MAX], most = -1, sum[2] = {0, 0};
	const struct shape_cache *e = cache_get(s, shape_visible(s->k, xy));
	memset(v, 0, sizeof *v);
	v->n = e->n / 2;
	v->worst = -1;
	v->distance = mahalanobis(s, e, xy, g);
	for (int i = 0; i < e->n; i += 2) {
		double d = quadratic_form2(e->point_cov + i / 2 * 3, g[i], g[i + 1]), part = d / (s->dof + v->distance - d);
		sum[0] += g[i], sum[1] += g[i + 1];
		if (part > most)
			most = part, v->worst = e->at[i] / 2;
	}
	v->moved = e->n ? quadratic_form2(e->shift_cov, sum[0], sum[1]) : 0;
	v->move[0] = e->shift_cov[0] * sum[0] + e->shift_cov[1] * sum[1];
	v->move[1] = e->shift_cov[1] * sum[0] + e->shift_cov[2] * sum[1];
	if (v->n < 2)
		return;
	v->set = v->distance > e->set;
	v->point = most > e->point;
	v->shift = v->moved > e->shift_alone && v->moved > e->shift * (s->dof + v->distance - v->moved);
}

double shape_likelihood(const struct shape *s, const float *xy, int moved)
{
	double g[2 * SHAPE_POINTS_MAX], sum[2] = {0, 0};
	const struct shape_cache *e = cache_get(s, shape_visible(s->k, xy));
	double d = mahalanobis(s, e, xy, g), nu = s->dof, p = e->n, log_det = e->logdet;
	if (!e->n)
		return 0;
	if (moved) {
		for (int i = 0; i < e->n; i += 2)
			sum[0] += g[i], sum[1] += g[i + 1];
		d -= quadratic_form2(e->shift_cov, sum[0], sum[1]);
		p -= 2;
		log_det -= e->shift_logdet;
	}
	return lgamma((nu + p) / 2) - lgamma(nu / 2) - p / 2 * log(nu * M_PI) - log_det / 2 - (nu + p) / 2 * log1p((d > 0 ? d : 0) / nu);
}

void shape_conditional_mean(const struct shape *s, const float *xy, int k, double at[2])
{
	double g[2 * SHAPE_POINTS_MAX];
	const struct shape_cache *e = cache_get(s, shape_visible(s->k, xy));
	mahalanobis(s, e, xy, g);
	at[0] = s->mean[2 * k], at[1] = s->mean[2 * k + 1];
	for (int i = 0; i < e->n; i += 2)
		if (e->at[i] / 2 == k) {
			const double *m = e->point_cov + i / 2 * 3;
			at[0] = xy[2 * k] - (m[0] * g[i] + m[1] * g[i + 1]);
			at[1] = xy[2 * k + 1] - (m[1] * g[i] + m[2] * g[i + 1]);
		}
}
