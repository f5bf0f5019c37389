/* Where a net's outputs say that points are, for every target that has points. */
#ifndef DECODE_H
#define DECODE_H

#include "kernels/ops.h"
#include "lib/model.h"

struct decoder;

/* For at most B rows; o and m outlive it. */
struct decoder *decoder_new(const struct ops *o, const struct model *m, int B);
/* From z (B, outputs), device: xy (B, points, 2) in pixels, and variance (B, points), pixels squared, x's and y's summed, of where each
 * point may be; NULL: not wanted. coords: 0. heatmap: of the map as a distribution. map: a point is the centroid of its spot: the map's
 * values times a Gaussian about where the point usually is, first as the prior has it, then as the spots found first move, turn and scale
 * it; the variance is the spot's. */
void decode(struct decoder *d, const real *z, int B, float *xy, float *variance);
/* The same from places (B, points, HEAT_PLACE), host. */
void decode_places(const struct model *m, const real *place, int B, float *xy, float *variance);
void decoder_free(struct decoder *d);

#endif
