/* A background of things that are no faces: gradients, noise, rectangles, windows, stripes, balls, strokes. A pure function of its random
 * stream. Uses brush.h's canvas, of any size. */
#ifndef SCENE_H
#define SCENE_H

#include "lib/base/rng.h"
#include "lib/synth/brush.h"

/* Draws it into b->grey, over all of the canvas, and sets b->grain. */
void scene_draw(struct brush *b, struct rng *rng);

#endif
