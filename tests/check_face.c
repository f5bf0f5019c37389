/* Synthetic faces: points are where the image shows them, all is a pure function of seed and row, planted label noise is of the kind that
 * it is called, and the CSV is the competition's. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/synth/brush.h"
#include "lib/synth/face.h"
#include "lib/synth/facecsv.h"
#include "lib/synth/label_noise.h"
#include "lib/synth/paint.h"
#include "lib/synth/paint_io.h"

#define NOISE_SEED 7

struct sample {
	struct face_style s;
	float *scratch, *points;
	uint8_t *image;
};

static struct sample sample(int w, int h, int points, double wild)
{
	struct sample t = {{w, h, points, wild, 0.3, 0}, NULL, NULL, NULL};
	t.scratch = malloc(face_size(&t.s) * sizeof(float));
	t.points = malloc((size_t)points * 2 * sizeof(float));
	t.image = malloc((size_t)w * (size_t)h);
	return t;
}

static void sample_free(struct sample *t)
{
	free(t->scratch);
	free(t->points);
	free(t->image);
}

static void draw(struct sample *t, uint32_t row)
{
	/* earlier contents of the scratch memory must not matter */
	for (size_t i = 0; i < face_size(&t->s); i++)
		t->scratch[i] = NAN;
	face_draw(&t->s, NOISE_SEED, row, t->scratch, t->image, t->points);
}

/* m: area and centre of a polygon's coverage mask. */
static void moments(struct brush *b, const float (*p)[2], int n, float soft, double m[3])
{
	struct brush_box box = brush_cover(b, p, n, soft);
	m[0] = m[1] = m[2] = 0;
	for (int y = box.y0; y < box.y1; y++)
		for (int x = box.x0; x < box.x1; x++) {
			double v = b->mask[y * b->w + x];
			ck_assert(v >= -1e-4 && v <= 1.0001); /* running sums along a row have rounding errors */
			m[0] += v, m[1] += v * x, m[2] += v * y;
		}
	m[1] /= m[0], m[2] /= m[0];
}

START_TEST(cover_is_exact_area)
{
	struct brush b;
	float *scratch = malloc(brush_size(61, 47) * sizeof(float));
	brush_init(&b, 61, 47, scratch);
	for (int k = 0; k < 300; k++) {
		/* rectangles at fractions of a pixel, in both orientations */
		float x = 10 + 0.137f * k, y = 11 + 0.05f * k, a = 0.2f * k;
		float p[4][2] = {{x, y}, {x + 5 * cosf(a), y + 5 * sinf(a)}, {x + 5 * cosf(a) - 3 * sinf(a), y + 5 * sinf(a) + 3 * cosf(a)},
			{x - 3 * sinf(a), y + 3 * cosf(a)}};
		double m[3], cx = (p[0][0] + p[2][0]) / 2, cy = (p[0][1] + p[2][1]) / 2;
		if (x > 46 || y > 32)
			break;
		if (k % 2) {
			float t[2] = {p[1][0], p[1][1]};
			memcpy(p[1], p[3], sizeof t);
			memcpy(p[3], t, sizeof t);
		}
		moments(&b, p, 4, 0, m);
		ck_assert_double_eq_tol(m[0], 15, 1e-3);
		ck_assert_double_eq_tol(m[1], cx, 0.03); /* coverage within a pixel counts at its centre */
		ck_assert_double_eq_tol(m[2], cy, 0.03);
		moments(&b, p, 4, 3, m); /* a soft edge changes neither area nor centre */
		ck_assert_double_eq_tol(m[0], 15, 1e-2);
		ck_assert_double_eq_tol(m[1], cx, 0.03);
		ck_assert_double_eq_tol(m[2], cy, 0.03);
	}
	/* clipped by the canvas: a quarter left; larger than the canvas; outside */
	const float corner[4][2] = {{-10.5f, -10.5f}, {9.5f, -10.5f}, {9.5f, 9.5f}, {-10.5f, 9.5f}},
		    all[4][2] = {{-99, -99}, {99, -99}, {99, 99}, {-99, 99}};
	const float none[3][2] = {{-30, 5}, {-2, 5}, {-2, 9}}, far[4][2] = {{50.5f, 36.5f}, {99, 36.5f}, {99, 99}, {50.5f, 99}};
	double m[3];
	moments(&b, corner, 4, 0, m);
	ck_assert_double_eq_tol(m[0], 100, 1e-3);
	moments(&b, far, 4, 0, m);
	ck_assert_double_eq_tol(m[0], 100, 1e-3);
	moments(&b, all, 4, 0, m);
	ck_assert_double_eq_tol(m[0], 61 * 47, 1e-2);
	struct brush_box box = brush_cover(&b, none, 3, 0);
	ck_assert(box.x0 >= box.x1);
	free(scratch);
}
END_TEST

