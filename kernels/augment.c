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

enum { LANES = 64 };

/* augment_sample of a row of the warped image, first the places, in vectors, then the samples. */
static void warp_row(float *v, const uint8_t *in, int W, int H, const struct warp *w, int y)
{
	int at[LANES], right[LANES], down[LANES];
	float fx[LANES], fy[LANES], xmax = (float)(W - 1), ymax = (float)(H - 1);
	for (int from = 0; from < W; from += LANES) {
		int n = W - from < LANES ? W - from : LANES;
		for (int i = 0; i < LANES; i++) {
			float x = w->m[0] * (float)(from + i) + w->m[1] * (float)y + w->m[2];
			float z = w->m[3] * (float)(from + i) + w->m[4] * (float)y + w->m[5];
			x = x < 0 ? 0 : x, x = x > xmax ? xmax : x;
			z = z < 0 ? 0 : z, z = z > ymax ? ymax : z;
			int x0 = (int)x, y0 = (int)z;
			fx[i] = x - (float)x0, fy[i] = z - (float)y0;
			at[i] = y0 * W + x0, right[i] = x0 < W - 1, down[i] = y0 < H - 1 ? W : 0;
		}
		for (int i = 0; i < n; i++) {
			const uint8_t *p = in + at[i], *q = p + down[i];
			float top = (float)p[0] + fx[i] * ((float)p[right[i]] - (float)p[0]);
			float low = (float)q[0] + fx[i] * ((float)q[right[i]] - (float)q[0]);
			v[from + i] = top + fy[i] * (low - top);
		}
	}
}

/* Words of LANES blocks of Philox from block `first` on, word k of block i at c[k][i]: the bits of philox(), in loops that become vectors.
 */
static void philox_lanes(uint32_t c[4][LANES], const struct augment *a, uint32_t row, uint32_t first)
{
	uint32_t k0 = (uint32_t)a->seed, k1 = (uint32_t)(a->seed >> 32);
	for (uint32_t i = 0; i < LANES; i++)
		c[0][i] = first + i, c[1][i] = row, c[2][i] = a->epoch, c[3][i] = PHILOX_NOISE;
	for (int r = 0; r < PHILOX_ROUNDS; r++, k0 += PHILOX_W0, k1 += PHILOX_W1)
		for (int i = 0; i < LANES; i++) {
			uint64_t p0 = (uint64_t)PHILOX_M0 * c[0][i], p1 = (uint64_t)PHILOX_M1 * c[2][i];
			c[0][i] = (uint32_t)(p1 >> 32) ^ c[1][i] ^ k0, c[1][i] = (uint32_t)p1;
			c[2][i] = (uint32_t)(p0 >> 32) ^ c[3][i] ^ k1, c[3][i] = (uint32_t)p0;
		}
}

/* Adds noise to v, values first to first + n - 1 of a row: value i has word i % 4 of block i / 4. */
static void noise(float *v, uint32_t n, float stddev, const struct augment *a, uint32_t row, uint32_t first)
{
	uint32_t c[4][LANES];
	float z[4 * LANES];
	for (uint32_t block = first / 4; block <= (first + n - 1) / 4; block += LANES) {
		philox_lanes(c, a, row, block);
		for (int k = 0; k < 4; k++)
			for (int i = 0; i < LANES; i++)
				z[4 * i + k] = stddev * augment_normal(c[k][i]);
		uint32_t from = 4 * block < first ? first : 4 * block,
			 to = 4 * (block + LANES) < first + n ? 4 * (block + LANES) : first + n;
		for (uint32_t i = from; i < to; i++)
			v[i - first] += z[i - 4 * block];
	}
}

void augment_plane(float *v, const uint8_t *in, int W, int H, const struct warp *w, const struct augment *a, uint32_t row, uint32_t first)
{
	int n = W * H;
	for (int y = 0; y < H; y++)
		warp_row(v + (size_t)y * (size_t)W, in, W, H, w, y);
	for (int i = 0; i < n; i++)
		v[i] = (v[i] / 255.0f - 0.5f) * w->gain + 0.5f + w->bias;
	if (augment_reach(w->blur))
		blur(v, W, H, w->blur);
	motion(v, W, H, w->path);
	for (int y = w->cut[1]; y < w->cut[3]; y++)
		for (int x = w->cut[0]; x < w->cut[2]; x++)
			v[y * W + x] = w->grey;
	if (w->noise > 0)
		noise(v, (uint32_t)n, w->noise, a, row, first);
	for (int i = 0; i < n; i++)
		v[i] = v[i] < 0 ? 0 : v[i] > 1 ? 1 : v[i];
}
