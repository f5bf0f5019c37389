/* Pixel parsers: scalar, AVX2 and AVX-512. */
#include "lib/csv/pixels.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

/* One number a step, without a branch on its length: four bytes are loaded as one word, whose leading digits are shifted to the top. */
static long parse_plain(const unsigned char *p, const unsigned char *e, unsigned char *out, size_t max)
{
	size_t n = 0;
	for (;;) {
		while (p < e && *p == ' ')
			p++;
		if (p >= e)
			return (long)n;
		uint32_t w = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		if (e - p < 4)
			w &= (1u << (8 * (e - p))) - 1; /* bytes after the text become 0, which is no digit */
		uint32_t d = w ^ 0x30303030u;
		/* The high bit of every byte above 9: set in the byte itself, or by the carry of its low seven bits. */
		uint32_t other = (((d & 0x7f7f7f7fu) + 0x76767676u) | d) & 0x80808080u;
		if (!other || n == max)
			return -1;
		int bits = __builtin_ctz(other) - 7; /* 8 x the number's digits */
		if (!bits)
			return -1;
		d <<= 32 - bits; /* ones in the top byte, tens and hundreds below, zeros elsewhere */
		uint32_t v = (d >> 24) + 10 * (d >> 16 & 0xff) + 100 * (d >> 8 & 0xff);
		if (v > 255)
			return -1;
		out[n++] = (unsigned char)v;
		p += bits / 8;
		if (p < e && *p++ != ' ')
			return -1;
	}
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* Both vector variants process 64 bytes a step and store a number at the byte that follows it: byte i is no digit, i-1 the ones, i-2 the
 * tens and i-3 the hundreds, if they are digits. Three shuffle tables, indexed by a byte less '0', give 10 x the tens, 100 x the hundreds
 * and, by the hundreds, what to add to the last two digits so that the sum reaches 100 where the number is above 255. An index above 127,
 * as that of a space is, gives 0. */
#define TENS 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 0, 0, 0, 0, 0, 0
#define HUNDREDS 0, 100, (char)200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define EXCESS 0, 0, 44, 100, 100, 100, 100, 100, 100, 100, 0, 0, 0, 0, 0, 0

/* A step's 64 bytes, a bit each: digit: is byte i-2 a digit; last: is byte i, carried to the next step; end: byte i follows a number.
 * bad: an error so far. */
struct marks {
	uint64_t digit, last, end;
	int bad;
};

/* left: bytes of text from the step's first on; those after count as spaces. */
static inline __attribute__((always_inline)) void mark(struct marks *m, uint64_t digit, uint64_t space, long left)
{
	uint64_t inside = left >= 64 ? ~0ull : (1ull << left) - 1;
	m->bad |= (inside & ~(digit | space)) != 0;
	digit &= inside;
	uint64_t d1 = digit << 1 | m->last >> 63, d2 = digit << 2 | m->last >> 62, d3 = digit << 3 | m->last >> 61;
	m->bad |= (digit & d1 & d2 & d3) != 0;
	m->end = ~digit & d1;
	m->digit = d2; /* the hundreds count only where the tens are a digit */
	m->last = digit;
}

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,bmi,bmi2,popcnt"))) static long parse_avx512(
	const unsigned char *p, const unsigned char *e, unsigned char *out, size_t max)
{
	const __m512i tens = _mm512_broadcast_i32x4(_mm_setr_epi8(TENS)), hundreds = _mm512_broadcast_i32x4(_mm_setr_epi8(HUNDREDS)),
		      excess = _mm512_broadcast_i32x4(_mm_setr_epi8(EXCESS)), zero = _mm512_set1_epi8('0');
	struct marks m = {0, 0, 0, 0};
	size_t n = 0;
	for (; p <= e; p += 64) {
		__m512i c = _mm512_loadu_si512(p);
		uint64_t digit = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(c, zero), _mm512_set1_epi8(10));
		mark(&m, digit, _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8(' ')), e - p);
		__m512i d1 = _mm512_sub_epi8(_mm512_loadu_si512(p - 1), zero), d2 = _mm512_sub_epi8(_mm512_loadu_si512(p - 2), zero);
		__m512i d3 = _mm512_maskz_sub_epi8(m.digit, _mm512_loadu_si512(p - 3), zero);
		__m512i two = _mm512_add_epi8(d1, _mm512_shuffle_epi8(tens, d2));
		m.bad |= _mm512_mask_cmpge_epu8_mask(m.end, _mm512_add_epi8(two, _mm512_shuffle_epi8(excess, d3)), _mm512_set1_epi8(100)) !=
			 0;
		__m512i v = _mm512_add_epi8(two, _mm512_shuffle_epi8(hundreds, d3));
		_mm512_storeu_si512(out + n, _mm512_maskz_compress_epi8(m.end, v));
		n += (size_t)__builtin_popcountll(m.end);
		if (m.bad || n > max)
			return -1;
	}
	return (long)n;
}

