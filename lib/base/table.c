#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/crc.h"
#include "lib/base/err.h"
#include "lib/base/nearest.h"
#include "lib/base/num.h"
#include "lib/base/table.h"
#include "lib/base/unpack.h"

/* The whole text, zero-terminated. */
static char *slurp(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && isatty(fd))
		die_usage("%s is a terminal: name a table", path);
	size_t cap = 1 << 16;
	char *text = xmalloc(cap + 1), err[UNPACK_ERR];
	long got;
	*n = 0;
	if (fd < 0)
		die_errno("%s", path);
	struct unpack *u = unpack_fd(fd, path, ">FILE");
	while ((got = unpack_read(u, (unsigned char *)text + *n, cap - *n, err)) > 0) {
		*n += (size_t)got;
		if (*n == cap)
			text = xrealloc(text, (cap *= 2) + 1);
		if (cap > 1u << 30)
			die("%s: over 1 GiB of text, too much for a side table", path);
	}
	if (got < 0)
		die("%s: %s", path, err);
	unpack_free(u);
	close(fd);
	text[*n] = 0;
	return text;
}

/* Tabs where the header has one, semicolons or bars where it has no comma. */
static char separator(const char *s)
{
	size_t n = strcspn(s, "\n");
	static const char seps[] = "\t,;|";
	for (const char *c = seps; *c; c++)
		if (memchr(s, *c, n))
			return *c;
	return ',';
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

static int is_blank(char c, char sep)
{
	return (c == ' ' || c == '\t') && c != sep;
}

/* Parses the field at *s, in place without its quotes or the blanks around it, and moves *s behind it; *end is the character that ended it:
 * the separator, newline, 0, or a quote if one that was opened is not closed. */
static char *field(char **s, char sep, char *end)
{
	while (is_blank(**s, sep))
		(*s)++;
	char *from = *s, *r = *s, *w = *s, *quoted = *s;
	if (*r == '"') {
		for (r++; *r && (*r != '"' || r[1] == '"'); *w++ = *r++)
			r += *r == '"';
		if (!*r) {
			*end = '"';
			return from;
		}
		r++;
		quoted = w;
	}
	while (*r && *r != sep && *r != '\n')
		*w++ = *r++;
	while (w > quoted && (is_blank(w[-1], sep) || (*r != sep && w[-1] == '\r')))
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
	char *s = t->text = slurp(path, &n), sep = separator(s), end = sep;
	t->name = path;
	t->crc = crc_add(0, s, n);
	if (strlen(s) != n)
		die("%s: holds a zero byte, it is no text", path);
	while (n && (s[n - 1] == '\n' || s[n - 1] == '\r' || s[n - 1] == ' '))
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
	if (c < 0) {
		struct nearest near = nearest_of(header);
		for (int i = 0; i < t->cols; i++)
			nearest_add(&near, t->cell[i]);
		die("%s: no column %s in the header%s", t->name, header, nearest_or_all(&near));
	}
	for (int i = c + 1; i < t->cols; i++)
		if (!strcmp(t->cell[i], t->cell[c]))
			die("%s: two columns of the header are called %s", t->name, header);
	return c;
}

const char *table_cell(const struct table *t, size_t row, int col)
{
	return t->cell[(row + 1) * (size_t)t->cols + (size_t)col];
}

int table_number(const char *cell, uint64_t max, uint64_t *v)
{
	char digits[24];
	size_t n = strspn(cell, "0123456789");
	if (n >= sizeof digits || (cell[n] && (cell[n] != '.' || cell[n + 1 + strspn(cell + n + 1, "0")])))
		return 0;
	memcpy(digits, cell, n);
	digits[n] = 0;
	return num_uint(digits, v) && *v <= max;
}

uint64_t table_uint(const struct table *t, size_t row, int col, uint64_t max)
{
	uint64_t v;
	if (!table_number(table_cell(t, row, col), max, &v))
		table_die(t, row, "%s '%.40s' is no whole number from 0 to %" PRIu64, t->cell[col], table_cell(t, row, col), max);
	return v;
}

void table_free(struct table *t)
{
	free(t->cell);
	free(t->text);
	free(t);
}
