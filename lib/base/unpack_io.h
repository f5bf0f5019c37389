/* Private to lib/base/unpack*.c: the state of a reader, and what gzip and zip share. */
#ifndef UNPACK_IO_H
#define UNPACK_IO_H

#include <stdint.h>
#include <zlib.h>

#include "lib/base/buffers.h"
#include "lib/base/bytes.h"
#include "lib/base/err.h"
#include "lib/base/unpack.h"

enum { UNPACK_RAW = BUFFER_KIB(64) };

/* A zip: the file that is read, and what came before it. */
struct unpack_zip {
	unsigned flags, method;
	int big;		       /* sizes of 64 bits */
	int passed;		       /* 1: its text is not wanted */
	uint32_t crc;		       /* of the text, as the header has it */
	uint64_t packed, size;	       /* as the header has them */
	uint64_t in, out;	       /* bytes so far */
	uint64_t files, listed, found; /* files, those in the directory, CSVs */
	char name[256], names[200];    /* the file's, and all so far, for messages */
};

struct unpack {
	unpack_from *from;
	void *arg;
	const char *name;
	char *then; /* behind a command that writes text */
	enum unpack_kind kind;
	int started;
	int any;		  /* 1: a gzip need not hold text */
	int fd;			  /* source of unpack_fd */
	const unsigned char *mem; /* source of unpack_memory: mem_left bytes */
	size_t mem_left;
	/* input: z.avail_in bytes of raw at z.next_in */
	z_stream z;
	unsigned char raw[UNPACK_RAW];
	int raw_end;		  /* from is not to be called again */
	char raw_err[UNPACK_ERR]; /* and its reason, where it failed: an error once the input is used up */
	unsigned char *head;	  /* text up to the first line end, read to tell what it is: [head_at, head_end) is not yet returned */
	size_t head_at, head_end;
	int cr;								     /* 1: lines end in CR */
	enum { UNPACK_BETWEEN, UNPACK_BODY, UNPACK_TRAILER, UNPACK_END } at; /* position: between members, in one, behind all */
	uint32_t crc; /* of this member's text so far; in a gzip header: of the header */
	struct unpack_zip zip;
	char err[UNPACK_ERR];
};

/* Puts the message into u->err; returns -1. */
int unpack_fault(struct unpack *u, const char *fmt, ...) PRINTF(2, 3);
int unpack_truncated(struct unpack *u); /* the input ended too early, or failed */
int unpack_damaged(struct unpack *u, const char *how);
int unpack_trailing(struct unpack *u); /* something follows */
/* Refills the input buffer when it is empty. 0: end of the input, or an error (err is set). */
int unpack_input(struct unpack *u);
/* Reads n bytes and adds them to the CRC; the first keep are stored in to. 0, or -1 and err. */
int unpack_bytes(struct unpack *u, uint64_t n, unsigned char *to, size_t keep);
/* Inflates up to n bytes, more than 0 unless the deflate data end, where at becomes UNPACK_TRAILER. -1: err is set. */
long unpack_inflate(struct unpack *u, unsigned char *dst, size_t n);

/* As unpack_read, without its head. */
long unpack_gzip_read(struct unpack *u, unsigned char *dst, size_t n);
long unpack_zip_read(struct unpack *u, unsigned char *dst, size_t n);

static inline uint32_t unpack_le16(const unsigned char *p)
{
	return (uint32_t)bytes_get(p, 2);
}
static inline uint32_t unpack_le32(const unsigned char *p)
{
	return (uint32_t)bytes_get(p, 4);
}
static inline uint64_t unpack_le64(const unsigned char *p)
{
	return bytes_get(p, 8);
}

#endif
