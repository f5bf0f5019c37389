/* One face's points, wherever it lies on the canvas. */
#include <math.h>
#include <stdlib.h>

#include "lib/draw/pict_faces_io.h"
#include "lib/draw/pict_points.h"

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
static int to_canvas(const float *points, int k, const struct selection *b, const struct placement *at, double *x, double *y)
{
	const double *m = at->m;
	double u, v;
	if (!pict_points_at(points, k, b->w, b->h, &u, &v))
		return 0;
	*x = m[0] * u + m[1] * v + m[2];
	*y = m[3] * u + m[4] * v + m[5];
	return 1;
}

/* Draws the path of each point through the levels of a cascade. */
static void draw_steps(struct pict *p, const struct selection *b, const struct face *f, const struct placement *place)
{
	double *x = xmalloc(2 * ((size_t)b->levels + 1) * sizeof *x), *y = x + b->levels + 1;
	for (int k = 0; k < b->k; k++) {
		int n = 0;
		for (int l = 0; l <= b->levels; l++)
			n += to_canvas(l < b->levels ? f->steps + 2 * l * b->k : f->predicted, k, b, place, &x[n], &y[n]);
		if (n < 2)
			continue;
		pict_path(p, x, y, n, 1.4, PICT_FACES_STEP, 0);
		for (int i = 0; i < n - 1; i++)
			pict_dot(p, x[i], y[i], i ? 1.4 : 2, PICT_FACES_STEP);
	}
	free(x);
}

void pict_faces_points(struct pict *p, const struct selection *b, const struct face *f, const struct placement *place)
{
	double r = place->radius, tx, ty, px, py;
	if (b->steps >= 0)
		draw_steps(p, b, f, place);
	double *at = xmalloc(4 * (size_t)b->k * sizeof *at), *other = at + 2 * b->k;
	for (int k = 0; k < b->k; k++)
		if (to_canvas(f->truth, k, b, place, &tx, &ty) && to_canvas(f->predicted, k, b, place, &px, &py))
			pict_path(p, (double[]){tx, px}, (double[]){ty, py}, 2, 1.2, PICT_OFF, 0);
	for (int k = 0; k < 2 * b->k; k++)
		at[k] = other[k] = NAN;
	for (int k = 0; k < b->k; k++)
		if (to_canvas(f->predicted, k, b, place, &px, &py)) {
			pict_cross(p, px, py, r * 1.1, PICT_PREDICTED);
			at[2 * k] = other[2 * k] = px, at[2 * k + 1] = other[2 * k + 1] = py;
		}
	for (int k = 0; k < b->k; k++)
		if (to_canvas(f->truth, k, b, place, &tx, &ty)) {
			pict_dot(p, tx, ty, r, PICT_TRUTH);
			at[2 * k] = tx, at[2 * k + 1] = ty;
		}
	if (b->names)
		draw_names(p, b, &place->cell, at, other, place->text);
	free(at);
}
