#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/draw/pict_grid.h"
#include "lib/draw/pict_tiles.h"
#include "lib/stream/dataset_stream.h"

enum { MARGIN = 16, HEADING = 24, GAP = 4 };
#define BORDER 0xB9C0C8FF /* of tiles: white ones would not show on white */

/* The tiles kept, of one shape, contiguous in memory. */
struct sheet {
	int id, dtype, w, h;
	size_t bytes;	     /* of a tile */
	uint64_t per_row;    /* tiles in a row of the tensor */
	uint64_t total;	     /* tiles read */
	size_t n, capacity;  /* kept */
	unsigned char *tile; /* n tiles */
};

static void keep_tile(struct sheet *s, const unsigned char *tile)
{
	if (s->n == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 64;
		s->tile = xrealloc(s->tile, s->capacity * s->bytes);
	}
	memcpy(s->tile + s->n++ * s->bytes, tile, s->bytes);
}

/* Keeps the tiles in a row of the tensor, from number first on, until there are count. */
static void keep_row(struct sheet *s, const struct pict_tiles *t, const unsigned char *row)
{
	for (uint64_t i = 0; i < s->per_row; i++, s->total++)
		if (s->total + 1 >= (uint64_t)t->first && s->n < (size_t)t->count)
			keep_tile(s, row + i * s->bytes);
}

static int pick_tensor(const struct tns *in, const char *name)
{
	if (name)
		return dataset_stream_find(in, name);
	int id = tns_find(in, "image");
	if (id < 0)
		id = tns_find(in, "0.weight");
	if (id < 0)
		die("%s: neither 'image' nor '0.weight': name a tensor with --tensor", in->name);
	return id;
}

/* Width and height of the tiles of a tensor [N,D]. */
static void flat_shape(struct sheet *s, const struct tns *in, const struct pict_tiles *t, uint64_t d)
{
	const struct tns_def *def = &in->def[s->id];
	const char *input = tns_meta_value(in, "input"), *from = "--size";
	if (t->size.w) {
		s->w = t->size.w, s->h = t->size.h;
	} else if (input) {
		from = "META input";
		if (!num_size(input, &s->w, &s->h))
			die("%s: META input: '%s' is not WxH", in->name, input);
	} else {
		for (s->w = 1; (uint64_t)s->w * (uint64_t)s->w < d; s->w++)
			;
		s->h = s->w;
		from = "a square";
	}
	if ((uint64_t)s->w * (uint64_t)s->h != d)
		die("%s: %s: rows of %llu values are not the %dx%d of %s: give --size WxH", in->name, def->name, (unsigned long long)d,
			s->w, s->h, from);
}

static void shape(struct sheet *s, const struct tns *in, const struct pict_tiles *t)
{
	const struct tns_def *def = &in->def[s->id];
	s->dtype = def->dtype;
	if (def->dtype != TNS_U8 && def->dtype != TNS_F32)
		die("%s: %s is %s: tiles are drawn from u8 or f32", in->name, def->name, tns_dtype_name(def->dtype));
	if (def->ndim < 2 || def->ndim > 4)
		die("%s: %s has %d dimensions: tiles need 2 to 4", in->name, def->name, def->ndim);
	s->per_row = def->ndim == 4 ? def->dim[1] : 1;
	if (def->ndim == 2) {
		flat_shape(s, in, t, def->dim[1]);
	} else {
		s->h = (int)def->dim[def->ndim - 2];
		s->w = (int)def->dim[def->ndim - 1];
		if (t->size.w && (t->size.w != s->w || t->size.h != s->h))
			die("%s: %s: tiles are %dx%d, not the %dx%d of --size", in->name, def->name, s->w, s->h, t->size.w, t->size.h);
	}
	s->bytes = (size_t)s->w * (size_t)s->h * tns_size(s->dtype);
}

static void widen(const struct sheet *s, size_t i, struct pict_range *r)
{
	const unsigned char *v = s->tile + i * s->bytes;
	size_t n = (size_t)s->w * (size_t)s->h;
	if (s->dtype == TNS_U8)
		pict_range_u8(r, v, n);
	else
		pict_range_f32(r, (const void *)v, n);
}

static void draw_tile(
	struct pict *p, const struct sheet *s, size_t i, const struct pict_range *r, double x, double y, double zoom, uint32_t *rgb)
{
	const unsigned char *v = s->tile + i * s->bytes;
	size_t n = (size_t)s->w * (size_t)s->h;
	if (s->dtype == TNS_U8)
		pict_grey_u8(r, v, n, rgb);
	else
		pict_grey_f32(r, (const void *)v, n, rgb);
	pict_image(p, x, y, zoom, s->w, s->h, rgb, 0);
}

