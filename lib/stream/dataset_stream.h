/* A data set as a stream of rows: a tensor stream whose tensors share dim[0] (image, keypoints, id, ...), read in blocks of whole rows,
 * however its tensors' chunks interleave. What a program does not replace it passes on: passthrough.h. */
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

#endif
