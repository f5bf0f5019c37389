/* Robust fit: EM for a t distribution, in two rounds, the second without the rows that the first rejects. The first starts from the core of
 * the rows: a twentieth of all that are wrong in one and the same way (one annotator's other convention) would else be fitted, not found.
 *
 * Of few rows the matrix has more elements than there are labels, a wrong row can be fitted as well as a right one, and rows that were
 * fitted are nearer than others. So then it is shrunk (shape_target.h), and rows are rejected by their distance from models of other rows,
 * as scale and degrees of freedom come from such distances (cross-validation: Stone, 1974). Shrinkage and reweighting together: Boudt,
 * Rousseeuw, Vanduffel and Verdonck, 2020, "The minimum regularized covariance determinant estimator". */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/labels/f_dist.h"
#include "lib/labels/shape_em.h"

#define FIRST_DOF 4.0	 /* degrees of freedom of the first round: low, so that outliers weigh little */
#define SECOND_DOF 8.0	 /* of the second, without the rejected rows */
#define LEAST_SCALE 0.01 /* where most rows are alike: the matrix stays regular */

/* Where rows are few. Rows less likely than the tail are left out of the second round, as is usual for reweighting (Rousseeuw and Van
 * Driessen, 1999); folds are held out, one after another, contiguous since neighbours may show one person; the prior that rows have
 * SECOND_DOF weighs as many rows as tell what one in twenty is. */
#define REJECT_TAIL 0.025
#define FOLDS 5
#define DOF_ROWS 100

#define CORE 0.75 /* part of the rows that the first round is fitted to, and the quantile that it is calibrated by */

enum { STEPS = 20, MORE_STEPS = 10, CORE_STEPS = 3, CORE_ITERATIONS = 3 };

static int coordinates(const struct shape_em *f, size_t row)
{
	return 2 * __builtin_popcountll(f->mask[row]);
}

/* Fits scale and degrees of freedom to the quantiles of the distances d of the rows to keep: their median is the model's, and one in twenty
 * is above the model's 95 % quantile; both depend little on wrong rows. d is brought to scale. */
static void calibrate(const struct shape_em *f, struct shape *s, double *d, const char *keep, double tail)
{
	static const double dofs[] = {3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 100, 1000};
	double median[2 * SHAPE_POINTS_MAX + 1], bound[2 * SHAPE_POINTS_MAX + 1], *v = xmalloc(f->n * sizeof *v);
	double prior[2 * SHAPE_POINTS_MAX + 1]; /* part of rows with SECOND_DOF that are beyond the bound, on the same scale */
	double best = INFINITY, scale = 1, rows = 0;
	for (size_t k = 0; k < sizeof dofs / sizeof *dofs; k++) {
		size_t m = 0, beyond = 0;
		double expected = 0, weight = f->shrink > 0 ? DOF_ROWS : 0;
		for (int i = 0; i <= f->p; i++)
			median[i] = 0;
		for (size_t i = 0; i < f->n; i++) {
			int q = coordinates(f, i);
			if (!keep[i] || !q)
				continue;
			if (!median[q]) {
				median[q] = f_dist_isf(0.5, q, dofs[k]);
				bound[q] = f_dist_isf(tail, q, dofs[k]);
				prior[q] = weight > 0 ? f_dist_sf(bound[q] * f_dist_isf(0.5, q, SECOND_DOF) / median[q], q, SECOND_DOF) : 0;
			}
			expected += prior[q];
			v[m++] = d[i] / median[q];
		}
		double c = shape_em_quantile(v, m, 0.5);
		for (size_t i = 0; i < f->n; i++) {
			int q = coordinates(f, i);
			beyond += keep[i] && q && d[i] / c > bound[q];
		}
		rows = (double)m;
		double error = fabs(((double)beyond + weight * expected / rows) / (rows + weight) - tail);
		if (error < best)
			best = error, s->dof = dofs[k], scale = c;
	}
	/* relative variances add: 2 / dof of a row's scale, 2 / (rows - 1) of the estimated one */
	if (f->shrink > 0)
		s->dof = 1 / (1 / s->dof + 1 / (rows - 1));
	scale = scale > LEAST_SCALE ? scale : LEAST_SCALE;
	for (int i = 0; i < f->p * f->p; i++)
		s->cov[i] *= scale;
	for (size_t i = 0; i < f->n; i++)
		d[i] /= scale;
	shape_clear_cache(s);
	free(v);
}

