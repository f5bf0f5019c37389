/* Filters and patches as tiles, and originals over their reconstructions. */
#ifndef PICT_TILES_H
#define PICT_TILES_H

#include <stdint.h>

#include "lib/base/opt.h"
#include "lib/draw/pict.h"

struct pict_tiles {
	struct pict_to to;
	int64_t count, first; /* how many tiles or pairs, from which on, from 1 */
	int64_t columns;      /* 0: chosen */
	double zoom;	      /* 0: chosen */
	/* tiles only: */
	const char *tensor;   /* NULL: image, else 0.weight */
	struct opt_size size; /* 0x0: as the tensor or META input has it */
	int global;	      /* all tiles on one scale of greys, else each on its own */
};

/* Reads the stream (NULL: stdin) to its verified end, holds what is drawn and no more, then writes the picture. The tensor is u8 or f32:
 * [N,H,W]: tiles of HxW; [out,in,kh,kw]: out x in tiles, as many columns as in if that is over 1; [N,D]: tiles of the shape that size
 * or META input ("WxH") gives, else square. Values that are not finite have the signal colour. */
void pict_tiles(const char *data, const struct pict_tiles *t);

/* A data set with `image` u8 [N,H,W] and `reconstruction` of the same shape, u8 or f32 in 0..1 (what lies outside is cut off). */
void pict_pairs(const char *data, const struct pict_tiles *t);

#endif
