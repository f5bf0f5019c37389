#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/draw/pict_maps.h"

#define HEAT 0xFFB000 /* 0xRRGGBB */

struct pict_maps pict_maps_open(const struct tns *t, int id, int W, int H)
{
	const struct tns_def *def = &t->def[id];
	const char *text = tns_meta_value(t, "maps_scale");
	struct pict_maps m = {.channels = (int)def->dim[1], .h = (int)def->dim[2], .w = (int)def->dim[3]};
	int n = 0;
	m.mul[0] = (double)m.w / W, m.mul[1] = (double)m.h / H;
	m.add[0] = m.mul[0] / 2 - 0.5, m.add[1] = m.mul[1] / 2 - 0.5;
	if (text && (sscanf(text, "x %lf %lf y %lf %lf%n", &m.mul[0], &m.add[0], &m.mul[1], &m.add[1], &n) != 4 || text[n] ||
			    !(m.mul[0] > 0 && m.mul[1] > 0) || !isfinite(m.mul[0] + m.add[0] + m.mul[1] + m.add[1])))
		die("%s: META maps_scale '%s' is not 'x MUL ADD y MUL ADD'", t->name, text);
	return m;
}

/* At cell (u, v), bilinear between the centres of cells; 0 where no cell reaches. */
static double heat_at(const struct pict_maps *m, const float *heat, double u, double v)
{
	if (u < -0.5 || v < -0.5 || u > m->w - 0.5 || v > m->h - 0.5)
		return 0;
	u = fmin(fmax(u, 0), m->w - 1), v = fmin(fmax(v, 0), m->h - 1);
	int i = (int)u, j = (int)v, i1 = i + 1 < m->w ? i + 1 : i, j1 = j + 1 < m->h ? j + 1 : j;
	double fu = u - i, fv = v - j;
	return (1 - fv) * ((1 - fu) * heat[j * m->w + i] + fu * heat[j * m->w + i1]) +
	       fv * ((1 - fu) * heat[j1 * m->w + i] + fu * heat[j1 * m->w + i1]);
}

void pict_maps_blend(const struct pict_maps *m, const float *maps, uint32_t *rgb, int W, int H)
{
	size_t n = (size_t)m->w * (size_t)m->h;
	float *heat = xcalloc(n, sizeof *heat);
	for (int c = 0; c < m->channels; c++) {
		const float *map = maps + (size_t)c * n;
		float peak = 0;
		for (size_t i = 0; i < n; i++)
			peak = fmaxf(peak, map[i]);
		for (size_t i = 0; i < n && peak > 0; i++)
			heat[i] = fmaxf(heat[i], map[i] / peak);
	}
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double t = heat_at(m, heat, x * m->mul[0] + m->add[0], y * m->mul[1] + m->add[1]);
			uint32_t *at = &rgb[y * W + x], mixed = 0;
			t = isfinite(t) ? fmin(fmax(t, 0), 1) * 0.85 : 0;
			for (int shift = 0; shift < 32; shift += 8)
				mixed |= (uint32_t)lrint((1 - t) * (double)(*at >> shift & 255) + t * (double)(HEAT >> shift & 255))
					 << shift;
			*at = mixed;
		}
	free(heat);
}
