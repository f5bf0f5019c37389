/* Windows of w x h pixels, resampled from images, that a finder of faces (finder.h) learns from. Positives: the window that the face fills,
 * moved and widened at random, and one of the mirrored image. Negatives: windows at a random place and of a random size that overlap the
 * face's little, and, of images without faces, any. Each number is drawn by Philox (seed, PHILOX_PATCH, set + 1, id of the image, draw):
 * none depends on other images. */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdint.h>

#include "lib/image/crop.h"

struct window_plan {
	int w, h;
	double margin;	/* what the images show beside the face at each side, in shares of the face's width and height */
	double jitter;	/* pixels of the window: most that its centre moves along each axis, and that it grows or shrinks at each side */
	int negatives;	/* of an image with a face */
	int of_another; /* of an image without */
	uint64_t seed;
};
#define WINDOW_OVERLAP 0.3 /* a negative overlaps the face's window less (boxes_overlap) */

struct window_counts {
	uint64_t positive, negative, lost; /* lost: negatives for which no place was found */
};

struct window_cutter {
	const struct window_plan *plan;
	uint8_t *window; /* (h, w) */
	struct crop_buffer tmp;
	struct window_counts c;
	void (*emit)(void *arg, const uint8_t *window, int label); /* called with each window, valid during the call; label 1: a face */
	void *arg;
};

/* The windows of an image, grey (H, W), with one face in its middle. */
void window_face(struct window_cutter *k, const struct image *im, uint32_t id);
/* Of one without a face, of data set number `set` of such, from 0. An image of just w x h pixels is one negative, itself. */
void window_other(struct window_cutter *k, const struct image *im, uint32_t set, uint32_t id);

#endif
