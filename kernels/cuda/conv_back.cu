/* Convolution backward: the gradient of its sums first, where pool and activation stand between; then two products. */
#include "kernels/cuda/conv.h"
#include "kernels/cuda/value.h"

/* dz (B, OH, OW, F4) of dy (pooled): to where the largest was; zero elsewhere. A thread a quad. */
static __global__ void spread(float *dz, const float *dy, const float *y, const uint8_t *at, enum act act, int PH, int PW,
	struct place place, struct quick pool, struct quick quads, int n)
{
	size_t i = run_index();
	int m = quick_div(quads, (int)i), q = ((int)i - m * (int)quads.d) * 4, b, oy, ox;
	if (i >= (size_t)n)
		return;
	place_find(place, m, &b, &oy, &ox);
	int py = quick_div(pool, oy), px = quick_div(pool, ox), k = (oy - py * (int)pool.d) * (int)pool.d + ox - px * (int)pool.d;
	float4 v = make_float4(0, 0, 0, 0);
	if (py < PH && px < PW) {
		size_t from = (((size_t)b * (size_t)PH + (size_t)py) * (size_t)PW + (size_t)px) * quads.d * 4 + (size_t)q;
		float4 d = *(const float4 *)(dy + from), was = *(const float4 *)(y + from);
		uchar4 taken = pool.d > 1 ? *(const uchar4 *)(at + from) : make_uchar4(0, 0, 0, 0); /* without a pool k is 0 */
		v.x = taken.x == k ? d.x * act_slope(was.x, act) : 0, v.y = taken.y == k ? d.y * act_slope(was.y, act) : 0;
		v.z = taken.z == k ? d.z * act_slope(was.z, act) : 0, v.w = taken.w == k ? d.w * act_slope(was.w, act) : 0;
	}
	*(float4 *)(dz + i * 4) = v;
}

/* The input as the product for dw reads it: lines are output places, columns are taps and channels. */
struct conv_lines {
	enum { ALONG_K = 0 };
	struct at {
		int k, ky, kx, c; /* k < 0: outside */
	};
	struct conv_input i;
	struct place place;
	__device__ at find(int n) const
	{
		at a = {n < i.K ? n : -1, 0, 0, 0};
		if (a.k < 0 || i.image)
			return a;
		int tap = quick_div(i.C4_, n);
		a.ky = quick_div(i.KW_, tap), a.kx = tap - a.ky * i.KW, a.c = n - tap * i.C4;
		return a;
	}
	__device__ float4 get(at a, int m, int end) const
	{
		int b, y, x;
		if (a.k < 0 || m >= end)
			return make_float4(0, 0, 0, 0);
		place_find(place, m, &b, &y, &x);
		if (i.image)
			return conv_values(i, b, y * i.S - i.P, x * i.S - i.P, a.k);
		return conv_pixel(i, b, y * i.S - i.P + a.ky, x * i.S - i.P + a.kx, a.c);
	}
};

struct end_dw { /* dw (F, C, taps) */
	enum { TILES = 0 };
	float *dw;
	int C, taps, image, share;
	struct quick C4;
	int none = 0; /* no byte is left over: arguments are compared */
	__device__ void put(int f, int n, float4 v, int count) const
	{
		float each[4] = {v.x, v.y, v.z, v.w};
		int tap = quick_div(C4, n), c = n - tap * (int)C4.d;
		for (int i = 0; i < count; i++)
			if (image)
				dw[(size_t)f * (size_t)(C * taps) + (size_t)(n + i)] = each[i];
			else if (c + i < C)
				dw[((size_t)f * (size_t)C + (size_t)(c + i)) * (size_t)taps + (size_t)tap] = each[i];
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
		int b, y, x;
	};
	const float *dz;
	int M, OH, OW;
	struct back_axis ay, ax;
	struct place place; /* of q */
	struct quick F4, taps, sy, sx;
	int none = 0; /* no byte is left over: arguments are compared */
	__device__ at find(int m) const
	{
		int b, y, x;
		at a = {-1, 0, 0};
		if (m >= M)
			return a;
		place_find(place, m, &b, &y, &x);
		a.b = b, a.y = y * ay.mul + ay.add, a.x = x * ax.mul + ax.add;
		return a;
	}
	__device__ float4 get(at a, int k, int end) const
	{
		float4 none = make_float4(0, 0, 0, 0);
		if (a.b < 0 || k >= end)
			return none;
		int tap = quick_div(F4, k), jy = quick_div(taps, tap), ty = a.y - jy, tx = a.x - (tap - jy * (int)taps.d);
		if (ty < 0 || tx < 0)
			return none;
		int oy = quick_div(sy, ty), ox = quick_div(sx, tx);
		if (oy * (int)sy.d != ty || ox * (int)sx.d != tx || oy >= OH || ox >= OW)
			return none;
		return *(const float4 *)(dz + (((size_t)a.b * (size_t)OH + (size_t)oy) * (size_t)OW + (size_t)ox) * F4.d +
					 (size_t)(k - tap * (int)F4.d));
	}
};

