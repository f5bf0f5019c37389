/* Robust fit: EM for a multivariate t distribution with missing values, on rows grouped by their set of labelled points; in two rounds, the
 * second without the rows that the first rejects. */
#include "lib/labels/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/labels/cholesky.h"
#include "lib/labels/f_dist.h"

#define WORK_MAX 4e6   /* bound of an iteration's work: groups times the cube of the coordinates */
#define PRIOR_ROWS 1   /* weight, in rows, of the prior, independent coordinates: the matrix is positive definite for few rows too */
#define FIRST_DOF 4.0  /* degrees of freedom of the first round: low, so that outliers weigh little */
#define SECOND_DOF 8.0 /* of the second, without the rejected rows */

/* Rows with one set of labelled points, contiguous in fit.order; n: coordinates. */
struct group {
	uint64_t mask;
	int first, rows, n;
};

struct fit {
	int p, w, h; /* coordinates; image size */
	const float *xy;
	int *order, ngroups; /* order: row indices by group */
	uint64_t *mask;	     /* (n) labelled points of each row */
	struct group *group;
	double *prior;				   /* (p) variances of the single coordinates */
	double *sum, *scatter, *b, *r, *c, *g, *y; /* scratch, up to (p, p): see accumulate_group */
	int *observed, *missing;
};

/* The q quantile: element q (n - 1) of v (n) if it were sorted; reorders v (Hoare's selection, 1961). */
static double quantile(double *v, size_t n, double q)
{
	size_t want = (size_t)(q * (double)(n - 1) + 0.5), lo = 0, hi = n - 1;
	while (lo < hi) {
		double pivot = v[lo + (hi - lo) / 2];
		size_t i = lo, j = hi;
		for (;;) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;
			double t = v[i];
			v[i++] = v[j], v[j--] = t;
		}
		/* [lo, j] is at most the pivot, what follows at least */
		if (want <= j)
			hi = j;
		else
			lo = j + 1;
	}
	return v[want];
}

static int by_rows(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	return x->rows != y->rows ? y->rows - x->rows : (x->mask > y->mask) - (x->mask < y->mask);
}

/* Groups the rows to keep, the largest group first; groups beyond WORK_MAX, the rarest, are left out of the fit. */
static void make_groups(struct fit *f, size_t n, const char *keep)
{
	int m = 0;
	f->ngroups = 0;
	for (size_t i = 0; i < n; i++) {
		int g = 0;
		if (!keep[i] || !f->mask[i])
			continue;
		while (g < f->ngroups && f->group[g].mask != f->mask[i])
			g++;
		if (g == f->ngroups)
			f->group[f->ngroups++] = (struct group){f->mask[i], 0, 0, 2 * __builtin_popcountll(f->mask[i])};
		f->group[g].rows++;
	}
	qsort(f->group, (size_t)f->ngroups, sizeof *f->group, by_rows);
	int limit = (int)(WORK_MAX / ((double)f->p * f->p * f->p));
	f->ngroups = f->ngroups < (limit > 8 ? limit : 8) ? f->ngroups : (limit > 8 ? limit : 8);
	for (int g = 0; g < f->ngroups; g++) {
		f->group[g].first = m;
		for (size_t i = 0; i < n; i++)
			if (keep[i] && f->mask[i] == f->group[g].mask)
				f->order[m++] = (int)i;
	}
}

/* Initial values: independent coordinates, with median and median absolute deviation. */
static void init_params(struct fit *f, struct shape *s, size_t n)
{
	double *v = xmalloc(n * sizeof *v);
	for (int j = 0; j < f->p; j++) {
		size_t m = 0;
		double median = (j % 2 ? f->h : f->w) / 2.0, spread = (j % 2 ? f->h : f->w) / 4.0;
		for (size_t i = 0; i < n; i++)
			if (f->mask[i] >> (j / 2) & 1)
				v[m++] = f->xy[i * (size_t)f->p + (size_t)j];
		if (m) {
			median = quantile(v, m, 0.5);
			for (size_t i = 0; i < m; i++)
				v[i] = fabs(v[i] - median);
			spread = 1.4826 * quantile(v, m, 0.5);
		}
		s->mean[j] = median;
		f->prior[j] = spread * spread + SHAPE_PRECISION * SHAPE_PRECISION;
		s->cov[j * f->p + j] = f->prior[j];
	}
	free(v);
}

