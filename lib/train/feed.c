/* Batches of images: from the store, or on the device. */
#include "lib/train/feed.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/train/elastic.h"

enum { UPLOAD = 1 << 20 }; /* bytes at a time */

struct feed {
	const struct backend *be;
	const struct dataset *ds;
	size_t bytes;		 /* of an image */
	uint8_t *buffer;	 /* (B, bytes), host: of images read from the file, or moved; (bytes) where they are scattered */
	uint8_t *read;		 /* (bytes), host: one that will be moved */
	const uint8_t **image;	 /* (B) */
	uint8_t *device, *moved; /* (n, bytes): all of them, and as the epoch moves them; NULL: not on the device, none so far */
	int scattered;		 /* 1: on the device are only those of the batch, as it moves them */
};

static int elastic(const struct augment *a)
{
	return a && a->elastic > 0;
}

/* Image i, as a moves it, into to or where it is. */
static const uint8_t *image(struct feed *f, uint32_t i, const struct augment *a, uint8_t *to)
{
	const struct dataset *ds = f->ds;
	struct elastic e;
	if (!elastic(a))
		return dataset_image(ds, i, to);
	elastic_draw(&e, a, i, ds->W, ds->H);
	elastic_image(&e, to, dataset_image(ds, i, f->read));
	return to;
}

/* All images to the device. */
static void upload(struct feed *f, uint8_t *device, const struct augment *a)
{
	size_t most = f->bytes < UPLOAD ? UPLOAD / f->bytes : 1;
	uint8_t *some = xmalloc(most * f->bytes);
	for (uint32_t at = 0, n; at < f->ds->n; at += n) {
		n = f->ds->n - at < most ? f->ds->n - at : (uint32_t)most;
		for (uint32_t i = 0; i < n; i++) {
			uint8_t *to = some + i * f->bytes;
			const uint8_t *from = image(f, at + i, a, to);
			if (from != to)
				memcpy(to, from, f->bytes);
		}
		f->be->upload(f->be, device + at * f->bytes, some, n * f->bytes);
	}
	free(some);
}

/* Those of a batch that this rank was sent, each to its place. */
static void upload_scattered(struct feed *f, const uint32_t *order, int B, const struct augment *a)
{
	for (int b = 0; b < B; b++)
		f->be->upload(f->be, f->device + order[b] * f->bytes, image(f, order[b], a, f->buffer), f->bytes);
}

struct feed *feed_new(const struct backend *be, const struct dataset *ds, int B)
{
	struct feed *f = xcalloc(1, sizeof *f);
	*f = (struct feed){.be = be, .ds = ds, .bytes = (size_t)ds->W * (size_t)ds->H};
	f->read = xmalloc(f->bytes);
	if (!be->load_images) {
		f->device = be->alloc(be, ds->n * f->bytes);
		f->scattered = ds->scattered && ranks_rank(ds->ranks);
		if (f->scattered)
			f->buffer = xmalloc(f->bytes);
		else
			upload(f, f->device, NULL);
		return f;
	}
	f->image = xcalloc((size_t)B, sizeof *f->image);
	f->buffer = xmalloc((size_t)B * f->bytes);
	return f;
}

void feed_epoch(struct feed *f, const struct augment *a)
{
	if (!f->device || !elastic(a) || f->scattered)
		return;
	if (!f->moved)
		f->moved = f->be->alloc(f->be, f->ds->n * f->bytes);
	upload(f, f->moved, a);
}

void feed_load(struct feed *f, real *x, const uint32_t *order, const uint32_t *rows, int B, uint32_t more, float mul, float add,
	const struct augment *a)
{
	const struct dataset *ds = f->ds;
	if (f->device) {
		if (f->scattered)
			upload_scattered(f, order, B, a);
		f->be->load_batch(f->be, x, elastic(a) && !f->scattered ? f->moved : f->device, rows, B, 1, ds->H, ds->W, mul, add, a);
		return;
	}
	for (int b = 0; b < B; b++)
		f->image[b] = image(f, order[b], a, f->buffer + (size_t)b * f->bytes);
	for (uint32_t b = 0; b < more && b < (uint32_t)B; b++)
		dataset_will_read(ds, order[(uint32_t)B + b]);
	f->be->load_images(f->be, x, f->image, rows, B, 1, ds->H, ds->W, mul, add, a);
}

void feed_scatter(struct feed *f, int to, const uint32_t *order, int B)
{
	const struct dataset *ds = f->ds;
	int rank = ranks_rank(ds->ranks);
	if (!ds->scattered || !to || B <= 0 || (rank && rank != to))
		return;
	uint8_t *images = xmalloc((size_t)B * f->bytes);
	uint64_t *row = xcalloc((size_t)B, sizeof *row);
	for (int b = 0; b < B; b++)
		row[b] = ds->row[order[b]];
	for (int b = 0; !rank && b < B; b++)
		memcpy(images + (size_t)b * f->bytes, dataset_image(ds, order[b], f->read), f->bytes);
	ranks_send(ds->ranks, to, images, (size_t)B * f->bytes);
	if (rank)
		image_store_receive(ds->images, row, (size_t)B, images);
	free(images), free(row);
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	f->be->release(f->be, f->device), f->be->release(f->be, f->moved);
	free(f->buffer), free(f->read), free(f->image), free(f);
}
