/* Lines are views into one buffer, which is compacted, refilled and, for a longer line, doubled. */
#include "lib/csv/lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"

#define INITIAL_CAP BUFFER_KIB(256u) /* small enough that text is still in the L2 cache when it is parsed */

struct lines_source {
	int fd; /* -1: memory */
	struct unpack *from;
	int text_end;
	unsigned char *text; /* LINES_PAD + cap + LINES_PAD bytes */
	size_t cap, at, end; /* [at, end) from text + LINES_PAD: not yet returned */
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
		if (s->cap >= l->max)
			return fault(l, "a line is longer than %zu bytes", l->max);
		s->cap *= 2;
		s->text = xrealloc(s->text, s->cap + 2 * LINES_PAD);
		text = s->text + LINES_PAD;
	}
	unsigned char *dst = text + s->end;
	size_t n = s->cap - s->end;
	long got = unpack_read(s->from, dst, n, l->err);
	l->kind = unpack_kind(s->from);
	if (got < 0)
		return LINES_ERR;
	s->end += (size_t)got;
	s->text_end = !got;
	return LINES_DONE;
}

int lines_next(struct lines *l)
{
	struct lines_source *s = l->src;
	l->line = (struct span){NULL, NULL}; /* the last one's buffer may move */
	for (size_t scanned = 0;;) {
		const unsigned char *p = s->text + LINES_PAD + s->at, *nl = memchr(p + scanned, '\n', s->end - s->at - scanned);
		scanned = s->end - s->at;
		l->truncated = !nl && s->text_end;
		if (nl || l->truncated) {
			if (!nl && !scanned)
				return LINES_DONE;
			l->line = (struct span){p, nl ? nl : p + scanned};
			s->at += nl ? (size_t)(nl + 1 - p) : scanned;
			while (l->line.e > p && l->line.e[-1] == '\r')
				l->line.e--;
			return LINES_ONE;
		}
		if (fill(l))
			return LINES_ERR;
	}
}

int lines_skip(struct lines *l)
{
	struct lines_source *s = l->src;
	long got;
	while ((got = unpack_read(s->from, s->text + LINES_PAD, s->cap, l->err)) > 0)
		;
	return got < 0 ? LINES_ERR : LINES_DONE;
}

static struct lines *open_lines(int fd, struct unpack *from)
{
	struct lines *l = xcalloc(1, sizeof *l);
	struct lines_source *s = l->src = xcalloc(1, sizeof *s);
	l->max = LINES_MAX;
	s->fd = fd;
	s->from = from;
	s->cap = INITIAL_CAP;
	s->text = xmalloc(INITIAL_CAP + 2 * LINES_PAD);
	memset(s->text, 0, LINES_PAD);
	return l;
}

struct lines *lines_open_fd(int fd, const char *name)
{
	return open_lines(fd, unpack_fd(fd, name, NULL));
}

struct lines *lines_open_memory(const void *data, size_t n, const char *name)
{
	return open_lines(-1, unpack_memory(data, n, name, NULL));
}

void lines_free(struct lines *l)
{
	struct lines_source *s = l->src;
	unpack_free(s->from);
	if (s->fd > 0)
		close(s->fd);
	free(s->text);
	free(s);
	free(l);
}
