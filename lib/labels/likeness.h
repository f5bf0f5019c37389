/* Likeness of images: one vector an image, whose products are high for the same person in the same scene and scatter about zero for others.
 *
 * An image is a histogram of gradient orientations (Dalal and Triggs, CVPR 2005, section 6; without their blocks) over 8 x 8 cells. Where
 * points are labelled it is first turned, scaled and shifted so that they lie on the mean points, and only the frame around these is seen.
 * Its square roots (the Hellinger kernel: Arandjelovic and Zisserman, CVPR 2012, section 2) are whitened by the set's own covariance, so
 * that what all images share weighs little. */
#ifndef LIKENESS_H
#define LIKENESS_H

#include <stdint.h>

#include "lib/stream/tns.h"

enum { LIKENESS_GRID = 64, LIKENESS_CELLS = 8, LIKENESS_ANGLES = 9, LIKENESS_DIM = LIKENESS_CELLS * LIKENESS_CELLS * LIKENESS_ANGLES };

/* Vectors of unit length (N, LIKENESS_DIM), freed by the caller; NULL if there are fewer than two images, or all look the same. image: id
 * of u8 (N, H, W); keypoints: id of f32 (N, K, 2), or -1. A row with fewer than two labelled points is seen where the mean points are. Time
 * is linear in N: 3,000 rows take two seconds. */
float *likeness(const struct tns_table *t, int image, int keypoints);

#endif
