/* The hand for cards: memory, launches and the operations' own files. Maps lie as (B, H, W, C4): channels last, filled up to a multiple of
 * 4 by channels of no meaning, finite where the data are; so a pixel's channels are read four at a time. */
#ifndef CUDA_HAND_H
#define CUDA_HAND_H

#include "kernels/cuda/queue.h"
#include "kernels/ops.h"

struct cuda {
	struct queue q;
	struct card card;
	enum precision precision;
	char kernel[96];
	void *work; /* see cuda_work */
	size_t work_size;
};

static inline struct cuda *cuda_of(const struct ops *o)
{
	return (struct cuda *)o->ctx;
}

static inline struct queue *queue_of(const struct ops *o)
{
	return &cuda_of(o)->q;
}

/* Where four values can be read or written at once: arrays, NULL or not, that begin at multiples of 16 bytes. */
static inline int cuda_by_four(const void *a, const void *b, const void *c, const void *d)
{
	return ((uintptr_t)a | (uintptr_t)b | (uintptr_t)c | (uintptr_t)d) % sizeof(float4) == 0;
}

/* Channels of maps as they lie. */
static inline __host__ __device__ int cuda_c4(int C)
{
	return (C + 3) / 4 * 4;
}

/* Device memory for one operation to put results between its launches in: an operation calls this once, before its launches; the next
 * operation's is the same. */
void *cuda_work(struct cuda *c, size_t bytes);

/* batch.cu */
void cuda_images(const struct ops *o, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul, float add,
	const struct augment *a);
void cuda_gather(const struct ops *o, real *y, const real *x, const uint32_t *rows, int B, int K);
void cuda_mask(const struct ops *o, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch);
/* plane.cu */
size_t cuda_maps_size(const struct ops *o, int B, int C, int H, int W);
void cuda_to_maps(const struct ops *o, real *maps, const real *rows, int B, int C, int H, int W);
void cuda_to_rows(const struct ops *o, real *rows, const real *maps, int B, int C, int H, int W);
void cuda_act(const struct ops *o, real *y, const real *x, enum act act, size_t n);
void cuda_act_back(const struct ops *o, real *dx, const real *dy, const real *y, enum act act, size_t n);
void cuda_pool(const struct ops *o, real *y, uint8_t *at, const real *x, int B, int C, int H, int W, int K);
void cuda_pool_back(const struct ops *o, real *dx, const real *dy, const uint8_t *at, int B, int C, int H, int W, int K);
void cuda_up(const struct ops *o, real *y, const real *x, int B, int C, int H, int W, int K);
void cuda_up_back(const struct ops *o, real *dx, const real *dy, int B, int C, int H, int W, int K);
/* norm.cu */
void cuda_bn(const struct ops *o, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save, const struct bn *s);
void cuda_bn_back(const struct ops *o, real *dx, real *dgamma, real *dbeta, const real *dy, const real *y, const real *x, const real *gamma,
	const real *save, const struct bn *s);
/* learn.cu */
void cuda_loss(const struct ops *o, const struct loss *s, double *loss, real *dz, const real *z, const real *target, const real *weight,
	int B, int K);
void cuda_update(const struct ops *o, real *w, const real *g, real *m, real *v, size_t n, const struct update *u);
/* heat.cu */
void cuda_heat(const struct ops *o, const struct heat *s, double *loss, real *dz, real *place, const real *z, const real *target,
	const real *weight, int B);
void cuda_splat(const struct ops *o, const struct splat *s, real *t, const real *points, const real *prior, int B);
/* dense.cu */
void cuda_dense(const struct ops *o, real *y, const real *x, const real *w, const real *b, enum act act, int flip, int B, int I, int O);
void cuda_dense_dx(const struct ops *o, real *dx, const real *dy, const real *w, int flip, int B, int I, int O);
void cuda_dense_dw(const struct ops *o, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O);
void cuda_dense_step(const struct ops *o, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2, const real *x2, int B,
	int I, int O, const struct update *u);
/* conv.cu, conv_back.cu */
size_t cuda_conv_packed(const struct ops *o, const struct conv *s);
void cuda_conv_pack(const struct ops *o, void *packed, const real *w, const struct conv *s);
void cuda_conv(const struct ops *o, real *y, uint8_t *at, const real *x, const void *packed, const real *b, const struct conv *s);
void cuda_conv_back(const struct ops *o, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *at, const real *x,
	const real *w, const void *packed, const struct conv *s);

#endif
