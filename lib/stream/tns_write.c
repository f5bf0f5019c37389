/* The writer. Rows are buffered into chunks of fixed size, so that the bytes do not depend on how the rows are divided among calls. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/base/crc.h"
#include "lib/base/err.h"
#include "lib/base/out.h"
#include "lib/base/utf8.h"
#include "lib/stream/tns.h"
#include "lib/stream/tns_io.h"

struct column { /* a tensor's buffered rows */
	struct tns_def def;
	unsigned char *buf;
	size_t size, at, end; /* bytes [at, end) of buf are buffered */
};

struct tns_writer {
	struct out *out;
	struct column *col;
	struct tns_meta *late;
	char **keys; /* of all METAs so far */
	int ncols, nlate, nkeys;
	int begun, ended, compress, live;
	uint32_t seq, chain;
	size_t meta_bytes;
	uint64_t open_rows; /* rows in a chunk of the tensors with dim[0] = TNS_UNLIMITED */
	unsigned char *z;
	size_t zsize;
};

static void write_record(struct tns_writer *w, const char *type, uint32_t id, const void *payload, uint32_t n)
{
	static const unsigned char zeros[64];
	unsigned char h[TNS_HEADER_BYTES] = {0};
	uint32_t stored = n, flags = 0;
	if (w->compress && n > 64) {
		uLongf z = compressBound(n);
		if (w->zsize < z)
			w->z = xrealloc(w->z, w->zsize = z);
		if (compress2(w->z, &z, payload, n, Z_DEFAULT_COMPRESSION) != Z_OK)
			die("%s: zlib can't compress a record", out_name(w->out));
		if (z < n)
			stored = (uint32_t)z, flags = TNS_ZLIB, payload = w->z;
	}
	uint32_t pad = tns_padding(stored, !strcmp(type, "END") || !strcmp(type, "ABRT"));
	strncpy((char *)h, type, 4);
	tns_set32(h + 4, w->seq++);
	tns_set32(h + 8, id);
	tns_set32(h + 12, flags);
	tns_set32(h + 16, stored);
	tns_set32(h + 20, n);
	tns_set32(h + 24, crc_add(crc_add(0, payload, stored), zeros, pad));
	w->chain = crc_add(w->chain, h, 28);
	tns_set32(h + 28, w->chain);
	out_write(w->out, h, TNS_HEADER_BYTES);
	out_write(w->out, payload, stored);
	out_write(w->out, zeros, pad);
}

/* Hook for the end of the program: the reader of a pipe gets the reason. For a file nothing is written: its temporary file is removed. */
static void write_abort(void *arg, const char *reason)
{
	struct tns_writer *w = arg;
	size_t n = strlen(reason);
	if (w->ended)
		return;
	w->compress = 0;
	write_record(w, "ABRT", TNS_NO_TENSOR, reason, (uint32_t)(n < 4096 ? n : 4096));
	out_flush(w->out);
}

static int promised;

/* The new writer's own hook is the next to run. */
static void abort_unwritten(void *arg, const char *reason)
{
	(void)arg, (void)reason;
	tns_create(NULL);
}

void tns_promise(const char *path)
{
	out_hold(path);
	if (path && strcmp(path, "-"))
		return;
	out_check("-", 1);
	err_add_hook(abort_unwritten, &promised);
}

struct tns_writer *tns_create(const char *path)
{
	err_remove_hook(&promised);
	struct tns_writer *w = xcalloc(1, sizeof *w);
	unsigned char p[TNS_HEADER_BYTES] = {0};
	w->out = out_open(path, 1);
	memcpy(p, TNS_MAGIC, 8);
	tns_set16(p + 8, 1);
	w->chain = crc_add(0, p, 28);
	tns_set32(p + 28, w->chain);
	out_write(w->out, p, TNS_HEADER_BYTES);
	if (!path || !strcmp(path, "-"))
		err_add_hook(write_abort, w);
	return w;
}

void tns_compress(struct tns_writer *w)
{
	assert(!w->begun);
	w->compress = 1;
}

