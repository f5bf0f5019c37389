/* Forward and backward passes of nets: dropout's rate, scale and independence between layers; training against prediction mode; batch
 * sizes; skips. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "child.h"
#include "lib/base/err.h"
#include "lib/base/memory.h"
#include "lib/base/philox.h"
#include "lib/nn/net_need.h"
#include "lib/nn/net_shards.h"

static struct netdesc d;

static struct net *net_of(const struct backend *be, const char *text, int C, int H, int W, int target, int B, enum net_mode mode)
{
	char err[256];
	ck_assert_msg(!netdesc_parse(&d, text, C, H, W, (struct netdesc_target){target, target}, err), "%s", err);
	struct net *n = net_new(be, &d, B, mode);
	real *param = xcalloc(d.nparam + 1, sizeof *param), *stat = xcalloc(d.nstat + 1, sizeof *stat);
	netdesc_init_params(&d, 3, param, stat);
	net_upload(n, param, stat);
	free(param), free(stat);
	return n;
}

static real *randoms(size_t n)
{
	real *x = xcalloc(n, sizeof *x);
	for (size_t i = 0; i < n; i++)
		x[i] = philox_uniform(philox(4, PHILOX_TEST, 0, (uint32_t)i, 0).v[0]) + 0.5f;
	return x;
}

/* A batch in shards, one of them without rows, has the gradients, outputs and running statistics of the whole. */
START_TEST(shards)
{
	enum { B = 13, S = 4, MOST = 5, CLASSES = 3 };
	static const char *const texts[] = {"conv3x3x5 bn relu pool2 fc7 bn tanh dropout0.2 fc", "fc9 relu fc",
		"conv3x3x6p1 bn relu ( conv3x3x6p1 bn relu conv3x3x6p1 bn )+ relu pool2 up2 conv1x1x2 fc"};
	const char *text = texts[_i / 2];
	struct backend *be = backend_init_by_name(_i % 2 ? "cpu" : "ref", 2, PRECISION_FP32);
	struct net *whole = net_of(be, text, 1, 8, 8, CLASSES, B, NET_GRADIENT),
		   *first = net_of(be, text, 1, 8, 8, CLASSES, MOST, NET_GRADIENT);
	struct net_shards *s = net_shards_new(first, S, NULL);
	struct net_shard shard[S];
	real *x = randoms(B * 64), dz[B * CLASSES], part[B * CLASSES];
	uint32_t rows[B];
	for (uint32_t b = 0; b < B; b++)
		rows[b] = 50 + b;
	for (int i = 0; i < B * CLASSES; i++)
		dz[i] = part[i] = sinf((float)i);
	struct net_pass pass = {1, rows, 7, 2};
	const real *z = net_forward(whole, x, B, &pass);
	for (int k = 0; k < S; k++) {
		int from = k * MOST < B ? k * MOST : B;
		shard[k] = (struct net_shard){
			.B = B - from < MOST ? B - from : MOST, .x = x + from * 64, .dz = part + from * CLASSES, .pass = pass};
		shard[k].pass.rows = rows + from;
	}
	net_shards_forward(s, shard, B);
	for (int i = 0; i < B * CLASSES; i++)
		ck_assert_float_eq_tol(z[i], shard[i / CLASSES / MOST].z[i - i / CLASSES / MOST * MOST * CLASSES], 2e-5f);
	net_backward(whole, x, dz, B, &pass, NULL), net_shards_backward(s, shard, B);
	for (size_t i = 0; i < d.nparam; i++)
		ck_assert_msg(fabsf(whole->grad[i] - first->grad[i]) < 1e-4f * (1 + fabsf(whole->grad[i])),
			"%s: gradient %zu is %g, not %g", text, i, (double)first->grad[i], (double)whole->grad[i]);
	for (size_t i = 0; i < d.nstat; i++)
		ck_assert_float_eq_tol(whole->stat[i], first->stat[i], 1e-5f);
	net_shards_free(s), net_free(first), net_free(whole), free(x);
	be->close(be);
}
END_TEST

/* The tree's order: of 1, e, e, e, where e vanishes beside 1 unless two of them meet first. */
START_TEST(tree_order)
{
	struct backend *be = backend_init_by_name("ref", 1, PRECISION_FP32);
	const real e = 5e-8f, leaf[8] = {1, e, e, e, e, e, e, e};
	struct tree t;
	real total;
	tree_open(&t, be, 8, 1), tree_begin(&t, &total, 1);
	for (int i = 0; i < 8; i++)
		*tree_place(&t, i) = leaf[i], tree_add(&t, i);
	real want = (real)((real)(1 + e) + (real)(e + e)) + (real)((real)(e + e) + (real)(e + e));
	ck_assert(total == want && want != 1);
	tree_close(&t), be->close(be);
}
END_TEST

