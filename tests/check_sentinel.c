/* Missing labels written as numbers, or filled with a mean or from the row before, are found, and labels that repeat because they are whole
 * numbers, or stand still, are not. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/labels/filled.h"
#include "lib/labels/sentinel.h"

enum { K = 6, ROWS = 300 };

static float uniform(int i)
{
	return philox_uniform(philox(8, PHILOX_TEST, 1, (uint32_t)i, 0).v[0]);
}

/* Labels about places of their own, standard deviation sd, whole where asked. */
static float *spread(int n, int whole, float sd)
{
	float *xy = xcalloc((size_t)n * K * 2, sizeof *xy);
	for (int i = 0; i < n * K; i++) {
		struct philox r = philox(8, PHILOX_TEST, 0, (uint32_t)i, 0);
		xy[2 * i] = 20 + 12 * (float)(i % K % 3) + sd * philox_normal(r.v[0], r.v[1]);
		xy[2 * i + 1] = 30 + 20 * (float)(i % K / 3) + sd * philox_normal(r.v[2], r.v[3]);
		for (int d = 0; d < 2 && whole; d++)
			xy[2 * i + d] = rintf(xy[2 * i + d]);
	}
	return xy;
}

static float *labels(int n, int whole)
{
	return spread(n, whole, 3);
}

static const float values[][2] = {{0, 0}, {-1, -1}, {-1, 0}, {999, 999}, {95, 95}};

/* one point, two thirds of its rows; all points but one; one point always; few rows */
static const struct {
	int n, from, to, of, every;
} cases[] = {{ROWS, 2, 3, 2, 3}, {ROWS, 1, K, 2, 3}, {ROWS, 4, 5, 1, 1}, {20, 0, 2, 1, 2}};

START_TEST(found)
{
	const float *v = values[_i % 5];
	int c = _i / 5 % 4, whole = _i / 20, n = cases[c].n;
	float *xy = labels(n, whole);
	for (int i = 0; i < n; i++)
		for (int p = cases[c].from; p < cases[c].to && i % cases[c].every < cases[c].of; p++)
			xy[(i * K + p) * 2] = v[0], xy[(i * K + p) * 2 + 1] = v[1];
	struct sentinels s;
	sentinels_state(&s, NULL);
	sentinels_find(&s, K, xy, (size_t)n, 96, 96);
	ck_assert_msg(s.n == 1 && s.xy[0][0] == v[0] && s.xy[0][1] == v[1], "%g,%g in case %d, whole %d: %d found, first %g,%g",
		(double)v[0], (double)v[1], c, whole, s.n, (double)s.xy[0][0], (double)s.xy[0][1]);
	ck_assert(sentinel_is(&s, 0, v) && !sentinel_is(&s, 0, (float[]){v[0], 40}));
	ck_assert(isnan(s.fixed[2 * 4]) && isnan(s.mean[2 * 4]));
	free(xy), sentinels_free(&s);
}
END_TEST

START_TEST(none_in_whole_numbers)
{
	for (int n = 5; n <= 2000; n = 2 * n + 3) {
		float *xy = labels(n, 1);
		struct sentinels s;
		sentinels_state(&s, NULL);
		sentinels_find(&s, K, xy, (size_t)n, 96, 96);
		ck_assert_msg(!s.n, "%d rows: %g,%g", n, (double)s.xy[0][0], (double)s.xy[0][1]);
		free(xy), sentinels_free(&s);
	}
}
END_TEST

/* One coordinate alone, the other a true one: of some points, or of one. */
static const float alone[] = {-1, 0, 999};

