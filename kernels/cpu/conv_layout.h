/* The layout of packed weights: for each phase, for each group of blocks of output channels, (K, 16 x blocks), K = kernel positions x input
 * channels; an output pixel is the sum over K of an input value times a row. A phase is the outputs o = phases q + phase along an axis; the
 * q-th of them reads inputs q step + t, t from lo[phase] to hi[phase] in steps of the dilation. This covers a stride (forward), an
 * upsampling fused with its convolution (upsample x upsample phases, each a smaller convolution), the backward pass of a stride (one
 * convolution per phase), and a dilation without these. Weights that fall on the same t are added. */
#ifndef CONV_LAYOUT_H
#define CONV_LAYOUT_H

#include "kernels/cpu/simd.h"

enum { PHASES = 16 };

struct axis {
	int phases, step, dilation;
	int lo[PHASES], hi[PHASES];
	int first[PHASES], count[PHASES]; /* a phase's outputs: first, first + phases, ..., `count` of them */
	int q[PHASES];			  /* q of the first output */
	int before, after;		  /* zero padding of the input */
};

/* 1 if this layout can express the shape: not upsampling of an image or with a stride above 1, nor strides or factors above PHASES,
 * nor a dilation of an image or beside a stride or an upsampling. */
int conv_layout_supports(const struct conv *s);
struct axis axis_forward(const struct conv *s, int K, int in, int out);
/* For dx, as a convolution that reads the gradients of `out` outputs and writes those of `in` inputs. */
struct axis axis_backward(const struct conv *s, int K, int in, int out);

struct pack { /* order of the packed weights: for each phase, for each group of output channel blocks: (K, 16 x blocks of the group) */
	struct axis y, x;
	int in, out;	    /* channels; in: in words */
	int in_block;	    /* channels of an input block: 16, or 1 where the input is planar; in words */
	int channels, taps; /* of a word: 2 channels, or 2 positions along x where the input is planar; 1 and 1: fp32 */
	int apart; /* from a word's even channel to its odd one: 1, or a block of 16, which makes a pixel 16 words, a row of a tile */
	int groups, backward; /* backward: the layout of dx, not of the forward pass */
};

/* pairs 1: input and weights are words of two factors in bf16. */
struct pack pack_forward(const struct conv *s, const struct simd *simd, int pairs);
struct pack pack_backward(const struct conv *s, const struct simd *simd, int pairs);
/* K of phase (py, px): kernel positions x input channels. */
int pack_k(const struct pack *p, int py, int px);
/* Output channel blocks of group g. */
int pack_blocks(const struct pack *p, const struct simd *simd, int g);
/* Floats of all packed weights; offset of phase (py, px). */
size_t pack_size(const struct pack *p);
size_t pack_at(const struct pack *p, int py, int px);
/* Packs the columns of one block of output channels. tmp: buffer of as many floats as fp32's layout has (pack_size); not used where p is
 * fp32's. */
void pack_weights(float *to, const float *w, const struct conv *s, const struct pack *p, const struct simd *simd, float *tmp, int block);
/* dw (F, C, KH, KW) of one block of filters from packed sums: for groups of filter blocks, (channel block, ty, tx, channel in block,
 * filter), of an upsampling for all positions that p, its pack_backward, has. */
void unpack_weight_gradient(float *dw, const float *sums, const struct conv *s, const struct pack *p, const struct simd *simd, int block);
/* Input offsets (K) of a phase, from the pixel of q 0, t 0: pitch, plane and pixel are the floats from row to row, channel block to
 * channel block and pixel to pixel. */
void pack_offsets(int32_t *off, const struct pack *p, int py, int px, long pitch, long plane, long pixel);

#endif
