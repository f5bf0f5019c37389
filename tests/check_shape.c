#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/labels/cholesky.h"
#include "lib/labels/f_dist.h"
#include "lib/labels/fault.h"
#include "lib/labels/label_check.h"
#include "lib/labels/shape.h"

enum { K = 15, W = 112, H = 96 };
static const int mirror[K] = {1, 0, 4, 5, 2, 3, 8, 9, 6, 7, 10, 12, 11, 13, 14};

/* ---- faces of a known distribution: mean, a few modes, noise of a pixel, Student t with 12 degrees of freedom ---- */

static uint32_t count;

static double uniform(void)
{
	return (philox(3, PHILOX_TEST, 1, 0, count++).v[0] + 0.5) / 4294967296.0;
}

static uint32_t random_below(uint32_t n)
{
	return philox_below(philox(3, PHILOX_TEST, 1, 0, count++).v[0], n);
}

static double normal(void)
{
	struct philox p = philox(3, PHILOX_TEST, 2, 0, count++);
	return philox_normal(p.v[0], p.v[1]);
}

static void face(float *xy)
{
	static const float mean[K][2] = {{62, 38}, {33, 39}, {56, 39}, {68, 38}, {38, 39}, {27, 38}, {56, 29}, {74, 31}, {39, 29}, {21, 31},
		{48, 56}, {60, 71}, {36, 71}, {48, 68}, {48, 77}};
	double move[2] = {3 * normal(), 2 * normal()}, grow = 1 + 0.04 * normal(), roll = 0.08 * normal(), turn = 2 * normal(),
	       mouth = 2 * normal();
	double tail = 0;
	for (int i = 0; i < 12; i++) {
		double n = normal();
		tail += n * n / 12;
	}
	tail = 1 / sqrt(tail);
	for (int k = 0; k < K; k++) {
		double x = mean[k][0] - 48, y = mean[k][1] - 48;
		double dx = move[0] + (grow - 1) * x - roll * y + (k == 10 ? 2 : 1) * turn + normal();
		double dy = move[1] + (grow - 1) * y + roll * x + (k >= 11 ? mouth : 0) + normal();
		xy[2 * k] = (float)(48 + x + tail * dx), xy[2 * k + 1] = (float)(48 + y + tail * dy);
	}
}

/* As in the competition's data, half of whose rows have four points. */
static void four(float *xy)
{
	for (int k = 0; k < K; k++)
		if (k != 0 && k != 1 && k != 10 && k != 14)
			xy[2 * k] = xy[2 * k + 1] = NAN;
}

static float *faces(size_t n)
{
	float *xy = xmalloc(n * 2 * K * sizeof *xy);
	for (size_t i = 0; i < n; i++) {
		face(xy + i * 2 * K);
		if (i % 2)
			four(xy + i * 2 * K);
	}
	return xy;
}

static void swap(float *xy, int a, int b)
{
	for (int i = 0; i < 2; i++) {
		float t = xy[2 * a + i];
		xy[2 * a + i] = xy[2 * b + i];
		xy[2 * b + i] = t;
	}
}

/* Before each test: its random numbers don't depend on the tests before it. */
static void reset_random(void)
{
	count = 0;
}

/* ---- planted label noise ---- */

enum { SWAP_ONE, SWAP_ALL, FAR, SHIFT, PERMUTE, OUTSIDE };

static enum fault_kind plant(float *xy, int kind, double size)
{
	int at[K], n = 0, pair[K], pairs = 0;
	for (int k = 0; k < K; k++)
		if (!isnan(xy[2 * k])) {
			at[n++] = k;
			if (mirror[k] > k)
				pair[pairs++] = k;
		}
	int k = at[random_below((uint32_t)n)];
	double angle = uniform() * 2 * M_PI, dx = size * cos(angle), dy = size * sin(angle);
	switch (kind) {
	case SWAP_ONE:
		k = pair[random_below((uint32_t)pairs)];
		swap(xy, k, mirror[k]);
		return FAULT_SWAPPED;
	case SWAP_ALL:
		for (int i = 0; i < pairs; i++)
			swap(xy, pair[i], mirror[pair[i]]);
		return FAULT_SWAPPED;
	case FAR: /* towards the middle, so that it stays inside */
		angle = atan2(48 - xy[2 * k + 1], 48 - xy[2 * k]) + (uniform() - 0.5);
		xy[2 * k] += (float)(size * cos(angle)), xy[2 * k + 1] += (float)(size * sin(angle));
		return FAULT_FAR;
	case SHIFT:
		for (int i = 0; i < n; i++)
			xy[2 * at[i]] += (float)dx, xy[2 * at[i] + 1] += (float)dy;
		return FAULT_SHIFTED;
	case PERMUTE:
		for (int i = n - 1; i > 0; i--)
			swap(xy, at[i], at[random_below((uint32_t)i)]);
		return FAULT_SCRAMBLED;
	default:
		n = (int)random_below(2);
		xy[2 * k + n] = angle < M_PI ? (float)-size : (float)((n ? H : W) - 1 + size);
		return FAULT_OUTSIDE;
	}
}

