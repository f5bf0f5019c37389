/* Offsets that a model adds to its points, as METAs keep them: its asymmetry (lib/train/targets.h), those of sources (sources.h). */
#ifndef POINT_OFFSETS_H
#define POINT_OFFSETS_H

#include "lib/stream/tns.h"

/* (k, 2), pixels, from META key, `NAME X Y` comma-joined, by these names; 0 where a point is not named; NULL: there is no such META. Its
 * values are floats, which the META's text holds exactly. Dies where it is malformed, names what is no point or one twice, or has more than
 * POINT_OFFSETS_MOST pixels. To be freed. */
double *point_offsets_read(const struct tns *t, const char *key, char **points, int k);
#define POINT_OFFSETS_MOST 1000.0

#endif
