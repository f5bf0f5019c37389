/* Predictions of linear nets against sums in double: averages of models and mirror images, standard deviations; heat maps of known
 * Gaussians, maps of nets without symmetry, spots of a tilted face. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/predict/infer.h"
#include "tests/backend_of_test.h"
#include "tests/child.h"

enum { W = 5, H = 3, P = W * H, N = INFER_BATCH };

static struct backend *be;
static uint8_t images[N * P];

static float unit(uint32_t what, uint32_t i)
{
	return philox_uniform(philox(17, PHILOX_TEST, what, i, 0).v[0]);
}

static void set_up(void)
{
	be = backend_here();
	for (uint32_t i = 0; i < N * P; i++)
		images[i] = (uint8_t)(256 * unit(1, i));
}

static void tear_down(void)
{
	be->close(be);
}

static struct model *linear(enum target target, int outputs, const char *names, uint32_t what)
{
	struct model *m = model_new("fc", target, W, H, outputs, names);
	for (uint32_t i = 0; i < m->d.nparam; i++)
		m->param[i] = 2 * unit(what, i) - 1;
	m->mul = (1 + (float)(what % 3)) / 255, m->add = -0.1f * (float)what; /* models may differ in scale */
	m->sx *= 1 + 0.1f * (float)what, m->oy += 0.2f;
	return m;
}

/* Output k of the net for an image, or for its mirror image. */
static double raw(const struct model *m, const uint8_t *image, int k, int mirrored)
{
	double s = (double)m->param[m->outputs * P + k];
	for (int p = 0; p < P; p++) {
		int from = mirrored ? p / W * W + W - 1 - p % W : p;
		s += (image[from] * (double)m->mul + (double)m->add) * (double)m->param[k * P + p];
	}
	return s;
}

/* A point's x or y in pixels by one model, from the image or from its mirror image. */
static double coordinate(const struct model *m, const uint8_t *image, int point, int y, int mirrored)
{
	static const int swap[] = {1, 0, 2}; /* left_eye, right_eye, nose */
	if (y)
		return (raw(m, image, 2 * (mirrored ? swap[point] : point) + 1, mirrored) - (double)m->oy) / (double)m->sy;
	double x = (raw(m, image, 2 * (mirrored ? swap[point] : point), mirrored) - (double)m->ox) / (double)m->sx;
	return mirrored ? W - 1 - x : x;
}

static const int sizes[] = {1, 2, 37, N};

START_TEST(coords)
{
	struct model *m[3];
	float out[N * 6], stddev[N * 3];
	for (uint32_t i = 0; i < 3; i++)
		m[i] = linear(TARGET_COORDS, 6, "left_eye,right_eye,nose", 2 + i);
	for (int n = 1; n <= 3; n++)
		for (int flip = 0; flip < 2; flip++)
			for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
				struct infer *f = infer_new(be, m, n, flip);
				infer_batch(f, images, sizes[s], out, stddev);
				for (int b = 0; b < sizes[s]; b++)
					for (int p = 0; p < 3; p++) {
						double sum[2] = {0, 0}, square = 0;
						int count = n * (1 + flip);
						for (int i = 0; i < count; i++)
							for (int y = 0; y < 2; y++)
								sum[y] += coordinate(
										  m[i / (1 + flip)], images + b * P, p, y, i % (1 + flip)) /
									  count;
						for (int i = 0; i < count; i++)
							for (int y = 0; y < 2; y++) {
								double d = coordinate(m[i / (1 + flip)], images + b * P, p, y,
										   i % (1 + flip)) -
									   sum[y];
								square += d * d / count;
							}
						const float *got = out + 6 * b + 2 * p;
						ck_assert_msg(fabs((double)got[0] - sum[0]) < 1e-4 && fabs((double)got[1] - sum[1]) < 1e-4,
							"%d models, flip %d, row %d, point %d: %g,%g not %g,%g", n, flip, b, p,
							(double)got[0], (double)got[1], sum[0], sum[1]);
						if (count == 1)
							ck_assert(isnan(stddev[3 * b + p]));
						else
							ck_assert_msg(fabs((double)stddev[3 * b + p] - sqrt(square)) < 1e-3,
								"stddev %g, not %g", (double)stddev[3 * b + p], sqrt(square));
					}
				float before[6], again[6];
				memcpy(before, out, sizeof before);
				infer_batch(f, images, 1, again, NULL); /* a smaller batch after a large one; stddev may be absent */
				for (int k = 0; k < 6; k++)
					ck_assert_float_eq_tol(again[k], before[k], 1e-4f);
				infer_free(f);
			}
	/* twice the same model: stddev 0, and the coordinates of the model alone */
	struct model *twins[] = {m[0], m[0]};
	float alone[N * 6];
	struct infer *f = infer_new(be, twins, 2, 0), *one = infer_new(be, m, 1, 0);
	infer_batch(f, images, N, out, stddev), infer_batch(one, images, N, alone, NULL);
	ck_assert(!memcmp(out, alone, sizeof out));
	for (int i = 0; i < N * 3; i++)
		ck_assert_float_eq_tol(stddev[i], 0, 1e-3f);
	infer_free(f), infer_free(one);
	for (int i = 0; i < 3; i++)
		model_free(m[i]);
}
END_TEST

