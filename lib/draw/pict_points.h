/* Points of faces in a data set, as all pictures show them: labels are dots, predictions crosses, colours 0xRRGGBBAA. */
#ifndef PICT_POINTS_H
#define PICT_POINTS_H

#include "lib/stream/tns.h"

#define PICT_TRUTH 0x4FB8FFFF
#define PICT_PREDICTED 0xFFA62BFF
#define PICT_OFF 0xFFFFFFB0 /* from a label to its prediction */

/* Id of the tensor of points f32 [N,K,2] of that name, or -1 if there is none; *k, 0 before the first, becomes K. Ends the program where it
 * is no such tensor, or has another K. */
int pict_points_find(const struct tns *t, const char *name, int *k);
/* Radius of a dot on a face drawn w x h pixels large; crosses have 1.1 times as much. */
double pict_points_radius(double w, double h);
/* 1 if point k of points (K, 2; NULL: none) is to be drawn on an image of w x h: finite, and not too far outside; *x, *y in its pixels. */
int pict_points_at(const float *points, int k, int w, int h, double *x, double *y);

#endif
