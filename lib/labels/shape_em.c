/* Rows are grouped by their set of labelled points, since what costs most depends on it alone. */
#include "lib/labels/shape_em.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/labels/cholesky.h"
#include "lib/labels/shape_target.h"

#define WORK_MAX 4e6 /* bound of an iteration's work: groups times the cube of the coordinates */
#define PRIOR_ROWS 1 /* weight, in rows, of independent coordinates: the matrix is positive definite for few rows too */

/* Rows with one set of labelled points, contiguous in order; n: coordinates. */
struct shape_em_group {
	uint64_t mask;
	int first, rows, n;
};

/* The q quantile: element q (n - 1) of v (n) if it were sorted; reorders v (Hoare's selection, 1961). */
double shape_em_quantile(double *v, size_t n, double q)
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
	const struct shape_em_group *x = a, *y = b;
	return x->rows != y->rows ? y->rows - x->rows : (x->mask > y->mask) - (x->mask < y->mask);
}

/* Groups the rows to keep, the largest group first; groups beyond WORK_MAX, the rarest, are left out of the fit. */
static void make_groups(struct shape_em *f, const char *keep)
{
	int m = 0;
	f->ngroups = 0;
	for (size_t i = 0; i < f->n; i++) {
		int g = 0;
		if (!keep[i] || !f->mask[i])
			continue;
		while (g < f->ngroups && f->group[g].mask != f->mask[i])
			g++;
		if (g == f->ngroups)
			f->group[f->ngroups++] = (struct shape_em_group){f->mask[i], 0, 0, 2 * __builtin_popcountll(f->mask[i])};
		f->group[g].rows++;
	}
	qsort(f->group, (size_t)f->ngroups, sizeof *f->group, by_rows);
	int limit = (int)(WORK_MAX / ((double)f->p * f->p * f->p));
	f->ngroups = f->ngroups < (limit > 8 ? limit : 8) ? f->ngroups : (limit > 8 ? limit : 8);
	for (int g = 0; g < f->ngroups; g++) {
		f->group[g].first = m;
		for (size_t i = 0; i < f->n; i++)
			if (keep[i] && f->mask[i] == f->group[g].mask)
				f->order[m++] = (int)i;
	}
}

/* Median and median absolute deviation of each coordinate. */
static void find_medians(struct shape_em *f)
{
	double *v = xmalloc(f->n * sizeof *v);
	for (int j = 0; j < f->p; j++) {
		size_t m = 0;
		double median = (j % 2 ? f->h : f->w) / 2.0, spread = (j % 2 ? f->h : f->w) / 4.0;
		for (size_t i = 0; i < f->n; i++)
			if (f->mask[i] >> (j / 2) & 1)
				v[m++] = f->xy[i * (size_t)f->p + (size_t)j];
		if (m) {
			median = shape_em_quantile(v, m, 0.5);
			for (size_t i = 0; i < m; i++)
				v[i] = fabs(v[i] - median);
			spread = 1.4826 * shape_em_quantile(v, m, 0.5);
		}
		f->median[j] = median;
		f->prior[j] = spread * spread + SHAPE_PRECISION * SHAPE_PRECISION;
	}
	free(v);
}

struct shape_em *shape_em_new(int k, const float *xy, size_t n, int w, int h)
{
	struct shape_em *f = xcalloc(1, sizeof *f);
	int p = f->p = 2 * k;
	f->xy = xy, f->n = n, f->w = w, f->h = h;
	f->mask = xcalloc(n, sizeof *f->mask);
	for (size_t i = 0; i < n; i++) {
		f->mask[i] = shape_visible(k, xy + i * (size_t)p);
		f->seen |= f->mask[i];
		f->labelled += !!f->mask[i];
	}
	f->order = xcalloc(n, sizeof *f->order);
	f->group = xcalloc(n, sizeof *f->group);
	f->observed = xcalloc((size_t)p, sizeof *f->observed);
	f->missing = xcalloc((size_t)p, sizeof *f->missing);
	double *block = f->block = xcalloc(6 * (size_t)(p * p) + 4 * (size_t)p, sizeof *block);
	f->scatter = block, f->b = block + p * p, f->r = f->b + p * p, f->c = f->r + p * p, f->g = f->c + p * p, f->target = f->g + p * p;
	f->sum = f->target + p * p, f->y = f->sum + p, f->prior = f->y + p, f->median = f->prior + p;
	find_medians(f);
	return f;
}

void shape_em_free(struct shape_em *f)
{
	free(f->mask), free(f->order), free(f->group), free(f->observed), free(f->missing), free(f->block);
	free(f);
}

void shape_em_start(const struct shape_em *f, struct shape *s)
{
	memset(s->cov, 0, (size_t)(f->p * f->p) * sizeof *s->cov);
	memcpy(s->mean, f->median, (size_t)f->p * sizeof *s->mean);
	for (int j = 0; j < f->p; j++)
		s->cov[j * f->p + j] = f->prior[j];
	shape_clear_cache(s);
}

/* E-step of a group: adds to sum (p) and to scatter (p, p), lower triangle, the deviations y from the centre and their products, weighted
 * by (dof + n) / (dof + D). With o the observed and m the missing coordinates: b = S_oo^-1; r = S_mo b, the regression of y_m on y_o; c, g:
 * weighted sums of y_o and of y_o y_o'; each row adds the conditional covariance S_mm - r S_om too. Returns the sum of the weights. */
static double accumulate_group(struct shape_em *f, const struct shape *s, const struct shape_em_group *g, double dof)
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

/* M-step of the matrix: the rows' scatter about the centre, of the given weight, and the prior's. */
static void update_cov(struct shape_em *f, struct shape *s, double weights, double rows)
{
	int p = f->p;
	for (int i = 0; i < p; i++)
		for (int j = 0; j <= i; j++) {
			double v = f->scatter[i * p + j] - f->sum[i] * f->sum[j] / weights +
				   (i == j && !f->shrink ? PRIOR_ROWS * f->prior[i] : 0);
			s->cov[i * p + j] = s->cov[j * p + i] = v / (rows + (f->shrink ? 0 : PRIOR_ROWS));
		}
	if (!f->shrink)
		return;
	shape_target(p / 2, f->seen, s->mean, s->cov, f->target);
	for (int i = 0; i < p * p; i++)
		s->cov[i] = (rows * s->cov[i] + f->shrink * f->target[i]) / (rows + f->shrink);
}

/* One iteration of EM for a t distribution with missing values (Liu and Rubin 1995, "ML estimation of the t distribution using EM and its
 * extensions, ECM and ECME"). Returns the largest change of the centre, in pixels. */
static double em_step(struct shape_em *f, struct shape *s, double dof)
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
	update_cov(f, s, weights, rows);
	return largest;
}

void shape_em_run(struct shape_em *f, struct shape *s, const char *keep, double dof, int steps)
{
	make_groups(f, keep);
	for (int i = 0; i < steps; i++)
		if (em_step(f, s, dof) < 0.005 && i > 3)
			break;
	for (int i = 0; i < f->p; i++)
		s->cov[i * f->p + i] += SHAPE_PRECISION * SHAPE_PRECISION;
	shape_clear_cache(s);
}
