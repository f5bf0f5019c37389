/* Crops against their definition in double, computed pixel by pixel in two dimensions; and against ramps, whose values tell where they are.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/philox.h"
#include "lib/image/crop.h"

static double draw(void)
{
	static uint32_t n;
	return philox(3, PHILOX_TEST, 0, 0, n++).v[0] / 4294967296.0;
}

static void from_crop(const float crop[6], double u, double v, double xy[2])
{
	xy[0] = crop[0] * u + crop[2], xy[1] = crop[4] * v + crop[5];
}

static double pixel(const struct image *im, int x, int y)
{
	x = x < 0 ? 0 : x >= im->W ? im->W - 1 : x;
	y = y < 0 ? 0 : y >= im->H ? im->H - 1 : y;
	return im->pixels[y * im->W + x];
}

static double overlap(double at, double size, int i)
{
	return fmax(0, fmin(at + size / 2, i + 0.5) - fmax(at - size / 2, i - 0.5)) / size;
}

/* What a pixel counts of an axis. */
static double weight(double at, double scale, int i)
{
	return scale > 1 ? overlap(at, scale, i) : fmax(0, 1 - fabs(at - i));
}

static double defined(const struct image *im, const float c[6], int u, int v)
{
	double x = (double)c[0] * u + c[2], y = (double)c[4] * v + c[5], sum = 0, reach = 2 + c[0], reach_y = 2 + c[4];
	for (int j = (int)floor(y - reach_y); j <= y + reach_y; j++)
		for (int i = (int)floor(x - reach); i <= x + reach; i++)
			sum += pixel(im, i, j) * weight(x, c[0], i) * weight(y, c[4], j);
	return sum;
}

START_TEST(definition)
{
	struct crop_buffer tmp = {0};
	for (int k = 0; k < 400; k++) {
		uint8_t pixels[24 * 20], to[16 * 16];
		int w = 1 + (int)(draw() * 16), h = 1 + (int)(draw() * 16);
		struct image im = {1 + (int)(draw() * 24), 1 + (int)(draw() * 20), 1, 1, pixels, sizeof pixels};
		for (int i = 0; i < im.W * im.H; i++)
			pixels[i] = (uint8_t)(draw() * 256);
		float c[6] = {
			(float)exp(4 * draw() - 2), 0, (float)(60 * draw() - 30), 0, (float)exp(4 * draw() - 2), (float)(60 * draw() - 30)};
		if (k % 4 == 0) /* scales and places that are whole */
			c[0] = ceilf(c[0]), c[4] = ceilf(c[4]), c[2] = floorf(c[2]), c[5] = floorf(c[5]);
		crop_resample(to, w, h, &im, c, &tmp);
		for (int v = 0; v < h; v++)
			for (int u = 0; u < w; u++) {
				double want = defined(&im, c, u, v);
				ck_assert_msg(fabs(want - to[v * w + u]) <= 0.5 + 1e-3, "%d: %dx%d, scale %g %g: %g is %d", k, im.W, im.H,
					(double)c[0], (double)c[4], want, to[v * w + u]);
			}
	}
	crop_buffer_free(&tmp);
}
END_TEST

