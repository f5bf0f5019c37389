#include "lib/labels/clean.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/csv/image_hash_set.h"
#include "lib/labels/label_check.h"
#include "lib/stream/names.h"

struct row {
	uint64_t row;
	uint32_t id, first; /* first: it shows the same as that row, or 0 */
	int gave;	    /* and had labels that the first one lacked */
	float *xy;
	const unsigned char *image;
};

struct clean_hold {
	const struct csv *csv;
	struct tns_writer *w;
	int k, image, keypoints, id, begun, frozen;
	int *mirror;
	struct image_hash_set *seen;
	struct label_check *judge;
	/* held rows: n of at most room */
	size_t n, room, pixels;
	struct row *rows;
	float *xy; /* (room, K, 2) */
	unsigned char *images;
};

struct clean *clean_new(const struct csv *c, struct tns_writer *w)
{
	struct clean *cl = xcalloc(1, sizeof *cl);
	struct clean_hold *h = cl->hold = xcalloc(1, sizeof *h);
	h->csv = c;
	h->w = w;
	h->k = c->npoints;
	h->mirror = names_mirror(c->points);
	h->seen = image_hash_set_new();
	h->judge = label_check_new(h->k, h->mirror);
	return cl;
}

/* The size is known now. */
static void begin(struct clean *cl)
{
	struct clean_hold *h = cl->hold;
	const struct csv *c = h->csv;
	uint64_t image[] = {TNS_OPEN, (uint64_t)c->h, (uint64_t)c->w}, points[] = {TNS_OPEN, (uint64_t)h->k, 2};
	size_t row = 2 * (size_t)h->k * sizeof(float);
	h->begun = 1;
	h->pixels = (size_t)c->w * (size_t)c->h;
	h->image = tns_define(h->w, "image", TNS_U8, 3, image);
	if (h->k)
		h->keypoints = tns_define(h->w, "keypoints", TNS_F32, 3, points);
	h->id = tns_define(h->w, "id", TNS_U32, 1, image);
	h->frozen = !h->k; /* nothing to learn */
	if (h->frozen)
		return;
	size_t names = 0;
	for (int i = 0; i < h->k; i++)
		names += strlen(c->points[i]) + 1;
	char *list = xcalloc(names, 1), *at = list;
	for (int i = 0; i < h->k; i++)
		at += sprintf(at, "%s%s", i ? "," : "", c->points[i]);
	tns_put_meta(h->w, "points", list);
	free(list);
	h->room = CLEAN_HOLD_BYTES / h->pixels;
	h->room = h->room > CLEAN_HOLD ? CLEAN_HOLD : h->room < SHAPE_ROWS_MIN ? SHAPE_ROWS_MIN : h->room;
	h->rows = xcalloc(h->room, sizeof *h->rows);
	h->xy = xmalloc(h->room * row);
	h->images = xlarge(h->room * h->pixels);
}

/* One line of the report. */
static void tell(const struct clean *cl, uint64_t row, const struct fault *f, const char *action)
{
	char **names = cl->hold->csv->points, value[512] = "-";
	if (!cl->report)
		return;
	if (f->kind == FAULT_SWAPPED)
		snprintf(value, sizeof value, "%s", f->other < 0 ? "all pairs" : names[f->other]);
	else if (f->kind == FAULT_FAR)
		snprintf(value, sizeof value, "%.7g,%.7g not %.1f,%.1f", f->at[0], f->at[1], f->expect[0], f->expect[1]);
	else if (f->kind == FAULT_SHIFTED)
		snprintf(value, sizeof value, "by %.1f,%.1f", f->at[0], f->at[1]);
	else if (f->kind == FAULT_HALF)
		snprintf(value, sizeof value, isnan(f->at[1]) ? "%.7g," : ",%.7g", isnan(f->at[1]) ? f->at[0] : f->at[1]);
	else if (f->kind == FAULT_OUTSIDE && (isnan(f->at[0]) || isnan(f->at[1])))
		snprintf(value, sizeof value, isnan(f->at[1]) ? "%.7g," : ",%.7g", isnan(f->at[1]) ? f->at[0] : f->at[1]);
	else if (f->kind == FAULT_OUTSIDE)
		snprintf(value, sizeof value, "%.7g,%.7g", f->at[0], f->at[1]);
	out_printf(cl->report, "%llu\t%s\t%s\t%s\t%s\n", (unsigned long long)row, f->point < 0 ? "-" : names[f->point], fault_name(f->kind),
		value, action);
}

/* Labels of the row that are suspect and were not found wrong, told of and noted in blank; returns how many. */
static int doubt(struct clean *cl, const struct row *r, const struct faults *f)
{
	const struct clean_hold *h = cl->hold;
	const char *value;
	int n = 0, k;
	for (size_t at = 0; cl->suspects && (k = suspects_next(cl->suspects, r->id, &at, &value)) >= 0;) {
		if (f->drop || f->blank[k] || (isnan(r->xy[2 * k]) && isnan(r->xy[2 * k + 1])))
			continue;
		if (cl->report)
			out_printf(cl->report, "%llu\t%s\t%s\t%s\t%s\n", (unsigned long long)r->row, h->csv->points[k],
				fault_name(FAULT_SUSPECT), value, cl->keep_all ? "kept" : "blanked");
		f->blank[k] = 1;
		cl->kind[FAULT_SUSPECT]++;
		n++;
	}
	return n;
}

