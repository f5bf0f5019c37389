/* The innermost loops, once for each kind of processor: the same source (simd_tile.inc, simd_elementwise.inc) compiled for AVX-512, for AVX2 with FMA, and
 * for any. One of them is chosen when the backend is opened: the best that the processor has, or what KEYPIPE_ISA=avx512|avx2|plain names.
 * All that differs is vector width, tile sizes and whether a product and a sum are rounded once; bits are promised for each by itself.
 * Blocks: channels of maps stand in blocks of 16, weights of a convolution in groups of `group` blocks (the last may be one short). */
#ifndef SIMD_H
#define SIMD_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/backend.h"

enum { BLOCK = 16 };

struct conv_kernel { /* y[i][f] = init[f] + sum over k of x[off[k] + i xstep] w[k][f], for pixels i < n and 16 blocks f's; steps in floats */
	float *y;
	long ystep, yblock; /* from pixel to pixel, from block to block */
	const float *x;
	long xstep;
	const int32_t *off;
	const float *w, *init; /* (K, 16 blocks), (16 blocks) */
	int n, K, blocks, relu;
};

struct conv_kernel_dw {   /* dw[k][f] += sum over pixels of x[off[k] + i xstep + j xrow] dy[i dystep + j dyrow][f], i < n, j < rows */
	float *dw; /* (K, 16 blocks) */
	const float *dy;
	long dystep, dyrow, dyblock;
	const float *x;
	long xstep, xrow;
	const int32_t *off; /* NULL: 0, 1, 2, ... */
	int n, rows, K, blocks;
};

struct simd {
	const char *name;
	int group;  /* most blocks a call of taps and conv_kernel_dw */
	int mr, nr; /* largest tile of a product */
	void (*conv_kernel)(const struct conv_kernel *t);
	void (*conv_kernel_dw)(const struct conv_kernel_dw *t);
	/* c (m, nr) = a (m, K) b (K, nr) (+ c where add); a[i][k] at a + i lda + k, or at a + i + k lda where a stands across; n <= nr
	 * columns of b count */
	void (*gemm_tile)(float *c, const float *a, long lda, int across, const float *b, int m, int n, int K, int add);
	/* y[b yrow + o] = w[o] . x[b] for o < O, b < B; x (B, K) dense, w rows ldw apart */
	void (*gemv)(float *y, long yrow, const float *w, long ldw, const float *x, int O, int B, int K);

	void (*act)(float *y, const float *x, enum act act, size_t n);
	void (*act_backward)(float *dx, const float *dy, const float *y, enum act act, size_t n);
	void (*bias_act)(float *y, const float *b, enum act act, size_t n); /* y = act(y + b) */
	void (*optimizer_step)(float *w, const float *g, float *m, float *v, size_t n, const struct optimizer_step *opt, float fix1, float fix2);
	/* the same for a tile of gradients (rows, nr), n of a row's weights, rows ld apart */
	void (*optimizer_step_tile)(
		float *w, float *m, float *v, long ld, const float *tile, int rows, int n, const struct optimizer_step *opt, float fix1, float fix2);
	/* a row's loss, as backend.h has it; dz may be NULL */
	double (*sigmoid_loss)(float *dz, const float *z, const float *t, float mul, int K);
	double (*squared_loss)(float *dz, const float *z, const float *t, float mul, int K);
	/* e (H, W) = exp(z - top), column (W) and line (H) its sums; returns top, the largest z */
	float (*softmax)(float *e, float *column, float *line, const float *z, int H, int W);
	/* sum of z[y][x] gx[x] gy[y] */
	double (*weighted_sum)(const float *z, const float *gx, const float *gy, int H, int W);
	/* dz[y][x] = e[y][x] (bx[x] + by[y]) - gx[x] gy[y] */
	void (*softmax_backward)(float *dz, const float *e, const float *bx, const float *by, const float *gx, const float *gy, int H, int W);
	void (*dropout)(float *y, const float *x, size_t K, float p, float mul, uint64_t seed, uint32_t purpose, uint32_t epoch, uint32_t row);
	/* y[16] = act(max over K x K of x, pixel by pixel xstep, row by row xrow) for n outputs; at: which */
	void (*max_pool_row)(float *y, uint8_t *argmax, const float *x, long xrow, int K, int n, enum act act);
	/* the way back of one row of outputs: dx gets dy * slope(y) at its place, 0 at the K x K - 1 others; y NULL: dy as it is */
	void (*max_pool_row_backward)(float *dx, long xrow, const float *dy, const float *y, const uint8_t *argmax, int K, int n, enum act act);
};

/* Never NULL; dies where KEYPIPE_ISA names what this processor or build has not. */
const struct simd *simd_choose(void);

extern const struct simd *const simd_avx512, *const simd_avx2, *const simd_plain; /* NULL: not in this build */

#endif
