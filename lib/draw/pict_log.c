#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/draw/pict_log.h"

enum { LINE_MAX_BYTES = 1 << 16, COLUMNS_MAX = 1000, ROWS_MAX = 10000000 };

/* Reads one line without its newline; 0 at the end. */
static int read_line(FILE *f, const struct pict_log *l, size_t number, char *line)
{
	if (!fgets(line, LINE_MAX_BYTES, f)) {
		if (ferror(f))
			die_errno("%s", l->name);
		return 0;
	}
	size_t n = strlen(line);
	if (!n || line[n - 1] != '\n') {
		int at_end = n && n < LINE_MAX_BYTES - 1 && feof(f);
		die("%s: line %zu: %s", l->name, number,
			at_end ? "cut off: no newline at its end" : "longer than 65534 bytes or with a zero byte");
	}
	line[n - 1] = 0;
	return 1;
}

static void read_header(struct pict_log *l, char *line)
{
	char *rest = line, *word;
	while ((word = strsep(&rest, "\t"))) {
		if (!*word)
			die("%s: line 1: column %d has no name", l->name, l->columns + 1);
		if (pict_log_find(l, word) >= 0)
			die("%s: line 1: two columns '%s'", l->name, word);
		if (l->columns == COLUMNS_MAX)
			die("%s: line 1: more than %d columns", l->name, COLUMNS_MAX);
		l->column = xrealloc(l->column, ((size_t)l->columns + 1) * sizeof *l->column);
		memset(&l->column[l->columns], 0, sizeof *l->column);
		l->column[l->columns++].name = xstrdup(word);
	}
	if (l->columns < 2)
		die("%s: line 1: one column only: not a log of tab-separated values", l->name);
}

static double read_cell(struct pict_log *l, int i, const char *word, size_t number)
{
	static const char *const none[] = {"", "-", "nan", "-nan", "inf", "-inf"};
	struct pict_log_column *c = &l->column[i];
	double v;
	if (num_real(word, &v)) {
		c->numbers++;
		return v;
	}
	for (size_t k = 0; k < sizeof none / sizeof *none; k++)
		if (!strcmp(word, none[k]))
			return NAN;
	if (!c->bad_line) {
		c->bad_line = number;
		snprintf(c->bad, sizeof c->bad, "%s", word);
	}
	return NAN;
}

static void read_row(struct pict_log *l, char *line, size_t number)
{
	double *row = l->v + l->rows * (size_t)l->columns;
	char *rest = line, *word;
	int n = 0;
	while ((word = strsep(&rest, "\t")) && n < l->columns) {
		row[n] = read_cell(l, n, word, number);
		if (!n && isnan(row[n]))
			die("%s: line %zu: %s: '%.40s' is not a number", l->name, number, l->column->name, word);
		n++;
	}
	for (; word; word = strsep(&rest, "\t"))
		n++;
	if (n != l->columns)
		die("%s: line %zu: %d values for %d columns", l->name, number, n, l->columns);
	if (l->rows && row[0] <= row[-l->columns])
		die("%s: line %zu: %s %g after %g", l->name, number, l->column->name, row[0], row[-l->columns]);
	l->rows++;
}

struct pict_log *pict_log_read(const char *path)
{
	int is_stdin = !path || !strcmp(path, "-");
	struct pict_log *l = xcalloc(1, sizeof *l);
	l->name = is_stdin ? "stdin" : path;
	if (is_stdin && isatty(STDIN_FILENO))
		die_usage("stdin is a terminal: name a log");
	FILE *f = is_stdin ? stdin : fopen(path, "r");
	if (!f)
		die_errno("%s", path);
	char *line = xmalloc(LINE_MAX_BYTES);
	if (!read_line(f, l, 1, line))
		die("%s: empty: not a log", l->name);
	read_header(l, line);
	size_t capacity = 0;
	for (size_t number = 2; read_line(f, l, number, line); number++) {
		if (l->rows == ROWS_MAX)
			die("%s: more than %d lines", l->name, ROWS_MAX);
		if (l->rows == capacity) {
			capacity = capacity ? 2 * capacity : 64;
			l->v = xrealloc(l->v, capacity * (size_t)l->columns * sizeof *l->v);
		}
		read_row(l, line, number);
	}
	if (!l->rows)
		die("%s: no values after the line of names", l->name);
	free(line);
	if (!is_stdin)
		fclose(f);
	return l;
}

void pict_log_free(struct pict_log *l)
{
	for (int i = 0; i < l->columns; i++)
		free(l->column[i].name);
	free(l->column);
	free(l->v);
	free(l);
}

int pict_log_find(const struct pict_log *l, const char *name)
{
	for (int i = 0; i < l->columns; i++)
		if (!strcmp(l->column[i].name, name))
			return i;
	return -1;
}

void pict_log_check(const struct pict_log *l, int column)
{
	const struct pict_log_column *c = &l->column[column];
	if (c->bad_line)
		die("%s: line %zu: %s: '%s' is not a number", l->name, c->bad_line, c->name, c->bad);
}
