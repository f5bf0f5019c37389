/* Convolution backward: dz, the gradient before activation and pool, then two implicit GEMMs (tile.h): dw = im2col' dz (wgrad; db as the
 * column sums of dz), and dx = im2col of dz times transposed weights (dgrad), with stride a GEMM for each phase of the input pixels. */
#include <limits.h>

#include "kernels/cuda/conv.h"
#include "kernels/cuda/elementwise.h"

/* Loader of dz (B, OH, OW, F4), computed from dy, y and argmax (pooled): K is output pixels, N filters. dz is dy times the derivative of
 * the activation at the argmax of each pool window, else zero. So fused into the GEMM for dw where no GEMM for dx needs dz. */
struct loader_dz {
	enum { K_MAJOR = 0, COMPUTES = 1 };
	struct position {
		int f;
	};
	const float *dy, *y;
	const uint8_t *argmax;
	int PH, PW, F4;
	enum act act;
	struct pixel_index pixel_index;
	struct divisor pool;
	int unused = 0; /* explicit padding: the bytes of queued arguments are compared */
	__device__ position find(int f) const
	{
		position a = {f};
		return a;
	}
	__device__ float4 compute(position a, int m, int end) const
	{
		int b, oy, ox;
		if (m >= end || a.f >= F4)
			return make_float4(0, 0, 0, 0);
		pixel_index_find(pixel_index, m, &b, &oy, &ox);
		int py = fast_div(pool, oy), px = fast_div(pool, ox), k = (oy - py * (int)pool.d) * (int)pool.d + ox - px * (int)pool.d;
		if (py >= PH || px >= PW)
			return make_float4(0, 0, 0, 0);
		size_t from = (((size_t)b * (size_t)PH + (size_t)py) * (size_t)PW + (size_t)px) * (size_t)F4 + (size_t)a.f;
		float4 d = *(const float4 *)(dy + from), out = *(const float4 *)(y + from);
		uchar4 best = pool.d > 1 ? *(const uchar4 *)(argmax + from) : make_uchar4(0, 0, 0, 0); /* without pool, k is 0 */
		return make_float4(best.x == k ? d.x * act_slope(out.x, act) : 0, best.y == k ? d.y * act_slope(out.y, act) : 0,
			best.z == k ? d.z * act_slope(out.z, act) : 0, best.w == k ? d.w * act_slope(out.w, act) : 0);
	}
};

/* dz into memory, where dx is computed too. A thread a float4. */
static __global__ void compute_dz(float *dz, struct loader_dz loader, struct divisor row_float4s, int n)
{
	size_t i = launch_index();
	if (i >= (size_t)n)
		return;
	int m = fast_div(row_float4s, (int)i);
	struct loader_dz::position a = {((int)i - m * (int)row_float4s.d) * 4};
	*(float4 *)(dz + i * 4) = loader.compute(a, m, INT_MAX);
}

/* Loader of the transposed im2col matrix, for dw: M is kernel positions x channels, K output pixels. */
struct loader_im2col_mn_major {
	enum { K_MAJOR = 0, COMPUTES = 0 };
	struct position {
		int c, pos; /* channel, c < 0: outside; (ky, kx) by pack_yx */
	};
	struct conv_input i;
	struct pixel_index pixel_index;
	__device__ position find(int n) const
	{
		position a = {-1, 0};
		if (n >= i.K)
			return a;
		if (i.image) {
			struct kernel_pos t = conv_kernel_pos(i, n);
			a.c = t.c, a.pos = pack_yx(t.ky, t.kx);
			return a;
		}
		int pos = fast_div(i.C4_, n), ky = fast_div(i.KW_, pos);
		a.c = n - pos * i.C4, a.pos = pack_yx(ky, pos - ky * i.KW);
		return a;
	}
	__device__ const float *base() const
	{
		return i.x;
	}
	template <class TO> __device__ void load(TO &to, position a, int m, int end) const
	{
		int b = -1, y = 0, x = 0;
		struct kernel_pos t = {a.c, 0, 0};
		if (a.c >= 0 && m < end)
			pixel_index_find(pixel_index, m, &b, &y, &x), unpack_yx(a.pos, &t.ky, &t.kx);
		y = y * i.S - i.P, x = x * i.S - i.P;
		if (i.image)
			conv_load_image(i, to, b, y, x, t);
		else
			conv_load_maps(i, to, b, y + t.ky * i.D, x + t.kx * i.D, t.c);
	}
};