static const struct {
	const char *name;
	int kind;
	double size;
	int all, four, right; /* least recall in per cent, of rows with all points and with four; least share reported as the right kind */
} planted[] = {
	{"one pair swapped", SWAP_ONE, 0, 100, 100, 99},
	{"all pairs swapped", SWAP_ALL, 0, 100, 100, 99},
	{"far by 6", FAR, 6, 30, 0, 15},
	{"far by 10", FAR, 10, 95, 55, 70},
	{"far by 20", FAR, 20, 100, 95, 97},
	{"far by 30", FAR, 30, 100, 99, 97},
	{"moved by 12", SHIFT, 12, 50, 40, 40},
	{"moved by 20", SHIFT, 20, 97, 96, 95},
	{"permuted", PERMUTE, 0, 100, 99, 99},
	{"outside by 3", OUTSIDE, 3, 100, 100, 100},
};

/* The model is fitted with label noise in 3 of 100 rows, of all kinds; recall is measured on held-out rows. */
START_TEST(recall)
{
	enum { FIT = 2000, ROWS = 1500 };
	float *xy = faces(FIT);
	for (int i = 0; i < FIT; i += 33)
		plant(xy + (size_t)i * 2 * K, i / 33 % 6, 25);
	struct shape *s = shape_fit(K, xy, FIT, W, H);
	struct faults *f = faults_new(K);
	ck_assert_ptr_nonnull(s);
	for (size_t p = 0; p < sizeof planted / sizeof *planted; p++) {
		int found[2] = {0}, all[2] = {0}, right = 0;
		for (int i = 0; i < ROWS; i++) {
			float row[2 * K];
			face(row);
			if (i % 2)
				four(row);
			enum fault_kind want = plant(row, planted[p].kind, planted[p].size);
			faults_find(f, s, row, mirror, W, H);
			all[i % 2]++;
			found[i % 2] += f->n > 0;
			int same = 0;
			for (int j = 0; j < f->n; j++)
				same |= f->list[j].kind == want;
			right += same;
		}
		double a = 100.0 * found[0] / all[0], b = 100.0 * found[1] / all[1];
		printf("%-18s found: %5.1f%% of rows with all points, %5.1f%% with four; kind right: %5.1f%%\n", planted[p].name, a, b,
			100.0 * right / ROWS);
		ck_assert_msg(a >= planted[p].all && b >= planted[p].four, "%s: only %.1f%% and %.1f%%", planted[p].name, a, b);
		ck_assert_msg(100 * right >= planted[p].right * ROWS, "%s: only %d of %d called so", planted[p].name, right, ROWS);
	}
	faults_free(f);
	shape_free(s);
	free(xy);
}
END_TEST

/* False alarm rates on clean rows: each of the three tests has level SHAPE_ALPHA, so about 3 in 1,000 fail; fewer are reported as faults.
 */
START_TEST(false_alarms)
{
	enum { FIT = 2000, ROWS = 20000 };
	float *xy = faces(FIT), *row = faces(ROWS);
	struct shape *s = shape_fit(K, xy, FIT, W, H);
	struct faults *f = faults_new(K);
	int unlikely = 0, reported = 0, outside = 0;
	for (int i = 0; i < ROWS; i++) {
		struct shape_test_result v;
		shape_test(s, row + (size_t)i * 2 * K, &v);
		unlikely += v.set || v.point || v.shift;
		faults_find(f, s, row + (size_t)i * 2 * K, mirror, W, H);
		reported += f->n > 0;
		outside += f->n && f->list[0].kind == FAULT_OUTSIDE;
	}
	printf("of %d right rows %d are unlikely, %d are called wrong (%d because they are outside)\n", ROWS, unlikely, reported, outside);
	ck_assert_int_le(unlikely, ROWS * 3 * 3 * SHAPE_ALPHA);
	ck_assert_int_ge(unlikely, ROWS * SHAPE_ALPHA / 3); /* nor much below the level */
	ck_assert_int_le(reported - outside, ROWS * 5 * SHAPE_ALPHA);
	shape_free(s);
	faults_free(f);
	free(xy), free(row);
}
END_TEST

