#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/draw/pict_faces.h"
#include "lib/draw/pict_grid.h"
#include "lib/draw/pict_maps.h"
#include "lib/draw/pict_points.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/names.h"

#define STEP 0x7CFC8AFF

enum { GAP = 14, CAPTION = 18, LEGEND = 30, MARGIN = 16, NAMES_MAX = 1000 };

struct face {
	uint64_t id;
	uint64_t row;
	double error;
	unsigned char *image;
	float *truth, *predicted; /* K x 2, NULL if the stream has none */
	float *steps;		  /* levels x K x 2: the points before each further level of a cascade */
	float *maps;		  /* heat.channels x heat.h x heat.w */
};

/* The data set's tensors, and the faces selected to draw. */
struct selection {
	struct dataset_stream *d;
	int image, truth, predicted, id, steps, maps; /* tensor ids or -1 */
	int w, h, k, levels;
	struct pict_maps heat;
	char **names, *unlearned; /* unlearned (K) 1: no model learned the point, its prediction is NaN */
	struct face *face;
	size_t n;
	size_t least; /* with --worst: index of the selected face to be replaced next */
};

double pict_face_error(const float *truth, const float *predicted, int k, const char *unlearned)
{
	double sum = 0;
	int n = 0;
	for (int i = 0; i < 2 * k; i++)
		if (!isnan(truth[i]) && !(unlearned && unlearned[i / 2])) {
			double e = (double)truth[i] - predicted[i];
			sum += isfinite(e) ? e * e : INFINITY;
			n++;
		}
	return n ? sqrt(sum / n) : NAN;
}

static void find_steps_and_maps(struct selection *b, const struct pict_faces *f)
{
	const struct tns *t = b->d->in;
	b->steps = b->maps = -1;
	if (b->predicted >= 0 && tns_find(t, "steps") >= 0) {
		b->steps = dataset_stream_require(t, "steps", TNS_F32, 4);
		const struct tns_def *def = &t->def[b->steps];
		if (def->dim[2] != (uint64_t)b->k || def->dim[3] != 2)
			die("%s: steps are not of the %d points of predicted", t->name, b->k);
		b->levels = (int)def->dim[1];
	}
	if (!f->maps)
		return;
	if (tns_find(t, "maps") < 0)
		die("%s: no maps to draw (predict --maps makes them)", t->name);
	b->maps = dataset_stream_require(t, "maps", TNS_F32, 4);
	b->heat = pict_maps_open(t, b->maps, b->w, b->h);
}

static void open_selection(struct selection *b, const char *data, const struct pict_faces *f)
{
	b->d = dataset_stream_open(data);
	const struct tns *t = b->d->in;
	b->image = dataset_stream_require(t, "image", TNS_U8, 3);
	b->h = (int)t->def[b->image].dim[1];
	b->w = (int)t->def[b->image].dim[2];
	b->truth = pict_points_find(t, "keypoints", &b->k);
	b->predicted = pict_points_find(t, "predicted", &b->k);
	find_steps_and_maps(b, f);
	b->id = !f->ids && tns_find(t, "id") < 0 ? -1 : dataset_stream_require(t, "id", TNS_U32, 1);
	if (f->worst && (b->truth < 0 || b->predicted < 0))
		die("%s: no %s: --worst needs truth and prediction%s", t->name, b->truth < 0 ? "keypoints" : "predicted",
			b->truth < 0 ? "" : dataset_stream_source(t, "predicted"));
	b->unlearned = names_marks(t, "unlearned", b->k);
	if (f->names) {
		if (!b->k)
			die("%s: no keypoints and no predicted: --names needs points", t->name);
		if (b->k > NAMES_MAX)
			die("%s: %d points are too many for --names: at most %d", t->name, b->k, NAMES_MAX);
		b->names = names_points(t, b->k);
		for (int i = 0; i < b->k; i++)
			for (char *c = b->names[i]; *c; c++)
				if (*c == '_')
					*c = ' ';
	}
}

static void *copy_row(void *to, const struct selection *b, int id, uint64_t i)
{
	if (id < 0)
		return NULL;
	size_t n = b->d->in->def[id].row_bytes;
	to = to ? to : xmalloc(n);
	memcpy(to, dataset_stream_at(b->d, id, i), n);
	return to;
}

/* The row's id, else its number from 1. */
static uint64_t id_of(const struct selection *b, uint64_t i)
{
	uint32_t id;
	if (b->id < 0)
		return b->d->row + i + 1;
	memcpy(&id, dataset_stream_at(b->d, b->id, i), sizeof id);
	return id;
}

