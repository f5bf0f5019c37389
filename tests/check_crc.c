/* The same CRCs as zlib's, for every length, alignment and split. */
#include <check.h>
#include <stdlib.h>
#include <zlib.h>

#include "lib/base/crc.h"

enum { MOST = 70000 };
static unsigned char data[MOST + 64];

START_TEST(known)
{
	ck_assert_uint_eq(crc_add(0, "", 0), 0);
	ck_assert_uint_eq(crc_add(0, "123456789", 9), 0xCBF43926u); /* the check value of CRC-32 */
}
END_TEST

START_TEST(lengths)
{
	for (size_t n = 0; n < 700; n++)
		for (size_t from = 0; from < 33; from += n % 5 + 1) {
			uint32_t start = (uint32_t)(n * 2654435761u);
			ck_assert_uint_eq(crc_add(0, data + from, n), crc32_z(0, data + from, n));
			ck_assert_uint_eq(crc_add(start, data + from, n), crc32_z(start, data + from, n));
		}
	for (size_t n = 1000; n < MOST; n = n * 21 / 20 + 7)
		ck_assert_uint_eq(crc_add(77, data + n % 64, n), crc32_z(77, data + n % 64, n));
}
END_TEST

START_TEST(in_parts)
{
	for (size_t cut = 0; cut < 4000; cut += 37)
		ck_assert_uint_eq(crc_add(crc_add(0, data, cut), data + cut, 5000 - cut), crc32_z(0, data, 5000));
}
END_TEST

/* Every single bit changes the CRC: no folding step loses one. */
START_TEST(bits)
{
	uint32_t whole = crc_add(0, data, 1024);
	for (size_t i = 0; i < 8 * 1024; i++) {
		data[i / 8] ^= (unsigned char)(1 << i % 8);
		ck_assert_uint_ne(crc_add(0, data, 1024), whole);
		data[i / 8] ^= (unsigned char)(1 << i % 8);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crc");
	TCase *t = tcase_create("crc");
	uint32_t v = 1;
	for (size_t i = 0; i < sizeof data; i++)
		v = v * 1664525 + 1013904223, data[i] = (unsigned char)(v >> 24);
	tcase_add_test(t, known);
	tcase_add_test(t, lengths);
	tcase_add_test(t, in_parts);
	tcase_add_test(t, bits);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
