/* The record layer of the reader: bytes from a descriptor or memory, the preamble, and records, whose checksums, sequence
 * numbers and limits are verified before a payload is parsed. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/base/buffers.h"
#include "lib/base/crc.h"
#include "lib/base/err.h"
#include "lib/base/magic.h"
#include "lib/base/unpack.h"
#include "lib/stream/tns.h"
#include "lib/stream/tns_io.h"

int tns_fail(struct tns *t, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(t->err, sizeof t->err, t->src->begun ? "record %u: " : "preamble: ", t->record);
	va_start(ap, fmt);
	vsnprintf(t->err + n, sizeof t->err - (size_t)n, fmt, ap);
	va_end(ap);
	return TNS_ERR;
}

/* Up to n bytes of the file: how many, 0 at the end, -1: errno. */
static ssize_t read_file(struct tns_source *s, unsigned char *dst, size_t n)
{
	ssize_t got;
	if (s->fd < 0) {
		got = (ssize_t)(n < s->left ? n : s->left);
		memcpy(dst, s->mem, (size_t)got);
		s->mem += got, s->left -= (size_t)got;
		return got;
	}
	do
		got = read(s->fd, dst, n);
	while (got < 0 && errno == EINTR);
	return got;
}

/* What unpack reads: the bytes in which the gzip was recognized, then the file. */
static long read_packed(void *arg, unsigned char *dst, size_t n, char err[UNPACK_ERR])
{
	struct tns_source *s = arg;
	size_t left = s->nfirst - s->at;
	if (left) {
		n = n < left ? n : left;
		memcpy(dst, s->first + s->at, n);
		s->at += n;
		return (long)n;
	}
	long got = (long)read_file(s, dst, n);
	if (got < 0)
		snprintf(err, UNPACK_ERR, "%s", strerror(errno));
	return got;
}

/* A read that failed. */
static int unreadable(struct tns *t, const char *why)
{
	struct stat st;
	int folder = !fstat(t->src->fd, &st) && S_ISDIR(st.st_mode);
	return tns_fail(t, "%.400s%s", why, folder ? ": tns-import --form folder makes a data set of its images" : "");
}

int tns_get(struct tns *t, size_t n, const unsigned char **p, size_t *got)
{
	struct tns_source *s = t->src;
	if (s->fd < 0 && !s->unpack) {
		*got = n < s->left ? n : s->left;
		*p = s->mem;
		s->mem += *got, s->left -= *got;
		return 0;
	}
	for (*got = 0; *got < n;) {
		if (*got == s->size) {
			size_t size = s->size ? 2 * s->size : BUFFER_KIB(64);
			if (size > TNS_CHUNK_MAX + 64u)
				size = TNS_CHUNK_MAX + 64u;
			s->buf = xrealloc(s->buf, size);
			s->size = size;
		}
		size_t want = (n < s->size ? n : s->size) - *got;
		char err[UNPACK_ERR];
		long k = s->unpack ? unpack_read(s->unpack, s->buf + *got, want, err) : (long)read_file(s, s->buf + *got, want);
		if (k < 0)
			return unreadable(t, s->unpack ? err : strerror(errno));
		if (k == 0)
			break;
		*got += (size_t)k;
	}
	s->taken += *got;
	*p = s->buf;
	return 0;
}

/* What begins with p instead, and which program or command takes it. */
static int no_stream(struct tns *t, const unsigned char *p, size_t n)
{
	char way[400], then[128];
	unsigned char head[MAGIC_BYTES];
	const struct magic *m = magic_find(p, n);
	if (m && m->kind == MAGIC_ZIP && n == TNS_HEADER_BYTES && !t->src->unpack) { /* the name of its first file is behind these */
		const unsigned char *more;
		size_t got;
		memcpy(head, p, n);
		if (tns_get(t, sizeof head - n, &more, &got) < 0)
			return TNS_ERR;
		memcpy(head + n, more, got);
		m = magic_find(head, n + got);
	}
	if (!m && !(m = magic_text(p, n)))
		return tns_fail(t, "this is not a tensor stream");
	int packed = m->kind == MAGIC_PACKED || m->kind == MAGIC_GZIP, csv = m->kind == MAGIC_TABLE || m->kind == MAGIC_ZIP;
	csv |= packed && strstr(t->name, ".csv");
	snprintf(then, sizeof then, "%s| %s", csv ? "| csv-clean " : "", err_program());
	magic_way(way, sizeof way, m, NULL, t->name, then);
	return tns_fail(t, "this is not a tensor stream but %s%s", m->what, way);
}

int tns_read_preamble(struct tns *t)
{
	struct tns_source *s = t->src;
	const unsigned char *p;
	size_t got;
	if (tns_get(t, TNS_HEADER_BYTES, &p, &got) < 0)
		return TNS_ERR;
	if (got >= 2 && p[0] == 0x1f && p[1] == 0x8b) {
		s->nfirst = got;
		memcpy(s->first, p, got);
		s->unpack = unpack_new(read_packed, s, t->name, NULL);
		unpack_any(s->unpack);
		if (tns_get(t, TNS_HEADER_BYTES, &p, &got) < 0)
			return TNS_ERR;
	}
	if (got == 0)
		return tns_fail(t, "the input is empty");
	if (memcmp(p, TNS_MAGIC, got < 8 ? got : 8))
		return s->unpack ? no_stream(t, s->first, s->nfirst) : no_stream(t, p, got);
	if (got < TNS_HEADER_BYTES)
		return tns_fail(t, "the input ends after %zu of %d bytes", got, TNS_HEADER_BYTES);
	uint32_t crc = crc_add(0, p, 28);
	if (crc != tns_get32(p + 28))
		return tns_fail(t, "checksum %08x, not %08x", crc, tns_get32(p + 28));
	if (tns_get16(p + 8) != 1)
		return tns_fail(t, "version %u is not known here", tns_get16(p + 8));
	for (int i = 12; i < 28; i++)
		if (p[i])
			return tns_fail(t, "byte %d is %u, not 0", i, p[i]);
	s->chain = tns_get32(p + 28);
	s->begun = 1;
	t->record = UINT32_MAX;
	return TNS_DONE;
}

