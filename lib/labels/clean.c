#include "lib/labels/clean.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/csv/image_hash_set.h"
#include "lib/labels/filled.h"
#include "lib/labels/label_check.h"
#include "lib/labels/pairs.h"
#include "lib/stream/names.h"

struct row {
	uint64_t row;
	uint32_t id, first; /* first: the earlier row with the same image, or 0 */
	int completes;	    /* 1: had labels that the first one lacked */
	float *xy;
	const unsigned char *image;
};

struct clean_state {
	const struct csv *csv;
	struct tns_writer *w;
	int k, image, keypoints, id, defined, frozen;
	uint32_t last_id; /* of the row before */
	int *mirror;
	struct image_hash_set *hashes;
	struct label_check *check;
	/* buffered rows: n of at most capacity; pixels of an image */
	size_t n, capacity, pixels;
	struct row *rows;
	float *xy;	/* (capacity, K, 2) */
	float *scratch; /* (K, 2) */
	unsigned char *images;
};

struct clean *clean_new(const struct csv *c, struct tns_writer *w)
{
	struct clean *cl = xcalloc(1, sizeof *cl);
	struct clean_state *h = cl->state = xcalloc(1, sizeof *h);
	h->csv = c;
	h->w = w;
	h->k = c->npoints;
	h->scratch = xcalloc(2 * (size_t)h->k + 1, sizeof *h->scratch);
	h->hashes = image_hash_set_new();
	h->check = h->k ? NULL : label_check_new(0, NULL);
	return cl;
}

/* The image size is known now. */
static void define_tensors(struct clean *cl)
{
	struct clean_state *h = cl->state;
	const struct csv *c = h->csv;
	uint64_t image[] = {TNS_UNLIMITED, (uint64_t)c->h, (uint64_t)c->w}, points[] = {TNS_UNLIMITED, (uint64_t)h->k, 2};
	size_t row = 2 * (size_t)h->k * sizeof(float);
	h->defined = 1;
	h->pixels = (size_t)c->w * (size_t)c->h;
	h->image = tns_define(h->w, "image", TNS_U8, 3, image);
	if (h->k)
		h->keypoints = tns_define(h->w, "keypoints", TNS_F32, 3, points);
	h->id = tns_define(h->w, "id", TNS_U32, 1, image);
	h->frozen = !h->k; /* no points, no model */
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
	h->capacity = CLEAN_BUFFER_BYTES / h->pixels;
	h->capacity = h->capacity < CLEAN_BUFFER_LEAST ? CLEAN_BUFFER_LEAST : h->capacity;
	h->capacity = h->capacity > CLEAN_BUFFER_ROWS ? CLEAN_BUFFER_ROWS : h->capacity;
	h->rows = xcalloc(h->capacity, sizeof *h->rows);
	h->xy = xmalloc(h->capacity * row);
	h->images = xlarge(h->capacity * h->pixels);
}

