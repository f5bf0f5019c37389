#include "lib/convert/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add(struct text *t, const void *bytes, size_t n)
{
	if (t->room - t->n <= n)
		t->p = xrealloc(t->p, t->room = 2 * (t->n + n) + 64);
	if (n)
		memcpy(t->p + t->n, bytes, n);
	t->n += n;
	t->p[t->n] = 0;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	char some[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(some, sizeof some, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof some)
		die("a text of %d bytes is too long", n);
	text_add(t, some, (size_t)n);
}

void text_json(struct text *t, const char *s, size_t n)
{
	text_add(t, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '"' || c == '\\')
			text_add(t, "\\", 1);
		if (c == '\n')
			text_add(t, "\\n", 2);
		else if (c < 0x20 || c == 0x7f)
			text_printf(t, "\\u%04x", c);
		else
			text_add(t, s + i, 1);
	}
	text_add(t, "\"", 1);
}

void text_free(struct text *t)
{
	free(t->p);
	*t = (struct text){0};
}