START_TEST(blur_keeps_mean_and_width)
{
	for (int w = 1; w < 40; w += 6) {
		struct brush b;
		float *scratch = malloc(brush_size(w, 9) * sizeof(float));
		brush_init(&b, w, 9, scratch);
		for (int i = 0; i < w * 9; i++)
			b.grey[i] = 50;
		brush_blur(&b, 2.5f);
		for (int i = 0; i < w * 9; i++)
			ck_assert_float_eq_tol(b.grey[i], 50, 1e-3f);
		free(scratch);
	}
	/* up to the borders, beyond which their pixels are repeated */
	enum { BW = 23, BH = 9, R = 7 };
	struct brush b;
	float *scratch = malloc(brush_size(BW, BH) * sizeof(float)), grey[BH][BW];
	brush_init(&b, BW, BH, scratch);
	for (int i = 0; i < BW * BH; i++)
		b.grey[i] = grey[i / BW][i % BW] = (float)((i * 2654435761u >> 16) % 256);
	brush_blur(&b, 2.5f);
	for (int i = 0; i < BW * BH; i++) {
		double blurred = 0, all = 0;
		for (int y = -R; y <= R; y++)
			for (int x = -R; x <= R; x++) {
				int u = i % BW + x, v = i / BW + y;
				double weight = exp(-(x * x + y * y) / 12.5);
				all += weight;
				blurred += weight * (double)grey[v < 0 ? 0 : v < BH ? v : BH - 1][u < 0 ? 0 : u < BW ? u : BW - 1];
			}
		ck_assert_double_eq_tol(b.grey[i], blurred / all, 1e-3);
	}
	free(scratch);
	scratch = calloc(brush_size(31, 31), sizeof(float));
	brush_init(&b, 31, 31, scratch);
	b.grey[15 * 31 + 15] = 1000;
	brush_blur(&b, 1.5f);
	double s = 0, v = 0;
	for (int y = 0; y < 31; y++)
		for (int x = 0; x < 31; x++)
			s += b.grey[y * 31 + x], v += b.grey[y * 31 + x] * (x - 15) * (x - 15);
	ck_assert_double_eq_tol(s, 1000, 0.1);
	ck_assert_double_eq_tol(sqrt(v / s), 1.5, 0.05);
	free(scratch);
}
END_TEST

START_TEST(pure_in_seed_and_row)
{
	struct sample a = sample(96, 96, 15, 1), b = sample(96, 96, 15, 1);
	uint8_t first[96 * 96];
	draw(&a, 5);
	memcpy(first, a.image, sizeof first);
	draw(&a, 6);
	ck_assert(memcmp(first, a.image, sizeof first));
	draw(&b, 5);
	ck_assert(!memcmp(first, b.image, sizeof first));
	a.s.set = 1;
	draw(&a, 5);
	ck_assert(memcmp(first, a.image, sizeof first));
	face_draw(&b.s, NOISE_SEED + 1, 5, b.scratch, b.image, b.points);
	ck_assert(memcmp(first, b.image, sizeof first));
	sample_free(&a);
	sample_free(&b);
}
END_TEST

