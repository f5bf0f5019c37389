/* Rows of a data set changed by stated amounts, or by those that training draws: images by the warp of kernels/augment.h, points and crops
 * as the warp moves them. What comes from beyond the image's edge repeats the edge; points that leave the image keep their numbers. */
#ifndef TRANSFORM_H
#define TRANSFORM_H

#include "kernels/augment.h"

struct transform {
	double shift[2];	  /* pixels right, down; after the two below */
	double rotate;		  /* degrees about the centre, clockwise as seen */
	double scale;		  /* factor about the centre, above 0 */
	double light;		  /* factor of grey values */
	double contrast;	  /* factor of their distance from the middle grey, 127.5, after light */
	double blur;		  /* pixels, standard deviation */
	double motion, direction; /* pixels of the path, degrees clockwise from the x axis */
	double noise;		  /* grey levels, standard deviation */
};

#define TRANSFORM_NONE                                                                                                                     \
	{                                                                                                                                  \
		.scale = 1, .light = 1, .contrast = 1                                                                                      \
	}
struct warp transform_warp(const struct transform *t, int W, int H);
/* Of a warp of pixels, the one of labels, which are off by what a model found (its file; struct model's offset), whatever the image does.
 * Dies where the model is not of points in images of W x H. */
void transform_offset(struct warp *w, const char *model, int W, int H);

/* to (H, W) is from after a's elastic field, if it has one (elastic.h), then w, rounded to whole grey levels; noise is drawn by a's seed
 * and epoch and by row. */
void transform_image(uint8_t *to, const uint8_t *from, int W, int H, const struct warp *w, const struct augment *a, uint32_t row);
/* Rows of K points, each of n floats, in the order that a mirrored image has: to[k] is from[partner[k]] where w mirrors; partner NULL: the
 * order stays. Not in place. */
void transform_order(float *to, const float *from, const int *partner, int K, int n, const struct warp *w);
/* xy (K, 2), in place, as a's elastic field of the row moves them; nothing where it has none. */
void transform_points_elastic(float *xy, int K, int W, int H, const struct augment *a, uint32_t row);
/* xy (K, 2), in place, as w moves them. A point of which one coordinate is known loses it, as in training; halves: unless w turns nothing.
 * Returns how many did. */
int transform_points(float *xy, int K, const struct warp *w, int halves);
/* crop (6): where a pixel of the row lies in the image that it was cut from (stream/format.md); so that it is right after w. infinite where
 * w mirrors, as the left eye's point is then the right one's in that image, and where a has an elastic field, which is none of this form.
 */
void transform_crop(float crop[6], const struct warp *w, const struct augment *a);

#endif
