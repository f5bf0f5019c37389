/* Operations on maps that need no GEMM, a thread four channels (a float4): layout conversion between rows (NCHW) and maps, activations, sums,
 * max pool, upsampling. */
#include <limits.h>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/elementwise.h"

extern "C" {
#include "lib/base/err.h"
}

enum { TILE = 32, TILE_ROWS = LAUNCH_BLOCK / TILE };

struct map_shape {		/* of maps as float4s */
	struct divisor Q, W, H; /* Q: float4s a pixel, C4 / 4 */
	size_t n;		/* float4s in all */
};

struct position {
	int b, y, x, q;
};

static struct map_shape map_shape_of(int B, int C, int H, int W)
{
	int Q = cuda_c4(C) / 4;
	if ((double)B * Q * H * W > INT_MAX) /* indices have 31 bits */
		die("cuda: %d maps of %dx%dx%d are too many in one batch", B, C, H, W);
	struct map_shape s = {divisor(Q), divisor(W ? W : 1), divisor(H ? H : 1), (size_t)B * (size_t)Q * (size_t)H * (size_t)W};
	return s;
}

static __device__ struct position position_of(const struct map_shape &s, size_t i)
{
	struct position p;
	int n = (int)i, pixel = fast_div(s.Q, n), row = fast_div(s.W, pixel);
	p.q = n - pixel * (int)s.Q.d, p.x = pixel - row * (int)s.W.d;
	p.b = fast_div(s.H, row), p.y = row - p.b * (int)s.H.d;
	return p;
}

/* Index of a float4 in maps of Q, W, H. */
static __device__ size_t float4_index(int b, int y, int x, int q, int Q, int W, int H)
{
	return (((size_t)b * (size_t)H + (size_t)y) * (size_t)W + (size_t)x) * (size_t)Q + (size_t)q;
}

size_t cuda_maps_size(const struct backend *be, int B, int C, int H, int W)
{
	(void)be;
	return (size_t)B * (size_t)cuda_c4(C) * (size_t)H * (size_t)W * sizeof(real);
}

/* Conversion for at most four channels: a pixel a thread. */
static __global__ void pixel_to_maps(float4 *maps, const float *rows, int C, struct divisor P, size_t n)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	size_t b = (size_t)fast_div(P, (int)i), p = i - b * P.d;
	const float *v = rows + b * (size_t)C * P.d + p;
	maps[i] = make_float4(v[0], C > 1 ? v[P.d] : 0, C > 2 ? v[2 * (size_t)P.d] : 0, C > 3 ? v[3 * (size_t)P.d] : 0);
}

static __global__ void pixel_to_rows(float *rows, const float4 *maps, int C, struct divisor P, size_t n)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	size_t b = (size_t)fast_div(P, (int)i), p = i - b * P.d;
	float *to = rows + b * (size_t)C * P.d + p;
	float4 v = maps[i];
	to[0] = v.x;
	if (C > 1)
		to[P.d] = v.y;
	if (C > 2)
		to[2 * (size_t)P.d] = v.z;
	if (C > 3)
		to[3 * (size_t)P.d] = v.w;
}

struct tiles { /* for more channels: an image is transposed by tiles of TILE pixels x TILE channels, a thread block a tile */
	int C, C4, P;
	unsigned pixel_tiles, channel_tiles; /* tiles along pixels, along channels */
};

static struct tiles tiles_of(int C, int P)
{
	struct tiles s = {C, cuda_c4(C), P, (unsigned)((P + TILE - 1) / TILE), (unsigned)((C + TILE - 1) / TILE)};
	return s;
}

/* The block's tile: image, first channel and first pixel. */
static __device__ void tile_find(const struct tiles &s, size_t *b, int *c, int *p)
{
	unsigned t = blockIdx.x, tile_row = t / s.pixel_tiles;
	*p = (int)(t - tile_row * s.pixel_tiles) * TILE;
	*b = tile_row / s.channel_tiles, *c = (int)(tile_row % s.channel_tiles) * TILE;
}

static __global__ void tile_to_maps(float *maps, const float *rows, struct tiles s)
{
	SHARED(float, tile); /* leading dimension TILE + 1: no bank conflicts by rows or by columns */
	int lane = (int)threadIdx.x % TILE, row = (int)threadIdx.x / TILE, c0, p0;
	size_t b;
	tile_find(s, &b, &c0, &p0);
	for (int k = row; k < TILE; k += TILE_ROWS)
		tile[k * (TILE + 1) + lane] = c0 + k < s.C && p0 + lane < s.P ? rows[(b * s.C + c0 + k) * s.P + p0 + lane] : 0;
	__syncthreads();
	for (int k = row; k < TILE; k += TILE_ROWS)
		if (p0 + k < s.P && c0 + lane < s.C4)
			maps[(b * s.P + p0 + k) * s.C4 + c0 + lane] = tile[lane * (TILE + 1) + k];
}