/* The conditional mean's error is about the noise of the points. */
START_TEST(conditional_mean)
{
	enum { FIT = 2000, ROWS = 1000 };
	float *xy = faces(FIT), row[2 * K];
	struct shape *s = shape_fit(K, xy, FIT, W, H);
	double sum[K] = {0};
	for (int i = 0; i < ROWS; i++) {
		face(row);
		for (int k = 0; k < K; k++) {
			double at[2];
			shape_conditional_mean(s, row, k, at);
			sum[k] += (at[0] - row[2 * k]) * (at[0] - row[2 * k]) + (at[1] - row[2 * k + 1]) * (at[1] - row[2 * k + 1]);
		}
	}
	for (int k = 0; k < K; k++) {
		double rms = sqrt(sum[k] / ROWS / 2);
		ck_assert_msg(rms > 0.8 && rms < (k == 10 ? 2.6 : 1.7), "point %d: %.2f pixels", k, rms);
	}
	shape_free(s);
	free(xy);
}
END_TEST

/* Labels not missing completely at random (here: faces to the right have four points) don't bias the mean: what is missing depends on
 * observed points alone. */
START_TEST(missing_for_a_reason)
{
	enum { FIT = 2000 };
	float *xy = faces(FIT);
	double want[2 * K] = {0};
	for (int i = 0; i < FIT; i++) {
		float *row = xy + (size_t)i * 2 * K;
		face(row);
		for (int j = 0; j < 2 * K; j++)
			want[j] += row[j] / FIT;
		if (row[0] > 62)
			four(row);
	}
	struct shape *s = shape_fit(K, xy, FIT, W, H);
	for (int j = 0; j < 2 * K; j++)
		ck_assert_msg(fabs(s->mean[j] - want[j]) < 0.4, "coordinate %d: %.2f, not %.2f", j, s->mean[j], want[j]);
	shape_free(s);
	free(xy);
}
END_TEST

/* Small sets, with a fault in every 15th row, checked as csv-clean does: by a model that was fitted to the same rows. Correct rows are
 * hardly ever called wrong, neither those nor others of the same kind. */
static const struct {
	int rows, sets, recall; /* least recall in per cent */
} small[] = {{10, 60, 15}, {30, 40, 75}, {60, 20, 85}, {100, 12, 90}, {299, 4, 95}};

START_TEST(few_rows)
{
	static const int kinds[] = {SWAP_ONE, SWAP_ALL, PERMUTE, FAR, SHIFT};
	enum { OTHERS = 200 };
	struct faults *f = faults_new(K);
	float *others = faces(OTHERS);
	for (size_t t = 0; t < sizeof small / sizeof *small; t++) {
		int n = small[t].rows, planted = 0, found = 0, wrong = 0, wrong_others = 0, all = 0;
		for (int set = 0; set < small[t].sets; set++) {
			float *xy = faces((size_t)n);
			for (int i = set % 2; i < n; i += 15)
				plant(xy + (size_t)i * 2 * K, kinds[(planted + i / 15) % 5], 28);
			struct shape *s = shape_fit(K, xy, (size_t)n, W, H);
			ck_assert_ptr_nonnull(s);
			ck_assert(s->rows == (size_t)n && s->shrunk > 0 && s->shrunk < 1);
			for (int i = 0; i < n; i++) {
				int is = i % 15 == set % 2;
				faults_find(f, s, xy + (size_t)i * 2 * K, mirror, W, H);
				planted += is, found += is && f->n, wrong += !is && f->n, all += !is;
			}
			for (int i = 0; i < OTHERS; i++) {
				faults_find(f, s, others + (size_t)i * 2 * K, mirror, W, H);
				wrong_others += f->n > 0;
			}
			shape_free(s);
			free(xy);
		}
		printf("%3d rows: %d of %d faults found, %d of %d right rows called wrong; of others %d of %d\n", n, found, planted, wrong,
			all, wrong_others, OTHERS * small[t].sets);
		ck_assert_msg(100 * found >= small[t].recall * planted, "%d rows: only %d of %d", n, found, planted);
		ck_assert_int_le(wrong, all * 3 * SHAPE_ALPHA);
		ck_assert_int_le(wrong_others, OTHERS * small[t].sets * 9 * SHAPE_ALPHA);
	}
	faults_free(f);
	free(others);
}
END_TEST

