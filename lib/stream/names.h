/* Names of points and classes: META `points` and `classes` hold them comma-joined; in memory they are a NULL-terminated array. */
#ifndef NAMES_H
#define NAMES_H

#include "lib/stream/tns.h"

/* The K names of META points, split; NULL-terminated, to be freed with names_free. Dies if absent or K does not match. */
char **names_points(const struct tns *t, int k);
char **names_split(const char *list, int *n); /* "a,b,c"; dies on an empty name */
void names_free(char **names);
int names_index(char **names, const char *name); /* or -1 */

/* Left-right pairs by name: swap[k] is the point that takes k's place when the image is flipped: names with "left"
 * and "right" exchanged; itself where there is no such name. K entries, to be freed. */
int *names_mirror(char **names);

#endif
