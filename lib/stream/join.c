#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/lookup.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/history.h"
#include "lib/stream/join.h"
#include "lib/stream/names.h"
#include "lib/stream/passthrough.h"
#include "lib/stream/point_tensors.h"

/* A tensor of B. */
struct join_col {
	int b, a, out;	     /* its number in B; in A, where it must be equal, else -1; in the output, or -1 */
	size_t outer, inner; /* of what has points in another order: a row is outer x K x inner bytes; else outer 0 */
	unsigned char *row;  /* a row in A's order, or of NaN */
};

struct join {
	const struct join_options *o;
	struct dataset_stream *d;
	const struct tns *a, *b;
	struct tns_table *table;
	struct lookup by_key;
	int a_key, b_key; /* tensors; -1: by position */
	uint64_t b_rows;
	unsigned char *used; /* (b_rows) */
	int *order;	     /* A's point i is B's point order[i]; NULL: the same order, or points don't matter */
	int k;		     /* points of B's META points; 0: it has none */
	int other_points;    /* 1: A and B have points, not the same ones */
	int unnamed;	     /* 1: A has tensors of points, but no names for them, which B has */
	int n;
	struct join_col *col;
};

/* ---- the key ---- */

static int is_signed(int dtype)
{
	return dtype == TNS_I8 || dtype == TNS_I16 || dtype == TNS_I32 || dtype == TNS_I64;
}

static int key_tensor(const struct tns *t, const char *name)
{
	int id = tns_find(t, name);
	if (id < 0) {
		struct nearest near = dataset_stream_nearest(t, name);
		die("%s: there is no tensor %s to join by%s; --by row joins by position", t->name, name, nearest_or_all(&near));
	}
	const struct tns_def *d = &t->def[id];
	if (d->dtype == TNS_F32 || d->dtype == TNS_F64 || d->dtype > TNS_F64 || d->row_bytes != tns_size(d->dtype))
		die("%s: %s is not one whole number a row", t->name, name);
	return id;
}

/* Little-endian; negative numbers extended. */
static uint64_t key_of(const struct tns_def *d, const void *row)
{
	size_t n = tns_size(d->dtype);
	uint64_t v = 0;
	memcpy(&v, row, n);
	if (n < 8 && is_signed(d->dtype) && v >> (8 * n - 1))
		v |= UINT64_MAX << 8 * n;
	return v;
}

/* For messages: row 3 (id 7). To be freed. */
static char *row_text(const struct tns *t, int key, uint64_t row, uint64_t value)
{
	if (key < 0)
		return xprintf("row %" PRIu64, row + 1);
	if (is_signed(t->def[key].dtype))
		return xprintf("row %" PRIu64 " (%s %" PRId64 ")", row + 1, t->def[key].name, (int64_t)value);
	return xprintf("row %" PRIu64 " (%s %" PRIu64 ")", row + 1, t->def[key].name, value);
}

static void find_keys(struct join *j)
{
	const char *by = j->o->by ? j->o->by : "id";
	j->a_key = j->b_key = -1;
	if (!strcmp(by, "row"))
		return;
	j->a_key = key_tensor(j->a, by), j->b_key = key_tensor(j->b, by);
	int a = j->a->def[j->a_key].dtype, b = j->b->def[j->b_key].dtype;
	if (is_signed(a) != is_signed(b) && (a == TNS_U64 || b == TNS_U64))
		die("%s: %s is %s, in %s %s", j->a->name, by, tns_dtype_name(a), j->b->name, tns_dtype_name(b));
	uint64_t *keys = xcalloc((size_t)j->b_rows, sizeof *keys);
	for (uint64_t i = 0; i < j->b_rows; i++)
		keys[i] = key_of(&j->b->def[j->b_key], tns_row(j->table, j->b_key, i));
	lookup_make(&j->by_key, keys, (size_t)j->b_rows);
	size_t twice = lookup_duplicate(&j->by_key);
	if (twice < j->by_key.n)
		die("%s: %s stands in row %zu already", j->b->name,
			row_text(j->b, j->b_key, j->by_key.by[twice].row, j->by_key.by[twice].key), j->by_key.by[twice - 1].row + 1);
	free(keys);
}

