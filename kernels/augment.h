/* Random augmentation of an image: parameters drawn by Philox (seed, PHILOX_AUGMENT, epoch, row). All backends warp pixels and the training
 * code moves keypoints by the same struct warp, so that they agree. */
#ifndef AUGMENT_H
#define AUGMENT_H

#include "kernels/backend.h"
#include "lib/base/philox.h"

/* Affine map from output pixel (x, y) to input position: sx = m[0] x + m[1] y + m[2], sy = m[3] x + m[4] y + m[5]; a grey value v in 0..1
 * becomes (v - 1/2) gain + 1/2 + bias. Then, in this order: a Gaussian blur (standard deviation `blur`, pixels); motion blur: the mean of
 * the image along the straight path (x, y), pixels, about each pixel; a cutout: the pixels cut[0] <= x < cut[2], cut[1] <= y < cut[3] are
 * set to `grey`; Gaussian noise of standard deviation `noise`, of the range 0..1; clamping to 0..1. */
struct warp {
	float m[6], gain, bias, blur, path[2], noise, grey;
	int flipped, cut[4];
};

enum { AUGMENT_REACH = 16, AUGMENT_PATH = 30, AUGMENT_TAPS = 128 }; /* AUGMENT_PATH: pixels of the longest path */

/* Radius in pixels of the blur's filter: three standard deviations, at most AUGMENT_REACH; 0, no blur, where sigma is below 0.2. */
PHILOX_FN int augment_reach(float sigma)
{
	int reach = (int)ceilf(3 * sigma);
	return sigma < 0.2f ? 0 : reach < AUGMENT_REACH ? reach : AUGMENT_REACH;
}

struct augment_tap {
	short x, y;
	float weight;
};

/* Motion blur as a filter: v'(x, y) = sum of weight v(x + tap.x, y + tap.y), bilinear along the path in steps of at most an eighth of a
 * pixel. Returns the number of taps; 0, no blur, where the path is shorter than a quarter of a pixel. */
PHILOX_FN int augment_taps(const float path[2], struct augment_tap t[AUGMENT_TAPS])
{
	float length = sqrtf(path[0] * path[0] + path[1] * path[1]);
	int n = 0, steps = 8 * (int)ceilf(length);
	for (int i = 0; i < steps && length >= 0.25f; i++) {
		float at = ((float)i + 0.5f) / (float)steps - 0.5f, x = at * path[0], y = at * path[1];
		int x0 = (int)floorf(x), y0 = (int)floorf(y);
		for (int k = 0; k < 4; k++) {
			int tx = x0 + k % 2, ty = y0 + k / 2, j = n - 1;
			float weight = (1 - fabsf(x - (float)tx)) * (1 - fabsf(y - (float)ty)) / (float)steps;
			if (!(weight > 0))
				continue;
			while (j >= 0 && (t[j].x != tx || t[j].y != ty))
				j--;
			if (j < 0)
				j = n++, t[j].x = (short)tx, t[j].y = (short)ty, t[j].weight = 0;
			t[j].weight += weight;
		}
	}
	return n;
}

/* A word as a standard normal number: the sum of its four bytes, by a cubic polynomial that gives it the variance and the fourth moment of
 * the normal distribution; at most 4.04. Cheap, and the same in vectors. */
PHILOX_FN float augment_normal(uint32_t word)
{
	uint32_t pairs = (word & 0x00FF00FFu) + (word >> 8 & 0x00FF00FFu);
	float s = (float)(int32_t)((pairs & 0xFFFFu) + (pairs >> 16)) - 510.0f;
	return s * (0.00642104061f + 5.77395428e-9f * s * s);
}

/* A number in 0..1, or in -1..1, by how a draws. */
PHILOX_FN float augment_share(const struct augment *a, uint32_t word)
{
	float u = philox_uniform(word);
	return a->squared ? u * u : u;
}

PHILOX_FN float augment_range(const struct augment *a, uint32_t word, float range)
{
	float u = 2.0f * philox_uniform(word) - 1.0f;
	return (a->squared ? u * fabsf(u) : u) * range;
}

/* Whether a changes anything. */
PHILOX_FN int augment_any(const struct augment *a)
{
	return a->flip || a->shift > 0 || a->rotate > 0 || a->scale > 0 || a->contrast > 0 || a->brightness > 0 || a->noise > 0 ||
	       a->blur > 0 || a->motion > 0 || a->cutout > 0 || a->elastic > 0;
}

/* word: drawn for the epoch; of FLIP_ALTERNATE a row's first bit is that of epoch 0, which no training has. */
PHILOX_FN int augment_flipped(const struct augment *a, uint32_t row, uint32_t word)
{
	if (a->flip == FLIP_ALTERNATE)
		word = philox(a->seed, PHILOX_AUGMENT, 0, row, 0).v[0] + a->epoch;
	return a->flip != FLIP_NONE && (word & 1);
}

