/* Photographs: faces apart and within the image, points within their boxes and where the image shows them, each a pure function of seed and
 * row; people change nothing above and beside them; a film's face moves by little from frame to frame. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/synth/photo.h"
#include "lib/synth/scene.h"

#define SEED 5
enum { W = 300, H = 220, N = 80 };

struct picture {
	uint8_t *image;
	struct photo_face faces[PHOTO_FACES];
	float (*points)[N][2];
	int n;
};

static struct picture picture(const struct photo_style *s)
{
	struct picture p = {malloc((size_t)s->w * (size_t)s->h), {{0}}, malloc(PHOTO_FACES * sizeof(float[N][2])), 0};
	return p;
}

static void picture_free(struct picture *p)
{
	free(p->image);
	free(p->points);
}

/* Of a photo that has drawn nothing else. */
static void draw_alone(const struct photo_style *s, uint64_t seed, uint32_t row, struct picture *to)
{
	struct photo *p = photo_new(s, seed);
	to->n = photo_draw(p, row, to->image, to->faces, to->points[0][0]);
	photo_free(p);
}

static const struct photo_style style = {W, H, 5, 24, 90, N, 1};

START_TEST(faces_are_apart_and_hold_their_points)
{
	struct photo *p = photo_new(&style, SEED);
	struct picture a = picture(&style);
	int count[6] = {0}, small = 0, large = 0, all = 0;
	for (uint32_t row = 0; row < 200; row++) {
		a.n = photo_draw(p, row, a.image, a.faces, a.points[0][0]);
		ck_assert(a.n >= 1 && a.n <= 5);
		count[a.n]++, all += a.n;
		for (int i = 0; i < a.n; i++) {
			const struct photo_face *f = &a.faces[i];
			int side = f->width > f->height ? f->width : f->height;
			ck_assert(f->left >= 0 && f->top >= 0 && f->left + f->width <= W && f->top + f->height <= H);
			ck_assert_msg(side >= 23 && side <= 91, "a face of %d pixels", side);
			small += side < 46, large += side >= 46;
			float x0 = 1e9f, y0 = 1e9f, x1 = -1e9f, y1 = -1e9f;
			for (int k = 0; k < N; k++) {
				float x = a.points[i][k][0], y = a.points[i][k][1];
				ck_assert(x >= (float)f->left && x <= (float)(f->left + f->width - 1) && y >= (float)f->top &&
					  y <= (float)(f->top + f->height - 1));
				x0 = fminf(x0, x), x1 = fmaxf(x1, x), y0 = fminf(y0, y), y1 = fmaxf(y1, y);
			}
			/* crown, chin and 12 points of the contour are among them: the box is not much larger */
			ck_assert_float_le(y1 - y0, (float)f->height);
			ck_assert_float_gt(y1 - y0, 0.94f * (float)f->height - 3);
			ck_assert_float_gt(x1 - x0, 0.9f * (float)f->width - 3);
			for (int j = 0; j < i; j++) {
				const struct photo_face *g = &a.faces[j];
				ck_assert(f->left >= g->left + g->width || g->left >= f->left + f->width || f->top >= g->top + g->height ||
					  g->top >= f->top + f->height);
				ck_assert_int_ge(f->top + f->height, g->top + g->height);
			}
		}
	}
	for (int n = 1; n <= 5; n++)
		ck_assert_msg(count[n] > 3, "%d of 200 have %d faces", count[n], n);
	ck_assert_int_gt(small, all / 4);
	ck_assert_int_gt(large, all / 4);
	photo_free(p);
	picture_free(&a);
}
END_TEST

START_TEST(pure_in_seed_and_row)
{
	struct photo *p = photo_new(&style, SEED);
	struct picture a = picture(&style), b = picture(&style);
	for (int i = 0; i < 4; i++) { /* in another order, in memory that others have used */
		uint32_t row = (uint32_t)(3 - i) * 5;
		memset(a.image, 7, W * H);
		a.n = photo_draw(p, row, a.image, a.faces, a.points[0][0]);
		draw_alone(&style, SEED, row, &b);
		ck_assert_int_eq(a.n, b.n);
		ck_assert(!memcmp(a.image, b.image, W * H));
		ck_assert(!memcmp(a.faces, b.faces, (size_t)a.n * sizeof *a.faces));
		ck_assert(!memcmp(a.points, b.points, (size_t)a.n * sizeof *a.points));
		draw_alone(&style, SEED + 1, row, &b);
		ck_assert(memcmp(a.image, b.image, W * H));
		draw_alone(&style, SEED, row + 1, &b);
		ck_assert(memcmp(a.image, b.image, W * H));
	}
	photo_free(p);
	picture_free(&a);
	picture_free(&b);
}
END_TEST

