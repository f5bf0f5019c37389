/* A data set as a stream of rows: a tensor stream whose tensors share dim[0] (image, keypoints, id, ...), read in blocks of whole rows,
 * however its tensors' chunks interleave. Tensors that a program does not replace are copied by passthrough.h. */
#ifndef DATASET_STREAM_H
#define DATASET_STREAM_H

#include "lib/base/nearest.h"
#include "lib/stream/tns.h"

struct dataset_stream {
	struct tns *in;			/* definitions, METAs, name for messages */
	uint64_t row;			/* number of the block's first row, from 0 */
	struct dataset_stream_col *col; /* buffered rows, a tensor; private */
};

/* Opens and checks that all tensors have the same dim[0], TNS_UNLIMITED or given (else the program ends, naming two that differ, or saying
 * that it is a model). */
struct dataset_stream *dataset_stream_open(const char *path);
/* Reads the next block: returns its rows, as many for all tensors, or 0 at the verified end. Invalidates pointers into the last block. */
uint64_t dataset_stream_next(struct dataset_stream *d);
/* Row i of tensor id in the block; i < what dataset_stream_next returned. Aligned for the element type. */
const void *dataset_stream_at(const struct dataset_stream *d, int id, uint64_t i);
void dataset_stream_close(struct dataset_stream *d);

/* META split where rows of one person may be in more than one part (a word of it is rows, near or tensor id), so that a score on the part
 * may flatter; else NULL. */
const char *dataset_stream_split(const struct tns *t);
/* Ends the program where t is a model. */
void dataset_stream_no_model(const struct tns *t);
/* "; PROGRAM adds it" for the end of a message that there is no such tensor in t; "" for tensors that no one program adds. */
const char *dataset_stream_source(const struct tns *t, const char *name);
/* Id of a tensor that must be there, else the program ends with one line that names the nearest, or all. */
int dataset_stream_find(const struct tns *t, const char *name);
/* What may have been meant by a name that is no tensor's, for messages. */
struct nearest dataset_stream_nearest(const struct tns *t, const char *name);
/* Id of a tensor that must be there with this type and number of dimensions; else the program ends with one line. */
int dataset_stream_require(const struct tns *t, const char *name, int dtype, int ndim);

#endif
