/* Models applied to images: several are averaged, each image and its mirror image too where asked; batches through the seam. */
#ifndef INFER_H
#define INFER_H

#include "kernels/ops.h"
#include "lib/model.h"

struct infer;

enum { INFER_BATCH = 128 };

/* The models must agree in target, input and names (dies, naming two that don't). flip: average with the mirror image (coords: points
 * swapped back; label: probabilities). All outlive the infer, and models stay as they are. */
struct infer *infer_new(const struct ops *o, struct model **m, int n, int flip);
/* out (B, outputs): coords: pixels; label: probabilities (one: of the second class); image: 0..1. spread (B, points) for coords: root of
 * the mean squared distance in pixels of the estimates from their mean, NaN where there is only one; may be NULL. B at most INFER_BATCH. */
void infer_batch(struct infer *f, const uint8_t *images, int B, float *out, float *spread);
void infer_free(struct infer *f);

#endif