/* The same photograph with less people differs only where a person is: within its box and a third of its size around, and below. */
START_TEST(people_change_what_they_cover)
{
	struct photo_style few = style;
	struct picture a = picture(&style), b = picture(&style);
	long people = 0, differ = 0, crowns = 0, seen = 0;
	few.faces = 2;
	for (uint32_t row = 0; row < 30; row++) {
		draw_alone(&style, SEED, row, &a);
		draw_alone(&few, SEED, row, &b);
		ck_assert(b.n <= 2 && b.n <= a.n);
		for (int i = 0; i < a.n; i++) { /* the whole head is there, up to its crown */
			long x = lroundf(a.points[i][67][0]), y = lroundf(a.points[i][67][1]) + 2;
			if (!memcmp(&a.faces[i], &b.faces[0], sizeof *a.faces) ||
				(b.n == 2 && !memcmp(&a.faces[i], &b.faces[1], sizeof *a.faces)))
				continue;
			crowns++, seen += abs(a.image[y * W + x] - b.image[y * W + x]) > 2;
		}
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) {
				int near = 0;
				for (int i = 0; i < a.n; i++) {
					const struct photo_face *f = &a.faces[i];
					int h = f->height;
					near |= y > f->top - h / 3 && x > f->left + f->width / 2 - h && x < f->left + f->width / 2 + h;
				}
				people += near;
				if (a.image[y * W + x] == b.image[y * W + x])
					continue;
				differ++;
				ck_assert_msg(near, "photograph %u differs at %d,%d", row, x, y);
			}
	}
	ck_assert_int_gt(differ, people / 10);
	ck_assert_int_gt(crowns, 30);
	ck_assert_msg(seen > 0.85 * (double)crowns, "%ld of %ld crowns are drawn", seen, crowns);
	picture_free(&a);
	picture_free(&b);
}
END_TEST

/* A pupil is where its point is: the eye's darkest disc, as check_face has it of a face that fills its image; in films, whose eyes are
 * smaller, it is dark. */
START_TEST(points_match_the_image)
{
	struct photo_style s = {600, 600, 1, 300, 500, N, 0};
	struct photo *p = photo_new(&s, SEED);
	struct picture a = picture(&s);
	int eyes = 0;
	double error = 0, bias[2] = {0};
	for (uint32_t row = 0; row < 46; row++) {
		if (row < 40)
			photo_draw(p, row, a.image, a.faces, a.points[0][0]);
		else
			photo_frame(p, 20 * row, a.image, a.faces, a.points[0][0]);
		const float(*t)[2] = a.points[0];
		float d = hypotf(t[0][0] - t[1][0], t[0][1] - t[1][1]);
		for (int eye = 0; eye < 2; eye++) {
			double cx = t[eye][0], cy = t[eye][1], r = 0.085 * d, m = 0, x0 = 0, y0 = 0;
			for (int y = (int)(cy - r); y <= cy + r; y++)
				for (int x = (int)(cx - r); x <= cx + r; x++) {
					double v = hypot(x - cx, y - cy) < r ? pow(255.0 - a.image[y * 600 + x], 4) : 0;
					m += v, x0 += v * x, y0 += v * y;
				}
			int pupil = a.image[(int)cy * 600 + (int)cx], cheek = a.image[(int)(cy + 0.45 * d) * 600 + (int)cx];
			ck_assert_msg(pupil < cheek - 20, "photograph %u: pupil %d, cheek %d", row, pupil, cheek);
			double ex = (x0 / m - cx) / d, ey = (y0 / m - cy) / d;
			if (row < 40)
				error += hypot(ex, ey), bias[0] += ex, bias[1] += ey, eyes++;
		}
	}
	ck_assert_double_lt(error / eyes, 0.012);
	ck_assert_double_lt(hypot(bias[0], bias[1]) / eyes, 0.012);
	photo_free(p);
	picture_free(&a);
}
END_TEST

/* The things behind people are anywhere: as many borders of theirs in each quarter of a wide canvas. */
START_TEST(scenes_are_full)
{
	enum { BW = 400, BH = 50 };
	float *scratch = malloc(brush_size(BW, BH) * sizeof(float));
	struct brush b;
	int borders[4] = {0}, all = 0;
	for (uint32_t row = 0; row < 60; row++) {
		struct rng rng = rng_init(SEED, PHILOX_TEST, 0, row, 0);
		brush_init(&b, BW, BH, scratch);
		scene_draw(&b, &rng);
		for (int i = 0; i < BW * BH; i++)
			if (i % BW && fabsf(b.grey[i] - b.grey[i - 1]) > 20)
				borders[i % BW * 4 / BW]++, all++;
	}
	for (int i = 0; i < 4; i++)
		ck_assert_msg(borders[i] > all / 8 && borders[i] < all * 3 / 8, "%d of %d borders in quarter %d", borders[i], all, i);
	free(scratch);
}
END_TEST

