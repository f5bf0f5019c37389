/* What pictures of many small images share: how many columns, how values become greys. */
#ifndef PICT_GRID_H
#define PICT_GRID_H

#include <stddef.h>
#include <stdint.h>

/* Columns for n cells, n at least 1, so that the whole is about 4 wide to 3 high, full rows preferred; wanted over 0 is taken as it is, at
 * most n. */
int pict_columns(int n, int64_t wanted, double cell_w, double cell_h);
/* Zoom for images of w x h shown about target pixels wide or high: whole numbers from 1 up, else 1/2, 1/3, ...; wanted over 0 is taken as
 * it is. */
double pict_zoom(int w, int h, double target, double wanted);

struct pict_range {
	double lo, hi; /* lo > hi: nothing seen yet */
};
#define PICT_RANGE_NONE                                                                                                                    \
	{                                                                                                                                  \
		1, 0                                                                                                                       \
	}

/* Widen r by the finite ones of n values. */
void pict_range_f32(struct pict_range *r, const float *v, size_t n);
void pict_range_u8(struct pict_range *r, const unsigned char *v, size_t n);
/* Values to greys: lo..hi onto 0..255, rounded, what lies outside cut off; a range of no width is mid grey; what is not finite has
 * the signal colour. rgb is 0xRRGGBB, n of them. */
void pict_grey_f32(const struct pict_range *r, const float *v, size_t n, uint32_t *rgb);
void pict_grey_u8(const struct pict_range *r, const unsigned char *v, size_t n, uint32_t *rgb);

#endif
