/* The images of a data set by row, wherever they are: in memory, or, where its file has more than image_store_most() bytes, in the file,
 * read row by row as they are asked for (tns_load_within), so that a data set may be larger than memory. Packed streams, pipes and images
 * received are in memory. Data sets that are parts of one have lists of rows of the same store. */
#ifndef IMAGE_STORE_H
#define IMAGE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/stream/tns.h"

struct image_store;

/* Bytes of a file up to which its images are kept in memory: a third of what is left, since a file is mapped while they are copied. */
double image_store_most(void);
/* The tensor's, which is u8: copied, or left in the file, then b outlives the store. */
struct image_store *image_store_new(const struct tns_table *b, int id);
/* n images of so many bytes each in memory, which it takes over. */
struct image_store *image_store_memory(uint8_t *images, uint64_t n, size_t bytes);
/* n images of so many bytes each, of which those that were received last are there. */
struct image_store *image_store_received(uint64_t n, size_t bytes);
/* The images (n, bytes) of these rows, copied, take the place of those before. */
void image_store_receive(struct image_store *s, const uint64_t *row, size_t n, const uint8_t *images);
/* One more owner of the same store; returns it. */
struct image_store *image_store_share(struct image_store *s);
/* The tensor's images, of the same size, behind those of s, which the new store owns. */
struct image_store *image_store_append(struct image_store *s, const struct tns_table *b, int id);
/* An image: in the store's memory, else read into buffer. */
const uint8_t *image_store_row(const struct image_store *s, uint64_t row, uint8_t *buffer);
/* Lets the system read it ahead, if it is in a file. */
void image_store_will_read(const struct image_store *s, uint64_t row);
uint64_t image_store_rows(const struct image_store *s);
int image_store_in_memory(const struct image_store *s); /* 1: all of them are */
/* The images of these n rows, which ascend, as one array (n, bytes), to be freed; frees s: in its own memory, where it can. */
uint8_t *image_store_array(struct image_store *s, const uint32_t *row, size_t n);
void image_store_free(struct image_store *s); /* of one owner; NULL: nothing */

#endif
