/* Sources of labels, each with a convention of its own: a point's label is the model's estimate plus an offset of its source. A model keeps
 * them as META `sources`, names comma-joined, and META `source.NAME` of each, `POINT X Y` comma-joined, pixels; the mean of a point's
 * offsets, each weighted by how many labels its source has, is zero, so that the estimate itself is of the mean convention. */
#ifndef SOURCES_H
#define SOURCES_H

#include "lib/stream/tns.h"

enum { SOURCES_MOST = 64, SOURCES_NONE = -1 };

struct sources {
	int n, points;	/* n: 2 to SOURCES_MOST */
	char *names;	/* comma-joined */
	int chosen;	/* whose labels predictions are; SOURCES_NONE: those of the mean convention */
	double *offset; /* (n, points, 2): pixels; each a float, which a META holds exactly */
};

/* Offsets 0, none chosen. names, comma-joined, are copied. */
struct sources *sources_new(const char *names, int points);
/* Of a model or checkpoint; NULL: there are none. before: of the METAs' keys, "" or "opt/best_". points (K): names. Dies where a META is
 * malformed, repeats a name, or is missing. */
struct sources *sources_read(const struct tns *t, const char *before, char **points, int k);
void sources_put(const struct sources *s, struct tns_writer *w, const char *before, char **points); /* s NULL: nothing */
struct sources *sources_copy(const struct sources *s);						    /* NULL of NULL */
/* For --as-source NAME: chooses it. Wrong use: s is NULL, or has no such source; model: its number among those given, for the message. */
void sources_choose(struct sources *s, const char *name, int model);
/* Adds a source's offsets to points xy (points, 2); s NULL, or source SOURCES_NONE: nothing. */
void sources_add(const struct sources *s, int source, float *xy);
void sources_free(struct sources *s);

#endif
