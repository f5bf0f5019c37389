/* Tensor streams as inputs of libFuzzer. A stream changed anywhere is refused at the next checksum, so fuzz_stream_repair mends what
 * lengths, numbers and checksums say, and fuzz_stream_mutate changes whole records: their payloads, a META's key or value, their order. */
#ifndef FUZZ_STREAM_H
#define FUZZ_STREAM_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/fuzz.h"

size_t LLVMFuzzerMutate(unsigned char *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(unsigned char *data, size_t size, size_t max, unsigned seed);

enum { FUZZ_HEAD = 32, FUZZ_RECORDS = 200, FUZZ_SIZE = 1 << 20 };

static inline uint32_t fuzz_get(const unsigned char *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return v;
}
static inline void fuzz_set(unsigned char *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

/* Of so many bytes behind offset at, up to the next header, or to the end of the stream behind its last record. */
static inline size_t fuzz_padded(const unsigned char *head, uint64_t end)
{
	int last = !memcmp(head, "END", 4) || !memcmp(head, "ABRT", 4);
	while (end % 64 != (last ? 0 : 32))
		end++;
	return (size_t)end;
}

/* Repairs checksums, sequence numbers and padding of the records that the lengths delimit. */
static inline void fuzz_stream_repair(unsigned char *p, size_t n)
{
	uint32_t seq = 0;
	if (n < 64)
		return;
	memcpy(p, "\x89TNS\r\n\x1a\n\1\0", 10);
	memset(p + 12, 0, 16);
	uint32_t chain = (uint32_t)crc32(0, p, 28);
	fuzz_set(p + 28, chain);
	for (size_t at = FUZZ_HEAD; n - at >= FUZZ_HEAD; seq++) {
		unsigned char *h = p + at;
		uint32_t stored = fuzz_get(h + 16);
		size_t end = fuzz_padded(h, at + FUZZ_HEAD + (uint64_t)stored);
		fuzz_set(h + 4, seq);
		if (end <= n) {
			memset(h + FUZZ_HEAD + stored, 0, end - at - FUZZ_HEAD - stored);
			fuzz_set(h + 24, (uint32_t)crc32(0, h + FUZZ_HEAD, (uInt)(end - at - FUZZ_HEAD)));
		}
		chain = (uint32_t)crc32(chain, h, 28);
		fuzz_set(h + 28, chain);
		if (end > n || n - end < FUZZ_HEAD)
			return;
		at = end;
	}
}

struct fuzz_record {
	unsigned char head[FUZZ_HEAD];
	const unsigned char *payload;
	size_t n;
};

static inline size_t fuzz_records(struct fuzz_record *r, const unsigned char *p, size_t n)
{
	size_t count = 0;
	for (size_t at = FUZZ_HEAD; n >= FUZZ_HEAD && at + FUZZ_HEAD <= n && count < FUZZ_RECORDS;) {
		size_t stored = fuzz_get(p + at + 16), room = n - at - FUZZ_HEAD;
		memcpy(r[count].head, p + at, FUZZ_HEAD);
		r[count].payload = p + at + FUZZ_HEAD, r[count].n = stored < room ? stored : room;
		uint64_t end = fuzz_padded(r[count++].head, at + FUZZ_HEAD + (uint64_t)stored);
		if (end > n)
			break;
		at = (size_t)end;
	}
	return count;
}

/* Part [from, from + n) of a payload, mutated; returns its new length. The payload, of *all bytes, lies in buffer, of FUZZ_SIZE. */
static inline size_t fuzz_mutate_part(unsigned char *buffer, size_t *all, size_t from, size_t n)
{
	static unsigned char part[FUZZ_SIZE];
	memcpy(part, buffer + from, n);
	size_t now = LLVMFuzzerMutate(part, n, n + 256 < FUZZ_SIZE / 4 ? n + 256 : n);
	memmove(buffer + from + now, buffer + from + n, *all - from - n);
	memcpy(buffer + from, part, now);
	*all += now - n;
	return now;
}

/* Mutates the payload of a record, which then lies in buffer. */
static inline void fuzz_mutate_payload(struct fuzz_record *r, unsigned char *buffer, unsigned pick)
{
	static unsigned char raw[FUZZ_SIZE];
	uLongf n = FUZZ_SIZE / 4;
	size_t all = r->n;
	if (fuzz_get(r->head + 12) & 1 && uncompress(raw, &n, r->payload, r->n) == Z_OK) { /* what is packed in it */
		all = n;
		fuzz_mutate_part(raw, &all, 0, all);
		n = FUZZ_SIZE;
		if (compress2(buffer, &n, raw, all, 1) == Z_OK)
			r->payload = buffer, r->n = n, fuzz_set(r->head + 20, (uint32_t)all);
		return;
	}
	memcpy(buffer, r->payload, r->n);
	size_t key = r->n > 6 ? (size_t)buffer[0] | (size_t)buffer[1] << 8 : 0;
	int meta = !memcmp(r->head, "META", 4) && key && 6 + key <= r->n && pick % 8;
	if (meta && pick % 8 < 3) {
		key = fuzz_mutate_part(buffer, &all, 6, key);
		buffer[0] = (unsigned char)key, buffer[1] = (unsigned char)(key >> 8);
	} else if (meta) {
		fuzz_set(buffer + 2, (uint32_t)fuzz_mutate_part(buffer, &all, 6 + key, r->n - 6 - key));
	} else {
		fuzz_mutate_part(buffer, &all, 0, all);
	}
	r->payload = buffer, r->n = all;
}

/* In the place of LLVMFuzzerCustomMutator's work. */
static inline size_t fuzz_stream_mutate(unsigned char *data, size_t size, size_t max, unsigned seed)
{
	static struct fuzz_record r[FUZZ_RECORDS + 1];
	static unsigned char buffer[FUZZ_SIZE], to[FUZZ_SIZE];
	size_t n = size <= FUZZ_SIZE / 4 ? fuzz_records(r, data, size) : 0, at = FUZZ_HEAD;
	unsigned what = seed % 16, pick = seed / 16;
	if (!n || !what || max > FUZZ_SIZE)
		return LLVMFuzzerMutate(data, size, max);
	struct fuzz_record *a = &r[pick % n], *b = &r[pick / n % n], was = *a;
	if (what == 1 && n > 1) {
		memmove(a, a + 1, (size_t)(&r[n] - a - 1) * sizeof *a), n--;
	} else if (what == 2 && n < FUZZ_RECORDS) {
		memmove(b + 1, b, (size_t)(&r[n] - b) * sizeof *b), n++;
		*b = was;
	} else if (what == 3) {
		*a = *b, *b = was;
	} else if (what == 4) { /* type, id, flags, raw length */
		LLVMFuzzerMutate(a->head, 24, 24);
	} else {
		fuzz_mutate_payload(a, buffer, pick / 64);
		if (!(fuzz_get(a->head + 12) & 1))
			fuzz_set(a->head + 20, (uint32_t)a->n);
	}
	memcpy(to, data, FUZZ_HEAD);
	for (size_t i = 0; i < n; i++) {
		size_t end = fuzz_padded(r[i].head, at + FUZZ_HEAD + r[i].n);
		if (end > max)
			break;
		fuzz_set(r[i].head + 16, (uint32_t)r[i].n);
		memcpy(to + at, r[i].head, FUZZ_HEAD);
		memcpy(to + at + FUZZ_HEAD, r[i].payload, r[i].n);
		memset(to + at + FUZZ_HEAD + r[i].n, 0, end - at - FUZZ_HEAD - r[i].n);
		at = end;
	}
	fuzz_stream_repair(to, at);
	memcpy(data, to, at);
	return at;
}

#endif
