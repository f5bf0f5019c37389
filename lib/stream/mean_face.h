/* META mean_face of models and predictions: the mean of each point's labels in training, pixels, by name: "NAME X Y,NAME X Y". What a model
 * that looks at no image would answer. */
#ifndef MEAN_FACE_H
#define MEAN_FACE_H

#include "lib/stream/tns.h"

/* (K, 2) by these names; NaN where the META, or the point in it, is missing. Dies where the META is malformed. To be freed. */
double *mean_face_read(const struct tns *t, char **names, int k);
/* The META's text of xy (K, 2), without points that are NaN; NULL where all are. To be freed. */
char *mean_face_text(char **names, const double *xy, int k);
/* Writes the META, unless there is nothing to write. */
void mean_face_put(struct tns_writer *w, char **names, const double *xy, int k);

#endif
