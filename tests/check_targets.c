/* Targets of points: labels under warps, the weights of robust training, mean residuals, the label offset, losses and --weigh, against the
 * test's own sums in double. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/base/shuffle.h"
#include "lib/train/spec.h"
#include "lib/train/targets.h"
#include "lib/train/transform.h"
#include "tests/backend_of_test.h"
#include "tests/prog.h"

enum { W = 40, H = 28, N = 61, P = 5 };
static const char names[] = "left_eye,right_eye,nose,left_ear,right_ear";
static const int partner[P] = {1, 0, 2, 4, 3};

static struct backend *be;

static void set_up(void)
{
	be = backend_here();
}

static void tear_down(void)
{
	be->close(be);
}

static double unit(uint32_t what, uint32_t i)
{
	return (double)philox_uniform(philox(23, PHILOX_TEST, what, i, 0).v[0]);
}

/* Labels off the middle, every eleventh coordinate missing; ids that equal no row. */
static struct dataset *faces(void)
{
	struct dataset *ds = xcalloc(1, sizeof *ds);
	*ds = (struct dataset){.n = N, .W = W, .H = H, .k = 2 * P, .values = 2 * P, .names = xstrdup(names)};
	ds->value = xcalloc(N * 2 * P, sizeof *ds->value), ds->id = xcalloc(N, sizeof *ds->id);
	for (uint32_t i = 0; i < N * 2 * P; i++)
		ds->value[i] = i % 11 == 7 ? NAN : (float)(i % 2 ? 3 + 12 * unit(1, i) : 5 + 18 * unit(1, i));
	for (uint32_t i = 0; i < N; i++)
		ds->id[i] = 900 - 7 * i;
	return ds;
}

static struct model *model_of(enum target target)
{
	return model_new(target == TARGET_HEATMAP ? "conv3x3s2p1" : "fc", target, W, H, 2 * P, names);
}

/* A warp from its definition: mirrored, then turned and scaled about the middle by (c, s), then shifted. */
struct move {
	int flipped;
	double c, s, tx, ty;
};

static double within(uint32_t word, float range)
{
	return (2 * (double)philox_uniform(word) - 1) * (double)range;
}

static struct move move_of(const struct augment *a, uint32_t row)
{
	struct philox p = philox(a->seed, PHILOX_AUGMENT, a->epoch, row, 0), q = philox(a->seed, PHILOX_AUGMENT, a->epoch, row, 1);
	double angle = within(p.v[1], a->rotate) * 3.14159265358979323846 / 180, size = exp(within(p.v[2], a->scale));
	return (struct move){
		a->flip && p.v[0] % 2, size * cos(angle), size * sin(angle), within(p.v[3], a->shift), within(q.v[0], a->shift)};
}

static void moved(const struct move *m, const double from[2], double to[2])
{
	double x = from[0] - (W - 1) / 2.0, y = from[1] - (H - 1) / 2.0;
	x = m->flipped ? -x : x;
	to[0] = (W - 1) / 2.0 + m->tx + m->c * x - m->s * y, to[1] = (H - 1) / 2.0 + m->ty + m->s * x + m->c * y;
}

/* Row i's label of point p after the move; labels are offset by d. */
static void label_of(const struct dataset *ds, const struct move *m, const double d[2], uint32_t i, int p, double to[2])
{
	const float *v = ds->value + i * 2 * P + 2 * (m->flipped ? partner[p] : p);
	moved(m, (double[]){(double)v[0] - d[0], (double)v[1] - d[1]}, to);
	to[0] += d[0], to[1] += d[1];
}

static float *fetch(const float *device, size_t n)
{
	float *p = xmalloc(n * sizeof *p);
	be->download(be, p, device, n * sizeof *p);
	return p;
}

static const char *const warps[] = {"", "flip", "flip,shift=3,rotate=25,scale=0.2"};

/* Targets of all rows are the moved labels, in the outputs' unit; a label that is missing stays so. */
START_TEST(labels)
{
	struct dataset *ds = faces();
	for (int heat = 0; heat < 2; heat++) {
		struct model *m = model_of(heat ? TARGET_HEATMAP : TARGET_COORDS);
		const double d[2] = {1.25, -0.75}, sx = heat ? 0.5 : 2.0 / W, sy = heat ? 0.5 : 2.0 / H;
		const double ox = heat ? 0.5 * sx - 0.5 : -(W - 1.0) / W, oy = heat ? 0.5 * sy - 0.5 : -(H - 1.0) / H;
		model_set_offset(m, d[0], d[1]);
		struct targets_options o = {.loss = LOSS_SQUARED};
		struct augment a = {.seed = 4, .epoch = 3};
		spec_augment(warps[_i], &a);
		struct targets *tg = targets_new(be, m, ds, &o, 7, 1);
		targets_augment(tg, _i ? &a : NULL, 0);
		ck_assert(!tg->weight && !tg->residual);
		float *t = fetch(tg->target, N * 2 * P);
		for (uint32_t i = 0; i < N; i++)
			for (int p = 0; p < P; p++) {
				double xy[2];
				struct move v = move_of(&a, i);
				label_of(ds, &v, d, i, p, xy);
				double x = (xy[0] - d[0]) * sx + ox, y = (xy[1] - d[1]) * sy + oy;
				const float *got = t + i * 2 * P + 2 * p;
				if (isnan(x) || isnan(y)) /* turned, a missing coordinate takes the other with it */
					ck_assert(isnan(got[0]) || isnan(got[1]));
				else
					ck_assert_msg(fabs((double)got[0] - x) < 1e-5 && fabs((double)got[1] - y) < 1e-5,
						"row %u, point %d: %g,%g not %g,%g", i, p, (double)got[0], (double)got[1], x, y);
			}
		free(t), targets_free(tg), model_free(m);
	}
	dataset_free(ds);
}
END_TEST

