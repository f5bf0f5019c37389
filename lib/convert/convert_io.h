/* Private to lib/convert/convert*.c: a file that was opened, and what writers of all forms share. */
#ifndef CONVERT_IO_H
#define CONVERT_IO_H

#include "lib/convert/array.h"
#include "lib/convert/convert.h"

enum { CONVERT_BLOCK = 1 << 20 }; /* bytes that are copied at once */

struct convert {
	enum convert_form form;
	struct arrays a;
	int part;		/* arrays were left out: it is not the stream that it was made of */
	int same;		/* its note is true: it is; see metas.h */
	uint32_t stream;	/* same: that stream's fingerprint */
	char *open;		/* (a.n) same: a letter for each tensor, as the note has it */
	uint32_t *crc;		/* (a.n) of the values, once they are known; else NULL */
	const unsigned char *p; /* the file */
	size_t size;
	int mapped;
};

extern const char *const convert_forms[]; /* words of enum convert_form */

/* Fills c->a from the stream; every fault ends the program. */
void convert_read_stream(struct convert *c);
void convert_write_stream(struct convert *c, const char *path);
void convert_read(const struct convert *c, struct array_reader *r, const struct array *a, void *dst, size_t n); /* array_read, or dies */

#endif
