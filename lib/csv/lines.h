/* Reads a text line by line, from a file, a pipe or memory; plain, gzip or zip (lib/base/unpack.h). A line ends in LF, CR LF or CR, the
 * last line end may be missing; a byte order mark at the start is skipped. LINES_PAD bytes before and after a line are readable, for vector
 * loads. */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>

#include "lib/base/buffers.h"
#include "lib/base/unpack.h"

#define LINES_MAX BUFFER_KIB(65536u)	   /* bytes of the longest line */
#define LINES_HEADER_MAX BUFFER_KIB(8192u) /* of a header: no text that is no table takes more memory */
#define LINES_PAD 64

struct span {
	const unsigned char *p, *e; /* [p, e) */
};

struct lines {
	struct span line;	  /* current, without its line end; valid until the next call; empty behind the last, and after LINES_ERR */
	size_t max;		  /* bytes of the longest line: LINES_MAX, until the caller sets less */
	int truncated;		  /* 1: the text ended before its line end */
	enum unpack_kind kind;	  /* plain or packed; set by the first call */
	char err[UNPACK_ERR];	  /* reason of LINES_ERR */
	struct lines_source *src; /* private */
};

enum { LINES_ERR = -1, LINES_DONE = 0, LINES_ONE = 1 };

/* name: the file's, for messages, or "stdin"; not copied. */
struct lines *lines_open_fd(int fd, const char *name);			       /* closed by lines_free, except 0 */
struct lines *lines_open_memory(const void *data, size_t n, const char *name); /* not copied */
/* LINES_ERR: the read failed, packed data are truncated, damaged or followed by other data, it is no text, or a line is too long; then only
 * lines_free may be called. */
int lines_next(struct lines *l);
/* Reads to the end: LINES_DONE or LINES_ERR. Then only lines_free may be called. */
int lines_skip(struct lines *l);
void lines_free(struct lines *l);

#endif
