/* Outputs to points. */
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/nn/decode.h"

enum { SPOT = 4 }; /* pixels around a spot's peak that make its centroid */

struct decoder {
	const struct backend *be;
	const struct model *m;
	real *place;		  /* device, heatmap */
	real *host[DECODE_SLOTS]; /* NULL: not used yet */
	size_t size;		  /* of each */
	int ticket[DECODE_SLOTS], B[DECODE_SLOTS];
	float *usual, *found; /* map: (points, MODEL_PRIOR), (points, 2) */
};

struct decoder *decoder_new(const struct backend *be, const struct model *m, int B)
{
	struct decoder *d = xcalloc(1, sizeof *d);
	size_t n = (size_t)B * (size_t)m->points * HEATMAP_PLACE, P = (size_t)m->points;
	d->be = be, d->m = m;
	if (m->target == TARGET_HEATMAP)
		d->place = be->alloc(be, n * sizeof *d->place);
	else
		n = (size_t)B * (size_t)m->outputs;
	d->size = n;
	d->usual = xcalloc(P * MODEL_PRIOR, sizeof *d->usual), d->found = xcalloc(P * 2, sizeof *d->found);
	return d;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	d->be->release(d->be, d->place);
	for (int i = 0; i < DECODE_SLOTS; i++)
		free(d->host[i]);
	free(d->usual), free(d->found), free(d);
}

static void to_pixels(const struct model *m, double x, double y, float *xy)
{
	xy[0] = (float)((x - (double)m->ox) / (double)m->sx), xy[1] = (float)((y - (double)m->oy) / (double)m->sy);
}

void decode_places(const struct model *m, const real *place, int B, float *xy, float *variance)
{
	for (size_t i = 0; i < (size_t)B * (size_t)m->points; i++, place += HEATMAP_PLACE) {
		to_pixels(m, (double)place[0], (double)place[1], xy + 2 * i);
		if (variance)
			variance[i] = (float)((double)place[2] / ((double)m->sx * (double)m->sy));
	}
}

/* The centroid of the spot that is likeliest for a point that usually is at (u[0], u[1]), within about u[2]. Returns its variance. */
static float spot(const struct model *m, const real *z, const float *u, float xy[2])
{
	int peak = 0;
	double most = -1, sum = 0, x = 0, y = 0, square = 0, two = 2 * (double)u[2] * (double)u[2];
	for (int i = 0; i < m->W * m->H; i++) {
		double dx = i % m->W - (double)u[0], dy = i / m->W - (double)u[1];
		double w = exp(-(dx * dx + dy * dy) / two) / (1 + exp(-(double)z[i]));
		if (w > most)
			most = w, peak = i;
	}
	for (int dy = -SPOT; dy <= SPOT; dy++)
		for (int dx = -SPOT; dx <= SPOT; dx++) {
			int px = peak % m->W + dx, py = peak / m->W + dy;
			if (px < 0 || py < 0 || px >= m->W || py >= m->H || dx * dx + dy * dy > SPOT * SPOT)
				continue;
			double w = 1 / (1 + exp(-(double)z[py * m->W + px]));
			sum += w, x += w * px, y += w * py, square += w * ((double)px * px + (double)py * py);
		}
	if (!(sum > 0)) {
		xy[0] = u[0], xy[1] = u[1];
		return u[2] * u[2] * 2;
	}
	xy[0] = (float)(x / sum), xy[1] = (float)(y / sum);
	double v = square / sum - (x / sum) * (x / sum) - (y / sum) * (y / sum);
	return (float)(v > 0 ? v : 0);
}

