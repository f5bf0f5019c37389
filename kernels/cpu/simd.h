/* SIMD micro-kernels, one table per instruction set: the same source (simd_tile.inc, simd_elementwise.inc) compiled for AVX-512, for AVX2
 * with FMA, and for any processor; products in bf16 by AMX's tiles besides (simd_amx.inc). The backend chooses one when it is opened: the
 * widest that the processor has, or the one that KEYPIPE_ISA=amx|avx512_bf16|avx512|avx2|plain|amx_emulated names. They differ in vector
 * width, tile sizes and contraction to FMA; results are reproducible bit by bit within one of them only. Channels of maps are in blocks of
 * 16, packed weights in groups of `group` blocks (the last may be smaller). */
#ifndef SIMD_H
#define SIMD_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/backend.h"

enum { BLOCK = 16 };

static inline int channel_blocks(int channels)
{
	return (channels + BLOCK - 1) / BLOCK;
}

/* Arguments of the convolution micro-kernel: y[i][f] = init[f] + sum over k of x[off[k] + i xstep] w[k][f], for pixels i < n and
 * 16 x blocks filters f; steps in floats. By tiles for rows of such pixels, too, xrow and yrow apart; then up to TILE_ROWS pixels behind
 * the last are read, whatever they are. Others compute one row. */
struct conv_kernel {
	float *y;
	long ystep, yblock; /* from pixel to pixel, from block to block */
	const float *x;
	long xstep;
	const int32_t *off;    /* (K), ascending */
	const float *w, *init; /* (K, 16 x blocks), (16 x blocks) */
	int n, K, blocks, relu;
	int rows;
	long xrow, yrow;
};
enum { TILE_ROWS = 16 };

/* Of its weight gradient: dw[k][f] += sum over i < n, j < rows of x[off[k] + i xstep + j xrow] dy[i dystep + j dyrow][f]. */
struct conv_kernel_dw {
	float *dw; /* (K, 16 x blocks) */
	const float *dy;
	long dystep, dyrow, dyblock; /* from pixel to pixel, row to row, filter block to filter block */
	const float *x;
	long xstep, xrow;
	const int32_t *off; /* NULL: 0, 1, 2, ... */
	int n, rows, K, blocks;
};

/* Of a convolution's weight gradient by tiles of 16 rows of 16 words (conv_tiles.h): sums[i][k], 16x16 each, = sum over images and segments
 * of tile fixed[i] times tile moving[k]; NULL: there is no second one, and what sums get for it means nothing. A segment of the fixed one
 * is a tile, of the moving one 2 TILE_ROWS pixels of 16 words, of which every second is a row. Steps from image to image in floats. */
struct tile_sums {
	float *sums; /* (2, 2, 16, 16) */
	const float *fixed[2], *moving[2];
	long fixed_image, moving_image;
	int images, segments;
};

/* Of dot products: y[i yw + j yx] = sum over k < K of w[i ldw + k] x[j ldx + k], for i < W, j < X. */
struct dot {
	float *y;
	long yw, yx;
	const float *w, *x;
	long ldw, ldx;
	int W, X, K;
};

/* Of GEMM with b in place: c (m, n), rows ldc apart, = a (m, K) b (K, n), accumulated where add; m is mr at most. */
struct place {
	float *c;
	long ldc;
	const float *a, *b;
	long a_row, a_term, ldb; /* from row to row of a, from term to term of K; b's rows */
	int m, n, K, add;
};

/* Products. In bf16 x, w, a, b and dy are words of two factors, in floats' places: of channels (by tiles: k and k + 16 of each 32), columns
 * or pixels 2 k and 2 k + 1, the even one in the lower half, and K (of the weight gradient: n) and steps count words; sums are fp32. */
struct simd_products {
	void (*conv_kernel)(const struct conv_kernel *t);
	void (*conv_kernel_dw)(const struct conv_kernel_dw *t);
	/* c (m, nr) = a (m, K) b (K, nr), accumulated where add; a[i][k] at a + i lda + k, or at a + i + k lda where trans_a; only the
	 * first n <= nr columns of b need be computed */
	void (*gemm_tile)(float *c, const float *a, long lda, int trans_a, const float *b, int m, int n, int K, int add);
	void (*dot)(const struct dot *d);
};