int tns_define(struct tns_writer *w, const char *name, int dtype, int ndim, const uint64_t *dim)
{
	unsigned char p[8 + 64 + 255] = {(unsigned char)dtype, (unsigned char)ndim};
	struct tns_def d = {.dtype = dtype, .ndim = ndim, .row_bytes = tns_size(dtype)};
	size_t len = strlen(name);
	if (w->ncols == TNS_TENSORS_MAX)
		die("%s: %s is one tensor more than the %d that a stream can have", out_name(w->out), name, TNS_TENSORS_MAX);
	assert(!w->begun && d.row_bytes && ndim >= 0 && ndim <= 8 && tns_good_name((const unsigned char *)name, len));
	memcpy(d.name, name, len);
	tns_set16(p + 2, (uint16_t)len);
	for (int i = 0; i < w->ncols; i++)
		assert(strcmp(w->col[i].def.name, name));
	for (int i = 0; i < ndim; i++) {
		d.dim[i] = dim[i];
		tns_set64(p + 8 + 8 * i, dim[i]);
		if (i && (__builtin_mul_overflow(d.row_bytes, dim[i], &d.row_bytes) || !dim[i] || d.row_bytes > TNS_CHUNK_MAX))
			die("%s: %s: a row must have 1 to %u bytes", out_name(w->out), name, TNS_CHUNK_MAX);
	}
	memcpy(p + 8 + 8 * ndim, name, len);
	write_record(w, "TDEF", (uint32_t)w->ncols, p, (uint32_t)(8 + 8 * (size_t)ndim + len));
	w->col = xrealloc(w->col, (size_t)(w->ncols + 1) * sizeof *w->col);
	w->col[w->ncols] = (struct column){.def = d};
	return w->ncols++;
}

int tns_has_meta(const struct tns_writer *w, const char *key)
{
	for (int i = 0; i < w->nkeys; i++)
		if (!strcmp(w->keys[i], key))
			return 1;
	return 0;
}

static void write_meta(struct tns_writer *w, const struct tns_meta *m)
{
	size_t n = 6 + m->key_len + m->value_len;
	unsigned char *p = xmalloc(n);
	tns_set16(p, (uint16_t)m->key_len);
	tns_set32(p + 2, (uint32_t)m->value_len);
	memcpy(p + 6, m->key, m->key_len);
	memcpy(p + 6 + m->key_len, m->value, m->value_len);
	write_record(w, "META", TNS_NO_TENSOR, p, (uint32_t)n);
	free(p);
}

static void add_meta(struct tns_writer *w, const char *key, const char *value, size_t n)
{
	struct tns_meta m = {xstrdup(key), xcalloc(n + 1, 1), strlen(key), n, w->begun};
	memcpy(m.value, value, n);
	assert(!tns_has_meta(w, key) && m.key_len && m.key_len < 65536);
	if (!utf8_valid((unsigned char *)m.key, m.key_len) || !utf8_valid((unsigned char *)m.value, n))
		die("%s: META %s is not UTF-8", out_name(w->out), key);
	w->meta_bytes += m.key_len + n;
	if (w->meta_bytes > TNS_META_MAX || w->nkeys >= TNS_TENSORS_MAX)
		die("%s: META %s: more than %u bytes or %d entries in all", out_name(w->out), key, TNS_META_MAX, TNS_TENSORS_MAX);
	w->keys = xrealloc(w->keys, (size_t)(w->nkeys + 1) * sizeof *w->keys);
	w->keys[w->nkeys++] = xstrdup(key);
	if (!w->begun) {
		write_meta(w, &m);
		free(m.key), free(m.value);
		return;
	}
	w->late = xrealloc(w->late, (size_t)(w->nlate + 1) * sizeof *w->late);
	w->late[w->nlate++] = m;
}

void tns_put_meta(struct tns_writer *w, const char *key, const char *value)
{
	add_meta(w, key, value, strlen(value));
}

void tns_copy_meta(struct tns_writer *w, const struct tns_meta *m)
{
	add_meta(w, m->key, m->value, m->value_len);
}

static uint64_t chunk_rows(size_t row_bytes)
{
	return row_bytes < TNS_CHUNK ? TNS_CHUNK / row_bytes : 1;
}

static int is_open(const struct column *c)
{
	return c->def.ndim && c->def.dim[0] == TNS_UNLIMITED;
}

static void begin(struct tns_writer *w)
{
	if (w->begun)
		return;
	size_t widest = 1;
	w->begun = 1;
	for (int i = 0; i < w->ncols; i++)
		if (is_open(&w->col[i]) && w->col[i].def.row_bytes > widest)
			widest = w->col[i].def.row_bytes;
	w->live = tns_has_meta(w, "live");
	w->open_rows = w->live ? 1 : chunk_rows(widest);
}

