/* Ranges, means and texts of every type; valid JSON; tns-info on streams of every type. */
#include <math.h>
#include <stdint.h>

#include "lib/base/json.h"
#include "lib/base/philox.h"
#include "lib/stream/stat.h"
#include "tests/prog.h"

static char a[64], b[64];

/* Extreme values of each type, at unaligned addresses, added at once and in parts. */
START_TEST(integers)
{
	static const struct {
		int dtype;
		int64_t low;
		uint64_t high;
		const char *least, *most;
	} t[] = {{TNS_U8, 0, UINT8_MAX, "0", "255"}, {TNS_I8, INT8_MIN, INT8_MAX, "-128", "127"}, {TNS_U16, 0, UINT16_MAX, "0", "65535"},
		{TNS_I16, INT16_MIN, INT16_MAX, "-32768", "32767"}, {TNS_U32, 0, UINT32_MAX, "0", "4294967295"},
		{TNS_I32, INT32_MIN, INT32_MAX, "-2147483648", "2147483647"}, {TNS_U64, 0, UINT64_MAX, "0", "18446744073709551615"},
		{TNS_I64, INT64_MIN, INT64_MAX, "-9223372036854775808", "9223372036854775807"}};
	for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
		size_t size = tns_size(t[k].dtype);
		char bytes[8 * 4 + 1], *p = bytes + 1;
		int64_t five = 5;
		memcpy(p, &five, size);
		memcpy(p + size, &t[k].high, size);
		memcpy(p + 2 * size, &five, size);
		memcpy(p + 3 * size, &t[k].low, size);
		for (int pieces = 0; pieces < 2; pieces++) {
			struct stat_range s;
			ck_assert(stat_supported(t[k].dtype));
			stat_begin(&s, t[k].dtype);
			ck_assert_str_eq(stat_min(a, &s), "-");
			ck_assert_str_eq(stat_max(a, &s), "-");
			ck_assert(isnan(stat_mean(&s)));
			for (int i = 0; i < 4; i += pieces ? 1 : 4)
				stat_add(&s, p + (size_t)i * size, pieces ? 1 : 4);
			ck_assert_str_eq(stat_min(a, &s), t[k].least);
			ck_assert_str_eq(stat_max(b, &s), t[k].most);
			ck_assert_uint_eq(s.n, 4);
			double mean = ((double)t[k].low + (double)t[k].high + 10) / 4;
			ck_assert_double_eq_tol(stat_mean(&s), mean, fabs(mean) * 1e-15 + (t[k].dtype == TNS_I64 ? 3 : 0));
		}
		ck_assert_str_eq(stat_text(a, t[k].dtype, p, 1), t[k].most);
		ck_assert_str_eq(stat_text(a, t[k].dtype, p, 3), t[k].least);
		ck_assert_str_eq(stat_text(a, t[k].dtype, p, 2), "5");
	}
}
END_TEST

START_TEST(floats)
{
	static const float f[] = {NAN, 1.5f, -2, INFINITY, 0.1f, NAN};
	static const double d[] = {NAN, 1.5, -2, INFINITY, 0.1, NAN};
	struct stat_range s;
	for (int k = 0; k < 2; k++) {
		int type = k ? TNS_F64 : TNS_F32;
		const void *p = k ? (const void *)d : f;
		stat_begin(&s, type);
		stat_add(&s, p, 6);
		ck_assert_uint_eq(s.n, 4);
		ck_assert_uint_eq(s.nan, 2);
		ck_assert_uint_eq(s.inf, 1);
		ck_assert_str_eq(stat_min(a, &s), "-2");
		ck_assert_str_eq(stat_max(a, &s), "inf");
		ck_assert_double_eq_tol(stat_mean(&s), (1.5 - 2 + 0.1) / 3, 1e-8); /* of finite values */
		ck_assert_str_eq(stat_text(a, type, p, 0), "nan");
		ck_assert_str_eq(stat_text(a, type, p, 3), "inf");
		ck_assert_str_eq(stat_text(a, type, p, 4), "0.1");
		stat_begin(&s, type);
		stat_add(&s, p, 1);
		ck_assert_str_eq(stat_min(a, &s), "-");
		ck_assert(isnan(stat_mean(&s)));
		stat_begin(&s, type);
		stat_add(&s, k ? (const void *)(d + 3) : f + 3, 1);
		ck_assert_str_eq(stat_min(a, &s), "inf");
		ck_assert(isnan(stat_mean(&s)));
	}
	ck_assert(!stat_supported(TNS_F16) && !stat_supported(TNS_BF16) && !stat_supported(TNS_BOOL));
	ck_assert_str_eq(stat_text(a, TNS_F16, (const uint16_t[]){1, 0x3c00}, 1), "0x3c00");
	ck_assert_str_eq(stat_text(a, TNS_BF16, (const uint16_t[]){0x3f}, 0), "0x003f");
	ck_assert_str_eq(stat_text(a, TNS_BOOL, (const uint8_t[]){0, 1}, 1), "1");
}
END_TEST

