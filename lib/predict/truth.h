/* The truth of a stream of predictions, in a stream of its own: a tensor's rows, looked up by id. Both streams must hold the same ids, each
 * once; a missing or repeated id ends the program, naming file, row and id. */
#ifndef TRUTH_H
#define TRUTH_H

#include "lib/base/lookup.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/tns.h"

struct truth {
	struct tns_table *table;
	const struct tns *head;
	struct lookup by_id;
	int col;	     /* the tensor's number in head */
	unsigned char *used; /* by entry of by_id: 1 once truth_row returned it */
};

void truth_open(struct truth *f, const char *path, const char *tensor, int dtype, int ndim);
/* The truth's row for row i of d's block; id: number of the tensor `id` in d. */
const void *truth_row(struct truth *f, const struct dataset_stream *d, int id, uint64_t i);
/* At the end: dies where a row of the truth was never looked up; frees. */
void truth_close(struct truth *f, const struct dataset_stream *d);

#endif
