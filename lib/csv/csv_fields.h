/* Fields of a line: separated by sep, in quotes or not. The line is the caller's; fields are views into it. */
#ifndef CSV_FIELDS_H
#define CSV_FIELDS_H

#include "lib/csv/lines.h"

/* The field at *p, without its quotes; *p moves past its separator, or is NULL after the line's last field. 0: malformed quotes. A doubled
 * quote inside is not unescaped: no valid field of the competition's contains one. */
int csv_next_field(const unsigned char **p, const unsigned char *e, unsigned char sep, struct span *f);
struct span csv_trimmed(struct span f); /* without blanks and tabs around it */
/* Commas where the header has one, else tabs, semicolons or bars: a tab beside a comma is a blank. */
unsigned char csv_separator(struct span header);
/* A number, blanks around it and a + before it allowed, or NaN where it is missing (csv.h); where fields are separated by semicolons, its
 * point may be a comma. 0: neither, or beyond what a float holds. */
int csv_number(struct span f, unsigned char sep, double *to);
/* A field for a message: at most 40 bytes, printable. Returns out. */
enum { CSV_SHOWN = 44 };
const char *csv_shown(struct span f, char out[CSV_SHOWN]);

/* Ways to write a coordinate's column: NAME_x, NAME.x, x_NAME, in either case. */
enum csv_style { CSV_STYLE_NONE, CSV_STYLE_SUFFIX, CSV_STYLE_DOT, CSV_STYLE_PREFIX };

struct csv_coord {
	enum csv_style style;
	const char *base; /* the point's name within the column's */
	size_t len;
	char axis; /* 'x' or 'y' */
};

struct csv_coord csv_coord_of(const char *column);
int csv_same_point(struct csv_coord a, struct csv_coord b); /* by style and name */

/* A header's columns, sorted; pointers to the caller's names. */
struct csv_names {
	size_t n;
	char **exact, **folded; /* in their case; in any */
};

void csv_names_make(struct csv_names *x, char *const *columns, int n);
int csv_names_have(const struct csv_names *x, const char *name);
const char *csv_names_twice(const struct csv_names *x); /* a name of two columns, or NULL */
void csv_names_free(struct csv_names *x);
/* 1: a rectangle's corner, no point of the face: among the columns are a width and a height (w, h) of its name, or it is x_min or the like
 * and there is its opposite. */
int csv_is_corner(struct csv_coord a, const struct csv_names *x);
/* Of each of n columns: partner, the last one that is the other coordinate of its point, and same, the first other one that is the same
 * coordinate of it; or -1. left_out (n): columns that count for none; NULL: all count. */
void csv_partners(char *const *columns, int n, const char *left_out, int *partner, int *same);
/* Adds a name, in quotes and of 60 bytes at most, to a list for a message (NULL: begins one), whose length is *n. */
void csv_list_add(char **list, size_t *n, const char *name);

#endif
