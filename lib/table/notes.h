/* Lines of comments that a table may have, so that it can be read back as the same stream:
 *
 *   # keypipe table 1 (tns-table --read)
 *   # tensor keypoints f32 15,2              in the order of the stream's records; dimensions without the rows
 *   # meta points: left_eye_center,...       in a key or value: \n, \\, and \xNN of other control characters, of a colon in a key, of a
 *                                            comma or semicolon at a value's end (those that spreadsheets put there are ignored)
 *   ...the header and the rows...
 *   # meta history: ...                      METAs after the rows
 *   # end: text 0123abcd, stream 89abcdef    the last line, without which the table was cut
 *
 * text: crc32 of header and rows, each line with LF; stream: the fingerprint; `part of stream` where columns were left out. */
#ifndef NOTES_H
#define NOTES_H

#include "lib/base/out.h"
#include "lib/stream/tns.h"

enum { NOTES_ERR = 256 };
enum notes_kind { NOTES_OTHER, NOTES_BEGIN, NOTES_TENSOR, NOTES_META, NOTES_END, NOTES_BAD = -1 };

struct notes_line {
	struct tns_def def;    /* NOTES_TENSOR */
	struct tns_meta meta;  /* NOTES_META: key and value are the caller's to free */
	uint32_t text, stream; /* NOTES_END */
	int part;
	char err[NOTES_ERR]; /* NOTES_BAD */
};

void notes_begin(struct out *to);
void notes_tensor(struct out *to, const struct tns_def *d);
void notes_meta(struct out *to, const struct tns_meta *m);
void notes_end(struct out *to, uint32_t text, uint32_t stream, int part);

/* What a line [p, e) says, which begins with #; definitions and METAs are checked as a stream's are, but for UTF-8. */
enum notes_kind notes_parse(struct notes_line *l, const unsigned char *p, const unsigned char *e);

#endif
