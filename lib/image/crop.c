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

static float *buffer(struct crop_buffer *tmp, size_t n, size_t spans)
{
	if (n > tmp->n) {
		free(tmp->v);
		tmp->v = xmalloc(n * sizeof *tmp->v);
		tmp->n = n;
	}
	if (spans > tmp->spans) {
		free(tmp->span);
		tmp->span = xmalloc(spans * sizeof *tmp->span);
		tmp->spans = spans;
	}
	return tmp->v;
}

void crop_buffer_free(struct crop_buffer *tmp)
{
	free(tmp->v), free(tmp->span);
	*tmp = (struct crop_buffer){NULL, 0, NULL, 0};
}

/* Of each column u the pixels span[u].first to last, and their shares one after another: at most W + 2 w + 2. */
static void shares(struct crop_span *span, float *to, int w, int W, const float crop[6])
{
	for (int u = 0; u < w; u++) {
		struct span_of s = span_at(crop[0], crop[2], u, W);
		span[u] = (struct crop_span){s.first, s.last};
		for (int i = s.first; i <= s.last; i++)
			*to++ = share(&s, i, W);
	}
}

/* sum += by * row, of n pixels. */
static void add_row(float *restrict sum, const uint8_t *restrict row, float by, int n)
{
	for (int x = 0; x < n; x++)
		sum[x] += by * (float)row[x];
}

/* Down the columns first, where pixels lie side by side, then along the rows, of which there are fewer. */
void crop_resample(uint8_t *to, int w, int h, const struct image *im, const float crop[6], struct crop_buffer *tmp)
{
	assert(im->channels == 1 && crop[0] > 0 && crop[4] > 0);
	size_t W = (size_t)im->W;
	float *sum = buffer(tmp, 2 * W + 2 * (size_t)w + 2, (size_t)w), *by = sum + W;
	shares(tmp->span, by, w, im->W, crop);
	int left = tmp->span[0].first, n = tmp->span[w - 1].last - left + 1;
	for (int v = 0; v < h; v++) {
		struct span_of s = span_at(crop[4], crop[5], v, im->H);
		for (int x = left; x < left + n; x++)
			sum[x] = 0;
		for (int y = s.first; y <= s.last; y++)
			add_row(sum + left, im->pixels + (size_t)y * W + left, share(&s, y, im->H), n);
		const float *share_of = by;
		for (int u = 0; u < w; u++) {
			float grey = 0.5f;
			for (int x = tmp->span[u].first; x <= tmp->span[u].last; x++)
				grey += *share_of++ * sum[x];
			*to++ = grey >= 255 ? 255 : (uint8_t)grey;
		}
	}
}
