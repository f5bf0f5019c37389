/* Poses against planted ones, images under them against ramps; noise estimated and taken out of images that have some, and of no other. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/augment.h"
#include "lib/predict/align.h"
#include "lib/predict/denoise.h"
#include "tests/backend_of_test.h"

enum { W = 40, H = 32, P = 9 };

static double unit(uint32_t i)
{
	return (double)philox_uniform(philox(29, PHILOX_TEST, 0, i, 0).v[0]);
}

/* Points xy that pose q takes to mean, but for the first and the fourth: one is not known, the other's mean is not. */
static void planted(const struct similarity *q, double *xy, double *mean)
{
	for (uint32_t i = 0; i < 2 * P; i++)
		mean[i] = xy[i] = 30 * unit(i);
	for (int p = 0; p < P; p++)
		similarity_back(q, xy + 2 * p);
	xy[0] = NAN, mean[7] = NAN;
}

START_TEST(fits)
{
	static const struct similarity q[] = {{{1, 0}, {0, 0}, {0, 0}}, {{0.6, -0.8}, {3, 5}, {1, -2}}, {{-1.2, 2.1}, {0, 7}, {9, 9}}};
	for (size_t i = 0; i < sizeof q / sizeof *q; i++) {
		double xy[2 * P], mean[2 * P];
		struct similarity p;
		planted(&q[i], xy, mean);
		ck_assert(similarity_fit(&p, xy, mean, P, ALIGN_SCALE));
		for (int k = 0; k < 2; k++)
			ck_assert_double_eq_tol(p.turn[k], q[i].turn[k], 1e-9);
		for (double x = -10; x < 50; x += 7.5) {
			double a[2] = {x, 12 - x}, b[2] = {x, 12 - x};
			similarity_into(&q[i], a), similarity_into(&p, b);
			ck_assert_double_eq_tol(a[0], b[0], 1e-8);
			ck_assert_double_eq_tol(a[1], b[1], 1e-8);
			similarity_back(&p, b);
			ck_assert_double_eq_tol(b[0], x, 1e-8);
			ck_assert_double_eq_tol(b[1], 12 - x, 1e-8);
		}
	}
}
END_TEST

START_TEST(least_squares)
{
	double xy[2 * P], mean[2 * P], best = 0;
	const struct similarity q = {{1.1, 0.3}, {2, 3}, {5, 6}};
	struct similarity p;
	planted(&q, xy, mean);
	for (uint32_t i = 0; i < 2 * P; i++)
		xy[i] += 4 * unit(100 + i) - 2;
	ck_assert(similarity_fit(&p, xy, mean, P, ALIGN_SCALE));
	for (int step = 0; step <= 12; step++) { /* no pose beside it is nearer */
		struct similarity near = p;
		double *const part[] = {near.turn, near.turn + 1, near.to, near.to + 1, near.from, near.from + 1};
		if (step)
			*part[(step - 1) / 2] += step % 2 ? 0.01 : -0.01;
		double sum = 0;
		for (int i = 0; i < P; i++) {
			double at[2] = {xy[2 * i], xy[2 * i + 1]};
			similarity_into(&near, at);
			double d = hypot(at[0] - mean[2 * i], at[1] - mean[2 * i + 1]);
			sum += isnan(d) ? 0 : d * d;
		}
		best = step ? best : sum;
		ck_assert(step == 0 || sum > best);
	}
}
END_TEST

START_TEST(none)
{
	const struct similarity kept = {{7, 7}, {7, 7}, {7, 7}};
	struct similarity p = kept;
	double mean[2 * P], one[2 * P], same[2 * P], far[2 * P];
	for (uint32_t i = 0; i < 2 * P; i++)
		mean[i] = 30 * unit(i), one[i] = i < 3 ? 1 : NAN, same[i] = 4, far[i] = mean[i] / 5;
	ck_assert(!similarity_fit(&p, one, mean, P, ALIGN_SCALE)); /* of the second point only x */
	ck_assert(!similarity_fit(&p, same, mean, P, ALIGN_SCALE));
	ck_assert(!similarity_fit(&p, far, mean, P, ALIGN_SCALE) && !similarity_fit(&p, mean, far, P, ALIGN_SCALE));
	ck_assert(!memcmp(&p, &kept, sizeof p));
	for (int i = 0; i < 2 * P; i++)
		far[i] = mean[i] / 3.9;
	ck_assert(similarity_fit(&p, far, mean, P, ALIGN_SCALE));
}
END_TEST

START_TEST(images)
{
	uint8_t ramp[H * W], to[H * W];
	const struct similarity p = {{0.8, 0.5}, {20, 15}, {19, 17}};
	int inside = 0;
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			ramp[y * W + x] = (uint8_t)(3 * x + 2 * y);
	align_image(&p, to, ramp, W, H);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double at[2] = {x, y};
			similarity_back(&p, at);
			double ex = fmin(fmax(at[0], 0), W - 1), ey = fmin(fmax(at[1], 0), H - 1);
			inside += at[0] == ex && at[1] == ey;
			ck_assert_double_eq_tol(to[y * W + x], 3 * ex + 2 * ey, 0.5001);
		}
	ck_assert(inside > W * H / 2 && inside < W * H);
}
END_TEST

/* A net that finds a bright spot and a dark one wherever they are: so that an aligned image's estimates must come back to where the image's
 * own are, labels' offset and all. */