START_TEST(dropout)
{
	enum { B = 20, K = 501 };
	struct backend *be = backend_init_by_name(_i ? "cpu" : "ref", 1, PRECISION_FP32);
	struct net *n = net_of(be, "dropout0.3 dropout0.5", 1, 1, K, K, B, NET_GRADIENT);
	uint32_t rows[B];
	real *x = randoms(B * K), first[B * K], again[B * K];
	for (uint32_t b = 0; b < B; b++)
		rows[b] = 100 + b;
	struct net_pass pass = {1, rows, 7, 2};
	memcpy(again, net_forward(n, x, B, &pass), sizeof again);
	memcpy(first, n->y[0], sizeof first);
	double dropped = 0, later = 0, both = 0;
	for (int i = 0; i < B * K; i++) { /* the scale keeps the mean: 1 / (1 - p) */
		ck_assert(first[i] == 0 || fabsf(first[i] / x[i] - 1 / 0.7f) < 1e-6f);
		ck_assert(again[i] == 0 || fabsf(again[i] / first[i] - 2) < 1e-6f);
		dropped += first[i] == 0, later += first[i] != 0 && again[i] == 0, both += first[i] != 0;
	}
	ck_assert_msg(fabs(dropped / (B * K) - 0.3) < 0.02, "%g dropped", dropped / (B * K));
	ck_assert_msg(fabs(later / both - 0.5) < 0.02, "of what the first layer left, the second dropped %g: they are not independent",
		later / both);
	/* the mask depends on row, epoch and seed, not on the position in the batch */
	uint32_t one = 107;
	pass.rows = &one;
	real *y = net_forward(n, x + 7 * K, 1, &pass);
	ck_assert(!memcmp(y, again + 7 * K, K * sizeof *y));
	pass.epoch = 3;
	ck_assert(memcmp(net_forward(n, x + 7 * K, 1, &pass), again + 7 * K, K * sizeof *y));
	pass.epoch = 2, pass.seed = 8;
	ck_assert(memcmp(net_forward(n, x + 7 * K, 1, &pass), again + 7 * K, K * sizeof *y));
	/* the backward pass has the same mask and scale */
	pass = (struct net_pass){1, rows, 7, 2};
	net_forward(n, x, B, &pass);
	real *dz = randoms(B * K), *dx;
	net_backward(n, x, dz, B, &pass, NULL);
	dx = n->delta[1]; /* backward through two layers writes delta[0], then delta[1] */
	for (int i = 0; i < B * K; i++)
		ck_assert(again[i] == 0 ? dx[i] == 0 : fabsf(dx[i] / dz[i] - 2 / 0.7f) < 1e-5f);
	/* no dropout in prediction */
	pass = (struct net_pass){0};
	ck_assert(!memcmp(net_forward(n, x, B, &pass), x, B * K * sizeof *x));
	free(x), free(dz);
	net_free(n);
	be->close(be);
}
END_TEST

/* Batch norms folded into weights give the outputs of separate batch norms. */
START_TEST(folding)
{
	enum { B = 5, P = 2 * 6 * 7 };
	struct backend *be = backend_init_by_name(_i % 2 ? "cpu" : "ref", 1, PRECISION_FP32);
	const char *text = _i / 2 ? "conv3x3x4p1 bn relu ( pool1 conv3x3x4p1 bn )+ relu ( conv1x1x4 ( bn )+ )+ fc5 ( bn )+ sigmoid fc"
				  : "conv3x3x4p1 bn relu pool2 bn up2 conv2x2x3s2p1 bn tanh fc5 bn sigmoid fc";
	struct net *n[2] = {net_of(be, text, 2, 6, 7, 3, B, NET_TRAIN), net_of(be, text, 2, 6, 7, 3, B, NET_INFER)};
	size_t np = n[0]->d->nparam, ns = n[0]->d->nstat;
	real *x = randoms(B * P), *param = randoms((int)np), *stat = randoms((int)ns), y[2][B * 3];
	for (size_t k = 0; k < np; k++)
		param[k] = (_i / 2 ? 1 : 4) * (param[k] - 1);
	struct net_pass predict = {0};
	for (int k = 0; k < 2; k++) {
		if (k)
			net_map_params(n[k], param, stat);
		else
			net_upload(n[k], param, stat);
		memcpy(y[k], net_forward(n[k], x, B, &predict), sizeof y[k]);
	}
	for (int i = 0; i < B * 3; i++)
		ck_assert_float_eq_tol(y[0][i], y[1][i], 2e-5f);
	ck_assert(fabsf(y[0][0] - y[0][3]) > 1e-4f);
	free(x), free(param), free(stat);
	net_free(n[0]), net_free(n[1]);
	be->close(be);
}
END_TEST