/* Estimates of shifted images, shifted back: the same as the average of separate runs on images that were shifted here. */
START_TEST(shifted)
{
	static const int shift[][2] = {{0, 0}, {2, 2}, {-2, -2}, {2, -2}, {-2, 2}, {2, 0}, {-2, 0}, {0, 2}, {0, -2}};
	const int flip = _i % 2, shifts = 1 + _i / 2;
	struct model *m[2] = {
		linear(TARGET_COORDS, 6, "left_eye,right_eye,nose", 5), linear(TARGET_COORDS, 6, "left_eye,right_eye,nose", 6)};
	struct infer *f = infer_new(be, m, 2, flip), *g = infer_new(be, m, 2, flip);
	infer_set_shifts(f, shifts);
	enum { B = 5 };
	float out[B * 6], one[B * 6], stddev[B * 3];
	double sum[B * 6] = {0};
	for (int k = 0; k < shifts; k++) {
		uint8_t moved[B * P];
		for (int b = 0; b < B; b++)
			for (int i = 0; i < P; i++) {
				int x = i % W - shift[k][0], y = i / W - shift[k][1];
				x = x < 0 ? 0 : x > W - 1 ? W - 1 : x, y = y < 0 ? 0 : y > P / W - 1 ? P / W - 1 : y;
				moved[b * P + i] = images[b * P + y * W + x];
			}
		infer_batch(g, moved, B, one, NULL);
		for (int i = 0; i < B * 6; i++)
			sum[i] += ((double)one[i] - shift[k][i % 2]) / shifts;
	}
	for (int twice = 0; twice < 2; twice++) {
		infer_batch(f, images, B, out, stddev);
		for (int i = 0; i < B * 6; i++)
			ck_assert_msg(fabs((double)out[i] - sum[i]) < 1e-3, "%d shifts, flip %d, value %d: %g, not %g", shifts, flip, i,
				(double)out[i], sum[i]);
	}
	infer_free(f), infer_free(g), model_free(m[0]), model_free(m[1]);
}
END_TEST

/* A model's asymmetry is added to its points in the image, with and without the mirror image, and averaged with models that have none.
 * Likewise each model's offsets of the source that is chosen. */
START_TEST(asymmetric)
{
	const int flip = _i % 2, n = 1 + _i / 2;
	static const double asymmetry[6] = {0.5, -0.25, 0.5, 0.25, -1, 0};
	struct model *m[2] = {
		linear(TARGET_COORDS, 6, "left_eye,right_eye,nose", 5), linear(TARGET_COORDS, 6, "left_eye,right_eye,nose", 6)};
	enum { B = 3 };
	float before[B * 6], after[B * 6], spread[B * 3], spread_after[B * 3];
	struct infer *f = infer_new(be, m, n, flip);
	infer_batch(f, images, B, before, spread);
	model_set_asymmetry(m[0], asymmetry);
	infer_batch(f, images, B, after, spread_after);
	for (int i = 0; i < B * 6; i++)
		ck_assert_msg(fabs((double)(after[i] - before[i]) - asymmetry[i % 6] / n) < 1e-4, "%d models, flip %d, value %d: %g more",
			n, flip, i, (double)(after[i] - before[i]));
	for (int i = 0; n == 1 && flip && i < B * 3; i++)
		ck_assert_float_eq_tol(spread_after[i], spread[i], 1e-3f);
	for (int i = 0; i < n; i++) {
		m[i]->sources = sources_new("first,second", 3);
		for (int k = 0; k < 12; k++)
			m[i]->sources->offset[k] = k < 6 ? 100 : 0.25 * k - i;
	}
	memcpy(before, after, sizeof after);
	infer_batch(f, images, B, after, spread_after);
	ck_assert_msg(!memcmp(before, after, sizeof after), "an offset without --as-source");
	for (int i = 0; i < n; i++)
		sources_choose(m[i]->sources, "second", 1);
	infer_batch(f, images, B, after, spread_after);
	for (int i = 0; i < B * 6; i++)
		ck_assert_float_eq_tol(after[i] - before[i], 0.25f * (float)(6 + i % 6) - 0.5f * (float)(n - 1), 1e-4f);
	infer_free(f), model_free(m[0]), model_free(m[1]);
}
END_TEST

/* A symmetric image and a symmetric net: flip changes nothing. */
START_TEST(symmetric)
{
	struct model *m = linear(TARGET_COORDS, 6, "left_eye,right_eye,nose", 1);
	m->oy -= 0.2f, m->sx /= 1.1f;
	uint8_t image[P];
	for (int p = 0; p < P; p++) {
		int q = p / W * W + W - 1 - p % W;
		image[p] = images[p < q ? p : q];
		m->param[1 * P + q] = m->param[3 * P + p], m->param[5 * P + q] = m->param[5 * P + p];
		m->param[0 * P + q] = -m->param[2 * P + p];
		if (p < q)
			m->param[4 * P + q] = -m->param[4 * P + p];
		if (p == q)
			m->param[4 * P + p] = 0;
	}
	m->param[6 * P + 0] = -m->param[6 * P + 2], m->param[6 * P + 1] = m->param[6 * P + 3], m->param[6 * P + 4] = 0;
	float out[6], both[6], stddev[3];
	struct infer *f = infer_new(be, &m, 1, 0), *g = infer_new(be, &m, 1, 1);
	infer_batch(f, image, 1, out, NULL), infer_batch(g, image, 1, both, stddev);
	for (int k = 0; k < 6; k++)
		ck_assert_float_eq_tol(out[k], both[k], 1e-4f);
	ck_assert(stddev[0] < 1e-3f && stddev[1] < 1e-3f && stddev[2] < 1e-3f);
	ck_assert_float_eq_tol(out[4], (W - 1) / 2.0f, 1e-4f);
	infer_free(f), infer_free(g);
	model_free(m);
}
END_TEST