/* ---- robust weights ---- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Residuals, most of them small, some large, each ninth unknown, their number odd; returns their median. */
static double plant(float *residual)
{
	double known[N * P];
	size_t n = 0;
	for (uint32_t i = 0; i < N * P; i++) {
		residual[i] = i % 9 == 3 ? NAN : (float)(60 * pow(unit(2, i), 4));
		if (!isnan(residual[i]))
			known[n++] = (double)residual[i];
	}
	ck_assert(n % 2);
	qsort(known, n, sizeof *known, ascending);
	return known[n / 2];
}

/* Weights of both coordinates: the point's own times (threshold / residual)^2 above the threshold; in a mirror image the residual is that
 * of the label that was put there. i: bit 0 flip, bit 1 --weigh, bit 2 a threshold by the median, bit 3 without trust. */
START_TEST(weights)
{
	int flip = _i & 1, weighed = _i >> 1 & 1, by_median = _i >> 2 & 1, full = _i >> 3 & 1, taught = _i >> 4 & 1, lowered = 0;
	float own[P] = {1, 0.5f, 3, 0, 2.5f};
	struct dataset *ds = faces();
	for (uint32_t i = 0; taught && i < N * P; i++) {
		ds->weight = ds->weight ? ds->weight : xcalloc(N * P, sizeof *ds->weight);
		ds->weight[i] = 0.125f * (float)(1 + i % 7);
	}
	struct model *m = model_of(TARGET_COORDS);
	struct targets_options o = {.robust = by_median ? 0.25 : 20, .weight = weighed ? own : NULL};
	struct augment a = {.flip = flip, .seed = 8, .epoch = 2};
	struct targets *tg = targets_new(be, m, ds, &o, 7, 1);
	double median = plant(tg->residual), threshold = 3 * median > o.robust ? 3 * median : o.robust;
	ck_assert(by_median == (threshold != 20));
	ck_assert_double_eq_tol(targets_suspect_px(tg, o.robust), threshold, 1e-6);
	targets_augment(tg, flip ? &a : NULL, full);
	float *w = fetch(tg->weight, N * 2 * P);
	for (uint32_t i = 0; i < N; i++)
		for (int p = 0; p < P; p++) {
			int from = flip && move_of(&a, i).flipped ? partner[p] : p;
			double d = (double)tg->residual[i * P + (uint32_t)from], want = weighed ? (double)own[p] : 1;
			want *= taught ? 0.125 * (1 + (i * P + (uint32_t)from) % 7) : 1;
			if (!full && d > threshold)
				want *= pow(threshold / d, 2), lowered++;
			for (int k = 0; k < 2; k++) {
				double got = (double)w[i * 2 * P + 2 * (uint32_t)p + (uint32_t)k];
				ck_assert_msg(fabs(got - want) <= 1e-6 * want, "row %u, point %d, %s: weight %.9g, not %.9g", i, p,
					k ? "y" : "x", got, want);
			}
		}
	ck_assert_msg(full ? !lowered : lowered > 20, "%d weights are lowered", lowered);
	free(w), targets_free(tg), model_free(m), dataset_free(ds);
}
END_TEST

/* Without robust training residuals are tracked only where they are asked for, and lower no weight. */
START_TEST(not_robust)
{
	float own[P] = {1, 2, 3, 4, 5};
	struct dataset *ds = faces();
	struct model *m = model_of(TARGET_COORDS);
	struct targets_options o = {.track_residuals = 1, .weight = own};
	struct targets *tg = targets_new(be, m, ds, &o, 7, 1), *other = targets_new(be, m, ds, &o, 7, 0);
	ck_assert(tg->residual && !other->residual && !other->predicted);
	ck_assert_double_eq(targets_suspect_px(tg, 2.5), 2.5); /* none is known yet */
	ck_assert_double_eq(targets_suspect_px(other, 2.5), 2.5);
	plant(tg->residual);
	targets_augment(tg, NULL, 0);
	float *w = fetch(tg->weight, N * 2 * P);
	for (int i = 0; i < N * 2 * P; i++)
		ck_assert_float_eq(w[i], own[i % (2 * P) / 2]);
	free(w), targets_free(tg), targets_free(other), model_free(m), dataset_free(ds);
}
END_TEST

/* ---- the end of an epoch ---- */

/* Uploads predictions xy (N, P, 2) in pixels, by position in the epoch, as the outputs that mean them. */
static void predict_points(struct targets *tg, const double *xy)
{
	const struct model *m = tg->m;
	int heat = m->target == TARGET_HEATMAP, each = heat ? HEATMAP_DECODED : 2;
	float *z = xcalloc((size_t)(N * P * each), sizeof *z);
	for (int i = 0; i < N * P; i++) {
		z[i * each] = (float)(xy[2 * i] * (double)m->sx + (double)m->ox),
		      z[i * each + 1] = (float)(xy[2 * i + 1] * (double)m->sy + (double)m->oy);
		if (heat)
			z[i * each + 2] = 3, z[i * each + 3] = 0.25f;
	}
	be->upload(be, tg->predicted, z, (size_t)(N * P * each) * sizeof *z);
	free(z);
}

