/* Private to lib/csv/csv*.c: what rows and header share. */
#ifndef CSV_IO_H
#define CSV_IO_H

#include "lib/base/err.h"
#include "lib/csv/csv.h"
#include "lib/csv/csv_fields.h"
#include "lib/csv/lines.h"
#include "lib/csv/pixels.h"

/* Roles of columns that are no coordinate. */
enum { CSV_COL_IMAGE = -1, CSV_COL_ID = -2, CSV_COL_IGNORED = -3 };

struct csv_source {
	struct lines *lines;
	unsigned char sep; /* between fields: comma, tab, semicolon or bar */
	int commented;	   /* 1: comments stand before the header */
	int ncol, *col;	   /* (ncol) a role, or an index into xy */
	char **name;	   /* (ncol) as in the header */
	size_t ignored_n;  /* bytes of csv.ignored */
	float *xy;
	unsigned char *image;
	size_t image_cap;
	pixels_fn *pixels;
};

/* Puts the message into c->err; returns CSV_ERR. */
int csv_fault(struct csv *c, const char *fmt, ...) PRINTF(2, 3);

#endif
