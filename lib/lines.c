#include "lib/lines.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/err.h"

#define ROOM (256u << 10) /* at first: small enough that text is still in the second cache when it is parsed */
#define RAW (64u << 10)

struct lines_source {
	int fd; /* -1: memory */
	const unsigned char *mem;
	size_t mem_left;
	int begun, raw_end, text_end, member; /* member: inside one of a gzip */
	z_stream z;
	unsigned char *raw;
	unsigned char *text; /* LINES_PAD bytes, room for cap bytes, LINES_PAD bytes */
	size_t cap, at, end; /* from text + LINES_PAD */
};

static int fault(struct lines *l, const char *fmt, ...) PRINTF(2, 3);
static int fault(struct lines *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(l->err, sizeof l->err, fmt, ap);
	va_end(ap);
	return LINES_ERR;
}

/* Bytes of the file to dst: how many, 0 at its end, or LINES_ERR. */
static long raw_read(struct lines *l, unsigned char *dst, size_t n)
{
	struct lines_source *s = l->src;
	ssize_t got;
	if (s->fd < 0) {
		n = n < s->mem_left ? n : s->mem_left;
		memcpy(dst, s->mem, n);
		s->mem += n, s->mem_left -= n;
		return (long)n;
	}
	do
		got = read(s->fd, dst, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? fault(l, "cannot read: %s", strerror(errno)) : got;
}

/* The same for what is inside a gzip. */
static long gzip_read(struct lines *l, unsigned char *dst, size_t n)
{
	struct lines_source *s = l->src;
	s->z.next_out = dst;
	s->z.avail_out = (uInt)n;
	while (s->z.avail_out == n) {
		if (!s->z.avail_in && !s->raw_end) {
			long got = raw_read(l, s->raw, RAW);
			if (got < 0)
				return got;
			s->raw_end = !got;
			s->z.next_in = s->raw;
			s->z.avail_in = (uInt)got;
		}
		if (!s->z.avail_in)
			return s->member ? fault(l, "the gzip data are cut: the file ends inside them") : 0;
		if (!s->member) {
			if (s->z.next_in[0] != 0x1f)
				return fault(l, "the gzip data are followed by something else (byte 0x%02x)", s->z.next_in[0]);
			inflateReset(&s->z);
			s->member = 1;
		}
		int r = inflate(&s->z, Z_NO_FLUSH);
		if (r == Z_STREAM_END)
			s->member = 0;
		else if (r != Z_OK && r != Z_BUF_ERROR)
			return fault(l, "the gzip data are damaged: %s",
				s->z.msg	   ? s->z.msg
				: r == Z_MEM_ERROR ? "no memory"
						   : "cannot inflate");
	}
	return (long)(n - s->z.avail_out);
}

/* More text behind what is there; sets text_end when there is none. */
static int fill(struct lines *l)
{
	struct lines_source *s = l->src;
	unsigned char *text = s->text + LINES_PAD;
	if (s->at) {
		memmove(text, text + s->at, s->end - s->at);
		s->end -= s->at;
		s->at = 0;
	}
	if (s->end == s->cap) {
		if (s->cap >= LINES_MAX)
			return fault(l, "a line is longer than %u bytes", LINES_MAX);
		s->cap *= 2;
		s->text = xrealloc(s->text, s->cap + 2 * LINES_PAD);
		text = s->text + LINES_PAD;
	}
	long got = l->gzip ? gzip_read(l, text + s->end, s->cap - s->end) : raw_read(l, text + s->end, s->cap - s->end);
	if (got < 0)
		return LINES_ERR;
	s->end += (size_t)got;
	s->text_end = !got;
	return LINES_DONE;
}

/* Gzip? A byte order mark? */
static int begin(struct lines *l)
{
	struct lines_source *s = l->src;
	const unsigned char *text = s->text + LINES_PAD;
	while (s->end < 3 && !s->text_end)
		if (fill(l))
			return LINES_ERR;
	if (!l->gzip && s->end >= 2 && text[0] == 0x1f && text[1] == 0x8b) {
		if (inflateInit2(&s->z, 15 + 16) != Z_OK)
			return fault(l, "no memory to inflate gzip");
		l->gzip = 1;
		s->raw = xmalloc(s->cap > RAW ? s->cap : RAW);
		memcpy(s->raw, text, s->end); /* what was read as text is the gzip's beginning */
		s->z.next_in = s->raw;
		s->z.avail_in = (uInt)s->end;
		s->end = 0;
		s->text_end = 0;
		return begin(l);
	}
	s->at = s->end >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
	s->begun = 1;
	return LINES_DONE;
}

int lines_next(struct lines *l)
{
	struct lines_source *s = l->src;
	if (!s->begun && begin(l))
		return LINES_ERR;
	for (size_t seen = 0;;) {
		const unsigned char *p = s->text + LINES_PAD + s->at, *nl = memchr(p + seen, '\n', s->end - s->at - seen);
		seen = s->end - s->at;
		l->cut = !nl && s->text_end;
		if (nl || l->cut) {
			if (!nl && !seen)
				return LINES_DONE;
			l->line = (struct span){p, nl ? nl : p + seen};
			s->at += nl ? (size_t)(nl + 1 - p) : seen;
			l->line.e -= l->line.e > p && l->line.e[-1] == '\r';
			return LINES_ONE;
		}
		if (fill(l))
			return LINES_ERR;
	}
}

static struct lines *open_lines(int fd, const void *data, size_t n)
{
	struct lines *l = xcalloc(1, sizeof *l);
	struct lines_source *s = l->src = xcalloc(1, sizeof *s);
	s->fd = fd;
	s->mem = data;
	s->mem_left = n;
	s->cap = ROOM;
	s->text = xmalloc(ROOM + 2 * LINES_PAD);
	memset(s->text, 0, LINES_PAD);
	return l;
}

struct lines *lines_open_fd(int fd)
{
	return open_lines(fd, NULL, 0);
}

struct lines *lines_open_memory(const void *data, size_t n)
{
	return open_lines(-1, data, n);
}

void lines_free(struct lines *l)
{
	struct lines_source *s = l->src;
	if (l->gzip)
		inflateEnd(&s->z);
	if (s->fd > 0)
		close(s->fd);
	free(s->raw);
	free(s->text);
	free(s);
	free(l);
}
