#include "lib/find/pyramid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

/* Windows at a stride that cover n pixels. */
static int windows(double n, int side, int stride)
{
	return n > side ? 1 + (int)ceil((n - side) / stride - 1e-9) : 1;
}

static void resize(struct image *im, int W, int H)
{
	size_t n = (size_t)W * (size_t)H;
	if (n > im->size) {
		free(im->pixels);
		im->pixels = xmalloc(im->size = n);
	}
	im->W = W, im->H = H, im->channels = 1, im->turn = 1;
}

/* The level that a further one is resampled from, where it has at least twice its pixels a side: the last of these; NULL: the image. */
static const struct pyramid_level *source(const struct pyramid *p, double scale)
{
	const struct pyramid_level *from = NULL;
	for (int i = 0; i < p->n; i++)
		if (p->level[i].scale >= 1 && 2 * p->level[i].scale <= scale)
			from = &p->level[i];
	return from;
}

static void add(struct pyramid *p, const struct image *im, const struct pyramid_plan *plan, double scale)
{
	struct pyramid_level *l = &p->level[p->n];
	const struct pyramid_level *from = source(p, scale);
	double a = from ? scale / from->scale : scale;
	l->scale = scale;
	l->nx = windows(im->W / scale, plan->w, plan->stride), l->ny = windows(im->H / scale, plan->h, plan->stride);
	resize(&l->im, plan->w + plan->stride * (l->nx - 1), plan->h + plan->stride * (l->ny - 1));
	float crop[6] = {(float)a, 0, (float)(0.5 * a - 0.5), 0, (float)a, (float)(0.5 * a - 0.5)};
	crop_resample(l->im.pixels, l->im.W, l->im.H, from ? &from->im : im, crop, &p->tmp);
	p->n++;
}

void pyramid_make(struct pyramid *p, const struct image *im, const struct pyramid_plan *plan)
{
	double side = plan->w > plan->h ? plan->w : plan->h, first = plan->smallest / side,
	       fits = fmin((double)im->W / plan->w, (double)im->H / plan->h),
	       last = plan->largest > 0 ? fmin(fits, plan->largest / side) : fits, scale = first;
	p->n = 0;
	for (; scale <= last * (1 + 1e-9) && p->n < PYRAMID_LEVELS - 1; scale *= PYRAMID_STEP)
		add(p, im, plan, fmin(scale, last));
	if (p->n && p->level[p->n - 1].scale < 0.97 * last)
		add(p, im, plan, last);
}

void pyramid_box(const struct pyramid_level *l, double x, double y, double w, double h, double box[4])
{
	box[0] = l->scale * x, box[1] = l->scale * y, box[2] = l->scale * w, box[3] = l->scale * h;
}

void pyramid_free(struct pyramid *p)
{
	for (int i = 0; i < PYRAMID_LEVELS; i++)
		image_free(&p->level[i].im);
	crop_buffer_free(&p->tmp);
	p->n = 0;
}