/* B's row of this row of A, or -1; *key is A's. */
static int64_t partner(const struct join *j, uint64_t i, uint64_t *key)
{
	*key = 0;
	if (j->a_key < 0)
		return j->d->row + i < j->b_rows ? (int64_t)(j->d->row + i) : -1;
	*key = key_of(&j->a->def[j->a_key], dataset_stream_at(j->d, j->a_key, i));
	size_t at = lookup_first(&j->by_key, *key);
	return at < j->by_key.n ? (int64_t)j->by_key.by[at].row : -1;
}

/* ---- points ---- */

static void compare_points(struct join *j)
{
	const char *a = tns_meta_value(j->a, "points"), *b = tns_meta_value(j->b, "points");
	int na;
	if (!b)
		return;
	for (int i = 0; i < j->a->ntensors && !a; i++)
		j->unnamed |= points_axis(&j->a->def[i], 0) > 0;
	char **from = names_split(b, &j->k);
	if (a && strcmp(a, b)) {
		char **to = names_split(a, &na);
		j->order = names_order(from, to);
		j->other_points = !j->order;
		names_free(to);
	}
	names_free(from);
}

/* Ends the program where a tensor of points can't be brought into A's order; else says how its rows are cut. */
static void place_points(const struct join *j, struct join_col *c)
{
	const struct tns_def *d = &j->b->def[c->b];
	int axis = points_axis(d, j->k);
	if (!axis)
		return;
	if (j->other_points)
		die("%s: its points are not those of %s, so its %s is not joined; --take names what is", j->b->name, j->a->name, d->name);
	if (tns_meta_value(j->a, "points") && !j->k)
		die("%s: there is no META points to tell which points its %s holds", j->b->name, d->name);
	if (j->unnamed)
		die("%s: there is no META points to match those of %s by, so its %s is not joined; --take names what is", j->a->name,
			j->b->name, d->name);
	if (!j->order || points_one_map(d, j->k))
		return;
	if (d->dim[axis] != (uint64_t)j->k)
		die("%s: META points names %d, but %s has %" PRIu64, j->b->name, j->k, d->name, d->dim[axis]);
	c->outer = 1, c->inner = tns_size(d->dtype);
	for (int i = 1; i < axis; i++)
		c->outer *= (size_t)d->dim[i];
	for (int i = axis + 1; i < d->ndim; i++)
		c->inner *= (size_t)d->dim[i];
}

/* ---- tensors ---- */

static int alike(const struct tns_def *a, const struct tns_def *b)
{
	return a->dtype == b->dtype && a->ndim == b->ndim &&
	       (a->ndim < 2 || !memcmp(a->dim + 1, b->dim + 1, (size_t)(a->ndim - 1) * sizeof *a->dim));
}

static void define(struct join *j, struct join_col *c, struct tns_writer *w)
{
	const struct tns_def *d = &j->b->def[c->b];
	char *name = xprintf("%s%s", tns_find(j->a, d->name) >= 0 && j->o->prefix ? j->o->prefix : "", d->name);
	uint64_t dim[8];
	c->a = tns_find(j->a, name), c->out = -1;
	if (c->a >= 0 && strcmp(name, d->name))
		die("%s: %s would be called %s, which %s has; another --prefix", j->b->name, d->name, name, j->a->name);
	if (c->a >= 0 && !alike(&j->a->def[c->a], d))
		die("%s: %s is of another type or shape than in %s; --prefix renames it, --take chooses others", j->b->name, d->name,
			j->a->name);
	if (c->a < 0) {
		if (strlen(name) > 255 || (strcmp(name, d->name) && tns_find(j->b, name) >= 0))
			die("%s: %s can't be called %s; another --prefix", j->b->name, d->name, name);
		if (j->a->ntensors + j->n >= TNS_TENSORS_MAX)
			die("%s: more than %d tensors with those of %s", j->b->name, TNS_TENSORS_MAX, j->a->name);
		memcpy(dim, d->dim, sizeof dim);
		dim[0] = TNS_UNLIMITED;
		c->out = tns_define(w, name, d->dtype, d->ndim, dim);
	}
	free(name);
	c->row = xmalloc(d->row_bytes);
	place_points(j, c);
}

