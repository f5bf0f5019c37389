/* The painter of made faces: invents nothing but what stands behind the head, which comes from Philox. */
#ifndef PAINT_H
#define PAINT_H

#include "lib/synth/brush.h"
#include "lib/synth/face_params.h"

/* Paint all of it on b, whose grain is set, and turn it to bytes: image is (H, W). */
void paint_face(const struct face_params *f, struct brush *b, uint8_t *image);

#endif
