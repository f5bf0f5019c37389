/* Draws of augmentation over images that are wider than high: first and last places are reached, all are equally likely, and the pixels are
 * where the draw says. Stated amounts: pixels and points computed by hand. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/augment.h"
#include "lib/base/err.h"
#include "lib/train/elastic.h"
#include "lib/train/feed.h"
#include "lib/train/spec.h"
#include "lib/train/transform.h"
#include "tests/backend_of_test.h"

enum { W = 13, H = 9, DRAWS = 40000 };

/* n draws of probability p: within five standard deviations. */
static void expect_share(int n, int of, double p, const char *what, int a, int b)
{
	double sd = sqrt(of * p * (1 - p));
	ck_assert_msg(fabs(n - of * p) < 5 * sd + 1, "%s %d, %d: %d of %d, not %g", what, a, b, n, of, of * p);
}

/* Sides are uniform up to half of the image's, and each place where a cut-out of its size fits is as likely as the others. */
START_TEST(cutouts)
{
	struct augment a = {.cutout = 0.5f, .seed = 5, .epoch = 2};
	int wide[W + 1] = {0}, high[H + 1] = {0}, x[W + 1][W + 1] = {{0}}, y[H + 1][H + 1] = {{0}}, corner = 0, all = 0, light = 0,
		     narrow = 0;
	double grey = 0, most = 0, least = 1;
	for (uint32_t i = 0; i < DRAWS; i++) {
		struct warp w = augment_draw(&a, i, W, H);
		int cw = w.cut[2] - w.cut[0], ch = w.cut[3] - w.cut[1];
		ck_assert_msg(cw >= 0 && ch >= 0 && w.cut[0] >= 0 && w.cut[1] >= 0 && w.cut[2] <= W && w.cut[3] <= H,
			"cut-out %d,%d to %d,%d", w.cut[0], w.cut[1], w.cut[2], w.cut[3]);
		wide[cw]++, high[ch]++, x[cw][w.cut[0]]++, y[ch][w.cut[1]]++;
		if (cw == 3 && ch == 2)
			all++, corner += w.cut[2] == W && w.cut[3] == H;
		if (cw < 3 && ch < 2)
			narrow++, light += w.grey > 0.5f;
		grey += (double)w.grey / DRAWS, most = fmax(most, (double)w.grey), least = fmin(least, (double)w.grey);
	}
	for (int c = 0; c <= 6; c++) { /* 6.5 is half of 13 */
		expect_share(wide[c], DRAWS, (c < 6 ? 1 : 0.5) / 6.5, "width", c, 0);
		for (int at = 0; at <= W - c; at++)
			expect_share(x[c][at], wide[c], 1.0 / (W - c + 1), "width, column", c, at);
	}
	for (int c = 0; c <= 4; c++) {
		expect_share(high[c], DRAWS, (c < 4 ? 1 : 0.5) / 4.5, "height", c, 0);
		for (int at = 0; at <= H - c; at++)
			expect_share(y[c][at], high[c], 1.0 / (H - c + 1), "height, row", c, at);
	}
	expect_share(corner, all, 1.0 / ((W - 3 + 1) * (H - 2 + 1)), "the last corner", W, H);
	expect_share(light, narrow, 0.5, "light ones of narrow ones", 3, 2);
	ck_assert(fabs(grey - 0.5) < 0.01 && most > 0.999 && most < 1 && least < 0.001);
}
END_TEST

/* Shifts are uniform over their range, independent on both axes, and half of all images are mirrored, whatever else is drawn. */
START_TEST(moves)
{
	struct augment a = {.flip = 1, .shift = 3, .seed = 5, .epoch = 2};
	int mirrored = 0, quarter[4][4] = {{0}}, both = 0;
	for (uint32_t i = 0; i < DRAWS; i++) {
		struct warp w = augment_draw(&a, i, W, H);
		float x, y;
		augment_point(&w, 4, 2, &x, &y);
		double dx = (double)x - (w.flipped ? W - 1 - 4 : 4), dy = (double)y - 2;
		ck_assert_msg(fabs(dx) <= 3.00001 && fabs(dy) <= 3.00001, "moved by %g,%g", dx, dy);
		quarter[(int)fmin((dx + 3) / 1.5, 3)][(int)fmin((dy + 3) / 1.5, 3)]++;
		mirrored += w.flipped, both += w.flipped && dx > 0;
	}
	for (int i = 0; i < 16; i++)
		expect_share(quarter[i / 4][i % 4], DRAWS, 1 / 16.0, "quarters of the shift", i / 4, i % 4);
	expect_share(mirrored, DRAWS, 0.5, "mirrored", 0, 0);
	expect_share(both, DRAWS, 0.25, "mirrored and moved right", 0, 0);
}
END_TEST

