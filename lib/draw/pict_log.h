/* A TSV log as lib/base/log.h writes it: a header line of tab-separated names, then rows of as many values, each ended by a newline. */
#ifndef PICT_LOG_H
#define PICT_LOG_H

#include <stddef.h>

struct pict_log_column {
	char *name;
	size_t numbers;	 /* rows with a number here */
	size_t bad_line; /* first line with text instead, 0 if none, and the text, shortened */
	char bad[40];
};

struct pict_log {
	const char *name; /* file or "stdin", for messages */
	int columns;
	struct pict_log_column *column; /* the first is the x axis: strictly increasing numbers */
	size_t rows;
	double *v; /* (rows, columns); NAN for an empty cell, -, nan, inf or text */
};

/* Reads all of it (NULL or "-": stdin). A malformed log (no header, no rows, other number of values, a truncated last line, x not a number
 * or not increasing) ends the program with one line naming the log and the line. Freed by pict_log_free. */
struct pict_log *pict_log_read(const char *path);
void pict_log_free(struct pict_log *l);

/* Column of that name or -1. */
int pict_log_find(const struct pict_log *l, const char *name);
/* Ends the program if the column holds text. */
void pict_log_check(const struct pict_log *l, int column);

#endif
