/* Similarity transforms of an image's plane (translation, rotation, scale), fitted to points; and grey values between pixels. Coordinates
 * are pixels from the first one's centre. */
#ifndef SIMILARITY_H
#define SIMILARITY_H

#include <stdint.h>

struct similarity { /* z becomes to + turn (z - from), as complex numbers x + iy */
	double turn[2], from[2], to[2];
};

/* The one that takes xy (points, 2) nearest to onto (points, 2) by least squares (Umeyama, "Least-squares estimation of transformation
 * parameters between two point patterns", 1991, equations 40 to 43, which are one division of complex numbers in the plane). Points that
 * are not finite in either don't count. Returns 0, s unchanged, where fewer than two count, they lie at one place, or the scale is not
 * between 1 / most and most. */
int similarity_fit(struct similarity *s, const double *xy, const double *onto, int points, double most);
void similarity_into(const struct similarity *s, double xy[2]); /* in place */
void similarity_back(const struct similarity *s, double xy[2]); /* the inverse */
double similarity_scale(const struct similarity *s);
/* image (H, W) at (x, y), bilinear; places beyond the outermost centres have the value of the nearest one. */
double similarity_sample(const uint8_t *image, int W, int H, double x, double y);

#endif
