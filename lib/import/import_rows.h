/* Rows of an imported data set: defines what it has and writes them. */
#ifndef IMPORT_ROWS_H
#define IMPORT_ROWS_H

#include "lib/import/annotation.h"
#include "lib/stream/tns.h"

enum { IMPORT_SOURCE = 256 }; /* bytes of a row of source */

struct import_rows {
	struct tns_writer *w;
	int K, has_id;
	int image, keypoints, id, crop, source, size, turn, box, image_id, confidence; /* tensors; -1: not there */
	uint64_t n;								       /* rows so far */
	float *values;								       /* (K, 2) */
};

/* a: what the faces have, or NULL for frames without any. w, h: of the images. */
void import_rows_begin(struct import_rows *r, struct tns_writer *to, const struct annotations *a, int w, int h);
/* image (h, w). W, H: of the image that crop is of, as it was turned. turn: EXIF orientation, 1 to 8, by which the image was turned before
 * it was cut; not of frames. face: points in pixels of the image that crop is of; NULL: none. source: at most IMPORT_SOURCE - 1 bytes
 * (assert). */
void import_rows_add(struct import_rows *r, const uint8_t *image, const float crop[6], const char *source, int W, int H, int turn,
	const struct annotation *face);
void import_rows_end(struct import_rows *r); /* frees what it holds; w stays open */

#endif
