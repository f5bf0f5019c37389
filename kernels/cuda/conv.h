/* Convolution as implicit GEMM (tile.h), what forward and backward share. Forward: M is the output pixels of the batch, N the filters, K
 * the kernel positions times channels: k = (ky, kx, c) on maps, whose channels are innermost, (c, ky, kx) on images. */
#ifndef CUDA_CONV_H
#define CUDA_CONV_H

#include "kernels/cuda/tile.h"

struct pixel_index { /* splits a row m into (b, y, x) */
	struct divisor HW, W;
};

static inline struct pixel_index pixel_index_of(int H, int W)
{
	struct pixel_index p = {divisor(H * W), divisor(W)};
	return p;
}

static inline __device__ void pixel_index_find(struct pixel_index p, int m, int *b, int *y, int *x)
{
	*b = fast_div(p.HW, m);
	m -= *b * (int)p.HW.d;
	*y = fast_div(p.W, m), *x = m - *y * (int)p.W.d;
}

/* Two coordinates in 16 bits each, to save registers: a thread of the GEMM keeps those of many pixels. y = NOWHERE is outside of all
 * images, at each kernel position. */
enum { NOWHERE = INT16_MIN };
static inline __device__ int pack_yx(int y, int x)
{
	return (int)((uint32_t)y << 16 | ((uint32_t)x & 0xffff));
}

static inline __device__ void unpack_yx(int yx, int *y, int *x)
{
	*y = yx >> 16, *x = (int16_t)yx;
}

/* The input x of a convolution as loaders read it: upsampled by nearest neighbour and zero-padded. Output pixel (oy, ox) at kernel position
 * (ky, kx) reads (oy S - P + D ky, ox S - P + D kx) of it. */
struct conv_input {
	const float *x;
	int C, C4, H, W, S, P, D, KH, KW, K;	 /* K: of the GEMM */
	struct divisor upsample, KHKW, KW_, C4_; /* KHKW: KH KW, KW_: KW, C4_: C4 */
	int image;
	int unused = 0; /* explicit padding: the bytes of queued arguments are compared */
};

static inline struct conv_input conv_input(const float *x, const struct conv *s)
{
	struct conv_input i = {x, s->C, cuda_c4(s->C), s->H, s->W, s->S, s->P, s->D, s->KH, s->KW, 0, divisor(s->upsample),
		divisor(s->KH * s->KW), divisor(s->KW), divisor(cuda_c4(s->C)), s->image};
	i.K = s->image ? s->C * s->KH * s->KW : i.C4 * s->KH * s->KW;
	return i;
}

/* Four channels from c on of maps, at pixel (iy, ix) of the upsampled input of image b; zeros outside of it, or unless inside. at: the
 * pixel's number, where the input is not upsampled. */
template <class TO>
static inline __device__ void conv_load_maps(const struct conv_input &i, TO &to, int at, int b, int iy, int ix, int c, int inside)
{
	if (i.upsample.d > 1) {
		iy = iy < 0 ? -1 : fast_div(i.upsample, iy), ix = ix < 0 ? -1 : fast_div(i.upsample, ix);
		at = (b * i.H + iy) * i.W + ix;
	}
	inside = inside && (unsigned)iy < (unsigned)i.H && (unsigned)ix < (unsigned)i.W;
	to.four(tile_row(i.x + c, inside ? at : 0, (unsigned)i.C4), inside);
}

struct kernel_pos { /* k of an image: channel and kernel position */
	int c, ky, kx;
};

static inline __device__ struct kernel_pos conv_kernel_pos(const struct conv_input &i, int k)
{
	struct kernel_pos t;
	t.c = fast_div(i.KHKW, k), k -= t.c * (int)i.KHKW.d;
	t.ky = fast_div(i.KW_, k), t.kx = k - t.ky * i.KW;
	return t;
}

