/* A data set's images as the net's input, batch by batch. A backend whose memory is the host's takes them from wherever they are
 * (image_store.h), those that lie in a file read into a buffer of a batch. On another, all of them are uploaded once, so there must be room
 * for them on the device; host memory holds only what image_store.h says. */
#ifndef FEED_H
#define FEED_H

#include "kernels/backend.h"
#include "lib/train/dataset.h"

struct feed;

/* Of batches of at most B rows. Both outlive it. */
struct feed *feed_new(const struct backend *be, const struct dataset *ds, int B);
/* Before an epoch whose images a moves, if it moves them elastically: on devices with memory of their own all are moved now. */
void feed_epoch(struct feed *f, const struct augment *a);
/* x (B, H, W), device: images of the rows, numbered in `order` (host) and `rows` (device) alike, augmented by a, elastically too (NULL: not
 * at all), times mul plus add. So many more rows of order follow: those of the next batch are read ahead. */
void feed_load(struct feed *f, real *x, const uint32_t *order, const uint32_t *rows, int B, uint32_t more, float mul, float add,
	const struct augment *a);
/* Before feed_load of B rows of order on the rank `to`, on all ranks: where rank 0 alone has the images it sends these to it. */
void feed_scatter(struct feed *f, int to, const uint32_t *order, int B);
void feed_free(struct feed *f);

#endif