START_TEST(awkward_sizes)
{
	static const struct photo_style t[] = {{PHOTO_MIN, PHOTO_MIN, PHOTO_FACES, PHOTO_FACE_MIN, PHOTO_FACE_MIN, 1, 1},
		{PHOTO_MIN, 300, 3, 16, 2000, N, 1}, {301, 53, 8, 20, 21, 3, 0.5}, {96, 96, 1, 86, 90, 15, 0}};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct picture a = picture(&t[i]);
		struct photo *p = photo_new(&t[i], SEED);
		for (uint32_t row = 0; row < 20; row++) {
			a.n = photo_draw(p, row, a.image, a.faces, a.points[0][0]);
			ck_assert(a.n >= 1 && a.n <= t[i].faces);
			for (int k = 0; k < a.n; k++)
				ck_assert(a.faces[k].left >= 0 && a.faces[k].left + a.faces[k].width <= t[i].w && a.faces[k].top >= 0 &&
					  a.faces[k].top + a.faces[k].height <= t[i].h);
		}
		photo_free(p);
		picture_free(&a);
	}
}
END_TEST

START_TEST(a_film_is_smooth)
{
	for (uint64_t seed = 0; seed < 8; seed++) {
		struct photo_style s = {160, 120, 1, 16, 16, N, 1};
		struct photo *p = photo_new(&s, seed);
		struct picture a = picture(&s);
		float before[N][2], size[2] = {1e9f, 0}, least[2] = {1e9f, 1e9f}, most[2] = {0, 0}, way = 0;
		uint8_t still[10 * 10];
		for (uint32_t row = 0; row < 200; row += 2) {
			ck_assert_int_eq(photo_frame(p, row, a.image, a.faces, a.points[0][0]), 1);
			const struct photo_face *f = &a.faces[0];
			ck_assert(f->left >= 0 && f->top >= 0 && f->left + f->width <= 160 && f->top + f->height <= 120);
			for (int k = 0; k < N; k++) {
				float x = a.points[0][k][0], y = a.points[0][k][1];
				ck_assert(x >= (float)f->left && x <= (float)(f->left + f->width - 1) && y >= (float)f->top &&
					  y <= (float)(f->top + f->height - 1));
				float step = row ? hypotf(x - before[k][0], y - before[k][1]) : 0;
				ck_assert_msg(step < 4, "seed %d, frame %u: point %d moves by %g", (int)seed, row, k, step);
				way += step / N;
			}
			memcpy(before, a.points[0], sizeof before);
			float h = (float)f->height;
			size[0] = fminf(size[0], h), size[1] = fmaxf(size[1], h);
			for (int i = 0; i < 2; i++)
				least[i] = fminf(least[i], before[10][i]), most[i] = fmaxf(most[i], before[10][i]);
			ck_assert(h > 60 && h < 108);
			for (int y = 0; y < 10; y++) /* the background's upper left corner stays, but for noise */
				for (int x = 0; x < 10; x++)
					if (!row)
						still[y * 10 + x] = a.image[y * 160 + x];
					else
						ck_assert_int_le(abs(still[y * 10 + x] - a.image[y * 160 + x]), 40);
		}
		ck_assert_float_gt(way, 15);
		ck_assert_float_gt(most[0] - least[0], 5);
		ck_assert_float_gt(most[1] - least[1], 3);
		ck_assert_float_gt(size[1] - size[0], 5);
		/* any frame alone is the same */
		struct picture b = picture(&s);
		struct photo *q = photo_new(&s, seed);
		photo_frame(q, 198, b.image, b.faces, b.points[0][0]);
		ck_assert(!memcmp(a.image, b.image, 160 * 120));
		photo_free(q);
		picture_free(&b);
		photo_free(p);
		picture_free(&a);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("photo");
	TCase *c = tcase_create("photo");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, faces_are_apart_and_hold_their_points);
	tcase_add_test(c, pure_in_seed_and_row);
	tcase_add_test(c, people_change_what_they_cover);
	tcase_add_test(c, points_match_the_image);
	tcase_add_test(c, scenes_are_full);
	tcase_add_test(c, awkward_sizes);
	tcase_add_test(c, a_film_is_smooth);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
