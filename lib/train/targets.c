/* Targets on the device, their losses, label residuals, and the fit of the label offset. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/augment.h"
#include "lib/base/ascending.h"
#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/out.h"
#include "lib/nn/decode.h"
#include "lib/stream/names.h"
#include "lib/train/transform.h"
#include "lib/train/targets.h"

/* Ridge, added to the variance of a warp's linear part: shrinks an offset on which the warps have little information. */
#define FIT_RIDGE 0.001
/* Least standard deviation of a heat map's Gaussian, in cells: the nearest cell alone; of target map three times that, else it is 0. */
#define SIGMA_LEAST 0.1

static int has_points(const struct targets *tg)
{
	return tg->points > 0;
}

struct targets *targets_new(
	const struct backend *be, const struct model *m, const struct dataset *ds, const struct targets_options *a, int B, int track)
{
	struct targets *tg = xcalloc(1, sizeof *tg);
	tg->be = be, tg->m = m, tg->ds = ds, tg->a = a, tg->points = m->points, tg->sigma = a->sigma;
	tg->k = m->points ? 2 * m->points : 1;
	size_t all = (size_t)ds->n * (size_t)tg->k, P = (size_t)m->points;
	int distances = track && P && (a->robust > 0 || a->track_residuals);
	tg->target = be->alloc(be, all * sizeof(real)), tg->host = xcalloc(all, sizeof *tg->host);
	tg->own = xcalloc((size_t)tg->k, sizeof *tg->own);
	tg->t = be->alloc(be, (size_t)B * (size_t)tg->k * sizeof(real));
	if (P && (a->weight || distances || ds->weight)) {
		tg->weight = be->alloc(be, all * sizeof(real));
		tg->w = be->alloc(be, (size_t)B * (size_t)tg->k * sizeof(real));
	}
	if (m->target == TARGET_MAP) {
		tg->pixels = be->alloc(be, (size_t)B * (size_t)m->outputs * sizeof(real));
		tg->prior = be->alloc(be, P * MODEL_PRIOR * sizeof(real));
		be->upload(be, tg->prior, m->prior, P * MODEL_PRIOR * sizeof(real));
	}
	if (distances) {
		tg->residual = xmalloc((size_t)ds->n * P * sizeof *tg->residual);
		for (size_t i = 0; i < (size_t)ds->n * P; i++)
			tg->residual[i] = NAN;
	}
	if (P && m->target != TARGET_MAP && (distances || (track && (a->offset || m->sources))))
		tg->predicted = be->alloc(be, (size_t)ds->n * P * (m->target == TARGET_HEATMAP ? HEATMAP_DECODED : 2) * sizeof(real));
	if (P)
		tg->mirror = model_partners(m);
	if (track && m->sources && ds->from)
		tg->fit = source_fit_new(ds->n, m->points);
	return tg;
}

/* Of tg->predicted. */
static size_t values_of_row(const struct targets *tg)
{
	return (size_t)tg->points * (tg->m->target == TARGET_HEATMAP ? HEATMAP_DECODED : 2);
}

void *targets_predicted(const struct targets *tg, size_t *bytes)
{
	*bytes = (size_t)tg->ds->n * values_of_row(tg) * sizeof(real);
	return tg->predicted;
}

void targets_free(struct targets *tg)
{
	if (!tg)
		return;
	void *device[] = {tg->target, tg->weight, tg->t, tg->w, tg->pixels, tg->prior, tg->predicted};
	for (size_t i = 0; i < sizeof device / sizeof *device; i++)
		tg->be->release(tg->be, device[i]);
	free(tg->host), free(tg->own), free(tg->mirror), free(tg->residual), free(tg->asymmetry), source_fit_free(tg->fit), free(tg);
}

/* Sets tg->own to row i's labels less its source's offsets, moved as a (NULL: not at all) moves its image elastically. */
static const float *own_labels(const struct targets *tg, const struct augment *a, uint32_t i)
{
	const struct sources *s = tg->ds->from && tg->ds->from[i] != SOURCES_NONE ? tg->m->sources : NULL;
	const float d[2] = {(float)tg->m->offset[0], (float)tg->m->offset[1]};
	for (int k = 0; k < tg->k; k++)
		tg->own[k] = tg->ds->value[(size_t)i * (size_t)tg->k + (size_t)k] - (s ? (float)s->offset[tg->ds->from[i] * tg->k + k] : 0);
	if (!a || !(a->elastic > 0))
		return tg->own;
	for (int k = 0; k < tg->k; k++)
		tg->own[k] -= d[k % 2];
	transform_points_elastic(tg->own, tg->points, tg->m->W, tg->m->H, a, i);
	for (int k = 0; k < tg->k; k++)
		tg->own[k] += d[k % 2];
	return tg->own;
}

