/* Every operation of the fast hand against the readable one, on awkward shapes, and its bits for several numbers of threads. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/ops.h"
#include "lib/err.h"
#include "lib/philox.h"

/* Sums of n products of about 1 may differ by a few roundings of their length. */
#define TOLERANCE(n) (4e-7f * sqrtf((float)(n)) + 2e-6f)

static struct ops *ref, *cpu[3];

static float *randoms(size_t n, uint32_t what)
{
	float *p = xcalloc(n + 1, sizeof *p);
	for (size_t i = 0; i < n; i++) {
		struct philox r = philox(5, PHILOX_TEST, what, (uint32_t)i, 0);
		p[i] = philox_normal(r.v[0], r.v[1]);
	}
	return p;
}

/* Weights so small that sums of n products are about 1, as in a net: activations then see the errors that they would there. */
static float *weights(size_t n, int fan, uint32_t what)
{
	float *p = randoms(n, what);
	for (size_t i = 0; i < n; i++)
		p[i] /= sqrtf((float)fan);
	return p;
}

/* a[0] is ref's, a[1] cpu's with one thread, a[2], a[3] with more. Frees all. */
static void compare(float *a[4], size_t n, float tolerance, const char *what)
{
	double scale = 0;
	for (size_t i = 0; i < n; i++)
		scale += (double)a[0][i] * (double)a[0][i];
	scale = n ? sqrt(scale / (double)n) + 1e-3 : 1;
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(fabs((double)a[0][i] - (double)a[1][i]) <= (double)tolerance * (scale + fabs((double)a[0][i])),
			"%s: element %zu of %zu: %.9g, ref has %.9g", what, i, n, (double)a[1][i], (double)a[0][i]);
	ck_assert_msg(!memcmp(a[1], a[2], n * sizeof(float)), "%s: 2 threads give other bits", what);
	ck_assert_msg(!memcmp(a[1], a[3], n * sizeof(float)), "%s: 5 threads give other bits", what);
	for (int i = 0; i < 4; i++)
		free(a[i]);
}

static struct ops *hand(int i)
{
	return i ? cpu[i - 1] : ref;
}

static float *filled(size_t n)
{
	float *p = xcalloc(n + 1, sizeof *p);
	for (size_t i = 0; i < n; i++)
		p[i] = NAN; /* what an operation leaves unwritten shows */
	return p;
}

static const int dense_shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {32, 475, 500}, {257, 65, 513}, {1, 1000, 3}, {129, 3, 1030}};

START_TEST(dense)
{
	int B = dense_shapes[_i][0], I = dense_shapes[_i][1], O = dense_shapes[_i][2];
	size_t ni = (size_t)(B * I), no = (size_t)(B * O), nw = (size_t)(I * O);
	float *x = randoms(ni, 1), *w = weights(nw, I, 2), *b = randoms((size_t)O, 3), *dy = randoms(no, 4);
	for (int flip = 0; flip < 2; flip++)
		for (int act = ACT_NONE; act <= ACT_SIGMOID; act++) {
			float *y[4], *dx[4];
			for (int h = 0; h < 4; h++) {
				y[h] = filled(no), dx[h] = filled(ni);
				hand(h)->dense(hand(h), y[h], x, w, act == ACT_TANH ? NULL : b, (enum act)act, flip, B, I, O);
				hand(h)->dense_dx(hand(h), dx[h], dy, w, flip, B, I, O);
			}
			compare(y, no, TOLERANCE(I), "dense");
			compare(dx, ni, TOLERANCE(O), "dense_dx");
		}
	for (int add = 0; add < 2; add++) {
		float *dw[4], *db[4];
		for (int h = 0; h < 4; h++) {
			dw[h] = add ? randoms(nw, 9) : filled(nw), db[h] = filled((size_t)O);
			hand(h)->dense_dw(hand(h), dw[h], db[h], dy, x, add, B, I, O);
		}
		compare(dw, nw, TOLERANCE(B), "dense_dw");
		compare(db, (size_t)O, TOLERANCE(B), "db");
	}
	free(x), free(w), free(b), free(dy);
}
END_TEST

