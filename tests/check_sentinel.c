/* Missing labels written as numbers are found, and labels that repeat because they are whole numbers are not. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/labels/sentinel.h"

enum { K = 6, ROWS = 300 };

/* Labels about places of their own, standard deviation 3, whole where asked. */
static float *labels(int n, int whole)
{
	float *xy = xcalloc((size_t)n * K * 2, sizeof *xy);
	for (int i = 0; i < n * K; i++) {
		struct philox r = philox(8, PHILOX_TEST, 0, (uint32_t)i, 0);
		xy[2 * i] = 20 + 12 * (float)(i % K % 3) + 3 * philox_normal(r.v[0], r.v[1]);
		xy[2 * i + 1] = 30 + 20 * (float)(i % K / 3) + 3 * philox_normal(r.v[2], r.v[3]);
		for (int d = 0; d < 2 && whole; d++)
			xy[2 * i + d] = rintf(xy[2 * i + d]);
	}
	return xy;
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
	sentinels_find(&s, K, xy, (size_t)n);
	ck_assert_msg(s.n == 1 && s.xy[0][0] == v[0] && s.xy[0][1] == v[1], "%g,%g in case %d, whole %d: %d found, first %g,%g",
		(double)v[0], (double)v[1], c, whole, s.n, (double)s.xy[0][0], (double)s.xy[0][1]);
	ck_assert(sentinel_is(&s, v) && !sentinel_is(&s, (float[]){v[0], 40}));
	free(xy);
}
END_TEST

START_TEST(none_in_whole_numbers)
{
	for (int n = 5; n <= 2000; n = 2 * n + 3) {
		float *xy = labels(n, 1);
		struct sentinels s;
		sentinels_state(&s, NULL);
		sentinels_find(&s, K, xy, (size_t)n);
		ck_assert_msg(!s.n, "%d rows: %g,%g", n, (double)s.xy[0][0], (double)s.xy[0][1]);
		free(xy);
	}
}
END_TEST

START_TEST(stated)
{
	float *xy = labels(ROWS, 0);
	for (int i = 0; i < ROWS; i++)
		xy[i * K * 2] = xy[i * K * 2 + 1] = 0;
	struct sentinels s;
	sentinels_state(&s, "none");
	sentinels_find(&s, K, xy, ROWS);
	ck_assert(!s.n && !sentinel_is(&s, (float[]){0, 0}));
	sentinels_state(&s, "0,-1");
	sentinels_find(&s, K, xy, ROWS);
	ck_assert(!s.n && sentinel_is(&s, (float[]){0, 0}) && sentinel_is(&s, (float[]){-1, 0}) && !sentinel_is(&s, (float[]){0, 3}));
	free(xy);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sentinel");
	TCase *t = tcase_create("sentinel");
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, found, 0, 40);
	tcase_add_test(t, none_in_whole_numbers), tcase_add_test(t, stated);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
