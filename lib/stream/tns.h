/* The tensor stream (byte by byte: lib/stream/format.md): preamble, records, END, end of file; little-endian; every record has a checksum
 * chained to that of the one before it. A reader has succeeded only after tns_next returned TNS_DONE: only then was END verified. Every
 * reader takes the whole stream as gzip too (lib/base/unpack.h), from a file or a pipe.
 *
 * Chunks (payloads of DATA): tensors with dim[0] = TNS_UNLIMITED (a data set) are written in turn in chunks of the same number of rows,
 * max(1, 1 MiB / bytes of the widest one's row), so that a reader buffers one block of rows only; a tensor with a given dim[0] has chunks
 * by its own row size. With META live, whatever its value, chunks are of one row, each flushed as soon as the row is whole: so programs
 * that pass METAs on stay live. */
#ifndef TNS_H
#define TNS_H

#include <stddef.h>
#include <stdint.h>

#define TNS_UNLIMITED UINT64_MAX  /* dim[0]: any number of rows, known at the end */
#define TNS_CHUNK (1u << 20)	  /* bytes of a writer's chunk */
#define TNS_CHUNK_MAX (16u << 20) /* bytes of the largest chunk that a reader accepts, hence of a row */
#define TNS_TENSORS_MAX 4096
#define TNS_ROWS_MAX (1ull << 48)
#define TNS_META_MAX (1u << 20) /* keys and values, all together */

enum tns_dtype { TNS_U8 = 1, TNS_I8, TNS_U16, TNS_I16, TNS_U32, TNS_I32, TNS_F32, TNS_U64, TNS_I64, TNS_F64, TNS_F16, TNS_BF16, TNS_BOOL };

size_t tns_size(int dtype);	       /* bytes of one element, 0 for an unknown type */
const char *tns_dtype_name(int dtype); /* "u8", ...; "?" for an unknown type */

struct tns_def {
	char name[256];
	int dtype, ndim;
	uint64_t dim[8];  /* dim[0] may be TNS_UNLIMITED */
	size_t row_bytes; /* product of dim[1..] and the element's size; at most TNS_CHUNK_MAX */
	uint64_t rows;	  /* read or written so far */
};

struct tns_meta {
	char *key, *value; /* zero-terminated; values may also hold zero bytes, then the length counts */
	size_t key_len, value_len;
	int late; /* 1: after the last DATA */
};

/* ---- reading ---- */

struct tns {
	const char *name; /* file or "stdin", for messages */
	int ntensors, nmeta;
	struct tns_def *def;	   /* all known after opening */
	struct tns_meta *meta;	   /* early ones known after opening, late ones after the end */
	int id;			   /* the chunk's tensor */
	uint64_t row, rows;	   /* its first row and how many; rows is at least 1 */
	const unsigned char *data; /* rows x row_bytes, valid until the next call */
	uint32_t record;	   /* sequence number of the record read last */
	uint32_t fingerprint;	   /* after the end: checksum of END's header, by the chain of all records */
	int aborted;		   /* ABRT was read: the producer failed; err holds its reason */
	char err[512];		   /* why TNS_ERR: "record N: reason" */
	struct tns_source *src;	   /* private */
};

enum { TNS_ERR = -1, TNS_DONE = 0, TNS_DATA = 1 };

/* For programs: tns_open reads all records before the first DATA. path NULL or "-" is stdin (a terminal is refused, exit 2). Any error ends
 * the program with `program: NAME: record N: reason`. */
struct tns *tns_open(const char *path);
int tns_next(struct tns *t); /* TNS_DATA and a chunk, or TNS_DONE: END and the end of the file were verified */
void tns_free(struct tns *t);

/* The same for callers that continue after an error (tests, fuzzers): opening reads nothing; tns_head reads all records before the first
 * DATA, tns_step is as tns_next; both return TNS_ERR on an error, its reason in err. */
