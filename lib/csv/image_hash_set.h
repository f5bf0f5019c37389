/* Hash set that finds equal images: 16 bytes a row, a 96-bit hash of the pixels and the row number, in a table that is up to 7/8 full.
 * Probability of a hash collision between any two of a million different images: about 1e-17. */
#ifndef IMAGE_HASH_SET_H
#define IMAGE_HASH_SET_H

#include <stddef.h>
#include <stdint.h>

struct image_hash_set;

struct image_hash_set *image_hash_set_new(void);
/* The earlier row (1 to 2^32-1) that was added with the same n bytes, or 0: the bytes are new, and are added with this row. */
uint32_t image_hash_set_add(struct image_hash_set *s, const void *data, size_t n, uint32_t row);
void image_hash_set_free(struct image_hash_set *s);

#endif
