/* Faces as text in the competition's formats. Training: NAME_x,NAME_y for each point, then Image. Test: ImageId,Image.
 * Lookup table: RowId,ImageId,FeatureName,Location. Coordinates have up to 7 decimals, a missing label is an empty field,
 * pixels are decimal, separated by blanks, row by row. */
#ifndef FACECSV_H
#define FACECSV_H

#include <stddef.h>
#include <stdint.h>

/* What a row or header may have wrong with it, to see it refused. */
enum facecsv_fault {
	FACECSV_GOOD,
	FACECSV_COLUMNS,  /* one field too few */
	FACECSV_PIXELS,	  /* one pixel too few */
	FACECSV_RANGE,	  /* a pixel of 256 */
	FACECSV_NUMBER,	  /* text for a coordinate */
	FACECSV_EMPTY,	  /* an empty file */
	FACECSV_CUT,	  /* the file ends within the row */
	FACECSV_HEADER,	  /* no Image column */
	FACECSV_TWICE,	  /* two columns of the same name */
	FACECSV_EXTRA,	  /* one field too many */
	FACECSV_LONG,	  /* one pixel too many */
	FACECSV_NEGATIVE, /* a pixel of -1 */
	FACECSV_BLANK,	  /* no pixels */
	FACECSV_HALF,	  /* an x without its y */
	FACECSV_FAULT_END
};

/* The kinds as --help lists them; the kind of a word (FACECSV_GOOD: it is none of them) and back. */
#define FACECSV_FAULTS "columns, pixels, range, number, empty, cut, header, twice, extra, long, negative, blank, half"
enum facecsv_fault facecsv_fault(const char *word);
const char *facecsv_word(enum facecsv_fault fault);

/* Bytes that any text below needs at most, its end included, for n points and that many pixels. */
size_t facecsv_room(int n, size_t pixels);
/* Each writes at to, no NUL, and returns the length. points may be NULL: none. */
size_t facecsv_header(char *to, int n, enum facecsv_fault fault);
size_t facecsv_row(char *to, int n, const float *points, size_t pixels, const uint8_t *image, enum facecsv_fault fault);
size_t facecsv_test(char *to, uint32_t id, size_t pixels, const uint8_t *image);
/* The lines of one picture; keep (N) says which points are asked for; *line counts on from the last line's number. */
size_t facecsv_lookup(char *to, uint64_t *line, uint32_t id, int n, const uint8_t *keep);

#endif