/* A residual is a label's distance from the prediction in the moved image; their mean over epochs gives a new one 1/4. */
START_TEST(mean_residuals)
{
	struct dataset *ds = faces();
	struct model *m = model_of(_i / 3 ? TARGET_HEATMAP : TARGET_COORDS);
	model_set_offset(m, -0.5, 0.25);
	struct targets_options o = {.robust = 3};
	struct targets *tg = targets_new(be, m, ds, &o, 7, 1);
	double want[N * P], d[2] = {-0.5, 0.25};
	for (int i = 0; i < N * P; i++)
		want[i] = NAN;
	for (uint32_t epoch = 1; epoch <= 4; epoch++) {
		uint32_t order[N];
		double xy[N * P * 2], shift[2];
		struct augment a = {.seed = 5, .epoch = epoch};
		spec_augment(warps[_i % 3], &a);
		shuffle(order, N, 5, epoch);
		for (uint32_t k = 0; k < N * P * 2; k++)
			xy[k] = 25 * unit(10 + epoch, k);
		if (epoch > 1) /* one that is no number leaves the mean as it is */
			xy[40] = NAN;
		predict_points(tg, xy);
		targets_end_epoch(tg, order, _i % 3 ? &a : NULL, shift);
		ck_assert(shift[0] == 0 && shift[1] == 0); /* not asked for */
		for (uint32_t k = 0; k < N; k++)
			for (int p = 0; p < P; p++) {
				struct move v = move_of(&a, order[k]);
				double t[2], *mean = &want[order[k] * P + (uint32_t)(v.flipped ? partner[p] : p)];
				label_of(ds, &v, d, order[k], p, t);
				double r = hypot(xy[2 * (k * P + (uint32_t)p)] - t[0], xy[2 * (k * P + (uint32_t)p) + 1] - t[1]);
				if (!isnan(r))
					*mean = isnan(*mean) ? r : 0.75 * *mean + 0.25 * r;
			}
		for (int i = 0; i < N * P; i++)
			ck_assert_msg(isnan(want[i]) ? isnan(tg->residual[i]) : fabs((double)tg->residual[i] - want[i]) < 1e-4,
				"epoch %u: residual %d is %g, not %g", epoch, i, (double)tg->residual[i], want[i]);
	}
	targets_free(tg), model_free(m), dataset_free(ds);
}
END_TEST

/* Labels that are offset by d, and a net that knows where the points are in a moved image: the fit finds d, though some labels are far off,
 * and d times the share by which predictions are shrunk towards the middle. */
static const struct {
	double d[2], shrunk;
	int outliers;
	double tolerance; /* of a coordinate */
} offsets[] = {{{0, 0}, 1, 0, 1e-4}, {{1.3, 0}, 1, 0, 0.02}, {{0, -0.8}, 1, 0, 0.02}, {{-0.6, 1.1}, 1, 6, 0.02}, {{1.2, 0.9}, 0.8, 0, 0.1}};

START_TEST(label_offset)
{
	struct dataset *ds = faces();
	struct model *m = model_of(_i % 2 ? TARGET_HEATMAP : TARGET_COORDS);
	struct targets_options o = {.offset = 1};
	struct augment a = {.seed = 6, .epoch = 1};
	spec_augment("flip,shift=3,rotate=60,scale=0.3", &a);
	struct targets *tg = targets_new(be, m, ds, &o, 7, 1);
	const double *d = offsets[_i].d, share = offsets[_i].shrunk;
	uint32_t order[N];
	double xy[N * P * 2], shift[2], middle[2] = {(W - 1) / 2.0, (H - 1) / 2.0};
	ck_assert(!tg->residual && tg->predicted);
	shuffle(order, N, 5, 1);
	for (uint32_t k = 0; k < N; k++)
		for (int p = 0; p < P; p++) {
			struct move v = move_of(&a, order[k]);
			double *to = xy + 2 * (k * P + (uint32_t)p);
			label_of(ds, &v, d, order[k], p, to); /* the label that a net can predict: the place of the thing, plus d */
			for (int c = 0; c < 2; c++)
				to[c] = middle[c] + share * (to[c] - middle[c]);
			if (offsets[_i].outliers && (k * P + (uint32_t)p) % 10 < 1)
				to[0] += offsets[_i].outliers * 10, to[1] -= 20;
		}
	predict_points(tg, xy);
	targets_end_epoch(tg, order, &a, shift);
	for (int c = 0; c < 2; c++)
		ck_assert_msg(
			fabs(shift[c] - share * d[c]) < offsets[_i].tolerance, "%s: %g, not %g", c ? "y" : "x", shift[c], share * d[c]);
	targets_end_epoch(tg, order, NULL, shift); /* images that are not moved tell nothing */
	ck_assert(shift[0] == 0 && shift[1] == 0);
	targets_free(tg), model_free(m), dataset_free(ds);
}
END_TEST

/* Labels that are placed otherwise on the left than on the right: what changes its sign in a mirror image is found, in the unmoved image's
 * axes, from labels shrunk by TARGETS_RIDGE of residual 0; what is the same in a mirror image, as of a net that has not learned enough, is
 * not; some labels are far off. */