/* "0.weight: tiles 1 to 500 of 12034, 25x19, on one scale", at x; shortened from its end where it is wider than width, omitted where even
 * the name is. */
static void draw_heading(
	struct pict *p, const char *name, const char *things, const struct sheet *s, const struct pict_tiles *t, double x, double width)
{
	unsigned long long first = (unsigned long long)t->first, total = (unsigned long long)s->total;
	char text[600];
	int n = s->n < s->total ? snprintf(text, sizeof text, "%s%s%s %llu to %llu of %llu", name, *name ? ": " : "", things, first,
					  first + s->n - 1, total)
				: snprintf(text, sizeof text, "%s%s%llu %s", name, *name ? ": " : "", total, things);
	snprintf(text + n, sizeof text - (size_t)n, ", %dx%d%s", s->w, s->h, t->global ? ", on one scale" : "");
	for (char *end; pict_text_width(p, 11, 0, text) > width; *end = 0)
		if (!(end = strrchr(text, ',')) && !(end = strrchr(text, ':')))
			return;
	pict_text(p, x, MARGIN + 9, 11, PICT_LEFT, 0, PICT_PALE, text);
}

/* ---- tiles ---- */

/* The tiles of one stream as a grid. */
struct panel {
	struct sheet s;
	char *name;			  /* of the tensor, or, where there are several panels, of the file */
	double zoom, w, h, width, height; /* w, h: from one tile to the next */
	int columns;
};

static void read_panel(struct panel *a, const char *data, int several, const struct pict_tiles *t)
{
	struct tns *in = tns_open(data);
	const char *file = strrchr(in->name, '/') ? strrchr(in->name, '/') + 1 : in->name;
	struct sheet *s = &a->s;
	s->id = pick_tensor(in, t->tensor);
	shape(s, in, t);
	while (tns_next(in) == TNS_DATA)
		for (uint64_t i = 0; in->id == s->id && i < in->rows; i++)
			keep_row(s, t, in->data + i * in->def[s->id].row_bytes);
	if (!s->n)
		die("%s: nothing to draw: %s has %llu tiles", in->name, in->def[s->id].name, (unsigned long long)s->total);
	a->name = xprintf("%.255s", several ? file : in->def[s->id].name);
	tns_free(in);
}

static void measure_panel(struct panel *a, int several, const struct pict_tiles *t)
{
	const struct sheet *s = &a->s;
	int64_t wanted = t->columns ? t->columns : s->per_row > 1 && s->per_row <= 64 ? (int64_t)s->per_row : 0;
	a->zoom = pict_zoom(s->w, s->h, several ? 40 : 56, t->zoom);
	a->w = s->w * a->zoom + GAP, a->h = s->h * a->zoom + GAP;
	/* several stand beside each other, so each is narrower */
	a->columns = pict_columns((int)s->n, wanted, several && !wanted ? 2 * a->w : a->w, a->h);
	a->width = a->columns * a->w - GAP, a->height = ((int)s->n + a->columns - 1) / a->columns * a->h - GAP;
}

static void draw_panel(struct pict *p, const struct panel *a, const struct pict_tiles *t, const struct pict_range *all, double left)
{
	const struct sheet *s = &a->s;
	draw_heading(p, a->name, "tiles", s, t, left, a->width);
	uint32_t *rgb = xcalloc((size_t)s->w * (size_t)s->h, sizeof *rgb);
	for (size_t i = 0; i < s->n; i++) {
		struct pict_range own = PICT_RANGE_NONE;
		if (!t->global)
			widen(s, i, &own);
		double x = left + (double)(i % (size_t)a->columns) * a->w, y = MARGIN + HEADING + (double)(i / (size_t)a->columns) * a->h;
		pict_box(p, x - 1, y - 1, a->w - GAP + 2, a->h - GAP + 2, BORDER);
		draw_tile(p, s, i, t->global ? all : &own, x, y, a->zoom, rgb);
	}
	free(rgb);
}

