/* Loading a batch: bytes to inputs with data augmentation, gathering of rows, dropout and Bernoulli samples. Augmentation draws the parameters of each image in
 * one launch, then runs over the pixels of the whole batch: affine warp, blur along rows, blur along columns, motion blur. The planes between those
 * launches are small enough for the GPU's cache. */
#include <limits.h>

#include "kernels/augment.h"
#include "kernels/cuda/cuda.h"

extern "C" {
#include "lib/base/err.h"
}

struct image_augment { /* parameters drawn for one image */
	struct warp warp;
	int reach;			 /* of the blur, pixels on either side */
	float weight[AUGMENT_REACH + 1]; /* of the blur, by distance; sum 1 over both sides */
	int taps;			 /* of motion blur */
	struct augment_tap tap[AUGMENT_TAPS];
};

struct load_params { /* arguments of the augmentation kernels */
	const uint8_t *bytes;
	const uint32_t *rows;
	struct image_augment *images; /* (B) */
	struct divisor size, plane, row;
	int B, H, W;
	float mul, add;
	size_t n; /* values of the batch */
	struct augment a;
};

struct pixel_pos {
	int b, at, y, x; /* image, index of the value in the image, position in its plane */
};

/* B n, for B rows of n values; ends the program where indices would exceed 31 bits. */
static size_t checked_size(int B, size_t n)
{
	if ((double)B * (double)n > INT_MAX)
		die("cuda: %d rows of %zu values are too many in one batch", B, n);
	return (size_t)B * n;
}

static __global__ void load_plain(float *x, const uint8_t *bytes, const uint32_t *rows, struct divisor size, float mul, float add, size_t n)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	size_t b = (size_t)fast_div(size, (int)i), at = i - b * size.d;
	x[i] = (float)bytes[rows[b] * (size_t)size.d + at] * mul + add;
}

static __global__ void augment_draw_params(struct load_params s)
{
	size_t b = launch_index();
	if (b >= (size_t)s.B)
		return;
	struct warp w = augment_draw(&s.a, s.rows[b], s.W, s.H);
	struct image_augment *to = s.images + b;
	int reach = augment_reach(w.blur);
	float sum = 0;
	to->warp = w, to->reach = reach;
	to->taps = augment_taps(w.path, to->tap);
	if (!reach) /* the standard deviation may be 0 */
		return;
	for (int k = 0; k <= reach; k++)
		sum += (k ? 2 : 1) * (to->weight[k] = expf(-(float)(k * k) / (2 * w.blur * w.blur)));
	for (int k = 0; k <= reach; k++)
		to->weight[k] /= sum;
}

static __device__ struct pixel_pos pixel_of(const struct load_params &s, int i)
{
	struct pixel_pos p;
	p.b = fast_div(s.size, i), p.at = i - p.b * (int)s.size.d;
	int in_plane = p.at - fast_div(s.plane, p.at) * (int)s.plane.d;
	p.y = fast_div(s.row, in_plane), p.x = in_plane - p.y * s.W;
	return p;
}

/* Value i, blurred, of a row or column of n values `step` apart, the edge repeated outwards. */
static __device__ float blurred(const float *v, int i, int n, int step, const struct image_augment *d)
{
	int reach = d->reach;
	if (!reach)
		return v[i * step];
	float sum = d->weight[0] * v[i * step];
	for (int k = 1; k <= reach; k++)
		sum += d->weight[k] * (v[(i < k ? 0 : i - k) * step] + v[(i + k < n ? i + k : n - 1) * step]);
	return sum;
}

/* What follows the blur: cutout, noise, clamping to 0..1, scale to the input's range. */
static __device__ float finish_pixel(const struct load_params &s, struct pixel_pos p, float v)
{
	const int *cut = s.images[p.b].warp.cut;
	if (p.x >= cut[0] && p.x < cut[2] && p.y >= cut[1] && p.y < cut[3])
		v = s.images[p.b].warp.grey;
	if (s.images[p.b].warp.noise > 0) {
		struct philox r = philox(s.a.seed, PHILOX_NOISE, s.a.epoch, s.rows[p.b], (uint32_t)p.at / 4);
		v += s.images[p.b].warp.noise * augment_normal(r.v[p.at % 4]);
	}
	v = v < 0 ? 0 : v > 1 ? 1 : v;
	return v * 255.0f * s.mul + s.add;
}

static __global__ void augment_warp(float *to, struct load_params s, int last)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	struct pixel_pos p = pixel_of(s, (int)i);
	const struct warp *w = &s.images[p.b].warp;
	const uint8_t *in = s.bytes + s.rows[p.b] * (size_t)s.size.d + (size_t)(p.at - p.y * s.W - p.x);
	float x = (float)p.x, y = (float)p.y;
	float sx = w->m[0] * x + w->m[1] * y + w->m[2], sy = w->m[3] * x + w->m[4] * y + w->m[5];
	float v = (augment_sample(in, s.W, s.H, sx, sy) / 255.0f - 0.5f) * w->gain + 0.5f + w->bias;
	to[i] = last ? finish_pixel(s, p, v) : v;
}

static __global__ void blur_rows(float *to, const float *from, struct load_params s)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	struct pixel_pos p = pixel_of(s, (int)i);
	to[i] = blurred(from + i - p.x, p.x, s.W, 1, s.images + p.b);
}

static __global__ void blur_columns(float *to, const float *from, struct load_params s, int last)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	struct pixel_pos p = pixel_of(s, (int)i);
	float v = blurred(from + i - p.y * s.W, p.y, s.H, s.W, s.images + p.b);
	to[i] = last ? finish_pixel(s, p, v) : v;
}

