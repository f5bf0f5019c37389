/* Lines of a text, one at a time, from a file, a pipe or memory; plain or gzip, known by its first two bytes (several members in a row
 * are one text). A line ends in LF or CR LF, the last one needs no end; a byte order mark at the beginning is skipped.
 * Around a line LINES_PAD bytes can be read, so that its bytes may be looked at by the block. */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>

#define LINES_MAX (64u << 20) /* bytes of the longest line */
#define LINES_PAD 64

struct span {
	const unsigned char *p, *e; /* [p, e) */
};

struct lines {
	struct span line;	  /* read last, without its end; valid until the next call */
	int cut;		  /* it was ended by the end of the file */
	int gzip;		  /* known after the first call */
	char err[256];		  /* why LINES_ERR */
	struct lines_source *src; /* private */
};

enum { LINES_ERR = -1, LINES_DONE = 0, LINES_ONE = 1 };

struct lines *lines_open_fd(int fd);			     /* closed by lines_free, but for 0 */
struct lines *lines_open_memory(const void *data, size_t n); /* not copied */
/* LINES_ERR: the read failed, gzip is cut or damaged or followed by other bytes, or a line is too long; only lines_free may follow. */
int lines_next(struct lines *l);
void lines_free(struct lines *l);

#endif