static void keep_face(struct selection *b, struct face *f, uint64_t i, double error)
{
	f->row = b->d->row + i + 1;
	f->id = id_of(b, i);
	f->error = error;
	f->image = copy_row(f->image, b, b->image, i);
	f->truth = copy_row(f->truth, b, b->truth, i);
	f->predicted = copy_row(f->predicted, b, b->predicted, i);
	f->steps = copy_row(f->steps, b, b->steps, i);
	f->maps = copy_row(f->maps, b, b->maps, i);
}

/* Larger errors first, of equal ones the earlier row. */
static int by_error(const void *a, const void *b)
{
	const struct face *x = a, *y = b;
	if (x->error != y->error)
		return x->error < y->error ? 1 : -1;
	return x->row < y->row ? -1 : 1;
}

/* Selects row i of the block if it is among those to draw. */
static void select_row(struct selection *b, const struct pict_faces *f, uint64_t i)
{
	if ((f->ids && !ranges_take(f->ids, id_of(b, i))) || b->d->row + i + 1 < (uint64_t)f->first)
		return;
	double error = b->truth < 0 || b->predicted < 0 ? NAN
							: pict_face_error(dataset_stream_at(b->d, b->truth, i),
								  dataset_stream_at(b->d, b->predicted, i), b->k, b->unlearned);
	if (f->worst && isnan(error))
		return;
	if (b->n < (size_t)f->count) {
		if ((b->n & (b->n - 1)) == 0) /* capacity doubles */
			b->face = xrealloc(b->face, (b->n ? 2 * b->n : 1) * sizeof *b->face);
		memset(&b->face[b->n], 0, sizeof *b->face);
		keep_face(b, &b->face[b->n++], i, error);
	} else if (f->worst && error > b->face[b->least].error) {
		keep_face(b, &b->face[b->least], i, error);
	} else {
		return;
	}
	if (f->worst && b->n == (size_t)f->count) {
		b->least = 0;
		for (size_t j = 1; j < b->n; j++)
			if (by_error(&b->face[j], &b->face[b->least]) > 0)
				b->least = j;
	}
}

/* ---- drawing ---- */

struct rect {
	double x, y, w, h;
};

static int overlap(const struct rect *a, const struct rect *b)
{
	return a->x < b->x + b->w && b->x < a->x + a->w && a->y < b->y + b->h && b->y < a->y + a->h;
}

/* Draws names right, left, above or below their points, at increasing distance: at the first position free of points and earlier names,
 * else the one with the fewest overlaps. at (K, 2): points with names, other (K, 2): further points to avoid. */
static void draw_names(
	struct pict *p, const struct selection *b, const struct rect *cell, const double *at, const double *other, double size)
{
	struct rect *occupied = xcalloc(3 * (size_t)b->k, sizeof *occupied);
	int n = 0;
	for (int k = 0; k < b->k; k++) {
		if (!isnan(at[2 * k]))
			occupied[n++] = (struct rect){at[2 * k] - 4, at[2 * k + 1] - 4, 8, 8};
		if (!isnan(other[2 * k]))
			occupied[n++] = (struct rect){other[2 * k] - 4, other[2 * k + 1] - 4, 8, 8};
	}
	for (int k = 0; k < b->k; k++) {
		double x = at[2 * k], y = at[2 * k + 1], w = pict_text_width(p, size, 0, b->names[k]), h = size * 1.1;
		if (isnan(x))
			continue;
		struct rect best = {0};
		int fewest = 1 << 30;
		for (int try = 0; try < 40 && fewest; try++) {
			double distance = 5 + (try / 4) * size * 0.7;
			struct rect s = {x + 6, y - h / 2, w, h};
			switch (try % 4) {
			case 0:
				s.y += distance - 5;
				break;
			case 1:
				s.x = x - 6 - w, s.y += distance - 5;
				break;
			case 2:
				s.x = x - w / 2, s.y = y - distance - h;
				break;
			case 3:
				s.x = x - w / 2, s.y = y + distance;
				break;
			}
			int hits = 0;
			for (int j = 0; j < n; j++)
				hits += overlap(&s, &occupied[j]);
			if (s.x < cell->x || s.y < cell->y || s.x + w > cell->x + cell->w || s.y + h > cell->y + cell->h)
				hits += 10;
			if (hits < fewest)
				fewest = hits, best = s;
		}
		occupied[n++] = best;
		/* A line from a distant name to its point. */
		double nx = fmin(fmax(x, best.x), best.x + w), ny = fmin(fmax(y, best.y), best.y + h);
		if (hypot(nx - x, ny - y) > 9)
			pict_path(p, (double[]){x, nx}, (double[]){y, ny}, 2, 0.8, 0xFFFFFF90, 0);
		pict_text(p, best.x, best.y + size * 0.85, size, PICT_LEFT, PICT_HALO, 0xFFFFFFFF, b->names[k]);
	}
	free(occupied);
}

