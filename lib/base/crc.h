/* CRC-32 as zlib, gzip and PNG have it (reflected polynomial 0xEDB88320), the same numbers as zlib's crc32, faster where the processor
 * multiplies without carries: 64 bytes at a time are folded onto the next (Gopal et al., "Fast CRC computation for generic polynomials
 * using PCLMULQDQ", Intel 2009), and what is left goes through zlib. */
#ifndef CRC_H
#define CRC_H

#include <stddef.h>
#include <stdint.h>

/* The sum of n more bytes after those whose sum is crc; 0 of none. */
uint32_t crc_add(uint32_t crc, const void *p, size_t n);

#endif
