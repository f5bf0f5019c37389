/* The tensor stream, byte by byte as the README's page has it: preamble, records, END, end of file; little-endian; every record
 * checksummed and chained to the one before it. A consumer has succeeded only after tns_next returned 0: only then was END verified.
 *
 * Rows that come in step (all tensors defined with dim[0] = TNS_OPEN: a data set) are cut together, at max(1, 1 MiB / bytes of the widest
 * one's row) rows, so that a reader holds one block of rows and no more; a tensor with a given dim[0] is cut by its own row. */
#ifndef TNS_H
#define TNS_H

#include <stddef.h>
#include <stdint.h>

#define TNS_OPEN UINT64_MAX	  /* dim[0]: as many rows as come */
#define TNS_CHUNK (1u << 20)	  /* bytes a writer cuts at */
#define TNS_CHUNK_MAX (16u << 20) /* bytes a reader accepts, hence the largest row */
#define TNS_TENSORS_MAX 4096
#define TNS_ROWS_MAX (1ull << 48)
#define TNS_META_MAX (1u << 20) /* keys and values, all together */

enum tns_dtype { TNS_U8 = 1, TNS_I8, TNS_U16, TNS_I16, TNS_U32, TNS_I32, TNS_F32, TNS_U64, TNS_I64, TNS_F64, TNS_F16, TNS_BF16, TNS_BOOL };

size_t tns_size(int dtype);	       /* bytes of one element, 0 for an unknown type */
const char *tns_dtype_name(int dtype); /* "u8", ...; "?" for an unknown type */

struct tns_def {
	char name[256];
	int dtype, ndim;
	uint64_t dim[8];  /* dim[0] may be TNS_OPEN */
	size_t row_bytes; /* product of dim[1..] and the element's size; at most TNS_CHUNK_MAX */
	uint64_t rows;	  /* counted so far */
};

struct tns_meta {
	char *key, *value; /* zero-terminated; lengths count for values that hold zeros */
	size_t key_len, value_len;
	int late; /* 1: came after the last DATA */
};

/* ---- reading ---- */

struct tns {
	const char *name; /* file or "stdin", for messages */
	int ntensors, nmeta;
	struct tns_def *def;	   /* all known after opening */
	struct tns_meta *meta;	   /* early ones known after opening, late ones after the end */
	int id;			   /* the chunk: of which tensor */
	uint64_t row, rows;	   /* its first row and how many; rows is at least 1 */
	const unsigned char *data; /* rows x row_bytes, valid until the next call */
	uint32_t record;	   /* number of the record read last */
	uint32_t fingerprint;	   /* after the end: the chain's last value */
	int aborted;		   /* the producer gave up; err holds its reason */
	char err[512];		   /* why TNS_ERR: "record N: reason" */
	struct tns_source *src;	   /* private */
};

enum { TNS_ERR = -1, TNS_DONE = 0, TNS_DATA = 1 };

/* Programs: open reads all up to the first DATA. path NULL or "-" is stdin (a terminal is refused, exit 2). Any fault ends the program
 * with `program: NAME: record N: reason`. */
struct tns *tns_open(const char *path);
int tns_next(struct tns *t); /* TNS_DATA and a chunk, or TNS_DONE: END and the end of the file were verified */
void tns_free(struct tns *t);

/* The same for who must go on after a fault (tests, fuzzers, tns-info --check): open returns a reader on which the first tns_step may
 * give TNS_ERR; tns_head reads up to the first DATA. */
struct tns *tns_open_fd(int fd, const char *name);
struct tns *tns_open_memory(const void *data, size_t n, const char *name); /* not copied; chunks point into it */
int tns_head(struct tns *t);						   /* TNS_DONE or TNS_ERR */
int tns_step(struct tns *t);

int tns_find(const struct tns *t, const char *name);		  /* tensor id or -1 */
const char *tns_meta_value(const struct tns *t, const char *key); /* NULL if absent */

/* ---- whole: files are mapped, pipes are held in memory ---- */

struct tns_table;
struct tns_table *tns_load(const char *path);			      /* verified to the end, or the program ends */
const struct tns *tns_table_head(const struct tns_table *t);	      /* defs with final counts, metas, fingerprint */
const void *tns_row(const struct tns_table *t, int id, uint64_t row); /* row < rows; valid until tns_unload */
/* How many rows from this one on lie together in memory; at least 1. */
uint64_t tns_run(const struct tns_table *t, int id, uint64_t row);
/* Copy all rows of a tensor to dst, which holds rows x row_bytes. */
void tns_copy(const struct tns_table *t, int id, void *dst);
/* Lets go of the rows, which are not to be read any more; the head stays. */
void tns_release_rows(struct tns_table *t);
void tns_unload(struct tns_table *t);

/* ---- writing ---- */

struct tns_writer;
/* path NULL or "-" is stdout. If the program dies before tns_close, a file is not touched and a pipe gets an ABRT record. */
struct tns_writer *tns_create(const char *path);
void tns_compress(struct tns_writer *w); /* zlib payloads; before the first row */
/* Returns the id. dim[0] may be TNS_OPEN. All before the first row. Names: 1 to 255 of A-Z a-z 0-9 . _ / - and unique (assert). */
int tns_define(struct tns_writer *w, const char *name, int dtype, int ndim, const uint64_t *dim);
/* Before the first row it goes ahead of the data, afterwards it is kept for after it. Keys are unique (assert). What no reader would
 * take, text that is not UTF-8 or more than TNS_META_MAX in all, ends the program. */
void tns_put_meta(struct tns_writer *w, const char *key, const char *value);
void tns_pass_meta(struct tns_writer *w, const struct tns_meta *m); /* one that was read: its value may hold zeros */
int tns_has_meta(const struct tns_writer *w, const char *key);
void tns_write(struct tns_writer *w, int id, const void *rows, uint64_t n);
/* Writes END and syncs; only tns_close may follow. For programs with several outputs: all are ended before one is put in place. */
void tns_end(struct tns_writer *w);
/* A given dim[0] must have been met (assert). Writes END unless tns_end did, puts the file in place; returns the fingerprint; frees w. */
uint32_t tns_close(struct tns_writer *w);

#endif