/* Row i's labels under its image's moves by a (NULL: none), of which w is the warp, left and right swapped where mirrored; labels outside
 * the image are kept. */
static void warp_labels(const struct targets *tg, const struct augment *a, const struct warp *w, uint32_t i, float *to)
{
	const float *from = own_labels(tg, a, i), dx = (float)tg->m->offset[0], dy = (float)tg->m->offset[1];
	for (int p = 0; p < tg->points; p++) {
		int q = 2 * (w && w->flipped ? tg->mirror[p] : p);
		to[2 * p] = from[q], to[2 * p + 1] = from[q + 1];
		if (!w)
			continue;
		augment_point(w, from[q] - dx, from[q + 1] - dy, &to[2 * p], &to[2 * p + 1]);
		to[2 * p] += dx, to[2 * p + 1] += dy;
	}
}

double targets_suspect_px(const struct targets *tg, double px)
{
	size_t all = (size_t)tg->ds->n * (size_t)tg->points, n = 0;
	float *known = xmalloc((all + 1) * sizeof *known);
	for (size_t i = 0; tg->residual && i < all; i++)
		if (!isnan(tg->residual[i]))
			known[n++] = tg->residual[i];
	qsort(known, n, sizeof *known, ascending_float);
	double median = n ? (double)known[n / 2] : 0;
	free(known);
	return TARGETS_SUSPECT_FACTOR * median > px ? TARGETS_SUSPECT_FACTOR * median : px;
}

/* Weight of point p's label in row i: 1, or (threshold / distance)^2 where distance is larger. */
static double robust_weight(const struct targets *tg, uint32_t i, int p, double threshold)
{
	double d = (double)tg->residual[(size_t)i * (size_t)tg->points + (size_t)p];
	return d > threshold ? threshold / d * (threshold / d) : 1;
}

static double label_weight(const struct targets *tg, uint32_t i, int p)
{
	return tg->ds->weight ? (double)tg->ds->weight[(size_t)i * (size_t)tg->points + (size_t)p] : 1;
}

void targets_augment(struct targets *tg, const struct augment *a, int full_weight)
{
	const struct model *m = tg->m;
	size_t k = (size_t)tg->k, bytes = (size_t)tg->ds->n * k * sizeof(real);
	float *to = xcalloc(k, sizeof *to);
	for (uint32_t i = 0; i < tg->ds->n; i++) {
		real *host = tg->host + i * k;
		if (!has_points(tg)) {
			host[0] = (real)tg->ds->value[i];
			continue;
		}
		struct warp w;
		if (a)
			w = augment_draw(a, i, m->W, m->H);
		warp_labels(tg, a, a ? &w : NULL, i, to);
		for (size_t p = 0; p < k; p += 2)
			host[p] = (real)(to[p] * m->sx + m->ox), host[p + 1] = (real)(to[p + 1] * m->sy + m->oy);
	}
	free(to);
	tg->be->upload(tg->be, tg->target, tg->host, bytes);
	if (!tg->weight)
		return;
	int downweight = !full_weight && tg->residual && tg->a->robust > 0;
	double threshold = downweight ? targets_suspect_px(tg, tg->a->robust) : 0;
	for (uint32_t i = 0; i < tg->ds->n; i++) {
		int flipped = a && augment_draw(a, i, m->W, m->H).flipped;
		for (int p = 0; p < tg->points; p++) {
			int own = flipped ? tg->mirror[p] : p; /* whose label it is */
			double w = (tg->a->weight ? (double)tg->a->weight[p] : 1) * label_weight(tg, i, own) *
				   (downweight ? robust_weight(tg, i, own, threshold) : 1);
			tg->host[i * k + 2 * (size_t)p] = tg->host[i * k + 2 * (size_t)p + 1] = (real)w;
		}
	}
	tg->be->upload(tg->be, tg->weight, tg->host, bytes);
}

double targets_count(const struct targets *tg, const uint32_t *order, int B)
{
	double n = 0;
	if (!has_points(tg) || tg->m->target == TARGET_MAP)
		return B;
	for (int b = 0; b < B; b++)
		for (int k = 0; k < tg->k; k++) {
			size_t row = order ? order[b] : (uint32_t)b, at = row * (size_t)tg->k + (size_t)k;
			n += !isnan(tg->ds->value[at]) && (!tg->ds->weight || tg->ds->weight[at / 2] > 0);
		}
	return n > 0 ? n : 1;
}

