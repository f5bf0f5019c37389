/* Builds streams byte by byte from the specification, so that the reader is tested independently of the writer. Every field and checksum is
 * valid, but for what a test breaks on purpose. Also reads streams from memory, a file and a pipe. */
#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/stream/tns.h"

#define WIRE_NONE 0xFFFFFFFFu

struct wire {
	unsigned char *p;
	size_t n, size;
	uint32_t seq, chain;
	/* faults of the next record, then reset: CRCs xored with a value, sequence number and flags replaced */
	uint32_t flip_head, flip_payload, *as_seq, flags;
	unsigned char pad;
	uint32_t stored, raw; /* if not 0: lengths declared in the header */
	int raw_0;	      /* declares a raw length of 0 */
};

/* Elements are written in the host's byte order: little-endian machines only. */
static inline void wire_put(struct wire *w, const void *data, size_t n)
{
	if (w->n + n > w->size)
		w->p = realloc(w->p, w->size = 2 * (w->n + n) + 4096);
	if (!w->p)
		abort();
	if (n)
		memcpy(w->p + w->n, data, n);
	w->n += n;
}

static inline void wire_u16(struct wire *w, uint16_t v)
{
	wire_put(w, &v, 2);
}

static inline void wire_u32(struct wire *w, uint32_t v)
{
	wire_put(w, &v, 4);
}

static inline void wire_u64(struct wire *w, uint64_t v)
{
	wire_put(w, &v, 8);
}

static inline void wire_preamble(struct wire *w, int major, int minor)
{
	static const unsigned char zero[16];
	*w = (struct wire){0};
	wire_put(w, "\x89\x54\x4E\x53\x0D\x0A\x1A\x0A", 8);
	wire_u16(w, (uint16_t)major);
	wire_u16(w, (uint16_t)minor);
	wire_put(w, zero, 16);
	w->chain = (uint32_t)crc32(0, w->p, 28);
	wire_u32(w, w->chain);
}

static inline void wire_begin(struct wire *w)
{
	wire_preamble(w, 1, 0);
}

static inline void wire_record(struct wire *w, const char *type, uint32_t id, const void *payload, size_t n)
{
	int last = !memcmp(type, "END", 4) || !memcmp(type, "ABRT", 4);
	size_t pad = 0, at = w->n, begin = w->n + 32;
	while ((begin + n + pad) % 64 != (last ? 0 : 32))
		pad++;
	unsigned char zeros[64];
	memset(zeros, w->pad, sizeof zeros);
	uint32_t crc = (uint32_t)crc32(0, NULL, 0);
	if (n)
		crc = (uint32_t)crc32(crc, payload, (uInt)n);
	if (pad)
		crc = (uint32_t)crc32(crc, zeros, (uInt)pad);
	wire_put(w, type, 4);
	wire_u32(w, w->as_seq ? *w->as_seq : w->seq);
	wire_u32(w, id);
	wire_u32(w, w->flags);
	wire_u32(w, w->stored ? w->stored : (uint32_t)n);
	wire_u32(w, w->raw_0 ? 0 : w->raw ? w->raw : (uint32_t)n);
	wire_u32(w, crc ^ w->flip_payload);
	w->chain = (uint32_t)crc32(w->chain, w->p + at, 28) ^ w->flip_head;
	wire_u32(w, w->chain);
	wire_put(w, payload, n);
	wire_put(w, zeros, pad);
	w->seq++;
	w->as_seq = NULL;
	w->flip_head = w->flip_payload = w->flags = w->stored = w->raw = w->pad = 0;
	w->raw_0 = 0;
}

/* The payload as one zlib stream, its flag set. */
static inline void wire_zlib(struct wire *w, const char *type, uint32_t id, const void *payload, size_t n)
{
	uLongf z = compressBound(n);
	unsigned char *p = malloc(z);
	if (!p || compress2(p, &z, payload, n, 9) != Z_OK)
		abort();
	w->flags |= 1;
	if (!w->raw)
		w->raw = (uint32_t)n;
	wire_record(w, type, id, p, z);
	free(p);
}

/* A definition whose name may be any n bytes; zero: the field that the specification wants 0. */
static inline void wire_tdef_raw(
	struct wire *w, uint32_t id, int dtype, int ndim, const uint64_t *dim, const void *name, size_t n, uint32_t zero)
{
	struct wire d = {0};
	unsigned char head[2] = {(unsigned char)dtype, (unsigned char)ndim};
	wire_put(&d, head, 2);
	wire_u16(&d, (uint16_t)n);
	wire_u32(&d, zero);
	for (int i = 0; i < ndim; i++)
		wire_u64(&d, dim[i]);
	wire_put(&d, name, n);
	wire_record(w, "TDEF", id, d.p, d.n);
	free(d.p);
}