PHILOX_FN struct warp augment_draw(const struct augment *a, uint32_t row, int W, int H)
{
	struct philox p = philox(a->seed, PHILOX_AUGMENT, a->epoch, row, 0), q = philox(a->seed, PHILOX_AUGMENT, a->epoch, row, 1);
	struct warp w;
	float angle = augment_range(a, p.v[1], a->rotate) * 0.017453292519943295f, size = expf(augment_range(a, p.v[2], a->scale));
	float c = cosf(angle) / size, s = sinf(angle) / size, cx = 0.5f * (float)(W - 1), cy = 0.5f * (float)(H - 1);
	float tx = augment_range(a, p.v[3], a->shift), ty = augment_range(a, q.v[0], a->shift);
	w.flipped = augment_flipped(a, row, p.v[0]);
	/* from output to input: centre, inverse shift, inverse rotation and scale, flip */
	w.m[0] = c, w.m[1] = s, w.m[2] = cx - c * (cx + tx) - s * (cy + ty);
	w.m[3] = -s, w.m[4] = c, w.m[5] = cy + s * (cx + tx) - c * (cy + ty);
	if (w.flipped)
		w.m[0] = -w.m[0], w.m[1] = -w.m[1], w.m[2] = (float)(W - 1) - w.m[2];
	w.gain = expf(augment_range(a, q.v[1], a->contrast));
	w.bias = augment_range(a, q.v[2], a->brightness);
	w.blur = augment_share(a, q.v[3]) * a->blur;
	w.path[0] = w.path[1] = 0, w.noise = a->noise;
	if (a->motion > 0 || (a->squared && a->noise > 0)) {
		struct philox m = philox(a->seed, PHILOX_AUGMENT, a->epoch, row, 4);
		float length = augment_share(a, m.v[0]) * a->motion, direction = 3.14159265f * philox_uniform(m.v[1]);
		w.path[0] = length * cosf(direction), w.path[1] = length * sinf(direction);
		w.noise = a->squared ? augment_share(a, m.v[2]) * a->noise : a->noise;
	}
	w.cut[0] = w.cut[1] = w.cut[2] = w.cut[3] = 0, w.grey = 0;
	if (a->cutout > 0) {
		struct philox r = philox(a->seed, PHILOX_AUGMENT, a->epoch, row, 2), t = philox(a->seed, PHILOX_AUGMENT, a->epoch, row, 3);
		int cw = (int)(philox_uniform(r.v[0]) * a->cutout * (float)W), ch = (int)(philox_uniform(r.v[1]) * a->cutout * (float)H);
		w.cut[0] = (int)philox_below(r.v[2], (uint32_t)(W - cw + 1)), w.cut[1] = (int)philox_below(r.v[3], (uint32_t)(H - ch + 1));
		w.cut[2] = w.cut[0] + cw, w.cut[3] = w.cut[1] + ch;
		w.grey = philox_uniform(t.v[0]);
	}
	return w;
}

/* Bilinear sample at (x, y) in pixels; coordinates are clamped to the image (edge padding). */
PHILOX_FN float augment_sample(const uint8_t *p, int W, int H, float x, float y)
{
	x = x < 0 ? 0 : x > (float)(W - 1) ? (float)(W - 1) : x;
	y = y < 0 ? 0 : y > (float)(H - 1) ? (float)(H - 1) : y;
	int x0 = (int)x, y0 = (int)y, x1 = x0 + (x0 < W - 1), y1 = y0 + (y0 < H - 1);
	float fx = x - (float)x0, fy = y - (float)y0;
	float top = (float)p[y0 * W + x0] + fx * ((float)p[y0 * W + x1] - (float)p[y0 * W + x0]);
	float low = (float)p[y1 * W + x0] + fx * ((float)p[y1 * W + x1] - (float)p[y1 * W + x0]);
	return top + fy * (low - top);
}

/* A keypoint (sx, sy) of the input image in the output image: the inverse of the affine map. */
PHILOX_FN void augment_point(const struct warp *w, float sx, float sy, float *x, float *y)
{
	float det = w->m[0] * w->m[4] - w->m[1] * w->m[3], dx = sx - w->m[2], dy = sy - w->m[5];
	*x = (w->m[4] * dx - w->m[1] * dy) / det;
	*y = (w->m[0] * dy - w->m[3] * dx) / det;
}

#ifdef __cplusplus
extern "C" {
#endif

/* On the host: v (H, W), 0..1, is the plane `in` (H, W) after w; its noise is drawn by a's seed and epoch, row, and `first`, the index of
 * the plane's first value in the row. */
void augment_plane(float *v, const uint8_t *in, int W, int H, const struct warp *w, const struct augment *a, uint32_t row, uint32_t first);

#ifdef __cplusplus
}
#endif

#endif
