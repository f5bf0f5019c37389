/* CRC-32 of zlib, gzip and PNG (reflected polynomial 0xEDB88320), equal to zlib's crc32, faster where the processor has carry-less
 * multiplication: 64 bytes at a time are folded into the next 64 (Gopal et al., "Fast CRC computation for generic polynomials using
 * PCLMULQDQ", Intel 2009); the remainder goes through zlib. */
#ifndef CRC_H
#define CRC_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of n more bytes after those whose checksum is crc (0 at the beginning). */
uint32_t crc_add(uint32_t crc, const void *p, size_t n);

#endif
