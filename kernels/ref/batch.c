/* Batch loading: bytes to augmented inputs, gather of rows; dropout and Bernoulli samples. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/augment.h"
#include "kernels/ref/ref.h"
#include "lib/base/err.h"

/* Of images, or, where that is NULL, of bytes. */
static void load(real *x, const uint8_t *const *images, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul,
	float add, const struct augment *a)
{
	size_t plane = (size_t)H * (size_t)W, size = plane * (size_t)C;
	float *v = a ? xmalloc(plane * sizeof *v) : NULL;
	for (int b = 0; b < B; b++) {
		const uint8_t *in = images ? images[b] : bytes + rows[b] * size;
		real *out = x + (size_t)b * size;
		for (size_t i = 0; !a && i < size; i++)
			out[i] = (real)((float)in[i] * mul + add);
		if (!a)
			continue;
		struct warp w = augment_draw(a, rows[b], W, H);
		for (int c = 0; c < C; c++) {
			augment_plane(v, in + (size_t)c * plane, W, H, &w, a, rows[b], (uint32_t)((size_t)c * plane));
			for (size_t i = 0; i < plane; i++)
				out[(size_t)c * plane + i] = (real)(v[i] * 255.0f * mul + add);
		}
	}
	free(v);
}

void ref_load_batch(const struct backend *be, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul,
	float add, const struct augment *a)
{
	(void)be;
	load(x, NULL, bytes, rows, B, C, H, W, mul, add, a);
}

void ref_load_images(const struct backend *be, real *x, const uint8_t *const *images, const uint32_t *rows, int B, int C, int H, int W,
	float mul, float add, const struct augment *a)
{
	(void)be;
	load(x, images, NULL, rows, B, C, H, W, mul, add, a);
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
