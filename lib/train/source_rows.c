/* Sources of rows. */
#include "lib/train/source_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/ascending.h"
#include "lib/base/err.h"
#include "lib/base/hash.h"
#include "lib/labels/groups.h"
#include "lib/nn/model.h"
#include "lib/stream/names.h"
#include "lib/train/dataset.h"

struct value {
	uint64_t value; /* groups_value's */
	const void *row;
};

static long long whole(const struct tns_def *d, const void *row)
{
	switch (d->dtype) {
	case TNS_I8:
		return *(const int8_t *)row;
	case TNS_I16:
		return *(const int16_t *)row;
	case TNS_I32:
		return *(const int32_t *)row;
	default:
		return (long long)groups_value(d, row);
	}
}

/* Texts by their bytes, numbers by size. */
static int ascending(const struct tns_def *d, const struct value *a, const struct value *b)
{
	if (d->row_bytes != tns_size(d->dtype))
		return strncmp(a->row, b->row, d->row_bytes);
	long long x = whole(d, a->row), y = whole(d, b->row);
	return (x > y) - (x < y);
}

/* The list (n, in order) with v in its place, if it is not there; returns how many there are then. */
static int insert(struct value *list, int n, const struct value *v, const struct tns_def *d)
{
	int at = 0;
	while (at < n && list[at].value != v->value && ascending(d, &list[at], v) < 0)
		at++;
	if (at < n && list[at].value == v->value)
		return n;
	memmove(list + at + 1, list + at, (size_t)(n - at) * sizeof *list);
	list[at] = *v;
	return n + 1;
}

/* Adds name, or where it is there already name.2, name.3, ...; name is freed. */
static void add_source(struct dataset *ds, char *name)
{
	int n, k = 1;
	char **before = ds->sources ? names_split(ds->sources, &n) : xcalloc(1, sizeof *before), *own = xstrdup(name);
	while (names_index(before, own) >= 0) {
		free(own);
		own = xprintf("%s.%d", name, ++k);
	}
	ds->sources = names_append(ds->sources, own);
	names_free(before), free(own), free(name);
}

static char *value_name(const struct tns *t, const struct tns_def *d, const void *row)
{
	const char *files = !strcmp(d->name, "file") ? tns_meta_value(t, "sources") : NULL;
	char *name = NULL;
	int n = 0;
	if (d->row_bytes != tns_size(d->dtype)) {
		name = xprintf("%.*s", (int)d->row_bytes, (const char *)row);
	} else if (files) {
		char **all = names_split(files, &n);
		long long k = whole(d, row);
		name = k >= 0 && k < n ? xstrdup(all[k]) : NULL;
		names_free(all);
	}
	if (!name)
		name = xprintf("%lld", whole(d, row));
	for (char *c = name; *c; c++)
		*c = *c == ',' ? '_' : *c;
	return name;
}

void source_rows_read(struct dataset *ds, const struct tns_table *b, const char *by)
{
	struct value list[SOURCES_MOST + 1];
	const struct tns *t = tns_table_head(b);
	int n = 0;
	if (!strcmp(by, SOURCE_MISSING))
		return;
	int id = groups_tensor(t, by);
	const struct tns_def *d = &t->def[id];
	if (d->rows != ds->n)
		die("%s: image has %u rows, %s has %llu", t->name, ds->n, by, (unsigned long long)d->rows);
	for (uint32_t i = 0; i < ds->n; i++) {
		const void *row = tns_row(b, id, i);
		n = insert(list, n, &(struct value){groups_value(d, row), row}, d);
		if (n > SOURCES_MOST)
			die("%s: row %u: %s has more than %d values, too many for sources of labels", t->name, i + 1, by, SOURCES_MOST);
	}
	ds->from = xmalloc(ds->n * sizeof *ds->from);
	for (uint32_t i = 0; i < ds->n; i++) {
		uint64_t v = groups_value(d, tns_row(b, id, i));
		int at = 0;
		while (list[at].value != v)
			at++;
		ds->from[i] = at;
	}
	for (int k = 0; k < n; k++) {
		char *name = value_name(t, d, list[k].row);
		if (!*name)
			die("%s: %s has an empty text, which is no name of a source", t->name, by);
		add_source(ds, name);
	}
}

/* (k / 2) 1: row i has a label of the point. */
static void labelled(const struct dataset *ds, uint32_t i, char *mark)
{
	for (int p = 0; p < ds->k / 2; p++)
		mark[p] = !isnan(ds->value[(size_t)i * (size_t)ds->k + 2 * (size_t)p]);
}

struct set {
	uint64_t hash;
	uint32_t rows, first; /* how many rows have it, and the first of them */
};

static int most_rows(const void *a, const void *b)
{
	const struct set *x = a, *y = b;
	return x->rows != y->rows ? (x->rows < y->rows) - (x->rows > y->rows) : (x->first > y->first) - (x->first < y->first);
}

