/* Chunks into blocks: chunks are appended to a buffer for each tensor; a block is the rows that all buffers hold. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/stream/dataset_stream.h"

struct dataset_stream_col {
	unsigned char *buf;
	size_t size;
	uint64_t at, end; /* rows [at, end) of buf are not consumed yet; row at is the first of the block */
};

void dataset_stream_no_model(const struct tns *t)
{
	if (tns_meta_value(t, "net"))
		die("%s: a model, not a data set: it has no rows; predict applies it to a data set, tns-info shows what is in it", t->name);
}

struct dataset_stream *dataset_stream_open(const char *path)
{
	struct dataset_stream *d = xcalloc(1, sizeof *d);
	struct tns *t = d->in = tns_open(path);
	dataset_stream_no_model(t);
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

static void append_chunk(struct dataset_stream *d)
{
	struct tns *t = d->in;
	struct dataset_stream_col *c = &d->col[t->id];
	size_t bytes = t->def[t->id].row_bytes, need;
	/* at most one row is moved for each row that was consumed: linear in all, whatever the chunk sizes */
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
	uint64_t rows = UINT64_MAX, previous = UINT64_MAX;
	for (int i = 0; i < t->ntensors; i++) /* drop the previous block */
		if (d->col[i].end - d->col[i].at < previous)
			previous = d->col[i].end - d->col[i].at;
	for (int i = 0; i < t->ntensors; i++)
		d->col[i].at += previous;
	d->row += previous;
	for (;;) {
		rows = UINT64_MAX;
		for (int i = 0; i < t->ntensors; i++)
			if (d->col[i].end - d->col[i].at < rows)
				rows = d->col[i].end - d->col[i].at;
		if (rows)
			return rows;
		if (tns_next(t) == TNS_DONE)
			break;
		append_chunk(d);
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

const char *dataset_stream_split(const struct tns *t)
{
	const char *split = tns_meta_value(t, "split");
	for (const char *s = split; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
		size_t n = strcspn(s, ",");
		if ((n == 4 && (!memcmp(s, "rows", n) || !memcmp(s, "near", n))) || (n == 9 && !memcmp(s, "tensor id", n)))
			return split;
	}
	return NULL;
}

struct nearest dataset_stream_nearest(const struct tns *t, const char *name)
{
	struct nearest n = nearest_of(name);
	for (int i = 0; i < t->ntensors; i++)
		nearest_add(&n, t->def[i].name);
	return n;
}

const char *dataset_stream_source(const struct tns *t, const char *name)
{
	if (!strcmp(name, "predicted") || !strcmp(name, "confidence"))
		return "; predict adds it";
	if (!strcmp(name, "label") || !strcmp(name, "source"))
		return "; patches have it, which patch-extract cuts out";
	if (!strcmp(name, "keypoints") && tns_find(t, "label") >= 0)
		return "; it has labels (cnn-train --target label)";
	return "";
}

int dataset_stream_find(const struct tns *t, const char *name)
{
	int id = tns_find(t, name);
	if (id >= 0)
		return id;
	struct nearest n = dataset_stream_nearest(t, name);
	die("%s: there is no tensor %s%s%s", t->name, name, nearest_or_all(&n), dataset_stream_source(t, name));
}

int dataset_stream_require(const struct tns *t, const char *name, int dtype, int ndim)
{
	int id = dataset_stream_find(t, name);
	if (t->def[id].dtype != dtype || t->def[id].ndim != ndim)
		die("%s: %s is %s with %d dimensions, not %s with %d", t->name, name, tns_dtype_name(t->def[id].dtype), t->def[id].ndim,
			tns_dtype_name(dtype), ndim);
	return id;
}