START_TEST(labels)
{
	for (int classes = 2; classes <= 4; classes += 2)
		for (int flip = 0; flip < 2; flip++) {
			int K = classes == 2 ? 1 : classes;
			struct model *m[] = {linear(TARGET_LABEL, K, classes == 2 ? "no,yes" : "a,b,c,d", 3),
				linear(TARGET_LABEL, K, classes == 2 ? "no,yes" : "a,b,c,d", 4)};
			m[1]->param[K * P] = 200; /* saturates sigmoid and softmax */
			float out[N * 4];
			struct infer *f = infer_new(be, m, 2, flip);
			infer_batch(f, images, N, out, NULL);
			for (int b = 0; b < N; b++)
				for (int k = 0; k < K; k++) {
					double want = 0;
					for (int i = 0; i < 2 * (1 + flip); i++) {
						double z[4], sum = 0, max;
						for (int c = 0; c < K; c++)
							z[c] = raw(m[i % 2], images + b * P, c, i / 2);
						max = z[0];
						for (int c = 1; c < K; c++)
							max = fmax(max, z[c]);
						for (int c = 0; c < K; c++)
							sum += exp(z[c] - max);
						want += (K == 1 ? 1 / (1 + exp(-z[0])) : exp(z[k] - max) / sum) / (2 * (1 + flip));
					}
					ck_assert_msg(fabs((double)out[b * K + k] - want) < 1e-5, "%d classes, flip %d: %g, not %g",
						classes, flip, (double)out[b * K + k], want);
				}
			infer_free(f);
			model_free(m[0]), model_free(m[1]);
		}
}
END_TEST

START_TEST(images_out)
{
	struct model *m = linear(TARGET_IMAGE, P, "", 5);
	float out[2 * P];
	for (int flip = 0; flip < 2; flip++) {
		struct infer *f = infer_new(be, &m, 1, flip);
		infer_batch(f, images, 2, out, NULL);
		for (int b = 0; b < 2; b++)
			for (int k = 0; k < P; k++) {
				double want = raw(m, images + b * P, k, 0);
				if (flip)
					want = (want + raw(m, images + b * P, k / W * W + W - 1 - k % W, 1)) / 2;
				ck_assert_double_eq_tol((double)out[b * P + k], want, 1e-4);
			}
		infer_free(f);
	}
	model_free(m);
}
END_TEST

struct pair {
	struct model *m[3];
};

/* A point that one model did not learn is the mean of the other estimates; in a mirror image it is the partner's output that was not
 * learned. */
START_TEST(unlearned)
{
	struct model *m[2];
	float out[N * 6], stddev[N * 3];
	for (uint32_t i = 0; i < 2; i++)
		m[i] = linear(TARGET_COORDS, 6, "left_eye,right_eye,nose", 2 + i);
	m[0]->unlearned = xstrdup("left_eye,nose");
	for (int n = 1; n <= 2; n++)
		for (int flip = 0; flip < 2; flip++) {
			struct infer *f = infer_new(be, m, n, flip);
			infer_batch(f, images, 7, out, stddev);
			for (int b = 0; b < 7; b++)
				for (int p = 0; p < 3; p++) {
					double sum[2] = {0, 0}, count = 0;
					for (int i = 0; i < n; i++)
						for (int side = 0; side <= flip; side++) {
							int learned =
								i == 1 || p == (side ? 0 : 1); /* the first model knows the right eye */
							for (int y = 0; y < 2 && learned; y++)
								sum[y] += coordinate(m[i], images + b * P, p, y, side);
							count += learned;
						}
					ck_assert_int_eq(infer_learned(f, p), count > 0);
					for (int y = 0; y < 2; y++) {
						double got = (double)out[6 * b + 2 * p + y];
						ck_assert_msg(count > 0 ? fabs(got - sum[y] / count) < 1e-4 : isnan(got),
							"%d models, flip %d, point %d: %g", n, flip, p, got);
					}
					ck_assert(count > 1 || isnan(stddev[3 * b + p]));
				}
			infer_free(f);
		}
	for (int i = 0; i < 2; i++)
		model_free(m[i]);
}
END_TEST

/* Nets of averaging filters pass a blob on where it is: the point decoded from their maps must be the blob's middle, wherever it is. */
static const char *const unpadded[] = {"conv5x5x3s2p2 relu conv3x3", "conv3x3x2 relu pool2 conv3x3", "conv2x2x2 relu up2 conv3x3",
	"pool3 conv3x5", "conv4x4x3s2 relu conv3x3p1 up2", "conv3x3x2s3 relu up3 conv5x5", "conv7x7x2s4p1 relu conv1x1"};