START_TEST(anatomy_holds)
{
	struct sample t = sample(96, 96, 68, 1);
	int outside = 0;
	double sum[30] = {0};
	for (uint32_t row = 0; row < 400; row++) {
		draw(&t, row);
		float(*p)[2] = (float(*)[2])t.points;
		/* in the face's coordinates: u along the eyes, v down */
		float ex = p[0][0] - p[1][0], ey = p[0][1] - p[1][1], d = hypotf(ex, ey), c = ex / d, s = ey / d;
		ck_assert(d > 14 && d < 45);
		float u[68], v[68];
		for (int k = 0; k < 68; k++) {
			ck_assert(isfinite(p[k][0]) && isfinite(p[k][1]));
			u[k] = p[k][0] * c + p[k][1] * s, v[k] = p[k][1] * c - p[k][0] * s;
		}
		ck_assert(u[0] > u[1] && u[3] > u[0] && u[0] > u[2] && u[2] > u[4] && u[4] > u[1] &&
			  u[1] > u[5]); /* outer, centre, inner, inner, centre, outer */
		ck_assert(u[7] > u[6] && u[8] > u[9] && u[6] > u[8]);
		ck_assert(v[6] < v[2] && v[8] < v[4] && v[10] > v[0] + 2 && v[13] > v[10] && v[14] > v[13] && v[47] > v[14]);
		ck_assert(u[11] > u[12] && v[45] <= v[46] + 1e-3f);
		for (int k = 0; k < 30; k++) {
			sum[k] += t.points[k] / 400;
			outside += t.points[k] < -0.5f || t.points[k] > 95.5f;
		}
	}
	ck_assert_int_lt(outside, 30); /* of 12000 */
	/* near the means of photographs */
	ck_assert_double_eq_tol(sum[0], 62, 2);
	ck_assert_double_eq_tol(sum[1], 38.7, 2);
	ck_assert_double_eq_tol(sum[2], 33, 2);
	ck_assert_double_eq_tol(sum[21], 56.2, 2.5);
	ck_assert_double_eq_tol(sum[29], 77.2, 3);
	sample_free(&t);
}
END_TEST

/* The pupil is the eye's darkest disc: its centre in the image must be the eye's point, to about 1 % of the distance of the eyes. */
START_TEST(points_match_the_image)
{
	struct sample t = sample(480, 480, 15, 0);
	int eyes = 0;
	double error = 0, bias[2] = {0};
	for (uint32_t row = 0; row < 60; row++) {
		draw(&t, row);
		float d = hypotf(t.points[0] - t.points[2], t.points[1] - t.points[3]);
		for (int eye = 0; eye < 2; eye++) {
			float cx = t.points[2 * eye], cy = t.points[2 * eye + 1], r = 0.085f * d;
			double m = 0, x0 = 0, y0 = 0;
			for (int y = (int)(cy - r); y <= cy + r; y++)
				for (int x = (int)(cx - r); x <= cx + r; x++) {
					/* darkness to the fourth power: the pupil outweighs iris, lid and glint */
					double v = 255.0 - t.image[y * 480 + x];
					v = hypot(x - cx, y - cy) < r && v > 0 ? v * v * v * v : 0;
					m += v, x0 += v * x, y0 += v * y;
				}
			double ex = (x0 / m - cx) / d, ey = (y0 / m - cy) / d;
			error += hypot(ex, ey), bias[0] += ex, bias[1] += ey;
			eyes++;
		}
	}
	ck_assert_double_lt(error / eyes, 0.012); /* eye distances; an iris is 0.19 across */
	ck_assert_double_lt(hypot(bias[0], bias[1]) / eyes, 0.012);
	sample_free(&t);
}
END_TEST

/* Brows, nostrils and the mouth's line are painted where their points are: darker there than a fifth of an eye distance above and below. */
START_TEST(features_are_dark)
{
	static const struct {
		int point;
		double darker;
	} t[] = {{24, 25}, {27, 25}, {35, 50}, {36, 50}, {43, 40}, {44, 40}, {45, 30}, {34, 15}};
	struct sample f = sample(480, 480, 68, 0);
	double darker[sizeof t / sizeof *t] = {0};
	for (uint32_t row = 0; row < 60; row++) {
		draw(&f, row);
		float dx = f.points[0] - f.points[2], dy = f.points[1] - f.points[3];
		for (size_t i = 0; i < sizeof t / sizeof *t; i++)
			for (int at = -1; at <= 1; at++) {
				long x = lroundf(f.points[2 * t[i].point] + 0.2f * (float)at * dy);
				long y = lroundf(f.points[2 * t[i].point + 1] - 0.2f * (float)at * dx);
				darker[i] += f.image[y * 480 + x] * (at ? 0.5 : -1) / 60;
			}
	}
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		ck_assert_msg(darker[i] > t[i].darker, "%s is darker by %g", face_name(t[i].point, (char[32]){0}), darker[i]);
	sample_free(&f);
}
END_TEST

