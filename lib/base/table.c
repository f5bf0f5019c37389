#include <stdarg.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/base/crc.h"
#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/table.h"

/* The whole file, zero-terminated. gzread passes plain files through; a truncated gzip file is reported by gzclose only. */
static char *slurp(const char *path, size_t *n)
{
	gzFile f = gzopen(path, "rb");
	size_t cap = 1 << 16;
	char *text = xmalloc(cap + 1);
	int got, code;
	*n = 0;
	if (!f)
		die_errno("%s", path);
	while ((got = gzread(f, text + *n, (unsigned)(cap - *n))) > 0) {
		*n += (size_t)got;
		if (*n == cap)
			text = xrealloc(text, (cap *= 2) + 1);
		if (cap > 1u << 30)
			die("%s: over 1 GiB of text, too much for a side table", path);
	}
	if (got < 0) {
		const char *why = gzerror(f, &code);
		if (code == Z_ERRNO)
			die_errno("%s", path);
		die("%s: %s", path, why);
	}
	if ((code = gzclose(f)) != Z_OK)
		die("%s: %s", path, code == Z_BUF_ERROR ? "ends in the middle of its gzip data" : "can't be closed");
	text[*n] = 0;
	return text;
}

void table_die(const struct table *t, size_t row, const char *fmt, ...)
{
	char why[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	die("%s: row %zu: %s", t->name, row + 1, why);
}

/* Parses the field at *s, unquoting it in place, and moves *s behind it; *end is the character that ended it: the separator, newline, 0,
 * or a quote if one that was opened is not closed. */
static char *field(char **s, char sep, char *end)
{
	char *from = *s, *r = *s, *w = *s;
	if (*r == '"') {
		for (r++; *r && (*r != '"' || r[1] == '"'); *w++ = *r++)
			r += *r == '"';
		if (!*r) {
			*end = '"';
			return from;
		}
		r++;
	}
	while (*r && *r != sep && *r != '\n')
		*w++ = *r++;
	if (*r != sep && w > from && w[-1] == '\r')
		w--;
	*end = *r;
	*s = *r ? r + 1 : r;
	*w = 0;
	return from;
}

struct table *table_read(const char *path)
{
	struct table *t = xcalloc(1, sizeof *t);
	size_t n, cap = 0, used = 0;
	char *s = t->text = slurp(path, &n), sep = s[strcspn(s, "\t\n")] == '\t' ? '\t' : ',', end = sep;
	t->name = path;
	t->crc = crc_add(0, s, n);
	if (strlen(s) != n)
		die("%s: holds a zero byte, it is no text", path);
	while (n && (s[n - 1] == '\n' || s[n - 1] == '\r'))
		s[--n] = 0;
	if (!n)
		die("%s: empty", path);
	for (size_t row = 0; *s || end == sep; row++) {
		int c = 0;
		do {
			if (used == cap)
				t->cell = xrealloc(t->cell, (cap = cap ? cap * 2 : 1024) * sizeof *t->cell);
			t->cell[used++] = field(&s, sep, &end);
			if (end == '"') /* else the rest of the file would be one field */
				table_die(t, row - 1, "field %d: its quote is not closed", c + 1);
			c++;
		} while (end == sep);
		if (!row)
			t->cols = c;
		else if (c != t->cols)
			table_die(t, row - 1, "%d fields where the header has %d", c, t->cols);
		t->rows = row;
	}
	return t;
}

int table_col(const struct table *t, const char *header)
{
	for (int c = 0; c < t->cols; c++)
		if (!strcmp(t->cell[c], header))
			return c;
	return -1;
}

int table_require(const struct table *t, const char *header)
{
	int c = table_col(t, header);
	if (c < 0)
		die("%s: no column %s in the header", t->name, header);
	return c;
}

const char *table_cell(const struct table *t, size_t row, int col)
{
	return t->cell[(row + 1) * (size_t)t->cols + (size_t)col];
}

uint64_t table_uint(const struct table *t, size_t row, int col, uint64_t max)
{
	uint64_t v;
	if (!num_uint(table_cell(t, row, col), &v) || v > max)
		table_die(t, row, "%s '%.40s' is no whole number from 0 to %" PRIu64, t->cell[col], table_cell(t, row, col), max);
	return v;
}

void table_free(struct table *t)
{
	free(t->cell);
	free(t->text);
	free(t);
}
