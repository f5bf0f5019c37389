/* Words of a net's text and their places. */
#include "lib/nn/netdesc_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

static char *read_file(const char *path)
{
	size_t n = 0, size = 1 << 16;
	FILE *f = fopen(path, "re");
	if (!f)
		die_errno("%s", path);
	char *s = xcalloc(size + 1, 1);
	n = fread(s, 1, size, f);
	if (ferror(f))
		die_errno("%s", path);
	fclose(f);
	if (n == size || memchr(s, 0, n))
		die("%s: is not a net description", path);
	return s;
}

const char *netdesc_text_word(const char **s, size_t *n)
{
	for (*s += strspn(*s, " \t\r\n"); **s == '#'; *s += strspn(*s, " \t\r\n"))
		*s += strcspn(*s, "\n");
	const char *word = *s;
	*n = strcspn(word, " \t\r\n#");
	*s += *n;
	return *n ? word : NULL;
}

void netdesc_text_read(struct netdesc_text *t, const char *spec)
{
	t->file = spec[0] == '@' ? spec + 1 : NULL;
	t->raw = t->file ? read_file(t->file) : xstrdup(spec);
	char *to = t->text = xmalloc(strlen(t->raw) + 2); /* "a#b" needs no more either: a comment has its # */
	const char *s = t->raw, *word;
	for (size_t n; (word = netdesc_text_word(&s, &n)); to += n) {
		if (to != t->text)
			*to++ = ' ';
		memcpy(to, word, n);
	}
	*to = 0;
}

void netdesc_text_free(struct netdesc_text *t)
{
	free(t->raw), free(t->text);
}

char *netdesc_text_place(const char *raw, int i, const char *file, const char *what)
{
	const char *s = raw, *word = NULL, *start = raw;
	size_t n;
	int line = 1;
	for (int k = 0; k <= i && (word = netdesc_text_word(&s, &n)); k++)
		;
	if (!word)
		return xstrdup(file ? file : what);
	for (const char *c = raw; c < word; c++)
		if (*c == '\n')
			line++, start = c + 1;
	int column = (int)(word - start) + 1;
	if (file)
		return xprintf("%s:%d:%d", file, line, column);
	return line > 1 ? xprintf("%s: line %d, column %d", what, line, column) : xprintf("%s: column %d", what, column);
}