__attribute__((target("avx2,bmi,bmi2,popcnt"))) static long parse_avx2(
	const unsigned char *p, const unsigned char *e, unsigned char *out, size_t max)
{
	const __m256i tens = _mm256_broadcastsi128_si256(_mm_setr_epi8(TENS)), zero = _mm256_set1_epi8('0'), nine = _mm256_set1_epi8(9),
		      hundreds = _mm256_broadcastsi128_si256(_mm_setr_epi8(HUNDREDS)),
		      excess = _mm256_broadcastsi128_si256(_mm_setr_epi8(EXCESS));
	struct marks m = {0, 0, 0, 0};
	size_t n = 0;
	for (; p <= e; p += 64) {
		uint64_t digit = 0, space = 0, over = 0, v[8];
		for (int half = 0; half < 2; half++) {
			const unsigned char *q = p + 32 * half;
			__m256i c = _mm256_loadu_si256((const void *)q), d = _mm256_sub_epi8(c, zero);
			__m256i is = _mm256_cmpeq_epi8(_mm256_min_epu8(d, nine), d), sp = _mm256_cmpeq_epi8(c, _mm256_set1_epi8(' '));
			digit |= (uint64_t)(uint32_t)_mm256_movemask_epi8(is) << 32 * half;
			space |= (uint64_t)(uint32_t)_mm256_movemask_epi8(sp) << 32 * half;
			__m256i d1 = _mm256_sub_epi8(_mm256_loadu_si256((const void *)(q - 1)), zero);
			__m256i d2 = _mm256_sub_epi8(_mm256_loadu_si256((const void *)(q - 2)), zero);
			__m256i d3 = _mm256_sub_epi8(_mm256_loadu_si256((const void *)(q - 3)), zero);
			d3 = _mm256_and_si256(d3, _mm256_cmpeq_epi8(_mm256_min_epu8(d2, nine), d2));
			__m256i two = _mm256_add_epi8(d1, _mm256_shuffle_epi8(tens, d2));
			__m256i sum = _mm256_add_epi8(two, _mm256_shuffle_epi8(excess, d3));
			__m256i ge = _mm256_cmpeq_epi8(_mm256_max_epu8(sum, _mm256_set1_epi8(100)), sum);
			over |= (uint64_t)(uint32_t)_mm256_movemask_epi8(ge) << 32 * half;
			_mm256_storeu_si256((void *)(v + 4 * half), _mm256_add_epi8(two, _mm256_shuffle_epi8(hundreds, d3)));
		}
		mark(&m, digit, space, e - p);
		for (int i = 0; i < 8; i++) {
			uint64_t ends = m.end >> 8 * i & 0xff, pick = _pdep_u64(ends, 0x0101010101010101ull) * 0xff;
			uint64_t packed = _pext_u64(v[i], pick);
			memcpy(out + n, &packed, 8);
			n += (size_t)__builtin_popcountll(ends);
		}
		if (m.bad || m.end & over || n > max)
			return -1;
	}
	return (long)n;
}

#define HAVE_AVX2 (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
#define HAVE_AVX512                                                                                                                        \
	(__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2") && HAVE_AVX2)
#else
#define parse_avx2 parse_plain
#define parse_avx512 parse_plain
#define HAVE_AVX2 0
#define HAVE_AVX512 0
#endif

pixels_fn *pixels_best(const char **isa)
{
	const struct {
		const char *name;
		pixels_fn *fn;
		int have;
	} variants[] = {{"avx512", parse_avx512, HAVE_AVX512}, {"avx2", parse_avx2, HAVE_AVX2}, {"plain", parse_plain, 1}};
	const char *want = getenv("KEYPIPE_ISA"), *none;
	if (want && !strcmp(want, "amx_emulated")) /* of products alone */
		want = NULL;
	if (!isa)
		isa = &none;
	for (int i = 0; i < 3; i++) {
		*isa = variants[i].name;
		if (want && *want ? !strcmp(want, variants[i].name) || (!i && (!strcmp(want, "avx512_bf16") || !strcmp(want, "amx")))
				  : variants[i].have) {
			if (!variants[i].have)
				die("KEYPIPE_ISA=%s: this processor has no %s", want, want);
			return variants[i].fn;
		}
	}
	die("KEYPIPE_ISA=%s: plain, avx2, avx512, avx512_bf16 and amx are known", want);
}