/* Sets ds->set to those sets that are frequent enough, the most frequent first; returns how many. */
static int frequent_sets(struct dataset *ds)
{
	size_t P = (size_t)ds->k / 2;
	struct set set[(int)(1 / SOURCE_LEAST_SHARE) + 1];
	uint64_t *hash = xcalloc(ds->n, sizeof *hash), *sorted = xcalloc(ds->n, sizeof *sorted);
	char *mark = xcalloc(P + 1, 1);
	int n = 0;
	for (uint32_t i = 0; i < ds->n; i++) {
		labelled(ds, i, mark);
		hash_bytes(mark, P, &hash[i], NULL);
	}
	memcpy(sorted, hash, ds->n * sizeof *hash);
	qsort(sorted, ds->n, sizeof *sorted, ascending_u64);
	for (uint32_t i = 0, end; i < ds->n; i = end) {
		for (end = i; end < ds->n && sorted[end] == sorted[i];)
			end++;
		struct set s = {sorted[i], end - i, 0};
		while (hash[s.first] != s.hash)
			s.first++;
		if (s.rows >= SOURCE_LEAST_SHARE * ds->n)
			set[n++] = s;
	}
	qsort(set, (size_t)n, sizeof *set, most_rows);
	ds->set = xcalloc((size_t)n + 1, P);
	for (int k = 0; k < n; k++)
		labelled(ds, set[k].first, ds->set + (size_t)k * P);
	free(hash), free(sorted), free(mark);
	return n;
}

/* The set of n that differs in fewest points; of equals the first. */
static int nearest_set(const char *set, int n, int P, const char *mark)
{
	int best = 0, least = P + 1;
	for (int k = 0; k < n; k++) {
		int differ = 0;
		for (int p = 0; p < P; p++)
			differ += set[k * P + p] != mark[p];
		if (differ < least)
			best = k, least = differ;
	}
	return best;
}

static void assign_sets(struct dataset *ds, const char *set, int n)
{
	char *mark = xcalloc((size_t)ds->k / 2 + 1, 1);
	ds->from = xrealloc(ds->from, (ds->n + 1) * sizeof *ds->from);
	for (uint32_t i = 0; i < ds->n; i++) {
		labelled(ds, i, mark);
		ds->from[i] = nearest_set(set, n, ds->k / 2, mark);
	}
	free(mark);
}

static void name_sets(struct dataset *ds, int n)
{
	int P = ds->k / 2;
	for (int k = 0; k < n; k++) {
		int size = 0;
		for (int p = 0; p < P; p++)
			size += ds->set[k * P + p];
		add_source(ds, xprintf("%dpoints", size));
	}
}

void source_rows_end(struct dataset *ds)
{
	const char *by = ds->by;
	int missing = !strcmp(by, SOURCE_MISSING), n = 0;
	if (missing) {
		n = frequent_sets(ds);
		assign_sets(ds, ds->set, n);
		if (n > 1)
			name_sets(ds, n);
	} else {
		names_free(names_split(ds->sources, &n));
	}
	if (n < 2 && missing)
		die("%s: --sources missing: %d sets of labelled points have a tenth of the rows or more, so there are no two sources",
			ds->head->name, n);
	if (n < 2)
		die("%s: --sources %s: all rows have the value %s, so there are no two sources", ds->head->name, by, ds->sources);
}

void source_rows_match(struct dataset *ds, const struct dataset *like)
{
	int n, m;
	char **to = names_split(like->sources, &n), **from = ds->sources ? names_split(ds->sources, &m) : NULL;
	if (like->set) {
		assign_sets(ds, like->set, n);
	} else {
		for (uint32_t i = 0; i < ds->n; i++)
			ds->from[i] = names_index(to, from[ds->from[i]]); /* -1 is SOURCES_NONE */
	}
	free(ds->sources);
	ds->sources = xstrdup(like->sources);
	names_free(to), names_free(from);
}

void source_rows_begin(struct model *m, const struct dataset *all, const struct dataset *train, int quiet)
{
	int n;
	if (!all->sources)
		return;
	m->sources = sources_new(all->sources, m->points);
	char **name = names_split(all->sources, &n), *text = NULL;
	for (int k = 0; k < n; k++) {
		uint32_t rows = 0;
		for (uint32_t i = 0; i < train->n; i++)
			rows += train->from[i] == k;
		char *longer = xprintf("%s%s%s (%u rows)", text ? text : "", text ? ", " : "", name[k], rows);
		free(text);
		text = longer;
	}
	if (!quiet)
		warn("sources of labels: %s", text);
	names_free(name), free(text);
}

void source_rows_tell(const struct model *m, int quiet)
{
	int n, k;
	if (!m->sources || quiet)
		return;
	char **name = names_split(m->sources->names, &n), **point = names_split(m->names, &k);
	for (int i = 0; i < n; i++) {
		const double *xy = m->sources->offset + i * 2 * k;
		int most = 0;
		for (int p = 1; p < k; p++)
			most = hypot(xy[2 * p], xy[2 * p + 1]) > hypot(xy[2 * most], xy[2 * most + 1]) ? p : most;
		warn("source %s: furthest off the mean of all is %s, %.2f px to the right, %.2f down", name[i], point[most], xy[2 * most],
			xy[2 * most + 1]);
	}
	names_free(name), names_free(point);
}
