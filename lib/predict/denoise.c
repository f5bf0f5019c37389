#include "lib/predict/denoise.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/each_thread.h"
#include "lib/base/err.h"

enum { N = DENOISE_WINDOW, EDGE = N - 1 };

struct matrix {
	float v[N][N];
};

struct part {
	uint8_t *images;
	int from, to, W, H;
	struct matrix dct, inverse; /* orthonormal DCT-II of columns, and its transpose */
};

double denoise_sigma(const uint8_t *image, int W, int H)
{
	double sum = 0;
	if (W < 3 || H < 3)
		return 0;
	for (int y = 1; y < H - 1; y++)
		for (int x = 1; x < W - 1; x++) {
			const uint8_t *a = image + (y - 1) * W + x, *b = a + W, *c = b + W;
			sum += abs(a[-1] - 2 * a[0] + a[1] - 2 * b[-1] + 4 * b[0] - 2 * b[1] + c[-1] - 2 * c[0] + c[1]);
		}
	return sqrt(1.5707963267948966) * sum / (6.0 * (W - 2) * (H - 2));
}

static struct matrix product(const struct matrix *a, const struct matrix *b)
{
	struct matrix c;
	for (int i = 0; i < N; i++) {
		float row[N] = {0};
		for (int k = 0; k < N; k++)
			for (int j = 0; j < N; j++)
				row[j] += a->v[i][k] * b->v[k][j];
		for (int j = 0; j < N; j++)
			c.v[i][j] = row[j];
	}
	return c;
}

static struct matrix window(const float *v, int stride)
{
	struct matrix m;
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			m.v[i][j] = v[i * stride + j];
	return m;
}

static struct matrix both_ways(const struct matrix *left, const struct matrix *m, const struct matrix *right)
{
	struct matrix half = product(left, m);
	return product(&half, right);
}

/* Sets coefficients below the threshold to 0, but the mean; returns the window's weight. */
static float cut(struct matrix *c, float threshold)
{
	int left = 1;
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			int stays = fabsf(c->v[i][j]) > threshold || !(i + j);
			c->v[i][j] = stays ? c->v[i][j] : 0, left += stays && i + j;
		}
	return 1.0f / (float)left;
}

static float shrink(struct matrix *c, const struct matrix *pilot, float variance)
{
	float sum = 1;
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			float p = pilot->v[i][j] * pilot->v[i][j], gain = i + j ? p / (p + variance) : 1;
			c->v[i][j] *= gain, sum += i + j ? gain * gain : 0;
		}
	return 1 / sum;
}

/* to, a plane (h, w) with an edge of EDGE pixels: noisy after one pass; pilot: the first pass's result, NULL: this is the first. sum,
 * weight: buffers of its size. */
static void pass(
	const struct part *t, float *to, const float *noisy, const float *pilot, float *sum, float *weight, int w, int h, float sigma)
{
	for (int i = 0; i < w * h; i++)
		sum[i] = weight[i] = 0;
	for (int y = 0; y + N <= h; y++)
		for (int x = 0; x + N <= w; x++) {
			int at = y * w + x;
			struct matrix m = window(noisy + at, w), c = both_ways(&t->dct, &m, &t->inverse);
			float share;
			if (pilot) {
				struct matrix p = window(pilot + at, w), q = both_ways(&t->dct, &p, &t->inverse);
				share = shrink(&c, &q, sigma * sigma);
			} else {
				share = cut(&c, (float)DENOISE_THRESHOLD * sigma);
			}
			m = both_ways(&t->inverse, &c, &t->dct);
			for (int i = 0; i < N; i++)
				for (int j = 0; j < N; j++)
					sum[at + i * w + j] += share * m.v[i][j], weight[at + i * w + j] += share;
		}
	for (int i = 0; i < w * h; i++)
		to[i] = sum[i] / weight[i];
}

static int mirrored(int i, int n)
{
	return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

/* The plane of an image, or of what a pass made of one, with its edge mirrored. */
static void add_edge(float *plane, int w, int h)
{
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++)
			plane[y * w + x] = plane[(mirrored(y - EDGE, h - 2 * EDGE) + EDGE) * w + mirrored(x - EDGE, w - 2 * EDGE) + EDGE];
}

static void *run(void *arg)
{
	const struct part *t = arg;
	int w = t->W + 2 * EDGE, h = t->H + 2 * EDGE;
	size_t n = (size_t)w * (size_t)h, pixels = (size_t)t->W * (size_t)t->H;
	float *plane = NULL, *noisy = NULL, *pilot = NULL, *sum = NULL, *weight = NULL;
	for (int b = t->from; b < t->to; b++) {
		uint8_t *image = t->images + (size_t)b * pixels;
		float sigma = (float)denoise_sigma(image, t->W, t->H);
		if (!(sigma >= (float)DENOISE_LEAST))
			continue;
		float share = (sigma - (float)DENOISE_LEAST) / (float)(DENOISE_ALL - DENOISE_LEAST);
		share = share < 1 ? share : 1;
		if (!plane) {
			plane = xcalloc(5 * n, sizeof *plane);
			noisy = plane + n, pilot = noisy + n, sum = pilot + n, weight = sum + n;
		}
		for (int y = 0; y < t->H; y++)
			for (int x = 0; x < t->W; x++)
				noisy[(y + EDGE) * w + x + EDGE] = image[y * t->W + x];
		add_edge(noisy, w, h);
		pass(t, pilot, noisy, NULL, sum, weight, w, h, sigma);
		add_edge(pilot, w, h);
		pass(t, plane, noisy, pilot, sum, weight, w, h, sigma);
		for (int y = 0; y < t->H; y++)
			for (int x = 0; x < t->W; x++) {
				float was = image[y * t->W + x], v = was + share * (plane[(y + EDGE) * w + x + EDGE] - was);
				image[y * t->W + x] = (uint8_t)lrintf(v < 0 ? 0 : v > 255 ? 255 : v);
			}
	}
	free(plane);
	return NULL;
}

void denoise(uint8_t *images, int B, int W, int H, int threads)
{
	struct part part[EACH_THREAD_MAX];
	int n = threads < B ? threads : B;
	n = n < EACH_THREAD_MAX ? n : EACH_THREAD_MAX;
	if (W < N || H < N || B < 1)
		return;
	for (int i = 0; i < n; i++) {
		struct part *t = &part[i];
		*t = (struct part){.images = images, .from = B * i / n, .to = B * (i + 1) / n, .W = W, .H = H};
		for (int k = 0; k < N; k++)
			for (int x = 0; x < N; x++)
				t->dct.v[k][x] = t->inverse.v[x][k] =
					(float)(sqrt((k ? 2.0 : 1.0) / N) * cos(3.14159265358979323846 * k * (2 * x + 1) / (2.0 * N)));
	}
	each_thread(run, part, sizeof part[0], n);
}
