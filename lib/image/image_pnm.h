/* PGM and PPM images one after another, binary (P5, P6) or plain (P2, P3), samples of up to 16 bits, from a pipe without an end or from
 * memory; and frames without a header, as ffmpeg's rawvideo writes them. Samples become 8 bits: v * 255 / maxval, rounded. */
#ifndef IMAGE_PNM_H
#define IMAGE_PNM_H

#include "lib/image/image.h"

struct image_pnm;

enum { IMAGE_PNM_ERR = -1, IMAGE_PNM_DONE = 0, IMAGE_PNM_ONE = 1 };

struct image_pnm *image_pnm_fd(int fd);				/* stays open */
struct image_pnm *image_pnm_memory(const void *data, size_t n); /* not copied */
/* Before the first image: frames of W x H, channels bytes a pixel (1 grey, 3 RGB), have no headers. */
void image_pnm_raw(struct image_pnm *s, int W, int H, int channels);
/* The next image into im: IMAGE_PNM_ONE; IMAGE_PNM_DONE where the stream ends before it; IMAGE_PNM_ERR, the reason in err: it ends within
 * the image, or is none. channels: what is wanted, 1 or 3. */
int image_pnm_next(struct image_pnm *s, struct image *im, int channels, char err[IMAGE_ERR]);
void image_pnm_free(struct image_pnm *s);

#endif