/* The decimal reads back as the same bits; none of fewer digits does. */
START_TEST(digits)
{
	static const double known[] = {0, 1, -1, 0.1, 1e300, 5e-324, 1.0 / 3, 123456789012345680.0, 2.2250738585072014e-308};
	for (int i = 0; i < 20000; i++) {
		struct philox r = philox(1, PHILOX_TEST, 0, (uint32_t)i, 0);
		uint64_t bits = (uint64_t)r.v[0] << 32 | r.v[1];
		double v;
		float f;
		memcpy(&v, &bits, 8), memcpy(&f, &r.v[2], 4);
		v = i < (int)(sizeof known / sizeof *known) ? known[i] : v;
		if (isfinite(v)) {
			double back = strtod(json_digits(a, v, 0), NULL);
			ck_assert_msg(!memcmp(&v, &back, 8), "%.17g came back from %s", v, a);
			snprintf(b, sizeof b, "%.15g", v);
			ck_assert(strlen(a) <= strlen(b) || strtod(b, NULL) != v);
		}
		if (isfinite(f)) {
			float back = strtof(json_digits(a, (double)f, 1), NULL);
			ck_assert_msg(!memcmp(&f, &back, 4), "%.9g came back from %s", (double)f, a);
			ck_assert_uint_le(strlen(a), 16);
		}
	}
	ck_assert_str_eq(json_digits(a, (double)0.1f, 1), "0.1");
	ck_assert_str_eq(json_digits(a, 0.1, 0), "0.1");
	ck_assert_str_eq(json_digits(a, 16777216, 1), "16777216");
}
END_TEST

