/* Augmentation of one plane on the host, for ref and cpu: loops over rows that compilers turn into vectors. */
#include "kernels/augment.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

static int clamp(int i, int n)
{
	return i < 0 ? 0 : i < n ? i : n - 1;
}

/* A row of W values with its ends repeated `reach` times on either side. */
static void pad(float *to, const float *from, int W, int reach)
{
	for (int x = 0; x < reach; x++)
		to[x] = from[0], to[reach + W + x] = from[W - 1];
	memcpy(to + reach, from, (size_t)W * sizeof *to);
}

/* Separable: along rows, then along columns; beyond the edge is the edge. */
static void blur(float *v, int W, int H, float sigma)
{
	int reach = augment_reach(sigma);
	float w[AUGMENT_REACH + 1], sum = 0;
	float *row = xmalloc(((size_t)W + 2 * AUGMENT_REACH) * sizeof *row), *all = xmalloc((size_t)W * (size_t)H * sizeof *all);
	for (int k = 0; k <= reach; k++)
		sum += (k ? 2 : 1) * (w[k] = expf(-(float)(k * k) / (2 * sigma * sigma)));
	for (int k = 0; k <= reach; k++)
		w[k] /= sum;
	for (int y = 0; y < H; y++) {
		float *to = all + (size_t)y * (size_t)W;
		const float *middle = row + reach;
		pad(row, v + (size_t)y * (size_t)W, W, reach);
		for (int x = 0; x < W; x++)
			to[x] = w[0] * middle[x];
		for (int k = 1; k <= reach; k++)
			for (int x = 0; x < W; x++)
				to[x] += w[k] * (middle[x - k] + middle[x + k]);
	}
	for (int y = 0; y < H; y++) {
		float *to = v + (size_t)y * (size_t)W;
		for (int x = 0; x < W; x++)
			to[x] = w[0] * all[(size_t)y * (size_t)W + (size_t)x];
		for (int k = 1; k <= reach; k++) {
			const float *above = all + (size_t)clamp(y - k, H) * (size_t)W, *below = all + (size_t)clamp(y + k, H) * (size_t)W;
			for (int x = 0; x < W; x++)
				to[x] += w[k] * (above[x] + below[x]);
		}
	}
	free(row), free(all);
}

static void motion(float *v, int W, int H, const float path[2])
{
	struct augment_tap t[AUGMENT_TAPS];
	int n = augment_taps(path, t), reach = (AUGMENT_PATH + 1) / 2 + 1;
	if (!n)
		return;
	size_t width = (size_t)(W + 2 * reach);
	float *padded = xmalloc(width * (size_t)H * sizeof *padded);
	for (int y = 0; y < H; y++)
		pad(padded + (size_t)y * width, v + (size_t)y * (size_t)W, W, reach);
	for (int y = 0; y < H; y++) {
		float *to = v + (size_t)y * (size_t)W;
		memset(to, 0, (size_t)W * sizeof *to);
		for (int k = 0; k < n; k++) {
			const float *from = padded + (size_t)clamp(y + t[k].y, H) * width + reach + t[k].x, weight = t[k].weight;
			for (int x = 0; x < W; x++)
				to[x] += weight * from[x];
		}
	}
	free(padded);
}

void augment_plane(float *v, const uint8_t *in, int W, int H, const struct warp *w, const struct augment *a, uint32_t row, uint32_t first)
{
	int n = W * H;
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			float sx = w->m[0] * (float)x + w->m[1] * (float)y + w->m[2],
			      sy = w->m[3] * (float)x + w->m[4] * (float)y + w->m[5];
			v[y * W + x] = augment_sample(in, W, H, sx, sy);
		}
	for (int i = 0; i < n; i++)
		v[i] = (v[i] / 255.0f - 0.5f) * w->gain + 0.5f + w->bias;
	if (augment_reach(w->blur))
		blur(v, W, H, w->blur);
	motion(v, W, H, w->path);
	for (int y = w->cut[1]; y < w->cut[3]; y++)
		for (int x = w->cut[0]; x < w->cut[2]; x++)
			v[y * W + x] = w->grey;
	for (int i = 0; i < n && w->noise > 0; i++) {
		struct philox p = philox(a->seed, PHILOX_NOISE, a->epoch, row, first + (uint32_t)i);
		v[i] += w->noise * philox_normal(p.v[0], p.v[1]);
	}
	for (int i = 0; i < n; i++)
		v[i] = v[i] < 0 ? 0 : v[i] > 1 ? 1 : v[i];
}
