/* Convolution backward: the gradient of its sums first, where pool and activation stand between; then two products. */
#include <limits.h>

#include "kernels/cuda/conv.h"
#include "kernels/cuda/elementwise.h"

/* dz (B, OH, OW, F4) by dy (pooled): there where the largest was; zero elsewhere. As a loader, for a product that reads it once: lines are
 * output places, columns are filters. */
struct spread_lines {
	enum { ALONG_K = 0 };
	struct at {
		int f;
	};
	const float *dy, *y;
	const uint8_t *taken;
	int PH, PW, F4;
	enum act act;
	struct place place;
	struct divisor pool;
	int none = 0; /* no byte is left over: arguments are compared */
	__device__ at find(int f) const
	{
		at a = {f};
		return a;
	}
	__device__ float4 get(at a, int m, int end) const
	{
		int b, oy, ox;
		if (m >= end || a.f >= F4)
			return make_float4(0, 0, 0, 0);
		place_find(place, m, &b, &oy, &ox);
		int py = fast_div(pool, oy), px = fast_div(pool, ox), k = (oy - py * (int)pool.d) * (int)pool.d + ox - px * (int)pool.d;
		if (py >= PH || px >= PW)
			return make_float4(0, 0, 0, 0);
		size_t from = (((size_t)b * (size_t)PH + (size_t)py) * (size_t)PW + (size_t)px) * (size_t)F4 + (size_t)a.f;
		float4 d = *(const float4 *)(dy + from), was = *(const float4 *)(y + from);
		uchar4 best = pool.d > 1 ? *(const uchar4 *)(taken + from) : make_uchar4(0, 0, 0, 0); /* without a pool k is 0 */
		return make_float4(best.x == k ? d.x * act_slope(was.x, act) : 0, best.y == k ? d.y * act_slope(was.y, act) : 0,
			best.z == k ? d.z * act_slope(was.z, act) : 0, best.w == k ? d.w * act_slope(was.w, act) : 0);
	}
};

/* dz for products that read it often. A thread a quad. */
static __global__ void spread(float *dz, struct spread_lines l, struct divisor quads, int n)
{
	size_t i = launch_index();
	if (i >= (size_t)n)
		return;
	int m = fast_div(quads, (int)i);
	struct spread_lines::at a = {((int)i - m * (int)quads.d) * 4};
	*(float4 *)(dz + i * 4) = l.get(a, m, INT_MAX);
}

/* The input as the product for dw reads it: lines are output places, columns are taps and channels. */
struct conv_lines {
	enum { ALONG_K = 0 };
	struct at {
		int c, tap; /* c < 0: outside; tap: its line and column */
	};
	struct conv_input i;
	struct place place;
	__device__ at find(int n) const
	{
		at a = {-1, 0};
		if (n >= i.K)
			return a;
		if (i.image) {
			struct kernel_pos t = conv_kernel_pos(i, n);
			a.c = t.c, a.tap = place_pack(t.ky, t.kx);
			return a;
		}
		int tap = fast_div(i.C4_, n), ky = fast_div(i.KW_, tap);
		a.c = n - tap * i.C4, a.tap = place_pack(ky, tap - ky * i.KW);
		return a;
	}
	__device__ float4 get(at a, int m, int end) const
	{
		int b, y, x;
		struct kernel_pos t = {a.c, 0, 0};
		if (a.c < 0 || m >= end)
			return make_float4(0, 0, 0, 0);
		place_find(place, m, &b, &y, &x), place_unpack(a.tap, &t.ky, &t.kx);
		y = y * i.S - i.P, x = x * i.S - i.P;
		return i.image ? conv_values(i, b, y, x, t) : conv_pixel(i, b, y + t.ky, x + t.kx, t.c);
	}
};