/* relu(x + f(x)) by hand, of x and f from nets without skips, whose parameters stand in the block one after the other. */
START_TEST(skip)
{
	enum { B = 3, N = 5 * 6 * 7 };
	struct backend *be = backend_init_by_name(_i ? "cpu" : "ref", 1, PRECISION_FP32);
	static const char *const text[] = {
		"conv3x3x5p1 tanh ( conv3x3x5p1 relu conv1x1x5 )+ relu", "conv3x3x5p1 tanh", "conv3x3x5p1 relu conv1x1x5"};
	struct net_pass predict = {0};
	real *param = NULL, *x = randoms(B * N), *y[3];
	for (int k = 0; k < 3; k++) {
		struct net *n = net_of(be, text[k], k == 2 ? 5 : 2, 6, 7, N, B, k ? NET_INFER : NET_TRAIN);
		if (!k)
			param = randoms(d.nparam + 1);
		for (size_t i = 0; !k && i < d.nparam; i++)
			param[i] -= 1;
		net_upload(n, param + (k == 2 ? 5 * 2 * 9 + 5 : 0), NULL);
		y[k] = xcalloc(B * N, sizeof **y);
		memcpy(y[k], net_forward(n, k == 2 ? y[1] : x, B, &predict), B * N * sizeof **y);
		net_free(n);
	}
	int zeros = 0;
	for (int i = 0; i < B * N; i++) {
		real sum = y[1][i] + y[2][i];
		ck_assert_float_eq_tol(y[0][i], sum > 0 ? sum : 0, 1e-5f);
		zeros += sum < 0;
	}
	ck_assert(zeros > 10 && zeros < B * N - 10);
	free(param), free(x), free(y[0]), free(y[1]), free(y[2]);
	be->close(be);
}
END_TEST

/* Gradients and outputs of a net with skips, of maps and rows: cpu's are ref's, and the same bits for 1, 2 and 3 threads. */
START_TEST(skip_backends)
{
	enum { B = 5, OUT = 2 * 12 * 10, RUNS = 4 };
	static const char *const text =
		"conv3x3x17p1 bn relu ( conv3x3x20s2p1 bn relu ( conv3x3x20p1 bn relu conv3x3x20p1 bn )+ relu "
		"( conv1x1x20 dropout0.2 )+ dropout0.1 ( conv1x1x20 )+ up2 conv3x3x17p1 bn )+ relu fc8 tanh ( fc8 )+ relu fc";
	real *y[RUNS], *g[RUNS], *x = randoms(B * 120), *dz = xcalloc(B * OUT, sizeof *dz);
	uint32_t rows[B] = {3, 1, 4, 15, 9};
	struct net_pass pass = {1, rows, 7, 2};
	for (int k = 0; k < RUNS; k++) {
		struct backend *be = backend_init_by_name(k ? "cpu" : "ref", k, _i ? PRECISION_BF16 : PRECISION_FP32);
		struct net *n = net_of(be, text, 1, 12, 10, OUT, B, NET_GRADIENT);
		y[k] = xcalloc(B * OUT, sizeof **y), g[k] = xcalloc(d.nparam, sizeof **g);
		memcpy(y[k], net_forward(n, x, B, &pass), B * OUT * sizeof **y);
		for (int i = 0; i < B * OUT; i++)
			dz[i] = (real)(i % 7) - 3;
		net_backward(n, x, dz, B, &pass, NULL);
		memcpy(g[k], n->grad, d.nparam * sizeof **g);
		net_free(n), be->close(be);
	}
	double square = 0, away = 0;
	for (size_t i = 0; i < d.nparam; i++)
		square += (double)(g[0][i] * g[0][i]), away += (double)((g[0][i] - g[1][i]) * (g[0][i] - g[1][i]));
	ck_assert_msg(sqrt(away / square) < (_i ? 0.1 : 1e-4), "gradients differ by %g", sqrt(away / square));
	for (int i = 0; i < B * OUT; i++)
		ck_assert_float_eq_tol(y[0][i], y[1][i], _i ? 0.2f : 1e-3f);
	for (int k = 2; k < RUNS; k++)
		ck_assert(!memcmp(y[1], y[k], B * OUT * sizeof **y) && !memcmp(g[1], g[k], d.nparam * sizeof **g));
	for (int k = 0; k < RUNS; k++)
		free(y[k]), free(g[k]);
	free(x), free(dz);
}
END_TEST

