/* Rows of all tensors in step, whatever the chunks were, and what is passed on. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/stream/dataset_stream.h"

struct dataset_stream_col {
	unsigned char *buf;
	size_t size;
	uint64_t at, end; /* rows [at, end) of buf wait; at is the block's first */
};

struct dataset_stream *dataset_stream_open(const char *path)
{
	struct dataset_stream *d = xcalloc(1, sizeof *d);
	struct tns *t = d->in = tns_open(path);
	for (int i = 0; i < t->ntensors; i++) {
		if (t->def[i].ndim < 1)
			die("%s: %s is a single value, not rows of a data set", t->name, t->def[i].name);
		if (t->def[i].dim[0] != t->def[0].dim[0])
			die("%s: %s and %s don't share their rows", t->name, t->def[0].name, t->def[i].name);
	}
	if (!t->ntensors)
		die("%s: there are no tensors", t->name);
	d->col = xcalloc((size_t)t->ntensors, sizeof *d->col);
	return d;
}

static void keep(struct dataset_stream *d)
{
	struct tns *t = d->in;
	struct dataset_stream_col *c = &d->col[t->id];
	size_t bytes = t->def[t->id].row_bytes, need;
	/* no row is moved more than once for each one that was given out, so that no way of cutting makes this quadratic */
	if (c->at && c->at >= c->end - c->at) {
		memmove(c->buf, c->buf + c->at * bytes, (size_t)(c->end - c->at) * bytes);
		c->end -= c->at, c->at = 0;
	}
	need = (size_t)(c->end + t->rows) * bytes;
	if (need > c->size)
		c->buf = xrealloc(c->buf, c->size = need > 2 * c->size ? need : 2 * c->size);
	memcpy(c->buf + c->end * bytes, t->data, (size_t)t->rows * bytes);
	c->end += t->rows;
}

uint64_t dataset_stream_next(struct dataset_stream *d)
{
	struct tns *t = d->in;
	uint64_t rows = UINT64_MAX, given = UINT64_MAX;
	for (int i = 0; i < t->ntensors; i++) /* the block given last is done with */
		if (d->col[i].end - d->col[i].at < given)
			given = d->col[i].end - d->col[i].at;
	for (int i = 0; i < t->ntensors; i++)
		d->col[i].at += given;
	d->row += given;
	for (;;) {
		rows = UINT64_MAX;
		for (int i = 0; i < t->ntensors; i++)
			if (d->col[i].end - d->col[i].at < rows)
				rows = d->col[i].end - d->col[i].at;
		if (rows)
			return rows;
		if (tns_next(t) == TNS_DONE)
			break;
		keep(d);
	}
	for (int i = 1; i < t->ntensors; i++)
		if (t->def[i].rows != t->def[0].rows)
			die("%s: %s has %llu rows, %s has %llu", t->name, t->def[0].name, (unsigned long long)t->def[0].rows,
				t->def[i].name, (unsigned long long)t->def[i].rows);
	return 0;
}

const void *dataset_stream_at(const struct dataset_stream *d, int id, uint64_t i)
{
	const struct dataset_stream_col *c = &d->col[id];
	assert(c->at + i < c->end);
	return c->buf + (c->at + i) * d->in->def[id].row_bytes;
}

void dataset_stream_close(struct dataset_stream *d)
{
	if (!d)
		return;
	for (int i = 0; i < d->in->ntensors; i++)
		free(d->col[i].buf);
	free(d->col);
	tns_free(d->in);
	free(d);
}

int dataset_stream_need(const struct tns *t, const char *name, int dtype, int ndim)
{
	int id = tns_find(t, name);
	if (id < 0)
		die("%s: there is no tensor %s", t->name, name);
	if (t->def[id].dtype != dtype || t->def[id].ndim != ndim)
		die("%s: %s is %s with %d dimensions, not %s with %d", t->name, name, tns_dtype_name(t->def[id].dtype), t->def[id].ndim,
			tns_dtype_name(dtype), ndim);
	return id;
}

char **names_split(const char *list, int *n)
{
	size_t most = 2;
	for (const char *s = list; *s; s++)
		most += *s == ',';
	char **names = xcalloc(most, sizeof *names);
	*n = 0;
	for (const char *s = list;; s++) {
		size_t len = strcspn(s, ",");
		if (!len)
			die("'%s': an empty name", list);
		names[*n] = xcalloc(len + 1, 1);
		memcpy(names[(*n)++], s, len);
		s += len;
		if (!*s)
			return names;
	}
}

