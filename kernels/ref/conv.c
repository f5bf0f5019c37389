/* Direct convolution (cross-correlation) with stride, zero padding and dilation; upsampling, pooling and activation are separate passes
 * here. */
#include <stdlib.h>
#include <string.h>

#include "kernels/act.h"
#include "kernels/ref/ref.h"
#include "lib/base/err.h"

static size_t at4(int a, int b, int c, int d, int B, int C, int D)
{
	return (((size_t)a * (size_t)B + (size_t)b) * (size_t)C + (size_t)c) * (size_t)D + (size_t)d;
}

/* y (B, F, OH, OW) of x (B, C, H, W). */
static void convolve(real *y, const real *x, const real *w, const real *b, const struct conv *s)
{
	for (int n = 0; n < s->B; n++)
		for (int f = 0; f < s->F; f++)
			for (int oy = 0; oy < s->OH; oy++)
				for (int ox = 0; ox < s->OW; ox++) {
					double sum = b ? (double)b[f] : 0;
					for (int c = 0; c < s->C; c++)
						for (int ky = 0; ky < s->KH; ky++)
							for (int kx = 0; kx < s->KW; kx++) {
								int iy = oy * s->S + ky * s->D - s->P, ix = ox * s->S + kx * s->D - s->P;
								if (iy >= 0 && iy < s->H && ix >= 0 && ix < s->W)
									sum += (double)x[at4(n, c, iy, ix, s->C, s->H, s->W)] *
									       (double)w[at4(f, c, ky, kx, s->C, s->KH, s->KW)];
							}
					y[at4(n, f, oy, ox, s->F, s->OH, s->OW)] = (real)sum;
				}
}

static void convolve_dx(real *dx, const real *dy, const real *w, const struct conv *s)
{
	for (int n = 0; n < s->B; n++)
		for (int c = 0; c < s->C; c++)
			for (int iy = 0; iy < s->H; iy++)
				for (int ix = 0; ix < s->W; ix++) {
					double sum = 0;
					for (int f = 0; f < s->F; f++)
						for (int ky = 0; ky < s->KH; ky++)
							for (int kx = 0; kx < s->KW; kx++) {
								int oy = iy + s->P - ky * s->D, ox = ix + s->P - kx * s->D;
								if (oy < 0 || ox < 0 || oy % s->S || ox % s->S)
									continue;
								oy /= s->S, ox /= s->S;
								if (oy < s->OH && ox < s->OW)
									sum += (double)dy[at4(n, f, oy, ox, s->F, s->OH, s->OW)] *
									       (double)w[at4(f, c, ky, kx, s->C, s->KH, s->KW)];
							}
					dx[at4(n, c, iy, ix, s->C, s->H, s->W)] = (real)sum;
				}
}

static void convolve_dw(real *dw, real *db, const real *dy, const real *x, const struct conv *s)
{
	for (int f = 0; f < s->F; f++) {
		for (int c = 0; c < s->C; c++)
			for (int ky = 0; ky < s->KH; ky++)
				for (int kx = 0; kx < s->KW; kx++) {
					double sum = 0;
					for (int n = 0; n < s->B; n++)
						for (int oy = 0; oy < s->OH; oy++)
							for (int ox = 0; ox < s->OW; ox++) {
								int iy = oy * s->S + ky * s->D - s->P, ix = ox * s->S + kx * s->D - s->P;
								if (iy >= 0 && iy < s->H && ix >= 0 && ix < s->W)
									sum += (double)dy[at4(n, f, oy, ox, s->F, s->OH, s->OW)] *
									       (double)x[at4(n, c, iy, ix, s->C, s->H, s->W)];
							}
					dw[at4(f, c, ky, kx, s->C, s->KH, s->KW)] = (real)sum;
				}
		double sum = 0;
		for (int n = 0; n < s->B; n++)
			for (int i = 0; i < s->OH * s->OW; i++)
				sum += (double)dy[at4(n, f, 0, i, s->F, 1, s->OH * s->OW)];
		db[f] = (real)sum;
	}
}

size_t ref_conv_packed_size(const struct backend *be, const struct conv *s)
{
	(void)be;
	return (size_t)s->F * s->C * s->KH * s->KW * sizeof(real);
}

void ref_conv_pack(const struct backend *be, void *packed, const real *w, const struct conv *s)
{
	memcpy(packed, w, ref_conv_packed_size(be, s));
}

/* The shape of the convolution of an input that has been upsampled. */
static struct conv upsampled_shape(const struct conv *s)
{
	struct conv c = *s;
	c.H *= s->upsample, c.W *= s->upsample;
	return c;
}

static real *upsampled_input(const struct backend *be, const real *x, const struct conv *s)
{
	real *u = xmalloc(ref_maps_size(be, s->B, s->C, s->H * s->upsample, s->W * s->upsample));
	ref_upsample(be, u, x, s->B, s->C, s->H, s->W, s->upsample);
	return u;
}

void ref_conv(const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s)
{
	struct conv c = upsampled_shape(s);
	real *u = upsampled_input(be, x, s), *z = xmalloc(ref_maps_size(be, s->B, s->F, s->OH, s->OW));
	size_t ny = (size_t)s->B * s->F * (s->OH / s->pool) * (s->OW / s->pool);
	convolve(z, u, packed, b, &c);
	if (s->pool > 1)
		ref_max_pool(be, y, argmax, z, s->B, s->F, s->OH, s->OW, s->pool);
	ref_act(be, y, s->pool > 1 ? y : z, s->act, ny);
	free(u), free(z);
}

void ref_conv_backward(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax,
	const real *x, const real *w, const void *packed, const struct conv *s)
{
	struct conv c = upsampled_shape(s);
	(void)packed;
	size_t ny = (size_t)s->B * s->F * (s->OH / s->pool) * (s->OW / s->pool);
	real *u = upsampled_input(be, x, s), *du = xmalloc(ref_maps_size(be, s->B, s->C, c.H, c.W));
	real *dp = xmalloc(ny * sizeof *dp), *dz = xmalloc(ref_maps_size(be, s->B, s->F, s->OH, s->OW));
	ref_act_backward(be, dp, dy, y, s->act, ny);
	if (s->pool > 1)
		ref_max_pool_backward(be, dz, dp, argmax, s->B, s->F, s->OH, s->OW, s->pool);
	convolve_dw(dw, db, s->pool > 1 ? dz : dp, u, &c);
	if (dx) {
		convolve_dx(du, s->pool > 1 ? dz : dp, w, &c);
		ref_upsample_backward(be, dx, du, s->B, s->C, s->H, s->W, s->upsample);
	}
	free(u), free(du), free(dp), free(dz);
}
