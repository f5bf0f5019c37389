#include <math.h>

#include "lib/draw/pict.h"
#include "lib/draw/pict_grid.h"

int pict_columns(int n, int64_t wanted, double cell_w, double cell_h)
{
	if (wanted > 0)
		return wanted < n ? (int)wanted : n;
	double ideal = sqrt(n * cell_h / cell_w * 4 / 3);
	int best = (int)(ideal + 0.5);
	if (best < 1)
		best = 1;
	if (best > n)
		best = n;
	/* A full last row within a quarter of the best number is preferred. */
	for (int d = 0; d <= best / 4; d++) {
		if (best + d <= n && n % (best + d) == 0)
			return best + d;
		if (n % (best - d) == 0)
			return best - d;
	}
	return best;
}

double pict_zoom(int w, int h, double target, double wanted)
{
	if (wanted > 0)
		return wanted;
	double z = target / (w > h ? w : h);
	return z >= 1 ? floor(z + 0.25) : 1 / ceil(1 / z - 0.25);
}

static void widen(struct pict_range *r, double v)
{
	if (r->lo > r->hi) {
		r->lo = r->hi = v;
	} else {
		r->lo = fmin(r->lo, v);
		r->hi = fmax(r->hi, v);
	}
}

void pict_range_f32(struct pict_range *r, const float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isfinite(v[i]))
			widen(r, v[i]);
}

void pict_range_u8(struct pict_range *r, const unsigned char *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		widen(r, v[i]);
}

/* Clamped before the conversion to a byte, which would wrap around (as it did in the filters drawn by the study of 2014). */
static uint32_t grey(const struct pict_range *r, double v)
{
	if (!isfinite(v))
		return PICT_NONFINITE >> 8;
	double g = r->hi > r->lo ? (v - r->lo) / (r->hi - r->lo) : 0.5;
	uint32_t b = (uint32_t)(fmin(fmax(g, 0), 1) * 255 + 0.5);
	return b << 16 | b << 8 | b;
}

void pict_grey_f32(const struct pict_range *r, const float *v, size_t n, uint32_t *rgb)
{
	for (size_t i = 0; i < n; i++)
		rgb[i] = grey(r, v[i]);
}

void pict_grey_u8(const struct pict_range *r, const unsigned char *v, size_t n, uint32_t *rgb)
{
	for (size_t i = 0; i < n; i++)
		rgb[i] = grey(r, v[i]);
}
