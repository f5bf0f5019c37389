#include <check.h>
#include <math.h>

#include "lib/base/philox.h"

/* Known answers of Random123 1.14, kat_vectors, philox4x32-10: counter, key, result. */
START_TEST(known_answers)
{
	static const uint32_t v[][10] = {
		{0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
		{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
	};
	for (int i = 0; i < 3; i++) {
		const uint32_t *a = v[i];
		/* counter words: element, row, epoch, purpose; key words: the seed's low and high half */
		struct philox p = philox((uint64_t)a[5] << 32 | a[4], a[3], a[2], a[1], a[0]);
		for (int k = 0; k < 4; k++)
			ck_assert_msg(p.v[k] == a[6 + k], "vector %d, word %d: %08x", i, k, p.v[k]);
	}
}
END_TEST

/* Each argument changes all four words. */
START_TEST(every_argument_counts)
{
	struct philox p = philox(1, 1, 1, 1, 1);
	struct philox other[] = {philox(2, 1, 1, 1, 1), philox(1 + (1ull << 32), 1, 1, 1, 1), philox(1, 2, 1, 1, 1), philox(1, 1, 2, 1, 1),
		philox(1, 1, 1, 2, 1), philox(1, 1, 1, 1, 2)};
	for (int i = 0; i < 6; i++)
		for (int k = 0; k < 4; k++)
			ck_assert_msg(other[i].v[k] != p.v[k], "argument %d, word %d", i, k);
}
END_TEST

START_TEST(purposes_are_pinned)
{
	/* Results depend on the values: purposes are only appended. */
	ck_assert_int_eq(PHILOX_INIT, 0);
	ck_assert_int_eq(PHILOX_MASK, 2);
	ck_assert_int_eq(PHILOX_SPLIT, 6);
	ck_assert_int_eq(PHILOX_LABEL_NOISE, 9);
	ck_assert_int_eq(PHILOX_PIXEL, 10);
	ck_assert_int_eq(PHILOX_TEST, 11);
}
END_TEST

START_TEST(edges)
{
	ck_assert(philox_uniform(0) == 0);
	ck_assert(philox_uniform(0xffffffff) == 16777215.0f / 16777216.0f);
	ck_assert(philox_uniform(255) == 0 && philox_uniform(256) == 1.0f / 16777216.0f);
	for (uint32_t n = 1; n < 70; n++) {
		ck_assert_uint_eq(philox_below(0, n), 0);
		ck_assert_uint_eq(philox_below(0xffffffff, n), n - 1);
	}
	ck_assert_uint_eq(philox_below(0xffffffff, 0xffffffff), 0xfffffffe);
	static const uint32_t end[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 5; k++) {
			float v = philox_normal(end[i], end[k]);
			ck_assert_msg(isfinite(v) && fabsf(v) < 7, "%x %x: %g", end[i], end[k], (double)v);
		}
	ck_assert(philox_normal(0xffffffff, 0) == 0); /* log(1) */
}
END_TEST

/* Tolerances are six standard errors of 400,000 numbers. */
START_TEST(moments)
{
	enum { BLOCKS = 100000 };
	double u1 = 0, u2 = 0, n1 = 0, n2 = 0, n4 = 0, along = 0, last = 0.5;
	int box[10] = {0};
	for (uint32_t i = 0; i < BLOCKS; i++) {
		struct philox p = philox(7, PHILOX_TEST, 0, i, 0), q = philox(7, PHILOX_TEST, 1, i, 0);
		for (int k = 0; k < 4; k++) {
			double u = (double)philox_uniform(p.v[k]), n = (double)philox_normal(p.v[k], q.v[k]);
			ck_assert(u >= 0 && u < 1);
			u1 += u, u2 += u * u, n1 += n, n2 += n * n, n4 += n * n * n * n;
			along += (u - 0.5) * (last - 0.5);
			last = u;
			box[philox_below(p.v[k], 10)]++;
		}
	}
	double N = 4.0 * BLOCKS, se = 6 / sqrt(N);
	ck_assert_double_eq_tol(u1 / N, 0.5, se * sqrt(1 / 12.0));
	ck_assert_double_eq_tol(u2 / N, 1 / 3.0, se * sqrt(4 / 45.0));
	ck_assert_double_eq_tol(along / N, 0, se / 12);
	ck_assert_double_eq_tol(n1 / N, 0, se);
	ck_assert_double_eq_tol(n2 / N, 1, se * sqrt(2));
	ck_assert_double_eq_tol(n4 / N, 3, se * sqrt(96));
	double chi = 0;
	for (int i = 0; i < 10; i++)
		chi += (box[i] - N / 10) * (box[i] - N / 10) / (N / 10);
	ck_assert_msg(chi < 40, "chi squared of ten boxes: %g", chi); /* 9 degrees of freedom: above 40 with probability 1e-5 */
}
END_TEST

int main(void)
{
	Suite *s = suite_create("philox");
	TCase *t = tcase_create("philox");
	suite_add_tcase(s, t);
	tcase_add_test(t, known_answers);
	tcase_add_test(t, every_argument_counts);
	tcase_add_test(t, purposes_are_pinned);
	tcase_add_test(t, edges);
	tcase_add_test(t, moments);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
