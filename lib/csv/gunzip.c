/* Headers and trailers of the gzip members are parsed here, their deflate data by zlib's raw inflate. */
#include "lib/csv/gunzip.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/base/crc.h"
#include "lib/base/err.h"

enum { RAW = 64 << 10 };

struct gunzip {
	gunzip_from *from;
	void *arg;
	z_stream z;
	enum { BETWEEN, BODY, TRAILER } at; /* position: between members or in one */
	uint32_t crc, total;		    /* of this member's text: CRC-32 (in the header: of the header), bytes mod 2^32 */
	int raw_end;
	size_t raw_cap;
	unsigned char *raw;
	char err[GUNZIP_ERR];
};

static int fault(struct gunzip *g, const char *fmt, ...) PRINTF(2, 3);
static int fault(struct gunzip *g, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(g->err, sizeof g->err, fmt, ap);
	va_end(ap);
	return -1;
}

/* Refills the input buffer when it is empty. 0: end of the input, or an error (err is set). */
static int have_input(struct gunzip *g)
{
	if (g->z.avail_in || g->raw_end)
		return g->z.avail_in > 0;
	long got = g->from(g->arg, g->raw, g->raw_cap, g->err);
	if (got < 0)
		return 0;
	g->raw_end = !got;
	g->z.next_in = g->raw;
	g->z.avail_in = (uInt)got;
	return got > 0;
}

static int truncated(struct gunzip *g)
{
	return *g->err ? -1 : fault(g, "the gzip data are cut: the file ends inside them");
}

static int damaged(struct gunzip *g, const char *how)
{
	return fault(g, "the gzip data are damaged: %s", how);
}

/* Reads n bytes and adds them to the CRC; the first 8 are stored in to. */
static int read_bytes(struct gunzip *g, size_t n, unsigned char to[8])
{
	for (size_t i = 0; i < n; i++) {
		if (!have_input(g))
			return truncated(g);
		if (i < 8)
			to[i] = *g->z.next_in;
		g->crc = crc_add(g->crc, g->z.next_in++, 1);
		g->z.avail_in--;
	}
	return 0;
}

static int skip_string(struct gunzip *g)
{
	unsigned char c[8] = {1};
	while (c[0])
		if (read_bytes(g, 1, c))
			return -1;
	return 0;
}

/* Header of a member (RFC 1952, 2.3); error messages are zlib's. */
static int read_header(struct gunzip *g)
{
	enum { HCRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16, RESERVED = 0xe0 };
	unsigned char h[8], b[8];
	if (*g->z.next_in != 0x1f)
		return fault(g, "the gzip data are followed by something else (byte 0x%02x)", *g->z.next_in);
	g->crc = 0;
	if (read_bytes(g, 2, h))
		return -1;
	if (h[1] != 0x8b)
		return damaged(g, "incorrect header check");
	if (read_bytes(g, 2, h))
		return -1;
	if (h[0] != Z_DEFLATED)
		return damaged(g, "unknown compression method");
	if (h[1] & RESERVED)
		return damaged(g, "unknown header flags set");
	if (read_bytes(g, 6, b))
		return -1;
	if (h[1] & EXTRA && (read_bytes(g, 2, b) || read_bytes(g, b[0] + 256u * b[1], b)))
		return -1;
	if ((h[1] & NAME && skip_string(g)) || (h[1] & COMMENT && skip_string(g)))
		return -1;
	uint32_t crc = g->crc & 0xffff;
	if (h[1] & HCRC && read_bytes(g, 2, b))
		return -1;
	if (h[1] & HCRC && crc != b[0] + 256u * b[1])
		return damaged(g, "header crc mismatch");
	inflateReset(&g->z);
	g->crc = g->total = 0;
	g->at = BODY;
	return 0;
}

/* Trailer of a member: CRC and length of its text. */
static int read_trailer(struct gunzip *g)
{
	unsigned char b[8];
	uint32_t crc = g->crc;
	if (read_bytes(g, 8, b))
		return -1;
	if (crc != (b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24))
		return damaged(g, "incorrect data check");
	if (g->total != (b[4] | b[5] << 8 | b[6] << 16 | (uint32_t)b[7] << 24))
		return damaged(g, "incorrect length check");
	g->at = BETWEEN;
	return 0;
}

/* An error is returned only after all text before it, so that its position does not depend on the sizes of the reads. */
static long inflate_some(struct gunzip *g, unsigned char *dst, size_t n)
{
	z_stream *z = &g->z;
	while (!*g->err) {
		if (g->at == TRAILER && read_trailer(g))
			return -1;
		if (g->at == BETWEEN && (!have_input(g) || read_header(g)))
			return *g->err ? -1 : 0;
		if (!have_input(g))
			return truncated(g);
		z->next_out = dst;
		z->avail_out = (uInt)n;
		int r = inflate(z, Z_NO_FLUSH);
		size_t written = n - z->avail_out;
		g->crc = crc_add(g->crc, dst, written);
		g->total += (uint32_t)written;
		if (r == Z_STREAM_END)
			g->at = TRAILER;
		else if (r != Z_OK && r != Z_BUF_ERROR)
			damaged(g, z->msg ? z->msg : r == Z_MEM_ERROR ? "no memory" : "cannot inflate");
		if (written)
			return (long)written;
	}
	return -1;
}

struct gunzip *gunzip_new(gunzip_from *from, void *arg, const void *first, size_t n)
{
	struct gunzip *g = xcalloc(1, sizeof *g);
	g->from = from, g->arg = arg;
	/* -15: raw deflate, with the CRC computed here (crc.h): zlib's is an eighth of its time */
	if (inflateInit2(&g->z, -15) != Z_OK) {
		free(g);
		return NULL;
	}
	g->raw_cap = n > RAW ? n : RAW;
	g->raw = xmalloc(g->raw_cap);
	memcpy(g->raw, first, n);
	g->z.next_in = g->raw;
	g->z.avail_in = (uInt)n;
	return g;
}

long gunzip_read(struct gunzip *g, unsigned char *dst, size_t n, char err[GUNZIP_ERR])
{
	long len = inflate_some(g, dst, n);
	if (len < 0)
		memcpy(err, g->err, sizeof g->err);
	return len;
}

void gunzip_free(struct gunzip *g)
{
	if (!g)
		return;
	inflateEnd(&g->z);
	free(g->raw);
	free(g);
}