/* The row is judged, told of, and written or not. */
static void settle(struct clean *cl, const struct row *r)
{
	struct clean_hold *h = cl->hold;
	if (r->first) {
		cl->merged++;
		if (cl->report)
			out_printf(cl->report, "%llu\t-\tduplicate\t%u\t%s\n", (unsigned long long)r->row, r->first,
				cl->keep_all ? "kept"
				: r->gave    ? "merged"
					     : "dropped");
		if (!cl->keep_all)
			return;
	}
	const struct faults *f = label_check_row(h->judge, r->xy, h->csv->w, h->csv->h);
	for (int i = 0; i < f->n; i++) {
		int blank = f->list[i].kind != FAULT_ODD;
		tell(cl, r->row, &f->list[i], cl->keep_all ? "kept" : f->drop ? "dropped" : blank ? "blanked" : "kept");
		cl->kind[f->list[i].kind]++;
	}
	cl->wrong += doubt(cl, r, f) + f->n > 0;
	if (!cl->keep_all && f->drop) {
		cl->dropped++;
		return;
	}
	for (int k = 0; k < h->k && !cl->keep_all; k++)
		if (f->blank[k]) {
			r->xy[2 * k] = r->xy[2 * k + 1] = NAN;
			cl->blanked++;
		}
	for (int k = 0; k < h->k && cl->need; k++)
		if (cl->need[k] && isnan(r->xy[2 * k])) {
			cl->lacking++;
			return;
		}
	cl->kept++;
	tns_write(h->w, h->image, r->image, 1);
	if (h->k)
		tns_write(h->w, h->keypoints, r->xy, 1);
	tns_write(h->w, h->id, &r->id, 1);
}

/* Labels that only the duplicate has. */
static int complete(int k, float *xy, const float *other)
{
	int gave = 0;
	for (int i = 0; i < k; i++)
		if (isnan(xy[2 * i]) && isnan(xy[2 * i + 1]) && !(isnan(other[2 * i]) && isnan(other[2 * i + 1]))) {
			memcpy(xy + 2 * i, other + 2 * i, 2 * sizeof *xy);
			gave = 1;
		}
	return gave;
}

/* Learn from the held rows, let them go. */
static void freeze(struct clean *cl)
{
	struct clean_hold *h = cl->hold;
	h->frozen = 1;
	label_check_fit(h->judge, h->xy, h->n, h->csv->w, h->csv->h);
	cl->fitted = h->judge->fitted;
	for (size_t i = 0; i < h->n; i++)
		settle(cl, &h->rows[i]);
	free(h->rows);
	free(h->images);
	h->rows = NULL;
	h->images = NULL;
}

void clean_row(struct clean *cl)
{
	struct clean_hold *h = cl->hold;
	const struct csv *c = h->csv;
	size_t row = 2 * (size_t)h->k;
	if (!h->begun)
		begin(cl);
	cl->read++;
	struct row r = {c->row, c->id, 0, 0, h->xy, c->image};
	r.first = image_hash_set_add(h->seen, c->image, h->pixels, c->row < UINT32_MAX ? (uint32_t)c->row : UINT32_MAX);
	if (h->frozen) {
		if (h->k)
			memcpy(h->xy, c->xy, row * sizeof *h->xy);
		settle(cl, &r);
		return;
	}
	r.xy = h->xy + h->n * row;
	memcpy(r.xy, c->xy, row * sizeof *r.xy);
	if (r.first && !cl->keep_all) {
		r.gave = complete(h->k, h->rows[r.first - 1].xy, r.xy);
		for (size_t i = 0; i < row; i++)
			r.xy[i] = NAN; /* the model learns from one of them */
	} else {
		r.image = memcpy(h->images + h->n * h->pixels, c->image, h->pixels);
	}
	h->rows[h->n++] = r;
	if (h->n == h->room)
		freeze(cl);
}

void clean_end(struct clean *cl)
{
	struct clean_hold *h = cl->hold;
	if (!h->begun)
		begin(cl);
	if (!h->frozen)
		freeze(cl);
	const struct {
		const char *key;
		uint64_t n;
	} counts[] = {{"rows.read", cl->read}, {"rows.kept", cl->kept}, {"rows.dropped", cl->dropped}, {"rows.lacking", cl->lacking},
		{"rows.merged", cl->keep_all ? 0 : cl->merged}, {"labels.blanked", cl->blanked}};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		char text[24];
		snprintf(text, sizeof text, "%llu", (unsigned long long)counts[i].n);
		tns_put_meta(h->w, counts[i].key, text);
	}
}

void clean_free(struct clean *cl)
{
	struct clean_hold *h = cl->hold;
	label_check_free(h->judge);
	image_hash_set_free(h->seen);
	free(h->mirror);
	free(h->rows);
	free(h->images);
	free(h->xy);
	free(h);
	free(cl);
}