/* One to three points, for which the target is no simpler than the covariance; and rows that are all alike. */
START_TEST(few_degenerate)
{
	static const int self[] = {0, 1, 2};
	for (int k = 1; k <= 3; k++) {
		float xy[20 * 6], equal[20 * 6];
		struct faults *f = faults_new(k);
		for (int i = 0; i < 20 * 2 * k; i++)
			xy[i] = (float)(20 + 10 * (i % (2 * k)) + normal()), equal[i] = (float)(20 + i % (2 * k));
		for (int same = 0; same < 2; same++) {
			struct shape *s = shape_fit(k, same ? equal : xy, 20, W, H);
			ck_assert_ptr_nonnull(s);
			for (int i = 0; i < 20; i++) {
				faults_find(f, s, (same ? equal : xy) + (size_t)i * 2 * (size_t)k, self, W, H);
				ck_assert_int_eq(f->n, 0);
			}
			shape_free(s);
		}
		faults_free(f);
	}
}
END_TEST

/* As many points as a shape model takes are one block; more, which may be of pairs, are as few as hold them. */
START_TEST(blocks_of_points)
{
	static const int blocks[][2] = {{0, 0}, {1, 1}, {63, 1}, {64, 1}, {65, 2}, {126, 2}, {127, 3}, {128, 3}};
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
		for (int pairs = 0; pairs < 2; pairs++) {
			int k = blocks[i][0], mirror[128];
			for (int p = 0; p < k; p++)
				mirror[p] = pairs && (p ^ 1) < k ? p ^ 1 : p;
			struct label_check *c = label_check_new(k, mirror);
			ck_assert_msg(c->nblocks == blocks[i][1], "%d points are %d blocks", k, c->nblocks);
			label_check_free(c);
		}
}
END_TEST

/* 33 pairs in two blocks: all of one are exchanged, and one pair of the other. Both are told: a fault of the whole row hides none of a
 * point. */
START_TEST(faults_of_blocks)
{
	enum { N = 66, ROWS = 300 };
	float *xy = xmalloc((size_t)ROWS * 2 * N * sizeof *xy), row[2 * N];
	int mirror[N];
	for (int p = 0; p < N; p++)
		mirror[p] = p ^ 1;
	for (int i = 0; i < ROWS; i++)
		for (int p = 0; p < N; p++) {
			int side = p % 2 ? -1 : 1;
			xy[(i * N + p) * 2] = (float)(47.5 + side * (12 + p / 2 % 6 * 4) + normal());
			xy[(i * N + p) * 2 + 1] = (float)(20 + p / 12 * 10 + normal());
		}
	struct label_check *c = label_check_new(N, mirror);
	label_check_fit(c, xy, ROWS, W, H);
	ck_assert(c->fitted && c->nblocks == 2);
	memcpy(row, xy, sizeof row);
	ck_assert_int_eq(label_check_row(c, row, W, H)->n, 0);
	for (int p = 0; p < N; p += 2)
		if ((p / 2 + 1) / 2 % 2 == 0) /* pairs are dealt to the blocks as 0 1 1 0 0 1 1 0 ... */
			swap(row, p, p + 1);
	swap(row, 2, 3);
	const struct faults *f = label_check_row(c, row, W, H);
	int all = 0, one = 0;
	for (int i = 0; i < f->n; i++) {
		all += f->list[i].kind == FAULT_SWAPPED && f->list[i].point == -1;
		one += f->list[i].kind == FAULT_SWAPPED && f->list[i].point == 2 && f->list[i].other == 3;
	}
	ck_assert_msg(all == 1 && one == 1, "%d of all, %d of the pair, of %d", all, one, f->n);
	label_check_free(c), free(xy);
}
END_TEST

