/* Which images a model was trained on: the 64-bit hashes of their pixels (lib/base/hash.h), ascending, each once, so that a row is known
 * again wherever it turns up. Of more than TRAINED_MAX images only the smallest hashes are kept, which are a random sample of them: of an
 * image whose hash is above them all nothing is known then. */
#ifndef TRAINED_H
#define TRAINED_H

#include <stddef.h>
#include <stdint.h>

#include "lib/stream/tns.h"

enum { TRAINED_MAX = 131072 }; /* 1 MiB in the model's file */
enum { TRAINED_NOT, TRAINED_ON, TRAINED_UNKNOWN };

struct trained {
	size_t n; /* TRAINED_MAX: a sample */
	uint64_t *hash;
};

uint64_t trained_hash(const void *image, size_t bytes);
/* Of images with these n hashes, an array from malloc that it takes over, and, or NULL, all that before holds. To be freed. */
struct trained *trained_new(uint64_t *hash, size_t n, const struct trained *before);
/* TRAINED_ON, TRAINED_NOT, or TRAINED_UNKNOWN of an image; a different image is TRAINED_ON with a probability of n / 2^64. */
int trained_has(const struct trained *t, const void *image, size_t bytes);
/* From a loaded model's tensor `trained`, u64; NULL: it has none. Dies where it isn't ascending, or longer than TRAINED_MAX. */
struct trained *trained_read(const struct tns_table *t);
/* The tensor, in steps: its id, or -1 where t is NULL; its rows. */
int trained_define(const struct trained *t, struct tns_writer *w);
void trained_write(const struct trained *t, struct tns_writer *w, int id);
void trained_free(struct trained *t);

#endif