void targets_loss(struct targets *tg, double *loss, real *dz, const real *z, const uint32_t *rows, uint32_t at, int B, double count)
{
	const struct backend *be = tg->be;
	const struct model *m = tg->m;
	const struct targets_options *a = tg->a;
	real mul = (real)(1 / count);
	be->gather(be, tg->t, tg->target, rows, B, tg->k);
	if (tg->w)
		be->gather(be, tg->w, tg->weight, rows, B, tg->k);
	/* pixels to the outputs' unit; sx and sy are equal but for images of odd or unequal sides */
	double unit = has_points(tg) ? sqrt((double)m->sx * (double)m->sy) : 1;
	struct loss l = {.kind = a->loss, .width = (real)(a->width * unit), .curve = (real)(a->curve * unit), .mul = mul};
	real sigma = (real)(m->target == TARGET_HEATMAP ? fmax(tg->sigma * unit, SIGMA_LEAST) : fmax(tg->sigma, 3 * SIGMA_LEAST));
	switch (m->target) {
	case TARGET_LABEL:
	case TARGET_IMAGE:
		l.kind = m->outputs > 1 ? LOSS_SOFTMAX : LOSS_SIGMOID;
		be->loss(be, &l, loss, dz, z, tg->t, NULL, B, m->outputs);
		break;
	case TARGET_COORDS:
		be->loss(be, &l, loss, dz, z, tg->t, tg->w, B, m->outputs);
		if (tg->predicted)
			be->copy(be, tg->predicted + (size_t)at * (size_t)tg->k, z, (size_t)B * (size_t)tg->k * sizeof(real));
		break;
	case TARGET_HEATMAP: {
		struct heatmap_loss s = {.P = m->points, .H = m->MH, .W = m->MW, .sigma = sigma, .entropy = (real)a->entropy, .point = l};
		be->heatmap_loss(be, &s, loss, dz, tg->predicted ? tg->predicted + (size_t)at * (size_t)m->points * HEATMAP_DECODED : NULL,
			z, tg->t, tg->w, B);
		break;
	}
	case TARGET_MAP: {
		struct gaussians s = {m->points, m->H, m->W, sigma, 2};
		be->draw_gaussians(be, &s, tg->pixels, tg->t, tg->prior, B);
		l.kind = LOSS_SIGMOID;
		be->loss(be, &l, loss, dz, z, tg->pixels, NULL, B, m->outputs);
		break;
	}
	}
}

/* Sums for a least-squares fit of y on the FIT regressors x and a constant. */
enum { FIT = 3 };

struct fit {
	double n, x[FIT], y, xx[FIT][FIT], xy[FIT];
};

static void fit_add(struct fit *f, const double x[FIT], double y)
{
	f->n++, f->y += y;
	for (int i = 0; i < FIT; i++) {
		f->x[i] += x[i], f->xy[i] += x[i] * y;
		for (int k = 0; k < FIT; k++)
			f->xx[i][k] += x[i] * x[k];
	}
}

/* Ridge regression of two fits (x and y coordinates) with common slopes and a constant each: normal equations, Gaussian elimination. */
static void fit_solve(const struct fit f[2], double slope[FIT])
{
	double a[FIT][FIT + 1] = {{0}};
	memset(slope, 0, FIT * sizeof *slope);
	if (!(f[0].n > 1) || !(f[1].n > 1))
		return;
	for (int i = 0; i < FIT; i++) {
		for (int l = 0; l < 2; l++) {
			for (int k = 0; k < FIT; k++)
				a[i][k] += f[l].xx[i][k] - f[l].x[i] * f[l].x[k] / f[l].n;
			a[i][FIT] += f[l].xy[i] - f[l].x[i] * f[l].y / f[l].n;
		}
		a[i][i] += FIT_RIDGE * (f[0].n + f[1].n);
	}
	for (int i = 0; i < FIT; i++) /* positive definite: no pivoting needed */
		for (int l = i + 1; l < FIT; l++)
			for (int k = FIT; k >= i; k--)
				a[l][k] -= a[i][k] * a[l][i] / a[i][i];
	for (int i = FIT - 1; i >= 0; i--) {
		slope[i] = a[i][FIT];
		for (int k = i + 1; k < FIT; k++)
			slope[i] -= a[i][k] * slope[k];
		slope[i] /= a[i][i];
	}
}

