/* The fast hand: products by OpenBLAS, one thread a call, cut by us into tiles by shape; the rest in slices of the batch. */
#ifndef CPU_H
#define CPU_H

#include <stddef.h>

#include "kernels/cpu/pool.h"
#include "kernels/ops.h"

struct cpu {
	struct pool *pool;
	float **scratch; /* one for each thread, grown as needed and kept */
	size_t *size;
	float *shards; /* partial sums of gradients */
	size_t shards_size;
	char kernel[64];
};

/* n floats of the thread's own, not cleared; valid until its next call. */
float *cpu_scratch(struct cpu *c, int thread, size_t n);
float *cpu_shards(struct cpu *c, size_t n);

/* c (M, N) = a (M, K) b (K, N) (+ c where add); ta: a is stored (K, M); tb: b is stored (N, K). Row-major, dense. In tiles by shape. */
void cpu_gemm(struct cpu *c, int ta, int tb, int M, int N, int K, const float *a, const float *b, int add, float *out);
/* One product on the calling thread. */
void cpu_sgemm(int ta, int tb, int M, int N, int K, const float *a, int lda, const float *b, int ldb, float beta, float *out, int ldc);

/* fn over [0, n) in slices of at least grain (cut by n and grain alone). */
void cpu_slices(struct cpu *c, size_t n, size_t grain, void (*fn)(void *arg, size_t from, size_t to), void *arg);

void cpu_dense(const struct ops *o, real *y, const real *x, const real *w, const real *b, enum act act, int flip, int B, int I, int O);
void cpu_dense_dx(const struct ops *o, real *dx, const real *dy, const real *w, int flip, int B, int I, int O);
void cpu_dense_dw(const struct ops *o, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O);
void cpu_conv(const struct ops *o, real *y, const real *x, const real *w, const real *b, enum act act, const struct conv *s);
void cpu_conv_dx(const struct ops *o, real *dx, const real *dy, const real *w, const struct conv *s);
void cpu_conv_dw(const struct ops *o, real *dw, real *db, const real *dy, const real *x, const struct conv *s);
void cpu_images(const struct ops *o, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul, float add,
	const struct augment *a);
void cpu_gather(const struct ops *o, real *y, const real *x, const uint32_t *rows, int B, int K);
void cpu_mask(const struct ops *o, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch);
void cpu_act(const struct ops *o, real *y, const real *x, enum act act, size_t n);
void cpu_act_back(const struct ops *o, real *dx, const real *dy, const real *y, enum act act, size_t n);
void cpu_pool(const struct ops *o, real *y, uint8_t *at, const real *x, int planes, int H, int W, int K);
void cpu_pool_back(const struct ops *o, real *dx, const real *dy, const uint8_t *at, int planes, int H, int W, int K);
void cpu_up(const struct ops *o, real *y, const real *x, int planes, int H, int W, int K);
void cpu_up_back(const struct ops *o, real *dx, const real *dy, int planes, int H, int W, int K);
void cpu_bn(const struct ops *o, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save, const struct bn *s);
void cpu_bn_back(const struct ops *o, real *dx, real *dgamma, real *dbeta, const real *dy, const real *x, const real *gamma,
	const real *save, const struct bn *s);
void cpu_loss(const struct ops *o, enum loss kind, double *loss, real *dz, const real *z, const real *target, real mul, int B, int K);
void cpu_sgd(const struct ops *o, real *w, const real *g, real *m, size_t n, real rate, real momentum, int nesterov, real decay);
void cpu_adam(const struct ops *o, real *w, const real *g, real *m, real *v, size_t n, real rate, real beta1, real beta2, real eps,
	real decay, int step);

#endif
