#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/base/out.h"
#include "lib/draw/pict.h"
#include "lib/draw/pict_grid.h"
#include "lib/draw/pict_points.h"
#include "lib/draw/pict_video.h"
#include "lib/stream/dataset_stream.h"

enum { SIDE_MAX = 16384, TARGET = 384 };
#define OUTLINE 0x000000B0

/* A sample between two pixels: from the first, 256 - weight parts of 256, from the second, weight. */
struct tap {
	uint16_t a, b, weight;
};

struct frame {
	int w, h, W, H; /* of images; of frames */
	double zoom;
	struct tap *across, *down; /* W; H */
	uint16_t *row[2];	   /* (W): two rows of the image, as wide as the frame, times 256 */
	int is[2];		   /* which ones; -1: none */
	unsigned char *grey;	   /* (W) */
	unsigned char *rgb;	   /* (H, W, 3) */
};

/* Samples at the centres of n pixels that cover size pixels, clamped at the edges. */
static struct tap *taps(int size, int n)
{
	struct tap *t = xcalloc((size_t)n, sizeof *t);
	for (int i = 0; i < n; i++) {
		double at = fmin(fmax((i + 0.5) * size / n - 0.5, 0), size - 1);
		t[i].a = (uint16_t)at;
		t[i].b = (uint16_t)(t[i].a + 1 < size ? t[i].a + 1 : t[i].a);
		t[i].weight = (uint16_t)lrint((at - t[i].a) * 256);
	}
	return t;
}

static void open_frame(struct frame *f, const struct tns *t, int image, double zoom)
{
	const struct tns_def *def = &t->def[image];
	if (def->dim[1] > SIDE_MAX || def->dim[2] > SIDE_MAX)
		die("%s: images of %llux%llu are too large for frames: at most %d a side", t->name, (unsigned long long)def->dim[2],
			(unsigned long long)def->dim[1], SIDE_MAX);
	f->h = (int)def->dim[1], f->w = (int)def->dim[2];
	f->zoom = zoom > 0 ? zoom : fmax(pict_zoom(f->w, f->h, TARGET, 0), 1);
	/* what codecs want */
	if (!(zoom > 0) && (f->w % 2 || f->h % 2) && fmod(f->zoom, 2) > 0)
		f->zoom++;
	double W = fmax(rint(f->w * f->zoom), 1), H = fmax(rint(f->h * f->zoom), 1);
	if (W > SIDE_MAX || H > SIDE_MAX)
		die("%s: frames of %.0fx%.0f are too large: at most %d a side", t->name, W, H, SIDE_MAX);
	f->W = (int)W, f->H = (int)H;
	f->across = taps(f->w, f->W), f->down = taps(f->h, f->H);
	f->row[0] = xcalloc((size_t)f->W, sizeof **f->row), f->row[1] = xcalloc((size_t)f->W, sizeof **f->row);
	f->grey = xcalloc((size_t)f->W, 1);
	f->rgb = xcalloc((size_t)f->W * (size_t)f->H, 3);
}

/* Row y of the image, as wide as the frame; the other one that is kept stays. */
static const uint16_t *wide_row(struct frame *f, const unsigned char *image, int y, int other)
{
	int k = f->is[0] == y ? 0 : f->is[1] == y ? 1 : f->is[0] == other;
	if (f->is[k] == y)
		return f->row[k];
	const unsigned char *from = image + (size_t)y * (size_t)f->w;
	for (int x = 0; x < f->W; x++) {
		const struct tap *t = &f->across[x];
		f->row[k][x] = (uint16_t)(from[t->a] * (256u - t->weight) + from[t->b] * (unsigned)t->weight);
	}
	f->is[k] = y;
	return f->row[k];
}

static void mix_rows(unsigned char *restrict to, const uint16_t *restrict a, const uint16_t *restrict b, unsigned weight, int n)
{
	for (int x = 0; x < n; x++)
		to[x] = (unsigned char)((a[x] * (256 - weight) + b[x] * weight + 32768) >> 16);
}

static void put_greys(unsigned char *to, const unsigned char *grey, int n)
{
	int x = 0;
	for (; x + 4 <= n; x += 4, to += 12) { /* little-endian */
		uint32_t a = grey[x], b = grey[x + 1], c = grey[x + 2], d = grey[x + 3];
		uint64_t first = (uint64_t)(b * 0x0101 | c * 0x01010000u) << 32 | b << 24 | a * 0x010101;
		uint32_t last = c | d * 0x01010100u;
		memcpy(to, &first, 8), memcpy(to + 8, &last, 4);
	}
	for (; x < n; x++, to += 3)
		to[0] = to[1] = to[2] = grey[x];
}

/* The image, bilinear, in greys. */
static void draw_image(struct frame *f, const unsigned char *image)
{
	f->is[0] = f->is[1] = -1;
	for (int y = 0; y < f->H; y++) {
		const struct tap *t = &f->down[y];
		const uint16_t *a = wide_row(f, image, t->a, t->b), *b = wide_row(f, image, t->b, t->a);
		mix_rows(f->grey, a, b, t->weight, f->W);
		put_greys(f->rgb + 3 * (size_t)y * (size_t)f->W, f->grey, f->W);
	}
}

struct segment {
	double x, y, u, v; /* both ends, in pixels of the frame, 0,0 the centre of the first */
};