/* E-step of a group: adds to sum (p) and to scatter (p, p), lower triangle, the deviations y from the centre and their products, weighted
 * by (dof + n) / (dof + D). With o the observed and m the missing coordinates: b = S_oo^-1; r = S_mo b, the regression of y_m on y_o; c, g:
 * weighted sums of y_o and of y_o y_o'; each row adds the conditional covariance S_mm - r S_om too. Returns the sum of the weights. */
static double accumulate_group(struct fit *f, const struct shape *s, const struct group *g, double dof)
{
	int p = f->p, n = 0, m = 0;
	double weights = 0, logdet;
	for (int j = 0; j < p; j++)
		if (g->mask >> (j / 2) & 1)
			f->observed[n++] = j;
		else
			f->missing[m++] = j;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			f->b[i * n + j] = s->cov[f->observed[i] * p + f->observed[j]];
	if (!cholesky_invert(f->b, n, &logdet))
		return 0; /* not reached: the prior keeps cov positive definite */
	memset(f->g, 0, (size_t)(n * n) * sizeof *f->g);
	memset(f->c, 0, (size_t)n * sizeof *f->c); /* a vector, though c has (p, p) */
	for (int row = 0; row < g->rows; row++) {
		const float *xy = f->xy + (size_t)f->order[g->first + row] * (size_t)p;
		double d = 0;
		for (int i = 0; i < n; i++)
			f->y[i] = xy[f->observed[i]] - s->mean[f->observed[i]];
		for (int i = 0; i < n; i++) {
			double t = 0;
			for (int j = 0; j < i; j++)
				t += f->b[i * n + j] * f->y[j];
			d += f->y[i] * (2 * t + f->b[i * n + i] * f->y[i]);
		}
		double w = (dof + n) / (dof + d);
		weights += w;
		for (int i = 0; i < n; i++) {
			double wy = w * f->y[i];
			f->c[i] += wy;
			for (int j = 0; j <= i; j++)
				f->g[i * n + j] += wy * f->y[j];
		}
	}
	for (int i = 0; i < n; i++) {
		f->sum[f->observed[i]] += f->c[i];
		for (int j = 0; j <= i; j++) {
			f->g[j * n + i] = f->g[i * n + j];
			f->scatter[f->observed[i] * p + f->observed[j]] += f->g[i * n + j];
		}
	}
	for (int u = 0; u < m; u++) {
		double *r = f->r + u * n, *t = f->y; /* row u of r, and of r g */
		for (int j = 0; j < n; j++) {
			r[j] = 0;
			for (int i = 0; i < n; i++)
				r[j] += s->cov[f->missing[u] * p + f->observed[i]] * f->b[i * n + j];
		}
		for (int j = 0; j < n; j++) {
			f->sum[f->missing[u]] += r[j] * f->c[j];
			t[j] = 0;
			for (int i = 0; i < n; i++)
				t[j] += r[i] * f->g[i * n + j];
			int a = f->missing[u], b = f->observed[j];
			f->scatter[(a > b ? a : b) * p + (a > b ? b : a)] += t[j];
		}
		for (int v = 0; v <= u; v++) {
			double both = 0, residual = s->cov[f->missing[u] * p + f->missing[v]];
			for (int j = 0; j < n; j++) {
				both += t[j] * f->r[v * n + j];
				residual -= r[j] * s->cov[f->missing[v] * p + f->observed[j]];
			}
			f->scatter[f->missing[u] * p + f->missing[v]] += both + g->rows * residual;
		}
	}
	return weights;
}

/* One iteration of EM for a t distribution with missing values (Liu and Rubin 1995, "ML estimation of the t distribution using EM and its
 * extensions, ECM and ECME"). Returns the largest change of the centre, in pixels. */
static double em_step(struct fit *f, struct shape *s, double dof)
{
	int p = f->p;
	double weights = 0, rows = 0, largest = 0;
	memset(f->sum, 0, (size_t)p * sizeof *f->sum);
	memset(f->scatter, 0, (size_t)(p * p) * sizeof *f->scatter);
	for (int g = 0; g < f->ngroups; g++) {
		weights += accumulate_group(f, s, &f->group[g], dof);
		rows += f->group[g].rows;
	}
	for (int i = 0; i < p; i++) {
		double delta = f->sum[i] / weights;
		largest = fabs(delta) > largest ? fabs(delta) : largest;
		s->mean[i] += delta;
	}
	for (int i = 0; i < p; i++)
		for (int j = 0; j <= i; j++) {
			double v = f->scatter[i * p + j] - f->sum[i] * f->sum[j] / weights + (i == j ? PRIOR_ROWS * f->prior[i] : 0);
			s->cov[i * p + j] = s->cov[j * p + i] = v / (rows + PRIOR_ROWS);
		}
	return largest;
}

