/* Tensors and METAs that a program copies from its input to its output because it does not know them, or does not replace them. */
#ifndef PASSTHROUGH_H
#define PASSTHROUGH_H

#include "lib/stream/dataset_stream.h"

struct passthrough {
	int n;
	int id[TNS_TENSORS_MAX]; /* input id -> output id, -1: not passed */
};

/* Define on w all tensors of t but those named in skip (NULL-terminated, may be NULL), and pass early METAs but those in skip_meta. */
void passthrough_begin(struct passthrough *p, const struct tns *t, struct tns_writer *w, const char *const *skip, const char *const *skip_meta);
/* Row i of d's block to w. */
void passthrough_row(const struct passthrough *p, const struct dataset_stream *d, uint64_t i, struct tns_writer *w);
/* Rows of a loaded table. */
void passthrough_table_row(const struct passthrough *p, const struct tns_table *t, uint64_t row, struct tns_writer *w);
/* After the end of the input: late METAs but history, and then history, grown by this program's line. */
void passthrough_late(const struct tns *t, struct tns_writer *w); /* without the history */
void passthrough_end(const struct tns *t, struct tns_writer *w);

#endif