static __global__ void tile_to_rows(float *rows, const float *maps, struct tiles s)
{
	SHARED(float, tile);
	int lane = (int)threadIdx.x % TILE, row = (int)threadIdx.x / TILE, c0, p0;
	size_t b;
	tile_find(s, &b, &c0, &p0);
	for (int k = row; k < TILE; k += TILE_ROWS)
		if (p0 + k < s.P && c0 + lane < s.C)
			tile[lane * (TILE + 1) + k] = maps[(b * s.P + p0 + k) * s.C4 + c0 + lane];
	__syncthreads();
	for (int k = row; k < TILE; k += TILE_ROWS)
		if (c0 + k < s.C && p0 + lane < s.P)
			rows[(b * s.C + c0 + k) * s.P + p0 + lane] = tile[k * (TILE + 1) + lane];
}

/* The grid for B images. */
static dim3 tile_grid(int B, const struct tiles &s)
{
	return dim3((unsigned)B * s.pixel_tiles * s.channel_tiles);
}

void cuda_to_maps(const struct backend *be, real *maps, const real *rows, int B, int C, int H, int W)
{
	size_t n = map_shape_of(B, C, H, W).n;
	struct tiles s = tiles_of(C, H * W);
	if (C <= 4)
		launch_flat(queue_of(be), n, pixel_to_maps, (float4 *)(void *)maps, rows, C, divisor(H * W), n);
	else
		launch(queue_of(be), tile_grid(B, s), LAUNCH_BLOCK, TILE * (TILE + 1) * sizeof(float), tile_to_maps, maps, rows, s);
}

void cuda_to_rows(const struct backend *be, real *rows, const real *maps, int B, int C, int H, int W)
{
	size_t n = map_shape_of(B, C, H, W).n;
	struct tiles s = tiles_of(C, H * W);
	if (C <= 4)
		launch_flat(queue_of(be), n, pixel_to_rows, rows, (const float4 *)(const void *)maps, C, divisor(H * W), n);
	else
		launch(queue_of(be), tile_grid(B, s), LAUNCH_BLOCK, TILE * (TILE + 1) * sizeof(float), tile_to_rows, rows, maps, s);
}

/* Four values a thread; vec4: x and y begin at multiples of 16 bytes, and are read and written as float4s. */
static __global__ void act_forward(float *y, const float *x, enum act act, size_t n, int vec4)
{
	size_t i = launch_index() * 4;
	if (vec4 && i + 4 <= n) {
		float4 v = *(const float4 *)(const void *)(x + i);
		*(float4 *)(void *)(y + i) =
			make_float4(act_value(v.x, act), act_value(v.y, act), act_value(v.z, act), act_value(v.w, act));
		return;
	}
	for (size_t k = i; k < i + 4 && k < n; k++)
		y[k] = act_value(x[k], act);
}

static __global__ void act_backward(float *dx, const float *dy, const float *y, enum act act, size_t n, int vec4)
{
	size_t i = launch_index() * 4;
	if (vec4 && i + 4 <= n) {
		float4 d = *(const float4 *)(const void *)(dy + i), v = *(const float4 *)(const void *)(y + i);
		*(float4 *)(void *)(dx + i) = make_float4(
			d.x * act_slope(v.x, act), d.y * act_slope(v.y, act), d.z * act_slope(v.z, act), d.w * act_slope(v.w, act));
		return;
	}
	for (size_t k = i; k < i + 4 && k < n; k++)
		dx[k] = dy[k] * act_slope(y[k], act);
}

void cuda_act(const struct backend *be, real *y, const real *x, enum act act, size_t n)
{
	int vec4 = cuda_float4_aligned(x, y, NULL, NULL);
	launch_flat(queue_of(be), (n + 3) / 4, act_forward, y, x, act, n, vec4);
}

void cuda_act_backward(const struct backend *be, real *dx, const real *dy, const real *y, enum act act, size_t n)
{
	int vec4 = cuda_float4_aligned(dx, dy, y, NULL);
	launch_flat(queue_of(be), (n + 3) / 4, act_backward, dx, dy, y, act, n, vec4);
}

static __global__ void add(float *y, const float *a, const float *b, enum act act, size_t n, int vec4)
{
	size_t i = launch_index() * 4;
	if (vec4 && i + 4 <= n) {
		float4 v = *(const float4 *)(const void *)(a + i), w = *(const float4 *)(const void *)(b + i);
		*(float4 *)(void *)(y + i) = make_float4(
			act_value(v.x + w.x, act), act_value(v.y + w.y, act), act_value(v.z + w.z, act), act_value(v.w + w.w, act));
		return;
	}
	for (size_t k = i; k < i + 4 && k < n; k++)
		y[k] = act_value(a[k] + b[k], act);
}

void cuda_add(const struct backend *be, real *y, const real *a, const real *b, enum act act, size_t n)
{
	int vec4 = cuda_float4_aligned(y, a, b, NULL);
	launch_flat(queue_of(be), (n + 3) / 4, add, y, a, b, act, n, vec4);
}

