/* The weight gradient of a convolution by tiles of 16 rows of 16 words (simd.h: tile_sums), whose sums stay in tiles over all pixels of
 * several images. Both factors of each image are laid out first: one of them, dz or, of an upsampling, x, as whole tiles of 16 channels and
 * 16 words of two pixels that follow each other; the other, which the kernel positions move, as a word for each pixel, it and the next, so
 * that the words of any position are rows a constant step apart. A stride or an upsampling by s parts the moving one into s x s planes of
 * every s-th pixel, in which the step is that of stride 1. Rows of the fixed one are as long as those of these planes, zeros beyond its
 * own, so that all pixels of an image are one sequence. A planar image (the first layer) moves as a map whose channels are its kernel
 * positions. */
#ifndef CONV_TILES_H
#define CONV_TILES_H

#include "kernels/cpu/cpu.h"

struct conv_tiles {
	const struct conv *s;
	int fixed_blocks, moving_blocks;     /* of 16 channels */
	int channels, taps_y, taps_x;	     /* of packed dw; a planar image has all kernel positions as channels */
	int step, dilation, y, x;	     /* from pixel to pixel of the moving factor; from tap to tap; the first tap's padded pixel */
	int fixed_rows, fixed_columns;	     /* pixels */
	int rows, columns;		     /* of the moving factor, padded */
	int plane_rows, plane_columns;	     /* of its planes */
	int segments;			     /* tiles of 16 words of two pixels */
	size_t fixed_size, moving_size, tmp; /* floats an image; of conv_tiles_words' buffer */
};

/* A factor: its first pixel, and the floats from row to row and from plane to plane. */
struct tile_factor {
	const float *p;
	long row, plane;
};

/* x, dz: the padded factors; top: zeros above dz; low_y, low_x: an upsampling's first kernel position (axis_backward). */
struct conv_tiles conv_tiles_plan(
	const struct conv *s, const struct padded_planes *x, const struct padded_planes *dz, int top, int low_y, int low_x, int th, int tw);
/* Lays out the factors of an image, x padded, dz from its first output on. off: of a planar image, from an output's pixel to each kernel
 * position. Of `parts`, which have some blocks each, the part-th. tmp: buffer. */
void conv_tiles_words(const struct conv_tiles *t, const struct cpu *c, float *fixed, float *moving, const struct tile_factor *x,
	const struct tile_factor *dz, const int32_t *off, int part, int parts, float *tmp);

/* Images of a batch whose factors are laid out at a time, by shape alone: as many as FACTOR_BYTES hold, and some for threads to share. */
int conv_tiles_images(const struct conv_tiles *t, int batch);

/* Sums over images in ranges, one packed dw (conv_backward.c) each, size floats apart; add: to what is there. */
struct conv_tiles_run {
	const struct conv_tiles *t;
	const struct simd *simd;
	const float *fixed, *moving;
	float *sums;
	size_t size;
	int images, ranges, add;
	int fixed_pairs, groups, positions, per; /* conv_tiles_sums sets: tasks of a range: pairs of fixed blocks by groups of positions */
};
/* How many ranges, by shape alone: an image's factors are read again for each tile, from a cache where a range fits one. nw: floats of dw.
 */
int conv_tiles_ranges(const struct conv_tiles *t, int images, size_t nw);
void conv_tiles_sums(struct cpu *c, struct conv_tiles_run *run);

#endif
