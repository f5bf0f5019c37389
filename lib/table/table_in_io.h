/* Private to lib/table/table_in*.c: what header and rows share. */
#ifndef TABLE_IN_IO_H
#define TABLE_IN_IO_H

#include "lib/base/err.h"
#include "lib/csv/csv_fields.h"
#include "lib/csv/pixels.h"
#include "lib/table/columns.h"
#include "lib/table/table_in.h"

struct table_in_source {
	struct lines *lines;
	unsigned char sep;
	struct columns columns; /* of the tensors */
	int nfields, *field;	/* (nfields) a field's number in columns, or -1: ignored */
	int held;		/* 1: the current line is a row that was not returned yet */
	int ended;		/* 1: the last of the notes was read */
	int part;
	uint32_t noted_text;
	size_t meta_bytes;
	pixels_fn *pixels;
};

/* Puts the message into t->err; returns TABLE_IN_ERR. */
int table_in_fault(struct table_in *t, const char *fmt, ...) PRINTF(2, 3);
/* Reads one line of the notes, the current one. */
int table_in_note(struct table_in *t);
/* A field's text for a message: at most 40 bytes, printable. */
const char *table_in_text(struct span f, char out[44]);
/* The current line, as a row, into t->value. */
int table_in_row(struct table_in *t);
/* How many numbers stand between the blanks of a list. */
size_t table_in_count(struct span f);

#endif