/* Predicted points xy (points, 2) in pixels, from a row z of tg->predicted. */
static void predicted_points(const struct targets *tg, const real *z, float *xy)
{
	const struct model *m = tg->m;
	if (m->target == TARGET_HEATMAP)
		decode_heatmap(m, z, 1, xy, NULL);
	for (int p = 0; m->target == TARGET_COORDS && p < tg->points; p++) {
		xy[2 * p] = ((float)z[2 * p] - m->ox) / m->sx;
		xy[2 * p + 1] = ((float)z[2 * p + 1] - m->oy) / m->sy;
	}
}

/* Adds one point: its residual (label - prediction) on that coordinate's row of the warp's linear part, and on the label's position, so
 * that predictions shrunk towards the middle don't count as an offset. */
static void fit_warp(struct fit f[2], const struct model *m, const struct warp *w, const float label[2], const float predicted[2])
{
	float o[2], x[2], y[2];
	double middle[2] = {(m->W - 1) / 2.0, (m->H - 1) / 2.0};
	augment_point(w, 0, 0, &o[0], &o[1]), augment_point(w, 1, 0, &x[0], &x[1]), augment_point(w, 0, 1, &y[0], &y[1]);
	for (int k = 0; k < 2; k++)
		fit_add(&f[k], (double[]){(double)(x[k] - o[k]), (double)(y[k] - o[k]), ((double)label[k] - middle[k]) / m->W},
			(double)(label[k] - predicted[k]));
}

/* A point's residual r, which is of the moved image, in the unmoved one; w NULL: the same. */
static void turn_back(float to[2], const struct warp *w, const float r[2])
{
	to[0] = w ? w->m[0] * r[0] + w->m[1] * r[1] : r[0], to[1] = w ? w->m[3] * r[0] + w->m[4] * r[1] : r[1];
}

/* Adds it to its sum (x, y, number). */
static void add_residual(double sum[3], const float r[2])
{
	sum[0] += (double)r[0], sum[1] += (double)r[1], sum[2]++;
}

/* From such sums (points, 3). */
static void set_asymmetry(struct targets *tg, const double *sum)
{
	for (int p = 0; p < tg->points; p++) {
		const double *own = sum + 3 * p, *other = sum + 3 * tg->mirror[p];
		for (int k = 0; k < 2; k++) {
			double a = own[k] / (own[2] + TARGETS_RIDGE), b = other[k] / (other[2] + TARGETS_RIDGE);
			tg->asymmetry[2 * p + k] = (double)(float)((k ? a - b : a + b) / 2); /* as its META keeps it */
		}
	}
}

void targets_end_epoch(struct targets *tg, const uint32_t *order, const struct augment *a, double shift[2])
{
	const struct model *m = tg->m;
	size_t P = (size_t)tg->points, row = values_of_row(tg), n = 0;
	shift[0] = shift[1] = 0;
	if (!tg->predicted)
		return;
	real *observed = xmalloc((size_t)tg->ds->n * row * sizeof *observed);
	float *predicted = xcalloc(2 * P, sizeof *predicted), *label = xcalloc(2 * P, sizeof *label);
	float *residual = xmalloc(((size_t)tg->ds->n * P + 1) * sizeof *residual), threshold = INFINITY;
	struct fit fit[2];
	double *sum = xcalloc(3 * P, sizeof *sum);
	memset(fit, 0, sizeof fit);
	if (a && a->flip && tg->a->offset && !tg->asymmetry)
		tg->asymmetry = xcalloc(2 * P, sizeof *tg->asymmetry);
	tg->be->download(tg->be, observed, tg->predicted, (size_t)tg->ds->n * row * sizeof *observed);
	for (int pass = 0; pass < 1 + (a && tg->a->offset); pass++) { /* 0: residuals; 1: the fit, without outliers */
		for (uint32_t k = 0; k < tg->ds->n; k++) {
			uint32_t i = order[k];
			struct warp w;
			if (a)
				w = augment_draw(a, i, m->W, m->H);
			warp_labels(tg, a, a ? &w : NULL, i, label);
			predicted_points(tg, observed + k * row, predicted);
			for (size_t p = 0; p < P; p++) {
				float d = hypotf(predicted[2 * p] - label[2 * p], predicted[2 * p + 1] - label[2 * p + 1]);
				size_t own = (size_t)(a && w.flipped ? tg->mirror[p] : (int)p); /* whose label it is */
				float r[2];
				if (isnan(d))
					continue;
				turn_back(r, a ? &w : NULL,
					(float[]){label[2 * p] - predicted[2 * p], label[2 * p + 1] - predicted[2 * p + 1]});
				if (pass && d <= threshold) {
					fit_warp(fit, m, &w, label + 2 * p, predicted + 2 * p);
					add_residual(sum + 3 * own, r);
				}
				if (pass)
					continue;
				residual[n++] = d;
				for (size_t c = 0; tg->fit && c < 2; c++)
					tg->fit->residual[(2 * own + c) * tg->ds->n + i] = r[c];
				if (tg->residual) {
					float *mean = &tg->residual[i * P + own];
					*mean = isnan(*mean) ? d : *mean + 0.25f * (d - *mean);
				}
			}
		}
		qsort(residual, n, sizeof *residual, ascending_float);
		threshold = n ? (float)TARGETS_SUSPECT_FACTOR * residual[n / 2] : 0;
	}
	double slope[FIT];
	fit_solve(fit, slope);
	shift[0] = slope[0], shift[1] = slope[1];
	if (tg->asymmetry)
		set_asymmetry(tg, sum);
	free(sum), free(observed), free(predicted), free(label), free(residual);
}