/* In every second epoch, from either on, as a bit of the seed says; what else is drawn is as ever. */
START_TEST(alternates)
{
	int begin = 0, other = 0, beside = 0, before = 0;
	for (uint32_t i = 0; i < DRAWS; i++) {
		struct augment a = {.flip = FLIP_ALTERNATE, .shift = 3, .rotate = 20, .cutout = 0.5f, .seed = 5, .epoch = 1}, half = a;
		int first = augment_draw(&a, i, W, H).flipped;
		begin += first, beside += first != before, before = first;
		for (a.epoch = 2; i % 100 == 0 && a.epoch < 9; a.epoch++) {
			struct warp w = augment_draw(&a, i, W, H);
			ck_assert_msg(w.flipped == (a.epoch % 2 ? first : !first), "row %u, epoch %u: %d", i, a.epoch, w.flipped);
			half.epoch = a.epoch, half.flip = FLIP_HALF;
			struct warp v = augment_draw(&half, i, W, H);
			float sign = w.flipped == v.flipped ? 1 : -1;
			ck_assert(sign * w.m[0] == v.m[0] && sign * w.m[1] == v.m[1] && !memcmp(w.m + 3, v.m + 3, 3 * sizeof *w.m) &&
				  !memcmp(w.cut, v.cut, sizeof w.cut) && w.grey == v.grey);
		}
		a.seed = 6, a.epoch = 1;
		other += first != augment_draw(&a, i, W, H).flipped;
	}
	expect_share(begin, DRAWS, 0.5, "mirrored in the first epoch", 0, 0);
	expect_share(beside, DRAWS, 0.5, "other than the row before", 0, 0);
	expect_share(other, DRAWS, 0.5, "other by another seed", 0, 0);
}
END_TEST

/* Squared amounts: half of them below a quarter of the range, on both sides alike, each drawn by itself; the path goes in any direction.
 * Without squared noise is the same for all, and lengths are uniform. */
START_TEST(squares)
{
	enum { AMOUNTS = 7 };
	for (int squared = 0; squared < 2; squared++) {
		struct augment a = {.shift = 4,
			.rotate = 40,
			.scale = 0.4f,
			.contrast = 0.8f,
			.noise = 0.1f,
			.blur = 2,
			.motion = 8,
			.seed = 5,
			.epoch = 2,
			.squared = squared};
		int little[AMOUNTS] = {0}, much[AMOUNTS] = {0}, right = 0, steep = 0, both = 0;
		for (uint32_t i = 0; i < DRAWS; i++) {
			struct warp w = augment_draw(&a, i, W, H);
			float x, y, cx = 0.5f * (W - 1), cy = 0.5f * (H - 1);
			augment_point(&w, cx, cy, &x, &y);
			float is[AMOUNTS] = {(x - cx) / 4, (y - cy) / 4, atan2f(-w.m[3], w.m[4]) * 57.29578f / 40, logf(w.gain) / 0.8f,
				w.blur / 2, hypotf(w.path[0], w.path[1]) / 8, w.noise / 0.1f};
			for (int k = 0; k < AMOUNTS; k++) {
				ck_assert_msg(fabsf(is[k]) < 1.0001f, "%d: %g", k, (double)is[k]);
				little[k] += fabsf(is[k])<0.25f, much[k] += fabsf(is[k])> 0.81f;
			}
			right += is[0] > 0, steep += fabsf(w.path[1]) > fabsf(w.path[0]),
				both += fabsf(is[5]) < 0.25f && fabsf(is[6]) < 0.25f;
		}
		for (int k = 0; k < AMOUNTS - !squared; k++) {
			expect_share(little[k], DRAWS, squared ? 0.5 : 0.25, "little", squared, k);
			expect_share(much[k], DRAWS, squared ? 0.1 : 0.19, "much", squared, k);
		}
		if (!squared)
			ck_assert(much[AMOUNTS - 1] == DRAWS);
		expect_share(both, DRAWS, squared ? 0.25 : 0, "two of them little", squared, 0);
		expect_share(right, DRAWS, 0.5, "to the right", squared, 0);
		expect_share(steep, DRAWS, 0.5, "steep paths", squared, 0);
	}
}
END_TEST

