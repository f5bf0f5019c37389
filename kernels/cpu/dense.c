/* Products in tiles whose size is the shape's alone; every tile is one call of sgemm on one thread. */
#include "kernels/cpu/blas.h"

#include "kernels/act.h"
#include "kernels/cpu/cpu.h"

enum { TILE_M = 256, TILE_N = 512 };

void cpu_sgemm(int ta, int tb, int M, int N, int K, const float *a, int lda, const float *b, int ldb, float beta, float *out, int ldc)
{
	cblas_sgemm(
		CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, M, N, K, 1, a, lda, b, ldb, beta, out, ldc);
}

struct gemm {
	int ta, tb, M, N, K, add, tile_m, tile_n, across;
	const float *a, *b, *bias;
	float *out;
	enum act act;
};

static void tile(void *arg, int task, int thread)
{
	const struct gemm *g = arg;
	int m = task / g->across * g->tile_m, n = task % g->across * g->tile_n;
	int M = g->M - m < g->tile_m ? g->M - m : g->tile_m, N = g->N - n < g->tile_n ? g->N - n : g->tile_n;
	int lda = g->ta ? g->M : g->K, ldb = g->tb ? g->K : g->N;
	const float *a = g->a + (g->ta ? (size_t)m : (size_t)m * lda), *b = g->b + (g->tb ? (size_t)n * ldb : (size_t)n);
	float *out = g->out + (size_t)m * g->N + n;
	(void)thread;
	for (int i = 0; g->bias && i < M; i++)
		for (int j = 0; j < N; j++)
			out[(size_t)i * g->N + j] = g->bias[n + j];
	cpu_sgemm(g->ta, g->tb, M, N, g->K, a, lda, b, ldb, g->add || g->bias ? 1 : 0, out, g->N);
	for (int i = 0; g->act != ACT_NONE && i < M; i++)
		for (int j = 0; j < N; j++)
			out[(size_t)i * g->N + j] = act_value(out[(size_t)i * g->N + j], g->act);
}

static void run(struct cpu *c, struct gemm *g)
{
	/* at least some eight tiles, where the product is large enough to share */
	g->tile_m = TILE_M, g->tile_n = TILE_N;
	while (g->tile_n > 64 && ((g->M + g->tile_m - 1) / g->tile_m) * ((g->N + g->tile_n - 1) / g->tile_n) < 8)
		g->tile_n /= 2;
	g->across = (g->N + g->tile_n - 1) / g->tile_n;
	pool_run(c->pool, (g->M + g->tile_m - 1) / g->tile_m * g->across, tile, g);
}

void cpu_gemm(struct cpu *c, int ta, int tb, int M, int N, int K, const float *a, const float *b, int add, float *out)
{
	run(c, &(struct gemm){.ta = ta, .tb = tb, .M = M, .N = N, .K = K, .add = add, .a = a, .b = b, .out = out});
}

void cpu_dense(const struct ops *o, real *y, const real *x, const real *w, const real *b, enum act act, int flip, int B, int I, int O)
{
	run(o->ctx, &(struct gemm){.tb = !flip, .M = B, .N = O, .K = I, .a = x, .b = w, .bias = b, .out = y, .act = act});
}

void cpu_dense_dx(const struct ops *o, real *dx, const real *dy, const real *w, int flip, int B, int I, int O)
{
	cpu_gemm(o->ctx, 0, flip, B, I, O, dy, w, 0, dx);
}

struct bias {
	float *db;
	const float *dy;
	int B, O;
};

static void bias_sums(void *arg, size_t from, size_t to)
{
	const struct bias *s = arg;
	for (size_t k = from; k < to; k++) {
		double sum = 0;
		for (int b = 0; b < s->B; b++)
			sum += (double)s->dy[(size_t)b * (size_t)s->O + k];
		s->db[k] = (float)sum;
	}
}

void cpu_dense_dw(const struct ops *o, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O)
{
	if (dw)
		cpu_gemm(o->ctx, 1, 0, O, I, B, dy, x, add, dw);
	if (db)
		cpu_slices(o->ctx, (size_t)O, 64, bias_sums, &(struct bias){db, dy, B, O});
}
