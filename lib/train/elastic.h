/* Elastic distortion of an image (Simard, Steinkraus, Platt, Best practices for convolutional neural networks, 2003): a smooth random field
 * of displacements. Here it is a uniform cubic B-spline of ELASTIC_CELLS x ELASTIC_CELLS cells over the image, whose control points'
 * vectors are drawn by Philox (seed, PHILOX_AUGMENT, epoch, row). The new image's pixel p is the old one's p + d(p). */
#ifndef ELASTIC_H
#define ELASTIC_H

#include <stdint.h>

#include "kernels/augment.h"

enum { ELASTIC_CELLS = 4, ELASTIC_NODES = ELASTIC_CELLS + 3, ELASTIC_ELEMENT = 16 };
/* Largest component of a control point's vector, of a cell's side: below 0.48 the field does not fold (Choi, Lee, Injectivity conditions of
 * 2D and 3D uniform cubic B-spline functions, 2000). */
#define ELASTIC_MOST 0.45

struct elastic {
	int W, H;
	float node[ELASTIC_NODES][ELASTIC_NODES][2]; /* pixels */
};

/* Components are in +-a->elastic, drawn as a's other amounts, and cut off at ELASTIC_MOST. Node (j, i) has words 2 (j NODES + i) and the
 * next, four to an element, from ELASTIC_ELEMENT on. */
void elastic_draw(struct elastic *e, const struct augment *a, uint32_t row, int W, int H);
/* d at pixel (x, y); beyond the image that of its border. */
void elastic_shift(const struct elastic *e, float x, float y, float d[2]);
/* to and from (H, W); bilinear, the border repeated, rounded to whole grey levels. */
void elastic_image(const struct elastic *e, uint8_t *to, const uint8_t *from);
/* Where the old image's point (x, y) is in the new one: the fixed point of p = (x, y) - d(p). NaN stays. */
void elastic_point(const struct elastic *e, float xy[2]);

#endif