/* Numbers of noise over all words of equally likely bytes: those of the normal distribution, within what is said of them. */
START_TEST(normals)
{
	enum { N = 400000 };
	double m[7] = {0}, most = 0;
	int beyond = 0;
	for (uint32_t i = 0; i < N / 4; i++) {
		struct philox p = philox(6, PHILOX_TEST, 9, i, 0);
		for (int k = 0; k < 4; k++) {
			double z = (double)augment_normal(p.v[k]);
			for (int j = 1; j <= 6; j++)
				m[j] += pow(z, j) / N;
			beyond += fabs(z) > 2.0, most = fmax(most, fabs(z));
		}
	}
	ck_assert_msg(fabs(m[1]) < 0.01 && fabs(m[2] - 1) < 0.012 && fabs(m[3]) < 0.03 && fabs(m[4] - 3) < 0.08 && fabs(m[6] - 14.5) < 1,
		"moments %g %g %g %g %g", m[1], m[2], m[3], m[4], m[6]);
	ck_assert_msg(fabs(beyond / (double)N - 0.0455) < 0.0035 && most < 4.05, "%d beyond 2, at most %g", beyond, most);
	ck_assert(fabs((double)augment_normal(0) + 4.0407) < 1e-3 && fabs((double)augment_normal(0xFFFFFFFFu) - 4.0407) < 1e-3);
	ck_assert(augment_normal(0x7F7F7F7Fu) == -augment_normal(0x80808080u) && augment_normal(0xFF00FF00u) == 0);
}
END_TEST

/* Cut pixels are grey, all others are as they were, in the mirror image too. */
START_TEST(pixels)
{
	enum { N = 60 };
	static uint8_t bytes[N * W * H];
	uint32_t rows[N];
	float x[N * W * H];
	struct backend *be = _i ? backend_init_by_name("ref", 1, PRECISION_FP32) : backend_here();
	struct augment a = {.flip = 1, .cutout = 0.6f, .seed = 8, .epoch = 1};
	for (uint32_t i = 0; i < N * W * H; i++)
		bytes[i] = (uint8_t)philox(3, PHILOX_TEST, 7, i, 0).v[0], rows[i / (W * H)] = i / (W * H);
	uint8_t *images = be->alloc(be, sizeof bytes);
	uint32_t *numbers = be->alloc(be, sizeof rows);
	real *device = be->alloc(be, sizeof x);
	be->upload(be, images, bytes, sizeof bytes), be->upload(be, numbers, rows, sizeof rows);
	be->load_batch(be, device, images, numbers, N, 1, H, W, 1.0f / 255, 0, &a);
	be->download(be, x, device, sizeof x);
	int last_column = 0, last_row = 0;
	for (uint32_t b = 0; b < N; b++) {
		struct warp w = augment_draw(&a, b, W, H);
		for (int i = 0; i < W * H; i++) {
			int cut = i % W >= w.cut[0] && i % W < w.cut[2] && i / W >= w.cut[1] && i / W < w.cut[3];
			int from = w.flipped ? i / W * W + W - 1 - i % W : i;
			double want = cut ? (double)w.grey : bytes[b * W * H + (uint32_t)from] / 255.0,
			       got = (double)x[b * W * H + (uint32_t)i];
			ck_assert_msg(fabs(got - want) < 1e-5, "image %u, pixel %d,%d: %g, not %g", b, i % W, i / W, got, want);
			last_column += cut && i % W == W - 1, last_row += cut && i / W == H - 1;
		}
	}
	ck_assert(last_column > 3 && last_row > 3);
	be->release(be, images), be->release(be, numbers), be->release(be, device);
	be->close(be);
}
END_TEST

/* ---- stated amounts */

