/* METAs that give each point a place or a vector, pixels, by name: "NAME X Y,NAME X Y". mean_face, of models and predictions: the mean of
 * the point's labels in training, what a model that looks at no image would answer. asymmetry, of models: see lib/train/targets.h. */
#ifndef NAMED_POINTS_H
#define NAMED_POINTS_H

#include "lib/stream/tns.h"

/* (K, 2) by these names; NaN where META key, or the point in it, is missing. Dies where the META is malformed. To be freed. */
double *named_points_read(const struct tns *t, const char *key, char **names, int k);
/* The META's text of xy (K, 2), without points that are NaN; NULL where all are. To be freed. */
char *named_points_text(char **names, const double *xy, int k);
/* Writes the META, unless there is nothing to write. */
void named_points_put(struct tns_writer *w, const char *key, char **names, const double *xy, int k);

#endif
