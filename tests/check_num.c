#include <check.h>
#include <math.h>
#include <stdio.h>

#include "lib/base/num.h"

static const char *const never[] = {"", " ", "-", "+", "+1", " 1", "1 ", "1\n", "0x10", "1a", "a1", "--1", "- 1", "1-", "inf", "nan",
	"-inf", "infinity", "NAN", ".", "-.", "e5", "1e", "1e+", "1e5.5", "1.2.3", "1,5", "0x1p3", "1_000", "\xd9\xa1", "1f", "1L"};

START_TEST(nothing_else)
{
	int64_t i = 77;
	uint64_t u = 77;
	double d = 77;
	ck_assert_msg(!num_int(never[_i], &i) && i == 77, "int '%s'", never[_i]);
	ck_assert_msg(!num_uint(never[_i], &u) && u == 77, "uint '%s'", never[_i]);
	ck_assert_msg(!num_real(never[_i], &d) && d == 77, "real '%s'", never[_i]);
}
END_TEST

START_TEST(ints)
{
	static const struct {
		const char *s;
		int64_t v;
	} good[] = {{"0", 0}, {"-0", 0}, {"007", 7}, {"-1", -1}, {"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN}};
	static const char *const bad[] = {
		"9223372036854775808", "-9223372036854775809", "18446744073709551616", "99999999999999999999999", "1.0", "1e3"};
	int64_t v = 77;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		ck_assert(num_int(good[i].s, &v));
		ck_assert_int_eq(v, good[i].v);
	}
	v = 77;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!num_int(bad[i], &v) && v == 77, "%s", bad[i]);
}
END_TEST

START_TEST(uints)
{
	uint64_t v = 77;
	ck_assert(num_uint("18446744073709551615", &v) && v == UINT64_MAX);
	ck_assert(num_uint("0", &v) && v == 0);
	ck_assert(num_uint("00000000000000000000000000000000012", &v) && v == 12);
	v = 77;
	ck_assert(!num_uint("18446744073709551616", &v));
	ck_assert(!num_uint("18446744073709551620", &v));
	ck_assert(!num_uint("184467440737095516150", &v));
	ck_assert(!num_uint("-1", &v) && !num_uint("-0", &v));
	ck_assert(v == 77);
}
END_TEST

START_TEST(reals)
{
	static const struct {
		const char *s;
		double v;
	} good[] = {{"0", 0}, {"1", 1}, {"-2.5", -2.5}, {".5", .5}, {"5.", 5}, {"-.5", -.5}, {"1e3", 1000}, {"1E-3", 0.001},
		{"1.5e+2", 150}, {"1e-400", 0}, {"179769313486231570000e288", 1.7976931348623157e308}};
	double v = 77;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		ck_assert_msg(num_real(good[i].s, &v), "%s", good[i].s);
		ck_assert_msg(v == good[i].v, "%s gave %g", good[i].s, v);
	}
	v = 77;
	ck_assert(!num_real("1e309", &v) && !num_real("-1e309", &v) && v == 77);
}
END_TEST

/* Printed numbers are read back exactly. */
START_TEST(round_trip)
{
	uint64_t x = 1;
	for (int i = 0; i < 10000; i++) {
		char s[64];
		x = x * 6364136223846793005u + 1442695040888963407u;
		uint64_t u = x >> (i % 64), u2 = ~u;
		int64_t n = (int64_t)u, n2 = ~n;
		double d = ldexp((double)n, i % 300 - 150), d2 = -1;
		snprintf(s, sizeof s, "%llu", (unsigned long long)u);
		ck_assert(num_uint(s, &u2) && u2 == u);
		snprintf(s, sizeof s, "%lld", (long long)n);
		ck_assert(num_int(s, &n2) && n2 == n);
		snprintf(s, sizeof s, "%.17g", d);
		ck_assert(num_real(s, &d2) && d2 == d);
	}
}
END_TEST

START_TEST(sizes)
{
	static const char *const bad[] = {"", "x", "1x", "x1", "0x1", "1x0", "65536x1", "1x65536", "-1x1", "1x-1", "1X1", "1 x1", "1x1 ",
		"1x1x1", "1*1", "99999999999999999999x1", "1.0x1"};
	int w = 7, h = 7;
	ck_assert(num_size("96x48", &w, &h) && w == 96 && h == 48);
	ck_assert(num_size("1x65535", &w, &h) && w == 1 && h == 65535);
	w = h = 7;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!num_size(bad[i], &w, &h) && w == 7 && h == 7, "%s", bad[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("num");
	TCase *t = tcase_create("num");
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, nothing_else, 0, sizeof never / sizeof *never);
	tcase_add_test(t, ints);
	tcase_add_test(t, uints);
	tcase_add_test(t, reals);
	tcase_add_test(t, round_trip);
	tcase_add_test(t, sizes);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
