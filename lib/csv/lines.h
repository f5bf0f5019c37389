/* Reads a text line by line, from a file, a pipe or memory; plain or gzip, detected by its first two bytes (concatenated members are one
 * text). A line ends in LF or CR LF, the last line end may be missing; a byte order mark at the start is skipped.
 * LINES_PAD bytes before and after a line are readable, for vector loads. */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>

#define LINES_MAX (64u << 20) /* bytes of the longest line */
#define LINES_PAD 64

struct span {
	const unsigned char *p, *e; /* [p, e) */
};

struct lines {
	struct span line;	  /* current, without its line end; valid until the next call */
	int truncated;		  /* 1: the text ended before its line end */
	int gzip;		  /* 1: compressed; set by the first call */
	char err[256];		  /* reason of LINES_ERR */
	struct lines_source *src; /* private */
};

enum { LINES_ERR = -1, LINES_DONE = 0, LINES_ONE = 1 };

struct lines *lines_open_fd(int fd);			     /* closed by lines_free, except 0 */
struct lines *lines_open_memory(const void *data, size_t n); /* not copied */
/* LINES_ERR: the read failed, gzip is truncated, damaged or followed by other data, or a line is too long; then only lines_free may be
 * called. */
int lines_next(struct lines *l);
void lines_free(struct lines *l);

#endif