static const int conv_shapes[][9] = {/* B C H W F KH KW S P */
	{1, 1, 1, 1, 1, 1, 1, 1, 0}, {2, 3, 5, 7, 4, 3, 3, 1, 1}, {33, 2, 9, 8, 3, 2, 3, 2, 0}, {3, 1, 11, 11, 5, 5, 5, 3, 2},
	{17, 4, 6, 6, 7, 1, 1, 1, 0}, {3, 2, 7, 6, 3, 1, 1, 2, 0}, {5, 3, 6, 9, 2, 1, 4, 1, 0}, {2, 5, 12, 10, 3, 3, 3, 2, 1},
	{1, 1, 96, 96, 2, 3, 3, 1, 0}};

START_TEST(convolution)
{
	const int *v = conv_shapes[_i];
	struct conv s = {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], 0, 0};
	s.OH = (s.H + 2 * s.P - s.KH) / s.S + 1, s.OW = (s.W + 2 * s.P - s.KW) / s.S + 1;
	size_t nx = (size_t)s.B * s.C * s.H * s.W, ny = (size_t)s.B * s.F * s.OH * s.OW, nw = (size_t)s.F * s.C * s.KH * s.KW;
	float *x = randoms(nx, 1), *w = weights(nw, s.C * s.KH * s.KW, 2), *b = randoms((size_t)s.F, 3), *dy = randoms(ny, 4);
	for (int act = ACT_NONE; act <= ACT_SIGMOID; act++) {
		float *y[4], *dx[4], *dw[4], *db[4];
		for (int h = 0; h < 4; h++) {
			y[h] = filled(ny), dx[h] = filled(nx), dw[h] = filled(nw), db[h] = filled((size_t)s.F);
			hand(h)->conv(hand(h), y[h], x, w, b, (enum act)act, &s);
			hand(h)->conv_dx(hand(h), dx[h], dy, w, &s);
			hand(h)->conv_dw(hand(h), dw[h], db[h], dy, x, &s);
		}
		compare(y, ny, TOLERANCE(s.C * s.KH * s.KW), "conv");
		compare(dx, nx, TOLERANCE(s.F * s.KH * s.KW), "conv_dx");
		compare(dw, nw, TOLERANCE(s.B * s.OH * s.OW), "conv_dw");
		compare(db, (size_t)s.F, TOLERANCE(s.B * s.OH * s.OW), "conv db");
	}
	free(x), free(w), free(b), free(dy);
}
END_TEST

static const int plane_shapes[][4] = {{1, 1, 1, 1}, {3, 5, 7, 2}, {70, 6, 9, 3}, {5, 4, 4, 4}, {1, 95, 94, 2}};

START_TEST(planes)
{
	const int *v = plane_shapes[_i];
	int P = v[0], H = v[1], W = v[2], K = v[3];
	size_t nx = (size_t)(P * H * W), ny = (size_t)(P * (H / K) * (W / K)), nu = nx * (size_t)(K * K);
	float *x = randoms(nx, 1), *dy = randoms(ny, 2), *du = randoms(nu, 3);
	float *y[4], *dx[4], *u[4], *ux[4];
	uint8_t *at[4];
	for (int h = 0; h < 4; h++) {
		y[h] = filled(ny), dx[h] = filled(nx), u[h] = filled(nu), ux[h] = filled(nx), at[h] = xcalloc(ny + 1, 1);
		hand(h)->pool(hand(h), y[h], at[h], x, P, H, W, K);
		hand(h)->pool_back(hand(h), dx[h], dy, at[h], P, H, W, K);
		hand(h)->up(hand(h), u[h], x, P, H, W, K);
		hand(h)->up_back(hand(h), ux[h], du, P, H, W, K);
	}
	for (int h = 1; h < 4; h++)
		ck_assert_msg(!memcmp(at[0], at[h], ny), "pool: places differ");
	compare(y, ny, 0, "pool"), compare(dx, nx, 0, "pool_back"), compare(u, nu, 0, "up"), compare(ux, nx, TOLERANCE(K * K), "up_back");
	for (int h = 0; h < 4; h++)
		free(at[h]);
	free(x), free(dy), free(du);
}
END_TEST