/* Canvas coordinates of point k; 0 if it is missing or far outside the image. */
static int to_canvas(const float *points, int k, const struct selection *b, const struct rect *cell, double zoom, double *x, double *y)
{
	double px, py;
	if (!pict_points_at(points, k, b->w, b->h, &px, &py))
		return 0;
	*x = cell->x + (px + 0.5) * zoom;
	*y = cell->y + (py + 0.5) * zoom;
	return 1;
}

/* Draws the path of each point through the levels of a cascade. */
static void draw_steps(struct pict *p, const struct selection *b, const struct face *f, const struct rect *cell, double zoom)
{
	double *x = xmalloc(2 * ((size_t)b->levels + 1) * sizeof *x), *y = x + b->levels + 1;
	for (int k = 0; k < b->k; k++) {
		int n = 0;
		for (int l = 0; l <= b->levels; l++)
			n += to_canvas(l < b->levels ? f->steps + 2 * l * b->k : f->predicted, k, b, cell, zoom, &x[n], &y[n]);
		if (n < 2)
			continue;
		pict_path(p, x, y, n, 1.4, STEP, 0);
		for (int i = 0; i < n - 1; i++)
			pict_dot(p, x[i], y[i], i ? 1.4 : 2, STEP);
	}
	free(x);
}

static void draw_points(struct pict *p, const struct selection *b, const struct face *f, const struct rect *cell, double zoom)
{
	double r = pict_points_radius(cell->w, cell->h), tx, ty, px, py;
	double *at = xmalloc(4 * (size_t)b->k * sizeof *at), *other = at + 2 * b->k;
	for (int k = 0; k < b->k; k++)
		if (to_canvas(f->truth, k, b, cell, zoom, &tx, &ty) && to_canvas(f->predicted, k, b, cell, zoom, &px, &py))
			pict_path(p, (double[]){tx, px}, (double[]){ty, py}, 2, 1.2, PICT_OFF, 0);
	for (int k = 0; k < 2 * b->k; k++)
		at[k] = other[k] = NAN;
	for (int k = 0; k < b->k; k++)
		if (to_canvas(f->predicted, k, b, cell, zoom, &px, &py)) {
			pict_cross(p, px, py, r * 1.1, PICT_PREDICTED);
			at[2 * k] = other[2 * k] = px, at[2 * k + 1] = other[2 * k + 1] = py;
		}
	for (int k = 0; k < b->k; k++)
		if (to_canvas(f->truth, k, b, cell, zoom, &tx, &ty)) {
			pict_dot(p, tx, ty, r, PICT_TRUTH);
			at[2 * k] = tx, at[2 * k + 1] = ty;
		}
	if (b->names)
		draw_names(p, b, cell, at, other, fmax(8, fmin(11, cell->w / 40)));
	free(at);
}

static void draw_caption(struct pict *p, const struct selection *b, const struct face *f, const struct rect *cell)
{
	char label[40], error[40] = "";
	snprintf(label, sizeof label, "%s %llu", b->id >= 0 ? "id" : "row", (unsigned long long)f->id);
	if (isinf(f->error))
		snprintf(error, sizeof error, "no prediction");
	else if (!isnan(f->error))
		snprintf(error, sizeof error, "%.2f px", f->error);
	double y = cell->y + cell->h + 13, ew = pict_text_width(p, 10.5, 0, error), lw = pict_text_width(p, 10.5, 0, label);
	/* On tiny faces the error has precedence over the number. */
	if (ew <= cell->w + GAP)
		pict_text(p, cell->x + cell->w, y, 10.5, PICT_RIGHT, 0, PICT_INK, error);
	if (lw + ew + 6 * (ew > 0) <= cell->w + GAP * (ew == 0))
		pict_text(p, cell->x, y, 10.5, PICT_LEFT, 0, PICT_PALE, label);
}

