/* Sources, the input buffer, and what the first bytes and the first line tell. */
#include "lib/base/unpack.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/crc.h"
#include "lib/base/magic.h"
#include "lib/base/unpack_io.h"

enum { HEAD = BUFFER_KIB(64) }; /* bytes in which the first line end is looked for */

/* ---- errors ---- */

int unpack_fault(struct unpack *u, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(u->err, sizeof u->err, fmt, ap);
	va_end(ap);
	return -1;
}

static const char *form(const struct unpack *u)
{
	return u->kind == UNPACK_ZIP ? "zip" : "gzip";
}

int unpack_truncated(struct unpack *u)
{
	return *u->err ? -1 : unpack_fault(u, "the %s data are cut: the file ends inside them", form(u));
}

int unpack_damaged(struct unpack *u, const char *how)
{
	return unpack_fault(u, "the %s data are damaged: %s", form(u), how);
}

int unpack_trailing(struct unpack *u)
{
	return unpack_fault(u, "the %s data are followed by something else (byte 0x%02x)", form(u), *u->z.next_in);
}

/* ---- input ---- */

static long read_fd(void *arg, unsigned char *dst, size_t n, char err[UNPACK_ERR])
{
	const struct unpack *u = arg;
	ssize_t got;
	do
		got = read(u->fd, dst, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		snprintf(err, UNPACK_ERR, "cannot read: %s", strerror(errno));
	return got;
}

static long read_memory(void *arg, unsigned char *dst, size_t n, char err[UNPACK_ERR])
{
	struct unpack *u = arg;
	(void)err;
	n = n < u->mem_left ? n : u->mem_left;
	if (n)
		memcpy(dst, u->mem, n);
	u->mem += n, u->mem_left -= n;
	return (long)n;
}

/* Reads once, to dst: how many bytes; 0 at the end or after a failure, of which unpack_input tells. */
static size_t fetch(struct unpack *u, unsigned char *dst, size_t n)
{
	long got = u->raw_end ? 0 : u->from(u->arg, dst, n, u->raw_err);
	u->raw_end |= got <= 0;
	return got > 0 ? (size_t)got : 0;
}

int unpack_input(struct unpack *u)
{
	if (!u->z.avail_in) {
		u->z.next_in = u->raw;
		u->z.avail_in = (uInt)fetch(u, u->raw, sizeof u->raw);
	}
	if (!u->z.avail_in && !*u->err)
		memcpy(u->err, u->raw_err, sizeof u->err);
	return u->z.avail_in > 0;
}

int unpack_bytes(struct unpack *u, uint64_t n, unsigned char *to, size_t keep)
{
	while (n) {
		if (!unpack_input(u))
			return unpack_truncated(u);
		size_t some = n < u->z.avail_in ? (size_t)n : u->z.avail_in, kept = some < keep ? some : keep;
		if (kept)
			memcpy(to, u->z.next_in, kept), to += kept, keep -= kept;
		u->crc = crc_add(u->crc, u->z.next_in, some);
		u->z.next_in += some, u->z.avail_in -= (uInt)some;
		n -= some;
	}
	return 0;
}

long unpack_inflate(struct unpack *u, unsigned char *dst, size_t n)
{
	z_stream *z = &u->z;
	size_t written = 0;
	n = n < 1u << 30 ? n : 1u << 30;
	while (!written && u->at == UNPACK_BODY && !*u->err) {
		z->next_out = dst;
		z->avail_out = (uInt)n;
		int r = inflate(z, Z_NO_FLUSH); /* without input too: it may hold text that the last call had no room for */
		written = n - z->avail_out;
		u->crc = crc_add(u->crc, dst, written);
		if (r == Z_STREAM_END)
			u->at = UNPACK_TRAILER;
		else if (r != Z_OK && r != Z_BUF_ERROR)
			unpack_damaged(u, z->msg ? z->msg : r == Z_MEM_ERROR ? "no memory" : "cannot inflate");
		else if (!written && !unpack_input(u))
			return unpack_truncated(u);
	}
	return written || !*u->err ? (long)written : -1;
}

static long read_plain(struct unpack *u, unsigned char *dst, size_t n)
{
	size_t got = u->z.avail_in < n ? u->z.avail_in : n;
	if (got) {
		memcpy(dst, u->z.next_in, got);
		u->z.next_in += got, u->z.avail_in -= (uInt)got;
		return (long)got;
	}
	got = fetch(u, dst, n);
	if (!got)
		memcpy(u->err, u->raw_err, sizeof u->err);
	return *u->err ? -1 : (long)got;
}

static long read_text(struct unpack *u, unsigned char *dst, size_t n)
{
	if (*u->err)
		return -1;
	return u->kind == UNPACK_PLAIN	? read_plain(u, dst, n)
	       : u->kind == UNPACK_GZIP ? unpack_gzip_read(u, dst, n)
					: unpack_zip_read(u, dst, n);
}

/* ---- the beginning ---- */

/* What the first line ends in: '\n' (CR LF too), '\r', or 0: not known yet. Several CR before LF are one line end. */
static int first_end(const unsigned char *p, size_t n)
{
	const unsigned char *e = p + n, *lf = memchr(p, '\n', n), *cr = memchr(p, '\r', lf ? (size_t)(lf - p) : n);
	if (!cr)
		return lf ? '\n' : 0;
	while (cr < e && *cr == '\r')
		cr++;
	return cr == e ? 0 : *cr == '\n' ? '\n' : '\r';
}

static int refuse(struct unpack *u, const struct magic *m)
{
	char way[400];
	const char *outer = u->kind == UNPACK_GZIP ? "gzip -dc" : u->kind == UNPACK_ZIP ? "unzip -p" : NULL;
	magic_way(way, sizeof way, m, outer, u->name, u->then);
	if (!*way)
		snprintf(way, sizeof way, ", not a CSV");
	return outer ? unpack_fault(u, "its %s data are %s%s", form(u), m->what, way) : unpack_fault(u, "this is %s%s", m->what, way);
}

/* Tells the kind, reads the text's beginning into head, refuses what is no text, skips a byte order mark. */
static void start(struct unpack *u)
{
	u->started = 1;
	u->z.next_in = u->raw;
	for (size_t got = 1; got && u->z.avail_in < MAGIC_BYTES; u->z.avail_in += (uInt)got)
		got = fetch(u, u->raw + u->z.avail_in, sizeof u->raw - u->z.avail_in);
	const struct magic *m = magic_find(u->raw, u->z.avail_in);
	u->kind = !m ? UNPACK_PLAIN : m->kind == MAGIC_GZIP ? UNPACK_GZIP : m->kind == MAGIC_ZIP ? UNPACK_ZIP : UNPACK_PLAIN;
	if (m && u->kind == UNPACK_PLAIN) {
		refuse(u, m);
		return;
	}
	if (u->any)
		return;
	int end = 0;
	long got = 1;
	while (got > 0 && u->head_end < HEAD && (!end || u->head_end < MAGIC_BYTES)) {
		got = read_text(u, u->head + u->head_end, HEAD - u->head_end);
		u->head_end += got > 0 ? (size_t)got : 0;
		end = first_end(u->head, u->head_end);
	}
	u->cr = end == '\r' || (got <= 0 && !end && memchr(u->head, '\r', u->head_end));
	if (u->kind != UNPACK_PLAIN && (m = magic_find(u->head, u->head_end))) {
		while (u->kind == UNPACK_ZIP && read_text(u, u->head, HEAD) > 0) /* to its end: are there several files? */
			;
		u->head_end = 0;
		if (!*u->err)
			refuse(u, m);
	}
	if (u->head_end >= 3 && !memcmp(u->head, "\xef\xbb\xbf", 3))
		u->head_at = 3;
}

long unpack_read(struct unpack *u, unsigned char *dst, size_t n, char err[UNPACK_ERR])
{
	if (!u->started)
		start(u);
	size_t some = u->head_end - u->head_at;
	long got = some < n ? (long)some : (long)n;
	if (some) {
		memcpy(dst, u->head + u->head_at, (size_t)got);
		u->head_at += (size_t)got;
	} else {
		got = read_text(u, dst, n);
	}
	if (got < 0)
		memcpy(err, u->err, sizeof u->err);
	for (long i = 0; u->cr && i < got; i++)
		dst[i] = dst[i] == '\r' ? '\n' : dst[i];
	return got;
}

/* ---- opening ---- */

struct unpack *unpack_new(unpack_from *from, void *arg, const char *name, const char *then)
{
	struct unpack *u = xcalloc(1, sizeof *u);
	u->from = from, u->arg = arg;
	u->name = name;
	u->then = xstrdup(then ? then : err_then());
	u->head = xmalloc(HEAD);
	/* -15: raw deflate, with the CRC computed here (crc.h): zlib's is an eighth of its time */
	if (inflateInit2(&u->z, -15) != Z_OK)
		die("no memory to inflate");
	return u;
}

struct unpack *unpack_fd(int fd, const char *name, const char *then)
{
	struct unpack *u = unpack_new(read_fd, NULL, name, then);
	u->arg = u;
	u->fd = fd;
	return u;
}

struct unpack *unpack_memory(const void *data, size_t n, const char *name, const char *then)
{
	struct unpack *u = unpack_new(read_memory, NULL, name, then);
	u->arg = u;
	u->mem = data;
	u->mem_left = n;
	return u;
}

void unpack_any(struct unpack *u)
{
	u->any = 1;
}

enum unpack_kind unpack_kind(const struct unpack *u)
{
	return u->kind;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	inflateEnd(&u->z);
	free(u->head), free(u->then);
	free(u);
}
