/* Convolution forward: bias, pool and activation happen to a tile's sums before they are written. */
#include <limits.h>

#include "kernels/cuda/conv.h"
#include "kernels/cuda/batched_launch.h"
#include "kernels/cuda/elementwise.h"

extern "C" {
#include "lib/base/err.h"
}

enum { POOLED = 8 }; /* the largest pool whose places fit in a tile */

/* Places of the output; where it is pooled, those of a pool's square stand together, and `group` squares in `tile` rows. */
struct conv_rows {
	enum { ALONG_K = 1 };
	struct at {
		int b, yx; /* of the top left tap; b < 0: outside */
	};
	struct conv_input i;
	struct place place; /* pooled ones */
	struct divisor tile, square, pool;
	int M, group; /* M: pooled places */
	int none = 0; /* no byte is left over: arguments are compared */
	__device__ at find(int m) const
	{
		int t = fast_div(tile, m), r = m - t * (int)tile.d, g = fast_div(square, r), k = r - g * (int)square.d,
		    dy = fast_div(pool, k);
		int p = t * group + g, b, y, x;
		at a = {-1, 0};
		if (g >= group || p >= M)
			return a;
		place_find(place, p, &b, &y, &x);
		a.b = b;
		a.yx = place_pack((y * (int)pool.d + dy) * i.S - i.P, (x * (int)pool.d + k - dy * (int)pool.d) * i.S - i.P);
		return a;
	}
	__device__ float4 get(at a, int k, int) const
	{
		int y, x;
		place_unpack(a.yx, &y, &x);
		if (a.b < 0 || k >= i.K)
			return make_float4(0, 0, 0, 0);
		if (i.image)
			return conv_values(i, a.b, y, x, conv_kernel_pos(i, k));
		int tap = fast_div(i.C4_, k), ky = fast_div(i.KW_, tap);
		return conv_pixel(i, a.b, y + ky, x + tap - ky * i.KW, k - tap * i.C4);
	}
};

struct epilogue_conv { /* y (M, F4) = act(v + b) */
	enum { TILES = 0, SUMS = 0 };
	float *y;
	const float *b;
	int F, F4;
	enum act act;
	int split;
	__device__ float one(float v, int n) const
	{
		return act_value(n < F ? v + b[n] : 0, act);
	}
	__device__ void put(int m, int n, float4 v, int) const
	{
		*(float4 *)(y + (size_t)m * (size_t)F4 + (size_t)n) =
			make_float4(one(v.x, n), one(v.y, n + 1), one(v.z, n + 2), one(v.w, n + 3));
	}
};

/* The same of the largest of each square; NaN counts as the largest, of equals the first. */
struct epilogue_pool {
	enum { TILES = 1, SUMS = 0 };
	float *y;
	uint8_t *argmax;
	const float *b;
	int F, F4;
	enum act act;
	int square, group, M, split;
	int none = 0; /* no byte is left over: arguments are compared */
	template <int BM, int BN> __device__ void tile(const float *c, int line, int m0, int n0) const
	{
		for (int i = (int)threadIdx.x; i < group * BN; i += LAUNCH_BLOCK) {
			int g = i / BN, n = i % BN, p = m0 / BM * group + g, best = 0;
			if (p >= M || n0 + n >= F4)
				continue;
			const float *v = c + g * square * line + n;
			float bias = n0 + n < F ? b[n0 + n] : 0, most = v[0] + bias;
			for (int k = 1; k < square; k++) {
				float z = v[k * line] + bias;
				if (z > most || z != z)
					most = z, best = k;
			}
			size_t to = (size_t)p * (size_t)F4 + (size_t)(n0 + n);
			y[to] = act_value(most, act), argmax[to] = (uint8_t)best;
		}
	}
};

size_t cuda_conv_packed_size(const struct backend *, const struct conv *s)
{
	return ((size_t)s->F * (size_t)conv_pitch(s) + conv_turned(s)) * sizeof(float);
}

struct packing { /* one layer's */
	float *to;
	const float *w;
	int F, F4, C, C4, KH, KW, pitch, image, up, TY, TX;
	size_t n, turned; /* numbers of both forms, the second after the first */
	size_t size() const
	{
		return n + turned;
	}
	int meets(const struct packing &other) const
	{
		size_t weights = (size_t)F * (size_t)C * (size_t)KH * (size_t)KW,
		       others = (size_t)other.F * (size_t)other.C * (size_t)other.KH * (size_t)other.KW;
		return !batched_launch_apart(to, size(), other.to, other.size()) || !batched_launch_apart(w, weights, other.to, other.size()) ||
		       !batched_launch_apart(to, size(), other.w, others);
	}
};

static __device__ float packed_at(const struct packing &p, size_t i)
{
	size_t f = i / (size_t)p.pitch, taps = (size_t)p.KH * (size_t)p.KW;
	int k = (int)(i - f * (size_t)p.pitch), c = k % p.C4, tap = k / p.C4;
	if (p.image)
		return k < p.C * (int)taps ? p.w[f * (size_t)p.C * taps + (size_t)k] : 0;
	return c < p.C ? p.w[(f * (size_t)p.C + (size_t)c) * taps + (size_t)tap] : 0;
}

