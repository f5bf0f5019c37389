/* Bytes to inputs, rows to batches, masks. What augmentation does to an image is drawn once; then each launch is over the pixels of the
 * whole batch: moved, blurred along lines, then along columns. What lies between is small enough for the GPU's cache. */
#include <limits.h>

#include "kernels/augment.h"
#include "kernels/cuda/cuda.h"

extern "C" {
#include "lib/base/err.h"
}

struct drawn { /* for one image */
	struct warp warp;
	int reach;
	float weight[AUGMENT_REACH + 1]; /* of the blur */
};

struct images { /* a batch as its launches see it */
	const uint8_t *bytes;
	const uint32_t *rows;
	struct drawn *drawn; /* (B) */
	struct divisor size, plane, line;
	int B, H, W;
	float mul, add;
	size_t n; /* values of the batch */
	struct augment a;
};

struct pixel {
	int b, at, y, x; /* image, value of the image, place in its plane */
};

/* B rows of n values, whose places are counted in 31 bits. */
static size_t counted(int B, size_t n)
{
	if ((double)B * (double)n > INT_MAX)
		die("cuda: %d rows of %zu values are too many in one batch", B, n);
	return (size_t)B * n;
}

static __global__ void images_plain(float *x, const uint8_t *bytes, const uint32_t *rows, struct divisor size, float mul, float add, size_t n)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	size_t b = (size_t)fast_div(size, (int)i), at = i - b * size.d;
	x[i] = (float)bytes[rows[b] * (size_t)size.d + at] * mul + add;
}

static __global__ void images_draw(struct images s)
{
	size_t b = launch_index();
	if (b >= (size_t)s.B)
		return;
	struct warp w = augment_draw(&s.a, s.rows[b], s.W, s.H);
	struct drawn *to = s.drawn + b;
	int reach = augment_reach(w.blur);
	float sum = 0;
	to->warp = w, to->reach = reach;
	if (!reach) /* the deviation may be 0 */
		return;
	for (int k = 0; k <= reach; k++)
		sum += (k ? 2 : 1) * (to->weight[k] = expf(-(float)(k * k) / (2 * w.blur * w.blur)));
	for (int k = 0; k <= reach; k++)
		to->weight[k] /= sum;
}

static __device__ struct pixel pixel_of(const struct images &s, int i)
{
	struct pixel p;
	p.b = fast_div(s.size, i), p.at = i - p.b * (int)s.size.d;
	int in_plane = p.at - fast_div(s.plane, p.at) * (int)s.plane.d;
	p.y = fast_div(s.line, in_plane), p.x = in_plane - p.y * s.W;
	return p;
}

/* The i-th of a line of n values `step` apart as the blur leaves it, the edge repeated outwards. */
static __device__ float smoothed(const float *v, int i, int n, int step, const struct drawn *d)
{
	int reach = d->reach;
	if (!reach)
		return v[i * step];
	float sum = d->weight[0] * v[i * step];
	for (int k = 1; k <= reach; k++)
		sum += d->weight[k] * (v[(i < k ? 0 : i - k) * step] + v[(i + k < n ? i + k : n - 1) * step]);
	return sum;
}

/* What happens to a value after the blur. */
static __device__ float finished(const struct images &s, struct pixel p, float v)
{
	const int *cut = s.drawn[p.b].warp.cut;
	if (p.x >= cut[0] && p.x < cut[2] && p.y >= cut[1] && p.y < cut[3])
		v = s.drawn[p.b].warp.grey;
	if (s.a.noise > 0) {
		struct philox r = philox(s.a.seed, PHILOX_NOISE, s.a.epoch, s.rows[p.b], (uint32_t)p.at);
		v += s.a.noise * philox_normal(r.v[0], r.v[1]);
	}
	v = v < 0 ? 0 : v > 1 ? 1 : v;
	return v * 255.0f * s.mul + s.add;
}

static __global__ void images_move(float *to, struct images s, int last)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	struct pixel p = pixel_of(s, (int)i);
	const struct warp *w = &s.drawn[p.b].warp;
	const uint8_t *in = s.bytes + s.rows[p.b] * (size_t)s.size.d + (size_t)(p.at - p.y * s.W - p.x);
	float x = (float)p.x, y = (float)p.y;
	float sx = w->m[0] * x + w->m[1] * y + w->m[2], sy = w->m[3] * x + w->m[4] * y + w->m[5];
	float v = (augment_sample(in, s.W, s.H, sx, sy) / 255.0f - 0.5f) * w->gain + 0.5f + w->bias;
	to[i] = last ? finished(s, p, v) : v;
}