struct simd {
	const char *name;
	int group;	   /* largest `blocks` of conv_kernel and conv_kernel_dw */
	int mr, nr;	   /* largest register tile of gemm_tile */
	int words_along_k; /* 1: bf16's gemm_tile takes no transposed a */
	struct simd_products fp32, bf16;
	void (*place)(const struct place *p);
	/* bf16's tiles, NULL where there are none, and then conv_kernel_dw makes weight gradients; to (16, 16): from, rows step apart,
	 * transposed */
	void (*tile_sums)(const struct tile_sums *t);
	void (*transpose_tile)(float *to, const float *from, long step);
	/* Winograd's transforms (winograd.h): u[36 points, step apart][nr] of kernels k[3][3][nr]. Of a block of 16 channels: v[36 points,
	 * step apart] of a tile of 6x6 pixels from (y, x) on, of a plane of H rows, row apart, 0 where outside it; y, a tile of rows x
	 * columns (at most 4) pixels, act(sums + bias), of m[36 points, step apart] */
	void (*winograd_kernel)(float *u, long step, const float *k);
	void (*winograd_input)(float *v, long step, const float *plane, long row, int y, int x, int H);
	void (*winograd_output)(float *y, long row, const float *m, long step, const float *bias, int relu, int rows, int columns);
	/* for the weights' gradient, the transposes: e[36 points, step apart] of a tile dy of 4x4 pixels, rows row apart, which are added
	 * to sum (16); dk[3][3][nr] of m[36 points, step apart][nr] */
	void (*winograd_output_gradient)(float *e, long step, float *sum, const float *dy, long row);
	void (*winograd_kernel_gradient)(float *dk, const float *m, long step);
	/* batch normalisation of n pixels of a channel block; what isn't a plane has 16: sum += d and dot += d^2, d = x - first;
	 * y = act(x scale + shift), relu or none; backward, of the gradient d before the relu (y NULL: there is none): sum += d and
	 * dot += d (x - mean) inv; dx = factor (d - mean_dy - (x - mean) slope) */
	void (*batch_norm_sums)(double *sum, double *dot, const float *x, const float *first, size_t n);
	void (*batch_norm_apply)(float *y, const float *x, const float *scale, const float *shift, int relu, size_t n);
	void (*batch_norm_backward_sums)(
		double *sum, double *dot, const float *dy, const float *y, const float *x, const float *mean, const float *inv, size_t n);
	void (*batch_norm_backward_apply)(float *dx, const float *dy, const float *y, const float *x, const float *mean,
		const float *factor, const float *mean_dy, const float *slope, size_t n);
	/* words of fp32 rounded to bf16, to nearest, ties to even: to (n) of even[i] and odd[i], NULL: 0; to ((n + 1) / 2) of x[2 i] and
	 * x[2 i + 1], 0 beyond n */
	void (*pairs_of)(float *to, const float *even, const float *odd, size_t n);
	void (*pairs_in_row)(float *to, const float *x, size_t n);

	void (*act)(float *y, const float *x, enum act act, size_t n);
	void (*act_backward)(float *dx, const float *dy, const float *y, enum act act, size_t n);
	void (*bias_act)(float *y, const float *b, enum act act, size_t n); /* y = act(y + b) */
	/* see backend.h; correction1, correction2: optimizer_bias_correction's */
	void (*optimizer_step)(float *w, const float *g, float *m, float *v, size_t n, const struct optimizer_step *opt, float correction1,
		float correction2);
	/* the same for a tile of gradients (rows, ldt), of which n columns count; rows of w, m, v are ld apart */
	void (*optimizer_step_tile)(float *w, float *m, float *v, long ld, const float *tile, int ldt, int rows, int n,
		const struct optimizer_step *opt, float correction1, float correction2);
	void (*lerp)(float *y, const float *x, float weight, size_t n); /* see backend.h */
	/* one row's loss, see backend.h; dz may be NULL */
	double (*sigmoid_loss)(float *dz, const float *z, const float *t, float mul, int K);
	double (*squared_loss)(float *dz, const float *z, const float *t, float mul, int K);
	/* e (H, W) = exp(z - max), its column sums (W) and row sums (H); returns max, the largest z */
	float (*softmax)(float *e, float *colsum, float *rowsum, const float *z, int H, int W);
	/* sum of z[y][x] gx[x] gy[y] */
	double (*weighted_sum)(const float *z, const float *gx, const float *gy, int H, int W);
	/* dz[y][x] = e[y][x] (bx[x] + by[y]) - gx[x] gy[y] */
	void (*softmax_backward)(
		float *dz, const float *e, const float *bx, const float *by, const float *gx, const float *gy, int H, int W);
	void (*dropout)(
		float *y, const float *x, size_t K, float p, float mul, uint64_t seed, uint32_t purpose, uint32_t epoch, uint32_t row);
	void (*bernoulli)(float *y, const float *x, size_t K, uint64_t seed, uint32_t purpose, uint32_t epoch, uint32_t row);
	/* max pool K x K of one row of n outputs of a channel block: y (n, 16) = act(max of x), rows of x xrow apart; argmax (n, 16) */
	void (*max_pool_row)(float *y, uint8_t *argmax, const float *x, long xrow, int K, int n, enum act act);
	/* its backward pass: dx gets dy * act_slope(y) at the argmax, 0 at the other K x K - 1 positions; y NULL: dy alone */
	void (*max_pool_row_backward)(
		float *dx, long xrow, const float *dy, const float *y, const uint8_t *argmax, int K, int n, enum act act);
};

/* The table for products in fp32 or bf16: amx and avx512_bf16, whose bf16 products are the processor's own, serve bf16 alone, and
 * KEYPIPE_ISA=amx or avx512_bf16 means avx512 for fp32; the others compute bf16's by fp32's instructions. amx_emulated, for tests, is the
 * best table but amx with AMX's tiles in memory. Never NULL; ends the program where KEYPIPE_ISA names an instruction set that this
 * processor or build does not have. */
const struct simd *simd_choose(int bf16);

extern const struct simd *const simd_avx512_bf16, *const simd_avx512, *const simd_avx2, *const simd_plain; /* NULL: not in this build */

/* Products in bf16 by tiles of 16 x 16 words: those that are not NULL replace a table's, with nr 32 and mr 32. have: 1 if the processor and
 * the system let this process use them; call it before threads are started. */
struct simd_tiles {
	int (*have)(void);
	struct simd_products products;
	void (*tile_sums)(const struct tile_sums *t);
	void (*transpose_tile)(float *to, const float *from, long step);
};
extern const struct simd_tiles simd_amx, simd_amx_emulated;

#endif
