/* The CPU backend: SIMD micro-kernels per instruction set (simd.h) on a thread pool; tasks are divided by shape alone. The layout of maps
 * is blocked channels, (B, blocks, H, W, 16): a pixel holds 16 contiguous channels, so that vectors run along channels whatever the image's
 * width. The last block is padded with channels whose values mean nothing, finite where the data are. */
#ifndef CPU_H
#define CPU_H

#include <stddef.h>

#include "kernels/cpu/simd.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/backend.h"

struct cpu {
	struct thread_pool *pool;
	const struct simd *simd;
	const struct simd_products *products; /* simd's of the precision */
	int bf16;			      /* 1: factors of products are rounded to bf16 */
	float **scratch;		      /* one buffer per thread, reallocated when too small */
	size_t *size;
	float *workspace; /* packed operands and partial sums of the current operation */
	size_t workspace_size;
	char kernel[64];
};

/* n floats, uninitialised, cache-line aligned, valid until the next call: cpu_scratch's for one thread, cpu_workspace's for all. */
float *cpu_scratch(struct cpu *c, int thread, size_t n);
float *cpu_workspace(struct cpu *c, size_t n);

/* Parallel loop: fn(arg, from, to) over [0, n) in slices of `grain`; slices depend on n and grain alone. */
void cpu_parallel_for(struct cpu *c, size_t n, size_t grain, void (*fn)(void *arg, size_t from, size_t to), void *arg);

struct padded_planes { /* planes (H, W, pixel floats) copied to (rows, before + W + after, pixel), zero-padded; before, after in pixels */
	int planes, H, W, pixel, rows, before, after;
};
void cpu_pad(float *to, const float *x, const struct padded_planes *p, int from);
/* The same as words: of neighbouring channels, pixel 8 words; by tiles (simd.h) of the same channels of two planes, pixel 16 words, the
 * last plane alone if there is none beside it; of a planar image (pixel 1) word u of a row is of its values u and u + 1. line: buffer of a
 * row's floats and one more. */
void cpu_pad_pairs(struct cpu *c, float *to, const float *x, const struct padded_planes *p, int from, float *line);

/* dz of one image, zero-padded, `top` rows of zeros above: dy through the derivatives of pool and activation. */
void cpu_pad_dz(struct cpu *c, float *to, const float *dy, const float *y, const uint8_t *argmax, const struct conv *s,
	const struct padded_planes *p, int top);
/* to[i] (n): the word of from[i] and from[i + step]; beyond n: 0. */
void cpu_sliding_pairs(const struct cpu *c, float *to, const float *from, size_t n, size_t step);
/* conv_kernel of all rows of t. */
void cpu_conv_rows(const struct cpu *c, struct conv_kernel t);

struct dense { /* a dense layer; packed: w as cpu_dense_pack made it */
	float *y;
	const float *x, *w, *bias;
	enum act act;
	int trans_w, packed, B, I, O;
};
/* By dot products, if that is the faster way; else returns 0. */
int cpu_dense_dot(struct cpu *c, const struct dense *s);

void *cpu_alloc(const struct backend *be, size_t bytes);
void cpu_release(const struct backend *be, void *p);

size_t cpu_maps_size(const struct backend *be, int B, int C, int H, int W);
void cpu_to_maps(const struct backend *be, real *maps, const real *rows, int B, int C, int H, int W);
void cpu_to_rows(const struct backend *be, real *rows, const real *maps, int B, int C, int H, int W);
void cpu_dense(
	const struct backend *be, real *y, const real *x, const real *w, const real *b, enum act act, int trans_w, int B, int I, int O);
size_t cpu_dense_packed_size(const struct backend *be, int I, int O);
void cpu_dense_pack(const struct backend *be, void *packed, const real *w, int I, int O);
void cpu_dense_packed(
	const struct backend *be, real *y, const real *x, const void *packed, const real *b, enum act act, int B, int I, int O);
