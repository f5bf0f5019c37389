/* Private to lib/synth/paint*.c: shapes given by points on the head, in its own units, projected and drawn. Widths are in the head's units.
 */
#ifndef PAINT_IO_H
#define PAINT_IO_H

#include "lib/synth/paint.h"

/* Plain ink without texture. */
struct brush_ink paint_ink(float grey, float alpha);
/* out = a + t (b - a) */
void paint_mix(const float a[3], const float b[3], float t, float out[3]);
void paint_project(const struct face_params *f, const float v[3], float out[2]);
/* An open spline through n <= 8 points, as a stroke. */
void paint_line(
	const struct face_params *f, struct brush *b, const float (*v)[3], int n, float wide0, float wide1, const struct brush_ink *k);
/* A closed spline through n <= 24 points, filled. */
void paint_shape(const struct face_params *f, struct brush *b, const float (*v)[3], int n, float soft, const struct brush_ink *k);
/* An ellipse about a point, turned as the head is. */
void paint_oval(
	const struct face_params *f, struct brush *b, float x, float y, float z, float rx, float ry, float soft, const struct brush_ink *k);

void paint_wrinkles(const struct face_params *f, struct brush *b);
/* Nose, mouth, eyes, brows. */
void paint_features(const struct face_params *f, struct brush *b);

#endif
