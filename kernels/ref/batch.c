/* Bytes to inputs, rows to batches, masks. */
#include <math.h>
#include <string.h>

#include "kernels/augment.h"
#include "kernels/ref/ref.h"

/* Bilinear, the edge repeated outwards. */
static float sample(const uint8_t *p, int W, int H, float x, float y)
{
	x = x < 0 ? 0 : x > (float)(W - 1) ? (float)(W - 1) : x;
	y = y < 0 ? 0 : y > (float)(H - 1) ? (float)(H - 1) : y;
	int x0 = (int)x, y0 = (int)y, x1 = x0 + (x0 < W - 1), y1 = y0 + (y0 < H - 1);
	float fx = x - (float)x0, fy = y - (float)y0;
	float top = (float)p[y0 * W + x0] + fx * ((float)p[y0 * W + x1] - (float)p[y0 * W + x0]);
	float low = (float)p[y1 * W + x0] + fx * ((float)p[y1 * W + x1] - (float)p[y1 * W + x0]);
	return top + fy * (low - top);
}

void ref_images(const struct ops *o, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul, float add,
	const struct augment *a)
{
	(void)o;
	size_t plane = (size_t)H * (size_t)W, size = plane * (size_t)C;
	for (int b = 0; b < B; b++) {
		const uint8_t *in = bytes + rows[b] * size;
		real *out = x + (size_t)b * size;
		if (!a) {
			for (size_t i = 0; i < size; i++)
				out[i] = (real)((float)in[i] * mul + add);
			continue;
		}
		struct warp w = augment_draw(a, rows[b], W, H);
		for (size_t i = 0; i < size; i++) {
			int c = (int)(i / plane), px = (int)(i % (size_t)W), py = (int)(i / (size_t)W % (size_t)H);
			float sx = w.m[0] * (float)px + w.m[1] * (float)py + w.m[2], sy = w.m[3] * (float)px + w.m[4] * (float)py + w.m[5];
			float v = (sample(in + (size_t)c * plane, W, H, sx, sy) / 255.0f - 0.5f) * w.gain + 0.5f + w.bias;
			if (a->noise > 0) {
				struct philox p = philox(a->seed, PHILOX_NOISE, a->epoch, rows[b], (uint32_t)i);
				v += a->noise * philox_normal(p.v[0], p.v[1]);
			}
			v = v < 0 ? 0 : v > 1 ? 1 : v;
			out[i] = (real)(v * 255.0f * mul + add);
		}
	}
}

void ref_gather(const struct ops *o, real *y, const real *x, const uint32_t *rows, int B, int K)
{
	(void)o;
	for (int b = 0; b < B; b++)
		memcpy(y + (size_t)b * (size_t)K, x + rows[b] * (size_t)K, (size_t)K * sizeof *y);
}

void ref_mask(const struct ops *o, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch)
{
	(void)o;
	for (int b = 0; b < B; b++)
		for (int k = 0; k < K; k++) {
			struct philox r = philox(seed, purpose, epoch, rows[b], (uint32_t)k / 4);
			size_t i = (size_t)b * (size_t)K + (size_t)k;
			y[i] = philox_unit(r.v[k % 4]) < p ? 0 : x[i] * (real)mul;
		}
}
