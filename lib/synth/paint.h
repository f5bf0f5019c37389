/* Renders a synthetic face from its parameters; only the background is sampled here. */
#ifndef PAINT_H
#define PAINT_H

#include "lib/synth/brush.h"
#include "lib/synth/face_params.h"

/* Renders on b, whose grain is set by the caller, and converts to bytes: image (H, W). */
void paint_face(const struct face_params *f, struct brush *b, uint8_t *image);

#endif