char **names_points(const struct tns *t, int k)
{
	int n;
	const char *list = tns_meta_value(t, "points");
	if (!list)
		die("%s: there is no META points", t->name);
	char **names = names_split(list, &n);
	if (n != k)
		die("%s: META points names %d, but there are %d", t->name, n, k);
	return names;
}

void names_free(char **names)
{
	for (int i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

int names_index(char **names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

int *names_mirror(char **names)
{
	int n = 0;
	while (names[n])
		n++;
	int *swap = xcalloc((size_t)n, sizeof *swap);
	for (int i = 0; i < n; i++) {
		/* left -> \1 -> right would need three passes; building the name piece by piece needs one */
		char *other = xcalloc(2 * strlen(names[i]) + 1, 1), *to = other;
		for (const char *s = names[i]; *s;)
			if (!strncmp(s, "left", 4))
				to = stpcpy(to, "right"), s += 4;
			else if (!strncmp(s, "right", 5))
				to = stpcpy(to, "left"), s += 5;
			else
				*to++ = *s++;
		int k = names_index(names, other);
		swap[i] = k < 0 ? i : k;
		free(other);
	}
	return swap;
}

static int listed(const char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (!strcmp(*list, name))
			return 1;
	return 0;
}

void passthrough_begin(struct passthrough *p, const struct tns *t, struct tns_writer *w, const char *const *skip, const char *const *skip_meta)
{
	p->n = t->ntensors;
	for (int i = 0; i < t->ntensors; i++) {
		uint64_t dim[8];
		memcpy(dim, t->def[i].dim, sizeof dim);
		dim[0] = TNS_OPEN;
		p->id[i] = listed(skip, t->def[i].name) ? -1 : tns_define(w, t->def[i].name, t->def[i].dtype, t->def[i].ndim, dim);
	}
	for (int i = 0; i < t->nmeta; i++)
		if (!t->meta[i].late && strcmp(t->meta[i].key, "history") && !listed(skip_meta, t->meta[i].key))
			tns_pass_meta(w, &t->meta[i]);
}

void passthrough_row(const struct passthrough *p, const struct dataset_stream *d, uint64_t row, struct tns_writer *w)
{
	for (int i = 0; i < p->n; i++)
		if (p->id[i] >= 0)
			tns_write(w, p->id[i], dataset_stream_at(d, i, row), 1);
}

void passthrough_table_row(const struct passthrough *p, const struct tns_table *t, uint64_t row, struct tns_writer *w)
{
	for (int i = 0; i < p->n; i++)
		if (p->id[i] >= 0)
			tns_write(w, p->id[i], tns_row(t, i, row), 1);
}

void passthrough_late(const struct tns *t, struct tns_writer *w)
{
	for (int i = 0; i < t->nmeta; i++)
		if (t->meta[i].late && strcmp(t->meta[i].key, "history") && !tns_has_meta(w, t->meta[i].key))
			tns_pass_meta(w, &t->meta[i]);
}

void passthrough_end(const struct tns *t, struct tns_writer *w)
{
	passthrough_late(t, w);
	history_put(w, &t, 1, NULL);
}

static int has_line(const char *text, const char *line, size_t n)
{
	for (; text && *text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
		if (!strncmp(text, line, n) && (text[n] == '\n' || !text[n]))
			return 1;
	return 0;
}

void history_put(struct tns_writer *w, const struct tns *const *in, int n, const char *more)
{
	size_t room = 1, end = 0, lines = 0;
	for (int i = 0; i < n; i++) {
		const char *s = tns_meta_value(in[i], "history");
		room += s ? strlen(s) + 1 : 0;
	}
	char *all = xcalloc(room, 1), *sources = xstrdup(""), *old;
	for (int i = 0; i < n; i++) {
		const char *s = tns_meta_value(in[i], "history");
		for (size_t len; s && *s; s += len + (s[len] == '\n')) {
			len = strcspn(s, "\n");
			if (!len || has_line(all, s, len))
				continue;
			if (++lines > 10000) /* has_line is slow; no honest history is so long */
				die("%s: a history of more than 10000 lines", in[i]->name);
			memcpy(all + end, s, len);
			all[end + len] = '\n';
			end += len + 1;
		}
		sources = xprintf("%s%s%08x", old = sources, i ? " " : " < ", in[i]->fingerprint);
		free(old);
	}
	char *line = xprintf("%s%s%s%s%s%s\n", all, opt_line(), more ? " [" : "", more ? more : "", more ? "]" : "", sources);
	tns_put_meta(w, "history", line);
	free(all), free(sources), free(line);
}
