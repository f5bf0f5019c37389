/* Targets and their losses. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/augment.h"
#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/out.h"
#include "lib/nn/decode.h"
#include "lib/stream/ds.h"
#include "lib/train/goal.h"

/* Beside the variance of a warp's linear part: holds an offset back that warps hardly tell of. */
#define FIT_RIDGE 0.001

static int has_points(const struct goal *g)
{
	return g->points > 0;
}

struct goal *goal_new(const struct ops *o, const struct model *m, const struct rows *r, const struct goal_options *a, int B, int follow)
{
	struct goal *g = xcalloc(1, sizeof *g);
	g->o = o, g->m = m, g->r = r, g->a = a, g->points = m->points;
	g->k = m->points ? 2 * m->points : 1;
	size_t all = (size_t)r->n * (size_t)g->k, P = (size_t)m->points;
	int far = follow && P && (a->distrust > 0 || a->follow);
	g->target = o->alloc(o, all * sizeof(real)), g->host = xcalloc(all, sizeof *g->host);
	g->t = o->alloc(o, (size_t)B * (size_t)g->k * sizeof(real));
	if (P && (a->weight || far)) {
		g->weight = o->alloc(o, all * sizeof(real));
		g->w = o->alloc(o, (size_t)B * (size_t)g->k * sizeof(real));
	}
	if (m->target == TARGET_MAP) {
		g->pixels = o->alloc(o, (size_t)B * (size_t)m->outputs * sizeof(real));
		g->prior = o->alloc(o, P * MODEL_PRIOR * sizeof(real));
		o->put(o, g->prior, m->prior, P * MODEL_PRIOR * sizeof(real));
	}
	if (far) {
		g->distance = xmalloc((size_t)r->n * P * sizeof *g->distance);
		for (size_t i = 0; i < (size_t)r->n * P; i++)
			g->distance[i] = NAN;
	}
	if (P && m->target != TARGET_MAP && (far || (follow && a->offset)))
		g->seen = o->alloc(o, (size_t)r->n * P * (m->target == TARGET_HEATMAP ? HEAT_PLACE : 2) * sizeof(real));
	if (P) {
		int count;
		char **names = ds_split_names(m->names, &count);
		g->mirror = ds_mirror(names);
		ds_free_names(names);
	}
	return g;
}

void goal_free(struct goal *g)
{
	if (!g)
		return;
	void *device[] = {g->target, g->weight, g->t, g->w, g->pixels, g->prior, g->seen};
	for (size_t i = 0; i < sizeof device / sizeof *device; i++)
		g->o->release(g->o, device[i]);
	free(g->host), free(g->mirror), free(g->distance), free(g);
}

