/* Sources of rows. */
#include "lib/train/source_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/ascending.h"
#include "lib/base/err.h"
#include "lib/base/hash.h"
#include "lib/labels/groups.h"
#include "lib/stream/names.h"

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
static void add_source(struct source_rows *s, char *name)
{
	int n, k = 1;
	char **before = s->names ? names_split(s->names, &n) : xcalloc(1, sizeof *before), *own = xstrdup(name);
	while (names_index(before, own) >= 0) {
		free(own);
		own = xprintf("%s.%d", name, ++k);
	}
	s->names = names_append(s->names, own);
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

int *source_rows_read(struct source_rows *s, const struct tns_table *b, uint32_t n)
{
	struct value list[SOURCES_MOST + 1];
	const struct tns *t = tns_table_head(b);
	int values = 0;
	if (!strcmp(s->by, SOURCE_MISSING))
		return NULL;
	int id = groups_tensor(t, s->by);
	const struct tns_def *d = &t->def[id];
	if (d->rows != n)
		die("%s: image has %u rows, %s has %llu", t->name, n, s->by, (unsigned long long)d->rows);
	for (uint32_t i = 0; i < n; i++) {
		const void *row = tns_row(b, id, i);
		values = insert(list, values, &(struct value){groups_value(d, row), row}, d);
		if (values > SOURCES_MOST)
			die("%s: row %u: %s has more than %d values, too many for sources of labels", t->name, i + 1, s->by, SOURCES_MOST);
	}
	int *from = xcalloc((size_t)n + 1, sizeof *from);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t v = groups_value(d, tns_row(b, id, i));
		while (list[from[i]].value != v)
			from[i]++;
	}
	for (int k = 0; k < values; k++) {
		char *name = value_name(t, d, list[k].row);
		if (!*name)
			die("%s: %s has an empty text, which is no name of a source", t->name, s->by);
		add_source(s, name);
	}
	return from;
}

/* mark (points) 1: row i has a label of the point. */
static void labelled(const float *value, int points, uint32_t i, char *mark)
{
	for (int p = 0; p < points; p++)
		mark[p] = (char)!isnan(value[2 * ((size_t)i * (size_t)points + (size_t)p)]);
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

/* Sets s->set to those sets that are frequent enough, the most frequent first; returns how many. */
static int frequent_sets(struct source_rows *s, const float *value, uint32_t n, int points)
{
	size_t P = (size_t)points;
	struct set set[(int)(1 / SOURCE_LEAST_SHARE) + 1];
	uint64_t *hash = xcalloc(n, sizeof *hash), *sorted = xcalloc(n, sizeof *sorted);
	char *mark = xcalloc(P + 1, 1);
	int sets = 0;
	for (uint32_t i = 0; i < n; i++) {
		labelled(value, points, i, mark);
		hash_bytes(mark, P, &hash[i], NULL);
	}
	memcpy(sorted, hash, n * sizeof *hash);
	qsort(sorted, n, sizeof *sorted, ascending_u64);
	for (uint32_t i = 0, end; i < n; i = end) {
		for (end = i; end < n && sorted[end] == sorted[i];)
			end++;
		struct set one = {sorted[i], end - i, 0};
		while (hash[one.first] != one.hash)
			one.first++;
		if (one.rows >= SOURCE_LEAST_SHARE * n)
			set[sets++] = one;
	}
	qsort(set, (size_t)sets, sizeof *set, most_rows);
	s->set = xcalloc((size_t)sets + 1, P);
	for (int k = 0; k < sets; k++)
		labelled(value, points, set[k].first, s->set + (size_t)k * P);
	free(hash), free(sorted), free(mark);
	return sets;
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

static int *assign_sets(int *from, const char *set, int sets, const float *value, uint32_t n, int points)
{
	char *mark = xcalloc((size_t)points + 1, 1);
	from = xrealloc(from, ((size_t)n + 1) * sizeof *from);
	for (uint32_t i = 0; i < n; i++) {
		labelled(value, points, i, mark);
		from[i] = nearest_set(set, sets, points, mark);
	}
	free(mark);
	return from;
}

static void name_sets(struct source_rows *s, int sets, int points)
{
	for (int k = 0; k < sets; k++) {
		int size = 0;
		for (int p = 0; p < points; p++)
			size += s->set[k * points + p];
		add_source(s, xprintf("%dpoints", size));
	}
}

int *source_rows_end(struct source_rows *s, int *from, const float *value, uint32_t n, int points, const char *name)
{
	int missing = !strcmp(s->by, SOURCE_MISSING), sources = 0;
	if (missing) {
		sources = frequent_sets(s, value, n, points);
		if (sources < 2)
			die("%s: --sources missing: %d sets of labelled points have a tenth of the rows or more, so there are no two "
			    "sources",
				name, sources);
		from = assign_sets(from, s->set, sources, value, n, points);
		name_sets(s, sources, points);
		return from;
	}
	names_free(names_split(s->names, &sources));
	if (sources < 2)
		die("%s: --sources %s: all rows have the value %s, so there are no two sources", name, s->by, s->names);
	return from;
}

int *source_rows_match(struct source_rows *s, const struct source_rows *like, int *from, const float *value, uint32_t n, int points)
{
	int sources, own;
	char **to = names_split(like->names, &sources), **names = s->names ? names_split(s->names, &own) : NULL;
	if (like->set)
		from = assign_sets(from, like->set, sources, value, n, points);
	for (uint32_t i = 0; !like->set && i < n; i++)
		from[i] = names_index(to, names[from[i]]); /* -1 is SOURCES_NONE */
	source_rows_free(s);
	*s = source_rows_copy(like);
	names_free(to), names_free(names);
	return from;
}

struct source_rows source_rows_copy(const struct source_rows *s)
{
	return (struct source_rows){s->by, s->names ? xstrdup(s->names) : NULL, NULL};
}

void source_rows_free(struct source_rows *s)
{
	free(s->names), free(s->set);
	s->names = s->set = NULL;
}

void source_rows_begin(struct model *m, const struct source_rows *s, const int *from, uint32_t n, int quiet)
{
	int sources;
	if (!s->names)
		return;
	m->sources = sources_new(s->names, m->points);
	char **name = names_split(s->names, &sources), *text = NULL;
	for (int k = 0; k < sources; k++) {
		uint32_t rows = 0;
		for (uint32_t i = 0; i < n; i++)
			rows += from[i] == k;
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
