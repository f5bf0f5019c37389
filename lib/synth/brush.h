/* Renders grey shapes on a small canvas, anti-aliased: a pixel's coverage is the exact area of the shape within it, so that shapes have
 * subpixel positions. Coordinates are pixels, x right, y down, 0,0 the centre of the top left pixel; shapes are clipped to the canvas.
 * No allocation, no global or random state: everything is in struct brush. */
#ifndef BRUSH_H
#define BRUSH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/philox.h"

struct brush {
	int w, h;
	float *grey;	    /* (H, W) the image, black 0, white 255, not clamped before brush_tone */
	float *light;	    /* (H, W) shading: factor of the colours drawn at a pixel */
	float *mask;	    /* (H, W) coverage by the last shape, 0 to 1, valid in its box only */
	float *field;	    /* (H, W) height field for brush_relief; drawing does not change it */
	float *work;	    /* (2, H, W + 2) scratch of brush_cover, brush_blend and brush_blur */
	float *cover;	    /* (H, W) opacity of what was blended so far, for canvases that are transparent; NULL: not kept */
	uint8_t grain[256]; /* random bytes of the value noise */
};

/* Half-open range of pixels; empty when x0 >= x1. */
struct brush_box {
	int x0, y0, x1, y1;
};

struct brush_ink {
	float grey, alpha; /* colour before shading; opacity */
	float rough;	   /* texture: amplitude of the value noise, relative to the colour */
	float fx, fy;	   /* noise cells a pixel along x and y */
};

/* Size of a canvas's buffer, in floats. */
size_t brush_size(int w, int h);
/* Sets up the canvas in buf, uninitialised; grain is not set, cover is NULL. */
void brush_init(struct brush *b, int w, int h, float *buf);

/* Multiplies light by the Blinn-Phong shading of an ellipsoid (centre x, y, half axes rx, ry, rotated by angle) with the height field
 * added; l: unit vector towards the light; ambient and shine: weights of ambient and specular light. */
void brush_relief(struct brush *b, float x, float y, float rx, float ry, float angle, const float l[3], float ambient, float shine);

/* Coverage by the closed polygon p (n points) into b->mask; soft > 0 blurs its edge over about that many pixels. Returns its box. */
struct brush_box brush_cover(struct brush *b, const float (*p)[2], int n, float soft);
/* Blends ink into grey by the mask. */
void brush_blend(struct brush *b, struct brush_box box, const struct brush_ink *ink);
/* brush_cover, then brush_blend. */
void brush_fill(struct brush *b, const float (*p)[2], int n, float soft, const struct brush_ink *ink);
/* A line along p, wide0 pixels wide at its start and wide1 at its end, at least half a pixel (thinner lines get less opacity instead); n up
 * to 64. */
void brush_line(struct brush *b, const float (*p)[2], int n, float wide0, float wide1, const struct brush_ink *ink);
/* An ellipse with half axes rx, ry, rotated by angle (radians, clockwise on the screen). */
void brush_oval(struct brush *b, float x, float y, float rx, float ry, float angle, float soft, const struct brush_ink *ink);

/* Adds height (1 - r^2)^3 to b->field, r the radius relative to that of the rotated ellipse; zero outside it. */
void brush_bump(struct brush *b, float x, float y, float rx, float ry, float angle, float height);
/* Value noise, -1 to 1, at the n points (x + i step, y), in noise cells, none negative, into out. */
void brush_noise(const struct brush *b, float x, float step, float y, int n, float *out);

/* Points of a Catmull-Rom spline (1974) through c (n points), per points a segment, the last control point included if open. Returns how
 * many: closed n * per, open (n - 1) * per + 1. */
int brush_curve(const float (*c)[2], int n, int closed, int per, float (*out)[2]);

/* Gaussian blur of grey, sigma in pixels; none under 0.2. */
void brush_blur(struct brush *b, float sigma);
/* To bytes: image (H, W) = middle + bright + contrast * (grey - middle) + noise of that standard deviation, rounded and clamped to 0..255.
 * Noise is the sum of the four bytes of one Philox word a pixel: close to normal, and the same on every machine. */
void brush_tone(const struct brush *b, float contrast, float middle, float bright, float noise, uint64_t seed, uint32_t epoch, uint32_t row,
	uint8_t *image);

#endif
