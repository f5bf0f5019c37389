/* Labels mixed with a teacher's predictions: values, weights, rows that are added; what is refused. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/train/teacher.h"
#include "tests/child.h"

enum { W = 3, H = 2, N = 4 };

static char data_path[100], taught_path[100];

/* Rows of ids and values; points in the order of names. value (n, 2, 2) */
static void write_rows(
	const char *path, const char *tensor, const char *names, int n, const uint32_t *id, const uint8_t *grey, const float *value)
{
	struct tns_writer *w = tns_create(path);
	uint8_t image[H * W];
	tns_put_meta(w, "points", names);
	tns_define(w, "image", TNS_U8, 3, (uint64_t[]){(uint64_t)n, H, W});
	tns_define(w, tensor, TNS_F32, 3, (uint64_t[]){(uint64_t)n, 2, 2});
	tns_define(w, "id", TNS_U32, 1, (uint64_t[]){(uint64_t)n});
	for (int i = 0; i < n; i++) {
		memset(image, grey[i], sizeof image);
		tns_write(w, 0, image, 1);
	}
	tns_write(w, 1, value, (uint64_t)n);
	tns_write(w, 2, id, (uint64_t)n);
	tns_close(w);
}

/* ids 10, 20, 30, 40; the second row lacks its second point */
static struct dataset *training_set(void)
{
	float value[N * 4];
	for (int i = 0; i < N * 4; i++)
		value[i] = (float)i;
	value[6] = value[7] = NAN;
	write_rows(data_path, "keypoints", "a,b", N, (uint32_t[]){10, 20, 30, 40}, (uint8_t[]){1, 2, 3, 4}, value);
	return dataset_load(data_path, TARGET_COORDS);
}

START_TEST(labels_are_mixed)
{
	struct dataset *ds = training_set();
	/* points in another order, rows too; id 99 is none of the set's; a prediction is missing */
	write_rows(taught_path, "predicted", "b,a", 3, (uint32_t[]){20, 99, 10}, (uint8_t[]){2, 9, 1},
		(float[]){100, 101, 8, 9, 5, 5, 5, 5, NAN, NAN, 4, 5});
	struct teacher t = {.predictions = taught_path, .share = 0.25, .quiet = 1};
	teacher_apply(&t, ds);
	/* row 10: a = 0.75 (0, 1) + 0.25 (4, 5), b stays; row 20: a = 0.75 (4, 5) + 0.25 (8, 9), b filled; others stay */
	static const float expected[N * 4] = {1, 2, 2, 3, 5, 6, 100, 101, 8, 9, 10, 11, 12, 13, 14, 15},
					weight[N * 2] = {1, 1, 1, 0.25f, 1, 1, 1, 1};
	ck_assert_uint_eq(ds->n, N);
	for (int i = 0; i < N * 4; i++)
		ck_assert_msg(ds->value[i] == expected[i], "%d: %g, not %g", i, (double)ds->value[i], (double)expected[i]);
	for (int i = 0; i < N * 2; i++)
		ck_assert(ds->weight[i] == weight[i] && ds->own[i] == (weight[i] == 1));
	const struct tns *in[2];
	ck_assert_int_eq(teacher_inputs(&t, in, 0), 1);
	ck_assert(ds->taught[0] == in[0]->fingerprint && ds->taught[0] && !ds->taught[1]);
	teacher_free(&t), dataset_free(ds);
}
END_TEST

START_TEST(rows_are_added)
{
	struct dataset *ds = training_set();
	write_rows(taught_path, "predicted", "b,a", 3, (uint32_t[]){10, 10, 10}, (uint8_t[]){7, 9, 8},
		(float[]){1, 2, 3, 4, NAN, 1, NAN, NAN, 5, 6, 1, NAN}); /* half a point is none, and a row without points is left out */
	struct teacher t = {.pseudo = taught_path, .share = 0.5, .quiet = 1};
	teacher_apply(&t, ds);
	static const float added[8] = {3, 4, 1, 2, NAN, NAN, 5, 6};
	ck_assert_uint_eq(ds->n, N + 2);
	for (int i = 0; i < 8; i++) {
		float v = ds->value[N * 4 + i];
		ck_assert(isnan(added[i]) ? isnan(v) : v == added[i]);
		ck_assert(ds->weight[N * 2 + i / 2] == 0.5f && ds->weight[i] == 1);
	}
	for (int i = 0; i < 2; i++)
		ck_assert(dataset_image(ds, N + i, NULL)[0] == 7 + i && dataset_image(ds, N + i, NULL)[H * W - 1] == 7 + i &&
			  ds->id[N + i] == 41 + (uint32_t)i && ds->group[N + i] == N + (uint32_t)i);
	teacher_free(&t), dataset_free(ds);
}
END_TEST

static const char *names;
static uint32_t ids[2];
static uint8_t greys[2];
static float odd;

static void apply(void *arg)
{
	(void)arg;
	struct dataset *ds = training_set();
	write_rows(taught_path, "predicted", names, 2, ids, greys, (float[]){odd, 1, 1, 1, 1, 1, 1, 1});
	struct teacher t = {.predictions = taught_path, .share = 0.5, .quiet = 1};
	teacher_apply(&t, ds);
}

START_TEST(refusals)
{
	static const struct {
		const char *names;
		uint32_t ids[2];
		uint8_t greys[2];
		float odd;
		const char *why;
	} c[] = {{"a,c", {10, 20}, {1, 2}, 1, "predicted is of other points than the training set has: a,b"},
		{"a,b", {10, 20}, {1, 3}, 1, "row 2, id 20: the training set has another image of that id"},
		{"a,b", {10, 10}, {1, 1}, 1, "row 2, id 10: that id was there before"},
		{"a,b", {11, 12}, {1, 1}, 1, "none of its 2 rows is of an id of the training set"},
		{"a,b", {10, 20}, {1, 2}, INFINITY, "row 1: predicted holds inf"}};
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		names = c[i].names, odd = c[i].odd;
		memcpy(ids, c[i].ids, sizeof ids), memcpy(greys, c[i].greys, sizeof greys);
		struct child died = child_run(apply, NULL);
		ck_assert_int_eq(died.status, 1);
		ck_assert_msg(strstr(died.err, c[i].why) != NULL, "'%s' is not in: %s", c[i].why, died.err);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("teacher");
	TCase *t = tcase_create("teacher");
	const char *tmp = getenv("TMP") ? getenv("TMP") : "/tmp";
	snprintf(data_path, sizeof data_path, "%s/data.%d.tns", tmp, (int)getpid());
	snprintf(taught_path, sizeof taught_path, "%s/taught.%d.tns", tmp, (int)getpid());
	tcase_add_test(t, labels_are_mixed);
	tcase_add_test(t, rows_are_added);
	tcase_add_test(t, refusals);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	unlink(data_path), unlink(taught_path);
	return failed != 0;
}
