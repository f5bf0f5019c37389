/* Points from outputs: coords: an affine map to pixels; heatmap: soft-argmax on the device; map: centroids of peaks, on the host. */
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/nn/decode.h"

struct decoder {
	const struct backend *be;
	const struct model *m;
	real *decoded;		  /* device, heatmap: (B, points, HEATMAP_DECODED) */
	real *host[DECODE_SLOTS]; /* what each slot downloads to; NULL: not used yet */
	size_t size;		  /* values of each */
	int ticket[DECODE_SLOTS], B[DECODE_SLOTS];
	float *prior, *centroid; /* map, of the current row: (points, MODEL_PRIOR), (points, 2) */
};

struct decoder *decoder_new(const struct backend *be, const struct model *m, int B)
{
	struct decoder *d = xcalloc(1, sizeof *d);
	size_t n = (size_t)B * (size_t)m->points * HEATMAP_DECODED, P = (size_t)m->points;
	d->be = be, d->m = m;
	if (m->target == TARGET_HEATMAP)
		d->decoded = be->alloc(be, n * sizeof *d->decoded);
	else
		n = (size_t)B * (size_t)m->outputs;
	d->size = n;
	d->prior = xcalloc(P * MODEL_PRIOR, sizeof *d->prior), d->centroid = xcalloc(P * 2, sizeof *d->centroid);
	return d;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	d->be->release(d->be, d->decoded);
	for (int i = 0; i < DECODE_SLOTS; i++)
		free(d->host[i]);
	free(d->prior), free(d->centroid), free(d);
}

static void to_pixels(const struct model *m, double x, double y, float *xy)
{
	xy[0] = (float)((x - (double)m->ox) / (double)m->sx), xy[1] = (float)((y - (double)m->oy) / (double)m->sy);
}

void decode_heatmap(const struct model *m, const real *decoded, int B, float *xy, float *variance)
{
	for (size_t i = 0; i < (size_t)B * (size_t)m->points; i++, decoded += HEATMAP_DECODED) {
		to_pixels(m, (double)decoded[0], (double)decoded[1], xy + 2 * i);
		if (variance)
			variance[i] = (float)((double)decoded[2] / ((double)m->sx * (double)m->sx) +
					      (double)decoded[3] / ((double)m->sy * (double)m->sy));
	}
}

/* The centroid of sigmoid(z) about the peak of sigmoid(z) times the prior: a Gaussian of mean (prior[0], prior[1]) and standard deviation
 * prior[2]. Returns the centroid's variance, of x and y summed. */
static float peak_centroid(const struct model *m, const real *z, const float *prior, float xy[2])
{
	int peak = 0;
	double max = -1, sum = 0, x = 0, y = 0, square = 0, two_variance = 2 * (double)prior[2] * (double)prior[2];
	for (int i = 0; i < m->W * m->H; i++) {
		double dx = i % m->W - (double)prior[0], dy = i / m->W - (double)prior[1];
		double w = exp(-(dx * dx + dy * dy) / two_variance) / (1 + exp(-(double)z[i]));
		if (w > max)
			max = w, peak = i;
	}
	for (int dy = -DECODE_RADIUS; dy <= DECODE_RADIUS; dy++)
		for (int dx = -DECODE_RADIUS; dx <= DECODE_RADIUS; dx++) {
			int px = peak % m->W + dx, py = peak / m->W + dy;
			if (px < 0 || py < 0 || px >= m->W || py >= m->H || dx * dx + dy * dy > DECODE_RADIUS * DECODE_RADIUS)
				continue;
			double w = 1 / (1 + exp(-(double)z[py * m->W + px]));
			sum += w, x += w * px, y += w * py, square += w * ((double)px * px + (double)py * py);
		}
	if (!(sum > 0)) {
		xy[0] = prior[0], xy[1] = prior[1];
		return prior[2] * prior[2] * 2;
	}
	xy[0] = (float)(x / sum), xy[1] = (float)(y / sum);
	double v = square / sum - (x / sum) * (x / sum) - (y / sum) * (y / sum);
	return (float)(v > 0 ? v : 0);
}

/* The prior under the similarity transform (translation, rotation, scale) that fits its means to the centroids by least squares; standard
 * deviations are halved. */
static void align(float *aligned, const float *prior, const float *centroid, int P)
{
	double a[2] = {0}, b[2] = {0}, dot = 0, cross = 0, square = 0;
	for (int p = 0; p < P; p++)
		for (int k = 0; k < 2; k++)
			a[k] += (double)prior[3 * p + k] / P, b[k] += (double)centroid[2 * p + k] / P;
	for (int p = 0; p < P; p++) {
		double ax = (double)prior[3 * p] - a[0], ay = (double)prior[3 * p + 1] - a[1], bx = (double)centroid[2 * p] - b[0],
		       by = (double)centroid[2 * p + 1] - b[1];
		dot += ax * bx + ay * by, cross += ax * by - ay * bx, square += ax * ax + ay * ay;
	}
	double c = square > 0 ? dot / square : 1, s = square > 0 ? cross / square : 0;
	for (int p = 0; p < P; p++) {
		double ax = (double)prior[3 * p] - a[0], ay = (double)prior[3 * p + 1] - a[1];
		aligned[3 * p] = (float)(b[0] + c * ax - s * ay), aligned[3 * p + 1] = (float)(b[1] + s * ax + c * ay);
		aligned[3 * p + 2] = prior[3 * p + 2] / 2;
	}
}

static void decode_map(struct decoder *d, const real *z, float *xy, float *variance)
{
	const struct model *m = d->m;
	const float *prior = d->prior;
	for (int p = 0; p < m->points; p++) {
		const real *initial = m->prior + 3 * p;
		d->prior[3 * p] = (float)initial[0] * m->sx + m->ox, d->prior[3 * p + 1] = (float)initial[1] * m->sy + m->oy;
		d->prior[3 * p + 2] = (float)initial[2];
		peak_centroid(m, z, prior + 3 * p, d->centroid + 2 * p);
	}
	float *unaligned = xcalloc((size_t)m->points * MODEL_PRIOR, sizeof *unaligned);
	for (int i = 0; i < m->points * MODEL_PRIOR; i++)
		unaligned[i] = prior[i];
	align(d->prior, unaligned, d->centroid, m->points);
	free(unaligned);
	for (int p = 0; p < m->points; p++) {
		float v = peak_centroid(m, z, prior + 3 * p, d->centroid);
		to_pixels(m, (double)d->centroid[0], (double)d->centroid[1], xy + 2 * p);
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
		be->heatmap_loss(be, &s, NULL, NULL, d->decoded, z, NULL, NULL, B);
		z = d->decoded, each = (size_t)m->points * HEATMAP_DECODED;
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
		decode_heatmap(m, d->host[slot], d->B[slot], xy, variance);
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
