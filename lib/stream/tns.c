/* The streaming reader: parses payloads and checks the order of records. The record layer below it is tns_record.c. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/unpack.h"
#include "lib/base/utf8.h"
#include "lib/stream/tns.h"
#include "lib/stream/tns_io.h"

static int parse_def(struct tns *t)
{
	struct tns_source *s = t->src;
	const unsigned char *p = s->payload;
	if (s->data_seen)
		return tns_fail(t, "a tensor is defined after the first row");
	if (t->ntensors >= TNS_TENSORS_MAX)
		return tns_fail(t, "more than %d tensors", TNS_TENSORS_MAX);
	if (s->id != (uint32_t)t->ntensors)
		return tns_fail(t, "tensor id %u, not %d", s->id, t->ntensors);
	if (s->raw_len < 8)
		return tns_fail(t, "a definition of %u bytes", s->raw_len);
	struct tns_def d = {.dtype = p[0], .ndim = p[1]};
	size_t len = tns_get16(p + 2), size = tns_size(d.dtype);
	if (!size)
		return tns_fail(t, "unknown dtype %d", d.dtype);
	if (d.ndim > 8)
		return tns_fail(t, "%d dimensions, at most 8", d.ndim);
	if (tns_get32(p + 4) || s->raw_len != 8 + 8 * (size_t)d.ndim + len)
		return tns_fail(t, "a definition of %u bytes does not add up", s->raw_len);
	if (!tns_good_name(p + 8 + 8 * d.ndim, len))
		return tns_fail(t, "a tensor name that is not 1 to 255 of A-Z a-z 0-9 . _ / -");
	memcpy(d.name, p + 8 + 8 * d.ndim, len);
	for (int i = 0; i < t->ntensors; i++)
		if (!strcmp(t->def[i].name, d.name))
			return tns_fail(t, "two tensors are named %s", d.name);
	d.row_bytes = size;
	for (int i = 0; i < d.ndim; i++) {
		d.dim[i] = tns_get64(p + 8 + 8 * i);
		if (i && (!d.dim[i] || __builtin_mul_overflow(d.row_bytes, d.dim[i], &d.row_bytes) || d.row_bytes > TNS_CHUNK_MAX))
			return tns_fail(t, "%s: dimension %d is %llu: a row must have 1 to %u bytes", d.name, i,
				(unsigned long long)d.dim[i], TNS_CHUNK_MAX);
	}
	uint64_t all;
	if (d.ndim && d.dim[0] != TNS_UNLIMITED &&
		(d.dim[0] > TNS_ROWS_MAX || __builtin_mul_overflow((uint64_t)d.row_bytes, d.dim[0], &all)))
		return tns_fail(t, "%s: %llu rows are too many", d.name, (unsigned long long)d.dim[0]);
	if (!(t->ntensors & (t->ntensors - 1)))
		t->def = xrealloc(t->def, (t->ntensors ? 2 * (size_t)t->ntensors : 1) * sizeof *t->def);
	t->def[t->ntensors++] = d;
	return TNS_DONE;
}

static int parse_meta(struct tns *t)
{
	struct tns_source *s = t->src;
	const unsigned char *p = s->payload;
	size_t key = s->raw_len >= 6 ? tns_get16(p) : 0, value = s->raw_len >= 6 ? tns_get32(p + 2) : 0;
	if (!key || s->raw_len != 6 + key + value)
		return tns_fail(t, "a META of %u bytes does not add up", s->raw_len);
	if (!utf8_valid(p + 6, key) || !utf8_valid(p + 6 + key, value) || memchr(p + 6, 0, key))
		return tns_fail(t, "a META that is not UTF-8");
	/* an entry needs more memory than its text: the number of entries is limited too, for hostile streams of many tiny ones */
	s->meta_bytes += key + value;
	if (s->meta_bytes > TNS_META_MAX || t->nmeta >= TNS_TENSORS_MAX)
		return tns_fail(t, "more META than %u bytes or %d entries", TNS_META_MAX, TNS_TENSORS_MAX);
	for (int i = 0; i < t->nmeta; i++)
		if (t->meta[i].key_len == key && !memcmp(t->meta[i].key, p + 6, key))
			return tns_fail(t, "two METAs are named %s", t->meta[i].key);
	if (!(t->nmeta & (t->nmeta - 1))) {
		size_t room = t->nmeta ? 2 * (size_t)t->nmeta : 1;
		t->meta = xrealloc(t->meta, room * sizeof *t->meta);
		s->meta_place = xrealloc(s->meta_place, room * sizeof *s->meta_place);
	}
	s->meta_place[t->nmeta] = t->ntensors;
	struct tns_meta *m = &t->meta[t->nmeta++];
	*m = (struct tns_meta){xcalloc(key + 1, 1), xcalloc(value + 1, 1), key, value, s->data_seen};
	memcpy(m->key, p + 6, key);
	memcpy(m->value, p + 6 + key, value);
	s->late_seen |= s->data_seen;
	return TNS_DONE;
}

static int parse_data(struct tns *t)
{
	struct tns_source *s = t->src;
	if (s->id >= (uint32_t)t->ntensors)
		return tns_fail(t, "rows of tensor %u, but there are %d", s->id, t->ntensors);
	if (s->late_seen)
		return tns_fail(t, "rows after a late META");
	struct tns_def *d = &t->def[s->id];
	if (!s->raw_len || s->raw_len % d->row_bytes)
		return tns_fail(t, "%s: %u bytes are not whole rows of %zu", d->name, s->raw_len, d->row_bytes);
	s->data_seen = 1;
	t->id = (int)s->id;
	t->row = d->rows;
	t->rows = s->raw_len / d->row_bytes;
	tns_host_order(s, tns_size(d->dtype));
	t->data = s->payload;
	d->rows += t->rows;
	uint64_t limit = d->ndim == 0 ? 1 : d->dim[0] == TNS_UNLIMITED ? TNS_ROWS_MAX : d->dim[0];
	if (d->rows > limit)
		return tns_fail(t, "%s: row %llu of %llu", d->name, (unsigned long long)d->rows, (unsigned long long)limit);
	return TNS_DATA;
}