enum { S = 9 }; /* side of the square images below */

static const struct augment seeded = {.seed = 4, .epoch = 1};

static struct transform unchanged(void)
{
	return (struct transform)TRANSFORM_NONE;
}

/* A quarter turn, half a turn, a mirrored shift: pixels where integer arithmetic has them, and points with them. */
START_TEST(turns)
{
	uint8_t from[S * S], to[S * S];
	for (uint32_t i = 0; i < S * S; i++)
		from[i] = (uint8_t)philox(3, PHILOX_TEST, 8, i, 0).v[0];
	for (int turn = -1; turn <= 2; turn++) {
		struct transform t = unchanged();
		t.rotate = 90 * turn;
		struct warp w = transform_warp(&t, S, S);
		transform_image(to, from, S, S, &w, &seeded, 0);
		for (int y = 0; y < S; y++)
			for (int x = 0; x < S; x++) { /* clockwise: what was on the left comes to the top */
				int nx = turn == 1 ? S - 1 - y : turn == -1 ? y : turn == 2 ? S - 1 - x : x;
				int ny = turn == 1 ? x : turn == -1 ? S - 1 - x : turn == 2 ? S - 1 - y : y;
				float xy[2] = {(float)x, (float)y};
				transform_points(xy, 1, &w, 0);
				ck_assert_int_eq(to[ny * S + nx], from[y * S + x]);
				ck_assert(fabsf(xy[0] - (float)nx) < 1e-5f && fabsf(xy[1] - (float)ny) < 1e-5f);
			}
	}
	struct transform t = unchanged();
	t.shift[0] = 2, t.shift[1] = -1;
	struct warp w = transform_warp(&t, S, S);
	transform_image(to, from, S, S, &w, &seeded, 0);
	for (int y = 0; y < S; y++)
		for (int x = 0; x < S; x++) /* beyond the edge is the edge */
			ck_assert_int_eq(to[y * S + x], from[(y < S - 1 ? y + 1 : y) * S + (x > 1 ? x - 2 : 0)]);
}
END_TEST

/* A point on a bright dot stays on it, to a twentieth of a pixel, whatever else is done to the image; far outside it is a number still. */
START_TEST(dots)
{
	enum { B = 64 };
	static const struct transform by[] = {{.scale = 1, .light = 1, .contrast = 1}, {{7, -5}, 0, 1, 1, 1, 0, 0, 0, 0},
		{{0, 0}, 30, 1, 1, 1, 0, 0, 0, 0}, {{0, 0}, -45, 0.7, 1, 1, 0, 0, 0, 0}, {{0, 0}, 0, 1.3, 1, 1, 0, 0, 0, 0},
		{{3.25, 1.5}, 20, 1.1, 0.7, 1.1, 1, 0, 0, 0}, {{0, 0}, 12, 1, 1, 1, 0, 5, 30, 0}, {{0, 0}, 0, 1, 1, 1, 0, 6, 90, 0}};
	static uint8_t from[B * B], to[B * B];
	const float dot[2] = {36.3f, 27.8f};
	for (int i = 0; i < B * B; i++) {
		float dx = (float)(i % B) - dot[0], dy = (float)(i / B) - dot[1];
		from[i] = (uint8_t)lrintf(40 + 200 * expf(-(dx * dx + dy * dy) / 8));
	}
	for (size_t k = 0; k < sizeof by / sizeof *by; k++) {
		struct warp w = transform_warp(&by[k], B, B);
		float xy[] = {dot[0], dot[1], 1000, -1000, NAN, NAN};
		double sum = 0, sx = 0, sy = 0;
		transform_image(to, from, B, B, &w, &seeded, 0);
		float half[] = {NAN, 3}, before = half[1];
		int lost = transform_points(half, 1, &w, 1), turned = by[k].rotate != 0;
		ck_assert(lost == turned && isnan(half[0]) && isnan(half[1]) == turned);
		ck_assert(turned || by[k].scale != 1 || half[1] == before + (float)by[k].shift[1]);
		ck_assert_int_eq(transform_points(xy, 3, &w, 0), 0);
		for (int i = 0; i < B * B; i++) {
			double v = abs(to[i] - to[0]) > 1 ? to[i] - to[0] : 0;
			sum += v, sx += v * (i % B), sy += v * (i / B);
		}
		ck_assert_msg(hypot(sx / sum - (double)xy[0], sy / sum - (double)xy[1]) < 0.05, "%zu: dot at %g,%g, point at %g,%g", k,
			sx / sum, sy / sum, (double)xy[0], (double)xy[1]);
		ck_assert(hypotf(xy[2], xy[3]) > 300 && isnan(xy[4]) && isnan(xy[5]));
	}
}
END_TEST

