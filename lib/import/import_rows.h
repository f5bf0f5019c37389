/* Rows of an imported data set: defines what it has and writes them. Where names may not tell all points that mirror each other, and the
 * form doesn't either, the first IMPORT_HELD rows (fewer if they are more than IMPORT_HELD_BYTES) are held back: META pairs is what their
 * labels add to the names (pairs_complete), if anything. */
#ifndef IMPORT_ROWS_H
#define IMPORT_ROWS_H

#include "lib/import/annotation.h"
#include "lib/import/face_crop.h"
#include "lib/stream/tns.h"

enum {
	IMPORT_SOURCE = 256 /* bytes of a row of source */,
	IMPORT_SURE = 30 /* rows whose labels tell */,
	IMPORT_HELD = 300,
	IMPORT_HELD_BYTES = 64 << 20
};
enum { IMPORT_TENSORS = 10 };

struct import_rows {
	struct tns_writer *w;
	int K, has_id;
	int image, keypoints, id, crop, source, size, turn, box, image_id, confidence; /* tensors; -1: not there */
	uint64_t n;								       /* rows so far */
	float *values;								       /* (K, 2) */
	const struct annotations *a;
	const char *pairs; /* as the user states them, or NULL */
	char *found;	   /* META pairs where it was found, and isn't what names spell, or stated; NULL: not */
	int w_image, h_image, tensors;
	size_t at[IMPORT_TENSORS + 1]; /* of each tensor in a row held back; the last: the row's bytes */
	int holding;
	size_t held, capacity;
	unsigned char *rows; /* (capacity, row_bytes), tensors in their order; NULL: none is held */
};

/* a: what the faces have, or NULL for frames without any; must last. frame: how images are cut out, for META crop. pairs: stated by the
 * user, which overrule what is found, or NULL; wrong ones exit 2. */
void import_rows_begin(
	struct import_rows *r, struct tns_writer *to, const struct annotations *a, const struct face_frame *frame, const char *pairs);
/* image (h, w). W, H: of the image that crop is of, as it was turned. turn: EXIF orientation, 1 to 8, by which the image was turned before
 * it was cut; not of frames. face: points in pixels of the image that crop is of; NULL: none. source: at most IMPORT_SOURCE - 1 bytes
 * (assert). */
void import_rows_add(struct import_rows *r, const uint8_t *image, const float crop[6], const char *source, int W, int H, int turn,
	const struct annotation *face);
void import_rows_release(struct import_rows *r); /* writes what is held back, if anything */
void import_rows_end(struct import_rows *r);	 /* writes what is held back, frees; w stays open */

#endif
