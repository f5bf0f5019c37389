/* Names of points and classes: META `points` and `classes` hold them comma-separated; in memory they are a NULL-terminated array. */
#ifndef NAMES_H
#define NAMES_H

#include "lib/stream/tns.h"

/* The k names of META points; NULL-terminated, freed with names_free. Ends the program if it is absent or its number of names is not k. */
char **names_points(const struct tns *t, int k);
char **names_split(const char *list, int *n); /* "a,b,c"; an empty name ends the program */
void names_free(char **names);
int names_index(char **names, const char *name); /* or -1 */

/* Left-right pairs by name: entry k of the result is the point that becomes point k when the image is flipped: the one whose name has
 * "left" and "right" exchanged; k where there is no such name. One entry a name; the caller frees. */
int *names_mirror(char **names);

#endif