START_TEST(places_of_cells)
{
	enum { BW = 96, BH = 79, SIGMA = 12 };
	static uint8_t blob[BW * BH];
	float xy[2], from[2] = {0, 0};
	struct model *m = model_new(unpadded[_i], TARGET_HEATMAP, BW, BH, 2, "a");
	const struct layer *last = NULL;
	for (int i = 0; i < m->d.n; i++) {
		const struct layer *l = &m->d.layer[i];
		for (size_t k = 0; k < l->nw; k++)
			m->param[l->w + k] = 1 / (float)(l->C * l->KH * l->KW);
		last = l->nw ? l : last;
	}
	for (size_t k = 0; k < last->nw; k++) /* the blob's height in logits: its softmax is SIGMA / sqrt(20) wide */
		m->param[last->w + k] *= 20;
	m->mul = 1.0f / 255;
	struct infer *f = infer_new(be, &m, 1, 0);
	for (int t = 0; t < 4; t++) {
		double at[2] = {30.3 + 7 * t, 47.9 - 5 * t};
		for (int i = 0; i < BW * BH; i++)
			blob[i] = (uint8_t)lrint(255 * exp(-(pow(i % BW - at[0], 2) + pow(i / BW - at[1], 2)) / (2 * SIGMA * SIGMA)));
		infer_batch(f, blob, 1, xy, NULL);
		ck_assert_msg(hypot((double)xy[0] - at[0], (double)xy[1] - at[1]) < 0.12, "%s: a blob at %g,%g is seen at %g,%g",
			unpadded[_i], at[0], at[1], (double)xy[0], (double)xy[1]);
		if (t) /* a shift of the image is a shift of the point */
			ck_assert(fabs((double)(xy[0] - from[0]) - 7) < 0.12 && fabs((double)(xy[1] - from[1]) + 5) < 0.12);
		from[0] = xy[0], from[1] = xy[1];
	}
	infer_free(f), model_free(m);
}
END_TEST

/* ---- maps: spreads, mirror images and label offsets; 31 x 24 pixels, maps of 16 x 12 cells, whose scales differ by axis ---- */

enum { MAP_W = 31, MAP_H = 24, CELLS_X = 16, CELLS_Y = 12 };

static const int swapped[] = {1, 0, 2}; /* left_eye, right_eye, nose */

struct gaussian {
	double x, y, xx, yy, xy; /* mean and covariance */
};

static double density(const struct gaussian *g, double x, double y)
{
	double dx = x - g->x, dy = y - g->y, det = g->xx * g->yy - g->xy * g->xy;
	return exp(-(g->yy * dx * dx - 2 * g->xy * dx * dy + g->xx * dy * dy) / (2 * det)) / (2 * M_PI * sqrt(det));
}

/* A net that sees nothing: its maps are these Gaussians, tilted, in cells. */
static struct model *blind(const struct gaussian g[3], double offset_x, double offset_y)
{
	struct model *m = model_new("fc", TARGET_HEATMAP, MAP_W, MAP_H, 6, "left_eye,right_eye,nose");
	ck_assert(m->MW == CELLS_X && m->MH == CELLS_Y);
	for (int i = 0; i < m->outputs; i++) {
		int cell = i % (CELLS_X * CELLS_Y);
		m->param[(size_t)m->outputs * MAP_W * MAP_H + (size_t)i] =
			(float)log(density(&g[i / (CELLS_X * CELLS_Y)], cell % CELLS_X, cell / CELLS_X)) + 3;
	}
	model_set_offset(m, offset_x, offset_y);
	return m;
}

struct estimate {
	double x, y, variance;
};

/* Cells to pixels: the map covers the image's area. In the mirror image a point is its partner, and the blind net sees it in one place. */
static struct estimate expected(const struct gaussian *g, const double offset[2], int p, int mirrored)
{
	const struct gaussian *c = &g[mirrored ? swapped[p] : p];
	double sx = (double)CELLS_X / MAP_W, sy = (double)CELLS_Y / MAP_H, x = (c->x + 0.5) / sx - 0.5, y = (c->y + 0.5) / sy - 0.5;
	return (struct estimate){(mirrored ? MAP_W - 1 - x : x) + offset[0], y + offset[1], c->xx / (sx * sx) + c->yy / (sy * sy)};
}

/* Mean and standard deviation, x and y together, of the mixture of estimates. */
static struct estimate mixture(const struct estimate *e, int n)
{
	struct estimate m = {0, 0, 0};
	for (int i = 0; i < n; i++)
		m.x += e[i].x / n, m.y += e[i].y / n;
	for (int i = 0; i < n; i++)
		m.variance += (e[i].variance + pow(e[i].x - m.x, 2) + pow(e[i].y - m.y, 2)) / n;
	return m;
}

static void check_estimate(const float *xy, float stddev, struct estimate want, double tolerance, const char *what)
{
	ck_assert_msg(fabs((double)xy[0] - want.x) < tolerance && fabs((double)xy[1] - want.y) < tolerance, "%s: %g,%g, not %g,%g", what,
		(double)xy[0], (double)xy[1], want.x, want.y);
	ck_assert_msg(
		fabs((double)stddev - sqrt(want.variance)) < tolerance, "%s: spread %g, not %g", what, (double)stddev, sqrt(want.variance));
}

/* Heat maps that are Gaussians of known mean and covariance, of one net or two, of labels with an offset: every point, its spread, and the
 * maps themselves, alone and averaged with those of the mirror image. */