START_TEST(batch_norm)
{
	const int shapes[][3] = {{1, 1, 4}, {5, 3, 1}, {7, 9, 35}};
	struct bn s = {shapes[_i][0], shapes[_i][1], shapes[_i][2], 1, 0.1f, 1e-5f};
	size_t n = (size_t)(s.B * s.C * s.HW), c = (size_t)s.C;
	float *x = randoms(n, 1), *dy = randoms(n, 2), *gamma = randoms(c, 3), *beta = randoms(c, 4);
	for (s.train = 1; s.train >= 0; s.train--) {
		float *y[4], *run[4], *save[4], *dx[4], *dg[4], *db[4];
		for (int h = 0; h < 4; h++) {
			y[h] = filled(n), run[h] = randoms(2 * c, 5), save[h] = filled(2 * c), dx[h] = filled(n), dg[h] = filled(c),
			db[h] = filled(c);
			for (size_t k = c; k < 2 * c; k++)
				run[h][k] = fabsf(run[h][k]) + 0.1f;
			hand(h)->bn(hand(h), y[h], x, gamma, beta, run[h], save[h], &s);
			hand(h)->bn_back(hand(h), dx[h], dg[h], db[h], dy, x, gamma, save[h], &s);
		}
		compare(y, n, 1e-5f, "bn"), compare(run, 2 * c, 1e-5f, "bn run"), compare(save, 2 * c, 1e-5f, "bn save");
		compare(dx, n, 2e-5f, "bn_back"), compare(dg, c, 2e-5f, "dgamma"), compare(db, c, 2e-5f, "dbeta");
	}
	free(x), free(dy), free(gamma), free(beta);
}
END_TEST

START_TEST(batches)
{
	int B = 9, H = 11, W = 13, N = 20;
	size_t P = (size_t)(H * W), n = (size_t)B * P;
	uint8_t *bytes = xcalloc((size_t)N * P, 1);
	uint32_t rows[] = {3, 19, 0, 7, 7, 12, 1, 18, 5};
	struct augment a = {1, 2, 15, 0.2f, 0.3f, 0.1f, 0.05f, 9, 4};
	float *source = randoms((size_t)N * P, 1);
	for (size_t i = 0; i < (size_t)N * P; i++)
		bytes[i] = (uint8_t)philox(1, PHILOX_TEST, 0, (uint32_t)i, 0).v[0];
	float *x[4], *g[4], *m[4], *z[4];
	for (int h = 0; h < 4; h++) {
		x[h] = filled(n), g[h] = filled(n), m[h] = filled(n), z[h] = filled(n);
		hand(h)->images(hand(h), x[h], bytes, rows, B, 1, H, W, 1.0f / 255, 0.25f, NULL);
		hand(h)->images(hand(h), z[h], bytes, rows, B, 1, H, W, 1.0f / 255, 0, &a);
		hand(h)->gather(hand(h), g[h], source, rows, B, (int)P);
		hand(h)->mask(hand(h), m[h], g[h], rows, B, (int)P, 0.3f, 2, 77, PHILOX_MASK, 6);
	}
	ck_assert_float_eq(x[0][5], (float)bytes[3 * P + 5] * (1.0f / 255) + 0.25f);
	ck_assert_float_eq(g[0][P + 2], source[19 * P + 2]);
	int zeros = 0;
	for (size_t i = 0; i < n; i++) {
		zeros += m[0][i] == 0;
		ck_assert(m[0][i] == 0 || m[0][i] == 2 * g[0][i]);
		ck_assert(z[0][i] >= 0 && z[0][i] <= 1);
	}
	ck_assert_msg(fabs(zeros / (double)n - 0.3) < 0.05, "%d of %zu are zero", zeros, n);
	/* rows 3 and 4 of the batch are one row of the data: they draw the same numbers wherever they stand */
	ck_assert(!memcmp(m[0] + 3 * P, m[0] + 4 * P, P * sizeof(float)));
	compare(x, n, 0, "images"), compare(z, n, 0, "augmented"), compare(g, n, 0, "gather"), compare(m, n, 0, "mask");
	free(bytes), free(source);
}
END_TEST