START_TEST(one_number)
{
	int d = _i % 2, whole = _i / 2 % 2, to = _i / 4 % 2 ? 3 : 6, n = 200;
	float v = alone[_i / 8], *xy = labels(n, whole);
	for (int i = 0; i < n; i++)
		for (int p = 2; p < to && i % 3; p++)
			xy[(i * K + p) * 2 + d] = v;
	struct sentinels s;
	sentinels_state(&s, NULL);
	sentinels_find(&s, K, xy, (size_t)n, 96, 96);
	ck_assert_msg(
		s.n == 1 && s.xy[0][d] == v && isnan(s.xy[0][!d]), "%d found, first %g,%g", s.n, (double)s.xy[0][0], (double)s.xy[0][1]);
	float has[2] = {40, 40}, other[2] = {v, v};
	has[d] = v, other[d] = 40;
	ck_assert(sentinel_is(&s, 1, has) && !sentinel_is(&s, 1, other));
	free(xy), sentinels_free(&s);
}
END_TEST

/* Two pairs, together in two thirds of the rows. */
START_TEST(two_pairs)
{
	for (int n = 60; n <= 960; n *= 4) {
		float *xy = labels(n, _i);
		for (int i = 0; i < n; i++)
			for (int p = 1; p < 4 && i % 3; p++)
				xy[(i * K + p) * 2] = xy[(i * K + p) * 2 + 1] = (float)(1 - i % 3);
		struct sentinels s;
		sentinels_state(&s, NULL);
		sentinels_find(&s, K, xy, (size_t)n, 96, 96);
		ck_assert_msg(s.n == 2 && s.xy[0][0] + s.xy[1][0] == -1 && s.xy[0][1] + s.xy[1][1] == -1, "%d rows: %d, %g,%g", n, s.n,
			(double)s.xy[0][0], (double)s.xy[0][1]);
		free(xy), sentinels_free(&s);
	}
}
END_TEST

/* Every label of point p in rows [0, part n) becomes the mean of the others, of whole numbers their median. */
static void fill_with_mean(float *xy, int n, int p, double part, int whole)
{
	double mean[2] = {0};
	int from = (int)(part * n);
	for (int i = from; i < n; i++)
		for (int d = 0; d < 2; d++)
			mean[d] += (double)xy[(i * K + p) * 2 + d] / (n - from);
	for (int i = 0; i < from; i++)
		for (int d = 0; d < 2; d++)
			xy[(i * K + p) * 2 + d] = whole ? rintf((float)mean[d]) : (float)mean[d];
}

static const double parts[] = {0.3, 0.6, 0.9};

START_TEST(means)
{
	int whole = _i % 2, n = 20 * (_i / 6 ? 100 : 3);
	double part = parts[_i / 2 % 3];
	if (whole && n < 100 && part < 0.5)
		return; /* too few to tell from what whole numbers repeat */
	float *xy = labels(n, whole);
	for (int p = 1; p < 4; p++)
		fill_with_mean(xy, n, p, part, whole);
	struct sentinels s;
	sentinels_state(&s, NULL);
	sentinels_find(&s, K, xy, (size_t)n, 96, 96);
	ck_assert_int_eq(s.n, 0);
	for (int p = 0; p < K; p++) {
		ck_assert_msg(isnan(s.mean[2 * p]) == (p < 1 || p > 3), "point %d, %g of %d rows, whole %d", p, part, n, whole);
		ck_assert(isnan(s.fixed[2 * p]));
		int none = 0;
		for (int i = 0; i < n; i++)
			none += sentinel_is(&s, p, xy + (i * K + p) * 2) == SENTINEL_MEAN;
		ck_assert(p < 1 || p > 3 ? !none : none >= (int)(part * n) && none <= (int)(part * n) + n / 10);
	}
	ck_assert(!sentinel_is(&s, 0, xy + 2)); /* another point may stand there */
	sentinels_free(&s);
	sentinels_state(&s, "none");
	sentinels_find(&s, K, xy, (size_t)n, 96, 96);
	ck_assert(!sentinel_is(&s, 1, xy + 2));
	free(xy), sentinels_free(&s);
}
END_TEST

