/* Convolution forward: implicit GEMM (tile.h). Its loader gathers im2col rows from the input as the main loop reads them; its epilogue
 * applies bias, max pool and activation to a tile before it is written. Also the packing of weights. */
#include <limits.h>

#include "kernels/cuda/conv.h"
#include "kernels/cuda/batched_launch.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/norm.h"

extern "C" {
#include "lib/base/err.h"
}

enum { FUSED_POOL = 8 }; /* pools up to 8 x 8, whose windows fit in a tile of 64 rows, are fused */

/* Loader of im2col rows: M is output pixels, K kernel positions x channels. With a fused pool the `window` output pixels of one pool window
 * are adjacent rows, and a tile of `tile` rows holds `windows` whole windows; its other rows are zeros. */
struct loader_im2col {
	enum { K_MAJOR = 1, COMPUTES = 0, PHASES = 0 };
	struct position {
		int at, yx; /* input pixel of kernel position (0, 0): its number, where the input is not upsampled, else its image */
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
		position a = {0, pack_yx(NOWHERE, 0)};
		if (g >= windows || p >= M)
			return a;
		pixel_index_find(pixel_index, p, &b, &y, &x);
		y = (y * (int)pool.d + dy) * i.S - i.P, x = (x * (int)pool.d + k - dy * (int)pool.d) * i.S - i.P;
		a.at = i.image || i.upsample.d > 1 ? b : (b * i.H + y) * i.W + x;
		a.yx = pack_yx(y, x);
		return a;
	}
	__device__ const float *base() const
	{
		return i.x;
	}
	template <class TO> __device__ void load(TO &to, position a, int k, int) const
	{
		int y, x;
		unpack_yx(a.yx, &y, &x);
		if (i.image) {
			conv_load_image(i, to, k < i.K && y > NOWHERE ? a.at : -1, y, x, conv_kernel_pos(i, k));
			return;
		}
		int pos = fast_div(i.C4_, k), ky = fast_div(i.KW_, pos), dy = ky * i.D, dx = (pos - ky * i.KW) * i.D;
		conv_load_maps(i, to, a.at + (dy * i.W + dx), a.at, y + dy, x + dx, k - pos * i.C4, k < i.K);
	}
};

/* Loader of the input pixels that outputs of a phase read, of maps upsampled by 2 (UP_PHASES): M is the outputs of a phase. */
struct loader_up {
	enum { K_MAJOR = 1, COMPUTES = 0, PHASES = 1 };
	struct position {
		int at, yx; /* the first input pixel: its number */
	};
	const float *x;
	int H, W, K;
	struct divisor C4, TX;
	struct {
		int y, x, M; /* first, from (0, 0) */
		struct pixel_index pixel_index;
	} phase[UP_PHASES];
	int unused = 0; /* explicit padding: the bytes of queued arguments are compared */
	__device__ int rows() const
	{
		return phase[blockIdx.z].M;
	}
	__device__ int depth() const
	{
		return K;
	}
	__device__ position find(int m) const
	{
		const auto &f = phase[blockIdx.z];
		int b, y, x;
		position a = {0, pack_yx(NOWHERE, 0)};
		if (m >= f.M)
			return a;
		pixel_index_find(f.pixel_index, m, &b, &y, &x);
		y += f.y, x += f.x;
		a.at = (b * H + y) * W + x, a.yx = pack_yx(y, x);
		return a;
	}
	__device__ const float *base() const
	{
		return x;
	}
	template <class TO> __device__ void load(TO &to, position a, int k, int end) const
	{
		int iy, ix, pos = fast_div(C4, k), ty = fast_div(TX, pos), tx = pos - ty * (int)TX.d;
		unpack_yx(a.yx, &iy, &ix);
		int inside = k < end && (unsigned)(iy + ty) < (unsigned)H && (unsigned)(ix + tx) < (unsigned)W;
		to.four(tile_row(x + (k - pos * (int)C4.d), inside ? a.at + (ty * W + tx) : 0, C4.d), inside);
	}
};