/* An oval lies along the head's axes, whatever its roll: by the second moments of what is painted. */
START_TEST(ovals_turn_with_the_head)
{
	enum { SIDE = 61 };
	struct brush b;
	const struct brush_ink ink = {100, 1, 0, 0, 0};
	float *scratch = malloc(brush_size(SIDE, SIDE) * sizeof(float));
	for (double roll = -1.4; roll < 1.5; roll += 0.4) {
		struct face_params f = {.pose = {20, 30, 30, cosf((float)roll), sinf((float)roll), 1, 0, 1, 0}};
		double xx = 0, xy = 0, yy = 0, all = 0;
		brush_init(&b, SIDE, SIDE, scratch);
		for (int i = 0; i < SIDE * SIDE; i++)
			b.grey[i] = 0, b.light[i] = 1;
		paint_oval(&f, &b, 0, 0, 0, 0.8f, 0.4f, 0, &ink);
		for (int y = 0; y < SIDE; y++)
			for (int x = 0; x < SIDE; x++) {
				double v = b.grey[y * SIDE + x];
				all += v, xx += v * (x - 30) * (x - 30), xy += v * (x - 30) * (y - 30), yy += v * (y - 30) * (y - 30);
			}
		/* half axes of 16 and 8 pixels: (16^2 - 8^2) / 4 is the difference of the variances along them */
		ck_assert_double_eq_tol((xx - yy) / all, 48 * cos(2 * roll), 1.5);
		ck_assert_double_eq_tol(2 * xy / all, 48 * sin(2 * roll), 1.5);
	}
	free(scratch);
}
END_TEST

/* A fringe or a hat covers the forehead, which other hair leaves bare; the same face in all else. */
START_TEST(hair_and_hat_cover_the_forehead)
{
	static const struct {
		int style, covered;
	} t[] = {{HAIR_BALD, 0}, {HAIR_SHORT, 0}, {HAIR_FRINGE, 1}, {HAIR_LONG, 0}, {HAIR_LONG_FRINGE, 1}, {HAIR_HAT, 1}};
	struct sample s = sample(192, 192, 1, 0);
	for (uint32_t row = 0; row < 10; row++)
		for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
			struct face_params f;
			struct brush b;
			float at[2];
			face_sample(&f, &s.s, NOISE_SEED, row, (float[3]){0, 0, 0});
			f.style = t[i].style, f.skin = 180, f.hair = f.cloth = 20, f.hairline = f.age = f.part = f.wave = 0;
			face_params_project(&f.pose, 0, -0.82f, 0.1f, at);
			brush_init(&b, 192, 192, s.scratch);
			paint_face(&f, &b, s.image);
			int grey = s.image[lroundf(at[1]) * 192 + lroundf(at[0])];
			ck_assert_msg(t[i].covered ? grey < 60 : grey > 120, "row %u, style %d: the forehead is %d", row, t[i].style, grey);
		}
	sample_free(&s);
}
END_TEST

/* Five of thirteen have straight hair. */
START_TEST(hair_is_wavy_or_straight)
{
	const struct face_style s = {96, 96, 15, 1, 0, 0};
	int straight = 0;
	for (uint32_t row = 0; row < 1000; row++) {
		struct face_params f;
		face_sample(&f, &s, NOISE_SEED, row, NULL);
		ck_assert(f.wave >= 0 && f.wave <= 0.08f);
		straight += f.wave == 0;
	}
	ck_assert_int_gt(straight, 325);
	ck_assert_int_lt(straight, 445);
}
END_TEST

