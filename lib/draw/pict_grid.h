/* Shared by pictures of many small images: number of columns, zoom, mapping of values to greys. */
#ifndef PICT_GRID_H
#define PICT_GRID_H

#include <stddef.h>
#include <stdint.h>

/* Columns for n cells, n at least 1, for an aspect ratio of about 4:3 and preferably a full last row; wanted over 0 is used instead, at
 * most n. */
int pict_columns(int n, int64_t wanted, double cell_w, double cell_h);
/* Zoom that makes the longer side of w x h about target pixels: an integer, or 1/2, 1/3, ...; wanted over 0 is used instead. */
double pict_zoom(int w, int h, double target, double wanted);

struct pict_range {
	double lo, hi; /* lo > hi: empty */
};
#define PICT_RANGE_NONE                                                                                                                    \
	{                                                                                                                                  \
		1, 0                                                                                                                       \
	}

/* Widens r to include the finite ones of n values. */
void pict_range_f32(struct pict_range *r, const float *v, size_t n);
void pict_range_u8(struct pict_range *r, const unsigned char *v, size_t n);
/* Values to greys: lo..hi to 0..255, rounded, clamped; mid grey where lo = hi or r is empty; PICT_NONFINITE where a value is not finite.
 * rgb (n): 0xRRGGBB. */
void pict_grey_f32(const struct pict_range *r, const float *v, size_t n, uint32_t *rgb);
void pict_grey_u8(const struct pict_range *r, const unsigned char *v, size_t n, uint32_t *rgb);

#endif