START_TEST(known_gaussians)
{
	static const struct gaussian g[2][3] = {{{5.25, 4.5, 1.3, 0.8, 0.5}, {10.5, 6.75, 0.7, 1.4, -0.4}, {8.25, 6, 1.1, 1.1, 0.7}},
		{{5.75, 5.5, 0.9, 1, -0.3}, {9.25, 6.25, 1.2, 0.7, 0.2}, {7, 5.5, 0.8, 1.3, 0}}};
	static const double offset[2][2] = {{0.75, -1.25}, {-0.5, 0.5}};
	static uint8_t image[MAP_W * MAP_H];
	struct model *m[2] = {blind(g[0], offset[0][0], offset[0][1]), blind(g[1], offset[1][0], offset[1][1])};
	static float maps[3 * CELLS_X * CELLS_Y];
	float xy[6], stddev[3], without[6];
	for (int n = 1; n <= 2; n++)
		for (int flip = 0; flip < 2; flip++) {
			struct infer *f = infer_new(be, m, n, flip);
			infer_batch(f, image, 1, without, NULL);
			infer_set_maps(f, maps);
			infer_batch(f, image, 1, xy, stddev);
			ck_assert(!memcmp(xy, without, sizeof xy));
			for (int p = 0; p < 3; p++) {
				struct estimate e[4];
				for (int i = 0; i < n * (1 + flip); i++)
					e[i] = expected(g[i / (1 + flip)], offset[i / (1 + flip)], p, i % (1 + flip));
				char *what = xprintf("%d nets, flip %d, point %d", n, flip, p);
				check_estimate(xy + 2 * p, stddev[p], mixture(e, n * (1 + flip)), 2e-3, what);
				for (int i = 0; i < CELLS_X * CELLS_Y; i++) {
					double want = 0;
					for (int k = 0; k < n * (1 + flip); k++) {
						int side = k % (1 + flip), x = i % CELLS_X;
						want += density(&g[k / (1 + flip)][side ? swapped[p] : p], side ? CELLS_X - 1 - x : x,
								i / CELLS_X) /
							(n * (1 + flip));
					}
					ck_assert_msg(fabs((double)maps[p * CELLS_X * CELLS_Y + i] - want) < 2e-4,
						"%s: cell %d: %g, not %g", what, i, (double)maps[p * CELLS_X * CELLS_Y + i], want);
				}
				free(what);
			}
			infer_free(f);
		}
	model_free(m[0]), model_free(m[1]);
}
END_TEST

/* Output maps (3, MH, MW) of conv5x5x2s2p2 relu conv3x3 from an image or its mirror image, in double. */
static void unpadded_maps(const struct model *m, const uint8_t *image, int mirrored, double *z)
{
	const struct layer *a = &m->d.layer[0], *b = &m->d.layer[2];
	double *hidden = xcalloc((size_t)(a->OC * a->OH * a->OW), sizeof *hidden);
	for (int c = 0; c < a->OC; c++)
		for (int y = 0; y < a->OH; y++)
			for (int x = 0; x < a->OW; x++) {
				double sum = (double)m->param[a->b + (size_t)c];
				for (int i = 0; i < 25; i++) {
					int py = 2 * y + i / 5 - 2, px = 2 * x + i % 5 - 2, from = mirrored ? m->W - 1 - px : px;
					if (py >= 0 && px >= 0 && py < m->H && px < m->W)
						sum += (image[py * m->W + from] * (double)m->mul + (double)m->add) *
						       (double)m->param[a->w + (size_t)(c * 25 + i)];
				}
				hidden[(c * a->OH + y) * a->OW + x] = sum > 0 ? sum : 0;
			}
	for (int p = 0; p < 3; p++)
		for (int y = 0; y < m->MH; y++)
			for (int x = 0; x < m->MW; x++) {
				double sum = (double)m->param[b->b + (size_t)p];
				for (int c = 0; c < a->OC; c++)
					for (int i = 0; i < 9; i++)
						sum += hidden[(c * a->OH + y + i / 3) * a->OW + x + i % 3] *
						       (double)m->param[b->w + (size_t)((p * a->OC + c) * 9 + i)];
				z[(p * m->MH + y) * m->MW + x] = sum;
			}
	free(hidden);
}

/* Softmax in place; the mean and the variance of its distribution in pixels: cell u is at 2 u + 2. */
static struct estimate softmax(double *z, int w, int h)
{
	double sum = 0, x = 0, y = 0, square = 0;
	for (int i = 0; i < w * h; i++)
		sum += z[i] = exp(z[i]);
	for (int i = 0; i < w * h; i++)
		z[i] /= sum, x += z[i] * (2 * (i % w) + 2), y += z[i] * (2 * (i / w) + 2);
	for (int i = 0; i < w * h; i++)
		square += z[i] * (pow(2 * (i % w) + 2 - x, 2) + pow(2 * (i / w) + 2 - y, 2));
	return (struct estimate){x, y, square};
}

/* What a map of the mirror image says of the image's column of pixels x: linear between the two cells about W - 1 - x, nothing beyond. */
static double mirrored_at(const double *row, int w, int W_image, double x)
{
	double cell = (W_image - 1 - x - 2) / 2, sum = 0;
	for (int u = 0; u < w; u++)
		sum += fmax(0, 1 - fabs(cell - u)) * row[u];
	return sum;
}

/* Maps of an unpadded net, whose cells don't lie symmetrically in the image: of 40 pixels, mirrored cells are between cells, of 41 on them.
 */