static void choose(struct join *j, struct tns_writer *w)
{
	int n = 0;
	char **take = j->o->take ? names_split(j->o->take, &n) : NULL;
	for (int i = 0; i < n; i++)
		dataset_stream_find(j->b, take[i]);
	j->col = xcalloc((size_t)j->b->ntensors, sizeof *j->col);
	for (int i = 0; i < j->b->ntensors; i++) {
		if (i == j->b_key || (take && names_index(take, j->b->def[i].name) < 0))
			continue;
		j->col[j->n].b = i;
		define(j, &j->col[j->n], w);
		j->n++;
	}
	names_free(take);
}

/* B's row of a tensor, its points in A's order. */
static const unsigned char *row_of(const struct join *j, const struct join_col *c, uint64_t row)
{
	const unsigned char *from = tns_row(j->table, c->b, row);
	size_t k = (size_t)j->k;
	if (!c->outer)
		return from;
	for (size_t i = 0; i < c->outer; i++)
		for (size_t p = 0; p < k; p++)
			memcpy(c->row + (i * k + p) * c->inner, from + (i * k + (size_t)j->order[p]) * c->inner, c->inner);
	return c->row;
}

/* A row of NaN; ends the program where the type has none. */
static const unsigned char *row_of_nan(const struct join *j, const struct join_col *c, const char *who)
{
	const struct tns_def *d = &j->b->def[c->b];
	if (d->dtype != TNS_F32 && d->dtype != TNS_F64)
		die("%s: %s: no partner in %s, and its %s is %s, which has no NaN; --take names tensors without it", j->a->name, who,
			j->b->name, d->name, tns_dtype_name(d->dtype));
	float f = NAN;
	double g = (double)NAN;
	for (size_t at = 0; at < d->row_bytes; at += tns_size(d->dtype))
		memcpy(c->row + at, d->dtype == TNS_F32 ? (void *)&f : (void *)&g, tns_size(d->dtype));
	return c->row;
}

/* ---- METAs ---- */

/* 1: the output gets the tensor from B, under this very name. */
static int from_b(const struct join *j, const char *tensor)
{
	int n = 0, taken = 1;
	if (tns_find(j->a, tensor) >= 0 || tns_find(j->b, tensor) < 0)
		return 0;
	if (j->o->take) {
		char **take = names_split(j->o->take, &n);
		taken = names_index(take, tensor) >= 0;
		names_free(take);
	}
	return taken;
}

static int of_points(const char *key)
{
	return !strcmp(key, "points") || !strcmp(key, "pairs");
}

/* A's METAs, but those of tensors that are B's, and B's, but those of tensors that are not. */
static const char *const *not_of_a(const struct join *j)
{
	static const char *skip[4];
	static const char *const keys[] = {"unlearned", "mean_face", "maps_scale"};
	int n = 0;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (from_b(j, points_meta_of(keys[i])))
			skip[n++] = keys[i];
	skip[n] = NULL;
	return skip;
}

static void add_metas(const struct join *j, struct tns_writer *w, int late, int all)
{
	for (int i = 0; i < j->b->nmeta; i++) {
		const struct tns_meta *m = &j->b->meta[i];
		const char *of = points_meta_of(m->key);
		if (m->late == late && strcmp(m->key, "history") && !tns_has_meta(w, m->key) && (all || !passthrough_counts(m->key)) &&
			(of ? from_b(j, of) : !(j->other_points && of_points(m->key))) && (strcmp(m->key, "crop") || from_b(j, "image")))
			tns_copy_meta(w, m);
	}
}