/* One step of max and argmax, for one channel; NaN counts as the largest, so that it propagates. */
static __device__ void update_max(float v, int k, float *max_value, unsigned char *argmax)
{
	if (v > *max_value || v != v)
		*max_value = v, *argmax = (unsigned char)k;
}

static __global__ void max_pool(float4 *y, uchar4 *argmax, const float4 *x, struct map_shape s, int H, int W, int K)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	struct position p = position_of(s, i);
	int Q = (int)s.Q.d;
	const float4 *in = x + float4_index(p.b, p.y * K, p.x * K, p.q, Q, W, H);
	float4 max_value = *in;
	uchar4 best = make_uchar4(0, 0, 0, 0);
	for (int ky = 0, k = 0; ky < K; ky++)
		for (int kx = 0; kx < K; kx++, k++) {
			float4 v = in[((size_t)ky * (size_t)W + (size_t)kx) * (size_t)Q];
			if (!k)
				continue;
			update_max(v.x, k, &max_value.x, &best.x), update_max(v.y, k, &max_value.y, &best.y);
			update_max(v.z, k, &max_value.z, &best.z), update_max(v.w, k, &max_value.w, &best.w);
		}
	y[i] = max_value, argmax[i] = best;
}

void cuda_max_pool(const struct backend *be, real *y, uint8_t *argmax, const real *x, int B, int C, int H, int W, int K)
{
	struct map_shape s = map_shape_of(B, C, H / K, W / K);
	launch_flat(
		queue_of(be), s.n, max_pool, (float4 *)(void *)y, (uchar4 *)(void *)argmax, (const float4 *)(const void *)x, s, H, W, K);
}

/* A thread gathers dx of one float4 of pooled input: dy where the window's argmax is this pixel, else 0. */
static __global__ void max_pool_backward(
	float4 *dx, const float4 *dy, const uchar4 *argmax, struct map_shape s, struct divisor K, int OH, int OW)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	struct position p = position_of(s, i);
	int oy = fast_div(K, p.y), ox = fast_div(K, p.x), k = (p.y - oy * (int)K.d) * (int)K.d + p.x - ox * (int)K.d;
	float4 to = make_float4(0, 0, 0, 0);
	if (oy < OH && ox < OW) {
		size_t from = float4_index(p.b, oy, ox, p.q, (int)s.Q.d, OW, OH);
		uchar4 best = argmax[from];
		float4 d = dy[from];
		to = make_float4(best.x == k ? d.x : 0, best.y == k ? d.y : 0, best.z == k ? d.z : 0, best.w == k ? d.w : 0);
	}
	dx[i] = to;
}

void cuda_max_pool_backward(const struct backend *be, real *dx, const real *dy, const uint8_t *argmax, int B, int C, int H, int W, int K)
{
	struct map_shape s = map_shape_of(B, C, H, W);
	launch_flat(queue_of(be), s.n, max_pool_backward, (float4 *)(void *)dx, (const float4 *)(const void *)dy,
		(const uchar4 *)(const void *)argmax, s, divisor(K), H / K, W / K);
}

static __global__ void upsample(float4 *y, const float4 *x, struct map_shape s, struct divisor K)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	struct position p = position_of(s, i);
	int W = fast_div(K, (int)s.W.d), H = fast_div(K, (int)s.H.d);
	y[i] = x[float4_index(p.b, fast_div(K, p.y), fast_div(K, p.x), p.q, (int)s.Q.d, W, H)];
}

void cuda_upsample(const struct backend *be, real *y, const real *x, int B, int C, int H, int W, int K)
{
	struct map_shape s = map_shape_of(B, C, H * K, W * K);
	launch_flat(queue_of(be), s.n, upsample, (float4 *)(void *)y, (const float4 *)(const void *)x, s, divisor(K));
}

static __global__ void upsample_backward(float4 *dx, const float4 *dy, struct map_shape s, int K)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	struct position p = position_of(s, i);
	int Q = (int)s.Q.d, W = (int)s.W.d * K, H = (int)s.H.d * K;
	const float4 *in = dy + float4_index(p.b, p.y * K, p.x * K, p.q, Q, W, H);
	float4 sum = make_float4(0, 0, 0, 0);
	for (int ky = 0; ky < K; ky++)
		for (int kx = 0; kx < K; kx++) {
			float4 d = in[((size_t)ky * (size_t)W + (size_t)kx) * (size_t)Q];
			sum.x += d.x, sum.y += d.y, sum.z += d.z, sum.w += d.w;
		}
	dx[i] = sum;
}

void cuda_upsample_backward(const struct backend *be, real *dx, const real *dy, int B, int C, int H, int W, int K)
{
	struct map_shape s = map_shape_of(B, C, H, W);
	launch_flat(queue_of(be), s.n, upsample_backward, (float4 *)(void *)dx, (const float4 *)(const void *)dy, s, K);
}
