#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/crc.h"
#include "lib/base/err.h"
#include "lib/base/json.h"
#include "lib/stream/names.h"
#include "lib/stream/point_tensors.h"
#include "lib/stream/stat.h"
#include "lib/table/columns.h"
#include "lib/table/notes.h"
#include "lib/table/table_out.h"

struct table_out {
	struct dataset_stream *d;
	const struct table_out_options *o;
	struct columns all;
	int n, *col;	 /* those that are written, in order */
	int part;	 /* 1: not all are */
	char *unlearned; /* (K) points that the column error leaves out */
	char *left;
	char sep;
	char *line; /* used of size bytes */
	size_t used, size;
	uint32_t crc; /* of header and rows */
};

static char *room(struct table_out *t, size_t n)
{
	if (t->used + n > t->size)
		t->line = xrealloc(t->line, t->size = 2 * (t->used + n));
	return t->line + t->used;
}

static void put(struct table_out *t, const char *s, size_t n)
{
	if (!n)
		return;
	memcpy(room(t, n), s, n);
	t->used += n;
}

static void end_line(struct table_out *t, struct out *to)
{
	put(t, "\n", 1);
	t->crc = crc_add(t->crc, t->line, t->used);
	out_write(to, t->line, t->used);
	t->used = 0;
}

/* ---- which columns ---- */

/* 1: names of photographs, which a table without notes, for other programs, has as text; one with notes has their bytes, which are read
 * back whatever they are. */
static int is_text(const struct table_out *t, const struct column *c)
{
	return c->list && !t->o->notes && c->tensor >= 0 && columns_is_text(&t->d->in->def[c->tensor]);
}

/* 1: a column that o->columns names; lists by their whole name, unless they are wanted anyway. */
static int matches(const struct table_out *t, const struct column *c, const char *pattern)
{
	return !strcmp(c->name, pattern) || ((!c->list || t->o->lists) && !fnmatch(pattern, c->name, 0));
}

NORETURN static void die_none(const struct table_out *t, const char *name)
{
	struct nearest near = nearest_of(name);
	for (int i = 0; i < t->all.n; i++)
		nearest_add(&near, t->all.col[i].name);
	die("%s: no column is called '%s'%s", t->d->in->name, name, nearest_or_all(&near));
}

static void choose_named(struct table_out *t)
{
	int n;
	char **pattern = names_split(t->o->columns, &n), *used = xcalloc((size_t)t->all.n + 1, 1);
	for (int p = 0; p < n; p++) {
		int before = t->n, again = 0;
		for (int i = 0; i < t->all.n; i++) {
			if (!matches(t, &t->all.col[i], pattern[p]))
				continue;
			if (used[i])
				again = 1;
			else
				t->col[t->n++] = i, used[i] = 1;
		}
		if (t->n == before && !again)
			die_none(t, pattern[p]);
	}
	names_free(pattern);
	free(used);
}

static void choose(struct table_out *t)
{
	t->left = xstrdup("");
	t->col = xcalloc((size_t)t->all.n + 1, sizeof *t->col);
	if (t->o->columns) {
		choose_named(t);
	} else {
		for (int i = 0; i < t->all.n; i++) {
			const struct column *c = &t->all.col[i];
			char *old = t->left;
			if (!c->list || t->o->lists || is_text(t, c)) {
				t->col[t->n++] = i;
				continue;
			}
			t->left = xprintf("%s%s%s", old, *old ? ", " : "", t->d->in->def[c->tensor].name);
			free(old);
		}
	}
	if (!t->n)
		die("%s: no columns are left", t->d->in->name);
	char *chosen = xcalloc((size_t)t->all.n + 1, 1);
	for (int i = 0; i < t->n; i++)
		chosen[t->col[i]] = 1;
	for (int i = 0; i < t->n; i++)
		if (strpbrk(t->all.col[t->col[i]].name, "\r\n"))
			die("%s: '%.100s': a column's name in a table holds no line end", t->d->in->name, t->all.col[t->col[i]].name);
	for (int i = 0; i < t->all.n; i++)
		t->part |= !chosen[i] && t->all.col[i].tensor != COLUMNS_ERROR;
	free(chosen);
}

/* 1: all columns of the tensor are written. */
static int is_whole(const struct table_out *t, int tensor)
{
	int there = 0, all = 0;
	for (int i = 0; i < t->n; i++)
		there += t->all.col[t->col[i]].tensor == tensor;
	for (int i = 0; i < t->all.n; i++)
		all += t->all.col[i].tensor == tensor;
	return there == all;
}

struct table_out *table_out_open(struct dataset_stream *d, const struct table_out_options *o)
{
	struct table_out *t = xcalloc(1, sizeof *t);
	char err[COLUMNS_ERR];
	const struct tns *in = d->in;
	t->d = d, t->o = o;
	t->sep = o->tab ? '\t' : ',';
	if (columns_make(&t->all, in->def, in->ntensors, tns_meta_value(in, "points"), tns_meta_value(in, "classes"), err) < 0)
		die("%s: %s", in->name, err);
	for (int i = 0; i < t->all.n && !t->unlearned; i++)
		if (t->all.col[i].tensor == COLUMNS_ERROR)
			t->unlearned = names_marks(in, "unlearned", (int)in->def[tns_find(in, "keypoints")].dim[1]);
	choose(t);
	return t;
}