/* ---- all ---- */

struct join *join_open(const char *a, const char *b, const struct join_options *o)
{
	struct join *j = xcalloc(1, sizeof *j);
	assert(a && b);
	j->o = o;
	j->table = tns_load(b);
	j->b = tns_table_head(j->table);
	dataset_stream_no_model(j->b);
	for (int i = 0; i < j->b->ntensors; i++)
		if (j->b->def[i].ndim < 1 || j->b->def[i].rows != j->b->def[0].rows)
			die("%s: %s and %s don't share their rows", j->b->name, j->b->def[0].name, j->b->def[i].name);
	if (!j->b->ntensors)
		die("%s: there are no tensors", j->b->name);
	j->b_rows = j->b->def[0].rows;
	j->d = dataset_stream_open(a);
	j->a = j->d->in;
	j->used = xcalloc((size_t)j->b_rows, 1);
	find_keys(j);
	compare_points(j);
	return j;
}

static void write_row(struct join *j, const struct passthrough *pass, uint64_t i, int64_t row, const char *who, struct tns_writer *w)
{
	passthrough_row(pass, j->d, i, w);
	for (int c = 0; c < j->n; c++) {
		const struct join_col *col = &j->col[c];
		if (row < 0 && col->out >= 0)
			tns_write(w, col->out, row_of_nan(j, col, who), 1);
		if (row < 0)
			continue;
		const unsigned char *from = row_of(j, col, (uint64_t)row);
		if (col->out >= 0)
			tns_write(w, col->out, from, 1);
		else if (memcmp(from, dataset_stream_at(j->d, col->a, i), j->b->def[col->b].row_bytes))
			die("%s: %s: its %s is not that of %s; --prefix P keeps both, --take NAMES chooses others", j->a->name, who,
				j->a->def[col->a].name, j->b->name);
	}
}

static void close_join(struct join *j)
{
	for (int i = 0; i < j->n; i++)
		free(j->col[i].row);
	lookup_free(&j->by_key);
	dataset_stream_close(j->d);
	tns_unload(j->table);
	free(j->used), free(j->order), free(j->col), free(j);
}

struct join_counts join_run(struct join *j, struct tns_writer *w)
{
	struct passthrough *pass = xmalloc(sizeof *pass);
	struct join_counts n = {0, 0, 0};
	passthrough_begin(pass, j->a, w, NULL, not_of_a(j));
	choose(j, w);
	add_metas(j, w, 0, 0);
	for (uint64_t block; (block = dataset_stream_next(j->d));)
		for (uint64_t i = 0; i < block; i++) {
			uint64_t key;
			int64_t row = partner(j, i, &key);
			char *who = row_text(j->a, j->a_key, j->d->row + i, key);
			if (row < 0 && j->o->missing == JOIN_ERROR)
				die("%s: %s: no partner in %s; --inner drops such rows, --left keeps them", j->a->name, who, j->b->name);
			n.a += row < 0;
			if (row >= 0)
				j->used[row] = 1;
			if (row >= 0 || j->o->missing == JOIN_LEFT)
				write_row(j, pass, i, row, who, w), n.rows++;
			free(who);
		}
	for (uint64_t i = 0; i < j->b_rows; i++) {
		n.b += !j->used[i];
		if (!j->used[i] && j->o->missing == JOIN_ERROR)
			die("%s: %s: no partner in %s; --inner drops such rows", j->b->name,
				row_text(
					j->b, j->b_key, i, j->b_key < 0 ? 0 : key_of(&j->b->def[j->b_key], tns_row(j->table, j->b_key, i))),
				j->a->name);
	}
	const struct tns *in[2] = {j->a, j->b};
	passthrough_late(j->a, w, n.rows == j->d->row);
	add_metas(j, w, 1, !n.a && !n.b);
	history_put(w, in, 2, NULL);
	free(pass);
	close_join(j);
	return n;
}
