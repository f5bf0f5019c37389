/* Mirror partners found from labels against the synthetic faces' own, whatever the points are called; and what names alone say. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/labels/pairs.h"
#include "lib/stream/names.h"
#include "lib/synth/face.h"
#include "lib/synth/label_noise.h"

enum { W = 120, H = 96, ROWS = 400 };

/* Labels (n, k, 2) of synthetic faces. */
static float *labels(int k, int n)
{
	struct face_style s = {.w = W, .h = H, .points = k, .wild = 1};
	float *xy = xcalloc((size_t)n * (size_t)k * 2, sizeof *xy), *scratch = xcalloc(face_size(&s), sizeof *scratch);
	uint8_t *image = xcalloc(W * H, 1);
	for (int i = 0; i < n; i++)
		face_draw(&s, 11, (uint32_t)i, scratch, image, xy + (size_t)i * (size_t)k * 2);
	free(scratch), free(image);
	return xy;
}

static char **numbered(int k)
{
	char **names = xcalloc((size_t)k + 1, sizeof *names);
	for (int i = 0; i < k; i++)
		names[i] = xprintf("p%d", i);
	return names;
}

static const int sizes[] = {15, 68, 98, 478};

START_TEST(by_labels)
{
	int k = sizes[_i], wrong = 0, missing = 0;
	float *xy = labels(k, ROWS);
	char **names = numbered(k);
	int *partner = pairs_find(k, xy, ROWS, W, H, names, NULL);
	for (int p = 0; p < k; p++) {
		int q = partner[p], r = face_mirror(p, k);
		missing += q < 0;
		ck_assert(q < 0 || partner[q] == p);
		double d[2] = {0, 0}; /* points of the contour lie closer than a pixel: a neighbour is no wrong partner */
		for (int i = 0; i < ROWS && q >= 0; i++)
			for (int c = 0; c < 2; c++)
				d[c] += (double)(xy[(i * k + q) * 2 + c] - xy[(i * k + r) * 2 + c]) / ROWS;
		wrong += hypot(d[0], d[1]) > (k > 68 ? 1 : 0);
	}
	ck_assert_msg(!wrong && !missing, "%d points: %d partners are wrong, %d missing", k, wrong, missing);
	free(partner), names_free(names), free(xy);
}
END_TEST

/* Small sets that lack labels as the competition's do: where names tell nothing, too, no point is without its partner in nearly all. */
START_TEST(few_rows)
{
	enum { SETS = 30, FEW = 30 };
	int k = FACE_STANDARD, incomplete = 0, wrong = 0;
	char **names = numbered(k);
	float *all = labels(k, SETS * FEW);
	for (int s = 0; s < SETS; s++) {
		float *xy = all + (size_t)s * FEW * (size_t)k * 2;
		for (int i = 0; i < FEW; i++) {
			struct label_noise none = {LABEL_NOISE_NONE, -1, 0};
			label_noise_plant(&none, 11, (uint32_t)(s * FEW + i), W, H, k, xy + (size_t)(i * k) * 2);
		}
		int *partner = pairs_find(k, xy, FEW, W, H, names, NULL), missing = 0;
		for (int p = 0; p < k; p++)
			missing += partner[p] < 0, wrong += partner[p] >= 0 && partner[p] != face_mirror(p, k);
		incomplete += missing > 0;
		free(partner);
	}
	ck_assert_msg(incomplete <= 3 && wrong <= 3, "%d of %d sets lack a partner, %d partners are wrong", incomplete, SETS, wrong);
	free(all), names_free(names);
}
END_TEST

