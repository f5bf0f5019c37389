/* A small table with a header, wholly in memory: for the side files that people write by hand or get from a competition (which rows to
 * answer, who is on which picture) or from another program (which labels to doubt). Plain or gzip; fields are parted by commas, or by tabs
 * where the header's are. Fields may stand in quotes; lines end in LF or CRLF; empty lines at the end are let by.
 * Faults end the program: `program: FILE: row N: reason`, rows counted from 1 after the header. */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table {
	const char *name; /* the file, for messages */
	int cols;
	size_t rows;
	char **cell;  /* (rows + 1, cols), the header first; cells point into text */
	char *text;   /* private */
	uint32_t crc; /* crc32 of the uncompressed text, for the history */
};

struct table *table_read(const char *path);
/* Column with this header, or -1. */
int table_col(const struct table *t, const char *header);
int table_need(const struct table *t, const char *header); /* or the program ends */
/* Cell of a row, from 0. */
const char *table_at(const struct table *t, size_t row, int col);
/* The cell as a whole number in [0, max], or the program ends naming it. */
uint64_t table_uint(const struct table *t, size_t row, int col, uint64_t max);
/* End the program over a row (from 0), naming it from 1. */
void table_die(const struct table *t, size_t row, const char *fmt, ...) __attribute__((format(printf, 3, 4), noreturn));
void table_free(struct table *t);

#endif
