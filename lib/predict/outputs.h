/* The tensors that a prediction adds to a data set: predicted (rows, points, 2), confidence (rows, points), steps (rows, levels, points, 2)
 * and maps; or score; or reconstruction; and of points and labels trained (rows), see cascade_trained. Points are in the order of the
 * data's own where it has them, and columns of classes in that of the data's labels, whatever the model's is. */
#ifndef OUTPUTS_H
#define OUTPUTS_H

#include "lib/predict/cascade.h"
#include "lib/stream/dataset_stream.h"

struct outputs {
	struct tns_writer *w;
	const struct cascade *c;
	const struct model *m;
	int values, levels;			    /* of infer_batch's row; further levels of a cascade */
	int main, confidence, steps, maps, trained; /* tensor ids, or -1 */
	int *order;				    /* (points, classes): output i is the model's order[i]; of classes NULL: its own */
	char *names;				    /* in that order, comma-joined */
	int matched;				    /* 1: the data has labels of these points */
	char *unlearned;			    /* points that no model learned, whose predictions are NaN, comma-joined; NULL: none */
	float *buf;
};

/* Defines the tensors. The points of a data set with keypoints are matched by name; dies where they are not the model's. with_maps: maps
 * too. All arguments outlive it. */
struct outputs *outputs_new(struct tns_writer *w, const struct cascade *c, int levels, int with_maps, const struct tns *in);
/* METAs points or classes, pairs (of points that the data has no labels of), unlearned, mean_face and maps_scale. */
void outputs_put_meta(const struct outputs *o);
/* Writes one row: out, stddev, steps of cascade_batch_wait; maps of infer_set_maps, or NULL. */
void outputs_write(const struct outputs *o, const float *out, const float *stddev, const float *steps, const float *maps);
/* Writes one row of trained, where a model says something of its training images: u8, TRAINED_NOT, TRAINED_ON or TRAINED_UNKNOWN. */
void outputs_write_trained(const struct outputs *o, const uint8_t *image);
void outputs_free(struct outputs *o);

#endif