/* A row's prediction does not depend on the rest of its batch and leaves the running statistics; training updates them. */
START_TEST(batches)
{
	enum { B = 9, P = 2 * 6 * 7 };
	struct backend *be = backend_init_by_name(_i ? "cpu" : "ref", 1, PRECISION_FP32);
	struct net *n = net_of(be, "conv3x3x4p1 bn relu pool2 dropout0.5 up2 conv2x2x3s2p1 tanh fc5 sigmoid fc", 2, 6, 7, 3, B, NET_TRAIN);
	real *x = randoms(B * P), all[B * 3], stat[8], after[8];
	uint32_t rows[B] = {0};
	struct net_pass train = {1, rows, 1, 1}, predict = {0};
	net_forward(n, x, B, &train);
	be->download(be, stat, n->stat, sizeof stat);
	for (int c = 0; c < 4; c++)
		ck_assert(stat[c] != 0 && stat[4 + c] != 1);
	memcpy(all, net_forward(n, x, B, &predict), sizeof all);
	for (int b = 0; b < B; b++) {
		real *y = net_forward(n, x + b * P, 1, &predict);
		for (int k = 0; k < 3; k++)
			ck_assert_float_eq_tol(y[k], all[3 * b + k], 1e-6f);
	}
	be->download(be, after, n->stat, sizeof after);
	ck_assert(!memcmp(stat, after, sizeof stat));
	free(x);
	net_free(n);
	be->close(be);
}
END_TEST

/* What a net takes is known before it is allocated: here by hand. */
START_TEST(need)
{
	struct backend *be = backend_init_by_name(_i ? "cpu" : "ref", 1, PRECISION_FP32);
	enum { B = 4 };
	char err[256];
	/* weights 2 x 9, of maps 1 x 10 x 10 to 2 x 10 x 10; a fc of 200 to 3 */
	ck_assert(!netdesc_parse(&d, "conv3x3x2p1 fc", 1, 10, 10, (struct netdesc_target){3, 3}, err));
	double least = sizeof(real) * ((2 * 9 + 2) + (3 * 200 + 3) + B * (200.0 + 3));
	ck_assert_double_ge(net_need(be, &d, B), least);
	if (!_i) /* the weights packed, the convolution's output as rows; its padded input, and its output, in a buffer */
		ck_assert_double_eq(net_need(be, &d, B), least + sizeof(real) * (18 + B * 200.0 + B * (144 + 200)));
	be->close(be);
}
END_TEST

static void ask(void *net)
{
	struct backend *be = backend_init_by_name("cpu", 1, PRECISION_FP32);
	char err[256];
	err_name("asker");
	if (netdesc_parse(&d, net, 1, 96, 96, (struct netdesc_target){1, 1}, err))
		die("%s", err);
#ifndef __SANITIZE_ADDRESS__ /* which needs more itself */
	setrlimit(RLIMIT_DATA, &(struct rlimit){1u << 30, 1u << 30});
#endif
	memory_require(net_need(be, &d, 128), "a net");
}

/* Large by its description alone. */
START_TEST(refused)
{
	static const struct {
		char net[64];
		const char *line;
	} large[] = {
#ifdef __SANITIZE_ADDRESS__
		{"up40 pool15 pool15 fc", "asker: a net needs 122 GB of memory, "},
#else
		{"up40 pool15 pool15 fc", "asker: a net needs 122 GB of memory, 1.07 GB are free"},
#endif
		{"up200 conv1x1x40 pool15 pool15 fc", "does not fit its input"},
		{"conv3x3x40p1 conv999x999x9p600 fc", "operations an image, more than 1e+12"},
		{"conv2x2x1s1000000p999999d1000000 fc",
			"asker: layer 1: conv2x2x1s1000000p999999d1000000 does not fit its input of 1x96x96"}};
	struct child c = child_run(ask, (void *)large[_i].net);
	ck_assert_int_eq(c.status, 1);
	ck_assert_msg(strstr(c.err, large[_i].line) != NULL, "%s", c.err);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net");
	TCase *t = tcase_create("net");
	tcase_add_loop_test(t, shards, 0, 6);
	tcase_add_test(t, tree_order);
	tcase_add_loop_test(t, dropout, 0, 2);
	tcase_add_loop_test(t, batches, 0, 2);
	tcase_add_loop_test(t, folding, 0, 4);
	tcase_add_loop_test(t, skip, 0, 2);
	tcase_add_loop_test(t, skip_backends, 0, 2);
	tcase_add_loop_test(t, need, 0, 2);
	tcase_add_loop_test(t, refused, 0, 4);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
