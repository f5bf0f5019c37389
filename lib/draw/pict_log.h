/* A TSV log as lib/log writes it: a line of tab-joined names, then lines of as many values, all ended by a newline. */
#ifndef PICT_LOG_H
#define PICT_LOG_H

#include <stddef.h>

struct pict_log_column {
	char *name;
	size_t numbers;	 /* how many rows hold one */
	size_t bad_line; /* first line that holds a text, 0 if none, and the text, shortened */
	char bad[40];
};

struct pict_log {
	const char *name; /* file or "stdin", for messages */
	int columns;
	struct pict_log_column *column; /* the first is the x axis: numbers in rising order */
	size_t rows;
	double *v; /* rows x columns; NAN for an empty cell, -, nan, inf or a text */
};

/* Reads all of it (NULL or "-": stdin). A malformed log (no header, no rows, other number of values, a cut last line, x not a number or
 * not rising) ends the program with one line naming the log and the line. Freed by pict_log_free. */
struct pict_log *pict_log_read(const char *path);
void pict_log_free(struct pict_log *l);

/* Column of that name or -1. */
int pict_log_find(const struct pict_log *l, const char *name);
/* Dies if the column holds a text. */
void pict_log_check(const struct pict_log *l, int column);

#endif
