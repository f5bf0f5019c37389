/* Lines are views into one buffer, which is compacted, refilled and, for a longer line, doubled. */
#include "lib/csv/lines.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/csv/gunzip.h"

#define INITIAL_CAP (256u << 10) /* small enough that text is still in the L2 cache when it is parsed */

struct lines_source {
	int fd; /* -1: memory */
	const unsigned char *mem;
	size_t mem_left;
	int started, text_end;
	struct gunzip *gunzip; /* NULL: plain text */
	unsigned char *text;   /* LINES_PAD + cap + LINES_PAD bytes */
	size_t cap, at, end;   /* [at, end) from text + LINES_PAD: not yet returned */
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

/* Reads up to n bytes of the file or memory into dst: how many, 0 at the end, or -1 and the reason. */
static long raw_read(void *source, unsigned char *dst, size_t n, char err[GUNZIP_ERR])
{
	struct lines_source *s = source;
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
	if (got < 0)
		snprintf(err, GUNZIP_ERR, "cannot read: %s", strerror(errno));
	return got;
}

/* Appends text to the buffer; sets text_end when there is none. */
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
	unsigned char *dst = text + s->end;
	size_t n = s->cap - s->end;
	long got = s->gunzip ? gunzip_read(s->gunzip, dst, n, l->err) : raw_read(s, dst, n, l->err);
	if (got < 0)
		return LINES_ERR;
	s->end += (size_t)got;
	s->text_end = !got;
	return LINES_DONE;
}

/* Starts the decompression of a gzip; skips a byte order mark. */
static int detect_format(struct lines *l)
{
	struct lines_source *s = l->src;
	const unsigned char *text = s->text + LINES_PAD;
	while (s->end < 3 && !s->text_end)
		if (fill(l))
			return LINES_ERR;
	if (!l->gzip && s->end >= 2 && text[0] == 0x1f && text[1] == 0x8b) {
		s->gunzip = gunzip_new(raw_read, s, text, s->end); /* the bytes read so far are the start of the gzip */
		if (!s->gunzip)
			return fault(l, "no memory to inflate gzip");
		l->gzip = 1;
		s->end = 0;
		s->text_end = 0;
		return detect_format(l);
	}
	s->at = s->end >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
	s->started = 1;
	return LINES_DONE;
}

int lines_next(struct lines *l)
{
	struct lines_source *s = l->src;
	if (!s->started && detect_format(l))
		return LINES_ERR;
	for (size_t scanned = 0;;) {
		const unsigned char *p = s->text + LINES_PAD + s->at, *nl = memchr(p + scanned, '\n', s->end - s->at - scanned);
		scanned = s->end - s->at;
		l->truncated = !nl && s->text_end;
		if (nl || l->truncated) {
			if (!nl && !scanned)
				return LINES_DONE;
			l->line = (struct span){p, nl ? nl : p + scanned};
			s->at += nl ? (size_t)(nl + 1 - p) : scanned;
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
	s->cap = INITIAL_CAP;
	s->text = xmalloc(INITIAL_CAP + 2 * LINES_PAD);
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
	gunzip_free(s->gunzip);
	if (s->fd > 0)
		close(s->fd);
	free(s->text);
	free(s);
	free(l);
}