static int parse_end(struct tns *t)
{
	struct tns_source *s = t->src;
	const unsigned char *p = s->payload;
	size_t got;
	if (s->raw_len < 8 || tns_get32(p) != (uint32_t)t->ntensors || tns_get32(p + 4) || s->raw_len != 8 + 8 * (size_t)t->ntensors)
		return tns_fail(t, "END does not count %d tensors", t->ntensors);
	for (int i = 0; i < t->ntensors; i++) {
		const struct tns_def *d = &t->def[i];
		uint64_t end_rows = tns_get64(p + 8 + 8 * i), def_rows = d->ndim == 0 ? 1 : d->dim[0];
		if (end_rows != d->rows || (def_rows != TNS_UNLIMITED && def_rows != d->rows))
			return tns_fail(t, "%s: %llu rows came, END says %llu%s", d->name, (unsigned long long)d->rows,
				(unsigned long long)end_rows,
				def_rows == TNS_UNLIMITED || def_rows == end_rows ? "" : ", its definition otherwise");
	}
	if (tns_get(t, 1, &p, &got) < 0)
		return TNS_ERR;
	if (got)
		return tns_fail(t, "bytes after END");
	t->fingerprint = s->chain;
	s->ended = 1;
	return TNS_DONE;
}

/* Reads and parses one record; DATA sets pending until tns_step returns it. */
static int advance(struct tns *t)
{
	struct tns_source *s = t->src;
	if (tns_read_record(t) < 0)
		return TNS_ERR;
	switch (s->type) {
	case TNS_RECORD_TDEF:
		return parse_def(t);
	case TNS_RECORD_META:
		return parse_meta(t);
	case TNS_RECORD_DATA:
		s->pending = 1;
		return parse_data(t);
	case TNS_RECORD_END:
		return parse_end(t);
	case TNS_RECORD_ABRT:
		t->aborted = 1;
		return tns_fail(t, "its producer gave up: %.*s", (int)(s->raw_len < 400 ? s->raw_len : 400), (const char *)s->payload);
	}
	unsigned char c[4];
	tns_set32(c, s->type);
	return c[0] >= 'a' && c[0] <= 'z' ? TNS_DONE : tns_fail(t, "unknown type %08x", s->type);
}

int tns_head(struct tns *t)
{
	struct tns_source *s = t->src;
	if (t->err[0])
		return TNS_ERR;
	if (!s->begun && tns_read_preamble(t) < 0)
		return TNS_ERR;
	while (!s->pending && !s->ended)
		if (advance(t) < 0)
			return TNS_ERR;
	return TNS_DONE;
}

int tns_step(struct tns *t)
{
	struct tns_source *s = t->src;
	if (tns_head(t) < 0)
		return TNS_ERR;
	if (s->pending) {
		s->pending = 0;
		return TNS_DATA;
	}
	return TNS_DONE;
}

static struct tns *new_reader(int fd, const void *data, size_t n, const char *name)
{
	struct tns *t = xcalloc(1, sizeof *t);
	t->src = xcalloc(1, sizeof *t->src);
	t->src->fd = fd;
	t->src->mem = data;
	t->src->left = n;
	t->name = name;
	return t;
}

struct tns *tns_open_fd(int fd, const char *name)
{
	return new_reader(fd, NULL, 0, name);
}

struct tns *tns_open_memory(const void *data, size_t n, const char *name)
{
	return new_reader(-1, data, n, name);
}

int tns_input(const char *path, const char **name)
{
	int is_stdin = !path || !strcmp(path, "-"), fd = is_stdin ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	*name = is_stdin ? "stdin" : path;
	if (fd < 0)
		die_errno("%s", path);
	if (isatty(fd))
		die_usage("%s is a terminal: name a tensor stream", *name);
	return fd;
}

struct tns *tns_open(const char *path)
{
	const char *name;
	int fd = tns_input(path, &name);
	struct tns *t = tns_open_fd(fd, name);
	if (tns_head(t) < 0)
		die("%s: %s", t->name, t->err);
	return t;
}

int tns_next(struct tns *t)
{
	int rc = tns_step(t);
	if (rc < 0)
		die("%s: %s", t->name, t->err);
	return rc;
}

void tns_free(struct tns *t)
{
	if (!t)
		return;
	if (t->src->fd > 0)
		close(t->src->fd);
	for (int i = 0; i < t->nmeta; i++)
		free(t->meta[i].key), free(t->meta[i].value);
	free(t->meta);
	free(t->def);
	unpack_free(t->src->unpack);
	free(t->src->buf);
	free(t->src->raw);
	free(t->src->meta_place);
	free(t->src);
	free(t);
}

int tns_find(const struct tns *t, const char *name)
{
	for (int i = 0; i < t->ntensors; i++)
		if (!strcmp(t->def[i].name, name))
			return i;
	return -1;
}

int tns_meta_place(const struct tns *t, int i)
{
	return t->src->meta_place[i];
}

const char *tns_meta_value(const struct tns *t, const char *key)
{
	for (int i = 0; i < t->nmeta; i++)
		if (!strcmp(t->meta[i].key, key))
			return t->meta[i].value;
	return NULL;
}