/* dw (F, C, KH, KW) from rows k < K, each float4 being four filters, and db (F) from the row of column sums, k = K. */
struct epilogue_dw {
	enum { WHOLE_TILE = 0, COLUMN_SUMS = 1 };
	float *dw, *db;
	int C, KHKW, K, image;
	struct divisor C4;
	int unused = 0; /* explicit padding */
	__device__ void store(int k, int f, float4 v, int count) const
	{
		float each[4] = {v.x, v.y, v.z, v.w};
		int pos = fast_div(C4, k), c = k - pos * (int)C4.d;
		if (!image && c >= C) /* never in the row k = K, whose c is 0 */
			return;
		size_t of = image ? (size_t)k : (size_t)c * (size_t)KHKW + (size_t)pos, filter = (size_t)C * (size_t)KHKW;
		UNROLL
		for (int i = 0; i < 4; i++)
			if (i < count)
				*(k < K ? dw + (size_t)(f + i) * filter + of : db + f + i) = each[i];
	}
};

/* One axis of dgrad. Input pixels of phase r are i = r + phases q. Pixel q gets its gradient from output o by kernel position j of the
 * phase where o step = q mul + add - j D; the weights of position j are at first + skip j of the transposed ones. */
struct dgrad_axis {
	int mul, add, step, positions, first, skip, count; /* positions: values of j; count: of q */
	int phases, r, D;
};

/* Without upsampling, a phase for each remainder of i modulo the stride S, so that no kernel position is multiplied by inserted zeros; with
 * it, one phase and the summed weights (conv_transposed_side); with a dilation one phase, which leaves out what the stride does. */
static struct dgrad_axis dgrad_axis(const struct conv *s, int K, int in, int r)
{
	int S = s->S, upsample = s->upsample;
	struct dgrad_axis a = {1, 0, 1, 0, 0, 1, 0, S, r, s->D};
	if (upsample > 1 || s->D > 1) {
		a.mul = upsample, a.add = s->P + upsample - 1, a.step = S, a.positions = K + upsample - 1, a.count = in, a.phases = 1;
		return a;
	}
	int first = (r + s->P) % S;
	a.add = (r + s->P - first) / S, a.first = first, a.skip = S;
	a.positions = first < K ? (K - 1 - first) / S + 1 : 0;
	a.count = in > r ? (in - 1 - r) / S + 1 : 0;
	return a;
}

/* Loader of dz for dx: M is the input pixels of a phase, K its kernel positions x filters. */
struct loader_dgrad {
	enum { K_MAJOR = 1, COMPUTES = 0 };
	struct position {
		int b, yx; /* b < 0: outside */
	};
	const float *dz;
	int M, OH, OW;
	struct dgrad_axis ay, ax;
	struct pixel_index pixel_index; /* of (b, q along y, q along x) */
	struct divisor F4, positions_x, sy, sx;
	int unused = 0; /* explicit padding: the bytes of queued arguments are compared */
	__device__ position find(int m) const
	{
		int b, y, x;
		position a = {-1, 0};
		if (m >= M)
			return a;
		pixel_index_find(pixel_index, m, &b, &y, &x);
		a.b = b, a.yx = pack_yx(y * ay.mul + ay.add, x * ax.mul + ax.add);
		return a;
	}
	__device__ const float *base() const
	{
		return dz;
	}
	template <class TO> __device__ void load(TO &to, position a, int k, int end) const
	{
		int y, x;
		unpack_yx(a.yx, &y, &x);
		int pos = fast_div(F4, k), jy = fast_div(positions_x, pos), ty = y - jy * ay.D, tx = x - (pos - jy * (int)positions_x.d) * ax.D;
		int oy = fast_div(sy, ty < 0 ? 0 : ty), ox = fast_div(sx, tx < 0 ? 0 : tx);
		int inside = a.b >= 0 && k < end && ty >= 0 && tx >= 0 && oy * (int)sy.d == ty && ox * (int)sx.d == tx && oy < OH && ox < OW;
		to.four(inside ? dz + (((size_t)a.b * (size_t)OH + (size_t)oy) * (size_t)OW + (size_t)ox) * F4.d +
					 (size_t)(k - pos * (int)F4.d)
			       : NULL);
	}
};

/* Loader of the transposed weights (conv_transposed_size), at the kernel positions of a phase: N is channels. */
struct loader_transposed_weights {
	enum { K_MAJOR = 1, COMPUTES = 0 };
	struct position {
		int c; /* -1: outside */
	};
	const float *w;
	int C, TX;
	size_t pitch;
	int fy, sy, fx, sx; /* first and skip */
	struct divisor F4, positions_x;
	__device__ position find(int n) const
	{
		position a = {n < C ? n : -1};
		return a;
	}
	__device__ const float *base() const
	{
		return w;
	}
	template <class TO> __device__ void load(TO &to, position a, int k, int end) const
	{
		int pos = fast_div(F4, k), jy = fast_div(positions_x, pos), jx = pos - jy * (int)positions_x.d;
		to.four(a.c < 0 || k >= end ? NULL
					    : w + (size_t)a.c * pitch + (size_t)((fy + sy * jy) * TX + fx + sx * jx) * F4.d +
						      (size_t)(k - pos * (int)F4.d));
	}
};

