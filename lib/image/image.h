/* Images of files and streams, decoded by libjpeg-turbo and libpng (PGM and PPM by image_pnm.h): 8 bits a sample, rows from the top, no
 * padding. Grey is luma by Rec. 601 (0.299 R + 0.587 G + 0.114 B, of the encoded values); 16 bits are rounded to 8; alpha is blended over
 * white; palettes are expanded; CMYK JPEGs are converted. A pixel's index is its centre: the image covers [-0.5, W - 0.5) x [-0.5, H -
 * 0.5).
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <stddef.h>
#include <stdint.h>

enum { IMAGE_ERR = 512, IMAGE_SIDE_MAX = 65535 };
#define IMAGE_PIXELS_MAX (1u << 28) /* what says that it has more is refused before memory is taken */
#define IMAGE_BYTES_MAX (1u << 30)  /* of a file */

struct image {
	int W, H, channels; /* channels: 1 grey, 3 RGB */
	int turn;	    /* EXIF orientation 1 to 8 that the file tells, 1 if none; not obeyed yet */
	uint8_t *pixels;    /* (H, W, channels); owned by the image */
	size_t size;	    /* bytes that pixels has room for: reading again into the same image uses them again */
};

/* Reads an image from a file, told by its first bytes, into im (zeroed before the first use). channels: what is wanted, 1 or 3. Regular
 * files alone, also through links: no devices, FIFOs or folders. Returns 1, or 0 and the reason in err (without the path): missing,
 * of no known kind, broken, truncated, too large. A file that libjpeg warns of as truncated or corrupt is broken; one that is too short
 * for the size that it states is refused before memory is taken. */
int image_read(struct image *im, const char *path, int channels, char err[IMAGE_ERR]);
/* The same from memory, not copied. */
int image_decode(struct image *im, const void *data, size_t n, int channels, char err[IMAGE_ERR]);
/* Turns im as its EXIF orientation says; turn is 1 afterwards. W and H swap where turn is 5 to 8. */
void image_upright(struct image *im);
void image_free(struct image *im); /* the pixels; im is zeroed */

#endif
