/* gemm_bench SECONDS THREADS... - the cpu backend's own products beside OpenBLAS' sgemm, as a table: each shape that the nets in
 * pipelines/nets, the autoencoder and pca-fit compute, and squares; GFLOP/s, medians, taken in turn. Of a convolution OpenBLAS is given its
 * input as the matrix that the product needs (im2col), whose making isn't counted; ours reads maps. Pools and activations are left out. */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#undef I

#include "kernels/backend.h"
#include "lib/base/ascending.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/base/out.h"
#include "lib/nn/net_plan.h"
#include "lib/nn/netdesc_text.h"

enum { SHAPES = 400, MOST = 8 };

/* One product c (m, n) = a b, k terms a value; of a convolution's backward pass two. */
struct shape {
	const char *what;
	int m, n, k, convolves; /* convolves: 1 forward, 2 backward */
	int trans_a, trans_b;
	struct conv conv;
};

static struct shape shapes[SHAPES];
static int count;
static double seconds;

static void add(struct shape s)
{
	for (int i = 0; i < count; i++)
		if (shapes[i].m == s.m && shapes[i].n == s.n && shapes[i].k == s.k && shapes[i].convolves == s.convolves &&
			shapes[i].trans_a == s.trans_a && shapes[i].trans_b == s.trans_b)
			return;
	if (count == SHAPES)
		die("more than %d shapes", SHAPES);
	shapes[count++] = s;
}

/* y (B, O) = x w', and where train dx = dy w and dw = dy' x. */
static void add_dense(int B, int I, int O, int train)
{
	add((struct shape){.what = "dense", .m = B, .n = O, .k = I, .trans_b = 1});
	if (train) {
		add((struct shape){.what = "dense, input gradient", .m = B, .n = I, .k = O});
		add((struct shape){.what = "dense, weight gradient", .m = O, .n = I, .k = B, .trans_a = 1});
	}
}

static void add_net(const char *file, int side, int B, struct netdesc_target t)
{
	static struct netdesc d;
	struct netdesc_text net;
	char err[256], *spec = xprintf("@pipelines/nets/%s.net", file);
	netdesc_text_read(&net, spec);
	if (netdesc_parse(&d, net.text, 1, side, side, t, err))
		die("%s: %s", file, err);
	for (int i = 0; i < d.n; i++) {
		const struct layer *l = &d.layer[i];
		if (l->kind == LAYER_DENSE)
			add_dense(B, l->C * l->H * l->W, l->OC, 1);
		if (l->kind != LAYER_CONV)
			continue;
		struct conv c = net_conv(&d, i, B);
		struct shape s = {"convolution", B * c.OH * c.OW, c.F, c.C * c.KH * c.KW, 1, 0, 1, c};
		s.conv.pool = 1, s.conv.act = ACT_NONE;
		add(s);
		s.what = "convolution, backward", s.convolves = 2;
		if (i)
			add(s);
	}
	netdesc_text_free(&net), free(spec);
}

static float *numbers(size_t n)
{
	float *x = xlarge(n * sizeof *x);
	uint32_t v = 12345;
	for (size_t i = 0; i < n; i++)
		v = v * 1664525 + 1013904223, x[i] = (float)(v >> 8) / (1 << 23) - 1;
	return x;
}

/* All that either side reads and writes; of ours memory of the cpu backend is host memory. */
struct work {
	const struct backend *be;
	const struct shape *s;
	float *a, *b, *c, *d; /* (m, k), (n, k), (m, n), (n, k) */
	float *x, *y, *dx, *packed;
};

static void ours(const struct work *w)
{
	const struct shape *s = w->s;
	const struct backend *be = w->be;
	if (s->convolves == 1)
		be->conv(be, w->y, NULL, w->x, w->packed, w->d, &s->conv);
	else if (s->convolves)
		be->conv_backward(be, w->dx, w->d, w->c, w->y, w->y, NULL, w->x, w->b, w->packed, &s->conv);
	else if (s->trans_a)
		be->dense_backward_weight(be, w->c, NULL, w->a, w->b, 0, s->k, s->n, s->m);
	else if (s->trans_b)
		be->dense(be, w->c, w->a, w->b, NULL, ACT_NONE, 0, s->m, s->k, s->n);
	else
		be->dense_backward_input(be, w->c, w->a, w->b, 0, s->m, s->n, s->k);
}

static void theirs(const struct work *w)
{
	const struct shape *s = w->s;
	int m = s->m, n = s->n, k = s->k;
	if (s->convolves == 2) { /* from c (m, n): the gradients of the matrix and of the weights */
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, k, n, 1, w->c, n, w->b, k, 0, w->a, k);
		cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, k, m, 1, w->c, n, w->a, k, 0, w->d, k);
		return;
	}
	cblas_sgemm(CblasRowMajor, s->trans_a ? CblasTrans : CblasNoTrans, s->trans_b ? CblasTrans : CblasNoTrans, m, n, k, 1, w->a,
		s->trans_a ? m : k, w->b, s->trans_b ? k : n, 0, w->c, n);
}

