/* Filters or patches as tiles, and original images above their reconstructions. */
#ifndef PICT_TILES_H
#define PICT_TILES_H

#include <stdint.h>

#include "lib/base/opt.h"
#include "lib/draw/pict.h"

struct pict_tiles {
	struct pict_output to;
	int64_t count, first; /* number of tiles or pairs; the first one, counted from 1 */
	int64_t columns;      /* 0: chosen */
	double zoom;	      /* 0: chosen */
	/* tiles only: */
	const char *tensor;   /* NULL: image, else 0.weight */
	struct opt_size size; /* 0x0: as the tensor or META input has it */
	int global;	      /* 1: one grey scale for all tiles, else one for each */
};

/* Reads n streams (0: stdin) to their verified ends, keeps only the tiles to draw, then writes the picture, of several streams a panel
 * each, side by side, headed by the file's name. The tensor is u8 or f32: [N,H,W]: tiles of HxW; [out,in,kh,kw]: out x in tiles, in columns
 * where that is 2 to 64; [N,D]: tiles of the shape that size or META input ("WxH") gives, else square. Values that are not finite are drawn
 * in PICT_NONFINITE. */
void pict_tiles(char *const *data, int n, const struct pict_tiles *t);

/* A data set with `image` u8 [N,H,W] and `reconstruction` of the same shape, u8 or f32 in 0..1 (clamped). */
void pict_pairs(const char *data, const struct pict_tiles *t);

#endif
