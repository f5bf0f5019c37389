/* Convolutions as products: rows are places, k are taps and channels (c innermost on maps; (c, ky, kx) on images), columns are filters. */
#ifndef CUDA_CONV_H
#define CUDA_CONV_H

#include "kernels/cuda/tile.h"

struct place { /* m to (b, y, x) */
	struct divisor HW, W;
};

static inline struct place place_of(int H, int W)
{
	struct place p = {divisor(H * W), divisor(W)};
	return p;
}

static inline __device__ void place_find(struct place p, int m, int *b, int *y, int *x)
{
	*b = fast_div(p.HW, m);
	m -= *b * (int)p.HW.d;
	*y = fast_div(p.W, m), *x = m - *y * (int)p.W.d;
}

/* Two coordinates in 16 bits each: a thread of a product remembers many places, and registers are few. */
static inline __device__ int place_pack(int y, int x)
{
	return (int)((uint32_t)y << 16 | ((uint32_t)x & 0xffff));
}

static inline __device__ void place_unpack(int yx, int *y, int *x)
{
	*y = yx >> 16, *x = (int16_t)yx;
}

/* What reads the input of a convolution: at output place (oy, ox) and tap (ky, kx). */
struct conv_input {
	const float *x;
	int C, C4, H, W, S, P, KH, KW, K; /* K: of the product */
	struct divisor upsample, taps, KW_, C4_;  /* taps: of an image's channel */
	int image;
};

static inline struct conv_input conv_input(const float *x, const struct conv *s)
{
	struct conv_input i = {x, s->C, cuda_c4(s->C), s->H, s->W, s->S, s->P, s->KH, s->KW, 0, divisor(s->upsample), divisor(s->KH * s->KW),
		divisor(s->KW), divisor(cuda_c4(s->C)), s->image};
	i.K = s->image ? s->C * s->KH * s->KW : i.C4 * s->KH * s->KW;
	return i;
}

/* A quad of channels of image b's pixel, or zeros outside. iy, ix: in the input as it is up. */
static inline __device__ float4 conv_pixel(const struct conv_input &i, int b, int iy, int ix, int c)
{
	int y = fast_div(i.upsample, iy < 0 ? 0 : iy), x = fast_div(i.upsample, ix < 0 ? 0 : ix);
	if (iy < 0 || ix < 0 || y >= i.H || x >= i.W)
		return make_float4(0, 0, 0, 0);
	return *(const float4 *)(i.x + (((size_t)b * (size_t)i.H + (size_t)y) * (size_t)i.W + (size_t)x) * (size_t)i.C4 + (size_t)c);
}

/* Four values of an image, at k = (c, ky, kx) and the three after it; a value each of channel, line and column: */
struct kernel_pos {
	int c, ky, kx;
};

static inline __device__ struct kernel_pos conv_kernel_pos(const struct conv_input &i, int k)
{
	struct kernel_pos t;
	t.c = fast_div(i.taps, k), k -= t.c * (int)i.taps.d;
	t.ky = fast_div(i.KW_, k), t.kx = k - t.ky * i.KW;
	return t;
}

static inline __device__ float4 conv_values(const struct conv_input &i, int b, int iy0, int ix0, struct kernel_pos t)
{
	float v[4];
	UNROLL
	for (int n = 0; n < 4; n++) {
		int iy = iy0 + t.ky, ix = ix0 + t.kx, y = fast_div(i.upsample, iy < 0 ? 0 : iy), x = fast_div(i.upsample, ix < 0 ? 0 : ix);
		v[n] = t.c >= i.C || iy < 0 || ix < 0 || y >= i.H || x >= i.W
			       ? 0
			       : i.x[(((size_t)b * (size_t)i.C + (size_t)t.c) * (size_t)i.H + (size_t)y) * (size_t)i.W + (size_t)x];
		if (++t.kx == i.KW)
			t.kx = 0, t.ky++;
		if (t.ky == i.KH)
			t.ky = 0, t.c++;
	}
	return make_float4(v[0], v[1], v[2], v[3]);
}

/* Packed weights: (F, numbers), of a filter as the product's k go, filled up to a multiple of 4. */
static inline int conv_pitch(const struct conv *s)
{
	return s->image ? cuda_c4(s->C * s->KH * s->KW) : cuda_c4(s->C) * s->KH * s->KW;
}

/* After them, where there is a way back, turned round: (C, TY, TX, F4); taps that fall on one pixel of a raised input are one. */
static inline int conv_turned_side(int K, const struct conv *s)
{
	return K + s->upsample - 1;
}

static inline size_t conv_turned(const struct conv *s)
{
	return s->image ? 0
			: (size_t)s->C * (size_t)conv_turned_side(s->KH, s) * (size_t)conv_turned_side(s->KW, s) * (size_t)cuda_c4(s->F);
}

#endif