START_TEST(asymmetry)
{
	struct dataset *ds = faces();
	struct model *m = model_of(_i ? TARGET_HEATMAP : TARGET_COORDS);
	struct targets_options o = {.offset = 1};
	struct augment a = {.seed = 6, .epoch = 1};
	spec_augment("flip,shift=3,rotate=60,scale=0.3", &a);
	struct targets *tg = targets_new(be, m, ds, &o, 7, 1);
	double own[P][2], xy[N * P * 2], shift[2], mean[P][2] = {{0}};
	int count[P] = {0}, mirrored = 0;
	uint32_t order[N];
	for (int p = 0; p < P; p++)
		for (int c = 0; c < 2; c++)
			own[p][c] = 0.3 + 0.1 * p - 0.35 * c;
	shuffle(order, N, 5, 1);
	for (uint32_t k = 0; k < N; k++)
		for (int p = 0; p < P; p++) {
			struct move v = move_of(&a, order[k]);
			int q = v.flipped ? partner[p] : p, out = (k * P + (uint32_t)p) % 10 < 1;
			const float *label = ds->value + order[k] * 2 * P + 2 * q;
			double *to = xy + 2 * (k * P + (uint32_t)p);
			moved(&v, (double[]){(double)label[0] - own[q][0], (double)label[1] - own[q][1]}, to);
			mirrored += v.flipped;
			if (out)
				to[0] += 60, to[1] -= 20;
			else if (!isnan(label[0]) && !isnan(label[1]))
				count[q]++;
		}
	predict_points(tg, xy);
	ck_assert(!tg->asymmetry && mirrored > N * P / 4 && mirrored < N * P * 3 / 4);
	targets_end_epoch(tg, order, &a, shift);
	for (int p = 0; p < P; p++)
		for (int c = 0; c < 2; c++)
			mean[p][c] = own[p][c] * count[p] / (count[p] + 16.0);
	for (int p = 0; p < P; p++)
		for (int c = 0; c < 2; c++) {
			double want = (mean[p][c] + (c ? -1 : 1) * mean[partner[p]][c]) / 2;
			ck_assert_msg(fabs(tg->asymmetry[2 * p + c] - want) < 1e-4, "point %d, %s: %g, not %g", p, c ? "y" : "x",
				tg->asymmetry[2 * p + c], want);
		}
	targets_free(tg);
	a.flip = FLIP_NONE; /* a net that sees images one way learns how they are labelled */
	tg = targets_new(be, m, ds, &o, 7, 1);
	predict_points(tg, xy);
	targets_end_epoch(tg, order, &a, shift);
	ck_assert(!tg->asymmetry);
	targets_free(tg), model_free(m), dataset_free(ds);
}
END_TEST

/* An elastic field moves labels before the warp, where labels count from, too. */
START_TEST(elastic_labels)
{
	struct dataset *ds = faces();
	struct model *m = model_of(TARGET_COORDS);
	const double d[2] = {1.25, -0.75};
	model_set_offset(m, d[0], d[1]);
	struct targets_options o = {.loss = LOSS_SQUARED};
	struct augment a = {.seed = 4, .epoch = 3};
	spec_augment(_i ? "elastic=2,flip,shift=3,rotate=25" : "elastic=2", &a);
	struct targets *tg = targets_new(be, m, ds, &o, 7, 1);
	targets_augment(tg, &a, 0);
	float *t = fetch(tg->target, N * 2 * P);
	for (uint32_t i = 0; i < N; i++)
		for (int p = 0; p < P; p++) {
			struct move v = move_of(&a, i);
			const float *label = ds->value + i * 2 * P + 2 * (v.flipped ? partner[p] : p), *got = t + i * 2 * P + 2 * p;
			float xy[2] = {label[0] - (float)d[0], label[1] - (float)d[1]};
			double want[2];
			transform_points_elastic(xy, 1, W, H, &a, i);
			moved(&v, (double[]){(double)xy[0], (double)xy[1]}, want);
			for (int c = 0; c < 2 && !isnan(label[0]) && !isnan(label[1]); c++)
				ck_assert_float_eq_tol(got[c],
					(float)((want[c] + d[c]) * (double)(c ? m->sy : m->sx) + (double)(c ? m->oy : m->ox)), 1e-5f);
		}
	free(t), targets_free(tg), model_free(m), dataset_free(ds);
}
END_TEST

/* Two sources place the points otherwise: targets are the labels less the offsets known, and what is left of the residuals, in the unmoved
 * image, is found; --augment or not. */
