/* Part of an image resampled to w x h grey pixels: a crop (a b c d e f) maps pixel indices (u, v) of the result to those of the image:
 * x = a u + b v + c, y = d u + e v + f. Here b = d = 0, a and e > 0: boxes are upright. */
#ifndef CROP_H
#define CROP_H

#include <stdint.h>

#include "lib/image/image.h"

/* The crop of a box (x, y, width, height: corner and sizes in pixels, x = 0 the left edge of the first pixel) that is first extended by
 * margin times its width to the left and right, likewise in height, then in one direction about its centre to the aspect of w x h. Width
 * or height is above 0 after the margin, none below (assert). */
void crop_of_box(float crop[6], const double box[4], double margin, int w, int h);
/* Resamples im, grey (H, W), to to (h, w): separable; along an axis with a > 1 each result is the mean of the a pixels it covers, parts of
 * pixels weighted by their share, else linear interpolation between the two nearest centres. Pixels beyond the edge are the edge's;
 * rounded to nearest, half up. tmp: a buffer that grows as needed, zeroed before the first use, freed with crop_buffer_free. */
struct crop_buffer {
	float *v;
	size_t n;
	struct crop_span {
		int first, last; /* pixels of the image that a column is made of */
	} * span;
	size_t spans;
};
void crop_resample(uint8_t *to, int w, int h, const struct image *im, const float crop[6], struct crop_buffer *tmp);
void crop_buffer_free(struct crop_buffer *tmp);
/* (x, y) of the image in the crop's pixels. */
void crop_into(const float crop[6], double x, double y, double uv[2]);

#endif
