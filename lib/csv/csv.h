/* Reader of the keypoint competition's CSV (Kaggle, Facial Keypoints Detection), row by row, from a file or a pipe, plain, gzip or zip
 * (lib/base/unpack.h). The header names the columns, in any order: the image (`Image`, `pixels`, in any case, or image_column) is required,
 * its number (`ImageId`, `id`, `image_id`) optional, points come in pairs NAME_x and NAME_y (NAME.x, x_NAME, X and Y too), other columns
 * are ignored, and so are the corners of boxes, which have a width and a height beside them (NAME_w, NAME_width; x_min with x_max). Fields
 * are separated by commas, or, where the header has none, by tabs, semicolons or bars (|); beside semicolons a coordinate may have a
 * decimal comma. Lines of comments (#) before the header, then also at the end, and empty ones at the end are skipped. Fields may be
 * quoted, blanks stand around them, lines may end in LF, CR LF or CR, the last line end may be missing, a byte order mark is skipped. No
 * allocation per row; a row has at most LINES_MAX bytes, a header LINES_HEADER_MAX. Pixels are numbers from 0 to 255 (128.0 too) between
 * blanks, or a list in brackets
 * ([1, 2, 3]). A coordinate is missing where its field is empty or nan, NA, N/A, null, None, ., ?, - in any case. */
#ifndef CSV_H
#define CSV_H

#include <stddef.h>
#include <stdint.h>

#define CSV_IMAGE_MAX (16u << 20) /* pixels */
#define CSV_COLUMNS_MAX 4096

struct csv {
	const char *name;	  /* file or "stdin", for messages */
	int npoints;		  /* K; 0 in a test set */
	const char *image_column; /* set before csv_head: the image's name, or NULL */
	char *ignored;		  /* names of columns that are ignored, quoted, comma-joined; NULL: none */
	char **points;		  /* K names, in the order of their x columns, then NULL; known after opening */
	int has_id;		  /* 1: there is a column ImageId */
	int w, h;		  /* given by the caller, or 0 until the first row, which must then be square */
	/* the current row, valid until the next call */
	uint64_t row;		    /* its number, from 1; the header is not counted */
	uint32_t id;		    /* ImageId, or the row number */
	const float *xy;	    /* (K, 2); NaN where it is missing */
	const unsigned char *image; /* (h, w) */
	char err[512];		    /* reason of CSV_ERR: "row N: what, with the value" or "header: what" */
	struct csv_source *src;	    /* private */
};

enum { CSV_ERR = -1, CSV_DONE = 0, CSV_ROW = 1 };

/* For programs: path NULL or "-" is stdin. w, h: size of the images, or 0, 0 for square ones. Malformed input ends the program with
 * `program: NAME: row N: reason`: a wrong number of columns or pixels, a pixel outside 0 to 255, a field that is not a finite number
 * (ImageId: 0 to 2^32-1), an unclosed quote, a truncated or damaged gzip or zip, a file of another kind; in the header no Image, duplicate
 * names, an x without y. */
struct csv *csv_open(const char *path, int w, int h, const char *image_column);
int csv_next(struct csv *c); /* CSV_ROW, or CSV_DONE at the end */
void csv_free(struct csv *c);

/* The same for callers that continue after an error (tests, fuzzers). Memory is not copied. After CSV_ERR only csv_free may be called. */
struct csv *csv_open_fd(int fd, const char *name, int w, int h);
struct csv *csv_open_memory(const void *data, size_t n, const char *name, int w, int h);
int csv_head(struct csv *c); /* reads the header: CSV_DONE or CSV_ERR */
int csv_step(struct csv *c);

#endif