void cpu_dense_backward_input(const struct backend *be, real *dx, const real *dy, const real *w, int trans_w, int B, int I, int O);
void cpu_dense_backward_weight(const struct backend *be, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O);
void cpu_dense_backward_update(const struct backend *be, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2,
	const real *x2, int B, int I, int O, const struct optimizer_step *opt);
size_t cpu_conv_packed_size(const struct backend *be, const struct conv *s);
void cpu_conv_pack(const struct backend *be, void *packed, const real *w, const struct conv *s);
struct pack; /* conv_layout.h: pack_weights of all blocks, in parallel */
void cpu_conv_pack_weights(struct cpu *c, float *to, const float *w, const struct conv *s, const struct pack *p, float *tmp);
void cpu_conv(const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s);
void cpu_conv_backward(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax,
	const real *x, const real *w, const void *packed, const struct conv *s);
/* shapes that conv_layout_supports refuses: by the reference backend, in bf16 of rounded factors */
void cpu_conv_pack_reference(const struct backend *be, void *packed, const real *w, const struct conv *s);
void cpu_conv_reference(
	const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s);
void cpu_conv_backward_reference(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y,
	const uint8_t *argmax, const real *x, const void *packed, const struct conv *s);
void cpu_load_batch(const struct backend *be, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul,
	float add, const struct augment *a);
void cpu_load_images(const struct backend *be, real *x, const uint8_t *const *images, const uint32_t *rows, int B, int C, int H, int W,
	float mul, float add, const struct augment *a);
void cpu_gather(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K);
void cpu_dropout(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch);
void cpu_bernoulli(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, uint64_t seed, uint32_t purpose,
	uint32_t epoch);
void cpu_act(const struct backend *be, real *y, const real *x, enum act act, size_t n);
void cpu_act_backward(const struct backend *be, real *dx, const real *dy, const real *y, enum act act, size_t n);
void cpu_add(const struct backend *be, real *y, const real *a, const real *b, enum act act, size_t n);
void cpu_max_pool(const struct backend *be, real *y, uint8_t *argmax, const real *x, int B, int C, int H, int W, int K);
void cpu_max_pool_backward(const struct backend *be, real *dx, const real *dy, const uint8_t *argmax, int B, int C, int H, int W, int K);
void cpu_upsample(const struct backend *be, real *y, const real *x, int B, int C, int H, int W, int K);
void cpu_upsample_backward(const struct backend *be, real *dx, const real *dy, int B, int C, int H, int W, int K);
void cpu_batch_norm(const struct backend *be, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save,
	const struct batch_norm *s);
void cpu_batch_norm_backward(const struct backend *be, real *dx, real *dgamma, real *dbeta, const real *dy, const real *y, const real *x,
	const real *gamma, const real *save, const struct batch_norm *s);
void cpu_batch_norm_sums(const struct backend *be, double *sums, const real *x, const real *mean, const struct batch_norm *s);
void cpu_batch_norm_backward_sums(
	const struct backend *be, double *sums, const real *dy, const real *y, const real *x, const real *save, const struct batch_norm *s);
void cpu_batch_norm_backward_apply(const struct backend *be, real *dx, const real *dy, const real *y, const real *x, const real *gamma,
	const real *save, const double *sums, double N, const struct batch_norm *s);
void cpu_loss(const struct backend *be, const struct loss *s, double *loss, real *dz, const real *z, const real *target, const real *weight,
	int B, int K);
void cpu_heatmap_loss(const struct backend *be, const struct heatmap_loss *s, double *loss, real *dz, real *decoded, const real *z,
	const real *target, const real *weight, int B);
void cpu_draw_gaussians(const struct backend *be, const struct gaussians *s, real *t, const real *points, const real *prior, int B);
void cpu_optimizer_step(const struct backend *be, real *w, const real *g, real *m, real *v, size_t n, const struct optimizer_step *opt);
void cpu_lerp(const struct backend *be, real *y, const real *x, real weight, size_t n);

#endif