START_TEST(unpadded_mirror)
{
	enum { IW = 40, IH = 31, B = 3 };
	int w = IW + _i, cells;
	uint8_t *image = xmalloc((size_t)(B * w * IH));
	struct model *m = model_new("conv5x5x2s2p2 relu conv3x3", TARGET_HEATMAP, w, IH, 6, "left_eye,right_eye,nose");
	for (uint32_t i = 0; i < m->d.nparam; i++)
		m->param[i] = 1.5f * (2 * unit(31, i) - 1);
	for (uint32_t i = 0; i < (uint32_t)(B * w * IH); i++)
		image[i] = (uint8_t)(256 * unit(32, i));
	m->add = -0.5f;
	model_set_offset(m, 0.75, -0.25);
	cells = m->MW * m->MH;
	ck_assert(m->MW == 18 + _i && m->MH == 14);
	float *maps = xcalloc((size_t)(B * 3 * cells), sizeof *maps), xy[B * 6], stddev[B * 3];
	double *z[2] = {xcalloc((size_t)(3 * cells), sizeof **z), xcalloc((size_t)(3 * cells), sizeof **z)};
	for (int flip = 0; flip < 2; flip++) {
		struct infer *f = infer_new(be, &m, 1, flip);
		infer_set_maps(f, maps);
		infer_batch(f, image, B, xy, stddev);
		for (int b = 0; b < B; b++) {
			struct estimate s[2][3];
			for (int side = 0; side < 2; side++) {
				unpadded_maps(m, image + b * w * IH, side, z[side]);
				for (int p = 0; p < 3; p++)
					s[side][p] = softmax(z[side] + p * cells, m->MW, m->MH);
			}
			for (int p = 0; p < 3; p++) {
				struct estimate e[2] = {s[0][p], s[1][swapped[p]]};
				e[1].x = w - 1 - e[1].x;
				for (int k = 0; k < 2; k++)
					e[k].x += 0.75, e[k].y -= 0.25;
				char *what = xprintf("%d wide, flip %d, row %d, point %d", w, flip, b, p);
				check_estimate(xy + 6 * b + 2 * p, stddev[3 * b + p], mixture(e, 1 + flip), 2e-3, what);
				for (int i = 0; i < cells; i++) {
					double own = z[0][p * cells + i],
					       other = mirrored_at(
						       z[1] + swapped[p] * cells + i / m->MW * m->MW, m->MW, w, 2 * (i % m->MW) + 2),
					       want = flip ? (own + other) / 2 : own;
					ck_assert_msg(fabs((double)maps[(b * 3 + p) * cells + i] - want) < 1e-5, "%s: cell %d: %g, not %g",
						what, i, (double)maps[(b * 3 + p) * cells + i], want);
				}
				free(what);
			}
		}
		infer_free(f);
	}
	free(z[0]), free(z[1]), free(maps), free(image), model_free(m);
}
END_TEST

/* ---- target map: spots of all points on one map, told apart by where points usually are ---- */

enum { SPOTS = 6, SPOT_W = 64, SPOT_H = 48 };

static const char spot_names[] = "left_eye,right_eye,left_ear,right_ear,nose,mouth";
static const int spot_partner[SPOTS] = {1, 0, 3, 2, 4, 5};
static const double usual[SPOTS][3] = {{40, 17, 5}, {24, 17, 5}, {50, 22, 5}, {14, 22, 5}, {32, 26, 5}, {32, 36, 5}};

struct complex2 {
	double re, im;
};

