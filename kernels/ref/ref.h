/* The readable hand: plain loops, sums in double; the judge of the others. One file a family of operations, gathered in ref.c. */
#ifndef REF_H
#define REF_H

#include "kernels/ops.h"

void ref_images(const struct ops *o, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul, float add,
	const struct augment *a);
void ref_gather(const struct ops *o, real *y, const real *x, const uint32_t *rows, int B, int K);
void ref_mask(const struct ops *o, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch);
size_t ref_maps_size(const struct ops *o, int B, int C, int H, int W);
void ref_to_maps(const struct ops *o, real *maps, const real *rows, int B, int C, int H, int W);
void ref_to_rows(const struct ops *o, real *rows, const real *maps, int B, int C, int H, int W);
void ref_dense(const struct ops *o, real *y, const real *x, const real *w, const real *b, enum act act, int flip, int B, int I, int O);
void ref_dense_dx(const struct ops *o, real *dx, const real *dy, const real *w, int flip, int B, int I, int O);
void ref_dense_dw(const struct ops *o, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O);
void ref_dense_step(const struct ops *o, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2, const real *x2, int B,
	int I, int O, const struct update *u);
size_t ref_conv_packed(const struct ops *o, const struct conv *s);
void ref_conv_pack(const struct ops *o, void *packed, const real *w, const struct conv *s);
void ref_conv(const struct ops *o, real *y, uint8_t *at, const real *x, const void *packed, const real *b, const struct conv *s);
void ref_conv_back(const struct ops *o, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *at, const real *x,
	const real *w, const void *packed, const struct conv *s);
void ref_act(const struct ops *o, real *y, const real *x, enum act act, size_t n);
void ref_act_back(const struct ops *o, real *dx, const real *dy, const real *y, enum act act, size_t n);
void ref_pool(const struct ops *o, real *y, uint8_t *at, const real *x, int B, int C, int H, int W, int K);
void ref_pool_back(const struct ops *o, real *dx, const real *dy, const uint8_t *at, int B, int C, int H, int W, int K);
void ref_up(const struct ops *o, real *y, const real *x, int B, int C, int H, int W, int K);
void ref_up_back(const struct ops *o, real *dx, const real *dy, int B, int C, int H, int W, int K);
void ref_bn(const struct ops *o, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save, const struct bn *s);
void ref_bn_back(const struct ops *o, real *dx, real *dgamma, real *dbeta, const real *dy, const real *y, const real *x, const real *gamma,
	const real *save, const struct bn *s);
void ref_loss(const struct ops *o, const struct loss *s, double *loss, real *dz, const real *z, const real *target, const real *weight,
	int B, int K);
void ref_heat(const struct ops *o, const struct heat *s, double *loss, real *dz, real *place, const real *z, const real *target,
	const real *weight, int B);
void ref_splat(const struct ops *o, const struct splat *s, real *t, const real *points, const real *prior, int B);
void ref_update(const struct ops *o, real *w, const real *g, real *m, real *v, size_t n, const struct update *u);

#endif