struct loader_up_weights { /* packed weights, third part: N is filters */
	enum { K_MAJOR = 1, COMPUTES = 0, PHASES = 0 };
	struct position {
		int f; /* -1: outside */
	};
	const float *w;
	int F, K;
	__device__ position find(int f) const
	{
		position a = {f < F ? f : -1};
		return a;
	}
	__device__ const float *base() const
	{
		return w;
	}
	template <class TO> __device__ void load(TO &to, position a, int k, int end) const
	{
		int inside = a.f >= 0 && k < end;
		to.four(tile_row(w + (k < end ? k : 0), (int)blockIdx.z * F + (inside ? a.f : 0), (unsigned)K), inside);
	}
};

template <class TO> struct epilogue_conv { /* y = act(v + b) */
	enum { WHOLE_TILE = 0, COLUMN_SUMS = 0, TILE_SUMS = 0 };
	TO to;
	const float *b;
	int F;
	enum act act;
	__device__ float value(float v, int n) const
	{
		return act_value(n < F ? v + b[n] : 0, act);
	}
	__device__ void store(int m, int n, float4 v, int) const
	{
		*(float4 *)(void *)(to.p + to.at(m, n)) =
			make_float4(value(v.x, n), value(v.y, n + 1), value(v.z, n + 2), value(v.w, n + 3));
	}
};

/* The same without activation, and batch norm's statistics of y: of each tile a channel's mean and the sum of squares of deviations from
 * it, which are joined as Chan et al., 1979, do ("Updating formulae and a pairwise algorithm for computing sample variances"). */
template <class TO> struct epilogue_conv_norm {
	enum { WHOLE_TILE = 0, COLUMN_SUMS = 0, TILE_SUMS = 1 };
	TO to;
	const float *b;
	struct tile_sums sums;
	struct norm_forward norm;
	int F;
	int unused = 0; /* explicit padding */
	__device__ float bias(int n) const
	{
		return n < F ? b[n] : 0;
	}
	__device__ float4 origin(const float *row, int) const
	{
		return *(const float4 *)(const void *)row;
	}
	__device__ void store(int m, int n, float4 v, float4 origin, float4 *first, float4 *second) const
	{
		float4 d = make_float4(v.x - origin.x, v.y - origin.y, v.z - origin.z, v.w - origin.w);
		*(float4 *)(void *)(to.p + to.at(m, n)) =
			make_float4(v.x + bias(n), v.y + bias(n + 1), v.z + bias(n + 2), v.w + bias(n + 3));
		float4_add(first, d), float4_add(second, make_float4(d.x * d.x, d.y * d.y, d.z * d.z, d.w * d.w));
	}
	static __device__ void moments(float *first, float *second, float origin, float n)
	{
		float mean = *first / n;
		*second -= *first * mean, *first = origin + mean;
	}
	__device__ void partial(float4 *first, float4 *second, float4 origin, int n, int rows) const
	{
		moments(&first->x, &second->x, origin.x + bias(n), (float)rows);
		moments(&first->y, &second->y, origin.y + bias(n + 1), (float)rows);
		moments(&first->z, &second->z, origin.z + bias(n + 2), (float)rows);
		moments(&first->w, &second->w, origin.w + bias(n + 3), (float)rows);
	}
	template <int BM> __device__ int tile_rows(int t, int tiles) const
	{
		int p = t / tiles, rows = to.rows(p) - (t - p * tiles) * BM;
		return rows < BM ? rows : BM;
	}
	__device__ void add(struct tile_totals *total, float mean, float squares, float begin, int rows) const
	{
		double d = (double)mean - (double)begin;
		total->first += rows * d, total->second += (double)squares + rows * d * d;
	}
	__device__ void finish(int n, struct tile_totals total, float begin) const
	{
		double pixels = (double)norm.pixels, shift = total.first / pixels, mean = (double)begin + shift,
		       var = total.second / pixels - shift * shift;
		var = var < 0 ? 0 : var; /* NaN stays NaN */
		norm_running(norm.params, norm.C, n, pixels, mean, var);
		norm_finalize(norm.coef, norm.params, norm.C, norm.pitch, n, mean, var);
	}
};

/* The same fused with max pool: act(max over each window + b) and argmax, the first of equals; NaN counts as the largest. */
struct epilogue_pool {
	enum { WHOLE_TILE = 1, COLUMN_SUMS = 0, TILE_SUMS = 0 };
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
	return ((size_t)s->F * (size_t)conv_pitch(s) + conv_transposed_size(s) + conv_up_size(s)) * sizeof(float);
}