static __global__ void images_lines(float *to, const float *from, struct images s)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	struct pixel p = pixel_of(s, (int)i);
	to[i] = smoothed(from + i - p.x, p.x, s.W, 1, s.drawn + p.b);
}

static __global__ void images_columns(float *to, const float *from, struct images s)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	struct pixel p = pixel_of(s, (int)i);
	to[i] = finished(s, p, smoothed(from + i - p.y * s.W, p.y, s.H, s.W, s.drawn + p.b));
}

void cuda_load_batch(const struct backend *be, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul, float add,
	const struct augment *a)
{
	struct queue *q = queue_of(be);
	size_t size = (size_t)C * (size_t)H * (size_t)W, n = counted(B, size);
	if (!n)
		return;
	if (!a) {
		launch_flat(q, n, images_plain, x, bytes, rows, divisor((int)size), mul, add, n);
		return;
	}
	int blur = a->blur > 0;
	size_t planes = blur ? n * sizeof(float) : 0;
	char *work = (char *)cuda_work(cuda_of(be), (planes + 15) / 16 * 16 + (size_t)B * sizeof(struct drawn));
	float *between = (float *)(void *)work;
	struct images s;
	memset(&s, 0, sizeof s);
	s.bytes = bytes, s.rows = rows, s.drawn = (struct drawn *)(void *)(work + (planes + 15) / 16 * 16);
	s.size = divisor((int)size), s.plane = divisor(H * W), s.line = divisor(W);
	s.B = B, s.H = H, s.W = W, s.mul = mul, s.add = add, s.n = n, s.a = *a;
	launch_flat(q, B, images_draw, s);
	launch_flat(q, n, images_move, x, s, !blur);
	if (blur) {
		launch_flat(q, n, images_lines, between, x, s);
		launch_flat(q, n, images_columns, x, between, s);
	}
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
	size_t n = counted(B, (size_t)K);
	if (!n)
		return;
	if (K % 4 == 0 && cuda_by_four(x, y, NULL, NULL))
		launch_flat(queue_of(be), n / 4, gather<float4>, (float4 *)(void *)y, (const float4 *)(const void *)x, rows, divisor(K / 4),
			n / 4);
	else
		launch_flat(queue_of(be), n, gather<float>, y, x, rows, divisor(K), n);
}

struct mask {
	uint64_t seed;
	uint32_t purpose, epoch;
	float p, mul;
	int K, four;
	struct divisor groups; /* of four values in a row, the last perhaps of fewer */
	size_t n;	     /* groups of the batch */
};

static __device__ float masked(const struct mask &s, uint32_t word, float x)
{
	return philox_unit(word) < s.p ? 0 : x * s.mul;
}

static __global__ void mask(float *y, const float *x, const uint32_t *rows, struct mask s)
{
	size_t i = launch_index();
	if (i >= s.n)
		return;
	int b = fast_div(s.groups, (int)i), g = (int)i - b * (int)s.groups.d;
	size_t at = (size_t)b * (size_t)s.K + 4 * (size_t)g;
	struct philox r = philox(s.seed, s.purpose, s.epoch, rows[b], (uint32_t)g);
	if (s.four) {
		float4 v = *(const float4 *)(const void *)(x + at);
		*(float4 *)(void *)(y + at) =
			make_float4(masked(s, r.v[0], v.x), masked(s, r.v[1], v.y), masked(s, r.v[2], v.z), masked(s, r.v[3], v.w));
		return;
	}
	for (int k = 0; k < 4; k++)
		if (4 * g + k < s.K)
			y[at + (size_t)k] = masked(s, r.v[k], x[at + (size_t)k]);
}

void cuda_dropout(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch)
{
	int groups = (K + 3) / 4;
	struct mask s = {seed, purpose, epoch, p, mul, K, K % 4 == 0 && cuda_by_four(x, y, NULL, NULL), divisor(groups ? groups : 1),
		counted(B, (size_t)groups)};
	counted(B, (size_t)K);
	launch_flat(queue_of(be), s.n, mask, y, x, rows, s);
}