/* The square of it. */
static double distance(const struct segment *s, double x, double y)
{
	double dx = s->u - s->x, dy = s->v - s->y, length = dx * dx + dy * dy;
	double t = length > 0 ? ((x - s->x) * dx + (y - s->y) * dy) / length : 0;
	t = t < 0 ? 0 : t > 1 ? 1 : t;
	x -= s->x + t * dx, y -= s->y + t * dy;
	return x * x + y * y;
}

static void blend(unsigned char *rgb, uint32_t colour, double cover)
{
	if (cover <= 0)
		return;
	double alpha = (cover < 1 ? cover : 1) * (colour & 255) / 255;
	for (int c = 0; c < 3; c++)
		rgb[c] = (unsigned char)lrint(rgb[c] + alpha * ((double)(colour >> (24 - 8 * c) & 255) - rgb[c]));
}

/* Strokes n segments, round ends, half as wide as radius says, with a dark outline so much wider; edges are anti-aliased by their distance.
 */
static void stroke(struct frame *f, const struct segment *s, int n, double radius, double outline, uint32_t colour)
{
	double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY, reach = radius + outline + 1;
	for (int i = 0; i < n; i++) {
		left = fmin(left, fmin(s[i].x, s[i].u)), right = fmax(right, fmax(s[i].x, s[i].u));
		top = fmin(top, fmin(s[i].y, s[i].v)), bottom = fmax(bottom, fmax(s[i].y, s[i].v));
	}
	int x0 = (int)fmax(left - reach, 0), x1 = (int)fmin(right + reach, f->W - 1);
	int y0 = (int)fmax(top - reach, 0), y1 = (int)fmin(bottom + reach, f->H - 1);
	for (int y = y0; y <= y1; y++)
		for (int x = x0; x <= x1; x++) {
			double d = distance(&s[0], x, y), other = n > 1 ? distance(&s[1], x, y) : d;
			d = other < d ? other : d;
			if (d >= reach * reach)
				continue;
			d = sqrt(d);
			unsigned char *rgb = f->rgb + 3 * ((size_t)y * (size_t)f->W + (size_t)x);
			if (outline > 0)
				blend(rgb, OUTLINE, radius + outline + 0.5 - d);
			blend(rgb, colour, radius + 0.5 - d);
		}
}

/* Point k on the frame; 0 if it is missing or far outside. */
static int place(const struct frame *f, const float *points, int k, double *x, double *y)
{
	if (!pict_points_at(points, k, f->w, f->h, x, y))
		return 0;
	*x = (*x + 0.5) * f->W / f->w - 0.5;
	*y = (*y + 0.5) * f->H / f->h - 0.5;
	return 1;
}

static void draw_points(struct frame *f, const float *truth, const float *predicted, int k)
{
	double r = pict_points_radius(f->W, f->H), c = 1.1 * r, x, y, u, v;
	for (int i = 0; i < k; i++)
		if (place(f, truth, i, &x, &y) && place(f, predicted, i, &u, &v))
			stroke(f, &(struct segment){x, y, u, v}, 1, 0.6, 0, PICT_OFF);
	for (int i = 0; i < k; i++)
		if (place(f, predicted, i, &u, &v))
			stroke(f, (struct segment[]){{u - c, v - c, u + c, v + c}, {u - c, v + c, u + c, v - c}}, 2,
				fmax(1.2, c * 0.55) / 2, 0.8, PICT_PREDICTED);
	for (int i = 0; i < k; i++)
		if (place(f, truth, i, &x, &y))
			stroke(f, &(struct segment){x, y, x, y}, 1, r, 0.8, PICT_TRUTH);
}

static void check_suffix(const char *path)
{
	const char *dot = pict_suffix(path);
	if (dot && strcasecmp(dot, ".ppm") && strcasecmp(dot, ".pnm"))
		die_usage("unknown suffix '%s': frames are PPM (.ppm), of which ffmpeg makes films", dot);
}

void pict_video(const char *data, const struct pict_video *v)
{
	struct frame f = {0};
	int k = 0;
	check_suffix(v->path);
	struct out *o = out_open(v->path, 1);
	struct dataset_stream *d = dataset_stream_open(data);
	int image = dataset_stream_require(d->in, "image", TNS_U8, 3);
	int truth = pict_points_find(d->in, "keypoints", &k), predicted = pict_points_find(d->in, "predicted", &k);
	open_frame(&f, d->in, image, v->zoom);
	char head[40];
	int length = snprintf(head, sizeof head, "P6\n%d %d\n255\n", f.W, f.H);
	uint64_t n, frames = 0;
	while ((n = dataset_stream_next(d)) > 0) {
		for (uint64_t i = 0; i < n; i++) {
			draw_image(&f, dataset_stream_at(d, image, i));
			draw_points(&f, truth < 0 ? NULL : dataset_stream_at(d, truth, i),
				predicted < 0 ? NULL : dataset_stream_at(d, predicted, i), k);
			out_write(o, head, (size_t)length);
			out_write(o, f.rgb, (size_t)f.W * (size_t)f.H * 3);
			out_flush(o);
		}
		frames += n;
	}
	if (!frames)
		die("%s: nothing to draw: 0 rows", d->in->name);
	out_close(o);
	free(f.across);
	free(f.down);
	free(f.row[0]), free(f.row[1]);
	free(f.grey);
	free(f.rgb);
	dataset_stream_close(d);
}