void pict_tiles(char *const *data, int n, const struct pict_tiles *t)
{
	static char *const standard_input[] = {NULL};
	struct out *o = pict_open(&t->to);
	struct pict_range all = PICT_RANGE_NONE;
	double width = MARGIN, height = 0;
	if (!n)
		data = standard_input, n = 1;
	struct panel *panel = xcalloc((size_t)n, sizeof *panel);
	for (int k = 0; k < n; k++) {
		read_panel(&panel[k], data[k], n > 1, t);
		measure_panel(&panel[k], n > 1, t);
		for (size_t i = 0; t->global && i < panel[k].s.n; i++)
			widen(&panel[k].s, i, &all);
		width += panel[k].width + MARGIN, height = fmax(height, panel[k].height);
	}
	struct pict *p = pict_new(pict_format(&t->to), width, 2 * MARGIN + HEADING + height);
	double left = MARGIN;
	for (int k = 0; k < n; k++) {
		draw_panel(p, &panel[k], t, &all, left);
		left += panel[k].width + MARGIN;
		free(panel[k].s.tile), free(panel[k].name);
	}
	free(panel);
	pict_finish(p, o);
}

/* ---- pairs ---- */

static void draw_pairs(struct sheet *s, const struct pict_tiles *t, struct out *o)
{
	const char *const names[2] = {"original", "reconstruction"};
	const struct pict_range ranges[2] = {{0, 255}, {0, s[1].dtype == TNS_U8 ? 255 : 1}};
	double zoom = pict_zoom(s->w, s->h, 76, t->zoom), gap = 6, w = s->w * zoom, h = s->h * zoom;
	int columns = pict_columns((int)s->n, t->columns ? t->columns : 10, 1, 1), rows = ((int)s->n + columns - 1) / columns;
	double pair = 2 * h + 2, label = 104, width = 2 * MARGIN + label + columns * (w + gap) - gap, pitch = pair + 14;
	if (h < 14)
		pitch = fmax(pair, 28) + 14;
	struct pict *p = pict_new(pict_format(&t->to), width, 2 * MARGIN + HEADING + rows * pitch - 14);
	draw_heading(p, "", "pairs", s, t, MARGIN, width - 2 * MARGIN);
	uint32_t *rgb = xcalloc((size_t)s->w * (size_t)s->h, sizeof *rgb);
	for (int r = 0; r < rows; r++)
		for (int k = 0; k < 2; k++) {
			double y = MARGIN + HEADING + r * pitch + k * (h + 2), line = y + h / 2 + 4;
			/* Low tiles: the two labels would overlap. */
			if (h < 14)
				line = MARGIN + HEADING + r * pitch + 10 + 14 * k;
			pict_text(p, MARGIN + label - 10, line, 11, PICT_RIGHT, 0, PICT_INK, names[k]);
			for (size_t i = (size_t)r * (size_t)columns; i < s->n && i < (size_t)(r + 1) * (size_t)columns; i++)
				draw_tile(
					p, &s[k], i, &ranges[k], MARGIN + label + (double)(i % (size_t)columns) * (w + gap), y, zoom, rgb);
		}
	free(rgb);
	pict_finish(p, o);
}

void pict_pairs(const char *data, const struct pict_tiles *t)
{
	struct sheet s[2] = {{0}, {0}};
	struct out *o = pict_open(&t->to);
	struct dataset_stream *d = dataset_stream_open(data);
	const struct tns *in = d->in;
	s[0].id = dataset_stream_require(in, "image", TNS_U8, 3);
	s[1].id = tns_find(in, "reconstruction");
	if (s[1].id < 0)
		die("%s: no tensor 'reconstruction' (predict adds it, by a model of dae-pretrain, rbm-pretrain or pca-fit)", in->name);
	const struct tns_def *a = &in->def[s[0].id], *b = &in->def[s[1].id];
	if (b->ndim != 3 || b->dim[1] != a->dim[1] || b->dim[2] != a->dim[2])
		die("%s: reconstruction has not the shape of image, %llux%llu", in->name, (unsigned long long)a->dim[2],
			(unsigned long long)a->dim[1]);
	for (int k = 0; k < 2; k++)
		shape(&s[k], in, t);
	uint64_t n;
	while ((n = dataset_stream_next(d)) > 0)
		for (uint64_t i = 0; i < n; i++)
			for (int k = 0; k < 2; k++)
				keep_row(&s[k], t, dataset_stream_at(d, s[k].id, i));
	if (!s->n)
		die("%s: nothing to draw: %llu rows", in->name, (unsigned long long)s->total);
	draw_pairs(s, t, o);
	for (int k = 0; k < 2; k++)
		free(s[k].tile);
	dataset_stream_close(d);
}