/* Four values of image b (b < 0: zeros), at k = t and the three after it; (iy0, ix0): the pixel of kernel position (0, 0). */
template <class TO>
static inline __device__ void conv_load_image(const struct conv_input &i, TO &to, int b, int iy0, int ix0, struct kernel_pos t)
{
	UNROLL
	for (int n = 0; n < 4; n++) {
		int iy = iy0 + t.ky * i.D, ix = ix0 + t.kx * i.D, y = fast_div(i.upsample, iy < 0 ? 0 : iy),
		    x = fast_div(i.upsample, ix < 0 ? 0 : ix);
		int inside = b >= 0 && t.c < i.C && iy >= 0 && ix >= 0 && y < i.H && x < i.W;
		to.one(n, inside ? i.x + (((size_t)b * (size_t)i.C + (size_t)t.c) * (size_t)i.H + (size_t)y) * (size_t)i.W + (size_t)x
				 : NULL);
		if (++t.kx == i.KW)
			t.kx = 0, t.ky++;
		if (t.ky == i.KH)
			t.ky = 0, t.c++;
	}
}

/* Packed weights, first part: (F, pitch), a filter's weights in the order of k, zero-padded to a multiple of 4. */
static inline int conv_pitch(const struct conv *s)
{
	return s->image ? cuda_c4(s->C * s->KH * s->KW) : cuda_c4(s->C) * s->KH * s->KW;
}

/* Packed weights, second part, for the gradient of maps (images have none): transposed to (C, TY, TX, F4). TY = KH where the input is not
 * upsampled; else KH + upsample - 1, as the gradients of a pixel's upsample x upsample copies are summed: the weights by which one output
 * reads them are summed in advance. */
static inline int conv_transposed_side(int K, const struct conv *s)
{
	return K + s->upsample - 1;
}

/* In floats. */
static inline size_t conv_transposed_size(const struct conv *s)
{
	return s->image ? 0
			: (size_t)s->C * (size_t)conv_transposed_side(s->KH, s) * (size_t)conv_transposed_side(s->KW, s) *
				  (size_t)cuda_c4(s->F);
}

/* Packed weights, third part, of maps upsampled by 2, forward: (UP_PHASES, F, TY, TX, C4). Output pixels of one phase, row and column
 * modulo 2, read TY x TX input pixels, which is fewer than kernel positions: the weights by which they read one are summed in advance. */
enum { UP_PHASES = 4 };

/* Kernel positions of an output of one phase, along one axis: the most of both. */
static inline int conv_up_side(int K)
{
	return K / 2 + 1;
}

static inline int conv_is_up(const struct conv *s)
{
	return !s->image && s->upsample == 2 && s->S == 1 && s->D == 1 && s->pool == 1 &&
	       conv_up_side(s->KH) * conv_up_side(s->KW) < s->KH * s->KW;
}

/* The input row or column, less the output's quotient by 2, of the first of these positions in phase r. */
static inline __host__ __device__ int conv_up_first(int r, int P)
{
	return (r - P - ((r - P) & 1)) / 2;
}

static inline size_t conv_up_pitch(const struct conv *s)
{
	return conv_is_up(s) ? (size_t)conv_up_side(s->KH) * (size_t)conv_up_side(s->KW) * (size_t)cuda_c4(s->C) : 0;
}

/* In floats. */
static inline size_t conv_up_size(const struct conv *s)
{
	return UP_PHASES * (size_t)s->F * conv_up_pitch(s);
}

/* Maps (B, H, W, C4) as an epilogue writes them: pixel m of phase blockIdx.z is (r + step q), q its index among those of the phase. */
enum { CONV_PHASES = 4 };
struct phase_pixels {
	float *p;
	int H, W, C4, py, px;
	struct {
		int ry, rx, M;
		struct pixel_index pixel_index;
	} phase[CONV_PHASES];
	int unused = 0; /* explicit padding: the bytes of queued arguments are compared */
	__device__ size_t at(int m, int n) const
	{
		const auto &f = phase[blockIdx.z];
		int b, y, x;
		pixel_index_find(f.pixel_index, m, &b, &y, &x);
		return (((size_t)b * (size_t)H + (size_t)(f.ry + py * y)) * (size_t)W + (size_t)(f.rx + px * x)) * (size_t)C4 + (size_t)n;
	}
	__device__ int rows(int f) const
	{
		return phase[f].M;
	}
};

struct all_pixels { /* the same of one phase: all M pixels in their order */
	float *p;
	int M, C4;
	__device__ size_t at(int m, int n) const
	{
		return (size_t)m * (size_t)C4 + (size_t)n;
	}
	__device__ int rows(int) const
	{
		return M;
	}
};

#endif
