/* The fit of sources' offsets. */
#include "lib/train/source_fit.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/ascending.h"
#include "lib/base/err.h"

#define NORMAL_SCATTER 1.4826 /* standard deviation by median distance from the median, of a normal distribution */

static void forget(struct source_fit *f)
{
	for (size_t i = 0; i < 2 * (size_t)f->points * f->n; i++)
		f->residual[i] = NAN;
}

struct source_fit *source_fit_new(uint32_t n, int points)
{
	struct source_fit *f = xcalloc(1, sizeof *f);
	f->n = n, f->points = points;
	f->residual = xmalloc((2 * (size_t)points * n + 1) * sizeof *f->residual);
	forget(f);
	return f;
}

void source_fit_free(struct source_fit *f)
{
	if (f)
		free(f->residual), free(f);
}

/* Of v (n), which is sorted, and room (n): without those that are far from the median. */
struct cell {
	double n, mean, error; /* error: of the mean; n 0: too few, or all alike */
};

static struct cell fit_cell(float *v, float *room, size_t n)
{
	struct cell c = {0, 0, 0};
	if (n < SOURCE_FIT_LEAST)
		return c;
	qsort(v, n, sizeof *v, ascending_float);
	double median = ((double)v[(n - 1) / 2] + (double)v[n / 2]) / 2, sum = 0, square = 0;
	for (size_t i = 0; i < n; i++)
		room[i] = (float)fabs((double)v[i] - median);
	qsort(room, n, sizeof *room, ascending_float);
	double far = SOURCE_FIT_FAR * NORMAL_SCATTER * ((double)room[(n - 1) / 2] + (double)room[n / 2]) / 2;
	for (size_t i = 0; i < n; i++) {
		double d = (double)v[i] - median;
		if (fabs(d) <= far)
			c.n++, sum += d, square += d * d;
	}
	double variance = c.n > 1 ? (square - sum * sum / c.n) / (c.n - 1) : 0;
	c.mean = median + sum / c.n, c.error = sqrt(variance / c.n);
	if (!(variance > 0))
		c.n = 0;
	return c;
}

/* The offsets of coordinate k of all points' 2 K, from the cells of the S sources. */
static void set_offsets(const struct cell *cell, struct sources *s, int k)
{
	double labels = 0, sum = 0, q = 0, d[SOURCES_MOST];
	int fit = 0;
	for (int i = 0; i < s->n; i++) {
		d[i] = s->offset[i * 2 * s->points + k] + cell[i].mean;
		labels += cell[i].n, sum += cell[i].n * d[i], fit += cell[i].n > 0;
	}
	for (int i = 0; i < s->n && fit > 1; i++)
		if (cell[i].n > 0)
			d[i] -= sum / labels, q += d[i] / cell[i].error * (d[i] / cell[i].error);
	double keep = q > 0 ? fmax(0, 1 - SOURCE_FIT_SHRINK * (fit - 1) / q) : 0;
	for (int i = 0; i < s->n; i++) /* as its META keeps it */
		s->offset[i * 2 * s->points + k] = fit > 1 && cell[i].n > 0 ? (double)(float)(keep * d[i]) + 0.0 : 0; /* no -0 */
}

void source_fit_end(struct source_fit *f, const int *from, struct sources *s)
{
	float *v = xmalloc(((size_t)f->n + 1) * sizeof *v), *room = xmalloc(((size_t)f->n + 1) * sizeof *room);
	struct cell cell[SOURCES_MOST];
	for (int k = 0; k < 2 * f->points; k++) {
		const float *r = f->residual + (size_t)k * f->n;
		for (int i = 0; i < s->n; i++) {
			size_t n = 0;
			for (uint32_t row = 0; row < f->n; row++)
				if (from[row] == i && !isnan(r[row]))
					v[n++] = r[row];
			cell[i] = fit_cell(v, room, n);
		}
		set_offsets(cell, s, k);
	}
	free(v), free(room);
	forget(f);
}
