#include "lib/train/transform.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/nn/model.h"
#include "lib/train/elastic.h"

#define RADIANS (3.14159265358979323846 / 180)

struct warp transform_warp(const struct transform *t, int W, int H)
{
	double c = cos(t->rotate * RADIANS) / t->scale, s = sin(t->rotate * RADIANS) / t->scale, cx = 0.5 * (W - 1), cy = 0.5 * (H - 1);
	double x = cx + t->shift[0], y = cy + t->shift[1], r = t->direction * RADIANS;
	struct warp w = {{(float)c, (float)s, (float)(cx - c * x - s * y), (float)-s, (float)c, (float)(cy + s * x - c * y)},
		.gain = (float)(t->light * t->contrast), .bias = (float)(0.5 * t->contrast * (t->light - 1)), .blur = (float)t->blur,
		.path = {(float)(t->motion * cos(r)), (float)(t->motion * sin(r))}, .noise = (float)(t->noise / 255)};
	return w;
}

void transform_offset(struct warp *w, const char *model, int W, int H)
{
	struct tns *t = tns_open(model);
	struct model *m = model_read_meta(t);
	if (!m->points)
		die("%s: a model of no points, which says nothing of labels", model);
	if (m->W != W || m->H != H)
		die("%s: a model of images of %dx%d, not %dx%d", model, m->W, m->H, W, H);
	double x = m->offset[0], y = m->offset[1];
	w->m[2] = (float)((double)w->m[2] + x - (double)w->m[0] * x - (double)w->m[1] * y);
	w->m[5] = (float)((double)w->m[5] + y - (double)w->m[3] * x - (double)w->m[4] * y);
	model_free(m), tns_free(t);
}

void transform_image(uint8_t *to, const uint8_t *from, int W, int H, const struct warp *w, const struct augment *a, uint32_t row)
{
	size_t n = (size_t)W * (size_t)H;
	float *v = xmalloc(n * sizeof *v);
	uint8_t *moved = a->elastic > 0 ? xmalloc(n) : NULL;
	struct elastic e;
	if (moved) {
		elastic_draw(&e, a, row, W, H);
		elastic_image(&e, moved, from), from = moved;
	}
	augment_plane(v, from, W, H, w, a, row, 0);
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)lrintf(v[i] * 255.0f);
	free(v), free(moved);
}

void transform_order(float *to, const float *from, const int *partner, int K, int n, const struct warp *w)
{
	for (int k = 0; k < K; k++)
		memcpy(to + (size_t)k * (size_t)n, from + (size_t)(w->flipped && partner ? partner[k] : k) * (size_t)n,
			(size_t)n * sizeof *to);
}

void transform_points_elastic(float *xy, int K, int W, int H, const struct augment *a, uint32_t row)
{
	struct elastic e;
	if (!(a->elastic > 0))
		return;
	elastic_draw(&e, a, row, W, H);
	for (int k = 0; k < K; k++)
		elastic_point(&e, xy + 2 * k);
}

int transform_points(float *xy, int K, const struct warp *w, int halves)
{
	int lost = 0, apart = halves && w->m[1] == 0 && w->m[3] == 0; /* x depends on x alone, and y on y */
	for (int k = 0; k < K; k++) {
		float x = xy[2 * k], y = xy[2 * k + 1];
		augment_point(w, apart && isnan(x) ? 0 : x, apart && isnan(y) ? 0 : y, &xy[2 * k], &xy[2 * k + 1]);
		xy[2 * k] = isnan(x) ? x : xy[2 * k], xy[2 * k + 1] = isnan(y) ? y : xy[2 * k + 1];
		lost += !apart && isnan(x) != isnan(y);
	}
	return lost;
}

void transform_crop(float crop[6], const struct warp *w, const struct augment *a)
{
	const int lost = w->flipped || a->elastic > 0;
	for (int i = 0; i < 6 && lost; i++)
		crop[i] = INFINITY;
	for (int i = 0; i < 6 && !lost; i += 3) {
		double a = (double)crop[i], b = (double)crop[i + 1], m[6];
		for (int k = 0; k < 6; k++)
			m[k] = (double)w->m[k];
		crop[i] = (float)(a * m[0] + b * m[3]), crop[i + 1] = (float)(a * m[1] + b * m[4]);
		crop[i + 2] = (float)(a * m[2] + b * m[5] + (double)crop[i + 2]);
	}
}