/* Move, turn and scale the prior so that it lies on what was found, by least squares; deviations are halved. */
static void align(float *usual, const float *prior, const float *found, int P)
{
	double a[2] = {0}, b[2] = {0}, dot = 0, cross = 0, square = 0;
	for (int p = 0; p < P; p++)
		for (int k = 0; k < 2; k++)
			a[k] += (double)prior[3 * p + k] / P, b[k] += (double)found[2 * p + k] / P;
	for (int p = 0; p < P; p++) {
		double ax = (double)prior[3 * p] - a[0], ay = (double)prior[3 * p + 1] - a[1], bx = (double)found[2 * p] - b[0],
		       by = (double)found[2 * p + 1] - b[1];
		dot += ax * bx + ay * by, cross += ax * by - ay * bx, square += ax * ax + ay * ay;
	}
	double c = square > 0 ? dot / square : 1, s = square > 0 ? cross / square : 0;
	for (int p = 0; p < P; p++) {
		double ax = (double)prior[3 * p] - a[0], ay = (double)prior[3 * p + 1] - a[1];
		usual[3 * p] = (float)(b[0] + c * ax - s * ay), usual[3 * p + 1] = (float)(b[1] + s * ax + c * ay);
		usual[3 * p + 2] = prior[3 * p + 2] / 2;
	}
}

static void decode_map(struct decoder *d, const real *z, float *xy, float *variance)
{
	const struct model *m = d->m;
	const float *u = d->usual;
	for (int p = 0; p < m->points; p++) {
		const real *prior = m->prior + 3 * p;
		d->usual[3 * p] = (float)prior[0], d->usual[3 * p + 1] = (float)prior[1], d->usual[3 * p + 2] = (float)prior[2];
		spot(m, z, u + 3 * p, d->found + 2 * p);
	}
	float *was = xcalloc((size_t)m->points * MODEL_PRIOR, sizeof *was);
	for (int i = 0; i < m->points * MODEL_PRIOR; i++)
		was[i] = u[i];
	align(d->usual, was, d->found, m->points);
	free(was);
	for (int p = 0; p < m->points; p++) {
		float v = spot(m, z, u + 3 * p, xy + 2 * p);
		if (variance)
			variance[p] = v;
	}
}

void decode_async(struct decoder *d, const real *z, int B, int slot)
{
	const struct model *m = d->m;
	const struct backend *be = d->be;
	size_t each = (size_t)m->outputs;
	if (!d->host[slot])
		d->host[slot] = xcalloc(d->size, sizeof *d->host[slot]);
	if (m->target == TARGET_HEATMAP) {
		struct heatmap_loss s = {.P = m->points, .H = m->MH, .W = m->MW, .sigma = 1, .point = {.kind = LOSS_SQUARED}};
		be->heatmap_loss(be, &s, NULL, NULL, d->place, z, NULL, NULL, B);
		z = d->place, each = (size_t)m->points * HEATMAP_PLACE;
	}
	d->B[slot] = B;
	d->ticket[slot] = be->download_async(be, d->host[slot], z, (size_t)B * each * sizeof *z);
}

void decode_wait(struct decoder *d, int slot, float *xy, float *variance)
{
	const struct model *m = d->m;
	size_t P = (size_t)m->points;
	d->be->wait(d->be, d->ticket[slot]);
	if (m->target == TARGET_HEATMAP) {
		decode_places(m, d->host[slot], d->B[slot], xy, variance);
		return;
	}
	for (int b = 0; b < d->B[slot]; b++) {
		const real *row = d->host[slot] + (size_t)b * (size_t)m->outputs;
		float *to = xy + (size_t)b * P * 2, *v = variance ? variance + (size_t)b * P : NULL;
		if (m->target == TARGET_MAP)
			decode_map(d, row, to, v);
		for (size_t p = 0; m->target == TARGET_COORDS && p < P; p++) {
			to_pixels(m, (double)row[2 * p], (double)row[2 * p + 1], to + 2 * p);
			if (v)
				v[p] = 0;
		}
	}
}

void decode(struct decoder *d, const real *z, int B, float *xy, float *variance)
{
	decode_async(d, z, B, 0);
	decode_wait(d, 0, xy, variance);
}
