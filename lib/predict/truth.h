/* The truth in another stream than the predictions: a tensor's rows found by id. Both streams must hold the same ids, each once; what does
 * not go together ends the program, naming file, row and id. */
#ifndef TRUTH_H
#define TRUTH_H

#include "lib/base/lookup.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/tns.h"

struct truth {
	struct tns_table *table;
	const struct tns *head;
	struct lookup by_id;
	int col; /* the tensor */
	unsigned char *used;
};

void truth_open(struct truth *f, const char *path, const char *tensor, int dtype, int ndim);
/* The row for row i of d's block, whose tensor id is given. */
const void *truth_row(struct truth *f, const struct dataset_stream *d, int id, uint64_t i);
/* At the end: every row of the truth was asked for. */
void truth_close(struct truth *f, const struct dataset_stream *d);

#endif