static __device__ int inside(int i, int n)
{
	return i < 0 ? 0 : i < n ? i : n - 1;
}

static __global__ void blur_motion(float *to, const float *from, struct load_params s)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	struct pixel_pos p = pixel_of(s, (int)i);
	const struct image_augment *d = s.images + p.b;
	const float *plane = from + i - p.y * s.W - p.x;
	float v = d->taps ? 0 : from[i];
	for (int k = 0; k < d->taps; k++)
		v += d->tap[k].weight * plane[inside(p.y + d->tap[k].y, s.H) * s.W + inside(p.x + d->tap[k].x, s.W)];
	to[i] = finish_pixel(s, p, v);
}

void cuda_load_batch(const struct backend *be, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul,
	float add, const struct augment *a)
{
	struct queue *q = queue_of(be);
	size_t size = (size_t)C * (size_t)H * (size_t)W, n = checked_size(B, size);
	if (!n)
		return;
	if (!a) {
		launch_flat(q, n, load_plain, x, bytes, rows, divisor((int)size), mul, add, n);
		return;
	}
	int blur = a->blur > 0, motion = a->motion > 0;
	size_t plane_bytes = blur || motion ? n * sizeof(float) : 0;
	char *workspace = (char *)cuda_workspace(cuda_of(be), (plane_bytes + 15) / 16 * 16 + (size_t)B * sizeof(struct image_augment));
	/* launches read the one and write the other; the last writes x */
	float *planes = (float *)(void *)workspace, *warped = motion ? planes : x, *other = motion ? x : planes;
	struct load_params s;
	memset(&s, 0, sizeof s);
	s.bytes = bytes, s.rows = rows, s.images = (struct image_augment *)(void *)(workspace + (plane_bytes + 15) / 16 * 16);
	s.size = divisor((int)size), s.plane = divisor(H * W), s.row = divisor(W);
	s.B = B, s.H = H, s.W = W, s.mul = mul, s.add = add, s.n = n, s.a = *a;
	launch_flat(q, B, augment_draw_params, s);
	launch_flat(q, n, augment_warp, warped, s, !blur && !motion);
	if (blur) {
		launch_flat(q, n, blur_rows, other, warped, s);
		launch_flat(q, n, blur_columns, warped, other, s, !motion);
	}
	if (motion)
		launch_flat(q, n, blur_motion, x, planes, s);
}

template <class T> static __global__ void gather(T *y, const T *x, const uint32_t *rows, struct divisor K, size_t n)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	size_t b = (size_t)fast_div(K, (int)i), k = i - b * K.d;
	y[i] = x[rows[b] * (size_t)K.d + k];
}

void cuda_gather(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K)
{
	size_t n = checked_size(B, (size_t)K);
	if (!n)
		return;
	if (K % 4 == 0 && cuda_float4_aligned(x, y, NULL, NULL))
		launch_flat(queue_of(be), n / 4, gather<float4>, (float4 *)(void *)y, (const float4 *)(const void *)x, rows, divisor(K / 4),
			n / 4);
	else
		launch_flat(queue_of(be), n, gather<float>, y, x, rows, divisor(K), n);
}

/* What is drawn for each value: a mask that drops it or scales it, or a sample that is 1 with the value as its probability. */
struct draw {
	uint64_t seed;
	uint32_t purpose, epoch;
	int sample;   /* 1: samples; 0: masks */
	float p, mul; /* of masks */
	int K, vec4;
	struct divisor groups; /* a row's, of four values, the last perhaps of fewer */
	size_t n;	       /* groups of the batch */
};

static __device__ float draw_value(const struct draw &s, uint32_t word, float x)
{
	float u = philox_uniform(word);
	return s.sample ? (u < x ? 1.0f : 0.0f) : u < s.p ? 0 : x * s.mul;
}

static __global__ void draw(float *y, const float *x, const uint32_t *rows, struct draw s)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	int b = fast_div(s.groups, (int)i), g = (int)i - b * (int)s.groups.d;
	size_t at = (size_t)b * (size_t)s.K + 4 * (size_t)g;
	struct philox r = philox(s.seed, s.purpose, s.epoch, rows[b], (uint32_t)g);
	if (s.vec4) {
		float4 v = *(const float4 *)(const void *)(x + at);
		*(float4 *)(void *)(y + at) = make_float4(draw_value(s, r.v[0], v.x), draw_value(s, r.v[1], v.y), draw_value(s, r.v[2], v.z),
			draw_value(s, r.v[3], v.w));
		return;
	}
	for (int k = 0; k < 4; k++)
		if (4 * g + k < s.K)
			y[at + (size_t)k] = draw_value(s, r.v[k], x[at + (size_t)k]);
}

/* Sets what of s is of the shapes, and launches. */
static void launch_draw(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, struct draw s)
{
	int groups = (s.K + 3) / 4;
	s.vec4 = s.K % 4 == 0 && cuda_float4_aligned(x, y, NULL, NULL);
	s.groups = divisor(groups ? groups : 1), s.n = checked_size(B, (size_t)groups);
	checked_size(B, (size_t)s.K);
	launch_flat(queue_of(be), s.n, draw, y, x, rows, s);
}

void cuda_dropout(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch)
{
	struct draw s = {seed, purpose, epoch, 0, p, mul, K, 0, divisor(1), 0};
	launch_draw(be, y, x, rows, B, s);
}

void cuda_bernoulli(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, uint64_t seed, uint32_t purpose,
	uint32_t epoch)
{
	struct draw s = {seed, purpose, epoch, 1, 0, 1, K, 0, divisor(1), 0};
	launch_draw(be, y, x, rows, B, s);
}