static int inflate_payload(struct tns *t)
{
	struct tns_source *s = t->src;
	if (s->raw_size < s->raw_len) {
		free(s->raw);
		s->raw = xmalloc(s->raw_len);
		s->raw_size = s->raw_len;
	}
	unsigned char one[1]; /* zlib uses a 1-byte buffer of its own where the size is 0, and does not count what it wrote there */
	uLongf n = s->raw_len ? s->raw_len : sizeof one;
	uLong used = s->stored;
	int rc = uncompress2(s->raw_len ? s->raw : one, &n, s->payload, &used);
	if (rc != Z_OK || n != s->raw_len || used != s->stored)
		return tns_fail(t, "the zlib stream is not whole or not of %u bytes", s->raw_len);
	s->payload = s->raw;
	return TNS_DONE;
}

void tns_host_order(struct tns_source *s, size_t element)
{
	if (!TNS_SWAPS || element == 1)
		return;
	if (s->payload != s->raw && s->raw_size < s->raw_len) {
		free(s->raw);
		s->raw = xmalloc(s->raw_size = s->raw_len);
	}
	if (s->payload != s->raw)
		memcpy(s->raw, s->payload, s->raw_len);
	tns_swap(s->raw, s->raw_len, element);
	s->payload = s->raw;
}

static int check_header(struct tns *t, const unsigned char *p)
{
	struct tns_source *s = t->src;
	uint32_t crc = crc_add(s->chain, p, 28);
	if (crc != tns_get32(p + 28))
		return tns_fail(t, "header checksum %08x, not %08x", crc, tns_get32(p + 28));
	s->chain = crc;
	s->type = tns_get32(p), s->id = tns_get32(p + 8), s->flags = tns_get32(p + 12), s->stored = tns_get32(p + 16),
	s->raw_len = tns_get32(p + 20);
	if (tns_get32(p + 4) != t->record)
		return tns_fail(t, "sequence number %u", tns_get32(p + 4));
	if (s->flags & ~TNS_ZLIB)
		return tns_fail(t, "unknown flags %08x", s->flags);
	if (s->stored > TNS_CHUNK_MAX || s->raw_len > TNS_CHUNK_MAX)
		return tns_fail(t, "a payload of %u bytes, raw %u, is over the limit of %u", s->stored, s->raw_len, TNS_CHUNK_MAX);
	if (!(s->flags & TNS_ZLIB) && s->stored != s->raw_len)
		return tns_fail(t, "stored %u bytes, raw %u", s->stored, s->raw_len);
	if ((s->flags & TNS_ZLIB) && s->raw_len > (uint64_t)s->stored * TNS_INFLATION)
		return tns_fail(t, "%u bytes can't inflate to %u", s->stored, s->raw_len);
	if (s->type != TNS_RECORD_TDEF && s->type != TNS_RECORD_DATA && s->id != TNS_NO_TENSOR)
		return tns_fail(t, "tensor id %u where none belongs", s->id);
	return TNS_DONE;
}

/* Computed ahead (tns_map.c), or now. */
static uint32_t payload_checksum(struct tns_source *s, const unsigned char *p, size_t n)
{
	while (s->next < s->nverified && s->verified[s->next].payload < p)
		s->next++;
	if (s->next < s->nverified && s->verified[s->next].payload == p && s->verified[s->next].n == n)
		return s->verified[s->next].crc;
	return crc_add(0, p, n);
}

int tns_read_record(struct tns *t)
{
	struct tns_source *s = t->src;
	const unsigned char *p;
	size_t got;
	t->record++;
	if (tns_get(t, TNS_HEADER_BYTES, &p, &got) < 0)
		return TNS_ERR;
	if (got == 0)
		return tns_fail(t, "the input ends without END");
	if (got < TNS_HEADER_BYTES)
		return tns_fail(t, "the input ends after %zu bytes of a header", got);
	uint32_t payload_crc = tns_get32(p + 24);
	if (check_header(t, p) < 0)
		return TNS_ERR;
	uint32_t pad = tns_padding(s->stored, s->type == TNS_RECORD_END || s->type == TNS_RECORD_ABRT);
	s->payload_at = s->fd < 0 || s->unpack || s->flags & TNS_ZLIB ? TNS_NOWHERE : s->taken;
	if (tns_get(t, s->stored + pad, &p, &got) < 0)
		return TNS_ERR;
	if (got < s->stored + pad)
		return tns_fail(t, "the input ends after %zu of %u bytes of a payload", got, s->stored + pad);
	uint32_t crc = payload_checksum(s, p, s->stored + pad);
	if (crc != payload_crc)
		return tns_fail(t, "payload checksum %08x, not %08x", crc, payload_crc);
	for (uint32_t i = 0; i < pad; i++)
		if (p[s->stored + i])
			return tns_fail(t, "padding that is not zero");
	s->payload = p;
	return s->flags & TNS_ZLIB ? inflate_payload(t) : TNS_DONE;
}
