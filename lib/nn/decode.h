/* Points in pixels from a net's outputs, for every target that has points (coords, heatmap, map). */
#ifndef DECODE_H
#define DECODE_H

#include "kernels/backend.h"
#include "lib/nn/model.h"

enum { DECODE_RADIUS = 4 }; /* map: pixels: the disc about a peak over which the centroid is taken */

struct decoder;

/* For at most B rows; be and m outlive it. */
struct decoder *decoder_new(const struct backend *be, const struct model *m, int B);
/* From z (B, outputs), device: xy (B, points, 2) in pixels, and each point's variance (B, points), pixels squared, of x and y summed; NULL:
 * not wanted. coords: variance 0. heatmap: mean and variance of the map as a distribution. map: a point is the centroid of the map about
 * the peak of the map's probabilities times a Gaussian prior of the point, in two passes: first the model's prior, then that prior under
 * the similarity transform that fits it to the first pass's centroids; the variance is that of the last centroid. */
void decode(struct decoder *d, const real *z, int B, float *xy, float *variance);
/* The same in two steps: decode_async only queues work, and z may be overwritten by operations queued after it; decode_wait waits for its
 * download. slot, 0 to DECODE_SLOTS - 1: which of several in flight. */
enum { DECODE_SLOTS = 36 };
void decode_async(struct decoder *d, const real *z, int B, int slot);
void decode_wait(struct decoder *d, int slot, float *xy, float *variance);
/* heatmap: the same from what heatmap_loss decoded: (B, points, HEATMAP_DECODED), host. */
void decode_heatmap(const struct model *m, const real *decoded, int B, float *xy, float *variance);
void decoder_free(struct decoder *d);

#endif