/* Motion blur of a single bright pixel: of a path of 5 pixels along a row, each pixel's share of tent functions of width 1 under it. */
START_TEST(paths)
{
	static const double share[] = {1 / 5.0, 1 / 5.0, 0.875 / 5, 0.125 / 5, 0}; /* at distance 0 to 4 */
	uint8_t from[S * S] = {0}, to[S * S];
	from[4 * S + 4] = 200;
	for (int down = 0; down < 2; down++) {
		struct transform t = unchanged();
		t.motion = 5, t.direction = down ? -90 : 180;
		struct warp w = transform_warp(&t, S, S);
		transform_image(to, from, S, S, &w, &seeded, 0);
		for (int i = 0; i < S * S; i++) {
			int along = down ? i / S : i % S, across = down ? i % S : i / S;
			ck_assert_int_eq(to[i], across == 4 ? (int)lrint(200 * share[abs(along - 4)]) : 0);
		}
	}
	struct transform t = unchanged();
	t.motion = 4 * sqrt(2), t.direction = 45; /* the diagonal: down to the right, not up */
	struct warp w = transform_warp(&t, S, S);
	transform_image(to, from, S, S, &w, &seeded, 0);
	ck_assert_int_eq(to[2 * S + 2], to[6 * S + 6]);
	ck_assert(to[3 * S + 3] > 25 && to[5 * S + 5] > 25 && to[2 * S + 2] > 8 && !to[3 * S + 5] && !to[5 * S + 3]);
	/* the taps' weights add up to 1, whatever the path; none for one that is too short */
	for (int i = 0; i < 120; i++) {
		struct augment_tap taps[AUGMENT_TAPS];
		float length = (float)i * AUGMENT_PATH / 119, path[2] = {length * cosf((float)i), length * sinf((float)i)}, sum = 0;
		int n = augment_taps(path, taps);
		for (int k = 0; k < n; k++)
			sum += taps[k].weight, ck_assert(abs(taps[k].x) <= AUGMENT_PATH / 2 + 1 && abs(taps[k].y) <= AUGMENT_PATH / 2 + 1);
		ck_assert_msg(i ? n <= AUGMENT_TAPS && fabsf(sum - 1) < 1e-5f : !n, "%d taps, sum %g", n, (double)sum);
	}
}
END_TEST

/* Light, then contrast, of grey values, cut off at black and white once; noise in grey levels. */
START_TEST(greys)
{
	enum { N = 40000 };
	static uint8_t from[N], to[N];
	static const struct {
		double light, contrast;
		int of[3]; /* of 30, 120, 240 */
	} by[] = {{1, 1, {30, 120, 240}}, {0.5, 1, {15, 60, 120}}, {2, 1, {60, 240, 255}}, {1, 0.5, {79, 124, 184}}, {1, 3, {0, 105, 255}},
		{2, 0.5, {94, 184, 255}}, {0, 1, {0, 0, 0}}};
	for (size_t k = 0; k < sizeof by / sizeof *by; k++) {
		const uint8_t three[] = {30, 120, 240};
		struct transform t = unchanged();
		t.light = by[k].light, t.contrast = by[k].contrast;
		struct warp w = transform_warp(&t, 3, 1);
		transform_image(to, three, 3, 1, &w, &seeded, 0);
		for (int i = 0; i < 3; i++)
			ck_assert_msg(abs(to[i] - by[k].of[i]) <= (by[k].contrast < 1), "%zu: %d becomes %d, not %d", k, three[i], to[i],
				by[k].of[i]);
	}
	struct transform t = unchanged();
	struct warp w;
	double sum = 0, square = 0;
	int beyond = 0;
	t.noise = 15, w = transform_warp(&t, 200, N / 200);
	memset(from, 120, sizeof from);
	transform_image(to, from, 200, N / 200, &w, &seeded, 3);
	for (int i = 0; i < N; i++)
		sum += to[i] - 120, square += (to[i] - 120) * (to[i] - 120), beyond += abs(to[i] - 120) > 30;
	ck_assert_msg(fabs(sum / N) < 0.3 && fabs(sqrt(square / N) - 15) < 0.3, "mean %g, deviation %g", sum / N, sqrt(square / N));
	expect_share(beyond, N, 0.0420, "beyond two standard deviations", 0, 0); /* |z| > 30.5 / 15, as grey levels are whole */
	/* a value's noise does not depend on where its plane begins in the row */
	float one[10], other[9];
	augment_plane(one, from, 10, 1, &w, &seeded, 3, 0), augment_plane(other, from, 9, 1, &w, &seeded, 3, 1);
	ck_assert(!memcmp(one + 1, other, sizeof other));
	transform_image(from, to, 200, N / 200, &w, &seeded, 3);
	ck_assert(memcmp(from, to, sizeof from));
}
END_TEST

