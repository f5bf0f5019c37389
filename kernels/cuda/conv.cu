/* Convolution forward: implicit GEMM (tile.h). Its loader gathers im2col rows from the input as the main loop reads them; its epilogue
 * applies bias, max pool and activation to a tile before it is written. Also the packing of weights. */
#include <limits.h>

#include "kernels/cuda/conv.h"
#include "kernels/cuda/batched_launch.h"
#include "kernels/cuda/elementwise.h"

extern "C" {
#include "lib/base/err.h"
}

enum { FUSED_POOL = 8 }; /* pools up to 8 x 8, whose windows fit in a tile of 64 rows, are fused */

/* Loader of im2col rows: M is output pixels, K kernel positions x channels. With a fused pool the `window` output pixels of one pool window
 * are adjacent rows, and a tile of `tile` rows holds `windows` whole windows; its other rows are zeros. */
struct loader_im2col {
	enum { K_MAJOR = 1, COMPUTES = 0 };
	struct position {
		int b, yx; /* image; input pixel of kernel position (0, 0); b < 0: outside */
	};
	struct conv_input i;
	struct pixel_index pixel_index; /* of the pooled output */
	struct divisor tile, window, pool;
	int M, windows; /* M: pooled output pixels */
	int unused = 0; /* explicit padding: the bytes of queued arguments are compared */
	__device__ position find(int m) const
	{
		int t = fast_div(tile, m), r = m - t * (int)tile.d, g = fast_div(window, r), k = r - g * (int)window.d,
		    dy = fast_div(pool, k);
		int p = t * windows + g, b, y, x;
		position a = {-1, 0};
		if (g >= windows || p >= M)
			return a;
		pixel_index_find(pixel_index, p, &b, &y, &x);
		a.b = b;
		a.yx = pack_yx((y * (int)pool.d + dy) * i.S - i.P, (x * (int)pool.d + k - dy * (int)pool.d) * i.S - i.P);
		return a;
	}
	__device__ const float *base() const
	{
		return i.x;
	}
	template <class TO> __device__ void load(TO &to, position a, int k, int) const
	{
		int y, x, b = k < i.K ? a.b : -1;
		unpack_yx(a.yx, &y, &x);
		if (i.image) {
			conv_load_image(i, to, b, y, x, conv_kernel_pos(i, k));
			return;
		}
		int pos = fast_div(i.C4_, k), ky = fast_div(i.KW_, pos);
		conv_load_maps(i, to, b, y + ky * i.D, x + (pos - ky * i.KW) * i.D, k - pos * i.C4);
	}
};

struct epilogue_conv { /* y (M, F4) = act(v + b) */
	enum { WHOLE_TILE = 0, COLUMN_SUMS = 0 };
	float *y;
	const float *b;
	int F, F4;
	enum act act;
	int unused = 0; /* explicit padding: the bytes of queued arguments are compared */
	__device__ float value(float v, int n) const
	{
		return act_value(n < F ? v + b[n] : 0, act);
	}
	__device__ void store(int m, int n, float4 v, int) const
	{
		*(float4 *)(y + (size_t)m * (size_t)F4 + (size_t)n) =
			make_float4(value(v.x, n), value(v.y, n + 1), value(v.z, n + 2), value(v.w, n + 3));
	}
};

/* The same fused with max pool: act(max over each window + b) and argmax, the first of equals; NaN counts as the largest. */
struct epilogue_pool {
	enum { WHOLE_TILE = 1, COLUMN_SUMS = 0 };
	float *y;
	uint8_t *argmax;
	const float *b;
	int F, F4;
	enum act act;
	int window, windows, M;
	template <int BM, int BN> __device__ void tile(const float *c, int ld, int m0, int n0) const
	{
		for (int i = (int)threadIdx.x; i < windows * BN; i += (int)blockDim.x) {
			int g = i / BN, n = i % BN, p = m0 / BM * windows + g, best = 0;
			if (p >= M || n0 + n >= F4)
				continue;
			const float *v = c + g * window * ld + n;
			float bias = n0 + n < F ? b[n0 + n] : 0, largest = v[0] + bias;
			for (int k = 1; k < window; k++) {
				float z = v[k * ld] + bias;
				if (z > largest || z != z)
					largest = z, best = k;
			}
			size_t to = (size_t)p * (size_t)F4 + (size_t)(n0 + n);
			y[to] = act_value(largest, act), argmax[to] = (uint8_t)best;
		}
	}
};

