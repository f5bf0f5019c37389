/* The first rows of a stream's tensors, as tns-info --head shows them: tensors with few values a row first; of a row with more than
 * HEAD_VALUES only its range and mean, but of `source` the text that it is. Rows are counted from 1. What is shown is kept until the end of
 * the stream, since a chunk of the tensor that is shown first may come last: at most HEAD_VALUES values a row. */
#ifndef HEAD_H
#define HEAD_H

#include "lib/base/json.h"
#include "lib/base/out.h"
#include "lib/stream/tns.h"

enum { HEAD_VALUES = 64, HEAD_TEXT = 256 };

struct head {
	uint64_t rows;		/* to be shown of each tensor */
	struct head_rows *kept; /* a tensor each; private */
};

/* t's definitions are known; rows: how many of each tensor. */
void head_begin(struct head *h, const struct tns *t, uint64_t rows);
/* Keeps what belongs to the head of the chunk that was read last. */
void head_add(struct head *h, const struct tns *t);
/* After the end. In JSON: an object a row, into the open array; NaN and infinities are null. */
void head_text(const struct head *h, const struct tns *t, struct out *to);
void head_json(const struct head *h, const struct tns *t, struct json *j);
void head_end(struct head *h, const struct tns *t);

/* One row with all its values; row: its number, from 1. */
void head_row_text(struct out *to, const struct tns_def *d, uint64_t row, const void *values);
void head_row_json(struct json *j, const struct tns_def *d, uint64_t row, const void *values);

#endif