START_TEST(estimates)
{
	enum { S = 48 };
	static uint8_t images[2][S * S];
	static const double offset[2] = {3, -2}, spot[2][2][2] = {{{16, 24}, {32, 24}}, {{20, 11}, {31, 33}}};
	const double mean[4] = {16 + 3, 24 - 2, 32 + 3, 24 - 2};
	struct backend *be = backend_here();
	struct model *m = model_new("conv1x1", TARGET_HEATMAP, S, S, 4, "left_eye,right_eye");
	m->param[0] = 60, m->param[1] = -60;
	model_set_offset(m, offset[0], offset[1]);
	for (int b = 0; b < 2; b++)
		for (int i = 0; i < S * S; i++) {
			double v = 128;
			for (int k = 0; k < 2; k++) {
				double x = i % S - spot[b][k][0], y = i / S - spot[b][k][1];
				v += (k ? -120 : 120) * exp(-(x * x + y * y) / 8);
			}
			images[b][i] = (uint8_t)lrint(v);
		}
	struct infer *f = infer_new(be, &m, 1, 0);
	struct aligner *a = aligner_new(f, mean, 2, S, S, offset);
	float plain[8], out[8], stddev[4], again[8];
	infer_batch(f, images[0], 2, plain, stddev);
	memcpy(out, plain, sizeof out);
	aligner_estimate(a, images[0], 2, out, stddev);
	ck_assert(!memcmp(out, plain, 4 * sizeof *out));
	const uint8_t *aligned = aligner_images(a, images[0], 2);
	ck_assert(!memcmp(aligned, images[0], S * S) && memcmp(aligned + S * S, images[1], S * S));
	for (int i = 0; i < 8; i++)
		ck_assert_double_eq_tol((double)out[i], spot[i / 4][i / 2 % 2][i % 2] + offset[i % 2], 0.15);
	memcpy(again, out, sizeof out);
	aligner_into(a, 2, again, stddev);
	ck_assert(!memcmp(again, out, 4 * sizeof *out));
	for (int i = 4; i < 8; i++)
		ck_assert_double_eq_tol((double)again[i], mean[i - 4], 0.3);
	aligner_back(a, 2, 2, again, stddev);
	for (int i = 0; i < 8; i++)
		ck_assert_double_eq_tol((double)again[i], (double)out[i], 1e-4);
	aligner_free(a), infer_free(f), model_free(m), be->close(be);
}
END_TEST

/* Smooth, with an edge. */
static double clean(int x, int y)
{
	return 110 + 60 * sin(x / 9.0) * cos(y / 7.0) + (x + y > 60 ? 20 : 0);
}

static void noisy(uint8_t *to, int w, int h, float sigma)
{
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			float n = sigma * augment_normal(philox(31, PHILOX_TEST, 1, (uint32_t)(y * w + x), 0).v[0]);
			to[y * w + x] = (uint8_t)lrint(fmin(fmax(clean(x, y) + (double)n, 0), 255));
		}
}

static double error(const uint8_t *image, int w, int h)
{
	double sum = 0;
	for (int i = 0; i < w * h; i++)
		sum += (image[i] - clean(i % w, i / w)) * (image[i] - clean(i % w, i / w));
	return sqrt(sum / (w * h));
}

START_TEST(noise)
{
	enum { S = 64 };
	uint8_t image[S * S], was[S * S];
	const float sigma[] = {0, 1, 6, 15, 30};
	for (int i = 0; i < 5; i++) {
		noisy(was, S, S, sigma[i]);
		memcpy(image, was, sizeof image);
		denoise(image, 1, S, S, 1);
		double found = denoise_sigma(was, S, S);
		ck_assert_double_eq_tol(found, (double)sigma[i], 0.05 * (double)sigma[i] + 1);
		if (found < DENOISE_LEAST)
			ck_assert(!memcmp(image, was, sizeof image));
		else
			ck_assert_double_lt(error(image, S, S), 0.5 * error(was, S, S));
		ck_assert((found < DENOISE_LEAST) == (i < 2));
	}
}
END_TEST

START_TEST(batches)
{
	enum { B = 7, w = 24, h = 9 };
	uint8_t all[B][h * w], one[B][h * w], small[2 * 7 * 30], same[2 * 7 * 30];
	for (int b = 0; b < B; b++) {
		noisy(all[b], w, h, b % 3 ? 4 * (float)b : 0);
		memcpy(one[b], all[b], sizeof one[b]);
		denoise(one[b], 1, w, h, 1);
	}
	ck_assert(memcmp(one, all, sizeof one)); /* something is done */
	denoise(all[0], B, w, h, 3);
	ck_assert(!memcmp(one, all, sizeof one));
	for (size_t i = 0; i < sizeof small; i++)
		small[i] = same[i] = (uint8_t)(255 * unit((uint32_t)i));
	denoise(small, 2, 30, 7, 1);
	ck_assert(!memcmp(small, same, sizeof small)); /* lower than a window */
	ck_assert(denoise_sigma(small, 2, 9) == 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("align");
	TCase *t = tcase_create("align");
	tcase_add_test(t, fits);
	tcase_add_test(t, least_squares);
	tcase_add_test(t, none);
	tcase_add_test(t, images);
	tcase_add_test(t, estimates);
	tcase_add_test(t, noise);
	tcase_add_test(t, batches);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