/* Filled with what is not in the middle, as the most frequent value: found where the rows have labels of their own. */
START_TEST(modes)
{
	int n = 1000;
	float *xy = labels(n, 0);
	for (int p = 2; p < K; p++)
		for (int i = 0; i < n / 2; i++)
			xy[(i * K + p) * 2] = xy[(n - 1) * K * 2 + 2 * p] + 3, xy[(i * K + p) * 2 + 1] = xy[(n - 1) * K * 2 + 2 * p + 1];
	struct sentinels s;
	sentinels_state(&s, NULL);
	sentinels_find(&s, K, xy, (size_t)n, 96, 96);
	for (int p = 0; p < K; p++)
		ck_assert_msg(isnan(s.mean[2 * p]) == (p < 2), "point %d", p);
	free(xy), sentinels_free(&s);
}
END_TEST

/* A film of one person who holds still: labels that repeat to the last bit, off the mean. */
START_TEST(still)
{
	int n = 1000;
	float *xy = labels(n, 0);
	double mean[2 * K] = {0}, square[2 * K] = {0};
	for (int i = 0; i < n; i++)
		for (int j = 0; j < 2 * K; j++)
			mean[j] += (double)xy[i * 2 * K + j] / n, square[j] += pow((double)xy[i * 2 * K + j], 2) / n;
	for (int i = 0; i < 20; i++)
		for (int j = 0; j < 2 * K; j++)
			xy[i * 2 * K + j] = (float)(mean[j] + (j % 2 ? 0 : 2) * sqrt(square[j] - mean[j] * mean[j]));
	struct sentinels s;
	sentinels_state(&s, NULL);
	sentinels_find(&s, K, xy, (size_t)n, 96, 96);
	for (int p = 0; p < K; p++)
		ck_assert_msg(!s.n && isnan(s.mean[2 * p]), "point %d", p);
	free(xy), sentinels_free(&s);
}
END_TEST

/* Whole numbers that hardly vary, as of aligned faces, repeat; a point that is at one place of the image in all rows, or all but a few, is
 * kept, and so are its labels elsewhere. */
START_TEST(aligned)
{
	static const float deviations[] = {0.2f, 0.3f, 0.35f, 0.4f, 0.5f, 0.7f, 1};
	for (int n = 20; n <= 2000; n = 4 * n + 1) {
		float *xy = spread(n, 1, deviations[_i]);
		for (int i = 0; i < n; i++)
			for (int p = 0; p < 2; p++)
				xy[(i * K + p) * 2] = i % 200 == 7 && p ? (float)(i % 90) : 30, xy[(i * K + p) * 2 + 1] = (float)(40 + p);
		struct sentinels s;
		sentinels_state(&s, NULL);
		sentinels_find(&s, K, xy, (size_t)n, 96, 96);
		ck_assert_msg(s.n == 0, "%d rows: %g,%g", n, (double)s.xy[0][0], (double)s.xy[0][1]);
		for (int p = 0; p < K; p++)
			ck_assert_msg(isnan(s.mean[2 * p]), "%d rows: point %d", n, p);
		ck_assert(s.fixed[0] == 30 && s.fixed[1] == 40 && s.fixed[2] == 30 && s.fixed[3] == 41);
		ck_assert(deviations[_i] < 0.25f || isnan(s.fixed[4]));
		free(xy), sentinels_free(&s);
	}
}
END_TEST

/* Missing labels as the row before has them (step 1) or the row behind (-1): points from `from` on lack a part of theirs, each by itself
 * or all in the same rows. */
static void fill_from_row(float *xy, int n, int from, float part, int step, int together)
{
	for (int r = 1; r < n; r++) {
		int i = step > 0 ? r : n - 1 - r;
		for (int p = from; p < K; p++)
			if (uniform(i * K + (together ? 0 : p)) < part)
				for (int d = 0; d < 2; d++)
					xy[(i * K + p) * 2 + d] = xy[((i - step) * K + p) * 2 + d];
	}
}