/* Median GFLOP/s of single calls. */
static double rate(void (*call)(const struct work *), const struct work *w)
{
	enum { CALLS = 100000 };
	static double took[CALLS];
	int n = 0;
	for (double end = log_seconds() + seconds; n < 2 || log_seconds() < end; n++) /* threads wake and find their processors */
		call(w);
	n = 0;
	for (double end = log_seconds() + seconds; n < 3 || (log_seconds() < end && n < CALLS); n++) {
		double t = log_seconds();
		call(w);
		took[n] = log_seconds() - t;
	}
	qsort(took, (size_t)n, sizeof *took, ascending_double);
	return (w->s->convolves == 2 ? 4 : 2) * (double)w->s->m * w->s->n * w->s->k / took[n / 2] / 1e9;
}

/* Ends the program where the two don't compute the same: in the first values of c, one after the other. */
static void compare(const struct work *w)
{
	enum { VALUES = 500 };
	float c[VALUES];
	int n = w->s->m * w->s->n < VALUES ? w->s->m * w->s->n : VALUES;
	ours(w);
	memcpy(c, w->c, (size_t)n * sizeof *c);
	memset(w->c, 0, (size_t)n * sizeof *c);
	theirs(w);
	for (int i = 0; i < n; i++)
		if (fabsf(c[i] - w->c[i]) > 1e-5f * (float)w->s->k)
			die("%s %d x %d x %d: value %d is %g, by OpenBLAS %g", w->s->what, w->s->m, w->s->n, w->s->k, i, (double)c[i],
				(double)w->c[i]);
}

static void line(const struct shape *s, struct backend *const *be, const int *threads, int n)
{
	size_t m = (size_t)s->m, N = (size_t)s->n, k = (size_t)s->k;
	struct work w = {.s = s, .a = numbers(m * k), .b = numbers(N * k), .c = numbers(m * N), .d = numbers(N * k + 16)};
	printf("| %s | %d x %d x %d |", s->what, s->m, s->n, s->k);
	for (int i = 0; i < n; i++) {
		const struct backend *cpu = w.be = be[i];
		if (s->convolves) {
			const struct conv *c = &s->conv;
			size_t in = cpu->maps_size(cpu, c->B, c->C, c->H, c->W), out = cpu->maps_size(cpu, c->B, c->F, c->OH, c->OW);
			w.x = cpu->alloc(cpu, in), w.dx = cpu->alloc(cpu, in), w.y = cpu->alloc(cpu, out);
			w.packed = cpu->alloc(cpu, cpu->conv_packed_size(cpu, c));
			cpu->conv_pack(cpu, w.packed, w.b, c);
		}
		openblas_set_num_threads(threads[i]);
		if (!s->convolves)
			compare(&w);
		nanosleep(&(struct timespec){0, 30000000}, NULL); /* OpenBLAS' threads wait busily for a while after a call */
		double own = rate(ours, &w), other = rate(theirs, &w);
		printf(" %.0f | %.0f | %.2f |", own, other, own / other);
		fflush(stdout);
		cpu->release(cpu, w.x), cpu->release(cpu, w.dx), cpu->release(cpu, w.y), cpu->release(cpu, w.packed);
		w.x = w.dx = w.y = w.packed = NULL;
	}
	printf("\n");
	free(w.a), free(w.b), free(w.c), free(w.d);
}

int main(int argc, char **argv)
{
	struct backend *be[MOST];
	int threads[MOST], n = argc - 2;
	int64_t v;
	err_name("gemm_bench");
	if (n < 1 || n > MOST || !num_real(argv[1], &seconds))
		die_usage("gemm_bench SECONDS THREADS...");
	for (int i = 0; i < n; i++) {
		if (!num_int(argv[i + 2], &v) || v < 1 || v > 1024)
			die_usage("'%s' is no number of threads", argv[i + 2]);
		threads[i] = (int)v, be[i] = backend_cpu_init(threads[i], PRECISION_FP32);
	}
	for (int side = 512; side <= 4096; side *= 2)
		add((struct shape){.what = "square", .m = side, .n = side, .k = side, .trans_b = 1});
	for (int B = 1000; B; B = B == 1000 ? 128 : B == 128 ? 32 : 0) /* autoencoder and RBM, encoding and decoding; classifiers */
		add_dense(B, 475, 500, 1), add_dense(B, 500, 475, 1), add_dense(B, 500, 1, 1);
	add_dense(256, 475, 64, 1); /* a tile of pca-fit's covariance */
	add_net("conv", 96, 32, (struct netdesc_target){30, 30});
	add_net("conv", 96, 128, (struct netdesc_target){30, 30});
	static const char *const maps[] = {"small", "medium", "heat", "best", "level2"};
	for (int i = 0; i < 5; i++)
		add_net(maps[i], i == 4 ? 32 : 96, 32, (struct netdesc_target){15 * 48 * 48, 15});
	printf("By cpu (%s) and OpenBLAS (%s), GFLOP/s:\n\n| product | m x n x k |", be[0]->kernel, openblas_get_corename());
	for (int i = 0; i < n; i++)
		printf(" ours, %d thread%s | OpenBLAS | ratio |", threads[i], threads[i] > 1 ? "s" : "");
	printf("\n| --- | --- |");
	for (int i = 0; i < n; i++)
		printf(" ---: | ---: | ---: |");
	printf("\n");
	for (int i = 0; i < count; i++)
		line(&shapes[i], be, threads, n);
	for (int i = 0; i < n; i++)
		be[i]->close(be[i]);
	return finish();
}
