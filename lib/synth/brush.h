/* Painting with grey on a small canvas, anti-aliased: a shape covers a pixel by its exact area in it, so that what is painted
 * at a fraction of a pixel is found at that fraction. Coordinates are pixels, x right, y down, 0,0 the centre of the top left pixel;
 * whatever lies off the canvas is cut. No memory of its own, no random state: everything is in struct brush. */
#ifndef BRUSH_H
#define BRUSH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/philox.h"

struct brush {
	int w, h;
	float *grey;	    /* (H, W) what is painted, black 0, white 255, not cut to that range before brush_tone */
	float *light;	    /* (H, W) factor by which paint at a pixel is lit */
	float *mask;	    /* (H, W) cover of the shape last filled, 0 to 1, valid in its box only */
	float *field;	    /* (H, W) heights, for bumps; not touched by painting */
	float *work;	    /* (H, W + 2) and two rows, scratch of brush_cover and brush_blur */
	uint8_t grain[256]; /* random bytes that texture is made of */
};

/* Half-open range of pixels; empty when x0 >= x1. */
struct brush_box {
	int x0, y0, x1, y1;
};

struct brush_ink {
	float grey, alpha; /* colour before light; how much of what is beneath it covers */
	float rough;	   /* texture: the colour varies by this part of itself, up and down */
	float fx, fy;	   /* grains a pixel along x and y */
};

/* Floats of scratch memory that a canvas needs. */
size_t brush_room(int w, int h);
/* Lay the canvas over room; grey and light are not set. */
void brush_init(struct brush *b, int w, int h, float *room);

/* Multiply light by how a surface is lit: an egg's (centre x, y, half axes rx, ry, turned by angle) with the heights of field upon it,
 * under a light from direction l (towards the light, unit length), with that part of ambient light and of shine. */
void brush_relief(struct brush *b, float x, float y, float rx, float ry, float angle, const float l[3], float ambient, float shine);

/* Cover of the closed polygon p (n points) into b->mask; soft > 0 blurs its edge over about that many pixels. Returns the box that was set.
 */
struct brush_box brush_cover(struct brush *b, const float (*p)[2], int n, float soft);
/* Paint ink through the mask. */
void brush_blend(struct brush *b, struct brush_box box, const struct brush_ink *ink);
/* The two above. */
void brush_fill(struct brush *b, const float (*p)[2], int n, float soft, const struct brush_ink *ink);
/* A line along p that is wide0 pixels wide at its begin and wide1 at its end, at least half a pixel (thinner lines fade instead); n up
 * to 64. */
void brush_line(struct brush *b, const float (*p)[2], int n, float wide0, float wide1, const struct brush_ink *ink);
/* An ellipse with half axes rx, ry, turned by angle (radians, clockwise as seen). */
void brush_oval(struct brush *b, float x, float y, float rx, float ry, float angle, float soft, const struct brush_ink *ink);

/* Add a smooth bump of that height, zero outside the turned ellipse, to b->field. */
void brush_bump(struct brush *b, float x, float y, float rx, float ry, float angle, float height);
/* Smooth noise from -1 to 1 at n places x, x + step, ... in grains (none negative), into out. */
void brush_grain(const struct brush *b, float x, float step, float y, int n, float *out);

/* Points of a smooth curve (Catmull and Rom, 1974) through c (n points), per of them for each piece, the last control point included if
 * open. Returns how many: closed n * per, open (n - 1) * per + 1. */
int brush_curve(const float (*c)[2], int n, int closed, int per, float (*out)[2]);

/* Gaussian blur of grey, sigma in pixels; under 0.2 nothing. */
void brush_blur(struct brush *b, float sigma);
/* To bytes: value = middle + bright + contrast * (grey - middle) + noise of that deviation, rounded and cut to 0..255. image is (H, W).
 * Noise is the sum of four bytes of one Philox word a pixel, near enough to normal and the same everywhere. */
void brush_tone(const struct brush *b, float contrast, float middle, float bright, float noise, uint64_t seed, uint32_t epoch, uint32_t row,
	uint8_t *image);

#endif
