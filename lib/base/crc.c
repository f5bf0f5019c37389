/* Folding: a block of 128 bits, as a polynomial, is multiplied by x^distance mod P and added to the block that many bits after it. */
#include "lib/base/crc.h"

#include <zlib.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

enum { BLOCK = 16, FOLD_MIN = 256 };

/* x^(512 + 32), x^(512 - 32), x^(128 + 32), x^(128 - 32) mod P, bit-reflected and shifted left by one, as the product of reflected
 * numbers requires (Gopal et al., section "Bit-reflected data"). */
static const uint64_t by_512[2] = {0x154442bd4, 0x1c6e41596}, by_128[2] = {0x1751997d0, 0x0ccaa009e};

__attribute__((target("pclmul,sse2"))) static inline __m128i fold(__m128i a, __m128i k, __m128i next)
{
	return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(a, k, 0x00), _mm_clmulepi64_si128(a, k, 0x11)), next);
}

/* n: at least 64, a multiple of 16. */
__attribute__((target("pclmul,sse2"))) static uint32_t crc_folded(uint32_t crc, const unsigned char *p, size_t n)
{
	const __m128i k_512 = _mm_loadu_si128((const __m128i *)by_512), k_128 = _mm_loadu_si128((const __m128i *)by_128);
	__m128i a[4];
	unsigned char last[BLOCK];
	for (int i = 0; i < 4; i++)
		a[i] = _mm_loadu_si128((const __m128i *)(p + i * BLOCK));
	a[0] = _mm_xor_si128(a[0], _mm_cvtsi32_si128((int)~crc));
	for (p += 4 * BLOCK, n -= 4 * BLOCK; n >= 4 * BLOCK; p += 4 * BLOCK, n -= 4 * BLOCK)
		for (int i = 0; i < 4; i++)
			a[i] = fold(a[i], k_512, _mm_loadu_si128((const __m128i *)(p + i * BLOCK)));
	for (int i = 1; i < 4; i++)
		a[0] = fold(a[0], k_128, a[i]);
	for (; n >= BLOCK; p += BLOCK, n -= BLOCK)
		a[0] = fold(a[0], k_128, _mm_loadu_si128((const __m128i *)p));
	_mm_storeu_si128((__m128i *)last, a[0]);
	/* the last block has the same remainder as all bytes before it, from a register of zero */
	return (uint32_t)crc32(0xFFFFFFFF, last, BLOCK);
}

uint32_t crc_add(uint32_t crc, const void *p, size_t n)
{
	const unsigned char *c = p;
	if (n >= FOLD_MIN && __builtin_cpu_supports("pclmul")) {
		size_t whole = n / BLOCK * BLOCK;
		crc = crc_folded(crc, c, whole);
		c += whole, n -= whole;
	}
	return n ? (uint32_t)crc32_z(crc, c, n) : crc;
}
#else
uint32_t crc_add(uint32_t crc, const void *p, size_t n)
{
	return n ? (uint32_t)crc32_z(crc, p, n) : crc;
}
#endif
