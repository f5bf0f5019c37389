/* The cuda backend: its state, and the operations by file. Layout of maps: (B, H, W, C4), channels last (NHWC), padded to a multiple of 4
 * channels, so that a pixel's channels are read as float4s; padding channels mean nothing, but are finite where the data are. */
#ifndef CUDA_BACKEND_H
#define CUDA_BACKEND_H

#include "kernels/cuda/queue.h"
#include "kernels/backend.h"

enum { CUDA_COUNTERS = 4096, CUDA_SPLIT_COUNTERS = CUDA_COUNTERS - 256 };

struct cuda_plan { /* what tile_plan has found */
	int used, key[5], tiling[5];
};

/* The convolution that waits (queue.h) for a batch norm: forward, or the gradient of its input. */
struct cuda_waiting {
	float *to;	    /* y; dx */
	const float *from;  /* x; dz */
	const float *w, *b; /* packed weights; b: forward */
	struct conv s;
};

struct cuda {
	struct queue q; /* first: who has the queue has the rest */
	struct gpu gpu;
	enum precision precision;
	char kernel[160], alike[160];
	void *workspace; /* see cuda_workspace */
	size_t workspace_size;
	unsigned *counters; /* device: CUDA_COUNTERS of last_block.h, all 0 between launches; the first CUDA_SPLIT_COUNTERS are tile.h's */
	struct cuda_waiting waiting;
	struct cuda_plan plan[256]; /* by hash */
};

static inline struct cuda *cuda_of(const struct backend *be)
{
	return (struct cuda *)be->ctx;
}

static inline struct queue *queue_of(const struct backend *be)
{
	return &cuda_of(be)->q;
}

/* Whether float4s can be read from and written to the arrays: all begin at multiples of 16 bytes, or are NULL. */
static inline int cuda_float4_aligned(const void *a, const void *b, const void *c, const void *d)
{
	return ((uintptr_t)a | (uintptr_t)b | (uintptr_t)c | (uintptr_t)d) % sizeof(float4) == 0;
}

/* Channels of maps in memory, padding included. */
static inline __host__ __device__ int cuda_c4(int C)
{
	return (C + 3) / 4 * 4;
}

/* Workspace: device memory for intermediate results of one operation, at least bytes, not cleared. An operation calls this once, before its
 * launches; the next operation gets the same memory. */
void *cuda_workspace(struct cuda *c, size_t bytes);

/* batch.cu */
void cuda_load_batch(const struct backend *be, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul,
	float add, const struct augment *a);
void cuda_gather(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K);
void cuda_dropout(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch);
void cuda_bernoulli(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, uint64_t seed, uint32_t purpose,
	uint32_t epoch);
/* plane.cu */
size_t cuda_maps_size(const struct backend *be, int B, int C, int H, int W);
void cuda_to_maps(const struct backend *be, real *maps, const real *rows, int B, int C, int H, int W);
void cuda_to_rows(const struct backend *be, real *rows, const real *maps, int B, int C, int H, int W);
void cuda_act(const struct backend *be, real *y, const real *x, enum act act, size_t n);
void cuda_act_backward(const struct backend *be, real *dx, const real *dy, const real *y, enum act act, size_t n);
void cuda_add(const struct backend *be, real *y, const real *a, const real *b, enum act act, size_t n);
void cuda_max_pool(const struct backend *be, real *y, uint8_t *argmax, const real *x, int B, int C, int H, int W, int K);
void cuda_max_pool_backward(const struct backend *be, real *dx, const real *dy, const uint8_t *argmax, int B, int C, int H, int W, int K);
void cuda_upsample(const struct backend *be, real *y, const real *x, int B, int C, int H, int W, int K);
void cuda_upsample_backward(const struct backend *be, real *dx, const real *dy, int B, int C, int H, int W, int K);
/* norm.cu */
void cuda_batch_norm(const struct backend *be, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save,
	const struct batch_norm *s);
void cuda_batch_norm_backward(const struct backend *be, real *dx, real *dgamma, real *dbeta, const real *dy, const real *y, const real *x,
	const real *gamma, const real *save, const struct batch_norm *s);
void cuda_batch_norm_sums(const struct backend *be, double *sums, const real *x, const real *mean, const struct batch_norm *s);
void cuda_batch_norm_backward_sums(
	const struct backend *be, double *sums, const real *dy, const real *y, const real *x, const real *save, const struct batch_norm *s);
void cuda_batch_norm_backward_apply(const struct backend *be, real *dx, const real *dy, const real *y, const real *x, const real *gamma,
	const real *save, const double *sums, double N, const struct batch_norm *s);
/* loss.cu, optimizer.cu */
void cuda_loss(const struct backend *be, const struct loss *s, double *loss, real *dz, const real *z, const real *target,
	const real *weight, int B, int K);
void cuda_optimizer_step(const struct backend *be, real *w, const real *g, real *m, real *v, size_t n, const struct optimizer_step *opt);
void cuda_lerp(const struct backend *be, real *y, const real *x, real weight, size_t n);
/* heatmap.cu */
void cuda_heatmap_loss(const struct backend *be, const struct heatmap_loss *s, double *loss, real *dz, real *decoded, const real *z,
	const real *target, const real *weight, int B);
void cuda_draw_gaussians(const struct backend *be, const struct gaussians *s, real *t, const real *points, const real *prior, int B);
/* dense.cu */
void cuda_dense(
	const struct backend *be, real *y, const real *x, const real *w, const real *b, enum act act, int trans_w, int B, int I, int O);
void cuda_dense_backward_input(const struct backend *be, real *dx, const real *dy, const real *w, int trans_w, int B, int I, int O);
void cuda_dense_backward_weight(const struct backend *be, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O);
void cuda_dense_backward_update(const struct backend *be, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2,
	const real *x2, int B, int I, int O, const struct optimizer_step *opt);
/* conv.cu, conv_backward.cu */
size_t cuda_conv_packed_size(const struct backend *be, const struct conv *s);
void cuda_conv_pack(const struct backend *be, void *packed, const real *w, const struct conv *s);
void cuda_conv(const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s);
void cuda_conv_backward(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax,
	const real *x, const real *w, const void *packed, const struct conv *s);

#endif