struct tns *tns_open_fd(int fd, const char *name);
struct tns *tns_open_memory(const void *data, size_t n, const char *name); /* not copied; chunks point into it */
int tns_head(struct tns *t);						   /* TNS_DONE or TNS_ERR */
int tns_step(struct tns *t);

int tns_find(const struct tns *t, const char *name);		  /* tensor id or -1 */
const char *tns_meta_value(const struct tns *t, const char *key); /* NULL if absent */
int tns_meta_place(const struct tns *t, int i);			  /* how many tensors were defined before meta[i] */

/* ---- whole streams: files are memory-mapped, pipes are read into memory ---- */

struct tns_table;
struct tns_table *tns_load(const char *path);					 /* verified to the end, or the program ends */
struct tns_table *tns_load_memory(const void *data, size_t n, const char *name); /* the same; not copied */
/* The same of a data set that may be larger than memory. Of a regular file of more than `most` bytes rows of TNS_FILE_ROW bytes or more
 * stay there, unless they are packed: each is read when it is asked for, by tns_read_row or, all of a tensor, by tns_copy or the first
 * tns_row. The program ends where they are no longer those that were verified. */
struct tns_table *tns_load_within(const char *path, double most);
enum { TNS_FILE_ROW = 64 };
int tns_in_file(const struct tns_table *t, int id); /* 1: rows of that tensor are */
/* A row: in memory, else read into buffer, of its row_bytes. */
const void *tns_read_row(const struct tns_table *t, int id, uint64_t row, void *buffer);
void tns_will_read(const struct tns_table *t, int id, uint64_t row);  /* lets the system read it ahead, if it is in the file */
const struct tns *tns_table_head(const struct tns_table *t);	      /* definitions with final counts, METAs, fingerprint */
const void *tns_row(const struct tns_table *t, int id, uint64_t row); /* row < rows; valid until tns_unload */
/* How many rows from this one on are contiguous in memory; at least 1. */
uint64_t tns_contiguous_rows(const struct tns_table *t, int id, uint64_t row);
/* Copy all rows of a tensor to dst, which holds rows x row_bytes. */
void tns_copy(const struct tns_table *t, int id, void *dst);
/* Releases the memory of the rows, which must not be read any more; tns_table_head stays valid. */
void tns_release_rows(struct tns_table *t);
void tns_unload(struct tns_table *t);

/* ---- writing ---- */

struct tns_writer;
/* path NULL or "-" is stdout. If the program ends before tns_close, an existing file is unchanged and a pipe gets an ABRT record. */
struct tns_writer *tns_create(const char *path);
/* After opt_parse, in programs that write a stream to path: a terminal is refused before any work, and so is a file that another run is
 * writing; if they end before tns_create, a reader of stdout gets the reason all the same. */
void tns_promise(const char *path);
void tns_compress(struct tns_writer *w); /* payloads as zlib streams where that is shorter; before the first row */
/* Returns the tensor's id. dim[0] may be TNS_UNLIMITED. All before the first row. Names: 1 to 255 of A-Z a-z 0-9 . _ / -, unique (assert).
 */
int tns_define(struct tns_writer *w, const char *name, int dtype, int ndim, const uint64_t *dim);
/* Before the first row a META is written immediately, afterwards it is kept and written after the last one. Keys are unique (assert). What
 * a reader would reject, text that is not UTF-8 or more than TNS_META_MAX in all, ends the program. */
void tns_put_meta(struct tns_writer *w, const char *key, const char *value);
void tns_copy_meta(struct tns_writer *w, const struct tns_meta *m); /* copies one that was read: its value may hold zero bytes */
int tns_has_meta(const struct tns_writer *w, const char *key);
void tns_write(struct tns_writer *w, int id, const void *rows, uint64_t n);
/* Writes END and syncs; only tns_close may follow. Programs with several outputs end all before the first is renamed to its final name. */
void tns_end(struct tns_writer *w);
/* Writes END unless tns_end did, renames the file to its final name; returns the fingerprint; frees w. Where dim[0] was given, so many rows
 * must have been written (assert). */
uint32_t tns_close(struct tns_writer *w);

#endif