/* dw (F, C, taps), of which a thread has four filters, and, by the sums of their gradients, db (F). */
struct epilogue_dw {
	enum { TILES = 0, SUMS = 1 };
	float *dw, *db;
	int C, taps, K, image, split;
	struct divisor C4;
	__device__ void put(int k, int f, float4 v, int count) const
	{
		float each[4] = {v.x, v.y, v.z, v.w};
		int tap = fast_div(C4, k), c = k - tap * (int)C4.d;
		if (k < K && !image && c >= C)
			return;
		size_t of = image ? (size_t)k : (size_t)c * (size_t)taps + (size_t)tap, filter = (size_t)C * (size_t)taps;
		UNROLL
		for (int i = 0; i < 4; i++)
			if (i < count)
				*(k < K ? dw + (size_t)(f + i) * filter + of : db + f + i) = each[i];
	}
};

/* One axis of the way back. An input pixel i of phase r (0, phases, ...: i = r + phases q) hears from tap j output o where
 * o step = q mul + add - j; of tap j the packed weights lie at first + skip j. */
struct back_axis {
	int mul, add, step, taps, first, skip, count; /* count: values of q */
	int phases, r;
};

/* Where an input is not raised, a phase a remainder of the stride, so that no tap is looked at in vain; else one phase, and taps that fall
 * on one pixel after the raising have been added up. */
static struct back_axis back_axis(int K, int S, int P, int up, int in, int r)
{
	struct back_axis a = {1, 0, 1, 0, 0, 1, 0, S, r};
	if (up > 1) {
		a.mul = up, a.add = P + up - 1, a.step = S, a.taps = K + up - 1, a.count = in, a.phases = 1;
		return a;
	}
	int first = (r + P) % S;
	a.add = (r + P - first) / S, a.first = first, a.skip = S;
	a.taps = first < K ? (K - 1 - first) / S + 1 : 0;
	a.count = in > r ? (in - 1 - r) / S + 1 : 0;
	return a;
}

/* Gradients of outputs as the product for dx reads them: rows are input pixels of a phase, k are taps and filters. */
struct back_rows {
	enum { ALONG_K = 1 };
	struct at {
		int b, yx; /* b < 0: outside */
	};
	const float *dz;
	int M, OH, OW;
	struct back_axis ay, ax;
	struct place place; /* of q */
	struct divisor F4, taps, sy, sx;
	int none = 0; /* no byte is left over: arguments are compared */
	__device__ at find(int m) const
	{
		int b, y, x;
		at a = {-1, 0};
		if (m >= M)
			return a;
		place_find(place, m, &b, &y, &x);
		a.b = b, a.yx = place_pack(y * ay.mul + ay.add, x * ax.mul + ax.add);
		return a;
	}
	__device__ float4 get(at a, int k, int end) const
	{
		float4 none = make_float4(0, 0, 0, 0);
		int y, x;
		place_unpack(a.yx, &y, &x);
		if (a.b < 0 || k >= end)
			return none;
		int tap = fast_div(F4, k), jy = fast_div(taps, tap), ty = y - jy, tx = x - (tap - jy * (int)taps.d);
		if (ty < 0 || tx < 0)
			return none;
		int oy = fast_div(sy, ty), ox = fast_div(sx, tx);
		if (oy * (int)sy.d != ty || ox * (int)sx.d != tx || oy >= OH || ox >= OW)
			return none;
		return *(const float4 *)(dz + (((size_t)a.b * (size_t)OH + (size_t)oy) * (size_t)OW + (size_t)ox) * F4.d +
					 (size_t)(k - tap * (int)F4.d));
	}
};

/* Weights turned round (conv_turned); of them the taps of a phase. */
struct back_weights {
	enum { ALONG_K = 1 };
	struct at {
		int c; /* -1: outside */
	};
	const float *w;
	int C, TX;
	size_t pitch;
	int fy, sy, fx, sx; /* first and skip */
	struct divisor F4, taps;
	__device__ at find(int n) const
	{
		at a = {n < C ? n : -1};
		return a;
	}
	__device__ float4 get(at a, int k, int end) const
	{
		if (a.c < 0 || k >= end)
			return make_float4(0, 0, 0, 0);
		int tap = fast_div(F4, k), jy = fast_div(taps, tap), jx = tap - jy * (int)taps.d;
		return *(const float4 *)(w + (size_t)a.c * pitch + (size_t)((fy + sy * jy) * TX + fx + sx * jx) * F4.d +
					 (size_t)(k - tap * (int)F4.d));
	}
};

