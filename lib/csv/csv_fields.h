/* Fields of a line: separated by sep, in quotes or not. The line is the caller's; fields are views into it. */
#ifndef CSV_FIELDS_H
#define CSV_FIELDS_H

#include "lib/csv/lines.h"

/* The field at *p, without its quotes; *p moves past its separator, or is NULL after the line's last field. 0: malformed quotes. A doubled
 * quote inside is not unescaped: no valid field of the competition's contains one. */
int csv_next_field(const unsigned char **p, const unsigned char *e, unsigned char sep, struct span *f);
struct span csv_trimmed(struct span f); /* without blanks and tabs around it */

#endif