/* A crop that was turned and moved still says where a pixel of the row was in the photograph. */
START_TEST(crops)
{
	struct transform t = unchanged();
	t.rotate = 60, t.shift[0] = 1;
	struct warp w = transform_warp(&t, S, S);
	float crop[6] = {2, 0.5f, 10, -1, 3, 20}, xy[2] = {1, 6}; /* of the photograph: 15,37 */
	transform_points(xy, 1, &w, 0);
	transform_crop(crop, &w, &seeded);
	ck_assert(fabsf(crop[0] * xy[0] + crop[1] * xy[1] + crop[2] - 15) < 1e-4f);
	ck_assert(fabsf(crop[3] * xy[0] + crop[4] * xy[1] + crop[5] - 37) < 1e-4f);
	for (int k = 0; k < 2; k++) { /* but not where left and right trade names, or it is no such map any more */
		struct augment a = {.elastic = k ? 1 : 0};
		float other[6] = {1, 0, 0, 0, 1, 0};
		w.flipped = !k;
		transform_crop(other, &w, &a);
		for (int i = 0; i < 6; i++)
			ck_assert(isinf(other[i]));
	}
}
END_TEST

/* What is shown of training is what a backend loads, rounded; points trade places where images are mirrored. */
/* The field is the sum over nodes of the cubic B-spline's basis, in cells, from its definition by truncated powers; drawn within the range;
 * the same at both sides of a cell's edge. */
static double spline(double t)
{
	double sum = 0;
	static const double binomial[] = {1, -4, 6, -4, 1};
	for (int k = 0; k < 5; k++)
		sum += binomial[k] * pow(fmax(t + 2 - k, 0), 3) / 6;
	return sum;
}

START_TEST(elastic_fields)
{
	enum { EW = 40, EH = 24 };
	struct augment a = {.seed = 3, .epoch = 2};
	spec_augment("elastic=2", &a);
	ck_assert(augment_any(&a) && a.elastic == 2);
	double most = 0;
	for (uint32_t row = 0; row < 9; row++) {
		struct elastic e;
		elastic_draw(&e, &a, row, EW, EH);
		for (int k = 0; k < 2 * ELASTIC_NODES * ELASTIC_NODES; k++) {
			struct philox p = philox(3, PHILOX_AUGMENT, 2, row, (uint32_t)(16 + k / 4));
			double v = (&e.node[0][0][0])[k];
			ck_assert(fabs(v - 4 * ((double)philox_uniform(p.v[k % 4]) - 0.5)) < 1e-6);
			most = fmax(most, fabs(v));
		}
		for (int i = 0; i < 50; i++) {
			double x = i * 0.79, y = (i * 7 % 50) * 0.47, want[2] = {0};
			float d[2], xy[2] = {(float)x, (float)y}, back[2];
			for (int l = 0; l < ELASTIC_NODES; l++)
				for (int k = 0; k < ELASTIC_NODES; k++)
					for (int c = 0; c < 2; c++)
						want[c] += spline((x + 0.5) * 4 / EW - k + 1) * spline((y + 0.5) * 4 / EH - l + 1) *
							   (double)e.node[l][k][c];
			elastic_shift(&e, (float)x, (float)y, d);
			ck_assert_msg(fabs((double)d[0] - want[0]) < 1e-5 && fabs((double)d[1] - want[1]) < 1e-5, "%g,%g: %g,%g not %g,%g",
				x, y, (double)d[0], (double)d[1], want[0], want[1]);
			elastic_point(&e, xy); /* the new image has there what the old one has at (x, y) */
			elastic_shift(&e, xy[0], xy[1], back);
			ck_assert(fabs((double)(xy[0] + back[0]) - x) < 1e-4 && fabs((double)(xy[1] + back[1]) - y) < 1e-4);
		}
	}
	ck_assert(most > 1.9);
	a.elastic = 60;
	struct elastic e;
	elastic_draw(&e, &a, 1, EW, EH);
	for (int k = 0; k < 2 * ELASTIC_NODES * ELASTIC_NODES; k++)
		ck_assert_double_le(fabs((double)(&e.node[0][0][0])[k]), (k % 2 ? EH : EW) * 0.45 / 4 + 1e-5);
	float none[2] = {NAN, 3};
	elastic_point(&e, none);
	ck_assert(isnan(none[0]));
}
END_TEST