struct pack_item { /* the packing of one layer's weights, an item of a batched launch */
	float *to;
	const float *w;
	int F, F4, C, C4, KH, KW, pitch, image, upsample, TY, TX, P;
	size_t n, transposed, up; /* floats of its parts (conv.h), one after the other */
	__host__ __device__ size_t size() const
	{
		return n + transposed + up;
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

/* Sums the weights by which an output of a phase reads one input pixel. */
static __device__ float up_at(const struct pack_item &p, size_t i)
{
	int TX = p.KW / 2 + 1, TY = p.KH / 2 + 1, c = (int)(i % (size_t)p.C4), tx = (int)(i / (size_t)p.C4 % (size_t)TX),
	    ty = (int)(i / (size_t)p.C4 / (size_t)TX % (size_t)TY);
	size_t row = i / (size_t)p.C4 / (size_t)TX / (size_t)TY, phase = row / (size_t)p.F, f = row - phase * (size_t)p.F;
	int ry = (int)phase / 2, rx = (int)phase % 2;
	double sum = 0;
	for (int uy = 0; c < p.C && uy < 2; uy++)
		for (int ux = 0; ux < 2; ux++) { /* an output's row ry, of which input pixel t's first copy is 2 (first + t) away */
			int ky = 2 * (conv_up_first(ry, p.P) + ty) + uy - ry + p.P, kx = 2 * (conv_up_first(rx, p.P) + tx) + ux - rx + p.P;
			if (ky >= 0 && kx >= 0 && ky < p.KH && kx < p.KW)
				sum += (double)p.w[((f * (size_t)p.C + (size_t)c) * (size_t)p.KH + (size_t)ky) * (size_t)p.KW + (size_t)kx];
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
	else if (i < item.size())
		item.to[i] = up_at(item, i - item.n - item.transposed);
}

void cuda_conv_pack(const struct backend *be, void *packed, const real *w, const struct conv *s)
{
	struct pack_item item;
	memset(&item, 0, sizeof item);
	item.to = (float *)packed, item.w = w, item.F = s->F, item.F4 = cuda_c4(s->F), item.C = s->C, item.C4 = cuda_c4(s->C);
	item.KH = s->KH, item.KW = s->KW, item.pitch = conv_pitch(s), item.image = s->image, item.upsample = s->upsample;
	item.TY = conv_transposed_side(s->KH, s), item.TX = conv_transposed_side(s->KW, s);
	item.P = s->P;
	item.n = (size_t)s->F * (size_t)item.pitch, item.transposed = conv_transposed_size(s), item.up = conv_up_size(s);
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
	tile_launch_by_size(c, rows, k_major(w, (size_t)conv_pitch(s), s->F), e, ceil_div(pooled_pixels, rows.windows) * tiling.m, F4,
		rows.i.K, tiling, NULL);
}

/* The product of a convolution without pool, by loaders a and b, its pixels as TO has them. norm: NULL, or what makes statistics of y. */
template <class A, class B, class TO>
static void conv_gemm(struct cuda *c, const A &a, const B &b, const TO &to, const float *bias, const struct conv *s, int M, int K,
	int phases, struct norm_forward *norm)
{
	int F4 = cuda_c4(s->F);
	size_t partial = tile_workspace_size(c, M, F4, K, phases, 0), sums = norm ? tile_sums_size(c, M, F4, K, phases) : 0;
	char *workspace = (char *)cuda_workspace(c, partial + sums + (norm ? NORM_COEFFICIENTS * (size_t)F4 * sizeof(float) : 0));
	if (!norm) {
		struct epilogue_conv<TO> e = {
			to, bias, s->F, s->act
		};
		tile_gemm(c, a, b, e, M, F4, K, (float *)(void *)workspace, phases);
		return;
	}
	norm->coef = (float *)(void *)(workspace + partial + sums);
	struct epilogue_conv_norm<TO> e = {
		to, bias, {(float *)(void *)(workspace + partial), c->counters + CUDA_SPLIT_COUNTERS, F4}, *norm, s->F
	};
	tile_gemm(c, a, b, e, M, F4, K, (float *)(void *)workspace, phases);
}

/* Without pool. */
static void conv_plain(
	struct cuda *c, float *y, const float *x, const float *w, const float *b, const struct conv *s, struct norm_forward *norm)
{
	int F4 = cuda_c4(s->F), M = s->B * s->OH * s->OW, K = (int)conv_up_pitch(s);
	if (!conv_is_up(s)) {
		struct loader_im2col rows = im2col_of(x, s, 64);
		struct all_pixels to = {y, M, F4};
		conv_gemm(c, rows, k_major(w, (size_t)conv_pitch(s), s->F), to, b, s, M, rows.i.K, 1, norm);
		return;
	}
	struct loader_up rows = {x, s->H, s->W, K, divisor(cuda_c4(s->C)), divisor(conv_up_side(s->KW)), {}};
	struct loader_up_weights weights = {w + (size_t)s->F * (size_t)conv_pitch(s) + conv_transposed_size(s), s->F, K};
	struct phase_pixels to = {y, s->OH, s->OW, F4, 2, 2, {}};
	for (int r = 0; r < UP_PHASES; r++) {
		int ry = r / 2, rx = r % 2, h = (s->OH - ry + 1) / 2, w = (s->OW - rx + 1) / 2;
		struct pixel_index pixel_index = pixel_index_of(h ? h : 1, w ? w : 1);
		rows.phase[r] = {conv_up_first(ry, s->P), conv_up_first(rx, s->P), s->B * h * w, pixel_index};
		to.phase[r] = {ry, rx, s->B * h * w, pixel_index};
	}
	conv_gemm(c, rows, weights, to, b, s, rows.phase[0].M, K, UP_PHASES, norm);
}

static void conv_alone(struct queue *q)
{
	struct cuda *c = (struct cuda *)q;
	conv_plain(c, c->waiting.to, c->waiting.from, c->waiting.w, c->waiting.b, &c->waiting.s, NULL);
}

int cuda_conv_with_norm(struct cuda *c, const float *y, struct norm_forward *s)
{
	struct cuda_waiting w = c->waiting;
	if (c->q.waiting != conv_alone || w.to != y || cuda_c4(s->C) != cuda_c4(w.s.F) || s->pixels != w.s.B * w.s.OH * w.s.OW ||
		cuda_c4(w.s.F) > (CUDA_COUNTERS - CUDA_SPLIT_COUNTERS) * 32)
		return 0;
	c->q.waiting = NULL;
	conv_plain(c, w.to, w.from, w.w, w.b, &w.s, s);
	return 1;
}

void cuda_conv(const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s)
{
	struct cuda *c = cuda_of(be);
	const float *w = (const float *)packed;
	check_size(s);
	queue_settle(&c->q);
	if (s->pool > 1 && s->pool <= FUSED_POOL) {
		conv_max_pool(c, y, argmax, x, w, b, s);
		return;
	}
	if (s->pool == 1 && s->act == ACT_NONE && s->B) { /* perhaps a batch norm follows */
		struct cuda_waiting waiting = {y, x, w, b, *s};
		c->waiting = waiting, c->q.waiting = conv_alone;
		return;
	}
	if (s->pool == 1) {
		conv_plain(c, y, x, w, b, s, NULL);
		return;
	}
	struct conv unpooled = *s;
	unpooled.pool = 1, unpooled.act = ACT_NONE;
	struct loader_im2col rows = im2col_of(x, &unpooled, 64);
	int F4 = cuda_c4(s->F), M = s->B * s->OH * s->OW;
	size_t z = (size_t)M * (size_t)F4 * sizeof(float);
	char *workspace = (char *)cuda_workspace(c, z + tile_workspace_size(c, M, F4, rows.i.K, 1, 0));
	struct epilogue_conv<struct all_pixels> e = {
		{(float *)(void *)workspace, M, F4}, b, s->F, ACT_NONE
	};
	tile_gemm(c, rows, k_major(w, (size_t)conv_pitch(s), s->F), e, M, F4, rows.i.K, (float *)(void *)(workspace + z));
	cuda_max_pool(be, y, argmax, (const float *)(const void *)workspace, s->B, s->F, s->OH, s->OW, s->pool);
	if (s->act != ACT_NONE)
		cuda_act(be, y, y, s->act, (size_t)s->B * (s->OH / s->pool) * (s->OW / s->pool) * (size_t)F4);
}