const char *table_out_left(const struct table_out *t)
{
	return t->left;
}

/* ---- fields ---- */

static void put_name(struct table_out *t, const char *name)
{
	if (*name && *name != '#' && *name != ' ' && !strpbrk(name, ",\t;\"\r\n") && name[strlen(name) - 1] != ' ') {
		put(t, name, strlen(name));
		return;
	}
	put(t, "\"", 1);
	for (; *name; name++)
		put(t, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1);
	put(t, "\"", 1);
}

/* A number as text in buf; NaN: "". With notes, the NaN that processors make of 0/0 (its sign bit set) is told from the other. */
static const char *number(const struct table_out *t, char buf[40], int dtype, const void *values, size_t i)
{
	double v;
	float f;
	if (dtype == TNS_F32)
		memcpy(&f, (const char *)values + 4 * i, 4), v = (double)f;
	else if (dtype == TNS_F64)
		memcpy(&v, (const char *)values + 8 * i, 8);
	else
		return stat_text(buf, dtype, values, i);
	return isnan(v) ? t->o->notes && signbit(v) ? "-nan" : "" : json_digits(buf, v, dtype == TNS_F32);
}

static void put_list(struct table_out *t, int dtype, const unsigned char *values, size_t n)
{
	char buf[40];
	if (dtype == TNS_U8) {
		char *p = room(t, 4 * n);
		for (size_t i = 0; i < n; i++) {
			unsigned v = values[i];
			if (i)
				*p++ = ' ';
			if (v >= 100)
				*p++ = (char)('0' + v / 100);
			if (v >= 10)
				*p++ = (char)('0' + v / 10 % 10);
			*p++ = (char)('0' + v % 10);
		}
		t->used = (size_t)(p - t->line);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const char *s = number(t, buf, dtype, values, i);
		if (i)
			put(t, " ", 1);
		if (*s)
			put(t, s, strlen(s));
		else
			put(t, "nan", 3);
	}
}

static void put_error(struct table_out *t, uint64_t row)
{
	const struct tns *in = t->d->in;
	int keypoints = tns_find(in, "keypoints"), predicted = tns_find(in, "predicted");
	char buf[32];
	double e = points_error(dataset_stream_at(t->d, keypoints, row), dataset_stream_at(t->d, predicted, row),
		(int)in->def[keypoints].dim[1], t->unlearned);
	const char *s = isnan(e) ? "" : json_digits(buf, e, 1);
	put(t, s, strlen(s));
}

static void put_field(struct table_out *t, const struct column *c, uint64_t row)
{
	char buf[40];
	if (c->tensor == COLUMNS_ERROR) {
		put_error(t, row);
		return;
	}
	int dtype = t->d->in->def[c->tensor].dtype;
	const unsigned char *values = (const unsigned char *)dataset_stream_at(t->d, c->tensor, row) + c->first * tns_size(dtype);
	if (is_text(t, c)) {
		char *name = xprintf("%.*s", (int)c->n, (const char *)values);
		put_name(t, name);
		free(name);
	} else if (c->list) {
		put_list(t, dtype, values, c->n);
	} else {
		const char *s = number(t, buf, dtype, values, 0);
		put(t, s, strlen(s));
	}
}

/* ---- all ---- */

static void metas(const struct table_out *t, struct out *to, int late, int place)
{
	const struct tns *in = t->d->in;
	for (int i = 0; i < in->nmeta; i++)
		if (in->meta[i].late == late && (late || tns_meta_place(in, i) == place))
			notes_meta(to, &in->meta[i]);
}

/* Tensors and METAs, in the order of the stream's records. */
static void notes(const struct table_out *t, struct out *to)
{
	notes_begin(to);
	metas(t, to, 0, 0);
	for (int i = 0; i < t->d->in->ntensors; i++) {
		if (is_whole(t, i))
			notes_tensor(to, &t->d->in->def[i]);
		metas(t, to, 0, i + 1);
	}
}

void table_out_run(struct table_out *t, struct out *to)
{
	uint64_t rows = dataset_stream_next(t->d); /* a stream without rows is read to its end: all METAs are early ones */
	if (t->o->notes)
		notes(t, to);
	for (int i = 0; i < t->n; i++) {
		put(t, &t->sep, i > 0);
		put_name(t, t->all.col[t->col[i]].name);
	}
	end_line(t, to);
	const int live = tns_meta_value(t->d->in, "live") != NULL;
	for (; rows; rows = dataset_stream_next(t->d)) {
		for (uint64_t r = 0; r < rows; r++) {
			for (int i = 0; i < t->n; i++) {
				put(t, &t->sep, i > 0);
				put_field(t, &t->all.col[t->col[i]], r);
			}
			if (!t->used) /* one column, NaN: not an empty line */
				put(t, "\"\"", 2);
			end_line(t, to);
		}
		if (live)
			out_flush(to);
	}
	if (t->o->notes) {
		metas(t, to, 1, 0);
		notes_end(to, t->crc, t->d->in->fingerprint, t->part);
	}
	columns_free(&t->all);
	free(t->col), free(t->left), free(t->unlearned), free(t->line), free(t);
}