START_TEST(sources)
{
	struct dataset *ds = faces();
	struct model *m = model_of(_i / 3 ? TARGET_HEATMAP : TARGET_COORDS);
	struct targets_options o = {.loss = LOSS_SQUARED};
	struct augment a = {.seed = 6, .epoch = 1};
	spec_augment(warps[_i % 3], &a);
	m->sources = sources_new("x,y", P), ds->from = xcalloc(N, sizeof *ds->from);
	for (uint32_t i = 0; i < N; i++)
		ds->from[i] = i % 5 == 0 ? SOURCES_NONE : (int)i % 2;
	for (int k = 0; k < 4 * P; k++)
		m->sources->offset[k] = 0.25 * k;
	struct targets *tg = targets_new(be, m, ds, &o, 7, 1);
	targets_augment(tg, _i % 3 ? &a : NULL, 0);
	float *t = fetch(tg->target, N * 2 * P);
	double xy[N * P * 2], shift[2];
	uint32_t order[N];
	shuffle(order, N, 5, 1);
	for (uint32_t k = 0; k < N; k++)
		for (int p = 0; p < P; p++) {
			uint32_t i = order[k];
			struct move v = move_of(&a, i);
			int q = v.flipped ? partner[p] : p, s = (int)ds->from[i];
			const float *label = ds->value + i * 2 * P + 2 * q, *got = t + i * 2 * P + 2 * p;
			double known[2] = {s < 0 ? 0 : 0.25 * (s * 2 * P + 2 * q), s < 0 ? 0 : 0.25 * (s * 2 * P + 2 * q + 1)}, want[2];
			moved(&v, (double[]){(double)label[0] - known[0], (double)label[1] - known[1]}, want);
			for (int c = 0; c < 2 && !isnan(want[0]) && !isnan(want[1]); c++)
				ck_assert_float_eq_tol(
					got[c], (float)(want[c] * (double)(c ? m->sy : m->sx) + (double)(c ? m->oy : m->ox)), 1e-4f);
			/* it lies 1 + q to the left and 2 above that */
			moved(&v, (double[]){(double)label[0] - known[0] - 1 - q, (double)label[1] - known[1] - 2},
				xy + 2 * (k * P + (uint32_t)p));
		}
	predict_points(tg, xy);
	targets_end_epoch(tg, order, _i % 3 ? &a : NULL, shift);
	for (uint32_t i = 0; i < N; i++)
		for (int q = 0; q < P; q++) {
			float rx = tg->fit->residual[2 * q * N + (int)i], ry = tg->fit->residual[(2 * q + 1) * N + (int)i];
			int known = !isnan(ds->value[i * 2 * P + 2 * (uint32_t)q]) && !isnan(ds->value[i * 2 * P + 2 * (uint32_t)q + 1]);
			ck_assert(known ? fabs((double)rx - 1 - q) < 1e-4 && fabs((double)ry - 2) < 1e-4 : isnan(rx) && isnan(ry));
		}
	free(t), targets_free(tg), model_free(m), dataset_free(ds);
}
END_TEST

/* One point, of which each of S sources has n labels; the fit against its formula. */
START_TEST(source_offsets)
{
	enum { ROWS = 90, FAR = 3 };
	static const double off[3] = {0.6, -0.3, 1.5}, so_far[3] = {0.25, -0.5, 0};
	static const int n[3] = {40, 30, 20};
	int from[ROWS], S = 2 + _i;
	double mean[3], error[3], d[3], whole = 0, labels = 0, q = 0;
	struct source_fit *f = source_fit_new(ROWS, 1);
	struct sources *s = sources_new("x,y,z", 1);
	for (int i = 0, row = 0; i < 3; i++) {
		double sum = 0, square = 0;
		for (int k = 0; k < n[i]; k++, row++) {
			double r =
				off[i] + (k == FAR ? 0.75 : 0.8 * (unit(3, (uint32_t)row) - 0.5)); /* 0.75: within 3 standard deviations */
			from[row] = i < S ? i : SOURCES_NONE;
			f->residual[row] = (float)(k < FAR ? 50 + k : r);			      /* some are far off */
			f->residual[ROWS + row] = (float)(0.5 * (unit(4, (uint32_t)row % 20) - 0.5)); /* y: nothing but noise */
			sum += k < FAR ? 0 : r, square += k < FAR ? 0 : r * r;
		}
		int m = n[i] - FAR;
		mean[i] = sum / m, error[i] = sqrt((square - sum * sum / m) / (m - 1) / m);
		s->offset[2 * i] = so_far[i];
		if (i < S)
			d[i] = so_far[i] + mean[i], whole += m * d[i], labels += m;
	}
	for (int i = 0; i < S; i++)
		d[i] -= whole / labels, q += d[i] * d[i] / (error[i] * error[i]);
	source_fit_end(f, from, s);
	double weighted = 0;
	for (int i = 0; i < S; i++) {
		double want = d[i] * (1 - 4 * (S - 1) / q);
		ck_assert_msg(fabs(s->offset[2 * i] - want) < 1e-5, "source %d of %d: %g, not %g", i, S, s->offset[2 * i], want);
		ck_assert_msg(s->offset[2 * i + 1] == 0, "%g of nothing", s->offset[2 * i + 1]);
		weighted += (n[i] - FAR) * s->offset[2 * i];
	}
	ck_assert_msg(fabs(weighted) < 1e-5, "the mean of all is %g", weighted);
	for (int row = 0; row < ROWS; row++) {
		ck_assert(isnan(f->residual[row]));
		f->residual[row] =
			from[row] == 1 || row < SOURCE_FIT_LEAST - 1 ? (float)(from[row] * 5) + (float)unit(5, (uint32_t)row) : NAN;
	}
	source_fit_end(f, from, s); /* of one source too few have a label now */
	ck_assert(s->offset[0] == 0 && s->offset[2] == 0);
	source_fit_free(f), sources_free(s);
}
END_TEST

/* The ridge: where warps say little the offset is smaller, by variance / (variance + 0.001) of the warps' linear part, here a scale. */
START_TEST(ridge)
{
	enum { n = N * P };
	struct dataset *ds = faces();
	struct model *m = model_of(TARGET_COORDS);
	struct targets_options o = {.offset = 1};
	struct augment a = {.scale = 0.05f, .seed = 6, .epoch = 1};
	struct targets *tg = targets_new(be, m, ds, &o, 7, 1);
	for (uint32_t i = 0; i < N * 2 * P; i++) /* the same labels in all rows, in the middle: their position explains nothing */
		ds->value[i] = i % 2 ? (H - 1) / 2.0f : (W - 1) / 2.0f;
	double d[2] = {0.01, 0}, xy[n * 2], shift[2], sum = 0, square = 0;
	uint32_t order[N];
	for (uint32_t i = 0; i < N; i++) {
		struct move v = move_of(&a, i);
		order[i] = i, sum += v.c / N, square += v.c * v.c / N;
		for (int p = 0; p < P; p++)
			label_of(ds, &v, d, i, p, xy + 2 * (i * P + (uint32_t)p));
	}
	double variance = square - sum * sum;
	predict_points(tg, xy);
	targets_end_epoch(tg, order, &a, shift);
	/* the ridge is 0.001 of both axes' numbers of points, the variance that of one axis */
	double want = d[0] * variance / (variance + 2 * 0.001);
	ck_assert_msg(fabs(shift[0] - want) < 0.02 * want, "%g, not %g", shift[0], want);
	targets_free(tg), model_free(m), dataset_free(ds);
}
END_TEST