static void write_json(void *arg)
{
	(void)arg;
	struct out *to = out_open(NULL, 0);
	struct json j;
	json_begin(&j, to);
	json_key(&j, "list"), json_open(&j, '[');
	json_uint(&j, UINT64_MAX), json_real(&j, 0.5), json_real(&j, NAN), json_real(&j, -INFINITY), json_open(&j, '{'),
		json_close(&j, '}');
	json_open(&j, '['), json_close(&j, ']'), json_literal(&j, "7");
	json_close(&j, ']');
	json_key(&j, "k\"\\\n"), json_text(&j, "a\0\x01\x7F\t", 5);
	json_key(&j, "utf"), json_string(&j, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
	/* truncated, overlong, a surrogate, above U+10FFFF, a stray continuation byte */
	json_key(&j, "bad"), json_string(&j, "\xC3|\xC0\xAF|\xED\xA0\x80|\xF4\x90\x80\x80|\x80|\xE2\x82");
	/* the first and last of each length, and before and behind the surrogates; what they would be, longer by a byte */
	json_key(&j, "ends"),
		json_string(&j, "\xC2\xA0\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
	json_key(&j, "long"), json_string(&j, "\xC1\xBF|\xE0\x9F\xBF|\xF0\x8F\xBF\xBF|\xF5\x80\x80\x80");
	json_finish(&j);
	out_close(to);
	exit(finish());
}

START_TEST(text)
{
	struct child c = child_run(write_json, NULL);
	ck_assert_int_eq(c.status, 0);
	ck_assert_str_eq(c.out,
		"{\"list\": [18446744073709551615, 0.5, null, null, {}, [], 7], \"k\\\"\\\\\\n\": \"a\\u0000\\u0001\\u007f\\u0009\", "
		"\"utf\": \"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\", \"bad\": \"\\ufffd|\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd|"
		"\\ufffd\\ufffd\\ufffd\\ufffd|\\ufffd|\\ufffd\\ufffd\", "
		"\"ends\": \"\xC2\xA0\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\", "
		"\"long\": \"\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd\\ufffd\"}\n");
}
END_TEST

/* ---- tns-info ---- */

START_TEST(every_type)
{
	static const uint64_t v[2] = {0xFFFFFFFFFFFFFFFFu, 0x3C00};
	static const double d[4] = {-0.5, NAN, 1e300, INFINITY};
	static const float f[4] = {-0.5f, NAN, 3e38f, -INFINITY};
	static const char *const meta[] = {
		"plain", "one line", "lines", "first\nsecond", "odd", "bell\x07 \x1b[31m \xC2\x9B\x33\x31m\xC2\xA9", "empty", "", NULL};
	prog_stream("all.tns", 2,
		(struct prog_col[]){{"u8", TNS_U8, 0, 0, v}, {"i8", TNS_I8, 2, 0, v}, {"u64", TNS_U64, 0, 0, v}, {"i64", TNS_I64, 0, 0, v},
			{"f32", TNS_F32, 2, 0, f}, {"f64", TNS_F64, 2, 1, d}, {"f16", TNS_F16, 0, 0, v},
			{"bool", TNS_BOOL, 0, 0, (const uint8_t[]){0, 1}}, {0}},
		meta);
	struct child c = prog("tns-info", "all.tns", NULL), in = prog("tns-info", "<all.tns", NULL);
	prog_went(c);
	ck_assert_str_eq(c.out, in.out);
	ck_assert_ptr_eq(strstr(c.out, "tensor type shape          min          max         mean      nan\n"
				       "u8     u8   2              255          255          255        0\n"
				       "i8     i8   2,2             -1           -1           -1        0\n"
				       "u64    u64  2            15360 18446744073709551615  9.22337e+18        0\n"
				       "i64    i64  2               -1        15360       7679.5        0\n"
				       "f32    f32  2,2           -inf        3e+38      1.5e+38        1\n"
				       "f64    f64  2,2,1         -0.5          inf       5e+299        1\n"
				       "f16    f16  2    \n"
				       "bool   bool 2    \n"),
		c.out);
	ck_assert_ptr_nonnull(strstr(c.out,
		"\nplain: one line\nlines:\n  first\n  second\nodd: bell\\x07 \\x1b[31m \\xc2\\x9b31m\xC2\xA9\nempty: \nfingerprint: "));
	c = prog("tns-info", "--json", "--head", "1", "all.tns", NULL);
	prog_went(c);
	ck_assert_ptr_nonnull(strstr(c.out, "{\"tensor\": \"f64\", \"row\": 1, \"values\": [-0.5, null]}"));
	ck_assert_ptr_nonnull(strstr(c.out, "{\"tensor\": \"f16\", \"row\": 1, \"values\": [\"0xffff\"]}"));
	ck_assert_ptr_nonnull(strstr(c.out, "\"odd\": \"bell\\u0007 \\u001b[31m \\u009b31m\xC2\xA9\""));
	ck_assert_ptr_nonnull(strstr(c.out, "{\"name\": \"bool\", \"dtype\": \"bool\", \"shape\": [2]}"));
	ck_assert_ptr_nonnull(strstr(c.out, "\"shape\": [2, 2, 1], \"min\": -0.5, \"max\": null"));
	for (int check = 0; check < 2; check++) { /* without rows, without tensors */
		prog_stream("none.tns", 0, (struct prog_col[]){{check ? "u8" : NULL, TNS_U8, 0, 0, v}, {0}}, NULL);
		c = prog("tns-info", "none.tns", NULL);
		prog_went(c);
		ck_assert_ptr_nonnull(strstr(c.out, "fingerprint: "));
		prog_went(prog("tns-info", "--json", "--head", "3", "none.tns", NULL));
	}
}
END_TEST

int main(void)
{
	prog_begin();
	Suite *s = suite_create("stat");
	TCase *t = tcase_create("stat");
	suite_add_tcase(s, t);
	tcase_add_test(t, integers);
	tcase_add_test(t, floats);
	tcase_add_test(t, digits);
	tcase_add_test(t, text);
	tcase_add_test(t, every_type);
	return prog_end(s);
}
