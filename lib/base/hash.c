/* A chain of folded multiplications. */
#include "lib/base/hash.h"

#include <string.h>

/* Folded multiplication: the halves of the 128-bit product, xored, so that every input bit affects every output bit. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;
	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* Four independent chains, 64 bytes a step, to keep the multiplier busy. The odd constants are the fractional bits of the square roots of
 * 2, 3, 5, 7, 11, 13, 17 and 19. */
void hash_bytes(const void *data, size_t n, uint64_t *h, uint32_t *more)
{
	const unsigned char *p = data;
	uint64_t a = 0x6a09e667f3bcc909u, b = 0xbb67ae8584caa73bu, c = 0x3c6ef372fe94f82bu, d = 0xa54ff53a5f1d36f1u, v[8];
	size_t left = n;
	for (; left; p += 64) {
		size_t chunk = left < 64 ? left : 64;
		if (chunk < 64)
			memset(v, 0, sizeof v);
		memcpy(v, p, chunk);
		a = mix(a ^ v[0], v[1] ^ 0x510e527fade682d1u);
		b = mix(b ^ v[2], v[3] ^ 0x9b05688c2b3e6c1fu);
		c = mix(c ^ v[4], v[5] ^ 0x1f83d9abfb41bd6bu);
		d = mix(d ^ v[6], v[7] ^ 0x5be0cd19137e2179u);
		left -= chunk;
	}
	*h = mix(a ^ n, b ^ 0x510e527fade682d1u) ^ mix(c ^ 0x9b05688c2b3e6c1fu, d);
	if (more)
		*more = (uint32_t)(mix(a ^ c, b + d) >> 32);
}
