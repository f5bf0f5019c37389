/* Private to lib/image/image*.c: what the decoders share. Each decodes n bytes of its kind and returns 1, or 0 and the reason in err. */
#ifndef IMAGE_IO_H
#define IMAGE_IO_H

#include "lib/base/err.h"
#include "lib/image/image.h"

int image_jpeg(struct image *im, const void *data, size_t n, int channels, char err[IMAGE_ERR]);
int image_png(struct image *im, const void *data, size_t n, int channels, char err[IMAGE_ERR]);

/* Formats the reason into err; returns 0. */
int image_fault(char err[IMAGE_ERR], const char *fmt, ...) PRINTF(2, 3);
/* Sets W, H, channels; turn is 1. 0: none, or too many. */
int image_shape(struct image *im, uint64_t W, uint64_t H, int channels, char err[IMAGE_ERR]);
/* The same, and makes room for all of the pixels: those that are there, or in a file that may hold them. */
int image_room(struct image *im, uint64_t W, uint64_t H, int channels, char err[IMAGE_ERR]);
/* The orientation, 1 to 8, in EXIF's TIFF structure, "Exif\0\0" before it or not; 1: none. */
int image_exif(const uint8_t *p, size_t n);

/* The weights of Rec. 601 in 1/65536, which add up to 1, as libjpeg has them. */
static inline uint8_t image_luma(unsigned r, unsigned g, unsigned b)
{
	return (uint8_t)((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
}

#endif