/* Fits scale and degrees of freedom to the quantiles of the distances d of the rows to keep: their median is the model's, and one in twenty
 * is above the model's 95 % quantile; both depend little on wrong rows. */
static void calibrate(const struct fit *f, struct shape *s, const double *d, const char *keep, size_t n)
{
	static const double dofs[] = {3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 100, 1000};
	double median[2 * SHAPE_POINTS_MAX + 1], bound[2 * SHAPE_POINTS_MAX + 1], *v = xmalloc(n * sizeof *v);
	double best = INFINITY, scale = 1;
	for (size_t k = 0; k < sizeof dofs / sizeof *dofs; k++) {
		size_t m = 0, beyond = 0;
		for (int i = 0; i <= f->p; i++)
			median[i] = 0;
		for (size_t i = 0; i < n; i++) {
			int q = 2 * __builtin_popcountll(f->mask[i]);
			if (!keep[i] || !q)
				continue;
			if (!median[q]) {
				median[q] = f_dist_isf(0.5, q, dofs[k]);
				bound[q] = f_dist_isf(0.05, q, dofs[k]);
			}
			v[m++] = d[i] / median[q];
		}
		double c = quantile(v, m, 0.5);
		for (size_t i = 0; i < n; i++) {
			int q = 2 * __builtin_popcountll(f->mask[i]);
			beyond += keep[i] && q && d[i] / c > bound[q];
		}
		double error = fabs((double)beyond / (double)m - 0.05);
		if (error < best)
			best = error, s->dof = dofs[k], scale = c;
	}
	for (int i = 0; i < f->p * f->p; i++)
		s->cov[i] *= scale;
	free(v);
}

struct shape *shape_fit(int k, const float *xy, size_t n, int w, int h)
{
	int p = 2 * k;
	size_t labelled = 0, pp = (size_t)p * (size_t)p * sizeof(double), pv = (size_t)p * sizeof(double);
	if (k < 1 || k > SHAPE_POINTS_MAX)
		return NULL;
	struct fit f = {.p = p, .w = w, .h = h, .xy = xy};
	f.mask = xcalloc(n, sizeof *f.mask);
	for (size_t i = 0; i < n; i++) {
		f.mask[i] = shape_visible(k, xy + i * (size_t)p);
		labelled += !!f.mask[i];
	}
	if (labelled < SHAPE_ROWS_MIN) {
		free(f.mask);
		return NULL;
	}
	struct shape *s = shape_new(k);
	f.order = xcalloc(n, sizeof *f.order);
	f.group = xcalloc(n, sizeof *f.group);
	f.observed = xcalloc((size_t)p, sizeof *f.observed);
	f.missing = xcalloc((size_t)p, sizeof *f.missing);
	double *block = xcalloc(1, 5 * pp + 3 * pv), *d = xcalloc(n, sizeof *d);
	f.scatter = block, f.b = block + p * p, f.r = f.b + p * p, f.c = f.r + p * p, f.g = f.c + p * p;
	f.sum = f.g + p * p, f.y = f.sum + p, f.prior = f.y + p;
	char *keep = memset(xmalloc(n), 1, n);
	init_params(&f, s, n);
	for (int round = 0; round < 2; round++) {
		make_groups(&f, n, keep);
		for (int i = 0; i < (round ? 10 : 20); i++)
			if (em_step(&f, s, round ? SECOND_DOF : FIRST_DOF) < 0.005 && i > 3)
				break;
		for (int i = 0; i < p; i++)
			s->cov[i * p + i] += SHAPE_PRECISION * SHAPE_PRECISION;
		shape_clear_cache(s);
		for (size_t i = 0; i < n; i++)
			d[i] = shape_distance(s, xy + i * (size_t)p, NULL);
		calibrate(&f, s, d, keep, n);
		shape_clear_cache(s);
		s->rows = s->rejected = 0;
		for (size_t i = 0; i < n; i++) {
			double tail = 1;
			if (f.mask[i])
				shape_distance(s, xy + i * (size_t)p, &tail);
			keep[i] = tail >= SHAPE_ALPHA;
			s->rows += !!f.mask[i];
			s->rejected += !keep[i];
		}
	}
	free(f.mask), free(f.order), free(f.group), free(f.observed), free(f.missing), free(block), free(d), free(keep);
	return s;
}