START_TEST(suspects_listed)
{
	struct dataset *ds = faces();
	struct model *m = model_of(TARGET_COORDS);
	struct targets_options o = {.track_residuals = 1};
	struct targets *tg = targets_new(be, m, ds, &o, 7, 1);
	char line[256], text[4096] = "";
	for (int i = 0; i < N * P; i++)
		tg->residual[i] = i % 3 ? 1.5f : NAN;
	tg->residual[3 * P + 2] = 12.3456f, tg->residual[60 * P + 4] = 2, tg->residual[7 * P] = 1.75f;
	ck_assert_uint_eq(targets_write_suspects(tg, "suspects.tsv", 1.75, 0), 2); /* above, not at */
	FILE *f = fopen("suspects.tsv", "r");
	while (f && fgets(line, sizeof line, f))
		strcat(text, line);
	fclose(f);
	ck_assert_str_eq(text, "row\tname\tkind\tvalue\taction\n879\tnose\tsuspect\t12.35\tnone\n480\tright_ear\tsuspect\t2\tnone\n");
	/* of a net that knows too little, or too many of all, they are unsure */
	for (int many = 0; many < 2; many++) {
		uint64_t n = targets_write_suspects(tg, "suspects.tsv", many ? 1.25 : 1.75, !many);
		ck_assert(many ? n > 0.02 * N * P : n == 2);
		f = fopen("suspects.tsv", "r");
		ck_assert(f && fgets(line, sizeof line, f) && fgets(line, sizeof line, f) && strstr(line, "\tunsure\t"));
		fclose(f);
	}
	targets_free(tg), model_free(m), dataset_free(ds);
}
END_TEST

/* ---- losses ---- */

static double point_loss_of(enum loss_kind kind, double width, double curve, double d, double *slope)
{
	double a = fabs(d), sign = d < 0 ? -1 : 1;
	switch (kind) {
	case LOSS_SQUARED:
		*slope = 2 * d;
		return d * d;
	case LOSS_SMOOTH:
		*slope = a < width ? d / width : sign;
		return a < width ? d * d / (2 * width) : a - width / 2;
	default:
		*slope = a < width ? sign * width / (curve + a) : sign;
		return a < width ? width * log(1 + a / curve) : a - width + width * log(1 + width / curve);
	}
}

/* The loss of a batch of coordinates and its gradient, which is that of the mean over known labels; and what is kept of the outputs. */
START_TEST(coordinate_losses)
{
	enum { B = 7, AT = 21 };
	float own[P] = {1, 0.5f, 3, 0, 2.5f};
	struct dataset *ds = faces();
	struct model *m = model_of(TARGET_COORDS);
	struct targets_options o = {.loss = (enum loss_kind)_i, .width = 3, .curve = 0.5, .weight = own, .robust = 100};
	struct targets *tg = targets_new(be, m, ds, &o, B, 1);
	uint32_t order[B];
	float z[B * 2 * P];
	double loss[B], unit_of = sqrt(2.0 / W * (2.0 / H)), known = 0;
	for (int b = 0; b < B; b++)
		order[b] = (uint32_t)(60 - 8 * b);
	for (uint32_t k = 0; k < B * 2 * P; k++) {
		z[k] = (float)(1 - 2 * unit(30, k));
		known += !isnan(ds->value[order[k / (2 * P)] * 2 * P + k % (2 * P)]);
	}
	ck_assert(known > 0 && known < B * 2 * P);
	ck_assert_double_eq(targets_count(tg, order, B), known);
	targets_augment(tg, NULL, 1);
	uint32_t *rows = be->alloc(be, sizeof order);
	float *dz = be->alloc(be, sizeof z), *dev = be->alloc(be, sizeof z);
	double *dl = be->alloc(be, sizeof loss);
	be->upload(be, rows, order, sizeof order), be->upload(be, dev, z, sizeof z);
	targets_loss(tg, dl, dz, dev, rows, AT, B, targets_count(tg, order, B));
	be->download(be, loss, dl, sizeof loss);
	float *gradient = fetch(dz, B * 2 * P), *kept = fetch(tg->predicted + AT * 2 * P, B * 2 * P);
	ck_assert(!memcmp(kept, z, sizeof z));
	for (int b = 0; b < B; b++) {
		double sum = 0;
		for (int k = 0; k < 2 * P; k++) {
			double v = (double)ds->value[order[b] * 2 * P + (uint32_t)k], slope = 0, w = (double)own[k / 2];
			double t = v * 2 / (k % 2 ? H : W) - (k % 2 ? (H - 1.0) / H : (W - 1.0) / W);
			if (!isnan(v))
				sum += w * point_loss_of(o.loss, 3 * unit_of, 0.5 * unit_of, (double)z[b * 2 * P + k] - t, &slope);
			ck_assert_double_eq_tol((double)gradient[b * 2 * P + k], w * slope / known, 1e-6);
			ck_assert(!isnan(v) || gradient[b * 2 * P + k] == 0);
		}
		ck_assert_double_eq_tol(loss[b], sum, 1e-5 * (1 + sum));
	}
	be->release(be, rows), be->release(be, dz), be->release(be, dev), be->release(be, dl);
	free(gradient), free(kept), targets_free(tg), model_free(m), dataset_free(ds);
}
END_TEST

