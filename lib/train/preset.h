/* Settings that suit detectors of points, under names: --preset. Options that the command line gives stand; a preset sets the others, as if
 * they had been given, so that META history tells each. Lengths in pixels are for images of 96x96 and scale with the shorter side. */
#ifndef PRESET_H
#define PRESET_H

#include "lib/nn/model.h"

/* preset: none, fast, default, best; none becomes default where default_net: no net was given. Sets what does not depend on the images:
 * target, epochs, loss, optimizer, schedule, weight decay (AdamW). Returns the preset's name. Exit 2 where another target than heatmap was
 * given. */
const char *preset_begin(const char *preset, const char *target, int default_net);
/* The rest, once images and points are known: the net (preset_net), and lengths; mirror images where every point has a partner, else a line
 * on stderr. Images of under PRESET_LEAST pixels a side end the program. groups: of the data set's rows; with fewer than PRESET_HELD_OUT
 * none are held out. */
void preset_end(const char *preset, int W, int H, unsigned groups, const char *names, const char *pairs);
#define PRESET_HELD_OUT 100 /* a tenth of which, drawn one by one, are 3 to 18 but for one draw in a hundred */
#define PRESET_LEAST 4

/* A net of heat maps for images of W x H, in the manner of pipelines/nets/small.net (fast, default) or heat.net (best): convolutions of
 * stride 2 down to about PRESET_SIDE cells a side, some more at that size, twice as many cells in the maps. To be freed. */
char *preset_net(const char *preset, int W, int H);
#define PRESET_SIDE 12

#endif