START_TEST(size_only_scales)
{
	struct sample a = sample(96, 96, 15, 1), b = sample(192, 192, 15, 1), wide = sample(140, 96, 15, 1);
	double all = 0;
	for (uint32_t row = 0; row < 20; row++) {
		double diff = 0, deviation = 0, mean = 0;
		draw(&a, row);
		draw(&b, row);
		draw(&wide, row);
		for (int k = 0; k < 30; k++) {
			ck_assert_float_eq_tol(b.points[k], (a.points[k] + 0.5f) * 2 - 0.5f, 1e-3f);
			ck_assert_float_eq_tol(wide.points[k], a.points[k] + (k % 2 ? 0 : 22), 1e-3f);
		}
		for (int i = 0; i < 96 * 96; i++)
			mean += a.image[i] / 9216.0;
		for (int y = 0; y < 96; y++)
			for (int x = 0; x < 96; x++) {
				const uint8_t *p = b.image + 2 * y * 192 + 2 * x;
				diff += fabs((p[0] + p[1] + p[192] + p[193]) / 4.0 - a.image[y * 96 + x]) / 9216;
				deviation += fabs(a.image[y * 96 + x] - mean) / 9216;
			}
		ck_assert_msg(diff < 0.25 * deviation + 3, "row %u: images differ by %g, mean deviation %g", row, diff, deviation);
		all += diff / 20;
	}
	ck_assert_double_lt(all, 1.75); /* 2.1 with a blur that doesn't scale */
	sample_free(&a);
	sample_free(&b);
	sample_free(&wide);
}
END_TEST

START_TEST(awkward_sizes)
{
	static const int sizes[][2] = {{8, 8}, {9, 31}, {97, 8}, {33, 33}, {200, 96}};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct sample t = sample(sizes[i][0], sizes[i][1], 1 + (int)i * 40, 1);
		for (uint32_t row = 0; row < 10; row++) {
			draw(&t, row);
			for (int k = 0; k < 2 * t.s.points; k++)
				ck_assert(isfinite(t.points[k]));
		}
		sample_free(&t);
	}
}
END_TEST

START_TEST(names_and_mirror)
{
	static const int counts[] = {1, 4, 15, 68, 69, 70, 100, 101};
	char a[32], b[32];
	for (int i = 0; i < 100; i++)
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(face_name(i, a), face_name(k, b));
	for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
		for (int k = 0; k < counts[c]; k++) {
			int m = face_mirror(k, counts[c]);
			ck_assert(m >= 0 && m < counts[c]);
			ck_assert_int_eq(face_mirror(m, counts[c]), k);
		}
	ck_assert_int_eq(face_mirror(0, 15), 1);
	ck_assert_int_eq(face_mirror(2, 15), 4);
	ck_assert_int_eq(face_mirror(7, 15), 9);
	ck_assert_int_eq(face_mirror(10, 15), 10);
	ck_assert_int_eq(face_mirror(11, 15), 12);
	/* mirrored points are on opposite sides of an upright, frontal face */
	struct sample t = sample(96, 96, 100, 0);
	for (uint32_t row = 0; row < 20; row++) {
		draw(&t, row);
		for (int k = 0; k < 100; k++) {
			int m = face_mirror(k, 100);
			ck_assert_float_eq_tol(t.points[2 * k] + t.points[2 * m], t.points[0] + t.points[2], 3);
			ck_assert_float_eq_tol(t.points[2 * k + 1], t.points[2 * m + 1], 3);
		}
	}
	sample_free(&t);
}
END_TEST

START_TEST(groups_are_runs)
{
	struct face_style s = {96, 96, 15, 1, 0.3, 0};
	uint32_t last = 0;
	int fresh = 0;
	for (uint32_t row = 0; row < 5000; row++) {
		uint32_t f = face_first(&s, 3, row);
		ck_assert(f == row || f == last);
		ck_assert_uint_eq(face_first(&s, 3, f), f);
		fresh += f == row;
		last = f;
	}
	ck_assert_int_gt(fresh, 3350);
	ck_assert_int_lt(fresh, 3650);
}
END_TEST

static int labelled(const float *p, int n)
{
	int m = 0;
	for (int k = 0; k < n; k++) {
		ck_assert_int_eq(isnan(p[2 * k]), isnan(p[2 * k + 1]));
		m += !isnan(p[2 * k]);
	}
	return m;
}

