/* Errors of reconstructions, in grey levels. */
#ifndef SCORE_IMAGES_H
#define SCORE_IMAGES_H

#include "lib/base/out.h"
#include "lib/stream/dataset_stream.h"

/* All rows of d, which has `image` and `reconstruction`, both u8 [N,H,W] (dies else): the root of the mean squared error and the mean
 * absolute error of all pixels; what a single image would reach, these rows' own mean, the best one; the share of the rows' variance about
 * it that the reconstructions explain, NaN where there is none. Text or one JSON object. Dies where there are no rows. */
void score_images(struct dataset_stream *d, struct out *to, int as_json);

#endif
