/* A hash of bytes, to know equal images again: not against people who want two to be equal. The same on every machine, and in every
 * version: models hold such hashes. */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

/* Sets *h, 64 bits, and *more, 32 further ones (or NULL), of the n bytes at p and of n itself. */
void hash_bytes(const void *p, size_t n, uint64_t *h, uint32_t *more);

#endif
