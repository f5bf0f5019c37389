/* A small table with a header, wholly in memory: for side files that are written by people, by a competition (rows of the submission,
 * groups of rows) or by another program (suspect labels). Plain, gzip or zip (unpack.h); fields are separated by commas, by tabs where the
 * header has one, or by semicolons or bars (|) where it has no comma. Fields may be quoted, blanks around them don't count; lines end in
 * LF, CR LF or CR; empty lines at the end and a byte order mark are ignored. Errors end the program: `program: FILE: row N: reason`, rows
 * counted from 1 after the header. */
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
	uint32_t crc; /* crc32 of the uncompressed text, for META history */
};

struct table *table_read(const char *path);
/* Column with this header, or -1. */
int table_col(const struct table *t, const char *header);
int table_require(const struct table *t, const char *header); /* or the program ends */
/* Cell of a row, from 0. */
const char *table_cell(const struct table *t, size_t row, int col);
/* 1 and *v: a cell is a whole number in [0, max], perhaps with a fraction of zeros, as data frames write numbers of a column with gaps. */
int table_number(const char *cell, uint64_t max, uint64_t *v);
/* The cell as such a number, or the program ends, naming the value. */
uint64_t table_uint(const struct table *t, size_t row, int col, uint64_t max);
/* Ends the program with a message about a row: counted from 0 here, from 1 in the message. */
void table_die(const struct table *t, size_t row, const char *fmt, ...) __attribute__((format(printf, 3, 4), noreturn));
void table_free(struct table *t);

#endif