/* Partners by names: '+': the next name, '-': the one before, '=': itself, '0': none. */
static const struct {
	const char *names, *partners;
} spellings[] = {
	{"left_eye,right_eye,nose", "+-="},
	{"Left_eye,Right_eye", "+-"},
	{"EYE_LEFT,EYE_RIGHT", "+-"},
	{"l_eye,r_eye,lip", "+-="},
	{"eye.L,eye.R", "+-"},
	{"leftEye,rightEye,earL,earR", "+-+-"},
	{"eye1left2,eye1right2", "+-"},
	{"bright_left,bright_right,bright,cleft", "+-=="},
	{"left_eye,left_ear,nose", "00="},
	{"point_l,p0,p1,color", "0000"}, /* no name has a side, so none is known to be on the axis */
	{"1,2,3", "000"},
	{"point_l", "="},
	{"left_left,right_right", "+-"},
};

START_TEST(by_names)
{
	int n;
	char **names = names_split(spellings[_i].names, &n);
	int *partner = names_partners(names, NULL);
	for (int p = 0; p < n; p++) {
		int want = spellings[_i].partners[p] == '+'   ? p + 1
			   : spellings[_i].partners[p] == '-' ? p - 1
			   : spellings[_i].partners[p] == '=' ? p
							      : -1;
		ck_assert_msg(partner[p] == want, "%s: partner of %s is %d, not %d", spellings[_i].names, names[p], partner[p], want);
	}
	/* there and back as META pairs */
	char *text = names_pairs_text(names, partner);
	int *again = names_partners(names, text);
	ck_assert_msg(!memcmp(partner, again, (size_t)n * sizeof *partner), "%s", text);
	free(text), free(again), free(partner), names_free(names);
}
END_TEST

/* Labels of one side and of the middle only: the middle lies on the axis, the others have no partner, whatever they are called; with names
 * that say a side, too. Points whose names are changed over are found by where they are. */
START_TEST(one_side)
{
	int k = FACE_STANDARD, keep[FACE_STANDARD], n = 0;
	float *xy = labels(k, ROWS);
	for (int p = 0; p < k; p++)
		if (face_mirror(p, k) == p || p < face_mirror(p, k))
			keep[n++] = p;
	float *part = xcalloc((size_t)ROWS * (size_t)n * 2, sizeof *part);
	for (int i = 0; i < ROWS; i++)
		for (int p = 0; p < n; p++)
			memcpy(part + (i * n + p) * 2, xy + (i * k + keep[p]) * 2, 2 * sizeof *part);
	char **names = numbered(n), room[32];
	for (int named = 0; named < 2; named++) {
		for (int p = 0; named && p < n; p++)
			free(names[p]), names[p] = xstrdup(face_name(keep[p], room));
		int *partner = pairs_find(n, part, ROWS, W, H, names, NULL);
		for (int p = 0; p < n; p++)
			ck_assert_msg(
				partner[p] == (face_mirror(keep[p], k) == keep[p] ? p : NAMES_NO_PARTNER), "%s: %d", names[p], partner[p]);
		ck_assert(names_unpaired(names, partner) >= 0);
		free(partner);
	}
	free(xy), free(part), names_free(names);
}
END_TEST

START_TEST(few_and_stated)
{
	int k = FACE_STANDARD, n;
	float *xy = labels(k, PAIRS_ROWS_MIN - 1);
	char **names = numbered(k), **mixed = names_split("nose,left_eye,right_eye", &n);
	int *few = pairs_find(k, xy, PAIRS_ROWS_MIN - 1, W, H, names, NULL), *partner = names_partners(mixed, NULL);
	for (int p = 0; p < k; p++)
		ck_assert_int_eq(few[p], NAMES_NO_PARTNER); /* numbers say nothing, and so few labels neither */
	pairs_state(partner, mixed, "nose:left_eye");
	ck_assert(partner[0] == 1 && partner[1] == 0 && partner[2] == NAMES_NO_PARTNER);
	free(xy), free(few), free(partner), names_free(names), names_free(mixed);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pairs");
	TCase *t = tcase_create("pairs");
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, by_labels, 0, (int)(sizeof sizes / sizeof *sizes));
	tcase_add_test(t, few_rows);
	tcase_add_loop_test(t, by_names, 0, (int)(sizeof spellings / sizeof *spellings));
	tcase_add_test(t, one_side), tcase_add_test(t, few_and_stated);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
