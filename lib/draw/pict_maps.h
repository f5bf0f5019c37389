/* Heat maps over an image, wherever their cells lie in it. */
#ifndef PICT_MAPS_H
#define PICT_MAPS_H

#include <stdint.h>

#include "lib/stream/tns.h"

struct pict_maps {
	int channels, w, h;    /* a row's maps: (channels, h, w) */
	double mul[2], add[2]; /* x and y: a cell's number = pixel * mul + add, both counted from their first centres */
};

/* Of tensor id, f32 [N,C,h,w], in a stream of images W x H: by its META maps_scale; without it maps cover the image's area. Dies where it
 * is malformed. */
struct pict_maps pict_maps_open(const struct tns *t, int id, int W, int H);
/* Blends a row's maps over its image rgb (H, W): at each pixel the maximum over the maps, each divided by its peak, linear between cells;
 * none further than half a cell from the outermost ones. */
void pict_maps_blend(const struct pict_maps *m, const float *maps, uint32_t *rgb, int W, int H);

#endif
