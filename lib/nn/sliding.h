/* A net of labels over a whole image: what it says of every window of its input's size at a stride, in one pass. The net is turned into
 * convolutions alone: a dense layer becomes one over all of its input, with the same parameters in the same place, so windows that overlap
 * share what they have in common (Sermanet et al., 2014, "OverFeat"). This is possible where no layer pads or repeats: then each result is
 * the net's own for that window, but for the order in which sums are rounded. */
#ifndef SLIDING_H
#define SLIDING_H

#include "kernels/backend.h"
#include "lib/nn/model.h"

struct sliding;

/* How many pixels its windows lie apart, on both axes: the product of strides and pools; 0: the net pads or repeats, or has a
 * stride between a ( and its )+, and can't be run so. */
int sliding_stride(const struct netdesc *d);
/* m: a net with one output (two classes), whose stride is not 0 (assert); be and m outlive it. */
struct sliding *sliding_new(const struct backend *be, const struct model *m);
/* image (H, W), host; W = m->W + stride (nx - 1), H = m->H + stride (ny - 1) (assert). out (ny, nx), host: logits of the second class; [j,
 * i] is of the window whose first pixel is at (stride i, stride j). A large image is run in tiles, so memory does not grow with it; buffers
 * of a size are kept for the next image, or tile, of that size. */
void sliding_run(struct sliding *s, const uint8_t *image, int W, int H, float *out);
void sliding_free(struct sliding *s);

#endif
