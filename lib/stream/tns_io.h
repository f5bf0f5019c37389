/* Private to lib/stream/tns*.c: constants and little-endian fields of the byte format, and the reader's record layer. */
#ifndef TNS_IO_H
#define TNS_IO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/err.h"

/* On a big-endian machine fields are read and written as below, and rows converted, in a copy, as they come and go: the bytes of a stream
 * are the same everywhere. */
enum { TNS_SWAPS = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ };

#define TNS_MAGIC "\x89TNS\r\n\x1a\n"
#define TNS_HEADER_BYTES 32 /* bytes of the preamble and of every record header */
#define TNS_ZLIB 1u	    /* flag bit 0 */
#define TNS_NO_TENSOR 0xFFFFFFFFu
#define TNS_NOWHERE UINT64_MAX
#define TNS_INFLATION 1032u /* the largest ratio of raw length to stored length */

#define TNS_TYPE(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
enum {
	TNS_RECORD_TDEF = TNS_TYPE('T', 'D', 'E', 'F'),
	TNS_RECORD_META = TNS_TYPE('M', 'E', 'T', 'A'),
	TNS_RECORD_DATA = TNS_TYPE('D', 'A', 'T', 'A'),
	TNS_RECORD_ABRT = TNS_TYPE('A', 'B', 'R', 'T'),
	TNS_RECORD_END = TNS_TYPE('E', 'N', 'D', 0)
};

static inline uint16_t tns_get16(const unsigned char *p)
{
	uint16_t v;
	memcpy(&v, p, 2);
	return TNS_SWAPS ? __builtin_bswap16(v) : v;
}
static inline uint32_t tns_get32(const unsigned char *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return TNS_SWAPS ? __builtin_bswap32(v) : v;
}
static inline uint64_t tns_get64(const unsigned char *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return TNS_SWAPS ? __builtin_bswap64(v) : v;
}
static inline void tns_set16(unsigned char *p, uint16_t v)
{
	v = TNS_SWAPS ? __builtin_bswap16(v) : v;
	memcpy(p, &v, 2);
}
static inline void tns_set32(unsigned char *p, uint32_t v)
{
	v = TNS_SWAPS ? __builtin_bswap32(v) : v;
	memcpy(p, &v, 4);
}
static inline void tns_set64(unsigned char *p, uint64_t v)
{
	v = TNS_SWAPS ? __builtin_bswap64(v) : v;
	memcpy(p, &v, 8);
}

/* The bytes of each element in the other order, in place. */
static inline void tns_swap(unsigned char *p, size_t n, size_t element)
{
	for (size_t i = 0; i + element <= n; i += element)
		for (size_t a = i, b = i + element - 1; a < b; a++, b--) {
			unsigned char c = p[a];
			p[a] = p[b], p[b] = c;
		}
}

/* Zero bytes after a payload of n bytes. Payloads begin at a multiple of 64, the next header at 32 mod 64; after the last record (end) the
 * stream ends at a multiple of 64. */
static inline uint32_t tns_padding(uint32_t n, int end)
{
	return ((end ? 0u : 32u) - n) & 63u;
}

/* ---- the record layer of the reader (tns_record.c) ---- */

struct unpack;

/* A payload with its padding in memory, whose checksum was computed ahead of the reader. */
struct tns_verified {
	const unsigned char *payload;
	size_t n;
	uint32_t crc;
};

struct tns_source {
	int fd;			  /* -1: memory */
	const unsigned char *mem; /* the next byte, of left */
	size_t left;
	struct unpack *unpack;		       /* of a stream within gzip, else NULL */
	unsigned char first[TNS_HEADER_BYTES]; /* a gzip's first bytes, nfirst from at on not taken yet */
	size_t nfirst, at;
	unsigned char *buf, *raw; /* bytes of a record from fd; an inflated payload */
	size_t size, raw_size;
	uint32_t chain;		   /* crc32 of the header read last, where the next one begins */
	int begun, pending, ended; /* preamble read; a DATA record read, not yet returned; END verified */
	int data_seen, late_seen;
	size_t meta_bytes;
	int *meta_place;			   /* (nmeta) tns_meta_place */
	uint32_t type, id, flags, stored, raw_len; /* the record read last */
	const unsigned char *payload;
	uint64_t taken, payload_at;	     /* bytes of fd so far; where its payload is, or TNS_NOWHERE: packed */
	const struct tns_verified *verified; /* (nverified) by address, those before next are passed; NULL: none */
	size_t nverified, next;
};

struct tns;
/* The payload as rows of elements of so many bytes in the machine's order, in the reader's own memory. */
void tns_host_order(struct tns_source *s, size_t element);
/* Formats "record N: ..." into t->err; returns TNS_ERR. */
int tns_fail(struct tns *t, const char *fmt, ...) PRINTF(2, 3);
/* Reads n bytes, or fewer at the end of the input (*got), or TNS_ERR. *p is valid until the next call. The buffer grows as bytes arrive. */
int tns_get(struct tns *t, size_t n, const unsigned char **p, size_t *got);
int tns_read_preamble(struct tns *t);
/* The next record into t->src: checksums, sequence number, flags and limits verified, payload inflated. */
int tns_read_record(struct tns *t);

/* ---- shared by reader and writer ---- */

int tns_good_name(const unsigned char *name, size_t n); /* 1 to 255 of A-Z a-z 0-9 . _ / - */
int tns_input(const char *path, const char **name);	/* a descriptor and a name for messages, or the program ends */

#endif
