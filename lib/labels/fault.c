/* Maximum likelihood choice among hypotheses, each scored by the shape model on the labels with the fault undone. */
#include "lib/labels/fault.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

/* A hypothesis must be this many times as likely as "no fault": about one row in 100 is faulty, and missing one costs 10 times as much as
 * losing a correct row. */
#define FAULT_ODDS 10

const char *fault_name(enum fault_kind kind)
{
	static const char *const names[FAULT_KINDS] = {
		"none", "half", "outside", "swapped", "far", "shifted", "scrambled", "odd", "sentinel", "suspect"};
	return names[kind];
}

struct faults *faults_new(int k)
{
	struct faults *f = xcalloc(1, sizeof *f);
	f->k = k;
	f->list = xcalloc(2 * (size_t)k + 1, sizeof *f->list);
	f->blank = xcalloc((size_t)k + 1, 1);
	f->work = xcalloc(2 * (size_t)k + 1, sizeof *f->work);
	return f;
}

void faults_free(struct faults *f)
{
	free(f->list);
	free(f->blank);
	free(f->work);
	free(f);
}

static struct fault *add(struct faults *f, enum fault_kind kind, int point)
{
	struct fault *a = &f->list[f->n++];
	*a = (struct fault){.kind = kind, .point = point, .other = -1, .at = {NAN, NAN}, .expect = {NAN, NAN}};
	if (point >= 0)
		memcpy(a->at, f->work + 2 * point, sizeof a->at);
	return a;
}

/* Marks a label as wrong; it is no longer used in checking the others. */
static void blank_label(struct faults *f, int point)
{
	f->blank[point] = 1;
	f->work[2 * point] = f->work[2 * point + 1] = NAN;
}

static int labelled(const float *xy, int k)
{
	return !isnan(xy[2 * k]) && !isnan(xy[2 * k + 1]);
}

int fault_outside(const float xy[2], int w, int h)
{
	return xy[0] < -FAULT_MARGIN || xy[1] < -FAULT_MARGIN || xy[0] > w - 1 + FAULT_MARGIN || xy[1] > h - 1 + FAULT_MARGIN;
}

static void check_bounds(struct faults *f, int w, int h)
{
	for (int k = 0; k < f->k; k++) {
		float x = f->work[2 * k], y = f->work[2 * k + 1];
		if (isnan(x) && isnan(y))
			continue;
		int out = fault_outside(f->work + 2 * k, w, h);
		if (out || isnan(x) || isnan(y)) {
			add(f, out ? FAULT_OUTSIDE : FAULT_HALF, k);
			blank_label(f, k);
		}
	}
}

static void swap_points(float *xy, int a, int b)
{
	for (int i = 0; i < 2; i++) {
		float t = xy[2 * a + i];
		xy[2 * a + i] = xy[2 * b + i];
		xy[2 * b + i] = t;
	}
}

static int is_pair(const float *xy, const int *mirror, int k)
{
	return mirror[k] > k && labelled(xy, k) && labelled(xy, mirror[k]);
}

/* A fault that may have produced the row; log_likelihood: of the row under it, penalties included. */
struct hypothesis {
	enum fault_kind kind;
	double log_likelihood;
	uint64_t points; /* bit mask; far: the outliers; swapped: the first points of the pairs */
};

static void consider(struct hypothesis *best, enum fault_kind kind, double log_likelihood, uint64_t points)
{
	if (log_likelihood > best->log_likelihood)
		*best = (struct hypothesis){kind, log_likelihood, points};
}

/* Swapped pairs: all of them; and greedily one after another, as long as the likelihood rises. */
static void try_swaps(const struct shape *s, const float *xy, const int *mirror, struct hypothesis *best)
{
	float t[2 * SHAPE_POINTS_MAX];
	uint64_t pairs = 0, done = 0;
	for (int k = 0; k < s->k; k++)
		pairs |= (uint64_t)is_pair(xy, mirror, k) << k;
	int m = __builtin_popcountll(pairs);
	memcpy(t, xy, 2 * (size_t)s->k * sizeof *t);
	for (int k = 0; k < s->k; k++)
		if (pairs >> k & 1)
			swap_points(t, k, mirror[k]);
	if (m)
		consider(best, FAULT_SWAPPED, shape_likelihood(s, t, 0), pairs);
	memcpy(t, xy, 2 * (size_t)s->k * sizeof *t);
	double current = -INFINITY;
	while (m - __builtin_popcountll(done) > 1) {
		int next = -1;
		for (int k = 0; k < s->k; k++) {
			if (!((pairs & ~done) >> k & 1))
				continue;
			swap_points(t, k, mirror[k]);
			double l = shape_likelihood(s, t, 0);
			swap_points(t, k, mirror[k]);
			if (l > current)
				current = l, next = k;
		}
		if (next < 0)
			return;
		swap_points(t, next, mirror[next]);
		done |= 1ull << next;
		consider(best, FAULT_SWAPPED, current - __builtin_popcountll(done) * log(m),
			done); /* penalty: each is a choice among m pairs */
	}
}

