/* The arrays and METAs of a file of any form, which is in memory as a whole (mapped, or read from a pipe), and the values of one array as a
 * sequence of bytes: rows after rows (C order), little-endian, whatever order the file has them in. What a file says of sizes was checked
 * against the bytes that are there before an array of it exists, and memory is taken for METAs and a block of rows only; all values of an
 * array are in memory once where a zip holds them deflated and in Fortran's order. */
#ifndef ARRAY_H
#define ARRAY_H

#include "lib/convert/zip.h"
#include "lib/stream/tns.h"

enum { ARRAY_DIMS = 64, ARRAY_ERR = 512 };

struct array {
	char *name;
	int dtype;     /* enum tns_dtype; 0: one that streams lack */
	char type[32]; /* 0: the file's word for it */
	int ndim;
	uint64_t dim[ARRAY_DIMS];
	uint64_t bytes; /* of all values; 0 with dtype 0 */
	/* where they lie: a tensor of a stream, or behind `skip` bytes of the member */
	int id;
	struct zip_member member; /* its name is unused */
	uint64_t skip;
	int fortran, swapped; /* the first index is the fastest; big-endian */
};

struct arrays {
	const char *name; /* of the file, or "stdin", for messages */
	struct array *array;
	int n;
	struct tns_meta *meta;
	int nmeta;
	int *place;		 /* (nmeta) tensors defined before it in the stream; -1: behind the rows */
	char *noted;		 /* what a file that was made of a stream says of it (metas.h); NULL: nothing */
	struct tns_table *table; /* of a stream; else NULL */
	char err[ARRAY_ERR];
};

/* One more array, all zero but its name, which it takes over; NULL: there are TNS_TENSORS_MAX, or one of this name; err is set, name freed.
 */
struct array *array_add(struct arrays *s, char *name);
/* One more META, whose key and value it takes over. 0, or -1 and err: the key is there, empty or holds a zero byte, or METAs are more than
 * a stream's may be. */
int array_add_meta(struct arrays *s, struct tns_meta m, int place);
/* Formats into s->err; returns -1. */
int array_fault(struct arrays *s, const char *fmt, ...) PRINTF(2, 3);
/* a->bytes from dtype and dimensions; -1: more than 2^63. */
int array_measure(struct array *a);
uint64_t array_row_bytes(const struct array *a); /* of an index of the first dimension; 0: there are no values */
void arrays_free(struct arrays *s);		 /* what it holds, not s itself */

struct array_reader;

struct array_reader *array_open(const struct arrays *s, const struct array *a);
/* The next n bytes of the values, whole elements, no more than there are. 0, or -1: the zip's data are damaged; array_why says how. */
int array_read(struct array_reader *r, void *dst, size_t n);
const char *array_why(const struct array_reader *r);
void array_close(struct array_reader *r);
/* Inflates the member's first bytes, n at most, to dst: how many. */
size_t array_peek(const struct zip_member *m, unsigned char *dst, size_t n);

#endif