static inline void wire_tdef(struct wire *w, uint32_t id, int dtype, int ndim, const uint64_t *dim, const char *name)
{
	wire_tdef_raw(w, id, dtype, ndim, dim, name, strlen(name), 0);
}

static inline void wire_meta_raw(struct wire *w, const void *key, size_t nk, const void *value, size_t nv)
{
	struct wire d = {0};
	wire_u16(&d, (uint16_t)nk);
	wire_u32(&d, (uint32_t)nv);
	wire_put(&d, key, nk);
	wire_put(&d, value, nv);
	wire_record(w, "META", WIRE_NONE, d.p, d.n);
	free(d.p);
}

static inline void wire_meta(struct wire *w, const char *key, const char *value)
{
	wire_meta_raw(w, key, strlen(key), value, strlen(value));
}

static inline void wire_data(struct wire *w, uint32_t id, const void *rows, size_t n)
{
	wire_record(w, "DATA", id, rows, n);
}

static inline void wire_end(struct wire *w, int n, const uint64_t *rows)
{
	struct wire d = {0};
	wire_u32(&d, (uint32_t)n);
	wire_u32(&d, 0);
	for (int i = 0; i < n; i++)
		wire_u64(&d, rows[i]);
	wire_record(w, "END", WIRE_NONE, d.p, d.n);
	free(d.p);
}

/* ---- reading ---- */

static volatile unsigned wire_sum;

/* Reads a stream to its end and bytes of every chunk, so that a sanitizer finds invalid ones. 1: verified up to END; 0: refused, with the
 * reason in why (512 bytes). */
static inline int wire_read_all(struct tns *t, char *why)
{
	int rc = tns_head(t);
	if (rc == TNS_DONE)
		while ((rc = tns_step(t)) == TNS_DATA)
			for (size_t i = 0, n = t->rows * t->def[t->id].row_bytes; i < n; i += i + 64 < n ? 64 : 1)
				wire_sum += t->data[i];
	if (why)
		snprintf(why, 512, "%s", rc < 0 ? t->err : "");
	/* the end is sticky: another step returns the same */
	if (tns_step(t) != rc || (rc < 0) != (t->err[0] != 0))
		abort();
	tns_free(t);
	return rc == TNS_DONE;
}

/* From an allocation of exactly n bytes, so that a sanitizer finds reads past the end. */
static inline int wire_read(const void *p, size_t n, char *why)
{
	unsigned char *copy = malloc(n + !n);
	if (!copy)
		abort();
	memcpy(copy, p, n);
	int ok = wire_read_all(tns_open_memory(copy, n, "w.tns"), why);
	free(copy);
	return ok;
}

static inline int wire_fd(const void *p, size_t n)
{
	int fd = memfd_create("wire", 0);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

static inline int wire_read_file(const void *p, size_t n, char *why)
{
	return wire_read_all(tns_open_fd(wire_fd(p, n), "w.tns"), why);
}

/* From a pipe, written by a child in pieces of so many bytes. */
static inline int wire_read_pipe(const void *p, size_t n, size_t piece, char *why)
{
	int fd[2], status;
	if (pipe(fd))
		abort();
	pid_t pid = fork();
	if (pid < 0)
		abort();
	if (!pid) {
		close(fd[0]);
		for (size_t at = 0; at < n;) {
			ssize_t k = write(fd[1], (const char *)p + at, n - at < piece ? n - at : piece);
			if (k <= 0)
				break;
			at += (size_t)k;
		}
		_exit(0);
	}
	close(fd[1]);
	int ok = wire_read_all(tns_open_fd(fd[0], "w.tns"), why);
	waitpid(pid, &status, 0);
	return ok;
}

static inline unsigned char *wire_slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END))
		abort();
	*n = (size_t)ftell(f);
	unsigned char *p = malloc(*n + 1);
	rewind(f);
	if (!p || fread(p, 1, *n, f) != *n)
		abort();
	fclose(f);
	return p;
}

/* A path in a fresh directory of this process, in $TMP, which the test runner removes. */
static inline const char *wire_path(const char *name)
{
	static char dir[512], path[1024];
	if (!dir[0]) {
		const char *tmp = getenv("TMP");
		snprintf(dir, sizeof dir, "%s/wire.XXXXXX", tmp ? tmp : "/tmp");
		if (!mkdtemp(dir))
			abort();
	}
	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

#endif