/* Outliers: removes the worst point, then the worst of the others, until one is left. */
static void try_far(const struct shape *s, const float *xy, double area, struct hypothesis *best)
{
	float t[2 * SHAPE_POINTS_MAX];
	uint64_t out = 0;
	struct shape_test_result v;
	memcpy(t, xy, 2 * (size_t)s->k * sizeof *t);
	double choices = 0; /* penalty: log of the number of ways to choose n points */
	for (int n = 1;; n++) {
		shape_test(s, t, &v);
		if (v.n < 2)
			return;
		choices += log((double)v.n / n);
		out |= 1ull << v.worst;
		t[2 * v.worst] = t[2 * v.worst + 1] = NAN;
		consider(best, FAULT_FAR, shape_likelihood(s, t, 0) - n * log(area) - choices, out);
	}
}

/* Adds the faults of the most likely hypothesis about the labels in work; 0 if that is "no fault". */
static int explain(struct faults *f, const struct shape *s, const struct shape_test_result *v, const int *mirror, double area)
{
	struct hypothesis best = {FAULT_NONE, shape_likelihood(s, f->work, 0) + log(FAULT_ODDS), 0};
	try_swaps(s, f->work, mirror, &best);
	try_far(s, f->work, area, &best);
	consider(&best, FAULT_SHIFTED, shape_likelihood(s, f->work, 1) - log(area), 0);
	consider(&best, FAULT_SCRAMBLED, -v->n * log(area), 0);
	int n = __builtin_popcountll(best.points);
	if (best.kind == FAULT_FAR && 3 * n > v->n && n > 1) /* too few labels are left to rely on */
		best.kind = FAULT_SCRAMBLED;
	if (best.kind == FAULT_SHIFTED || best.kind == FAULT_SCRAMBLED) {
		struct fault *a = add(f, best.kind, -1);
		if (best.kind == FAULT_SHIFTED)
			a->at[0] = (float)v->move[0], a->at[1] = (float)v->move[1];
		f->unknown = 1;
	}
	int pairs = 0;
	for (int k = 0; best.kind == FAULT_SWAPPED && k < s->k; k++)
		pairs += is_pair(f->work, mirror, k);
	int whole = best.kind == FAULT_SWAPPED && n == pairs;
	if (whole && n > 1)
		add(f, FAULT_SWAPPED, -1);
	for (int k = 0; k < s->k && (best.kind == FAULT_SWAPPED || best.kind == FAULT_FAR); k++) {
		if (!(best.points >> k & 1))
			continue;
		if (best.kind == FAULT_SWAPPED) {
			if (!whole || n == 1)
				add(f, FAULT_SWAPPED, k)->other = mirror[k];
			blank_label(f, mirror[k]);
		} else {
			double at[2];
			shape_conditional_mean(s, f->work, k, at);
			struct fault *a = add(f, FAULT_FAR, k);
			a->expect[0] = at[0], a->expect[1] = at[1];
		}
		blank_label(f, k);
	}
	return best.kind != FAULT_NONE;
}

void faults_find(struct faults *f, const struct shape *s, const float *xy, const int *mirror, int w, int h)
{
	int labels = 0, wrong = 0;
	f->n = f->unknown = 0;
	memset(f->blank, 0, (size_t)f->k);
	memcpy(f->work, xy, 2 * (size_t)f->k * sizeof *f->work);
	check_bounds(f, w, h);
	while (s && !f->unknown) {
		struct shape_test_result v;
		shape_test(s, f->work, &v);
		if (!(v.set || v.point || v.shift))
			break;
		if (!explain(f, s, &v, mirror, (double)w * h)) {
			if (v.set)
				add(f, FAULT_ODD, -1);
			break;
		}
	}
	for (int k = 0; k < f->k; k++) {
		labels += !isnan(xy[2 * k]) || !isnan(xy[2 * k + 1]);
		wrong += f->blank[k];
	}
	f->drop = f->unknown || 2 * wrong > labels;
}
