/* The fast hand: own loops for each kind of processor (micro.h), cut into tasks by shape alone and taken by a pool of threads. Maps lie as
 * (B, blocks of 16 channels, H, W, 16): an image's pixel is a row of 16 channels, so that vectors run along channels whatever the image's
 * width; the last block is filled up with channels of no meaning, finite where the data are. */
#ifndef CPU_H
#define CPU_H

#include <stddef.h>

#include "kernels/cpu/micro.h"
#include "kernels/cpu/pool.h"
#include "kernels/ops.h"

struct cpu {
	struct pool *pool;
	const struct micro *micro;
	float **scratch; /* one for each thread, grown as needed and kept */
	size_t *size;
	float *shared; /* packed operands and partial sums of the operation at work */
	size_t shared_size;
	char kernel[64];
};

/* n floats of the thread's own, not cleared, on a cache line's bound; valid until its next call. The same for all threads. */
float *cpu_scratch(struct cpu *c, int thread, size_t n);
float *cpu_shared(struct cpu *c, size_t n);

/* fn over [0, n) in slices of grain (cut by n and grain alone). */
void cpu_slices(struct cpu *c, size_t n, size_t grain, void (*fn)(void *arg, size_t from, size_t to), void *arg);

struct padded { /* planes of rows of pixels with zeros around: before and after in a row; rows as many as wanted */
	int planes, H, W, pixel, rows, before, after;
};
void cpu_padded(float *to, const float *x, const struct padded *p, int from);

void *cpu_alloc(const struct ops *o, size_t bytes);
void cpu_release(const struct ops *o, void *p);

size_t cpu_maps_size(const struct ops *o, int B, int C, int H, int W);
void cpu_to_maps(const struct ops *o, real *maps, const real *rows, int B, int C, int H, int W);
void cpu_to_rows(const struct ops *o, real *rows, const real *maps, int B, int C, int H, int W);
void cpu_dense(const struct ops *o, real *y, const real *x, const real *w, const real *b, enum act act, int flip, int B, int I, int O);
void cpu_dense_dx(const struct ops *o, real *dx, const real *dy, const real *w, int flip, int B, int I, int O);
void cpu_dense_dw(const struct ops *o, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O);
void cpu_dense_step(const struct ops *o, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2, const real *x2, int B,
	int I, int O, const struct update *u);
size_t cpu_conv_packed(const struct ops *o, const struct conv *s);
void cpu_conv_pack(const struct ops *o, void *packed, const real *w, const struct conv *s);
void cpu_conv(const struct ops *o, real *y, uint8_t *at, const real *x, const void *packed, const real *b, const struct conv *s);
void cpu_conv_back(const struct ops *o, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *at, const real *x,
	const real *w, const void *packed, const struct conv *s);
/* shapes that the fast way does not know: by the readable hand */
void cpu_conv_plain(const struct ops *o, real *y, uint8_t *at, const real *x, const void *packed, const real *b, const struct conv *s);
void cpu_conv_back_plain(const struct ops *o, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *at, const real *x,
	const real *w, const void *packed, const struct conv *s);
void cpu_images(const struct ops *o, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul, float add,
	const struct augment *a);
void cpu_gather(const struct ops *o, real *y, const real *x, const uint32_t *rows, int B, int K);
void cpu_mask(const struct ops *o, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch);
void cpu_act(const struct ops *o, real *y, const real *x, enum act act, size_t n);
void cpu_act_back(const struct ops *o, real *dx, const real *dy, const real *y, enum act act, size_t n);
void cpu_pool(const struct ops *o, real *y, uint8_t *at, const real *x, int B, int C, int H, int W, int K);
void cpu_pool_back(const struct ops *o, real *dx, const real *dy, const uint8_t *at, int B, int C, int H, int W, int K);
void cpu_up(const struct ops *o, real *y, const real *x, int B, int C, int H, int W, int K);
void cpu_up_back(const struct ops *o, real *dx, const real *dy, int B, int C, int H, int W, int K);
void cpu_bn(const struct ops *o, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save, const struct bn *s);
void cpu_bn_back(const struct ops *o, real *dx, real *dgamma, real *dbeta, const real *dy, const real *y, const real *x, const real *gamma,
	const real *save, const struct bn *s);
void cpu_loss(const struct ops *o, const struct loss *s, double *loss, real *dz, const real *z, const real *target, const real *weight,
	int B, int K);
void cpu_heat(const struct ops *o, const struct heat *s, double *loss, real *dz, real *place, const real *z, const real *target,
	const real *weight, int B);
void cpu_splat(const struct ops *o, const struct splat *s, real *t, const real *points, const real *prior, int B);
void cpu_update(const struct ops *o, real *w, const real *g, real *m, real *v, size_t n, const struct update *u);

#endif