static struct complex2 times(struct complex2 a, struct complex2 b)
{
	return (struct complex2){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* The centroid of p (SPOT_H, SPOT_W) within four pixels of the largest of p times a Gaussian about `at`. */
static struct estimate centroid(const double *p, struct complex2 at, double sd)
{
	int peak = 0;
	double most = -1, sum = 0;
	struct estimate c = {0, 0, 0};
	for (int i = 0; i < SPOT_W * SPOT_H; i++) {
		double v = p[i] * exp(-(pow(i % SPOT_W - at.re, 2) + pow(i / SPOT_W - at.im, 2)) / (2 * sd * sd));
		if (v > most)
			most = v, peak = i;
	}
	for (int pass = 0; pass < 3; pass++) /* the sum, the mean, the variance about it */
		for (int i = 0; i < SPOT_W * SPOT_H; i++) {
			int dx = i % SPOT_W - peak % SPOT_W, dy = i / SPOT_W - peak / SPOT_W;
			if (dx * dx + dy * dy > 16)
				continue;
			if (pass == 0)
				sum += p[i];
			else if (pass == 1)
				c.x += p[i] / sum * (i % SPOT_W), c.y += p[i] / sum * (i / SPOT_W);
			else
				c.variance += p[i] / sum * (pow(i % SPOT_W - c.x, 2) + pow(i / SPOT_W - c.y, 2));
		}
	return c;
}

/* Two passes; between them the usual places under the similarity b + r (a - mean a) that is nearest to the first pass's spots: r is the
 * regression of complex numbers. first: what the first pass found. */
static void spots(const double *p, struct estimate found[SPOTS], struct estimate first[SPOTS])
{
	struct complex2 a = {0, 0}, b = {0, 0}, r = {0, 0};
	double square = 0;
	for (int k = 0; k < SPOTS; k++) {
		first[k] = centroid(p, (struct complex2){usual[k][0], usual[k][1]}, usual[k][2]);
		a.re += usual[k][0] / SPOTS, a.im += usual[k][1] / SPOTS, b.re += first[k].x / SPOTS, b.im += first[k].y / SPOTS;
	}
	for (int k = 0; k < SPOTS; k++) {
		struct complex2 from = {usual[k][0] - a.re, a.im - usual[k][1]}, to = {first[k].x - b.re, first[k].y - b.im};
		struct complex2 product = times(from, to); /* from is conjugated */
		r.re += product.re, r.im += product.im, square += from.re * from.re + from.im * from.im;
	}
	r.re /= square, r.im /= square;
	for (int k = 0; k < SPOTS; k++) {
		struct complex2 moved = times(r, (struct complex2){usual[k][0] - a.re, usual[k][1] - a.im});
		found[k] = centroid(p, (struct complex2){b.re + moved.re, b.im + moved.im}, usual[k][2] / 2);
	}
}

static void draw_spot(double *v, double x, double y)
{
	for (int i = 0; i < SPOT_W * SPOT_H; i++)
		v[i] = fmax(v[i], exp(-(pow(i % SPOT_W - x, 2) + pow(i / SPOT_W - y, 2)) / (2 * 1.5 * 1.5)));
}

/* A face that is tilted, larger and elsewhere than usual, and a spot that is no point, nearer to where the right eye usually is: the first
 * pass takes it, the second does not. The image is the map. */
START_TEST(tilted_spots)
{
	static const double decoy[2] = {24.5, 20};
	double tilt = 0.25, grow = 1.05, move[2] = {2, -3}, v[SPOT_W * SPOT_H] = {0}, p[2][SPOT_W * SPOT_H], truth[SPOTS][2];
	static uint8_t image[SPOT_W * SPOT_H];
	struct estimate found[2][SPOTS], first[SPOTS];
	for (int k = 0; k < SPOTS; k++) {
		double x = usual[k][0] - 32, y = usual[k][1] - 23.3;
		truth[k][0] = 32 + move[0] + grow * (cos(tilt) * x - sin(tilt) * y);
		truth[k][1] = 23.3 + move[1] + grow * (sin(tilt) * x + cos(tilt) * y);
		draw_spot(v, truth[k][0], truth[k][1]);
	}
	draw_spot(v, decoy[0], decoy[1]);
	struct model *m = model_new("conv1x1", TARGET_MAP, SPOT_W, SPOT_H, 2 * SPOTS, spot_names);
	m->param[0] = 12, m->param[1] = -7;
	for (int k = 0; k < 3 * SPOTS; k++)
		m->prior[k] = (float)usual[k / 3][k % 3];
	for (int i = 0; i < SPOT_W * SPOT_H; i++) {
		image[i] = (uint8_t)lrint(255 * v[i]);
		p[0][i] = 1 / (1 + exp(7 - 12.0 * image[i] / 255));
		p[1][i / SPOT_W * SPOT_W + SPOT_W - 1 - i % SPOT_W] = p[0][i];
	}
	for (int side = 0; side < 2; side++)
		spots(p[side], found[side], first);
	spots(p[0], found[0], first);
	int astray = 0;
	for (int k = 0; k < SPOTS; k++) {
		astray += hypot(first[k].x - truth[k][0], first[k].y - truth[k][1]) > 1;
		ck_assert_msg(hypot(found[0][k].x - truth[k][0], found[0][k].y - truth[k][1]) < 0.5, "spot %d is not found in double", k);
	}
	ck_assert_int_gt(astray, 0);
	for (int offset = 0; offset < 2; offset++)
		for (int flip = 0; flip < 2; flip++) {
			float xy[2 * SPOTS], stddev[SPOTS];
			static float maps[SPOT_W * SPOT_H];
			if (offset) { /* priors are labels, so they move with them */
				model_set_offset(m, 0.75, -1.5);
				for (int k = 0; k < SPOTS; k++)
					m->prior[3 * k] = (float)(usual[k][0] + 0.75), m->prior[3 * k + 1] = (float)(usual[k][1] - 1.5);
			} else {
				model_set_offset(m, 0, 0);
				for (int k = 0; k < SPOTS; k++)
					m->prior[3 * k] = (float)usual[k][0], m->prior[3 * k + 1] = (float)usual[k][1];
			}
			struct infer *f = infer_new(be, &m, 1, flip);
			infer_set_maps(f, maps);
			infer_batch(f, image, 1, xy, stddev);
			for (int k = 0; k < SPOTS; k++) {
				struct estimate e[2] = {found[0][k], found[1][spot_partner[k]]};
				e[1].x = SPOT_W - 1 - e[1].x;
				for (int side = 0; side < 2 && offset; side++)
					e[side].x += 0.75, e[side].y -= 1.5;
				char *what = xprintf("flip %d, offset %d, spot %d", flip, offset, k);
				check_estimate(xy + 2 * k, stddev[k], mixture(e, 1 + flip), 1e-3, what);
				free(what);
			}
			for (int i = 0; i < SPOT_W * SPOT_H; i++) /* mirrored there and back, the map is the same */
				ck_assert_double_eq_tol((double)maps[i], p[0][i], 1e-5);
			infer_free(f);
		}
	/* an empty map says nothing: the usual places, with the spread of the second pass's prior */
	float xy[2 * SPOTS], stddev[SPOTS];
	m->param[1] = -1e4f;
	model_set_offset(m, 0, 0);
	struct infer *f = infer_new(be, &m, 1, 0);
	for (int k = 0; k < SPOTS; k++)
		m->prior[3 * k] = (float)usual[k][0], m->prior[3 * k + 1] = (float)usual[k][1];
	infer_batch(f, image, 1, xy, stddev);
	for (int k = 0; k < SPOTS; k++)
		check_estimate(xy + 2 * k, stddev[k], (struct estimate){usual[k][0], usual[k][1], 2 * 2.5 * 2.5}, 1e-4, "an empty map");
	infer_free(f), model_free(m);
}
END_TEST

/* One point, two spots: the prior's width, a standard deviation of 4 pixels, decides between a bright one 6 pixels off and a weak one in
 * its middle; a shift of the prior by a label offset would decide otherwise. Along both axes, and with the offset on each. */
START_TEST(width_of_a_prior)
{
	static const double weak[2] = {0.2, 0.4}; /* 0.9 exp(-36 / 32) is between them */
	static uint8_t image[SPOT_W * SPOT_H];
	struct model *m = model_new("conv1x1", TARGET_MAP, SPOT_W, SPOT_H, 2, "nose");
	m->param[0] = 1, m->param[1] = 0, m->mul = 0.1f, m->add = -12.7f;
	m->prior[2] = 4;
	for (int i = 0; i < 8; i++) {
		int axis = i & 1, near_one = i >> 1 & 1, shifted = i >> 2, far[2] = {20 + (axis ? 0 : 6), 20 + (axis ? 6 : 0)};
		double offset[2] = {shifted && !axis ? -3 : 0, shifted && axis ? -3 : 0};
		float xy[2];
		memset(image, 0, sizeof image);
		image[20 * SPOT_W + 20] = (uint8_t)lrint(127 + 10 * log(weak[near_one] / (1 - weak[near_one])));
		image[far[1] * SPOT_W + far[0]] = (uint8_t)lrint(127 + 10 * log(0.9 / 0.1));
		model_set_offset(m, offset[0], offset[1]);
		m->prior[0] = (float)(20 + offset[0]), m->prior[1] = (float)(20 + offset[1]);
		struct infer *f = infer_new(be, &m, 1, 0);
		infer_batch(f, image, 1, xy, NULL);
		for (int k = 0; k < 2; k++)
			ck_assert_msg(fabs((double)xy[k] - offset[k] - (near_one ? 20 : far[k])) < 0.01, "case %d: %g,%g", i, (double)xy[0],
				(double)xy[1]);
		infer_free(f);
	}
	model_free(m);
}
END_TEST

/* Spots in all four corners: the centroid counts pixels of the image alone, not the neighbours in memory. */
START_TEST(spots_in_corners)
{
	static uint8_t image[SPOT_W * SPOT_H];
	double v[SPOT_W * SPOT_H] = {0}, p[SPOT_W * SPOT_H];
	struct model *m = model_new("conv1x1", TARGET_MAP, SPOT_W, SPOT_H, 2, "nose");
	m->param[0] = 12, m->param[1] = -7, m->prior[2] = 4;
	for (int i = 0; i < 4; i++)
		draw_spot(v, i % 2 ? SPOT_W - 1 : 0, i / 2 ? SPOT_H - 1 : 0);
	for (int i = 0; i < SPOT_W * SPOT_H; i++) {
		image[i] = (uint8_t)lrint(255 * v[i]);
		p[i] = 1 / (1 + exp(7 - 12.0 * image[i] / 255));
	}
	for (int i = 0; i < 4; i++) {
		struct complex2 at = {i % 2 ? SPOT_W - 2 : 1, i / 2 ? SPOT_H - 2 : 1};
		struct estimate c = centroid(p, at, 4);
		float xy[2], stddev;
		m->prior[0] = (float)at.re, m->prior[1] = (float)at.im;
		struct infer *f = infer_new(be, &m, 1, 0);
		infer_batch(f, image, 1, xy, &stddev);
		check_estimate(xy, stddev, centroid(p, (struct complex2){c.x, c.y}, 2), 1e-3, "a spot in a corner");
		infer_free(f);
	}
	model_free(m);
}
END_TEST

static void open_pair(void *arg)
{
	struct pair *p = arg;
	infer_free(infer_new(be, p->m, 3, 0));
}

START_TEST(incompatible_models)
{
	struct model *a = linear(TARGET_COORDS, 4, "a,b", 2);
	struct model *others[] = {linear(TARGET_COORDS, 4, "b,a", 2), linear(TARGET_COORDS, 6, "a,b,c", 2),
		linear(TARGET_LABEL, 4, "a,b", 2), model_new("fc", TARGET_COORDS, W + 1, H, 4, "a,b"),
		model_new("fc", TARGET_COORDS, W, H + 1, 4, "a,b")};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct pair p = {{a, a, others[i]}};
		struct child c = child_run(open_pair, &p);
		ck_assert_msg(c.status == 1 && strstr(c.err, "models 1 and 3 differ in target, input or names: they can't be averaged\n"),
			"%zu: %d %s", i, c.status, c.err);
		model_free(others[i]);
	}
	model_free(a);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("infer");
	TCase *t = tcase_create("infer");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, coords);
	tcase_add_loop_test(t, shifted, 0, 2 * INFER_SHIFTS);
	tcase_add_loop_test(t, asymmetric, 0, 4);
	tcase_add_test(t, symmetric);
	tcase_add_test(t, labels);
	tcase_add_test(t, images_out);
	tcase_add_test(t, unlearned);
	tcase_add_loop_test(t, places_of_cells, 0, sizeof unpadded / sizeof *unpadded);
	tcase_add_test(t, known_gaussians);
	tcase_add_loop_test(t, unpadded_mirror, 0, 2);
	tcase_add_test(t, tilted_spots);
	tcase_add_test(t, width_of_a_prior);
	tcase_add_test(t, spots_in_corners);
	suite_add_tcase(suite, t);
	TCase *bare = tcase_create("bare"); /* without a backend: a GPU that is open does not survive a fork */
	tcase_add_test(bare, incompatible_models);
	suite_add_tcase(suite, bare);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
