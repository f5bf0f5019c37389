/* The competition's CSV, a row at a time, from a file or a pipe, plain or gzip (see lines.h). The header names the columns, in any order:
 * `Image` must be there, `ImageId` may be, all others are points, in pairs NAME_x and NAME_y. Fields may stand in quotes, lines may end in
 * CR LF, the last one needs no end, a byte order mark is skipped. Nothing is allocated by the row; the longest row has LINES_MAX bytes. */
#ifndef CSV_H
#define CSV_H

#include <stddef.h>
#include <stdint.h>

#define CSV_IMAGE_MAX (16u << 20) /* pixels */
#define CSV_COLUMNS_MAX 4096

struct csv {
	const char *name; /* file or "stdin", for messages */
	int npoints;	  /* K; 0 in a test set */
	char **points;	  /* K names, in the order of their x columns, then NULL; known after opening */
	int has_id;	  /* is there a column ImageId? */
	int w, h;	  /* declared, or 0 until the first row showed a square */
	/* the row read last, valid until the next call */
	uint64_t row;		    /* its number, from 1; the header does not count */
	uint32_t id;		    /* ImageId, or the row's number */
	const float *xy;	    /* (K, 2); NaN where the field is empty */
	const unsigned char *image; /* (h, w) */
	char err[512];		    /* why CSV_ERR: "row N: what, with the value" or "header: what" */
	struct csv_source *src;	    /* private */
};

enum { CSV_ERR = -1, CSV_DONE = 0, CSV_ROW = 1 };

/* Programs: path NULL or "-" is stdin. w, h: the image's size, or 0, 0 for "a square". Any fault of form ends the program with
 * `program: NAME: row N: reason`: another number of columns or of pixels, a pixel that is not 0 to 255, a field that is no finite number
 * (ImageId: 0 to 2^32-1), an open quote, a cut or damaged gzip, and in the header a missing Image, equal names, an x without y. */
struct csv *csv_open(const char *path, int w, int h);
int csv_next(struct csv *c); /* CSV_ROW, or CSV_DONE at the end */
void csv_free(struct csv *c);

/* The same for who must go on after a fault (tests, fuzzers). The memory is not copied. After CSV_ERR only csv_free may follow. */
struct csv *csv_open_fd(int fd, const char *name, int w, int h);
struct csv *csv_open_memory(const void *data, size_t n, const char *name, int w, int h);
int csv_head(struct csv *c); /* reads the header: CSV_DONE or CSV_ERR */
int csv_step(struct csv *c);

#endif
