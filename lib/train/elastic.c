/* Elastic distortion by a B-spline. */
#include "lib/train/elastic.h"

#include <math.h>

enum { STEPS = 50 }; /* of the fixed point's iteration, whose error shrinks by ELASTIC_MOST's slope, below 0.9, a step */

void elastic_draw(struct elastic *e, const struct augment *a, uint32_t row, int W, int H)
{
	struct philox p = {{0}};
	float most[2] = {(float)(ELASTIC_MOST * W / ELASTIC_CELLS), (float)(ELASTIC_MOST * H / ELASTIC_CELLS)};
	e->W = W, e->H = H;
	for (int k = 0; k < 2 * ELASTIC_NODES * ELASTIC_NODES; k++) {
		if (k % 4 == 0)
			p = philox(a->seed, PHILOX_AUGMENT, a->epoch, row, (uint32_t)(ELASTIC_ELEMENT + k / 4));
		float v = augment_range(a, p.v[k % 4], a->elastic);
		(&e->node[0][0][0])[k] = fminf(fmaxf(v, -most[k % 2]), most[k % 2]);
	}
}

/* The four weights of a cubic B-spline at share t of a cell, 0 to 1. */
static void weights(float t, float w[4])
{
	float s = 1 - t;
	w[0] = s * s * s / 6, w[3] = t * t * t / 6;
	w[1] = 2.0f / 3 - t * t * (2 - t) / 2, w[2] = 2.0f / 3 - s * s * (2 - s) / 2;
}

/* The cell of pixel v of n, and the weights there. */
static int place(float v, int n, float w[4])
{
	float at = (v + 0.5f) / (float)n * ELASTIC_CELLS;
	at = at < 0 ? 0 : at > ELASTIC_CELLS ? ELASTIC_CELLS : at;
	int cell = (int)at < ELASTIC_CELLS ? (int)at : ELASTIC_CELLS - 1;
	weights(at - (float)cell, w);
	return cell;
}

void elastic_shift(const struct elastic *e, float x, float y, float d[2])
{
	float wx[4], wy[4];
	int i = place(x, e->W, wx), j = place(y, e->H, wy);
	d[0] = d[1] = 0;
	for (int l = 0; l < 4; l++)
		for (int k = 0; k < 4; k++)
			for (int c = 0; c < 2; c++)
				d[c] += wy[l] * wx[k] * e->node[j + l][i + k][c];
}

void elastic_image(const struct elastic *e, uint8_t *to, const uint8_t *from)
{
	for (int y = 0; y < e->H; y++)
		for (int x = 0; x < e->W; x++) {
			float d[2];
			elastic_shift(e, (float)x, (float)y, d);
			*to++ = (uint8_t)lrintf(augment_sample(from, e->W, e->H, (float)x + d[0], (float)y + d[1]));
		}
}

void elastic_point(const struct elastic *e, float xy[2])
{
	float p[2] = {xy[0], xy[1]}, d[2];
	if (isnan(xy[0]) || isnan(xy[1]))
		return;
	for (int i = 0; i < STEPS; i++) {
		elastic_shift(e, p[0], p[1], d);
		p[0] = xy[0] - d[0], p[1] = xy[1] - d[1];
	}
	xy[0] = p[0], xy[1] = p[1];
}
