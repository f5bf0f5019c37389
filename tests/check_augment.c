/* Draws of augmentation over images that are wider than high: first and last places are reached, all are equally likely, and the pixels are
 * where the draw says. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "kernels/augment.h"
#include "tests/backend_of_test.h"

enum { W = 13, H = 9, DRAWS = 40000 };

/* n draws of probability p: within five standard deviations. */
static void expect_share(int n, int of, double p, const char *what, int a, int b)
{
	double sd = sqrt(of * p * (1 - p));
	ck_assert_msg(fabs(n - of * p) < 5 * sd + 1, "%s %d, %d: %d of %d, not %g", what, a, b, n, of, of * p);
}

/* Sides are uniform up to half of the image's, and each place where a cut-out of its size fits is as likely as the others. */
START_TEST(cutouts)
{
	struct augment a = {.cutout = 0.5f, .seed = 5, .epoch = 2};
	int wide[W + 1] = {0}, high[H + 1] = {0}, x[W + 1][W + 1] = {{0}}, y[H + 1][H + 1] = {{0}}, corner = 0, all = 0, light = 0,
		     narrow = 0;
	double grey = 0, most = 0, least = 1;
	for (uint32_t i = 0; i < DRAWS; i++) {
		struct warp w = augment_draw(&a, i, W, H);
		int cw = w.cut[2] - w.cut[0], ch = w.cut[3] - w.cut[1];
		ck_assert_msg(cw >= 0 && ch >= 0 && w.cut[0] >= 0 && w.cut[1] >= 0 && w.cut[2] <= W && w.cut[3] <= H,
			"cut-out %d,%d to %d,%d", w.cut[0], w.cut[1], w.cut[2], w.cut[3]);
		wide[cw]++, high[ch]++, x[cw][w.cut[0]]++, y[ch][w.cut[1]]++;
		if (cw == 3 && ch == 2)
			all++, corner += w.cut[2] == W && w.cut[3] == H;
		if (cw < 3 && ch < 2)
			narrow++, light += w.grey > 0.5f;
		grey += (double)w.grey / DRAWS, most = fmax(most, (double)w.grey), least = fmin(least, (double)w.grey);
	}
	for (int c = 0; c <= 6; c++) { /* 6.5 is half of 13 */
		expect_share(wide[c], DRAWS, (c < 6 ? 1 : 0.5) / 6.5, "width", c, 0);
		for (int at = 0; at <= W - c; at++)
			expect_share(x[c][at], wide[c], 1.0 / (W - c + 1), "width, column", c, at);
	}
	for (int c = 0; c <= 4; c++) {
		expect_share(high[c], DRAWS, (c < 4 ? 1 : 0.5) / 4.5, "height", c, 0);
		for (int at = 0; at <= H - c; at++)
			expect_share(y[c][at], high[c], 1.0 / (H - c + 1), "height, row", c, at);
	}
	expect_share(corner, all, 1.0 / ((W - 3 + 1) * (H - 2 + 1)), "the last corner", W, H);
	expect_share(light, narrow, 0.5, "light ones of narrow ones", 3, 2);
	ck_assert(fabs(grey - 0.5) < 0.01 && most > 0.999 && most < 1 && least < 0.001);
}
END_TEST

/* Shifts are uniform over their range, independent on both axes, and half of all images are mirrored, whatever else is drawn. */
START_TEST(moves)
{
	struct augment a = {.flip = 1, .shift = 3, .seed = 5, .epoch = 2};
	int mirrored = 0, quarter[4][4] = {{0}}, both = 0;
	for (uint32_t i = 0; i < DRAWS; i++) {
		struct warp w = augment_draw(&a, i, W, H);
		float x, y;
		augment_point(&w, 4, 2, &x, &y);
		double dx = (double)x - (w.flipped ? W - 1 - 4 : 4), dy = (double)y - 2;
		ck_assert_msg(fabs(dx) <= 3.00001 && fabs(dy) <= 3.00001, "moved by %g,%g", dx, dy);
		quarter[(int)fmin((dx + 3) / 1.5, 3)][(int)fmin((dy + 3) / 1.5, 3)]++;
		mirrored += w.flipped, both += w.flipped && dx > 0;
	}
	for (int i = 0; i < 16; i++)
		expect_share(quarter[i / 4][i % 4], DRAWS, 1 / 16.0, "quarters of the shift", i / 4, i % 4);
	expect_share(mirrored, DRAWS, 0.5, "mirrored", 0, 0);
	expect_share(both, DRAWS, 0.25, "mirrored and moved right", 0, 0);
}
END_TEST

/* Cut pixels are grey, all others are as they were, in the mirror image too. */
START_TEST(pixels)
{
	enum { N = 60 };
	static uint8_t bytes[N * W * H];
	uint32_t rows[N];
	float x[N * W * H];
	struct backend *be = _i ? backend_init_by_name("ref", 1, PRECISION_FP32) : backend_here();
	struct augment a = {.flip = 1, .cutout = 0.6f, .seed = 8, .epoch = 1};
	for (uint32_t i = 0; i < N * W * H; i++)
		bytes[i] = (uint8_t)philox(3, PHILOX_TEST, 7, i, 0).v[0], rows[i / (W * H)] = i / (W * H);
	uint8_t *images = be->alloc(be, sizeof bytes);
	uint32_t *numbers = be->alloc(be, sizeof rows);
	real *device = be->alloc(be, sizeof x);
	be->upload(be, images, bytes, sizeof bytes), be->upload(be, numbers, rows, sizeof rows);
	be->load_batch(be, device, images, numbers, N, 1, H, W, 1.0f / 255, 0, &a);
	be->download(be, x, device, sizeof x);
	int last_column = 0, last_row = 0;
	for (uint32_t b = 0; b < N; b++) {
		struct warp w = augment_draw(&a, b, W, H);
		for (int i = 0; i < W * H; i++) {
			int cut = i % W >= w.cut[0] && i % W < w.cut[2] && i / W >= w.cut[1] && i / W < w.cut[3];
			int from = w.flipped ? i / W * W + W - 1 - i % W : i;
			double want = cut ? (double)w.grey : bytes[b * W * H + (uint32_t)from] / 255.0,
			       got = (double)x[b * W * H + (uint32_t)i];
			ck_assert_msg(fabs(got - want) < 1e-5, "image %u, pixel %d,%d: %g, not %g", b, i % W, i / W, got, want);
			last_column += cut && i % W == W - 1, last_row += cut && i / W == H - 1;
		}
	}
	ck_assert(last_column > 3 && last_row > 3);
	be->release(be, images), be->release(be, numbers), be->release(be, device);
	be->close(be);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("augment");
	TCase *t = tcase_create("augment");
	suite_add_tcase(s, t);
	tcase_add_test(t, cutouts);
	tcase_add_test(t, moves);
	tcase_add_loop_test(t, pixels, 0, 2);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