size_t cuda_conv_packed_size(const struct backend *, const struct conv *s)
{
	return ((size_t)s->F * (size_t)conv_pitch(s) + conv_transposed_size(s)) * sizeof(float);
}

struct pack_item { /* the packing of one layer's weights, an item of a batched launch */
	float *to;
	const float *w;
	int F, F4, C, C4, KH, KW, pitch, image, upsample, TY, TX;
	size_t n, transposed; /* floats of both parts (conv.h), the second after the first */
	size_t size() const
	{
		return n + transposed;
	}
	int overlaps(const struct pack_item &other) const
	{
		size_t weights = (size_t)F * (size_t)C * (size_t)KH * (size_t)KW,
		       others = (size_t)other.F * (size_t)other.C * (size_t)other.KH * (size_t)other.KW;
		return !batched_launch_disjoint(to, size(), other.to, other.size()) ||
		       !batched_launch_disjoint(w, weights, other.to, other.size()) ||
		       !batched_launch_disjoint(to, size(), other.w, others);
	}
};

static __device__ float packed_at(const struct pack_item &p, size_t i)
{
	size_t f = i / (size_t)p.pitch, KHKW = (size_t)p.KH * (size_t)p.KW;
	int k = (int)(i - f * (size_t)p.pitch), c = k % p.C4, pos = k / p.C4;
	if (p.image)
		return k < p.C * (int)KHKW ? p.w[f * (size_t)p.C * KHKW + (size_t)k] : 0;
	return c < p.C ? p.w[(f * (size_t)p.C + (size_t)c) * KHKW + (size_t)pos] : 0;
}

/* Sums the weights by which one output reads the upsample x upsample copies of an input pixel. */
static __device__ float transposed_at(const struct pack_item &p, size_t i)
{
	int f = (int)(i % (size_t)p.F4), tx = (int)(i / (size_t)p.F4 % (size_t)p.TX),
	    ty = (int)(i / (size_t)p.F4 / (size_t)p.TX % (size_t)p.TY), c = (int)(i / (size_t)p.F4 / (size_t)p.TX / (size_t)p.TY);
	double sum = 0;
	for (int uy = 0; f < p.F && uy < p.upsample; uy++)
		for (int ux = 0; ux < p.upsample; ux++) {
			int ky = uy + ty - (p.upsample - 1), kx = ux + tx - (p.upsample - 1);
			if (ky >= 0 && kx >= 0 && ky < p.KH && kx < p.KW)
				sum += (double)p.w[(((size_t)f * (size_t)p.C + (size_t)c) * (size_t)p.KH + (size_t)ky) * (size_t)p.KW +
						   (size_t)kx];
		}
	return (float)sum;
}

static __global__ void pack(struct batched_launch<int, struct pack_item, 12> p)
{
	size_t i;
	const struct pack_item &item = batched_launch_find(p, &i);
	if (i < item.n)
		item.to[i] = packed_at(item, i);
	else if (i < item.n + item.transposed)
		item.to[i] = transposed_at(item, i - item.n);
}

void cuda_conv_pack(const struct backend *be, void *packed, const real *w, const struct conv *s)
{
	struct pack_item item;
	memset(&item, 0, sizeof item);
	item.to = (float *)packed, item.w = w, item.F = s->F, item.F4 = cuda_c4(s->F), item.C = s->C, item.C4 = cuda_c4(s->C);
	item.KH = s->KH, item.KW = s->KW, item.pitch = conv_pitch(s), item.image = s->image, item.upsample = s->upsample;
	item.TY = conv_transposed_side(s->KH, s), item.TX = conv_transposed_side(s->KW, s);
	item.n = (size_t)s->F * (size_t)item.pitch, item.transposed = conv_transposed_size(s);
	batched_launch_add(queue_of(be), "pack", pack, 0, item);
}