START_TEST(losses_and_steps)
{
	int B = 37, K = 5;
	size_t n = (size_t)(B * K), big = 100003;
	float *z = randoms(n, 1), *t = randoms(n, 2), *g = randoms(big, 3);
	for (size_t i = 0; i < n; i++)
		z[i] *= 30; /* far into saturation */
	for (int kind = LOSS_SQUARED; kind <= LOSS_SOFTMAX; kind++) {
		float *dz[4], *l[4];
		for (size_t i = 0; i < n; i++)
			t[i] = kind == LOSS_SQUARED ? t[i] : kind == LOSS_SIGMOID ? (float)(i % 3) / 2 : (float)(i % (size_t)K);
		for (int h = 0; h < 4; h++) {
			double *loss = xcalloc((size_t)B, sizeof *loss);
			dz[h] = filled(n), l[h] = filled((size_t)B);
			hand(h)->loss(hand(h), (enum loss)kind, loss, dz[h], z, t, 0.5f, B, K);
			for (int b = 0; b < B; b++) {
				ck_assert_msg(isfinite(loss[b]) && loss[b] >= 0, "loss %d of row %d is %g", kind, b, loss[b]);
				l[h][b] = (float)loss[b];
			}
			free(loss);
		}
		compare(dz, n, 0, "dz"), compare(l, (size_t)B, 0, "loss");
	}
	float *w[4], *a[4];
	for (int h = 0; h < 4; h++) {
		float *m = randoms(big, 5), *v = randoms(big, 6);
		for (size_t i = 0; i < big; i++)
			v[i] = fabsf(v[i]);
		w[h] = randoms(big, 4), a[h] = randoms(big, 4);
		hand(h)->sgd(hand(h), w[h], g, NULL, big, 0.1f, 0.9f, 1, 0);
		hand(h)->sgd(hand(h), w[h], g, m, big, 0.1f, 0.9f, 1, 0.01f);
		hand(h)->sgd(hand(h), w[h], g, m, big, 0.1f, 0.9f, 0, 0.01f);
		hand(h)->adam(hand(h), a[h], g, m, v, big, 0.1f, 0.9f, 0.999f, 1e-8f, 0.01f, 3);
		free(m), free(v);
	}
	compare(w, big, 1e-6f, "sgd"), compare(a, big, 1e-6f, "adam");
	free(z), free(t), free(g);
}
END_TEST

/* NaN must come out of whatever it goes into: training that went wrong has to show. */
START_TEST(nan_passes)
{
	for (int h = 0; h < 2; h++) {
		float x[4] = {1, NAN, 2, 3}, y[4];
		uint8_t at[1];
		for (int act = ACT_NONE; act <= ACT_SIGMOID; act++) {
			hand(h)->act(hand(h), y, x, (enum act)act, 4);
			ck_assert(isnan(y[1]) && !isnan(y[0]));
		}
		hand(h)->pool(hand(h), y, at, x, 1, 2, 2, 2);
		ck_assert(isnan(y[0]));
	}
}
END_TEST

/* Of equal values the first is the largest: after a relu there are many zeros, and hands must send their gradient to one place. */
START_TEST(ties)
{
	static const float x[2][9] = {{0}, {1, 5, 5, 5, 2, 5, 3, 3, 5}};
	for (int h = 0; h < 2; h++) {
		float y[2];
		uint8_t at[2];
		hand(h)->pool(hand(h), y, at, x[0], 2, 3, 3, 3);
		ck_assert(y[0] == 0 && at[0] == 0 && y[1] == 5 && at[1] == 1);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ops");
	TCase *t = tcase_create("ops");
	ref = ops_open("ref", 1);
	cpu[0] = ops_open("cpu", 1), cpu[1] = ops_open("cpu", 2), cpu[2] = ops_open("cpu", 5);
	tcase_add_loop_test(t, dense, 0, sizeof dense_shapes / sizeof *dense_shapes);
	tcase_add_loop_test(t, convolution, 0, sizeof conv_shapes / sizeof *conv_shapes);
	tcase_add_loop_test(t, planes, 0, sizeof plane_shapes / sizeof *plane_shapes);
	tcase_add_loop_test(t, batch_norm, 0, 3);
	tcase_add_test(t, batches);
	tcase_add_test(t, losses_and_steps);
	tcase_add_test(t, nan_passes);
	tcase_add_test(t, ties);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_set_fork_status(r, CK_NOFORK); /* the pool's threads would not survive a fork */
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	for (int i = 0; i < 3; i++)
		cpu[i]->close(cpu[i]);
	ref->close(ref);
	return failed != 0;
}
