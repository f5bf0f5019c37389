#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/draw/pict_faces_io.h"
#include "lib/draw/pict_grid.h"
#include "lib/draw/pict_points.h"

enum { GAP = 14, CAPTION = 18, LEGEND = 30, MARGIN = 16 };

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
		pict_path(p, (double[]){x, x + 14}, (double[]){y - 4, y - 4}, 2, 1.4, PICT_FACES_STEP, 0);
		pict_dot(p, x + 2, y - 4, 2, PICT_FACES_STEP);
		pict_text(p, x + 20, y, 12, PICT_LEFT, 0, PICT_INK, "steps");
		x += 20 + pict_text_width(p, 12, 0, "steps") + 18;
	}
	snprintf(text, sizeof text, f->worst ? "the worst %llu of %llu faces" : "%llu of %llu faces", (unsigned long long)b->n,
		(unsigned long long)total);
	if (x + pict_text_width(p, 11, 0, text) + MARGIN <= width)
		pict_text(p, width - MARGIN, y, 11, PICT_RIGHT, 0, PICT_PALE, text);
}

static void draw(const struct selection *b, const struct pict_faces *f, struct out *o)
{
	double zoom = pict_zoom(b->w, b->h, b->names ? 480 : 192, f->zoom), iw = b->w * zoom, ih = b->h * zoom;
	int columns = pict_columns((int)b->n, f->columns, iw + GAP, ih + CAPTION + GAP), rows = ((int)b->n + columns - 1) / columns;
	double width = 2 * MARGIN + columns * (iw + GAP) - GAP,
	       canvas_width = b->predicted >= 0 ? fmax(width, b->steps >= 0 ? 260 : 190) : width;
	struct pict *p = pict_new(pict_format(&f->to), canvas_width, 2 * MARGIN + LEGEND + rows * (ih + CAPTION + GAP) - GAP);
	draw_legend(p, b, f, b->total, canvas_width);
	size_t n = (size_t)b->w * (size_t)b->h;
	uint32_t *rgb = xmalloc(n * sizeof *rgb);
	const struct pict_range bytes = {0, 255};
	for (size_t i = 0; i < b->n; i++) {
		struct rect cell = {MARGIN + (double)(i % (size_t)columns) * (iw + GAP),
			MARGIN + LEGEND + (double)(i / (size_t)columns) * (ih + CAPTION + GAP), iw, ih};
		pict_grey_u8(&bytes, b->face[i].image, n, rgb);
		if (b->maps >= 0)
			pict_maps_blend(&b->heat, b->face[i].maps, rgb, b->w, b->h);
		pict_image(p, cell.x, cell.y, zoom, b->w, b->h, rgb, 1);
		pict_clip(p, cell.x - 4, cell.y - 4, iw + 8, ih + 8);
		pict_faces_points(p, b, &b->face[i],
			&(struct placement){{zoom, 0, cell.x + 0.5 * zoom, 0, zoom, cell.y + 0.5 * zoom}, cell, pict_points_radius(iw, ih),
				fmax(8, fmin(11, iw / 40))});
		pict_unclip(p);
		draw_caption(p, b, &b->face[i], &cell);
	}
	free(rgb);
	pict_finish(p, o);
}

void pict_faces(const char *data, const struct pict_faces *f)
{
	struct selection b = {0};
	if (f->over) {
		pict_faces_over(data, f);
		return;
	}
	struct out *o = pict_open(&f->to);
	pict_faces_select(&b, data, f);
	draw(&b, f, o);
	pict_faces_free(&b);
}