static struct loader_im2col im2col_of(const float *x, const struct conv *s, int tile)
{
	struct loader_im2col r;
	int window = s->pool * s->pool;
	r.i = conv_input(x, s);
	r.pixel_index = pixel_index_of(s->OH / s->pool, s->OW / s->pool);
	r.tile = divisor(tile), r.window = divisor(window), r.pool = divisor(s->pool);
	r.windows = tile / window, r.M = s->B * (s->OH / s->pool) * (s->OW / s->pool);
	return r;
}

/* Pixels are counted in 31 bits, coordinates, padding included, in 15. */
static void check_size(const struct conv *s)
{
	double output_pixels = (double)s->B * s->OH * s->OW, input_pixels = (double)s->B * s->H * s->W * s->upsample * s->upsample;
	int side = (s->H > s->W ? s->H : s->W) * s->upsample + 2 * s->P + (s->KH + s->KW) * s->D + 2 * s->upsample;
	if (side > INT16_MAX)
		die("cuda: images of %dx%d are too large for a convolution", s->W * s->upsample, s->H * s->upsample);
	if (output_pixels * 4 > INT_MAX || input_pixels * 4 > INT_MAX || output_pixels * cuda_c4(s->F) / 4 > INT_MAX)
		die("cuda: %d images of %dx%d are too many in one batch", s->B, s->W * s->upsample, s->H * s->upsample);
}

static void conv_max_pool(struct cuda *c, float *y, uint8_t *argmax, const float *x, const float *w, const float *b, const struct conv *s)
{
	int window = s->pool * s->pool, F4 = cuda_c4(s->F), pooled_pixels = s->B * (s->OH / s->pool) * (s->OW / s->pool);
	struct tiling tiling = tile_plan(c, pooled_pixels * window, F4, conv_input(x, s).K, 1, 1);
	struct loader_im2col rows = im2col_of(x, s, tiling.m);
	struct epilogue_pool e = {y, argmax, b, s->F, F4, s->act, window, rows.windows, pooled_pixels};
	tiling.split_k = rows.i.K;
	tile_launch_by_size(
		c, rows, k_major(w, (size_t)conv_pitch(s), s->F), e, ceil_div(pooled_pixels, rows.windows) * tiling.m, F4, rows.i.K, tiling, NULL);
}

void cuda_conv(const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s)
{
	struct cuda *c = cuda_of(be);
	const float *w = (const float *)packed;
	int F4 = cuda_c4(s->F), M = s->B * s->OH * s->OW;
	check_size(s);
	if (s->pool > 1 && s->pool <= FUSED_POOL) {
		conv_max_pool(c, y, argmax, x, w, b, s);
		return;
	}
	struct conv unpooled = *s;
	unpooled.pool = 1;
	struct loader_im2col rows = im2col_of(x, &unpooled, 64);
	size_t z = s->pool > 1 ? (size_t)M * (size_t)F4 * sizeof(float) : 0;
	char *workspace = (char *)cuda_workspace(c, z + tile_workspace_size(c, M, F4, rows.i.K, 1, 0));
	struct epilogue_conv e = {s->pool > 1 ? (float *)(void *)workspace : y, b, s->F, F4, s->pool > 1 ? ACT_NONE : s->act, 0};
	tile_gemm(c, rows, k_major(w, (size_t)conv_pitch(s), s->F), e, M, F4, rows.i.K, (float *)(void *)(workspace + z));
	if (s->pool == 1)
		return;
	cuda_max_pool(be, y, argmax, (const float *)(const void *)workspace, s->B, s->F, s->OH, s->OW, s->pool);
	if (s->act != ACT_NONE)
		cuda_act(be, y, y, s->act, (size_t)s->B * (s->OH / s->pool) * (s->OW / s->pool) * (size_t)F4);
}