/* Weights turned round: (C, TY, TX, F4); of them the taps of a phase. */
struct back_weights {
	enum { ALONG_K = 1 };
	struct at {
		const float *p;
	};
	const float *w;
	int C, TX;
	size_t pitch;
	int fy, sy, fx, sx; /* first and skip */
	struct quick F4, taps;
	__device__ at find(int n) const
	{
		at a = {n < C ? w + (size_t)n * pitch : NULL};
		return a;
	}
	__device__ float4 get(at a, int k, int end) const
	{
		if (!a.p || k >= end)
			return make_float4(0, 0, 0, 0);
		int tap = quick_div(F4, k), jy = quick_div(taps, tap), jx = tap - jy * (int)taps.d;
		return *(const float4 *)(a.p + (size_t)((fy + sy * jy) * TX + fx + sx * jx) * F4.d + (size_t)(k - tap * (int)F4.d));
	}
};

/* One number of them: the sum over what falls on one tap where the input is raised. */
static __global__ void turn(float *to, const float *w, int F, int F4, int C, int KH, int KW, int up, int TY, int TX, size_t n)
{
	size_t i = run_index();
	if (i >= n)
		return;
	int f = (int)(i % (size_t)F4), tx = (int)(i / (size_t)F4 % (size_t)TX), ty = (int)(i / (size_t)F4 / (size_t)TX % (size_t)TY),
	    c = (int)(i / (size_t)F4 / (size_t)TX / (size_t)TY);
	double sum = 0;
	for (int uy = 0; f < F && uy < up; uy++)
		for (int ux = 0; ux < up; ux++) {
			int ky = uy + ty - (up - 1), kx = ux + tx - (up - 1);
			if (ky >= 0 && kx >= 0 && ky < KH && kx < KW)
				sum += (double)w[(((size_t)f * (size_t)C + (size_t)c) * (size_t)KH + (size_t)ky) * (size_t)KW + (size_t)kx];
		}
	to[i] = (float)sum;
}

struct end_dx { /* dx (B, H, W, C4), pixels of a phase */
	enum { TILES = 0 };
	float *dx;
	int H, W, C4, py, ry, px, rx, share;
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
	int F4 = cuda_c4(s->F), C4 = cuda_c4(s->C), TX = s->KW + s->up - 1, TY = s->KH + s->up - 1;
	int M = s->B * ay->count * ax->count, K = ay->taps * ax->taps * F4;
	if (!M)
		return;
	struct quick taps = quick(ax->taps ? ax->taps : 1);
	struct place place = place_of(ay->count, ax->count);
	struct back_rows a = {dz, M, s->OH, s->OW, *ay, *ax, place, quick(F4), taps, quick(ay->step), quick(ax->step)};
	struct back_weights b = {
		turned, s->C, TX, (size_t)TY * (size_t)TX * (size_t)F4, ay->first, ay->skip, ax->first, ax->skip, quick(F4), taps};
	struct end_dx e = {dx, s->H, s->W, C4, ay->phases, ay->r, ax->phases, ax->r, 0, place};
	tile_run(c, a, b, e, M, C4, K, part);
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

void cuda_conv_back(const struct ops *o, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *at, const real *x,
	const real *w, const struct conv *s)
{
	struct cuda *c = cuda_of(o);
	int F4 = cuda_c4(s->F), C4 = cuda_c4(s->C), M = s->B * s->OH * s->OW, direct = s->pool == 1 && s->act == ACT_NONE;
	int phases = s->up > 1 ? 1 : s->S, TX = s->KW + s->up - 1, TY = s->KH + s->up - 1;
	struct conv_lines lines = {conv_input(x, s), place_of(s->OH, s->OW)};
	size_t turned = dx ? (size_t)s->C * (size_t)TY * (size_t)TX * (size_t)F4 : 0, spreads = direct ? 0 : (size_t)M * (size_t)F4;
	size_t part = larger(cuda_columns_work((size_t)M, s->F), tile_work(s->F, lines.i.K, M));
	for (int r = 0; dx && r < phases * phases; r++) {
		struct back_axis ay = back_axis(s->KH, s->S, s->P, s->up, s->H, r / phases),
				 ax = back_axis(s->KW, s->S, s->P, s->up, s->W, r % phases);
		part = larger(part, tile_work(s->B * ay.count * ax.count, C4, ay.taps * ax.taps * F4));
	}
	float *dz = (float *)cuda_work(c, (spreads + turned) * sizeof(float) + part);
	float *weights = dz + spreads, *parts = weights + turned; /* turned is a multiple of 4, as F4 is */
	if (!direct)
		run_flat(&c->q, spreads / 4, spread, dz, dy, y, at, s->act, s->OH / s->pool, s->OW / s->pool, place_of(s->OH, s->OW),
			quick(s->pool), quick(F4 / 4), (int)(spreads / 4));
	const float *z = direct ? dy : dz;
	cuda_columns(c, db, z, (size_t)M, (size_t)F4, s->F, parts);
	struct end_dw e = {dw, s->C, s->KH * s->KW, s->image, 0, quick(C4)};
	tile_run(c, lines_of(z, NULL, M, (size_t)F4, s->F), lines, e, s->F, lines.i.K, M, parts);
	if (!dx)
		return;
	run_flat(&c->q, turned, turn, weights, w, s->F, F4, s->C, s->KH, s->KW, s->up, TY, TX, turned);
	for (int r = 0; r < phases * phases; r++) {
		struct back_axis ay = back_axis(s->KH, s->S, s->P, s->up, s->H, r / phases),
				 ax = back_axis(s->KW, s->S, s->P, s->up, s->W, r % phases);
		back_phase(c, dx, z, weights, s, &ay, &ax, parts);
	}
}