/* One line of the report. */
static void report_fault(const struct clean *cl, uint64_t row, const struct fault *f, const char *action)
{
	char **names = cl->state->csv->points, value[512] = "-";
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

/* Reports the suspect labels of the row that were not found wrong, and marks them in blank; returns how many. */
static int blank_suspects(struct clean *cl, const struct row *r, const struct faults *f)
{
	const struct clean_state *h = cl->state;
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

/* Of a row that is left out as a duplicate: its suspect labels, which are to complete no other row, and count as found; xy may be NULL. */
static void drop_suspects(struct clean *cl, uint32_t id, float *xy)
{
	const char *value;
	int k;
	for (size_t at = 0; cl->suspects && (k = suspects_next(cl->suspects, id, &at, &value)) >= 0;)
		if (xy)
			xy[2 * k] = xy[2 * k + 1] = NAN;
}

/* Blanks labels that are none, in place. */
static void blank_sentinels(const struct sentinels *s, int k, float *xy, size_t labels)
{
	for (size_t i = 0; i < labels; i++)
		if (sentinel_is(s, (int)(i % (size_t)k), xy + 2 * i))
			xy[2 * i] = xy[2 * i + 1] = NAN;
}

/* Reports labels of the row that are none; no other check may take them for labels: they are blanked in scratch, and in the row but where
 * all is kept. */
static void check_sentinels(struct clean *cl, const struct row *r)
{
	const struct clean_state *h = cl->state;
	for (int k = 0; k < h->k; k++) {
		const float *xy = r->xy + 2 * k;
		enum sentinel kind = sentinel_is(&cl->sentinels, k, xy);
		if (!kind)
			continue;
		cl->means += kind == SENTINEL_MEAN;
		cl->kind[FAULT_SENTINEL]++;
		if (cl->report && !cl->sentinels.nstated)
			out_printf(cl->report, "%llu\t%s\t%s\t%.7g,%.7g\t%s\n", (unsigned long long)r->row, h->csv->points[k],
				fault_name(FAULT_SENTINEL), (double)xy[0], (double)xy[1], cl->keep_all ? "kept" : "blanked");
	}
	if (!h->k)
		return;
	memcpy(h->scratch, r->xy, 2 * (size_t)h->k * sizeof *h->scratch);
	blank_sentinels(&cl->sentinels, h->k, h->scratch, (size_t)h->k);
	if (!cl->keep_all)
		memcpy(r->xy, h->scratch, 2 * (size_t)h->k * sizeof *h->scratch);
}

/* Checks the row, reports its faults, and writes it unless it is dropped. */
static void finish_row(struct clean *cl, const struct row *r)
{
	struct clean_state *h = cl->state;
	if (r->first) {
		cl->merged++;
		drop_suspects(cl, r->id, NULL);
		if (cl->report)
			out_printf(cl->report, "%llu\t-\tduplicate\t%u\t%s\n", (unsigned long long)r->row, r->first,
				cl->keep_all   ? "kept"
				: r->completes ? "merged"
					       : "dropped");
		if (!cl->keep_all)
			return;
	}
	check_sentinels(cl, r);
	const struct faults *f = label_check_row(h->check, h->scratch, h->csv->w, h->csv->h);
	for (int i = 0; i < f->n; i++) {
		int blank = f->list[i].kind != FAULT_ODD;
		report_fault(cl, r->row, &f->list[i], cl->keep_all ? "kept" : f->drop ? "dropped" : blank ? "blanked" : "kept");
		cl->kind[f->list[i].kind]++;
	}
	cl->wrong += blank_suspects(cl, r, f) + f->n > 0;
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

/* 1: a label of point i that csv-clean keeps, as far as that can be told without the shape model. */
static int is_whole(const struct clean *cl, int i, const float *xy)
{
	const struct csv *c = cl->state->csv;
	return !isnan(xy[0]) && !isnan(xy[1]) && !fault_outside(xy, c->w, c->h) && !sentinel_is(&cl->sentinels, i, xy);
}

/* Copies the labels that only the duplicate has; 1 if there are any. */
static int copy_missing_labels(const struct clean *cl, int k, float *xy, const float *other)
{
	int completes = 0;
	for (int i = 0; i < k; i++) {
		float *to = xy + 2 * i;
		const float *from = other + 2 * i;
		if (is_whole(cl, i, to) || !is_whole(cl, i, from))
			continue;
		memcpy(to, from, 2 * sizeof *to);
		completes = 1;
	}
	return completes;
}

static void blank_row(float *xy, int k)
{
	for (int i = 0; i < 2 * k; i++)
		xy[i] = NAN;
}

/* Finds what is no label, in one row of each image, which then gets the labels that only its duplicates have. */
static void merge_duplicates(struct clean *cl, float *known)
{
	struct clean_state *h = cl->state;
	size_t row = 2 * (size_t)h->k;
	memcpy(known, h->xy, h->n * row * sizeof *known);
	for (size_t i = 0; i < h->n && !cl->keep_all; i++)
		if (h->rows[i].first)
			blank_row(known + i * row, h->k);
	sentinels_find(&cl->sentinels, h->k, known, h->n, h->csv->w, h->csv->h);
	for (size_t i = 0; i < h->n && !cl->keep_all; i++)
		if (h->rows[i].first) {
			drop_suspects(cl, h->rows[i].id, h->rows[i].xy);
			h->rows[i].completes = copy_missing_labels(cl, h->k, h->rows[h->rows[i].first - 1].xy, h->rows[i].xy);
			blank_row(h->rows[i].xy, h->k); /* the model is fitted to one of them only */
		}
	memcpy(known, h->xy, h->n * row * sizeof *known);
	blank_sentinels(&cl->sentinels, h->k, known, h->n * (size_t)h->k);
}

/* By the buffered rows' labels, but for those outside the image, which are wrong in any case. */
static int *find_pairs(struct clean *cl, const float *known)
{
	const struct clean_state *h = cl->state;
	size_t labels = h->n * (size_t)h->k;
	float *inside = xmalloc((2 * labels + 1) * sizeof *inside);
	memcpy(inside, known, 2 * labels * sizeof *inside);
	for (size_t i = 0; i < labels; i++)
		if (fault_outside(inside + 2 * i, h->csv->w, h->csv->h))
			blank_row(inside + 2 * i, 1);
	int *partner = pairs_find(h->k, inside, h->n, h->csv->w, h->csv->h, h->csv->points, cl->rather);
	free(inside);
	return partner;
}

/* Fits the model to the buffered rows, writes and frees them. */
static void freeze(struct clean *cl)
{
	struct clean_state *h = cl->state;
	size_t labels = h->n * (size_t)h->k;
	float *known = xmalloc((2 * labels + 1) * sizeof *known); /* the rows without what is no label: each row's are reported with it */
	h->frozen = 1;
	merge_duplicates(cl, known);
	cl->filled = xcalloc((size_t)h->k, sizeof *cl->filled), cl->first_rows = h->n;
	if (!cl->sentinels.nstated)
		filled_find(h->k, known, h->n, cl->filled);
	cl->rather = xcalloc((size_t)h->k, sizeof *cl->rather);
	h->mirror = find_pairs(cl, known);
	if (cl->pairs)
		pairs_state(h->mirror, h->csv->points, cl->pairs);
	cl->partner = h->mirror;
	char *pairs = names_pairs_text(h->csv->points, h->mirror);
	tns_put_meta(h->w, "pairs", pairs);
	free(pairs);
	int *self = xcalloc((size_t)h->k, sizeof *self); /* a point without a partner can't be swapped with one */
	for (int i = 0; i < h->k; i++)
		self[i] = h->mirror[i] < 0 ? i : h->mirror[i];
	h->check = label_check_new(h->k, self);
	free(self);
	label_check_fit(h->check, known, h->n, h->csv->w, h->csv->h);
	free(known);
	cl->fitted = h->check->fitted, cl->model_rows = h->check->rows, cl->shrunk = h->check->shrunk;
	for (size_t i = 0; i < h->n; i++)
		finish_row(cl, &h->rows[i]);
	free(h->rows);
	free(h->images);
	h->rows = NULL;
	h->images = NULL;
}

void clean_row(struct clean *cl)
{
	struct clean_state *h = cl->state;
	const struct csv *c = h->csv;
	size_t row = 2 * (size_t)h->k;
	if (!h->defined)
		define_tensors(cl);
	cl->read++;
	for (size_t i = 0; i < row; i++) /* false for NaN */
		cl->far = fabsf(c->xy[i]) > cl->far ? fabsf(c->xy[i]) : cl->far;
	struct row r = {c->row, c->id, 0, 0, h->xy, c->image};
	r.first = image_hash_set_add(h->hashes, c->image, h->pixels, c->row < UINT32_MAX ? (uint32_t)c->row : UINT32_MAX);
	cl->same_id += cl->read > 1 && !r.first && c->id == h->last_id;
	h->last_id = c->id;
	if (h->frozen) {
		if (h->k)
			memcpy(h->xy, c->xy, row * sizeof *h->xy);
		finish_row(cl, &r);
		return;
	}
	r.xy = h->xy + h->n * row;
	memcpy(r.xy, c->xy, row * sizeof *r.xy);
	if (!r.first || cl->keep_all)
		r.image = memcpy(h->images + h->n * h->pixels, c->image, h->pixels);
	h->rows[h->n++] = r;
	if (h->n == h->capacity)
		freeze(cl);
}

void clean_end(struct clean *cl)
{
	struct clean_state *h = cl->state;
	if (!h->defined)
		define_tensors(cl);
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
	struct clean_state *h = cl->state;
	label_check_free(h->check);
	image_hash_set_free(h->hashes);
	free(h->mirror), free(h->scratch), free(cl->filled), free(cl->rather);
	sentinels_free(&cl->sentinels);
	free(h->rows);
	free(h->images);
	free(h->xy);
	free(h);
	free(cl);
}
