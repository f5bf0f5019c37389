/* Which rows of a data set are taken: those that are in a list of numbers, whose id is in a list, and that a condition holds for; all of
 * what is given. */
#ifndef ROW_FILTER_H
#define ROW_FILTER_H

#include "lib/filter/row_value.h"

struct row_filter;

/* rows: list of row numbers from 1, id: list of ids (ranges.h), where: a condition (expr.h) on a row's values (row_value.h); each may be
 * NULL. Wrong use ends the program (2). */
struct row_filter *row_filter_new(const char *rows, const char *id, const char *where);
/* Before the first row: finds the condition's names and the tensor id, or ends the program. */
void row_filter_begin(struct row_filter *f, const struct tns *t);
int row_filter_take(struct row_filter *f, const struct row_ref *r); /* 1 or 0 */
/* After the last of `rows` rows: ends the program if the list of rows names others; the ids that no row had, as text ("7, nor 2 more of
 * --id"), to be freed, or NULL. */
char *row_filter_end(struct row_filter *f, const struct tns *t, uint64_t rows);
void row_filter_free(struct row_filter *f);

#endif