START_TEST(too_little)
{
	float *xy = faces(400);
	ck_assert_ptr_null(shape_fit(K, xy, SHAPE_ROWS_MIN - 1, W, H));
	ck_assert_ptr_null(shape_fit(0, xy, 400, W, H));
	ck_assert_ptr_null(shape_fit(SHAPE_POINTS_MAX + 1, xy, 90, W, H));
	for (int i = 0; i < 400 * 2 * K; i++)
		if (i >= (SHAPE_ROWS_MIN - 1) * 2 * K)
			xy[i] = NAN;
	ck_assert_ptr_null(shape_fit(K, xy, 400, W, H)); /* of 400 rows too few have labels */
	free(xy);
}
END_TEST

/* A fit succeeds with a point that is never labelled, one that never varies, two that always coincide, a single point, many points. */
START_TEST(degenerate_points)
{
	float *xy = faces(300);
	struct faults *f = faults_new(K);
	for (int i = 0; i < 300; i++) {
		float *r = xy + (size_t)i * 2 * K;
		r[6] = r[7] = NAN;
		r[8] = 30, r[9] = 40;
		r[10] = r[0], r[11] = r[1];
	}
	struct shape *s = shape_fit(K, xy, 300, W, H);
	ck_assert_ptr_nonnull(s);
	int wrong = 0;
	for (int i = 0; i < 300; i++) {
		faults_find(f, s, xy + (size_t)i * 2 * K, mirror, W, H);
		wrong += f->n > 0;
	}
	ck_assert_int_le(wrong, 15);
	float row[2 * K];
	face(row);
	faults_find(f, s, row, mirror, W, H); /* labels the point that had no labels */
	shape_free(s);
	static const int one[] = {0};
	struct faults *g = faults_new(1);
	float *single = xmalloc(200 * 2 * sizeof *single);
	for (int i = 0; i < 400; i++)
		single[i] = (float)(40 + normal());
	s = shape_fit(1, single, 200, W, H);
	ck_assert_ptr_nonnull(s);
	faults_find(g, s, (float[]){90, 5}, one, W, H); /* a single point is checked against the image's edge alone */
	ck_assert_int_eq(g->n, 0);
	faults_find(g, s, (float[]){5, 97}, one, W, H);
	ck_assert(g->n == 1 && g->list[0].kind == FAULT_OUTSIDE && g->drop);
	shape_free(s);
	faults_free(g);
	float *many = xmalloc(150 * 2 * SHAPE_POINTS_MAX * sizeof *many); /* fewer rows than coordinates */
	for (int i = 0; i < 150 * 2 * SHAPE_POINTS_MAX; i++)
		many[i] = (float)(48 + 20 * sin(i % (2 * SHAPE_POINTS_MAX)) + normal());
	s = shape_fit(SHAPE_POINTS_MAX, many, 150, W, H);
	ck_assert_ptr_nonnull(s);
	shape_free(s);
	faults_free(f);
	free(xy), free(single), free(many);
}
END_TEST

START_TEST(without_model)
{
	struct faults *f = faults_new(3);
	static const int self[] = {0, 1, 2};
	faults_find(f, NULL, (float[]){NAN, NAN, 5, NAN, 111.9f, 96}, self, W, H);
	ck_assert_int_eq(f->n, 1);
	ck_assert(f->list[0].kind == FAULT_HALF && f->list[0].point == 1 && f->blank[1] && !f->blank[0] && !f->blank[2] && !f->drop);
	faults_find(f, NULL, (float[]){-1.01f, 4, 5, 96.1f, 95, 95}, self, W, H);
	ck_assert_int_eq(f->n, 2);
	ck_assert(f->list[0].kind == FAULT_OUTSIDE && f->list[1].kind == FAULT_OUTSIDE && f->drop); /* two of three points are outside */
	faults_find(f, NULL, (float[]){NAN, NAN, NAN, NAN, NAN, NAN}, self, W, H);
	ck_assert(!f->n && !f->drop);
	faults_free(f);
}
END_TEST

START_TEST(repeats)
{
	float *xy = faces(500);
	struct shape *a = shape_fit(K, xy, 500, W, H), *b = shape_fit(K, xy, 500, W, H);
	ck_assert(!memcmp(a->mean, b->mean, 2 * K * sizeof(double)) && !memcmp(a->cov, b->cov, 4 * K * K * sizeof(double)) &&
		  a->dof == b->dof);
	shape_free(a), shape_free(b);
	free(xy);
}
END_TEST