/* A spot's middle goes where elastic_point says, and a point with it, as image-augment moves it; without a warp and with one. */
START_TEST(elastic_spots)
{
	enum { S = 48 };
	static uint8_t image[S * S], moved[S * S];
	struct augment a = {.seed = 5, .epoch = 1};
	spec_augment(_i ? "elastic=3,shift=4,rotate=20" : "elastic=3", &a);
	double far = 0;
	for (uint32_t row = 0; row < 20; row++) {
		double x = 16 + 0.8 * row, y = 30 - 0.6 * row, sum = 0, mean[2] = {0};
		for (int i = 0; i < S * S; i++)
			image[i] = (uint8_t)lrint(250 * exp(-(pow(i % S - x, 2) + pow(i / S - y, 2)) / 8));
		struct warp w = augment_draw(&a, row, S, S);
		transform_image(moved, image, S, S, &w, &a, row);
		for (int i = 0; i < S * S; i++)
			sum += moved[i], mean[0] += moved[i] * (double)(i % S), mean[1] += moved[i] * (double)(i / S);
		float xy[2] = {(float)x, (float)y};
		transform_points_elastic(xy, 1, S, S, &a, row);
		far = fmax(far, hypot((double)xy[0] - x, (double)xy[1] - y));
		transform_points(xy, 1, &w, 0);
		ck_assert_msg(hypot((double)xy[0] - mean[0] / sum, (double)xy[1] - mean[1] / sum) < 0.5, "row %u: %g,%g not %g,%g", row,
			(double)xy[0], (double)xy[1], mean[0] / sum, mean[1] / sum);
	}
	ck_assert(far > 1);
}
END_TEST

START_TEST(as_trained)
{
	enum { N = 20, B = 32 };
	static uint8_t bytes[N * B * B], to[B * B];
	uint32_t rows[N];
	static float x[N * B * B];
	struct backend *be = backend_here();
	struct augment a = {.flip = 1,
		.shift = 2,
		.rotate = 20,
		.scale = 0.2f,
		.contrast = 0.3f,
		.brightness = 0.1f,
		.noise = 0.05f,
		.blur = 1,
		.motion = 5,
		.squared = _i,
		.cutout = 0.3f,
		.elastic = _i ? 1.5f : 0,
		.seed = 7,
		.epoch = 3};
	for (uint32_t i = 0; i < N * B * B; i++)
		bytes[i] = (uint8_t)(128 + 100 * sinf((float)(i % B) / 3) * cosf((float)(i / B) / 4)), rows[i / (B * B)] = i / (B * B);
	uint8_t *images = xmalloc(sizeof bytes);
	memcpy(images, bytes, sizeof bytes);
	struct dataset ds = {.n = N, .W = B, .H = B, .images = image_store_memory(images, N, B * B)};
	uint32_t *numbers = be->alloc(be, sizeof rows);
	real *device = be->alloc(be, sizeof x);
	be->upload(be, numbers, rows, sizeof rows);
	struct feed *feed = feed_new(be, &ds, N);
	feed_epoch(feed, &a);
	feed_load(feed, device, rows, numbers, N, 0, 1, 0, &a);
	be->download(be, x, device, sizeof x);
	int mirrored = 0;
	for (uint32_t i = 0; i < N; i++) {
		struct warp w = augment_draw(&a, i, B, B);
		const float from[] = {1, 2, 3, 4, 5, 6};
		float order[6];
		transform_image(to, bytes + i * B * B, B, B, &w, &a, i);
		for (int k = 0; k < B * B; k++)
			ck_assert_msg(fabsf((float)to[k] - x[i * B * B + (uint32_t)k]) < 0.502f, "row %u: %d, trained on %g", i, to[k],
				(double)x[i * B * B + (uint32_t)k]);
		transform_order(order, from, (const int[]){1, 0, 2}, 3, 2, &w);
		ck_assert(order[0] == (w.flipped ? 3 : 1) && order[1] == (w.flipped ? 4 : 2) && order[3] == (w.flipped ? 2 : 4) &&
			  order[5] == 6);
		mirrored += w.flipped;
	}
	ck_assert(mirrored > 0 && mirrored < N);
	feed_free(feed), dataset_release_rows(&ds), be->release(be, numbers), be->release(be, device);
	be->close(be);
}
END_TEST

