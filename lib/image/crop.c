#include "lib/image/crop.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"

void crop_of_box(float crop[6], const double box[4], double margin, int w, int h)
{
	double cx = box[0] + box[2] / 2, cy = box[1] + box[3] / 2;
	double bw = box[2] * (1 + 2 * margin), bh = box[3] * (1 + 2 * margin);
	double a = fmax(bw / w, bh / h); /* pixels of the image for one of the crop: pixels stay squares */
	assert(bw >= 0 && bh >= 0 && a > 0);
	crop[0] = crop[4] = (float)a;
	crop[1] = crop[3] = 0;
	crop[2] = (float)(cx - 0.5 - a * (w - 1) / 2);
	crop[5] = (float)(cy - 0.5 - a * (h - 1) / 2);
}

void crop_into(const float crop[6], double x, double y, double uv[2])
{
	uv[0] = (x - crop[2]) / crop[0];
	uv[1] = (y - crop[5]) / crop[4];
}

/* ---- resampling ---- */

static int clamped(double i, int n)
{
	return i < 0 ? 0 : i > n - 1 ? n - 1 : (int)i;
}

/* The pixels [first, last] of n that have a share in the result at index x, which covers `scale` pixels. Those at the ends stand for all
 * beyond them. */
struct span_of {
	int first, last;
	double x, scale;
};

static struct span_of span_at(double scale, double shift, int u, int n)
{
	double x = scale * u + shift, half = scale > 1 ? scale / 2 : 0;
	if (scale > 1)
		return (struct span_of){clamped(floor(x - half + 0.5), n), clamped(floor(x + half + 0.5), n), x, scale};
	return (struct span_of){clamped(floor(x), n), clamped(floor(x) + 1, n), x, scale};
}

/* The share of pixel i; those of a span add up to 1. */
static float share(const struct span_of *s, int i, int n)
{
	if (s->scale <= 1)
		return s->first == s->last ? 1 : (float)(i == s->first ? s->last - s->x : s->x - s->first);
	double left = i == 0 ? -INFINITY : i - 0.5, right = i == n - 1 ? INFINITY : i + 0.5;
	double from = fmax(left, s->x - s->scale / 2), to = fmin(right, s->x + s->scale / 2);
	return to > from ? (float)((to - from) / s->scale) : 0;
}

static float *buffer(struct crop_buffer *tmp, size_t n)
{
	if (n > tmp->n) {
		free(tmp->v);
		tmp->v = xmalloc(n * sizeof *tmp->v);
		tmp->n = n;
	}
	return tmp->v;
}

void crop_buffer_free(struct crop_buffer *tmp)
{
	free(tmp->v), free(tmp->span);
	*tmp = (struct crop_buffer){0};
}

/* The spans of all columns, and their shares, one after another: at most W + 2 w + 2. */
static void shares(float *to, int *span, int w, int W, const float crop[6])
{
	for (int u = 0; u < w; u++) {
		struct span_of s = span_at(crop[0], crop[2], u, W);
		*span++ = s.first, *span++ = s.last;
		for (int i = s.first; i <= s.last; i++)
			*to++ = share(&s, i, W);
	}
}

static void resample_row(float *to, int w, const uint8_t *row, const int *span, const float *by)
{
	for (int u = 0; u < w; u++, span += 2) {
		float sum = 0;
		for (int i = span[0]; i <= span[1]; i++)
			sum += *by++ * (float)row[i];
		to[u] = sum;
	}
}

void crop_resample(uint8_t *to, int w, int h, const struct image *im, const float crop[6], struct crop_buffer *tmp)
{
	assert(im->channels == 1 && crop[0] > 0 && crop[4] > 0);
	int first = span_at(crop[4], crop[5], 0, im->H).first, last = span_at(crop[4], crop[5], h - 1, im->H).last;
	size_t width = (size_t)w, n = (size_t)(last - first + 1) * width;
	float *rows = buffer(tmp, n + width + (size_t)im->W + 2 * width + 2), *sum = rows + n, *by = sum + width;
	if (w > tmp->spans) {
		tmp->spans = w;
		tmp->span = xrealloc(tmp->span, 2 * width * sizeof *tmp->span);
	}
	shares(by, tmp->span, w, im->W, crop);
	for (int y = first; y <= last; y++)
		resample_row(rows + (size_t)(y - first) * width, w, im->pixels + (size_t)y * (size_t)im->W, tmp->span, by);
	for (int v = 0; v < h; v++) {
		struct span_of s = span_at(crop[4], crop[5], v, im->H);
		for (int u = 0; u < w; u++)
			sum[u] = 0.5f;
		for (int y = s.first; y <= s.last; y++) {
			const float *row = rows + (size_t)(y - first) * width, share_of_row = share(&s, y, im->H);
			for (int u = 0; u < w; u++)
				sum[u] += share_of_row * row[u];
		}
		for (int u = 0; u < w; u++)
			to[(size_t)v * width + (size_t)u] = sum[u] >= 255 ? 255 : (uint8_t)sum[u];
	}
}
