/* Which source of labels each row of a data set is of (lib/nn/sources.h): told by a tensor of one whole number or text a row, or by which
 * points the row has labels of. */
#ifndef SOURCE_ROWS_H
#define SOURCE_ROWS_H

#include <stdint.h>

#include "lib/stream/tns.h"

#define SOURCE_MISSING "missing"
#define SOURCE_LEAST_SHARE 0.1 /* of the rows: a set of labelled points that so many have is a source */

struct dataset;
struct model;

/* Sets ds->from to a number for each value of the tensor `by` among the rows, ds->sources to their names: texts as they are, numbers in
 * decimals, of `file` those of META sources (tns-cat --source); ascending; a comma is written `_`,
 * a name that is there already with .2, .3, ... behind it. by SOURCE_MISSING: nothing yet. Dies
 * where there is no such tensor in b, or it has more than SOURCES_MOST values. */
void source_rows_read(struct dataset *ds, const struct tns_table *t, const char *by);
/* Of a training set, after rows without any label were left out. ds->by SOURCE_MISSING: each set of points that at least SOURCE_LEAST_SHARE
 * of the rows have labels of is a source, the most frequent first, named by their number (`15points`); a row of another set is of the
 * source whose set differs in fewest points. Dies where all rows are of one source. */
void source_rows_end(struct dataset *ds);
/* Brings ds's sources into the numbers of like's: SOURCES_NONE for a row whose source is none of them. The points are in like's order. */
void source_rows_match(struct dataset *ds, const struct dataset *like);
/* Sets m->sources to those of all, if any, and tells, unless quiet, how many rows of train are of each; after the training a line on stderr
 * of each source, unless quiet, with the point that is furthest off. */
void source_rows_begin(struct model *m, const struct dataset *all, const struct dataset *train, int quiet);
void source_rows_tell(const struct model *m, int quiet);

#endif
