/* Private to lib/stream/tns*.c: the constants and little-endian fields of the stream's bytes. */
#ifndef TNS_IO_H
#define TNS_IO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the stream is little-endian and payloads are not swapped"
#endif

#define TNS_MAGIC "\x89TNS\r\n\x1a\n"
#define TNS_HEAD 32 /* bytes of the preamble and of every record header */
#define TNS_ZLIB 1u /* flag bit 0 */
#define TNS_NO_TENSOR 0xFFFFFFFFu
#define TNS_INFLATION 1032u /* raw length at most this many times the stored one */

static inline uint16_t tns_get16(const unsigned char *p)
{
	uint16_t v;
	memcpy(&v, p, 2);
	return v;
}
static inline uint32_t tns_get32(const unsigned char *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return v;
}
static inline uint64_t tns_get64(const unsigned char *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return v;
}
static inline void tns_set16(unsigned char *p, uint16_t v)
{
	memcpy(p, &v, 2);
}
static inline void tns_set32(unsigned char *p, uint32_t v)
{
	memcpy(p, &v, 4);
}
static inline void tns_set64(unsigned char *p, uint64_t v)
{
	memcpy(p, &v, 8);
}

/* Zero bytes after a payload of n bytes. Payloads begin at a multiple of 64, the next header at 32 mod 64; after END the stream ends at
 * a multiple of 64. */
static inline uint32_t tns_padding(uint32_t n, int end)
{
	return ((end ? 0u : 32u) - n) & 63u;
}

int tns_good_name(const unsigned char *name, size_t n); /* 1 to 255 of A-Z a-z 0-9 . _ / - */
int tns_good_utf8(const unsigned char *s, size_t n);
int tns_input(const char *path, const char **name); /* a descriptor and a name for messages, or the program ends */

#endif