/* Motion blur in a backend: the mean of the bilinear image along the drawn path, of many more places than the filter has. */
START_TEST(motions)
{
	enum { N = 20, B = 20, PLACES = 500 };
	static uint8_t bytes[N * B * B];
	static float x[N * B * B];
	uint32_t rows[N];
	struct backend *be = _i ? backend_init_by_name("ref", 1, PRECISION_FP32) : backend_here();
	struct augment a = {.motion = 9, .seed = 3, .epoch = 1};
	for (uint32_t i = 0; i < N * B * B; i++)
		bytes[i] = (uint8_t)philox(3, PHILOX_TEST, 10, i, 0).v[0], rows[i / (B * B)] = i / (B * B);
	uint8_t *images = be->alloc(be, sizeof bytes);
	uint32_t *numbers = be->alloc(be, sizeof rows);
	real *device = be->alloc(be, sizeof x);
	be->upload(be, images, bytes, sizeof bytes), be->upload(be, numbers, rows, sizeof rows);
	be->load_batch(be, device, images, numbers, N, 1, B, B, 1, 0, &a);
	be->download(be, x, device, sizeof x);
	double longest = 0;
	for (uint32_t b = 0; b < N; b++) {
		struct warp w = augment_draw(&a, b, B, B);
		longest = fmax(longest, hypot((double)w.path[0], (double)w.path[1]));
		for (int i = 0; i < B * B; i++) {
			double sum = 0;
			for (int k = 0; k < PLACES; k++) {
				double at = (k + 0.5) / PLACES - 0.5;
				sum += (double)augment_sample(bytes + b * B * B, B, B, (float)(i % B + at * (double)w.path[0]),
					(float)(i / B + at * (double)w.path[1]));
			}
			double got = (double)x[b * B * B + (uint32_t)i];
			ck_assert_msg(fabs(got - sum / PLACES) < 0.5, "image %u, path %g,%g, pixel %d: %g, not %g", b, (double)w.path[0],
				(double)w.path[1], i, got, sum / PLACES);
		}
	}
	ck_assert(longest > 6);
	be->release(be, images), be->release(be, numbers), be->release(be, device);
	be->close(be);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("augment");
	TCase *t = tcase_create("augment");
	suite_add_tcase(s, t);
	tcase_add_test(t, cutouts);
	tcase_add_test(t, moves);
	tcase_add_test(t, alternates);
	tcase_add_test(t, squares);
	tcase_add_test(t, normals);
	tcase_add_loop_test(t, pixels, 0, 2);
	tcase_add_test(t, turns);
	tcase_add_test(t, dots);
	tcase_add_test(t, paths);
	tcase_add_test(t, greys);
	tcase_add_test(t, crops);
	tcase_add_test(t, elastic_fields);
	tcase_add_loop_test(t, elastic_spots, 0, 2);
	tcase_add_loop_test(t, as_trained, 0, 2);
	tcase_add_loop_test(t, motions, 0, 2);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
