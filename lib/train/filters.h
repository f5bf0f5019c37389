/* Filters of a first layer as images: do they look like something? */
#ifndef FILTERS_H
#define FILTERS_H

#include "kernels/backend.h"

/* A filter is structured where more than this share of its energy lies in low frequencies. Of white noise a quarter does, give or take:
 * with 19 x 25 pixels the share of random filters is 0.245 with a standard deviation of 0.027, so half is nine of these above it. */
#define FILTERS_STRUCTURED 0.5

/* Shares (n) of energy (sum of squares about the filter's mean) of each of n filters w (n, H, W) at frequencies below a quarter of the
 * sampling frequency in both directions: of the discrete Fourier transform's, those of fewer than W / 4 periods in the width, H / 4 in the
 * height. 0 for a filter that is constant. */
void filters_low_shares(const real *w, int n, int H, int W, double *share);
/* Share of the filters that are structured. */
double filters_structured(const real *w, int n, int H, int W);

#endif
