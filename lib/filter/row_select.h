/* Rows of a data set, chosen and put in order, through a projection. First the rows that row_filter.h takes, of these a sample
 * (row_sample.h), then their order. A sort or a shuffle, and a sample of a file, read a file twice; the rest streams, in constant memory
 * but for a sample of a pipe, whose rows are kept. A file and a pipe give the same rows. */
#ifndef ROW_SELECT_H
#define ROW_SELECT_H

#include "lib/filter/projection.h"

struct row_options {
	const char *rows, *id, *where; /* as of row_filter_new */
	int64_t sample;		       /* rows; 0: all */
	const char *sort;	       /* a row's value (row_value.h), a - before it: the largest first; or NULL */
	int shuffle;
	uint64_t seed;
};

struct row_counts {
	uint64_t read, written;
	char *missing; /* as of row_filter_end */
};

struct row_select;

/* NULL if all rows are taken as they come. Ends the program (2) over wrong use, and where a file is needed but path (NULL: stdin) is none.
 */
struct row_select *row_select_new(const struct row_options *o, const char *path);
/* Reads and writes all. Frees s. */
struct row_counts row_select_run(struct row_select *s, const struct projection_options *take, struct tns_writer *w);

#endif
