/* Little-endian numbers in the bytes of a file, at any place: read and written one byte after the other, so that neither the machine's own
 * order nor an address that is not a multiple of the number's size matters. */
#ifndef BYTES_H
#define BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t bytes_get(const unsigned char *p, size_t n) /* n: 1 to 8 */
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

/* Returns the place behind it. */
static inline unsigned char *bytes_set(unsigned char *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(v >> 8 * i);
	return p + n;
}

#endif
