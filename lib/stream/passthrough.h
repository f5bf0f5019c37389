/* Tensors and METAs that a program copies from its input to its output: those that it does not know or does not replace. */
#ifndef PASSTHROUGH_H
#define PASSTHROUGH_H

#include "lib/stream/dataset_stream.h"

struct passthrough {
	int n;
	int id[TNS_TENSORS_MAX]; /* input id -> output id, -1: not copied */
};

/* Defines on w all tensors of t but those named in skip (NULL-terminated, may be NULL), and copies early METAs but history and those in
 * skip_meta (likewise). */
void passthrough_begin(
	struct passthrough *p, const struct tns *t, struct tns_writer *w, const char *const *skip, const char *const *skip_meta);
/* Writes row i of d's block to w. */
void passthrough_row(const struct passthrough *p, const struct dataset_stream *d, uint64_t i, struct tns_writer *w);
/* The same for a row of a loaded table. */
void passthrough_table_row(const struct passthrough *p, const struct tns_table *t, uint64_t row, struct tns_writer *w);
/* 1: META key counts what rows were made of ("rows.read", "labels.blanked"), which is true of all of them together. */
int passthrough_counts(const char *key);
/* After the end of the input. passthrough_late copies late METAs but history and those that w has; all 0: w does not have all of t's rows,
 * so counts are left out; passthrough_end also writes history with this program's line (history_put). */
void passthrough_late(const struct tns *t, struct tns_writer *w, int all);
void passthrough_end(const struct tns *t, struct tns_writer *w, int all);

#endif