START_TEST(faults_are_as_named)
{
	enum { N = 15 };
	struct sample t = sample(96, 96, N, 1);
	int count[LABEL_NOISE_KINDS] = {0}, full = 0, four = 0, rows = 6000;
	for (uint32_t row = 0; row < (uint32_t)rows; row++) {
		float p[2 * N], q[2 * N];
		struct label_noise d = label_noise_plan(11, row), none = {LABEL_NOISE_NONE, -1, row};
		if (row % 8 == 0)
			draw(&t, row); /* any points serve */
		memcpy(p, t.points, sizeof p);
		memcpy(q, t.points, sizeof q);
		label_noise_plant(&none, 11, row, 96, 96, N, q); /* missing labels only */
		label_noise_plant(&d, 11, row, 96, 96, N, p);
		count[d.kind]++;
		int m = labelled(p, N), moved = 0;
		full += m == N, four += m == 4;
		ck_assert_int_eq(m, labelled(q, N));
		ck_assert_int_ge(m, 1);
		if (m == 4)
			ck_assert(!isnan(p[0]) && !isnan(p[2]) && !isnan(p[20]) && !isnan(p[28]));
		for (int k = 0; k < N; k++) {
			ck_assert_int_eq(isnan(p[2 * k]), isnan(q[2 * k]));
			if (isnan(p[2 * k]))
				continue;
			float far = hypotf(p[2 * k] - q[2 * k], p[2 * k + 1] - q[2 * k + 1]);
			int in = p[2 * k] >= 0 && p[2 * k] <= 95 && p[2 * k + 1] >= 0 && p[2 * k + 1] <= 95, o = face_mirror(k, N);
			moved += far > 0;
			if (d.kind == LABEL_NOISE_FAR && k == d.point)
				ck_assert(far > 25 && in);
			if (d.kind == LABEL_NOISE_OUTSIDE && k == d.point)
				ck_assert(!in);
			if (d.kind == LABEL_NOISE_SHIFTED)
				ck_assert(far > 13 && far < 35);
			if (d.kind == LABEL_NOISE_SWAPPED && far > 0)
				ck_assert(p[2 * k] == q[2 * o] && p[2 * k + 1] == q[2 * o + 1]);
		}
		switch (d.kind) {
		case LABEL_NOISE_NONE:
			ck_assert_int_eq(moved, 0);
			ck_assert_uint_eq(d.of, row);
			break;
		case LABEL_NOISE_FAR:
		case LABEL_NOISE_OUTSIDE:
			ck_assert_int_eq(moved, 1);
			break;
		case LABEL_NOISE_SWAPPED:
			ck_assert(d.point < 0 ? moved >= 2 : moved == 2);
			break;
		case LABEL_NOISE_SHIFTED:
		case LABEL_NOISE_SCRAMBLED:
			ck_assert_int_eq(moved, m);
			break;
		default:
			ck_assert_int_eq(moved, 0);
			ck_assert_uint_lt(d.of, row);
			ck_assert_int_ne(label_noise_plan(11, d.of).kind, LABEL_NOISE_DUPLICATE);
		}
	}
	for (int k = 1; k < LABEL_NOISE_KINDS; k++)
		ck_assert_msg(count[k] >= 8 && count[k] < 150, "%d of kind %s", count[k], label_noise_name((enum label_noise_kind)k));
	ck_assert_double_eq_tol((double)full / rows, 0.30, 0.03);
	ck_assert_double_eq_tol((double)four / rows, 0.63, 0.03);
	sample_free(&t);
}
END_TEST

