#include "lib/convert/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_add(struct buffer *t, const void *bytes, size_t n)
{
	if (t->room - t->n <= n)
		t->p = xrealloc(t->p, t->room = 2 * (t->n + n) + 64);
	if (n)
		memcpy(t->p + t->n, bytes, n);
	t->n += n;
	t->p[t->n] = 0;
}

void buffer_printf(struct buffer *t, const char *fmt, ...)
{
	char some[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(some, sizeof some, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof some)
		die("a text of %d bytes is too long", n);
	buffer_add(t, some, (size_t)n);
}

void buffer_json(struct buffer *t, const char *s, size_t n)
{
	buffer_add(t, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '"' || c == '\\')
			buffer_add(t, "\\", 1);
		if (c == '\n')
			buffer_add(t, "\\n", 2);
		else if (c < 0x20 || c == 0x7f)
			buffer_printf(t, "\\u%04x", c);
		else
			buffer_add(t, s + i, 1);
	}
	buffer_add(t, "\"", 1);
}

void buffer_free(struct buffer *t)
{
	free(t->p);
	*t = (struct buffer){0};
}
