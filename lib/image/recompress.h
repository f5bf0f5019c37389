/* What a lossy file leaves of an image: encoded as a JPEG in memory and decoded again. */
#ifndef RECOMPRESS_H
#define RECOMPRESS_H

#include "lib/image/image.h"

enum { RECOMPRESS_SIDE_MAX = 65500 }; /* of a JPEG */

/* pixels, grey (H, W), become those of a baseline JPEG of libjpeg's quality 1 to 100 (the scale of the Independent JPEG Group: tables of
 * the standard's annex K at 50). Sides of 1 to RECOMPRESS_SIDE_MAX (assert). work: decoded into, zeroed before the first use, freed with
 * image_free. Out of memory ends the program. */
void recompress(uint8_t *pixels, int W, int H, int quality, struct image *work);

#endif
