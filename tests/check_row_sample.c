/* Samples of rows: every row as often as another, whatever the order in which they are offered; sorted and shuffled rows; sets of ids. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/filter/id_set.h"
#include "lib/filter/row_order.h"
#include "lib/filter/row_sample.h"

enum { ROWS = 50, SEEDS = 1000 };

/* The rows of a sample in place[], a slot of its own for each; offered from first on, in steps. */
static size_t draw(uint64_t n, uint64_t seed, int first, int step, uint64_t *place)
{
	struct row_sample s;
	size_t slot;
	row_sample_begin(&s, n, seed);
	for (int i = 0, row = first; i < ROWS; i++, row = (row + step) % ROWS)
		if (row_sample_offer(&s, (uint64_t)row, &slot) && slot < n)
			place[slot] = (uint64_t)row;
	row_sample_end(&s);
	size_t count = s.count;
	int good = 1;
	for (size_t i = 0; i < count; i++)
		good &= (!i || s.drawn[i].row > s.drawn[i - 1].row) && s.drawn[i].slot < n && place[s.drawn[i].slot] == s.drawn[i].row;
	ck_assert_msg(good, "rows out of order, or out of their slots");
	for (size_t i = 0; i < count; i++)
		place[i] = s.drawn[i].row;
	row_sample_free(&s);
	return count;
}

START_TEST(uniform)
{
	static const uint64_t sizes[] = {1, 2, 7, 49, 50, 51, 1000};
	uint64_t a[1000], b[1000];
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		uint64_t n = sizes[k];
		int drawn[ROWS] = {0};
		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			size_t count = draw(n, seed, 0, 1, a);
			ck_assert_uint_eq(count, n < ROWS ? n : ROWS);
			ck_assert_uint_eq(draw(n, seed, 13, 7, b), count);
			ck_assert(!memcmp(a, b, count * sizeof *a));
			for (size_t i = 0; i < count; i++)
				drawn[a[i]]++;
		}
		double p = fmin(1, (double)n / ROWS), spread = sqrt(SEEDS * p * (1 - p));
		for (int i = 0; i < ROWS; i++)
			ck_assert_msg(fabs(drawn[i] - SEEDS * p) <= 4.5 * spread, "row %d: %d times in %d samples of %llu", i, drawn[i],
				SEEDS, (unsigned long long)n);
	}
}
END_TEST

START_TEST(orders)
{
	static const double v[] = {3, NAN, -1, 3, INFINITY, NAN, 0, -INFINITY, -0.0};
	static const uint64_t up[] = {7, 2, 6, 8, 0, 3, 4, 1, 5}, down[] = {4, 0, 3, 6, 8, 2, 7, 1, 5};
	for (int d = 0; d < 2; d++) {
		uint64_t row[9];
		for (uint64_t i = 0; i < 9; i++)
			row[i] = i;
		row_order_sort(row, v, 9, d);
		ck_assert(!memcmp(row, d ? down : up, sizeof row));
	}
	row_order_sort(NULL, NULL, 0, 0);
	row_order_shuffle(NULL, 0, 1);
	int at[4][4] = {{0}};
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		uint64_t row[] = {10, 11, 12, 13}, again[] = {10, 11, 12, 13};
		row_order_shuffle(row, 4, seed), row_order_shuffle(again, 4, seed);
		ck_assert(!memcmp(row, again, sizeof row));
		for (int i = 0; i < 4; i++)
			at[i][row[i] - 10]++;
	}
	for (int i = 0; i < 16; i++)
		ck_assert_msg(abs(at[i / 4][i % 4] - SEEDS / 4) < 75, "%d of row %d in place %d", at[i / 4][i % 4], i % 4, i / 4);
}
END_TEST

START_TEST(ids)
{
	struct id_set s = {0};
	for (int again = 0; again < 2; again++)
		for (uint64_t id = 0; id <= UINT32_MAX; id += id < 100000 ? 37 : 99999991)
			ck_assert_int_eq(id_set_add(&s, (uint32_t)id), again);
	int dense = 1;
	for (uint32_t id = 200000; id < 201000; id++)
		dense &= !id_set_add(&s, id);
	ck_assert(dense && !id_set_add(&s, 1) && !id_set_add(&s, UINT32_MAX) && id_set_add(&s, UINT32_MAX));
	id_set_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("row_sample");
	TCase *t = tcase_create("row_sample");
	tcase_add_test(t, uniform);
	tcase_add_test(t, orders);
	tcase_add_test(t, ids);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