static void write_chunk(struct tns_writer *w, int id, uint64_t rows)
{
	struct column *c = &w->col[id];
	size_t n = (size_t)rows * c->def.row_bytes;
	if (TNS_SWAPS)
		tns_swap(c->buf + c->at, n, tns_size(c->def.dtype));
	write_record(w, "DATA", (uint32_t)id, c->buf + c->at, (uint32_t)n);
	c->at += n;
	if (c->at == c->end)
		c->at = c->end = 0;
}

/* Writes a chunk of every TNS_UNLIMITED tensor, in the order of ids, if all have open_rows rows; last: of what is left. 0: nothing written.
 */
static int write_open_chunks(struct tns_writer *w, int last)
{
	int any = 0;
	for (int i = 0; i < w->ncols && !last; i++)
		if (is_open(&w->col[i]) && w->col[i].end - w->col[i].at < w->open_rows * w->col[i].def.row_bytes)
			return 0;
	for (int i = 0; i < w->ncols; i++)
		if (is_open(&w->col[i])) {
			uint64_t rows = (w->col[i].end - w->col[i].at) / w->col[i].def.row_bytes;
			rows = rows < w->open_rows ? rows : w->open_rows;
			if (rows)
				write_chunk(w, i, rows), any = 1;
		}
	if (w->live && any)
		out_flush(w->out);
	return any;
}

void tns_write(struct tns_writer *w, int id, const void *rows, uint64_t n)
{
	begin(w);
	assert(id >= 0 && id < w->ncols);
	struct column *c = &w->col[id];
	const unsigned char *p = rows;
	size_t left = (size_t)n * c->def.row_bytes, chunk = (is_open(c) ? w->open_rows : chunk_rows(c->def.row_bytes)) * c->def.row_bytes;
	c->def.rows += n;
	while (left) {
		if (c->at && c->end + left > c->size) {
			memmove(c->buf, c->buf + c->at, c->end - c->at);
			c->end -= c->at, c->at = 0;
		}
		if (c->end == c->size) {
			c->size = c->size < chunk ? (4 * c->size + (1 << 16) < chunk ? 4 * c->size + (1 << 16) : chunk) : 2 * c->size;
			c->buf = xrealloc(c->buf, c->size);
		}
		size_t k = c->size - c->end < left ? c->size - c->end : left;
		memcpy(c->buf + c->end, p, k);
		c->end += k, p += k, left -= k;
		if (is_open(c)) {
			while (c->end - c->at >= chunk && write_open_chunks(w, 0))
				;
		} else {
			while (c->end - c->at >= chunk)
				write_chunk(w, id, chunk / c->def.row_bytes);
		}
	}
}

void tns_end(struct tns_writer *w)
{
	if (w->ended)
		return;
	begin(w);
	w->ended = 1;
	while (write_open_chunks(w, 1))
		;
	size_t n = 8 + 8 * (size_t)w->ncols;
	unsigned char *p = xcalloc(n, 1);
	tns_set32(p, (uint32_t)w->ncols);
	for (int i = 0; i < w->ncols; i++) {
		struct column *c = &w->col[i];
		assert(is_open(c) || c->def.rows == (c->def.ndim ? c->def.dim[0] : 1));
		if (c->end > c->at)
			write_chunk(w, i, (c->end - c->at) / c->def.row_bytes);
		tns_set64(p + 8 + 8 * i, c->def.rows);
		free(c->buf);
	}
	for (int i = 0; i < w->nlate; i++) {
		write_meta(w, &w->late[i]);
		free(w->late[i].key), free(w->late[i].value);
	}
	write_record(w, "END", TNS_NO_TENSOR, p, (uint32_t)n);
	free(p);
	out_sync(w->out);
}

uint32_t tns_close(struct tns_writer *w)
{
	tns_end(w);
	uint32_t fingerprint = w->chain;
	err_remove_hook(w);
	out_close(w->out);
	for (int i = 0; i < w->nkeys; i++)
		free(w->keys[i]);
	free(w->keys), free(w->late), free(w->col), free(w->z), free(w);
	return fingerprint;
}
