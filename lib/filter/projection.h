/* Tensors of a stream that are written, in which order, and which of their points (the projection of relational algebra). */
#ifndef PROJECTION_H
#define PROJECTION_H

#include "lib/stream/tns.h"

struct projection_options {
	const char *only, *without; /* patterns of tensors (globs.h) that are taken, in their order; that are not; may be NULL */
	const char *points, *drop;  /* of points, likewise */
	const char *const *rename;  /* nrename lists of OLD=NEW */
	int nrename;
};

struct projection;

/* Ends the program (2) over lists that are none. */
void projection_check(const struct projection_options *o);
/* Defines the tensors and writes the early METAs. rows: 1: any number of rows, 0: as many as in t. Ends the program where a pattern matches
 * nothing or nothing is left; where the points of a model are cut. */
struct projection *projection_begin(const struct projection_options *o, const struct tns *t, struct tns_writer *w, int rows);
/* n rows of t's tensor id; nothing is written where it isn't taken. */
void projection_write(struct projection *p, int id, const void *rows, uint64_t n);
int projection_takes(const struct projection *p, int id);
/* After the end of t: late METAs, of counts (passthrough_counts) those where all rows were written, and history with this program's line.
 * Frees p. */
void projection_end(struct projection *p, int all);

#endif