struct epilogue_dx { /* dx (B, H, W, C4), the pixels of a phase */
	enum { WHOLE_TILE = 0, COLUMN_SUMS = 0 };
	float *dx;
	int H, W, C4, py, ry, px, rx;
	int unused; /* explicit padding */
	struct pixel_index pixel_index;
	__device__ void store(int m, int n, float4 v, int) const
	{
		int b, y, x;
		pixel_index_find(pixel_index, m, &b, &y, &x);
		*(float4 *)(dx + (((size_t)b * (size_t)H + (size_t)(ry + py * y)) * (size_t)W + (size_t)(rx + px * x)) * (size_t)C4 +
			    (size_t)n) = v;
	}
};

static void dgrad_phase(struct cuda *c, float *dx, const float *dz, const float *transposed, const struct conv *s,
	const struct dgrad_axis *ay, const struct dgrad_axis *ax, float *partial)
{
	int F4 = cuda_c4(s->F), C4 = cuda_c4(s->C), TX = conv_transposed_side(s->KW, s), TY = conv_transposed_side(s->KH, s);
	int M = s->B * ay->count * ax->count, K = ay->positions * ax->positions * F4;
	if (!M)
		return;
	struct divisor positions_x = divisor(ax->positions ? ax->positions : 1);
	struct pixel_index pixel_index = pixel_index_of(ay->count, ax->count);
	struct loader_dgrad a = {
		dz, M, s->OH, s->OW, *ay, *ax, pixel_index, divisor(F4), positions_x, divisor(ay->step), divisor(ax->step)};
	struct loader_transposed_weights b = {transposed, s->C, TX, (size_t)TY * (size_t)TX * (size_t)F4, ay->first, ay->skip, ax->first,
		ax->skip, divisor(F4), positions_x};
	struct epilogue_dx e = {dx, s->H, s->W, C4, ay->phases, ay->r, ax->phases, ax->r, 0, pixel_index};
	tile_gemm(c, a, b, e, M, C4, K, partial);
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

void cuda_conv_backward(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax,
	const real *x, const real *w, const void *packed, const struct conv *s)
{
	struct cuda *c = cuda_of(be);
	int F4 = cuda_c4(s->F), C4 = cuda_c4(s->C), M = s->B * s->OH * s->OW, dz_is_dy = s->pool == 1 && s->act == ACT_NONE;
	int phases = s->upsample > 1 || s->D > 1 ? 1 : s->S;
	const float *transposed = (const float *)packed + (size_t)s->F * (size_t)conv_pitch(s);
	(void)w;
	struct loader_im2col_mn_major im2col = {conv_input(x, s), pixel_index_of(s->OH, s->OW)};
	struct loader_dz fused_dz = {
		dy, y, argmax, s->OH / s->pool, s->OW / s->pool, F4, s->act, pixel_index_of(s->OH, s->OW), divisor(s->pool)};
	size_t dz_floats = dz_is_dy || !dx ? 0 : (size_t)M * (size_t)F4;
	size_t partial_bytes = tile_workspace_size(c, im2col.i.K, s->F, M, 1, 1);
	for (int r = 0; dx && r < phases * phases; r++) {
		struct dgrad_axis ay = dgrad_axis(s, s->KH, s->H, r / phases),
				  ax = dgrad_axis(s, s->KW, s->W, r % phases);
		partial_bytes =
			larger(partial_bytes, tile_workspace_size(c, s->B * ay.count * ax.count, C4, ay.positions * ax.positions * F4, 1, 0));
	}
	float *dz = (float *)cuda_workspace(c, dz_floats * sizeof(float) + partial_bytes), *partial = dz + dz_floats;
	if (dz_floats)
		launch_flat(&c->q, dz_floats / 4, compute_dz, dz, fused_dz, divisor(F4 / 4), (int)(dz_floats / 4));
	const float *dz_or_dy = dz_floats ? dz : dy;
	struct epilogue_dw e = {dw, db, s->C, s->KH * s->KW, im2col.i.K, s->image, divisor(C4)};
	if (dz_is_dy || dx)
		tile_gemm(c, im2col, mn_major(dz_or_dy, NULL, M, (size_t)F4, s->F), e, im2col.i.K, s->F, M, partial);
	else
		tile_gemm(c, im2col, fused_dz, e, im2col.i.K, s->F, M, partial);
	if (!dx)
		return;
	for (int r = 0; r < phases * phases; r++) {
		struct dgrad_axis ay = dgrad_axis(s, s->KH, s->H, r / phases),
				  ax = dgrad_axis(s, s->KW, s->W, r % phases);
		dgrad_phase(c, dx, dz_or_dy, transposed, s, &ay, &ax, partial);
	}
}
