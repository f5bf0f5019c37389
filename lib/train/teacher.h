/* Knowledge distillation: what other models predict of the training images, averaged with their labels, and in place of those that are
 * missing (Hinton, Vinyals, Dean, Distilling the knowledge in a neural network, 2015; of images without labels: pseudo-labels, Lee 2013).
 */
#ifndef TEACHER_H
#define TEACHER_H

#include "lib/train/dataset.h"

struct teacher {
	const char *predictions; /* file: a data set with `predicted` (f32 rows, points, 2: pixels), `id` and `image`, as predict makes it
				    of the same images; rows of other ids are passed over. NULL: none */
	const char *pseudo;	 /* file: the same of further images, whose labels, if any, are not looked at. NULL: none */
	double share;		 /* of the predictions, 0 to 1 */
	int quiet;
	struct tns_table *table[2]; /* of the files, after teacher_apply: their heads stay valid until teacher_free */
};

/* A label becomes (1 - share) label + share prediction; where it is missing, the prediction, with weight share (ds->weight). Rows of
 * pseudo are added with their predictions of weight share, and ids from the largest of ds on. Ends the program where points or sizes
 * differ, where a row of the same id shows another image, or none is of an id of ds, which is changed in place, and
 * freed before the teacher, whose files its images may be in. */
void teacher_apply(struct teacher *t, struct dataset *ds);
/* Appends the files' heads to in, which has n; returns how many it has then. */
int teacher_inputs(const struct teacher *t, const struct tns **in, int n);
void teacher_free(struct teacher *t);

#endif