/* Heat maps: the distance of the softmax's mean from the label, in cells, and the cross-entropy with a Gaussian about it. */
START_TEST(heat_map_losses)
{
	enum { B = 3, MW = W / 2, MH = H / 2, AT = 21 };
	float own[P] = {1, 0.5f, 3, 0, 2.5f};
	struct dataset *ds = faces();
	struct model *m = model_of(TARGET_HEATMAP);
	struct targets_options o = {
		.loss = (enum loss_kind)_i, .width = 3, .curve = 0.5, .sigma = 9, .entropy = 0.4, .weight = own, .track_residuals = 1};
	struct targets *tg = targets_new(be, m, ds, &o, B, 1);
	tg->sigma = 1.75; /* as --sigma-last has it in this epoch */
	static float z[B * P * MW * MH];
	uint32_t order[B] = {59, 0, 30};
	double loss[B];
	for (uint32_t k = 0; k < B * P * MW * MH; k++)
		z[k] = (float)(6 * unit(31, k));
	targets_augment(tg, NULL, 1);
	uint32_t *rows = be->alloc(be, sizeof order);
	float *dev = be->alloc(be, sizeof z);
	double *dl = be->alloc(be, sizeof loss);
	be->upload(be, rows, order, sizeof order), be->upload(be, dev, z, sizeof z);
	ck_assert(m->MW == MW && m->MH == MH);
	targets_loss(tg, dl, NULL, dev, rows, AT, B, targets_count(tg, order, B));
	be->download(be, loss, dl, sizeof loss);
	float *kept = fetch(tg->predicted + AT * P * HEATMAP_DECODED, B * P * HEATMAP_DECODED);
	for (int b = 0; b < B; b++) {
		double want = 0, slope;
		for (int p = 0; p < P; p++) {
			const float *map = z + (b * P + p) * MW * MH, *v = ds->value + order[b] * 2 * P + 2 * p;
			/* cells are two pixels wide, the first one's centre between the first two pixels */
			double t[2] = {((double)v[0] - 0.5) / 2, ((double)v[1] - 0.5) / 2}, sum = 0, mean[2] = {0}, gauss = 0, cross = 0;
			for (int i = 0; i < MW * MH; i++)
				sum += exp((double)map[i]);
			for (int i = 0; i < MW * MH; i++) {
				double q = exp((double)map[i]) / sum, dx = i % MW - t[0], dy = i / MW - t[1];
				double g = exp(-(dx * dx + dy * dy) / (2 * 1.75 * 1.75 / 4));
				mean[0] += q * (i % MW), mean[1] += q * (i / MW);
				gauss += g, cross += g * -log(q);
			}
			for (int k = 0; k < 2; k++) {
				want += isnan(t[k]) ? 0 : (double)own[p] * point_loss_of(o.loss, 1.5, 0.25, mean[k] - t[k], &slope);
				ck_assert_double_eq_tol((double)kept[(b * P + p) * HEATMAP_DECODED + k], mean[k], 1e-4);
			}
			want += isnan(t[0] + t[1]) ? 0 : (double)own[p] * 0.4 * cross / gauss;
		}
		ck_assert_msg(fabs(loss[b] - want) < 1e-4 * want, "row %d: %g, not %g", b, loss[b], want);
	}
	be->release(be, rows), be->release(be, dev), be->release(be, dl);
	free(kept), targets_free(tg), model_free(m), dataset_free(ds);
}
END_TEST

/* A map's prior: mean and standard deviation of a point's labels; a map's loss is a row's. */
START_TEST(map_prior)
{
	struct dataset *ds = faces();
	struct model *m = model_new("fc", TARGET_MAP, W, H, 2 * P, names);
	for (uint32_t i = 0; i < N; i++)
		ds->value[i * 2 * P + 8] = NAN; /* the last point has no label */
	targets_prior(m, ds);
	for (int p = 0; p < P; p++) {
		double n = 0, mean[2] = {0}, spread = 0;
		for (int pass = 0; pass < 2; pass++)
			for (uint32_t i = 0; i < N; i++) {
				const float *v = ds->value + i * 2 * P + 2 * p;
				if (isnan(v[0]) || isnan(v[1]))
					continue;
				n += !pass;
				for (int k = 0; k < 2; k++)
					if (pass)
						spread += pow((double)v[k] - mean[k] / n, 2) / (2 * n);
					else
						mean[k] += (double)v[k];
			}
		const double want[3] = {n > 0 ? mean[0] / n : (W - 1) / 2.0, n > 0 ? mean[1] / n : (H - 1) / 2.0,
			n > 0 ? sqrt(spread) : sqrt(W * H / 16.0)};
		ck_assert((n > 0) == (p < 4));
		for (int k = 0; k < 3; k++)
			ck_assert_double_eq_tol((double)m->prior[3 * p + k], want[k], 1e-4);
	}
	struct targets_options o = {.sigma = 2};
	struct targets *tg = targets_new(be, m, ds, &o, 7, 1);
	ck_assert_double_eq(targets_count(tg, NULL, 5), 5);
	targets_free(tg), model_free(m), dataset_free(ds);
}
END_TEST