static void distances(const struct shape_em *f, const struct shape *s, double *d)
{
	for (size_t i = 0; i < f->n; i++)
		d[i] = shape_distance(s, f->xy + i * (size_t)f->p, NULL);
}

/* Of each row to keep, its distance from a model of the rows to keep in other folds. */
static void held_out_distances(struct shape_em *f, const char *keep, double dof, double *d)
{
	char *others = xmalloc(f->n);
	for (size_t fold = 0; fold < FOLDS; fold++) {
		struct shape *s = shape_new(f->p / 2);
		for (size_t i = 0; i < f->n; i++)
			others[i] = keep[i] && i * FOLDS / f->n != fold;
		shape_em_start(f, s);
		shape_em_run(f, s, others, dof, STEPS);
		for (size_t i = 0; i < f->n; i++)
			if (keep[i] && !others[i])
				d[i] = shape_distance(s, f->xy + i * (size_t)f->p, NULL);
		shape_free(s);
	}
	free(others);
}

/* Keeps the CORE of the labelled rows that are nearest to s, by the tail of their distances (rows have different numbers of labels). */
static void concentrate(const struct shape_em *f, const struct shape *s, double *d, char *keep)
{
	double *sorted = xmalloc(f->n * sizeof *sorted);
	size_t m = 0;
	for (size_t i = 0; i < f->n; i++)
		if (f->mask[i]) {
			shape_distance(s, f->xy + i * (size_t)f->p, &d[i]);
			sorted[m++] = d[i];
		}
	double least = shape_em_quantile(sorted, m, 1 - CORE);
	for (size_t i = 0; i < f->n; i++)
		keep[i] = f->mask[i] && d[i] >= least;
	free(sorted);
}

/* A start that many wrong rows of one kind don't pull over to them: from independent coordinates, fits to the core of the rows, which is
 * chosen anew by each (Rousseeuw and Van Driessen, 1999: concentration steps). */
static void start_from_core(struct shape_em *f, struct shape *s, double *d, char *keep)
{
	shape_em_start(f, s);
	s->dof = FIRST_DOF;
	for (int step = 0; step < CORE_STEPS; step++) {
		concentrate(f, s, d, keep);
		shape_em_run(f, s, keep, FIRST_DOF, CORE_ITERATIONS);
	}
}

/* right: calibrated on; keep: fitted to. */
static void fit(struct shape_em *f, struct shape *s, double *d, char *right, char *keep)
{
	start_from_core(f, s, d, keep);
	for (int round = 0; round < 2; round++) {
		double dof = round ? SECOND_DOF : FIRST_DOF;
		shape_em_run(f, s, keep, dof, round ? MORE_STEPS : STEPS);
		distances(f, s, d);
		if (f->shrink > 0)
			held_out_distances(f, keep, dof, d);
		calibrate(f, s, d, right, round ? 0.05 : 1 - CORE);
		s->rows = s->rejected = 0;
		for (size_t i = 0; i < f->n; i++) {
			double tail = 1;
			if (f->mask[i] && f->shrink > 0)
				tail = f_dist_sf(d[i], coordinates(f, i), s->dof);
			else if (f->mask[i])
				shape_distance(s, f->xy + i * (size_t)f->p, &tail);
			right[i] = tail >= SHAPE_ALPHA;
			keep[i] = tail >= (f->shrink > 0 ? REJECT_TAIL : SHAPE_ALPHA);
			s->rows += !!f->mask[i];
			s->rejected += !right[i];
		}
	}
}

struct shape *shape_fit(int k, const float *xy, size_t n, int w, int h)
{
	if (k < 1 || k > SHAPE_POINTS_MAX)
		return NULL;
	struct shape *s = NULL;
	struct shape_em *f = shape_em_new(k, xy, n, w, h);
	if (f->labelled >= SHAPE_ROWS_MIN) {
		double *d = xcalloc(n, sizeof *d);
		char *right = memset(xmalloc(n), 1, n), *keep = memset(xmalloc(n), 1, n);
		s = shape_new(k);
		int few = f->labelled < SHAPE_ROWS_MANY || f->labelled < (size_t)f->p * SHAPE_ROWS_EACH;
		f->shrink = few ? f->p : 0; /* as many as make a matrix regular */
		s->shrunk = f->shrink / ((double)f->labelled + f->shrink);
		fit(f, s, d, right, keep);
		free(d), free(right), free(keep);
	}
	shape_em_free(f);
	return s;
}
