/* Numbers that a row of a data set has, by name:
 *
 *   TENSOR             of one value a row: id, label, source, score, ...
 *   error              of points_error (point_tensors.h), without the points of META unlearned
 *   error.POINT        distance of the predicted point from the labelled one; NaN where it is not labelled
 *   labels             labelled points
 *   row                the row's number, from 1
 *   POINT.x, POINT.y   of keypoints
 *   TENSOR.POINT.x     and .y of another tensor of points (predicted)
 *   TENSOR.POINT       of a tensor of one value a point (confidence)
 *   TENSOR.CLASS       of a tensor of one value a class (score)
 *
 * A tensor's own name goes before the others. Whole numbers beyond 2^53 are rounded. */
#ifndef ROW_VALUE_H
#define ROW_VALUE_H

#include "lib/stream/dataset_stream.h"

/* A row of a block of a stream, or of a loaded table. */
struct row_ref {
	const struct dataset_stream *d; /* or NULL */
	const struct tns_table *table;
	uint64_t i;	 /* row of the block, or of the table */
	uint64_t number; /* row of the input, from 0 */
};

static inline const void *row_tensor(const struct row_ref *r, int id)
{
	return r->d ? dataset_stream_at(r->d, id, r->i) : tns_row(r->table, id, r->i);
}

enum row_value_kind { ROW_ELEMENT, ROW_ERROR, ROW_POINT_ERROR, ROW_LABELS, ROW_NUMBER };

struct row_value {
	enum row_value_kind kind;
	int id, dtype;	      /* ROW_ELEMENT: the tensor */
	size_t element;	      /* of its row; ROW_POINT_ERROR: the point */
	int truth, predicted; /* tensors of points, (K, 2) a row */
	int k;
	char *unlearned; /* (k) */
};

/* Ends the program if the stream has no such value; option: where the name was given, "--sort", for the message. */
void row_value_find(struct row_value *v, const struct tns *t, const char *name, const char *option);
double row_value_get(const struct row_value *v, const struct row_ref *r);
void row_value_free(struct row_value *v);

#endif