/* ---- --weigh ---- */

START_TEST(weights_of_options)
{
	static const char *const list[] = {"nose=2.5", "left_ear=0", "nose=0.25", "right_ear=1000"};
	float *w = targets_weights(names, list, 4), *none = targets_weights(names, NULL, 0);
	const float want[P] = {1, 1, 0.25f, 0, 1000};
	for (int p = 0; p < P; p++)
		ck_assert(w[p] == want[p] && none[p] == 1);
	free(w), free(none);
}
END_TEST

static void one_weight(void *arg)
{
	const char *const list[] = {arg};
	targets_weights(names, list, 1);
}

START_TEST(weights_refused)
{
	static const char *const bad[][2] = {{"nose", "--weigh: 'nose' is not NAME=F, F from 0 to 1000"},
		{"nose=", "--weigh: 'nose=' is not NAME=F"}, {"nose=-1", "--weigh: 'nose=-1' is not NAME=F"},
		{"nose=1000.5", "--weigh: 'nose=1000.5' is not NAME=F"}, {"nose=1x", "--weigh: 'nose=1x' is not NAME=F"},
		{"chin=1", "--weigh: there is no point 'chin' in the data"}, {"=1", "--weigh: there is no point '' in the data"}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct child c = child_run(one_weight, (void *)(uintptr_t)bad[i][0]);
		ck_assert_msg(c.status == 2 && strstr(c.err, bad[i][1]), "'%s': %d, %s", bad[i][0], c.status, c.err);
	}
}
END_TEST

/* Parameters after one step of plain descent over all rows. */
static struct model *one_step(const char *rate, const char *weigh, const char *more)
{
	prog_went(prog("cnn-train", "-q", "-n", "fc", "-e", "1", "-b", "1000", "--optimizer", "sgd", "-m", "0", "-r", rate, "--augment",
		"flip", "faces.tns", "-o", "model.tns", weigh ? "--weigh" : NULL, weigh, more ? "--weigh" : NULL, more, NULL));
	return model_load("model.tns");
}

/* The program: a point's gradient is F times what it was, in x and in y, that of other points is what it was. */
START_TEST(weigh)
{
	prog_went(prog("face-synth", "-q", "-n", "30", "--size", "9x11", "-o", "faces.csv", NULL));
	prog_went(prog("csv-clean", "-q", "--keep-all", "--size", "9x11", "faces.csv", "-o", "faces.tns", NULL));
	struct model *m[3] = {
		one_step("1e-12", NULL, NULL), one_step("1e-4", NULL, NULL), one_step("1e-4", "nose_tip=4", "mouth_left_corner=0")};
	const struct layer *l = &m[0]->d.layer[0];
	const char *four = strstr(m[0]->names, "nose_tip"), *none = strstr(m[0]->names, "mouth_left_corner");
	ck_assert(four && none);
	int at[2] = {0, 0}, outputs = m[0]->outputs, inputs = (int)l->nw / outputs;
	for (const char *s = m[0]->names; *s; s++)
		at[0] += *s == ',' && s < four, at[1] += *s == ',' && s < none;
	for (int k = 0; k < outputs; k++) {
		double factor = k / 2 == at[0] ? 4 : k / 2 == at[1] ? 0 : 1, largest = 0;
		for (int i = 0; i <= inputs; i++) { /* the last one: the bias */
			size_t w = i < inputs ? l->w + (size_t)(k * inputs + i) : l->b + (size_t)k;
			double from = (double)m[0]->param[w], plain = (double)m[1]->param[w] - from,
			       weighed = (double)m[2]->param[w] - from;
			ck_assert_msg(fabs(weighed - factor * plain) < 1e-7, "output %d: a step of %g, not %g", k, weighed, factor * plain);
			largest = fmax(largest, fabs(plain));
		}
		ck_assert_msg(largest > 1e-6, "output %d hardly moves: %g", k, largest);
	}
	for (int i = 0; i < 3; i++)
		model_free(m[i]);
}
END_TEST

int main(void)
{
	prog_begin();
	Suite *s = suite_create("targets");
	TCase *t = tcase_create("targets");
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, labels, 0, 3);
	tcase_add_loop_test(t, weights, 0, 32);
	tcase_add_test(t, not_robust);
	tcase_add_loop_test(t, mean_residuals, 0, 6);
	tcase_add_loop_test(t, label_offset, 0, sizeof offsets / sizeof *offsets);
	tcase_add_loop_test(t, asymmetry, 0, 2);
	tcase_add_loop_test(t, elastic_labels, 0, 2);
	tcase_add_loop_test(t, sources, 0, 6);
	tcase_add_loop_test(t, source_offsets, 0, 2);
	tcase_add_test(t, ridge);
	tcase_add_test(t, suspects_listed);
	tcase_add_loop_test(t, coordinate_losses, LOSS_SQUARED, LOSS_WING + 1);
	tcase_add_loop_test(t, heat_map_losses, LOSS_SQUARED, LOSS_WING + 1);
	tcase_add_test(t, map_prior);
	TCase *o = tcase_create("options");
	suite_add_tcase(s, o);
	tcase_add_test(o, weights_of_options);
	tcase_add_test(o, weights_refused);
	tcase_add_test(o, weigh);
	return prog_end(s);
}
