/* A data set as CSV or TSV, a line a row, in constant memory. Numbers have the fewest digits that read back as the same value; NaN is an
 * empty field ("nan" within a list), infinities are inf and -inf, f16 and bf16 hexadecimal bits. */
#ifndef TABLE_OUT_H
#define TABLE_OUT_H

#include "lib/base/out.h"
#include "lib/stream/dataset_stream.h"

struct table_out_options {
	int tab;	     /* TSV */
	int lists;	     /* with images and other rows of many values, one field each */
	int notes;	     /* with the lines of notes.h */
	const char *columns; /* which, in this order: names and patterns (*, ?, [a-z]), comma-joined, of what there is without them; NULL:
				all */
};

struct table_out;

/* Chooses the columns; ends the program where there are none, two of one name, or a name in columns that is none. A model is refused. */
struct table_out *table_out_open(struct dataset_stream *d, const struct table_out_options *o);
/* Names of tensors with columns that are left out, though o->columns is NULL: comma-joined; "" where there are none. */
const char *table_out_left(const struct table_out *t);
/* Writes all of it; frees t. */
void table_out_run(struct table_out *t, struct out *to);

#endif
