/* Which images were there before, for 16 bytes a row (in a table that is up to 7/8 full): a 96-bit hash of the pixels and the row's number.
 * Two different images in a million rows are taken for equal with a chance of about 1e-17. */
#ifndef IMAGE_HASH_SET_H
#define IMAGE_HASH_SET_H

#include <stddef.h>
#include <stdint.h>

struct image_hash_set;

struct image_hash_set *image_hash_set_new(void);
/* The row (1 to 2^32-1) at which the same n bytes were added first, or 0: they are new, and added as this row's. */
uint32_t image_hash_set_add(struct image_hash_set *s, const void *data, size_t n, uint32_t row);
void image_hash_set_free(struct image_hash_set *s);

#endif