START_TEST(filled)
{
	int whole = _i % 2, step = _i / 2 % 2 ? 1 : -1, together = _i / 4 % 2, n = _i / 8 ? 60 : 1000;
	size_t count[K];
	for (float part = 0.3f; part < 0.8f; part += 0.2f) {
		if (whole && n < 100 && part < 0.4f)
			continue; /* too few to tell from what whole numbers repeat */
		float *xy = labels(n, whole);
		fill_from_row(xy, n, 2, part, step, together);
		filled_find(K, xy, (size_t)n, count);
		ck_assert(!count[0] && !count[1]);
		for (int p = 2; p < K; p++) {
			int repeated = 0;
			for (int i = 1; i < n; i++)
				repeated += xy[(i * K + p) * 2] == xy[(i * K - K + p) * 2] &&
					    xy[(i * K + p) * 2 + 1] == xy[(i * K - K + p) * 2 + 1];
			ck_assert_msg(count[p] == (size_t)repeated, "point %d, %g of %d rows: %zu, not %d", p, (double)part, n, count[p],
				repeated);
		}
		free(xy);
	}
}
END_TEST

/* What is not filled: whole numbers that hardly vary; copies of rows; frames of a video, in which points move by a pixel now and then; a
 * point that never moves; a few labels that happen to be equal. */
START_TEST(not_filled)
{
	enum { SMALL, COPIES, VIDEO, FIXED, FEW };
	int n = _i == FEW ? 100 : 1000;
	size_t count[K];
	float *xy = spread(n, _i != FEW, _i == SMALL ? 0.5f : 3);
	for (int i = 1; i < n; i++)
		for (int j = 0; j < 2 * K; j++) {
			float *v = xy + i * K * 2 + j, before = *(v - 2 * K);
			if (_i == COPIES && i % 4)
				*v = before;
			if (_i == VIDEO)
				*v = before + (uniform(i * 2 * K + j) < 0.2f ? (uniform(7 * i + j) < 0.5f ? 1.f : -1.f) : 0);
			if (_i == FIXED && j < 4)
				*v = 33;
			if (_i == FEW && j < 4 && i % 11 == 0)
				*v = before;
		}
	filled_find(K, xy, (size_t)n, count);
	for (int p = 0; p < K; p++)
		ck_assert_msg(!count[p], "point %d: %zu", p, count[p]);
	filled_find(K, xy, 1, count);
	filled_find(K, xy, 0, count);
	ck_assert(!count[0]);
	free(xy);
}
END_TEST

START_TEST(stated)
{
	float *xy = labels(ROWS, 0);
	for (int i = 0; i < ROWS; i++)
		xy[i * K * 2] = xy[i * K * 2 + 1] = 0;
	struct sentinels s;
	sentinels_state(&s, "none");
	sentinels_find(&s, K, xy, ROWS, 96, 96);
	ck_assert(!s.n && !sentinel_is(&s, 0, (float[]){0, 0}));
	sentinels_free(&s);
	sentinels_state(&s, "0,-1");
	sentinels_find(&s, K, xy, ROWS, 96, 96);
	ck_assert(!s.n && sentinel_is(&s, 0, (float[]){0, 0}) && sentinel_is(&s, 0, (float[]){-1, 0}) &&
		  !sentinel_is(&s, 0, (float[]){0, 3}));
	free(xy), sentinels_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sentinel");
	TCase *t = tcase_create("sentinel");
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, found, 0, 40);
	tcase_add_test(t, none_in_whole_numbers), tcase_add_test(t, stated);
	tcase_add_loop_test(t, one_number, 0, 24), tcase_add_loop_test(t, two_pairs, 0, 2), tcase_add_loop_test(t, means, 0, 12),
		tcase_add_test(t, still), tcase_add_test(t, modes), tcase_add_loop_test(t, aligned, 0, 7);
	tcase_add_loop_test(t, filled, 0, 16), tcase_add_loop_test(t, not_filled, 0, 5);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
