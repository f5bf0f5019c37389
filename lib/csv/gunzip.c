/* Members of a gzip around zlib's inflate. */
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
	enum { OUTSIDE, BODY, TAIL } at; /* of a member */
	uint32_t sum, total;		 /* of the text of this member */
	int raw_end;
	size_t room;
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

/* Is there another byte? */
static int more(struct gunzip *g)
{
	if (g->z.avail_in || g->raw_end)
		return g->z.avail_in > 0;
	long got = g->from(g->arg, g->raw, g->room, g->err);
	if (got < 0)
		return 0;
	g->raw_end = !got;
	g->z.next_in = g->raw;
	g->z.avail_in = (uInt)got;
	return got > 0;
}

static int cut(struct gunzip *g)
{
	return *g->err ? -1 : fault(g, "the gzip data are cut: the file ends inside them");
}

static int damaged(struct gunzip *g, const char *how)
{
	return fault(g, "the gzip data are damaged: %s", how);
}

/* The next n bytes, of which the first 8 are kept in to; they count in the sum. */
static int bytes(struct gunzip *g, size_t n, unsigned char to[8])
{
	for (size_t i = 0; i < n; i++) {
		if (!more(g))
			return cut(g);
		if (i < 8)
			to[i] = *g->z.next_in;
		g->sum = crc_add(g->sum, g->z.next_in++, 1);
		g->z.avail_in--;
	}
	return 0;
}

static int text_field(struct gunzip *g)
{
	unsigned char c[8] = {1};
	while (c[0])
		if (bytes(g, 1, c))
			return -1;
	return 0;
}

/* RFC 1952, 2.3: what stands before the deflated data of a member; zlib's words for what is wrong with it. */
static int head(struct gunzip *g)
{
	enum { HCRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16, RESERVED = 0xe0 };
	unsigned char h[8], b[8];
	if (*g->z.next_in != 0x1f)
		return fault(g, "the gzip data are followed by something else (byte 0x%02x)", *g->z.next_in);
	g->sum = 0;
	if (bytes(g, 2, h))
		return -1;
	if (h[1] != 0x8b)
		return damaged(g, "incorrect header check");
	if (bytes(g, 2, h))
		return -1;
	if (h[0] != Z_DEFLATED)
		return damaged(g, "unknown compression method");
	if (h[1] & RESERVED)
		return damaged(g, "unknown header flags set");
	if (bytes(g, 6, b))
		return -1;
	if (h[1] & EXTRA && (bytes(g, 2, b) || bytes(g, b[0] + 256u * b[1], b)))
		return -1;
	if ((h[1] & NAME && text_field(g)) || (h[1] & COMMENT && text_field(g)))
		return -1;
	uint32_t sum = g->sum & 0xffff;
	if (h[1] & HCRC && bytes(g, 2, b))
		return -1;
	if (h[1] & HCRC && sum != b[0] + 256u * b[1])
		return damaged(g, "header crc mismatch");
	inflateReset(&g->z);
	g->sum = g->total = 0;
	g->at = BODY;
	return 0;
}

/* What stands behind them: the sum and the length of the text. */
static int tail(struct gunzip *g)
{
	unsigned char b[8];
	uint32_t sum = g->sum;
	if (bytes(g, 8, b))
		return -1;
	if (sum != (b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24))
		return damaged(g, "incorrect data check");
	if (g->total != (b[4] | b[5] << 8 | b[6] << 16 | (uint32_t)b[7] << 24))
		return damaged(g, "incorrect length check");
	g->at = OUTSIDE;
	return 0;
}

/* A fault is told only once what comes before it has been delivered: where it shows does not depend on the sizes of pieces. */
static long make(struct gunzip *g, unsigned char *dst, size_t n)
{
	z_stream *z = &g->z;
	while (!*g->err) {
		if (g->at == TAIL && tail(g))
			return -1;
		if (g->at == OUTSIDE && (!more(g) || head(g)))
			return *g->err ? -1 : 0;
		if (!more(g))
			return cut(g);
		z->next_out = dst;
		z->avail_out = (uInt)n;
		int r = inflate(z, Z_NO_FLUSH);
		size_t made = n - z->avail_out;
		g->sum = crc_add(g->sum, dst, made);
		g->total += (uint32_t)made;
		if (r == Z_STREAM_END)
			g->at = TAIL;
		else if (r != Z_OK && r != Z_BUF_ERROR)
			damaged(g, z->msg ? z->msg : r == Z_MEM_ERROR ? "no memory" : "cannot inflate");
		if (made)
			return (long)made;
	}
	return -1;
}

struct gunzip *gunzip_new(gunzip_from *from, void *arg, const void *first, size_t n)
{
	struct gunzip *g = xcalloc(1, sizeof *g);
	g->from = from, g->arg = arg;
	/* raw: what is around the deflated data is read here, since zlib's sum takes an eighth of all its time */
	if (inflateInit2(&g->z, -15) != Z_OK) {
		free(g);
		return NULL;
	}
	g->room = n > RAW ? n : RAW;
	g->raw = xmalloc(g->room);
	memcpy(g->raw, first, n);
	g->z.next_in = g->raw;
	g->z.avail_in = (uInt)n;
	return g;
}

long gunzip_read(struct gunzip *g, unsigned char *dst, size_t n, char err[GUNZIP_ERR])
{
	long len = make(g, dst, n);
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
