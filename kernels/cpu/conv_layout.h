/* A convolution seen as lists of taps: an output pixel is the sum over taps of an input pixel's channel times a row of packed weights.
 * Along one axis, an output o = phases q + phase reads inputs q step + t, t from lo[phase] to hi[phase]; so a stride (forward), an
 * upsampling computed with its convolution (2 x 2 small convolutions in the place of one large, their weights summed) and the way back
 * of a stride (a convolution for each phase) are one thing. Weights that fall on the same tap are added. */
#ifndef CONV_LAYOUT_H
#define CONV_LAYOUT_H

#include "kernels/cpu/simd.h"

enum { PHASES = 16 };

struct axis {
	int phases, step;
	int lo[PHASES], hi[PHASES];
	int first[PHASES], count[PHASES]; /* output pixels of a phase: first, first + phases, ...; the q of the first */
	int q[PHASES];
	int before, after; /* zeros that the input needs around it */
};

/* 1 if the fast way knows the shape; up of an image or with a stride above 1, and strides or ups above PHASES it does not. */
int conv_layout_known(const struct conv *s);
struct axis axis_forward(const struct conv *s, int K, int in, int out);
/* From gradients of outputs (out of them) to those of inputs (in of them). */
struct axis axis_backward(const struct conv *s, int K, int in, int out);

struct pack { /* how weights lie: for each phase, for each group of blocks, (taps, 16 blocks) */
	struct axis y, x;
	int in, out; /* channels */
	int line;    /* channels of a block of the input: 16, or 1 where it is planar */
	int groups, back;
};

struct pack pack_forward(const struct conv *s, const struct simd *m);
struct pack pack_backward(const struct conv *s, const struct simd *m);
int pack_kernel(const struct pack *p, int py, int px);
/* Blocks of group g. */
int pack_blocks(const struct pack *p, const struct simd *m, int g);
/* Floats of all; of the phases before (py, px). */
size_t pack_size(const struct pack *p);
size_t pack_at(const struct pack *p, int py, int px);
void pack_weights(float *to, const float *w, const struct conv *s, const struct pack *p, const struct simd *m);
/* Where the taps of a phase lie in a padded input of this pitch (floats a row) and plane (floats from block to block), from the pixel of
 * q 0, t 0. */
void pack_offsets(int32_t *off, const struct pack *p, int py, int px, long pitch, long plane, long pixel);

#endif
