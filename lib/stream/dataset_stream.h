/* A data set: a stream whose tensors share their rows (image, keypoints, id, ...), read in blocks of whole rows and passed on.
 * Programs pass on what they don't know: ds_pass_* copy every tensor and META but those that the program replaces. */
#ifndef DATASET_STREAM_H
#define DATASET_STREAM_H

#include "lib/stream/tns.h"

struct dataset_stream {
	struct tns *in;	    /* defs, metas, name for messages */
	uint64_t row;	    /* number of the block's first row, from 0 */
	struct dataset_stream_col *col; /* private */
};

/* Opens and checks that every tensor is TNS_OPEN or of one same given dim[0] (else the program ends, naming two that differ). */
struct dataset_stream *dataset_stream_open(const char *path);
/* How many whole rows are there now, all tensors in step; 0 at the verified end. The last block's pointers end with the call. */
uint64_t dataset_stream_next(struct dataset_stream *d);
/* Row i of the block; i < what dataset_stream_next gave. Aligned for the element type. */
const void *dataset_stream_at(const struct dataset_stream *d, int id, uint64_t i);
void dataset_stream_close(struct dataset_stream *d);

/* Id of a tensor that must be there with this type and number of dimensions; else the program ends with one line. */
int dataset_stream_need(const struct tns *t, const char *name, int dtype, int ndim);
/* The K names of META points, split; NULL-terminated, to be freed with names_free. Dies if absent or K does not match. */
char **names_points(const struct tns *t, int k);
char **names_split(const char *list, int *n); /* "a,b,c"; dies on an empty name */
void names_free(char **names);
int names_index(char **names, const char *name); /* or -1 */

/* The row of which another is the mirror image: swap[k] is the point that takes k's place when the image is flipped: names with "left"
 * and "right" exchanged; itself where there is no such name. K entries, to be freed. */
int *names_mirror(char **names);

/* ---- passing on ---- */

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

/* META history alone: the histories of the n inputs, each line once, then opt_line() with the inputs' fingerprints (at their ends) and,
 * in brackets, any further words (may be NULL), e.g. the checksum of a side file. */
void history_put(struct tns_writer *w, const struct tns *const *in, int n, const char *more);

#endif
