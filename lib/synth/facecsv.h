/* Writes faces in the competition's text formats. Training: NAME_x,NAME_y for each point, then Image. Test: ImageId,Image.
 * Lookup table: RowId,ImageId,FeatureName,Location. Coordinates have up to 7 decimals, a missing label is an empty field,
 * pixels are decimal numbers separated by spaces, row-major. */
#ifndef FACECSV_H
#define FACECSV_H

#include <stddef.h>
#include <stdint.h>

/* Ways to make a row or header malformed, to test that readers reject it. */
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

/* The names as --help lists them; the kind of a name (FACECSV_GOOD: unknown) and the name of a kind. */
#define FACECSV_FAULTS "columns, pixels, range, number, empty, cut, header, twice, extra, long, negative, blank, half"
enum facecsv_fault facecsv_fault(const char *word);
const char *facecsv_word(enum facecsv_fault fault);

/* Upper bound of the bytes of any text below, NUL included, for n points and that many pixels. */
size_t facecsv_size(int n, size_t pixels);
/* Each writes its text to `to` and returns its length; a NUL after it is not guaranteed. points (N, 2), image (H, W). */
size_t facecsv_header(char *to, int n, enum facecsv_fault fault);
size_t facecsv_row(char *to, int n, const float *points, size_t pixels, const uint8_t *image, enum facecsv_fault fault);
size_t facecsv_test(char *to, uint32_t id, size_t pixels, const uint8_t *image);
/* The lines of one image; keep (N) 1: a point is requested; *line: number of the last line so far, updated. */
size_t facecsv_lookup(char *to, uint64_t *line, uint32_t id, int n, const uint8_t *keep);

#endif