START_TEST(text_is_the_competitions)
{
	static const char header[] =
		"left_eye_center_x,left_eye_center_y,right_eye_center_x,right_eye_center_y,left_eye_inner_corner_x,left_eye_inner_corner_y,"
		"left_eye_outer_corner_x,left_eye_outer_corner_y,right_eye_inner_corner_x,right_eye_inner_corner_y,right_eye_outer_corner_"
		"x,"
		"right_eye_outer_corner_y,left_eyebrow_inner_end_x,left_eyebrow_inner_end_y,left_eyebrow_outer_end_x,left_eyebrow_outer_"
		"end_y,"
		"right_eyebrow_inner_end_x,right_eyebrow_inner_end_y,right_eyebrow_outer_end_x,right_eyebrow_outer_end_y,nose_tip_x,nose_"
		"tip_y,"
		"mouth_left_corner_x,mouth_left_corner_y,mouth_right_corner_x,mouth_right_corner_y,mouth_center_top_lip_x,"
		"mouth_center_top_lip_y,mouth_center_bottom_lip_x,mouth_center_bottom_lip_y,Image\n";
	static const uint8_t pixels[6] = {0, 9, 10, 99, 100, 255};
	static const float points[6] = {1.5f, -0.25f, NAN, NAN, 100, 0.0000001f};
	char *text = malloc(facecsv_size(15, 6));
	uint64_t line = 0;
	uint8_t keep[3] = {1, 0, 1};
#define IS(call, want)                                                                                                                     \
	do {                                                                                                                               \
		size_t n_ = (call);                                                                                                        \
		text[n_] = 0;                                                                                                              \
		ck_assert_str_eq(text, want);                                                                                              \
	} while (0)
	IS(facecsv_header(text, 15, FACECSV_GOOD), header);
	IS(facecsv_header(text, 1, FACECSV_TWICE), "left_eye_center_x,left_eye_center_x,Image\n");
	IS(facecsv_header(text, 1, FACECSV_HEADER), "left_eye_center_x,left_eye_center_y\n");
	IS(facecsv_header(text, 1, FACECSV_EMPTY), "");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_GOOD), "1.5,-0.25,,,100,0.0000001,0 9 10 99 100 255\n");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_COLUMNS), "-0.25,,,100,0.0000001,0 9 10 99 100 255\n");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_PIXELS), "1.5,-0.25,,,100,0.0000001,0 9 10 99 100\n");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_RANGE), "1.5,-0.25,,,100,0.0000001,0 9 10 99 100 256\n");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_NUMBER), "1.5,12.5px,,,100,0.0000001,0 9 10 99 100 255\n");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_CUT), "1.5,-0.25,,,100,0.0000001,0 9 10");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_HEADER), "1.5,-0.25,,,100,0.0000001\n");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_EMPTY), "");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_EXTRA), "1.5,-0.25,,,100,0.0000001,,0 9 10 99 100 255\n");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_LONG), "1.5,-0.25,,,100,0.0000001,0 9 10 99 100 255 0\n");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_NEGATIVE), "1.5,-0.25,,,100,0.0000001,0 9 10 99 100 -1\n");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_BLANK), "1.5,-0.25,,,100,0.0000001,\n");
	IS(facecsv_row(text, 3, points, 6, pixels, FACECSV_HALF), "12.5,,,,100,0.0000001,0 9 10 99 100 255\n");
	IS(facecsv_test(text, 12, 6, pixels), "12,0 9 10 99 100 255\n");
	IS(facecsv_lookup(text, &line, 7, 3, keep),
		"1,7,left_eye_center_x,\n2,7,left_eye_center_y,\n3,7,left_eye_inner_corner_x,\n4,7,left_eye_inner_corner_y,\n");
	ck_assert_uint_eq(line, 4);
	for (enum facecsv_fault f = FACECSV_COLUMNS; f < FACECSV_FAULT_END; f++) {
		ck_assert_int_eq(facecsv_fault(facecsv_word(f)), f);
		ck_assert(strstr(FACECSV_FAULTS, facecsv_word(f)));
	}
	ck_assert_int_eq(facecsv_fault("column"), FACECSV_GOOD);
	/* coordinates are restored to 1e-7 */
	for (int i = 0; i < 3000; i++) {
		float v = (float)(i * 0.0331 - 1);
		text[facecsv_row(text, 1, (float[2]){v, v}, 1, pixels, FACECSV_GOOD)] = 0;
		ck_assert_double_eq_tol(strtod(text, NULL), v, 1e-7);
	}
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("face");
	TCase *t = tcase_create("face");
	suite_add_tcase(s, t);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, cover_is_exact_area);
	tcase_add_test(t, blur_keeps_mean_and_width);
	tcase_add_test(t, pure_in_seed_and_row);
	tcase_add_test(t, anatomy_holds);
	tcase_add_test(t, points_match_the_image);
	tcase_add_test(t, features_are_dark);
	tcase_add_test(t, ovals_turn_with_the_head);
	tcase_add_test(t, hair_and_hat_cover_the_forehead);
	tcase_add_test(t, hair_is_wavy_or_straight);
	tcase_add_test(t, size_only_scales);
	tcase_add_test(t, awkward_sizes);
	tcase_add_test(t, names_and_mirror);
	tcase_add_test(t, groups_are_runs);
	tcase_add_test(t, faults_are_as_named);
	tcase_add_test(t, text_is_the_competitions);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