/* ---- linear algebra and distributions ---- */

START_TEST(inverse)
{
	for (int n = 1; n < 12; n++) {
		double a[144], m[144], b[144], logdet, det = 1;
		for (int i = 0; i < n * n; i++)
			b[i] = normal();
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++) {
				a[i * n + j] = i == j;
				for (int k = 0; k < n; k++)
					a[i * n + j] += b[i * n + k] * b[j * n + k];
			}
		memcpy(m, a, sizeof m);
		ck_assert(cholesky_invert(m, n, &logdet));
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++) {
				double s = 0;
				for (int k = 0; k < n; k++)
					s += a[i * n + k] * m[k * n + j];
				ck_assert_double_eq_tol(s, i == j, 1e-9);
				ck_assert(m[i * n + j] == m[j * n + i]);
			}
		ck_assert(cholesky_factor(a, n));
		for (int i = 0; i < n; i++)
			det *= a[i * n + i] * a[i * n + i];
		ck_assert_double_eq_tol(logdet, log(det), 1e-9);
	}
	double bad[] = {1, 2, 2, 1}, d;
	ck_assert(!cholesky_invert(bad, 2, &d));
}
END_TEST

START_TEST(tails)
{
	/* two coordinates: closed form; many degrees of freedom: the chi-squared table */
	for (double d = 0.1; d < 1000; d *= 1.7)
		for (double nu = 1; nu < 100; nu *= 2.3) {
			ck_assert_double_eq_tol(f_dist_sf(d, 2, nu) / pow(1 + d / nu, -nu / 2), 1, 1e-9);
			ck_assert_double_eq_tol(f_dist_isf(f_dist_sf(d, 5, nu), 5, nu) / d, 1, 1e-6);
		}
	ck_assert_double_eq_tol(f_dist_sf(18.307, 10, 1e7), 0.05, 1e-5);
	ck_assert_double_eq_tol(f_dist_sf(43.773, 30, 1e7), 0.05, 1e-5);
	/* F table: 5 % are above 2.3479 with 10 and 20 degrees of freedom */
	ck_assert_double_eq_tol(f_dist_sf(10 * 2.34788, 10, 20), 0.05, 1e-5);
	ck_assert(f_dist_sf(0, 3, 3) == 1 && f_dist_sf(INFINITY, 3, 3) == 0);
}
END_TEST

/* shape_likelihood is a log density: its exponential sums to 1 over the plane, of one point alone and of two up to translation. */
START_TEST(density)
{
	struct shape *s = shape_new(2);
	static const double cov[] = {9, 2, 4, 1, 2, 6, 1, 3, 4, 1, 8, 0, 1, 3, 0, 5};
	memcpy(s->cov, cov, sizeof cov);
	s->dof = 7;
	double sum = 0, difference = 0;
	float row[4] = {NAN, NAN, 0, 0};
	for (double x = -100; x < 100; x += 0.5)
		for (double y = -100; y < 100; y += 0.5) {
			row[2] = (float)x, row[3] = (float)y;
			sum += exp(shape_likelihood(s, row, 0)) / 4;
		}
	ck_assert_double_eq_tol(sum, 1, 1e-3);
	/* up to translation: the density of the points' difference */
	for (double x = -100; x < 100; x += 0.5)
		for (double y = -100; y < 100; y += 0.5) {
			row[0] = 17, row[1] = -5, row[2] = (float)(17 + x), row[3] = (float)(y - 5);
			difference += exp(shape_likelihood(s, row, 1)) / 4;
		}
	ck_assert_double_eq_tol(difference, 1, 1e-3);
	shape_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shape");
	TCase *t = tcase_create("shape");
	tcase_add_checked_fixture(t, reset_random, NULL);
	tcase_add_test(t, inverse);
	tcase_add_test(t, tails);
	tcase_add_test(t, density);
	tcase_add_test(t, missing_for_a_reason);
	tcase_add_test(t, few_rows);
	tcase_add_test(t, few_degenerate);
	tcase_add_test(t, blocks_of_points);
	tcase_add_test(t, faults_of_blocks);
	tcase_add_test(t, too_little);
	tcase_add_test(t, without_model);
	tcase_add_test(t, degenerate_points);
	tcase_add_test(t, repeats);
	tcase_add_test(t, conditional_mean);
	tcase_add_test(t, false_alarms);
	tcase_add_test(t, recall);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
