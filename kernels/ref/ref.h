/* The reference backend: plain loops, sums accumulated in double; the other backends are tested against it. One file per family of
 * operations; ref.c fills the function table. */
#ifndef REF_H
#define REF_H

#include "kernels/backend.h"

void ref_load_batch(const struct backend *be, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul,
	float add, const struct augment *a);
void ref_load_images(const struct backend *be, real *x, const uint8_t *const *images, const uint32_t *rows, int B, int C, int H, int W,
	float mul, float add, const struct augment *a);
void ref_gather(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K);
void ref_dropout(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch);
void ref_bernoulli(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, uint64_t seed, uint32_t purpose,
	uint32_t epoch);
size_t ref_maps_size(const struct backend *be, int B, int C, int H, int W);
void ref_to_maps(const struct backend *be, real *maps, const real *rows, int B, int C, int H, int W);
void ref_to_rows(const struct backend *be, real *rows, const real *maps, int B, int C, int H, int W);
void ref_dense(
	const struct backend *be, real *y, const real *x, const real *w, const real *b, enum act act, int trans_w, int B, int I, int O);
void ref_dense_backward_input(const struct backend *be, real *dx, const real *dy, const real *w, int trans_w, int B, int I, int O);
void ref_dense_backward_weight(const struct backend *be, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O);
void ref_dense_backward_update(const struct backend *be, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2,
	const real *x2, int B, int I, int O, const struct optimizer_step *opt);
size_t ref_conv_packed_size(const struct backend *be, const struct conv *s);
void ref_conv_pack(const struct backend *be, void *packed, const real *w, const struct conv *s);
void ref_conv(const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s);
void ref_conv_backward(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax,
	const real *x, const real *w, const void *packed, const struct conv *s);
void ref_act(const struct backend *be, real *y, const real *x, enum act act, size_t n);
void ref_act_backward(const struct backend *be, real *dx, const real *dy, const real *y, enum act act, size_t n);
void ref_add(const struct backend *be, real *y, const real *a, const real *b, enum act act, size_t n);
void ref_max_pool(const struct backend *be, real *y, uint8_t *argmax, const real *x, int B, int C, int H, int W, int K);
void ref_max_pool_backward(const struct backend *be, real *dx, const real *dy, const uint8_t *argmax, int B, int C, int H, int W, int K);
void ref_upsample(const struct backend *be, real *y, const real *x, int B, int C, int H, int W, int K);
void ref_upsample_backward(const struct backend *be, real *dx, const real *dy, int B, int C, int H, int W, int K);
void ref_batch_norm(const struct backend *be, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save,
	const struct batch_norm *s);
void ref_batch_norm_backward(const struct backend *be, real *dx, real *dgamma, real *dbeta, const real *dy, const real *y, const real *x,
	const real *gamma, const real *save, const struct batch_norm *s);
void ref_batch_norm_sums(const struct backend *be, double *sums, const real *x, const real *mean, const struct batch_norm *s);
void ref_batch_norm_backward_sums(
	const struct backend *be, double *sums, const real *dy, const real *y, const real *x, const real *save, const struct batch_norm *s);
void ref_batch_norm_backward_apply(const struct backend *be, real *dx, const real *dy, const real *y, const real *x, const real *gamma,
	const real *save, const double *sums, double N, const struct batch_norm *s);
void ref_loss(const struct backend *be, const struct loss *s, double *loss, real *dz, const real *z, const real *target, const real *weight,
	int B, int K);
void ref_heatmap_loss(const struct backend *be, const struct heatmap_loss *s, double *loss, real *dz, real *decoded, const real *z,
	const real *target, const real *weight, int B);
void ref_draw_gaussians(const struct backend *be, const struct gaussians *s, real *t, const real *points, const real *prior, int B);
void ref_optimizer_step(const struct backend *be, real *w, const real *g, real *m, real *v, size_t n, const struct optimizer_step *opt);
void ref_lerp(const struct backend *be, real *y, const real *x, real weight, size_t n);

#endif
