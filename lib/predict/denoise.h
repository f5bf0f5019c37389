/* White Gaussian noise taken out of images before a net sees them: a net that learned from clean images errs twice as much at 15 grey
 * levels, and one that learned from noise, too, errs more on clean ones (pipelines/README.md).
 *
 * Two passes over all windows of 8x8 pixels, each window's DCT shrunk and what the windows say of a pixel averaged: coefficients below
 * DENOISE_THRESHOLD sigma become 0 (sliding DCT: Yu and Sapiro, "DCT image denoising", IPOL 2011); then, of the noisy image, each is times
 * p^2 / (p^2 + sigma^2), p that of the first pass's result (the empirical Wiener filter of BM3D's second step: Dabov, Foi, Katkovnik,
 * Egiazarian, 2007, without its matching of blocks). Windows weigh by the inverse of the noise that is left in them. */
#ifndef DENOISE_H
#define DENOISE_H

#include <stdint.h>

#define DENOISE_LEAST 3.0 /* grey levels: images with less noise stay as they are, bit for bit */
#define DENOISE_ALL 5.0	  /* from here on the filtered image counts alone; between, in part */
#define DENOISE_THRESHOLD 2.7
enum { DENOISE_WINDOW = 8 };

/* Standard deviation of the noise of an image (H, W), grey levels, by the mean absolute response of a mask that planes don't pass
 * (Immerkaer, "Fast noise variance estimation", 1996); fine detail counts, too: of
 * clean synthetic faces of 96x96 pixels 3 of 60 are found to have DENOISE_LEAST, of 32x32 pixels 45. 0 below 3x3 pixels. */
double denoise_sigma(const uint8_t *image, int W, int H);
/* images (B, H, W), in place, by so many threads; the bits don't depend on them. Images with a side below DENOISE_WINDOW stay. */
void denoise(uint8_t *images, int B, int W, int H, int threads);

#endif
