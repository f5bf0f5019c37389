/* Batch loading: bytes to augmented inputs, gather of rows; dropout and Bernoulli samples. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/augment.h"
#include "kernels/ref/ref.h"
#include "lib/base/err.h"

/* 1-D Gaussian filter w[0..reach], in place, over n values `step` apart, with edge padding; scratch holds n. */
static void blur_line(float *v, int n, int step, const float *w, int reach, float *scratch)
{
	for (int i = 0; i < n; i++)
		scratch[i] = v[i * step];
	for (int i = 0; i < n; i++) {
		float sum = w[0] * scratch[i];
		for (int k = 1; k <= reach; k++)
			sum += w[k] * (scratch[i < k ? 0 : i - k] + scratch[i + k < n ? i + k : n - 1]);
		v[i * step] = sum;
	}
}

static void blur(float *v, int W, int H, float sigma)
{
	float w[AUGMENT_REACH + 1], sum = 0, *scratch = xmalloc((size_t)(W > H ? W : H) * sizeof *scratch);
	int reach = augment_reach(sigma);
	for (int k = 0; k <= reach; k++)
		sum += (k ? 2 : 1) * (w[k] = expf(-(float)(k * k) / (2 * sigma * sigma)));
	for (int k = 0; k <= reach; k++)
		w[k] /= sum;
	for (int y = 0; y < H; y++)
		blur_line(v + (size_t)y * (size_t)W, W, 1, w, reach, scratch);
	for (int x = 0; x < W; x++)
		blur_line(v + x, H, W, w, reach, scratch);
	free(scratch);
}

/* Augments one channel in this order: warp, blur, cutout, noise; v (H, W) in 0..1. `first`: the noise's index of its first value. */
static void augment_channel(
	float *v, const uint8_t *in, int W, int H, const struct warp *w, const struct augment *a, uint32_t row, uint32_t first)
{
	int n = W * H;
	for (int i = 0; i < n; i++) {
		float x = (float)(i % W), y = (float)(i / W);
		float sx = w->m[0] * x + w->m[1] * y + w->m[2], sy = w->m[3] * x + w->m[4] * y + w->m[5];
		v[i] = (augment_sample(in, W, H, sx, sy) / 255.0f - 0.5f) * w->gain + 0.5f + w->bias;
	}
	if (augment_reach(w->blur))
		blur(v, W, H, w->blur);
	for (int y = w->cut[1]; y < w->cut[3]; y++)
		for (int x = w->cut[0]; x < w->cut[2]; x++)
			v[y * W + x] = w->grey;
	for (int i = 0; i < n; i++) {
		if (a->noise > 0) {
			struct philox p = philox(a->seed, PHILOX_NOISE, a->epoch, row, first + (uint32_t)i);
			v[i] += a->noise * philox_normal(p.v[0], p.v[1]);
		}
		v[i] = v[i] < 0 ? 0 : v[i] > 1 ? 1 : v[i];
	}
}

void ref_load_batch(const struct backend *be, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul,
	float add, const struct augment *a)
{
	(void)be;
	size_t plane = (size_t)H * (size_t)W, size = plane * (size_t)C;
	float *v = a ? xmalloc(plane * sizeof *v) : NULL;
	for (int b = 0; b < B; b++) {
		const uint8_t *in = bytes + rows[b] * size;
		real *out = x + (size_t)b * size;
		for (size_t i = 0; !a && i < size; i++)
			out[i] = (real)((float)in[i] * mul + add);
		if (!a)
			continue;
		struct warp w = augment_draw(a, rows[b], W, H);
		for (int c = 0; c < C; c++) {
			augment_channel(v, in + (size_t)c * plane, W, H, &w, a, rows[b], (uint32_t)((size_t)c * plane));
			for (size_t i = 0; i < plane; i++)
				out[(size_t)c * plane + i] = (real)(v[i] * 255.0f * mul + add);
		}
	}
	free(v);
}

void ref_gather(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K)
{
	(void)be;
	for (int b = 0; b < B; b++)
		memcpy(y + (size_t)b * (size_t)K, x + rows[b] * (size_t)K, (size_t)K * sizeof *y);
}

void ref_dropout(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch)
{
	(void)be;
	for (int b = 0; b < B; b++)
		for (int k = 0; k < K; k++) {
			struct philox r = philox(seed, purpose, epoch, rows[b], (uint32_t)k / 4);
			size_t i = (size_t)b * (size_t)K + (size_t)k;
			y[i] = philox_uniform(r.v[k % 4]) < p ? 0 : x[i] * (real)mul;
		}
}

void ref_bernoulli(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, uint64_t seed, uint32_t purpose,
	uint32_t epoch)
{
	(void)be;
	for (int b = 0; b < B; b++)
		for (int k = 0; k < K; k++) {
			struct philox r = philox(seed, purpose, epoch, rows[b], (uint32_t)k / 4);
			size_t i = (size_t)b * (size_t)K + (size_t)k;
			y[i] = philox_uniform(r.v[k % 4]) < x[i];
		}
}
