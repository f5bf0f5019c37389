/* Which filters look like something: waves of known frequency and energy; noise. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/philox.h"
#include "lib/train/filters.h"

enum { W = 25, H = 19 };

/* kx, ky periods in the width and height. */
static double wave(int x, int y, int kx, int ky)
{
	return cos(2 * acos(-1) * (kx * x / (double)W + ky * y / (double)H) + 0.3);
}

START_TEST(waves)
{
	static const struct {
		int kx, ky;
		double low;
	} c[] = {{1, 0, 1}, {0, 1, 1}, {6, 4, 1}, {-6, 4, 1}, {7, 0, 0}, {0, 5, 0}, {7, 4, 0}, {6, 5, 0}, {12, 9, 0}, {24, 18, 1}};
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		real w[H * W];
		double share;
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++)
				w[y * W + x] = (real)(5 + wave(x, y, c[i].kx, c[i].ky));
		filters_low_shares(w, 1, H, W, &share);
		ck_assert_msg(fabs(share - c[i].low) < 1e-5, "%d by %d periods: %g", c[i].kx, c[i].ky, share);
	}
}
END_TEST

/* Energies add up: amplitudes 1 below and a above give 1 / (1 + a^2); half is the threshold. */
START_TEST(mixtures)
{
	real w[4 * H * W];
	static const double above[] = {0.5, 0.99, 1.01, 2};
	double share[4];
	for (int i = 0; i < 4 * H * W; i++) {
		int x = i % W, y = i / W % H;
		w[i] = (real)(wave(x, y, 2, 3) + above[i / (H * W)] * wave(x, y, 9, 1));
	}
	filters_low_shares(w, 4, H, W, share);
	for (int i = 0; i < 4; i++)
		ck_assert_double_eq_tol(share[i], 1 / (1 + above[i] * above[i]), 1e-5);
	ck_assert_double_eq(filters_structured(w, 4, H, W), 0.5);
	real flat[H * W];
	for (int i = 0; i < H * W; i++)
		flat[i] = 3;
	filters_low_shares(flat, 1, H, W, share);
	ck_assert(share[0] == 0);
}
END_TEST

/* What filters.h says of noise. */
START_TEST(noise)
{
	enum { FILTERS = 2000 };
	real *w = malloc(FILTERS * H * W * sizeof *w);
	double *share = malloc(FILTERS * sizeof *share), mean = 0, square = 0, most = 0;
	for (uint32_t i = 0; i < FILTERS * H * W; i++)
		w[i] = (real)philox_uniform(philox(1, PHILOX_TEST, 0, i, 0).v[0]);
	filters_low_shares(w, FILTERS, H, W, share);
	for (int i = 0; i < FILTERS; i++)
		mean += share[i] / FILTERS, most = share[i] > most ? share[i] : most;
	for (int i = 0; i < FILTERS; i++)
		square += (share[i] - mean) * (share[i] - mean) / FILTERS;
	ck_assert_double_eq_tol(mean, 116.0 / 474, 0.003); /* 13 x 9 of 475 frequencies, less the mean's */
	ck_assert_double_eq_tol(sqrt(square), 0.027, 0.003);
	ck_assert(most < FILTERS_STRUCTURED && filters_structured(w, FILTERS, H, W) == 0);
	free(w), free(share);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("filters");
	TCase *t = tcase_create("filters");
	suite_add_tcase(s, t);
	tcase_add_test(t, waves);
	tcase_add_test(t, mixtures);
	tcase_add_test(t, noise);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