/* Of a ramp each result is the value at its centre, and so says where it lies in the image: for an area's mean as for interpolation. */
START_TEST(ramps)
{
	enum { W = 240, H = 200 };
	static uint8_t pixels[W * H], to[64 * 48];
	struct image im = {W, H, 1, 1, pixels, sizeof pixels};
	struct crop_buffer tmp = {0};
	static const double boxes[][4] = {
		{20, 30, 64, 48}, {20, 30, 128, 96}, {20.5, 30.25, 32, 24}, {40, 50, 100, 20}, {33.3, 44.4, 77.7, 11.1}};
	for (int down = 0; down < 2; down++) {
		for (int i = 0; i < W * H; i++)
			pixels[i] = (uint8_t)(down ? i / W : i % W);
		for (int k = 0; k < 5; k++) {
			float c[6];
			crop_of_box(c, boxes[k], 0, 64, 48);
			crop_resample(to, 64, 48, &im, c, &tmp);
			for (int v = 0; v < 48; v++)
				for (int u = 0; u < 64; u++) {
					double xy[2];
					from_crop(c, u, v, xy);
					ck_assert_double_eq_tol(to[v * 64 + u], xy[down], 0.501);
				}
		}
	}
	/* the same pixels where the crop is the image's own */
	crop_resample(to, 64, 48, &im, (float[]){1, 0, 7, 0, 1, 9}, &tmp);
	for (int v = 0; v < 48; v++)
		for (int u = 0; u < 64; u++)
			ck_assert_int_eq(to[v * 64 + u], pixels[(v + 9) * W + u + 7]);
	/* a half is rounded up: 1 and 2 */
	crop_resample(to, 1, 1, &(struct image){2, 1, 1, 1, (uint8_t[]){1, 2}, 2}, (float[]){2, 0, 0.5f, 0, 1, 0}, &tmp);
	ck_assert_int_eq(to[0], 2);
	/* white stays white, at any scale and far beyond the edges */
	for (int i = 0; i < W * H; i++)
		pixels[i] = 255;
	for (int k = 0; k < 200; k++) {
		float far = k % 2 ? 1e6f : 300;
		crop_resample(to, 64, 48, &im,
			(float[]){(float)exp(8 * draw() - 3), 0, (float)(draw() - 0.5) * far, 0, (float)exp(8 * draw() - 3),
				(float)(draw() - 0.5) * far},
			&tmp);
		for (int i = 0; i < 64 * 48; i++)
			ck_assert_int_eq(to[i], 255);
	}
	crop_buffer_free(&tmp);
}
END_TEST

START_TEST(boxes)
{
	static const struct {
		double box[4], margin;
		int w, h;
		double a, c, f;
	} t[] = {{{10, 20, 30, 40}, 0, 15, 20, 2, 10.5, 20.5}, /* column 0 covers the pixels 10 and 11, whose middle is 10.5 */
		{{10, 20, 30, 40}, 0, 30, 40, 1, 10, 20}, {{0, 0, 96, 96}, 0, 96, 96, 1, 0, 0},
		{{0, 0, 96, 96}, 0.5, 96, 96, 2, -47.5, -47.5}, /* from -48 to 144 */
		{{10, 20, 20, 40}, 0, 10, 10, 4, 1.5, 21.5},	/* widened to 40: from 0 */
		{{10, 20, 40, 20}, 0, 10, 10, 4, 11.5, 11.5},
		{{10, 20, 20, 40}, 0.25, 10, 10, 6, -7.5, 12.5}, /* 30 by 60, from (5, 10); then 60 by 60 */
		{{0, 0, 100, 40}, -0.25, 50, 50, 1, 25, -5}};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		float c[6];
		crop_of_box(c, t[i].box, t[i].margin, t[i].w, t[i].h);
		ck_assert(c[0] == (float)t[i].a && c[4] == c[0] && c[1] == 0 && c[3] == 0);
		ck_assert_msg(c[2] == (float)t[i].c && c[5] == (float)t[i].f, "%zu: %g %g", i, (double)c[2], (double)c[5]);
		double uv[2], xy[2];
		crop_into(c, 12.5, -7, uv);
		ck_assert_double_eq_tol(uv[0], (12.5 - t[i].c) / t[i].a, 1e-12);
		ck_assert_double_eq_tol(uv[1], (-7 - t[i].f) / t[i].a, 1e-12);
		from_crop(c, uv[0], uv[1], xy);
		ck_assert_double_eq_tol(xy[0], 12.5, 1e-9);
		ck_assert_double_eq_tol(xy[1], -7, 1e-9);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crop");
	TCase *t = tcase_create("crop");
	tcase_add_test(t, definition);
	tcase_add_test(t, ramps);
	tcase_add_test(t, boxes);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
