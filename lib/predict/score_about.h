/* What stands beside the figures of predictions: what the mean face reaches on the same rows, and why the figures may flatter. */
#ifndef SCORE_ABOUT_H
#define SCORE_ABOUT_H

#include "lib/base/json.h"
#include "lib/predict/score.h"
#include "lib/stream/dataset_stream.h"

struct score_about {
	const char *split;		 /* of dataset_stream_split: rows of one person may be in several parts; or NULL */
	int trained_col;		 /* number of the tensor trained; -1: the predictions don't say what the model was trained on */
	uint64_t rows, trained, unknown; /* all rows; of these TRAINED_ON and TRAINED_UNKNOWN (lib/nn/trained.h) */
	int k;				 /* points; 0: labels, which have no mean face */
	double *mean;			 /* (K, 2), px: META mean_face, of the training set; NULL: it lacks a point that is measured */
	const char *left_out;
	struct score_sum sum;  /* its errors */
	struct score_own *own; /* private (K, 2): running means of these rows' labels */
};

/* in: the predictions. left_out (K) 1: the point is not measured; names and left_out outlive it. K 0: labels. Dies where META mean_face
 * is malformed. */
void score_about_begin(struct score_about *a, const struct tns *in, char **names, int k, const char *left_out);
/* A row: its value of tensor trained (NULL where there is none), and its truth (K, 2). */
void score_about_add(struct score_about *a, const uint8_t *trained, const float *truth);
void score_about_row(struct score_about *a, const struct dataset_stream *d, uint64_t i, const float *truth); /* row i of d's block */
/* Errors of the mean face. Without that of the training set it is that of these rows' own labels, and has no points, as distances from it
 * are known only after the last row. */
struct score_sum score_about_mean_face(const struct score_about *a);
/* Of all rows how many the model was trained on: where that is not known of some, as many of these as of the others. */
double score_about_trained(const struct score_about *a);
/* Where the model was trained on some of the rows: a line on stderr. name: of the predictions. */
void score_about_warn(const struct score_about *a, const char *name);
/* Lines that say why the figures flatter, or may; begun with name, or NULL where there is one file. As JSON: keys split, trained_rows,
 * trained_rows_estimated and may_flatter, the first and the last where there is something to say, the others where trained_col is there. */
void score_about_print(struct out *to, const struct score_about *a, const char *name);
void score_about_json(struct json *j, const struct score_about *a);
void score_about_end(struct score_about *a);

#endif