static void draw_legend(struct pict *p, const struct selection *b, const struct pict_faces *f, uint64_t total, double width)
{
	char text[100];
	double x = MARGIN, y = MARGIN + 9;
	if (b->truth >= 0 && b->predicted >= 0) {
		pict_dot(p, x + 5, y - 4, 3.5, PICT_TRUTH);
		pict_text(p, x + 14, y, 12, PICT_LEFT, 0, PICT_INK, "truth");
		x += 14 + pict_text_width(p, 12, 0, "truth") + 18;
	}
	if (b->predicted >= 0) {
		pict_cross(p, x + 5, y - 4, 3, PICT_PREDICTED);
		pict_text(p, x + 15, y, 12, PICT_LEFT, 0, PICT_INK, "predicted");
		x += 15 + pict_text_width(p, 12, 0, "predicted") + 18;
	}
	if (b->steps >= 0) {
		pict_path(p, (double[]){x, x + 14}, (double[]){y - 4, y - 4}, 2, 1.4, STEP, 0);
		pict_dot(p, x + 2, y - 4, 2, STEP);
		pict_text(p, x + 20, y, 12, PICT_LEFT, 0, PICT_INK, "steps");
		x += 20 + pict_text_width(p, 12, 0, "steps") + 18;
	}
	snprintf(text, sizeof text, f->worst ? "the worst %llu of %llu faces" : "%llu of %llu faces", (unsigned long long)b->n,
		(unsigned long long)total);
	if (x + pict_text_width(p, 11, 0, text) + MARGIN <= width)
		pict_text(p, width - MARGIN, y, 11, PICT_RIGHT, 0, PICT_PALE, text);
}

static void draw(struct selection *b, const struct pict_faces *f, uint64_t total, struct out *o)
{
	double zoom = pict_zoom(b->w, b->h, b->names ? 480 : 192, f->zoom), iw = b->w * zoom, ih = b->h * zoom;
	int columns = pict_columns((int)b->n, f->columns, iw + GAP, ih + CAPTION + GAP), rows = ((int)b->n + columns - 1) / columns;
	double width = 2 * MARGIN + columns * (iw + GAP) - GAP,
	       canvas_width = b->predicted >= 0 ? fmax(width, b->steps >= 0 ? 260 : 190) : width;
	struct pict *p = pict_new(pict_format(&f->to), canvas_width, 2 * MARGIN + LEGEND + rows * (ih + CAPTION + GAP) - GAP);
	draw_legend(p, b, f, total, canvas_width);
	size_t n = (size_t)b->w * b->h;
	uint32_t *rgb = xmalloc(n * sizeof *rgb);
	const struct pict_range bytes = {0, 255};
	for (size_t i = 0; i < b->n; i++) {
		struct rect cell = {MARGIN + (double)(i % columns) * (iw + GAP),
			MARGIN + LEGEND + (double)(i / columns) * (ih + CAPTION + GAP), iw, ih};
		pict_grey_u8(&bytes, b->face[i].image, n, rgb);
		if (b->maps >= 0)
			pict_maps_blend(&b->heat, b->face[i].maps, rgb, b->w, b->h);
		pict_image(p, cell.x, cell.y, zoom, b->w, b->h, rgb, 1);
		pict_clip(p, cell.x - 4, cell.y - 4, iw + 8, ih + 8);
		if (b->steps >= 0)
			draw_steps(p, b, &b->face[i], &cell, zoom);
		draw_points(p, b, &b->face[i], &cell, zoom);
		pict_unclip(p);
		draw_caption(p, b, &b->face[i], &cell);
	}
	free(rgb);
	pict_finish(p, o);
}

void pict_faces(const char *data, const struct pict_faces *f)
{
	struct selection b = {0};
	struct out *o = pict_open(&f->to);
	open_selection(&b, data, f);
	uint64_t n, total = 0;
	while ((n = dataset_stream_next(b.d)) > 0) {
		total += n;
		for (uint64_t i = 0; i < n; i++)
			select_row(&b, f, i);
	}
	char *unmet = f->ids ? ranges_unmet(f->ids, "id") : NULL;
	if (unmet)
		die("%s: no row has id %s", b.d->in->name, unmet);
	if (!b.n)
		die("%s: nothing to draw: %llu rows%s", b.d->in->name, (unsigned long long)total,
			f->worst       ? ", none of them labelled"
			: f->first > 1 ? ", fewer than --first"
				       : "");
	if (f->worst)
		qsort(b.face, b.n, sizeof *b.face, by_error);
	draw(&b, f, total, o);
	for (size_t i = 0; i < b.n; i++) {
		free(b.face[i].image);
		free(b.face[i].truth);
		free(b.face[i].predicted);
		free(b.face[i].steps);
		free(b.face[i].maps);
	}
	free(b.face);
	if (b.names)
		names_free(b.names);
	free(b.unlearned);
	dataset_stream_close(b.d);
}