struct epilogue_dx { /* dx (B, H, W, C4), pixels of a phase */
	enum { TILES = 0, SUMS = 0 };
	float *dx;
	int H, W, C4, py, ry, px, rx, split;
	struct place place;
	__device__ void put(int m, int n, float4 v, int) const
	{
		int b, y, x;
		place_find(place, m, &b, &y, &x);
		*(float4 *)(dx + (((size_t)b * (size_t)H + (size_t)(ry + py * y)) * (size_t)W + (size_t)(rx + px * x)) * (size_t)C4 +
			    (size_t)n) = v;
	}
};

static void back_phase(struct cuda *c, float *dx, const float *dz, const float *turned, const struct conv *s, const struct back_axis *ay,
	const struct back_axis *ax, float *part)
{
	int F4 = cuda_c4(s->F), C4 = cuda_c4(s->C), TX = conv_turned_side(s->KW, s), TY = conv_turned_side(s->KH, s);
	int M = s->B * ay->count * ax->count, K = ay->taps * ax->taps * F4;
	if (!M)
		return;
	struct divisor taps = divisor(ax->taps ? ax->taps : 1);
	struct place place = place_of(ay->count, ax->count);
	struct back_rows a = {dz, M, s->OH, s->OW, *ay, *ax, place, divisor(F4), taps, divisor(ay->step), divisor(ax->step)};
	struct back_weights b = {
		turned, s->C, TX, (size_t)TY * (size_t)TX * (size_t)F4, ay->first, ay->skip, ax->first, ax->skip, divisor(F4), taps};
	struct epilogue_dx e = {dx, s->H, s->W, C4, ay->phases, ay->r, ax->phases, ax->r, 0, place};
	tile_run(c, a, b, e, M, C4, K, part);
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

void cuda_conv_backward(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax, const real *x,
	const real *w, const void *packed, const struct conv *s)
{
	struct cuda *c = cuda_of(be);
	int F4 = cuda_c4(s->F), C4 = cuda_c4(s->C), M = s->B * s->OH * s->OW, direct = s->pool == 1 && s->act == ACT_NONE;
	int phases = s->upsample > 1 ? 1 : s->S;
	const float *turned = (const float *)packed + (size_t)s->F * (size_t)conv_pitch(s);
	(void)w;
	struct conv_lines lines = {conv_input(x, s), place_of(s->OH, s->OW)};
	struct spread_lines z = {dy, y, argmax, s->OH / s->pool, s->OW / s->pool, F4, s->act, place_of(s->OH, s->OW), divisor(s->pool)};
	size_t spreads = direct || !dx ? 0 : (size_t)M * (size_t)F4;
	size_t part = tile_work(c, lines.i.K, s->F, M, 1);
	for (int r = 0; dx && r < phases * phases; r++) {
		struct back_axis ay = back_axis(s->KH, s->S, s->P, s->upsample, s->H, r / phases),
				 ax = back_axis(s->KW, s->S, s->P, s->upsample, s->W, r % phases);
		part = larger(part, tile_work(c, s->B * ay.count * ax.count, C4, ay.taps * ax.taps * F4, 0));
	}
	float *dz = (float *)cuda_work(c, spreads * sizeof(float) + part), *parts = dz + spreads;
	if (spreads)
		launch_flat(&c->q, spreads / 4, spread, dz, z, divisor(F4 / 4), (int)(spreads / 4));
	const float *whole = spreads ? dz : dy;
	struct epilogue_dw e = {dw, db, s->C, s->KH * s->KW, lines.i.K, s->image, 0, divisor(C4)};
	if (direct || dx)
		tile_run(c, lines, lines_of(whole, NULL, M, (size_t)F4, s->F), e, lines.i.K, s->F, M, parts);
	else
		tile_run(c, lines, z, e, lines.i.K, s->F, M, parts);
	if (!dx)
		return;
	for (int r = 0; r < phases * phases; r++) {
		struct back_axis ay = back_axis(s->KH, s->S, s->P, s->upsample, s->H, r / phases),
				 ax = back_axis(s->KW, s->S, s->P, s->upsample, s->W, r % phases);
		back_phase(c, dx, whole, turned, s, &ay, &ax, parts);
	}
}