/* Labels follow their images: the same map as the pixels', left and right swapped where mirrored; what leaves the image stays a label. */
static void move_row(const struct goal *g, const struct warp *w, uint32_t i, float *to)
{
	const float *from = g->r->value + (size_t)i * (size_t)g->k, dx = (float)g->m->offset[0], dy = (float)g->m->offset[1];
	for (int p = 0; p < g->points; p++) {
		int q = 2 * (w && w->flipped ? g->mirror[p] : p);
		to[2 * p] = from[q], to[2 * p + 1] = from[q + 1];
		if (!w)
			continue;
		augment_point(w, from[q] - dx, from[q + 1] - dy, &to[2 * p], &to[2 * p + 1]);
		to[2 * p] += dx, to[2 * p + 1] += dy;
	}
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

double goal_far(const struct goal *g, double px)
{
	size_t all = (size_t)g->r->n * (size_t)g->points, n = 0;
	float *known = xmalloc((all + 1) * sizeof *known);
	for (size_t i = 0; g->distance && i < all; i++)
		if (!isnan(g->distance[i]))
			known[n++] = g->distance[i];
	qsort(known, n, sizeof *known, ascending);
	double usual = n ? (double)known[n / 2] : 0;
	free(known);
	return GOAL_FAR * usual > px ? GOAL_FAR * usual : px;
}

/* How much a label counts. */
static double trust(const struct goal *g, uint32_t i, int p, double far)
{
	double d = (double)g->distance[(size_t)i * (size_t)g->points + (size_t)p];
	return d > far ? far / d * (far / d) : 1;
}

void goal_move(struct goal *g, const struct augment *a, int trusting)
{
	const struct model *m = g->m;
	size_t k = (size_t)g->k, bytes = (size_t)g->r->n * k * sizeof(real);
	float *to = xcalloc(k, sizeof *to);
	for (uint32_t i = 0; i < g->r->n; i++) {
		real *host = g->host + i * k;
		if (!has_points(g)) {
			host[0] = (real)g->r->value[i];
			continue;
		}
		struct warp w;
		if (a)
			w = augment_draw(a, i, m->W, m->H);
		move_row(g, a ? &w : NULL, i, to);
		for (size_t p = 0; p < k; p += 2)
			host[p] = (real)(to[p] * m->sx + m->ox), host[p + 1] = (real)(to[p + 1] * m->sy + m->oy);
	}
	free(to);
	g->o->put(g->o, g->target, g->host, bytes);
	if (!g->weight)
		return;
	int doubting = !trusting && g->distance && g->a->distrust > 0;
	double far = doubting ? goal_far(g, g->a->distrust) : 0;
	for (uint32_t i = 0; i < g->r->n; i++) {
		int flipped = a && augment_draw(a, i, m->W, m->H).flipped;
		for (int p = 0; p < g->points; p++) {
			double w = (g->a->weight ? (double)g->a->weight[p] : 1) *
				   (doubting ? trust(g, i, flipped ? g->mirror[p] : p, far) : 1);
			g->host[i * k + 2 * (size_t)p] = g->host[i * k + 2 * (size_t)p + 1] = (real)w;
		}
	}
	g->o->put(g->o, g->weight, g->host, bytes);
}

double goal_count(const struct goal *g, const uint32_t *order, int B)
{
	double n = 0;
	if (!has_points(g) || g->m->target == TARGET_MAP)
		return B;
	for (int b = 0; b < B; b++)
		for (int k = 0; k < g->k; k++)
			n += !isnan(g->r->value[(size_t)(order ? order[b] : (uint32_t)b) * (size_t)g->k + (size_t)k]);
	return n > 0 ? n : 1;
}

void goal_batch(struct goal *g, double *loss, real *dz, const real *z, const uint32_t *rows, const uint32_t *order, uint32_t at, int B)
{
	const struct ops *o = g->o;
	const struct model *m = g->m;
	const struct goal_options *a = g->a;
	real mul = (real)(1 / goal_count(g, order, B));
	o->gather(o, g->t, g->target, rows, B, g->k);
	if (g->w)
		o->gather(o, g->w, g->weight, rows, B, g->k);
	/* lengths in the outputs' unit; sx and sy are the same but for images of odd or unequal sides */
	double unit = has_points(g) ? sqrt((double)m->sx * (double)m->sy) : 1;
	struct loss l = {.kind = a->loss, .width = (real)(a->width * unit), .curve = (real)(a->curve * unit), .mul = mul};
	switch (m->target) {
	case TARGET_LABEL:
	case TARGET_IMAGE:
		l.kind = m->outputs > 1 ? LOSS_SOFTMAX : LOSS_SIGMOID;
		o->loss(o, &l, loss, dz, z, g->t, NULL, B, m->outputs);
		break;
	case TARGET_COORDS:
		o->loss(o, &l, loss, dz, z, g->t, g->w, B, m->outputs);
		if (g->seen)
			o->copy(o, g->seen + (size_t)at * (size_t)g->k, z, (size_t)B * (size_t)g->k * sizeof(real));
		break;
	case TARGET_HEATMAP: {
		struct heat s = {
			.P = m->points, .H = m->MH, .W = m->MW, .sigma = (real)(a->sigma * unit), .entropy = (real)a->entropy, .at = l};
		o->heat(o, &s, loss, dz, g->seen ? g->seen + (size_t)at * (size_t)m->points * HEAT_PLACE : NULL, z, g->t, g->w, B);
		break;
	}
	case TARGET_MAP: {
		struct splat s = {m->points, m->H, m->W, (float)a->sigma, 2};
		o->splat(o, &s, g->pixels, g->t, g->prior, B);
		l.kind = LOSS_SIGMOID;
		o->loss(o, &l, loss, dz, z, g->pixels, NULL, B, m->outputs);
		break;
	}
	}
}

/* Sums of a least-squares fit of y on x[0..2] and a constant. */
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

/* Two fits have the slopes in common, and constants of their own. */
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
	for (int i = 0; i < FIT; i++) /* positive definite: no pivots are needed */
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

/* What the net made of row i, seen as z. */
static void saw(const struct goal *g, const real *z, float *is)
{
	const struct model *m = g->m;
	if (m->target == TARGET_HEATMAP)
		decode_places(m, z, 1, is, NULL);
	for (int p = 0; m->target == TARGET_COORDS && p < g->points; p++) {
		is[2 * p] = ((float)z[2 * p] - m->ox) / m->sx;
		is[2 * p + 1] = ((float)z[2 * p + 1] - m->oy) / m->sy;
	}
}

/* A label's residual on its row of the warp's linear part, and on where it must be: a net that moves points too little is no offset. */
static void fit_warp(struct fit f[2], const struct model *m, const struct warp *w, const float must[2], const float is[2])
{
	float o[2], x[2], y[2];
	double middle[2] = {(m->W - 1) / 2.0, (m->H - 1) / 2.0};
	augment_point(w, 0, 0, &o[0], &o[1]), augment_point(w, 1, 0, &x[0], &x[1]), augment_point(w, 0, 1, &y[0], &y[1]);
	for (int k = 0; k < 2; k++)
		fit_add(&f[k], (double[]){(double)(x[k] - o[k]), (double)(y[k] - o[k]), ((double)must[k] - middle[k]) / m->W},
			(double)(must[k] - is[k]));
}

void goal_learn(struct goal *g, const uint32_t *order, const struct augment *a, double shift[2])
{
	const struct model *m = g->m;
	size_t P = (size_t)g->points, row = P * (m->target == TARGET_HEATMAP ? HEAT_PLACE : 2), n = 0;
	shift[0] = shift[1] = 0;
	if (!g->seen)
		return;
	real *seen = xmalloc((size_t)g->r->n * row * sizeof *seen);
	float *is = xcalloc(2 * P, sizeof *is), *must = xcalloc(2 * P, sizeof *must);
	float *off = xmalloc(((size_t)g->r->n * P + 1) * sizeof *off), far = INFINITY;
	struct fit fit[2];
	memset(fit, 0, sizeof fit);
	g->o->get(g->o, seen, g->seen, (size_t)g->r->n * row * sizeof *seen);
	for (int round = 0; round < 1 + (a && g->a->offset); round++) { /* then once more, when it is known what is far */
		for (uint32_t k = 0; k < g->r->n; k++) {
			uint32_t i = order[k];
			struct warp w;
			if (a)
				w = augment_draw(a, i, m->W, m->H);
			move_row(g, a ? &w : NULL, i, must);
			saw(g, seen + k * row, is);
			for (size_t p = 0; p < P; p++) {
				float d = hypotf(is[2 * p] - must[2 * p], is[2 * p + 1] - must[2 * p + 1]);
				if (isnan(d))
					continue;
				if (round && d <= far)
					fit_warp(fit, m, &w, must + 2 * p, is + 2 * p);
				if (round)
					continue;
				off[n++] = d;
				if (g->distance) {
					float *mean = &g->distance[i * P + (size_t)(a && w.flipped ? g->mirror[p] : (int)p)];
					*mean = isnan(*mean) ? d : *mean + 0.25f * (d - *mean);
				}
			}
		}
		qsort(off, n, sizeof *off, ascending);
		far = n ? (float)GOAL_FAR * off[n / 2] : 0;
	}
	double slope[FIT];
	fit_solve(fit, slope);
	shift[0] = slope[0], shift[1] = slope[1];
	free(seen), free(is), free(must), free(off);
}

uint64_t goal_suspects(const struct goal *g, const char *path, double px)
{
	int count;
	char **names = ds_split_names(g->m->names, &count);
	struct out *f = out_open(path, 0);
	uint64_t n = 0;
	out_printf(f, "row\tname\tkind\tvalue\taction\n");
	for (uint32_t i = 0; i < g->r->n; i++)
		for (int p = 0; p < g->points; p++) {
			float d = g->distance[(size_t)i * (size_t)g->points + (size_t)p];
			if (!((double)d > px))
				continue;
			out_printf(f, "%u\t%s\tsuspect\t%.4g\tnone\n", g->r->id[i], names[p], (double)d);
			n++;
		}
	out_close(f);
	ds_free_names(names);
	return n;
}

void goal_prior(struct model *m, const struct rows *r)
{
	for (int p = 0; m->prior && p < m->points; p++) {
		double n = 0, sum[2] = {0}, square = 0;
		for (uint32_t i = 0; i < r->n; i++) {
			const float *v = r->value + (size_t)i * (size_t)r->k + 2 * p;
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

float *goal_weights(const char *points, const char *const *list, int n)
{
	int count;
	char **names = ds_split_names(points, &count);
	float *w = xcalloc((size_t)count, sizeof *w);
	for (int p = 0; p < count; p++)
		w[p] = 1;
	for (int i = 0; i < n; i++) {
		char *name = xstrdup(list[i]), *value = strchr(name, '=');
		double v;
		if (!value || !num_real(value + 1, &v) || v < 0 || v > 1000)
			die_usage("--weigh: '%s' is not NAME=F, F from 0 to 1000", name);
		*value = 0;
		int at = ds_name_index(names, name);
		if (at < 0)
			die_usage("--weigh: there is no point '%s' in the data", name);
		w[at] = (float)v;
		free(name);
	}
	ds_free_names(names);
	return w;
}