static int is_far(const struct targets *tg, size_t i, double px)
{
	int own = !tg->ds->own || tg->ds->own[i];
	return own && (double)tg->residual[i] > px; /* false for NaN */
}

uint64_t targets_write_suspects(const struct targets *tg, const char *path, double px, int unsure)
{
	int count;
	char **names = names_split(tg->m->names, &count);
	struct out *f = out_open(path, 0);
	uint64_t n = 0;
	size_t all = (size_t)tg->ds->n * (size_t)tg->points, labels = 0, far = 0;
	for (size_t i = 0; i < all; i++)
		labels += (size_t)!isnan(tg->ds->value[2 * i]), far += (size_t)is_far(tg, i, px);
	unsure |= (double)far > TARGETS_SUSPECTS_MAX * (double)labels;
	out_printf(f, "row\tname\tkind\tvalue\taction\n");
	for (uint32_t i = 0; i < tg->ds->n; i++)
		for (int p = 0; p < tg->points; p++) {
			size_t at = (size_t)i * (size_t)tg->points + (size_t)p;
			if (!is_far(tg, at, px))
				continue;
			out_printf(f, "%u\t%s\t%s\t%.4g\tnone\n", tg->ds->id[i], names[p], unsure ? "unsure" : "suspect",
				(double)tg->residual[at]);
			n++;
		}
	out_close(f);
	names_free(names);
	return n;
}

void targets_prior(struct model *m, const struct dataset *ds)
{
	for (int p = 0; m->prior && p < m->points; p++) {
		double n = 0, sum[2] = {0}, square = 0;
		for (uint32_t i = 0; i < ds->n; i++) {
			const float *v = ds->value + (size_t)i * (size_t)ds->k + 2 * p;
			if (isnan(v[0]) || isnan(v[1]))
				continue;
			n++;
			for (int k = 0; k < 2; k++)
				sum[k] += (double)v[k], square += (double)v[k] * (double)v[k];
		}
		double x = n > 0 ? sum[0] / n : (m->W - 1) / 2.0, y = n > 0 ? sum[1] / n : (m->H - 1) / 2.0;
		double v = n > 1 ? (square / n - x * x - y * y) / 2 : m->W * (double)m->H / 16;
		m->prior[3 * p] = (real)x, m->prior[3 * p + 1] = (real)y, m->prior[3 * p + 2] = (real)sqrt(v > 1 ? v : 1);
	}
}

float *targets_weights(const char *points, const char *const *list, int n)
{
	int count;
	char **names = names_split(points, &count);
	float *w = xcalloc((size_t)count, sizeof *w);
	for (int p = 0; p < count; p++)
		w[p] = 1;
	for (int i = 0; i < n; i++) {
		char *name = xstrdup(list[i]), *value = strchr(name, '=');
		double v;
		if (!value || !num_real(value + 1, &v) || v < 0 || v > 1000)
			die_usage("--weigh: '%s' is not NAME=F, F from 0 to 1000", name);
		*value = 0;
		int at = names_index(names, name);
		if (at < 0) {
			struct nearest near = names_nearest(names, name);
			die_usage("--weigh: there is no point '%s' in the data%s", name, nearest_or_all(&near));
		}
		w[at] = (float)v;
		free(name);
	}
	names_free(names);
	return w;
}
