/* What a model that looks at no image reaches: every face is the mean face, every label the most frequent class. A net that does not beat
 * it has learned nothing, whatever its loss. */
#ifndef BASELINE_H
#define BASELINE_H

#include "kernels/backend.h"
#include "lib/train/dataset.h"
#include "lib/train/rows.h"

/* Fitted to the labels of train, measured on those of ds (the same, or a held-out set). error: points: RMSE over labelled coordinates,
 * pixels; a point without labels in train is in the image's middle; classes: share of wrong labels. loss: classes: mean cross-entropy of
 * the frequencies (each class counted once more than it occurs), else NaN. */
struct baseline {
	double error, loss;
};

/* (k) means of train's labels, to be freed; the image's middle where there is none. */
double *baseline_mean(const struct dataset *train);
struct baseline baseline_points(const struct dataset *train, const struct dataset *ds);
struct baseline baseline_classes(const struct dataset *train, const struct dataset *ds);
/* Mean loss a row of taking the mean row of train for each of x: half the squared error, or, of values from 0 to 1, the
 * cross-entropy, to which a row of 1/2 is counted among train's, so that no value is impossible. */
double baseline_row(struct rows *train, struct rows *x, int squared);

#endif
