/* Renders a synthetic face from its parameters; only the background is sampled here. */
#ifndef PAINT_H
#define PAINT_H

#include "lib/synth/brush.h"
#include "lib/synth/face_params.h"

/* Renders on b and converts to bytes: image (H, W). */
void paint_face(const struct face_params *f, struct brush *b, uint8_t *image);
/* Head and body without a background, for what lies behind them: b->cover, set by the caller to (H, W) floats, becomes their opacity, 0 to
 * 1, and b->grey their grey times it; edges are as soft as the face's blur makes them. No noise. */
void paint_cutout(const struct face_params *f, struct brush *b);

#endif
