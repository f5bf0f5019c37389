/* The truth of a stream of predictions, in a stream of its own: a tensor's rows, looked up by id. Both streams must hold the same ids, each
 * once; a missing or repeated id ends the program, naming file, row and id. */
#ifndef TRUTH_H
#define TRUTH_H

#include "lib/base/lookup.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/tns.h"

/* The number of t's tensor `crop`, or -1. */
int truth_crop_tensor(const struct tns *t);
/* Points are pixels of a row's image. Dies where b's images have another size than a's, if both have any; or where the rows (from 0) of one
 * id show different parts of a photograph: crop (6) as of `tns-import`, NULL: not known. */
void truth_same_size(const struct tns *a, const struct tns *b);
void truth_same_crop(const struct tns *a, const float *crop_a, uint64_t row_a, const struct tns *b, const float *crop_b, uint64_t row_b);

struct truth {
	struct tns_table *table;
	const struct tns *head;
	struct lookup by_id;
	int col;	     /* the tensor's number in head */
	uint64_t row;	     /* of the last truth_row, from 0 */
	unsigned char *used; /* by entry of by_id: 1 once truth_row returned it */
};

/* A loaded stream's rows by its tensor `id`, u32, whose number is id. Dies where one stands in two rows. */
void truth_ids(struct lookup *l, const struct tns_table *t, int id);
void truth_open(struct truth *f, const char *path, const char *tensor, int dtype, int ndim);
/* The truth's row for row i of d's block; id: number of the tensor `id` in d. */
const void *truth_row(struct truth *f, const struct dataset_stream *d, int id, uint64_t i);
/* (*n): of each of the truth's class labels its number among in's classes, by name, or NULL: the same numbers, since one of both has no
 * names but numbers. Dies where in lacks one. To be freed. */
int *truth_classes(const struct truth *f, const struct tns *in, int *n);
/* At the end: dies where a row of the truth was never looked up; frees. */
void truth_close(struct truth *f, const struct dataset_stream *d);

/* The labels of a stream of predicted points: its own tensor keypoints, or those of a truth, whose points are matched by name. */
struct truth_points {
	struct truth f;
	int own, id; /* numbers of the stream's tensors keypoints and id; own -1: f is read */
	int crop[2]; /* of the stream and of the truth: tensors, or -1 */
	int k, *at;  /* (K): point i is the truth's at[i], or -1 */
	float *xy;   /* (K, 2) */
};

/* The number of tensor `name`, f32 (rows, K, 2); dies where it is none, or K is not k. k 0: any. */
int truth_points_tensor(const struct tns *t, const char *name, int k);
/* path: the truth, or NULL. names: the K points of in. Warns of those that the truth hasn't. */
void truth_points_open(struct truth_points *t, const char *path, const struct tns *in, char **names, int k);
/* (K, 2) of row i of d's block, NaN: no label; valid until the next call. */
const float *truth_points_row(struct truth_points *t, const struct dataset_stream *d, uint64_t i);
/* At the end, as truth_close. */
void truth_points_close(struct truth_points *t, const struct dataset_stream *d);

#endif
