/* Where a net's outputs say that points are, for every target that has points. */
#ifndef DECODE_H
#define DECODE_H

#include "kernels/backend.h"
#include "lib/nn/model.h"

struct decoder;

/* For at most B rows; o and m outlive it. */
struct decoder *decoder_new(const struct backend *be, const struct model *m, int B);
/* From z (B, outputs), device: xy (B, points, 2) in pixels, and variance (B, points), pixels squared, x's and y's summed, of where each
 * point may be; NULL: not wanted. coords: 0. heatmap: of the map as a distribution. map: a point is the centroid of its spot: the map's
 * values times a Gaussian about where the point usually is, first as the prior has it, then as the spots found first move, turn and scale
 * it; the variance is the spot's. */
void decode(struct decoder *d, const real *z, int B, float *xy, float *variance);
/* The same in two steps: ask, which waits for nothing and leaves z free, and take; slot, 0 to DECODE_SLOTS - 1: which of several that are under
 * way. */
enum { DECODE_SLOTS = 4 };
void decode_async(struct decoder *d, const real *z, int B, int slot);
void decode_wait(struct decoder *d, int slot, float *xy, float *variance);
/* The same from places (B, points, HEATMAP_PLACE), host. */
void decode_places(const struct model *m, const real *place, int B, float *xy, float *variance);
void decoder_free(struct decoder *d);

#endif
