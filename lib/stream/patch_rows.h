/* Rows of a data set of labelled patches: image u8 [N,h,w], label u8 [N] (or, of a cascade's, what the caller defines) and source u32 [N],
 * the id of the row that a patch was cut from. */
#ifndef PATCH_ROWS_H
#define PATCH_ROWS_H

#include "lib/stream/tns.h"

struct patch_rows {
	struct tns_writer *w;
	int image, label, source; /* tensors */
	uint32_t id;		  /* of the row that is cut */
};

/* Defines the tensors. points 0: labels; else keypoints f32 [N,points,2] in label's place. */
void patch_rows_begin(struct patch_rows *r, struct tns_writer *w, int width, int height, int points);
/* arg: a struct patch_rows. patch (height, width); label: a class, or (points, 2) */
void patch_rows_add(void *arg, const uint8_t *patch, int label);
void patch_rows_add_points(void *arg, const uint8_t *patch, const float *label);

#endif
