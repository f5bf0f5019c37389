#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/csv/image_hash_set.h"

START_TEST(finds_what_was_there)
{
	enum { ROWS = 50000, BYTES = 100 };
	unsigned char image[BYTES];
	struct image_hash_set *s = image_hash_set_new();
	for (uint32_t pass = 0; pass < 2; pass++)
		for (uint32_t i = 1; i <= ROWS; i++) {
			for (uint32_t j = 0; j < BYTES; j++)
				image[j] = (unsigned char)philox(1, PHILOX_TEST, 0, i, j).v[0];
			ck_assert_uint_eq(image_hash_set_add(s, image, BYTES, i + pass * ROWS), pass ? i : 0);
		}
	image_hash_set_free(s);
}
END_TEST

/* Images that differ in one byte, in length or in order are different. */
START_TEST(tells_apart)
{
	static const size_t sizes[] = {1, 2, 15, 16, 17, 63, 64, 65, 128, 361, 1000};
	unsigned char image[1000];
	struct image_hash_set *s = image_hash_set_new();
	uint32_t row = 1;
	for (size_t z = 0; z < sizeof sizes / sizeof *sizes; z++) {
		size_t n = sizes[z];
		memset(image, 0, sizeof image);
		ck_assert_uint_eq(image_hash_set_add(s, image, n, row++), 0);
		for (size_t i = 0; i < n; i++) {
			for (int v = 1; v < 256; v += 1 + (int)(n / 4)) {
				image[i] = (unsigned char)v;
				ck_assert_msg(!image_hash_set_add(s, image, n, row++), "byte %zu of %zu is %d", i, n, v);
			}
			image[i] = 0;
		}
	}
	for (size_t i = 0; i < 128; i++)
		image[i] = (unsigned char)(i / 16);
	ck_assert_uint_eq(image_hash_set_add(s, image, 128, row++), 0);
	for (size_t i = 0; i < 128; i++)
		image[i] = (unsigned char)(7 - i / 16);
	ck_assert_uint_eq(image_hash_set_add(s, image, 128, row++), 0);
	image_hash_set_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("image_hash_set");
	TCase *t = tcase_create("image_hash_set");
	tcase_add_test(t, finds_what_was_there);
	tcase_add_test(t, tells_apart);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