/* The sum over what falls on one tap where the input is raised. */
static __device__ float turned_at(const struct packing &p, size_t i)
{
	int f = (int)(i % (size_t)p.F4), tx = (int)(i / (size_t)p.F4 % (size_t)p.TX),
	    ty = (int)(i / (size_t)p.F4 / (size_t)p.TX % (size_t)p.TY), c = (int)(i / (size_t)p.F4 / (size_t)p.TX / (size_t)p.TY);
	double sum = 0;
	for (int uy = 0; f < p.F && uy < p.up; uy++)
		for (int ux = 0; ux < p.up; ux++) {
			int ky = uy + ty - (p.up - 1), kx = ux + tx - (p.up - 1);
			if (ky >= 0 && kx >= 0 && ky < p.KH && kx < p.KW)
				sum += (double)p.w[(((size_t)f * (size_t)p.C + (size_t)c) * (size_t)p.KH + (size_t)ky) * (size_t)p.KW +
						   (size_t)kx];
		}
	return (float)sum;
}

static __global__ void pack(struct batched_launch<int, struct packing, 12> p)
{
	size_t i;
	const struct packing &one = batched_launch_find(p, &i);
	if (i < one.n)
		one.to[i] = packed_at(one, i);
	else if (i < one.n + one.turned)
		one.to[i] = turned_at(one, i - one.n);
}

void cuda_conv_pack(const struct backend *be, void *packed, const real *w, const struct conv *s)
{
	struct packing one;
	memset(&one, 0, sizeof one);
	one.to = (float *)packed, one.w = w, one.F = s->F, one.F4 = cuda_c4(s->F), one.C = s->C, one.C4 = cuda_c4(s->C);
	one.KH = s->KH, one.KW = s->KW, one.pitch = conv_pitch(s), one.image = s->image, one.up = s->upsample;
	one.TY = conv_turned_side(s->KH, s), one.TX = conv_turned_side(s->KW, s);
	one.n = (size_t)s->F * (size_t)one.pitch, one.turned = conv_turned(s);
	batched_launch_add(queue_of(be), "pack", pack, 0, one);
}

static struct conv_rows rows_of_conv(const float *x, const struct conv *s, int tile)
{
	struct conv_rows r;
	int square = s->pool * s->pool;
	r.i = conv_input(x, s);
	r.place = place_of(s->OH / s->pool, s->OW / s->pool);
	r.tile = divisor(tile), r.square = divisor(square), r.pool = divisor(s->pool);
	r.group = tile / square, r.M = s->B * (s->OH / s->pool) * (s->OW / s->pool);
	return r;
}

/* Places are counted in 31 bits, coordinates, with what stands around, in 15. */
static void fits(const struct conv *s)
{
	double places = (double)s->B * s->OH * s->OW, inputs = (double)s->B * s->H * s->W * s->upsample * s->upsample;
	int side = (s->H > s->W ? s->H : s->W) * s->upsample + 2 * s->P + s->KH + s->KW + 2 * s->upsample;
	if (side > INT16_MAX)
		die("cuda: images of %dx%d are too large for a convolution", s->W * s->upsample, s->H * s->upsample);
	if (places * 4 > INT_MAX || inputs * 4 > INT_MAX || places * cuda_c4(s->F) / 4 > INT_MAX)
		die("cuda: %d images of %dx%d are too many in one batch", s->B, s->W * s->upsample, s->H * s->upsample);
}

static void pooled(struct cuda *c, float *y, uint8_t *argmax, const float *x, const float *w, const float *b, const struct conv *s)
{
	int square = s->pool * s->pool, F4 = cuda_c4(s->F), groups = s->B * (s->OH / s->pool) * (s->OW / s->pool);
	struct tiling cut = tile_plan(c, groups * square, F4, 1, 1);
	int tile = cut.large ? 128 : 64;
	struct conv_rows rows = rows_of_conv(x, s, tile);
	struct epilogue_pool e = {y, argmax, b, s->F, F4, s->act, square, rows.group, groups, 0};
	cut.split_k = rows.i.K;
	tile_precise(c, rows, rows_of(w, (size_t)conv_pitch(s), s->F), e, tile_over(groups, rows.group) * tile, F4, rows.i.K, cut);
}

void cuda_conv(const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s)
{
	struct cuda *c = cuda_of(be);
	const float *w = (const float *)packed;
	int F4 = cuda_c4(s->F), M = s->B * s->OH * s->OW;
	fits(s);
	if (s->pool > 1 && s->pool <= POOLED) {
		pooled(c, y, argmax, x, w, b, s);
		return;
	}
	struct conv plain = *s;
	plain.pool = 1;
	struct conv_rows rows = rows_of_conv(x, &plain, 64);
	size_t z = s->pool > 1 ? (size_t)M * (size_t)F4 * sizeof(float) : 0;
	char *work = (char *)cuda_work(c, z + tile_work(c, M, F4, rows.i.K, 0));
	struct epilogue_conv e = {s->pool > 1 ? (float *)(void *)work : y, b, s->F, F4, s->pool > 1 ? ACT_NONE : s->act, 0};
	tile_run(c, rows, rows_of(w, (size_t)conv_pitch(s), s->F), e, M, F4, rows.i.K, (float *)(void *)(work + z));
	if (s->pool == 1)
		return;
	cuda_max_pool(be, y, argmax, (const float *)(const void *)work, s->B, s->F, s->OH, s->OW, s->pool);
	if (s->act != ACT_NONE)
		cuda_act(be, y, y, s->act, (size_t)s->B * (s->OH / s->pool) * (s->OW / s->pool) * (size_t)F4);
}
