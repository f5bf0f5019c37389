/* Which source of labels each row of a data set is of (lib/nn/sources.h): told by a tensor of one whole number or text a row, or by which
 * points the row has labels of. */
#ifndef SOURCE_ROWS_H
#define SOURCE_ROWS_H

#include <stdint.h>

#include "lib/nn/model.h"
#include "lib/stream/tns.h"

#define SOURCE_MISSING "missing"
#define SOURCE_LEAST_SHARE 0.1 /* of the rows: a set of labelled points that so many have is a source */

/* The sources of a data set; all 0 where they are not told apart. */
struct source_rows {
	const char *by; /* a tensor's name, or SOURCE_MISSING */
	char *names;	/* comma-joined */
	char *set;	/* SOURCE_MISSING: (sources, points) 1: the source's rows have labels of the point; else NULL */
};

/* With s->by a tensor of b: a number for each of its values; the sources' names are texts as they are, numbers in decimals, of `file` those
 * of META sources (tns-cat --source); ascending; a comma is written `_`, a name that is there already gets .2, .3, ... behind it. Returns
 * the sources (n) of the rows; to be freed. SOURCE_MISSING: returns NULL. Dies where there is no such tensor of n rows, or it has more than
 * SOURCES_MOST values. */
int *source_rows_read(struct source_rows *s, const struct tns_table *b, uint32_t n);
/* Of a training set, when rows without any label were left out: value (n, points, 2), NaN: no label; name: of the stream, for messages.
 * SOURCE_MISSING: each set of points that at least SOURCE_LEAST_SHARE of the rows have labels of is a source, the most frequent first,
 * named by their number (`15points`); a row of another set is of the source whose set differs in fewest points. Returns the sources of the
 * rows, from or a new array. Dies where all rows are of one source. */
int *source_rows_end(struct source_rows *s, int *from, const float *value, uint32_t n, int points, const char *name);
/* The same of a held-out set, whose points are in like's order: its sources are those of like, SOURCES_NONE where a row's is none of them.
 */
int *source_rows_match(struct source_rows *s, const struct source_rows *like, int *from, const float *value, uint32_t n, int points);
struct source_rows source_rows_copy(const struct source_rows *s);
void source_rows_free(struct source_rows *s);

/* Sets m->sources to those of s, if any, and tells, unless quiet, how many of the n rows from are of each; after the training a line on
 * stderr of each source, unless quiet, with the point that is furthest off. */
void source_rows_begin(struct model *m, const struct source_rows *s, const int *from, uint32_t n, int quiet);
void source_rows_tell(const struct model *m, int quiet);

#endif
