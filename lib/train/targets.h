/* Targets and losses of one data set, on the device: labels warped with the augmented images, weights, the losses of batches; also the mean
 * residual of each label over epochs, for robust weights and suspect labels, and an estimate of the labels' common offset. */
#ifndef TARGETS_H
#define TARGETS_H

#include <stdio.h>

#include "kernels/backend.h"
#include "lib/nn/model.h"
#include "lib/train/dataset.h"
#include "lib/train/source_fit.h"

/* Losses of points; lengths in pixels. */
struct targets_options {
	enum loss_kind loss; /* of a coordinate: LOSS_SQUARED, LOSS_SMOOTH or LOSS_WING */
	double width, curve; /* of that loss, see struct loss */
	double sigma;	     /* heatmap and map: standard deviation of a point's target Gaussian */
	double sigma_last;   /* the same in the last epoch; 0: sigma */
	double entropy;	     /* heatmap: weight of the cross-entropy with that Gaussian; the coordinates' loss, in cells, has 1 */
	float *weight;	     /* (points), or NULL: all 1 */
	double robust;	     /* above threshold = targets_suspect_px of this, a label's weight is (threshold / distance)^2; 0: all 1 */
	int track_residuals; /* track residuals even where robust is 0 */
	int offset;	     /* estimate the labels' offset, see targets_end_epoch; not for target map */
};

struct targets {
	const struct backend *be;
	const struct model *m;
	const struct dataset *ds;
	const struct targets_options *a;
	double sigma;	 /* of now: that of the options, until it is set to another */
	int k, points;	 /* values of a row's target on the device; number of points */
	real *target;	 /* device (n, k): coordinates in the outputs' unit, or a class */
	real *weight;	 /* device (n, k), or NULL */
	real *t, *w;	 /* device: target and weight of a batch */
	real *pixels;	 /* device, map: target maps of a batch */
	real *prior;	 /* device, map: (points, MODEL_PRIOR) */
	real *predicted; /* device: predictions of an epoch, in its order: coords: (n, outputs), heatmap: (n, points, HEATMAP_DECODED); else
		    NULL */
	float *own;	 /* (k): labels of one row, buffer */
	int *mirror;	 /* (points): the point's index in a mirror image */
	real *host;	 /* (n, k): staging for uploads */
	double *asymmetry;	/* (points, 2): see targets_end_epoch; of the last epoch; NULL: not asked for, or images are not mirrored */
	struct source_fit *fit; /* residuals of the epoch, where the model has sources of labels: for source_fit_end; else NULL */
	float *residual; /* (n, points): running mean of a label's residual, its distance from the prediction, pixels; NaN: none yet; NULL:
			    not tracked */
};

/* B: largest batch, rows. track: 1 for the training set: residuals and predictions are kept where options a require it. All outlive it. */
struct targets *targets_new(
	const struct backend *be, const struct model *m, const struct dataset *ds, const struct targets_options *a, int B, int track);
/* Sets the targets and weights of an epoch, under a's warps of the images (NULL: none). full_weight: no robust down-weighting. */
void targets_augment(struct targets *tg, const struct augment *a, int full_weight);
/* Losses (device, B) of outputs z (device) of the rows numbered by rows (device); dz (device) or NULL;
 * at: position of the batch's first row in the epoch; count: targets_count of the batch of which these rows are all, or a part. */
void targets_loss(struct targets *tg, double *loss, real *dz, const real *z, const uint32_t *rows, uint32_t at, int B, double count);
/* The divisor of a sum of losses for its mean: labelled coordinates, or rows. order NULL: rows 0 to B - 1. */
double targets_count(const struct targets *tg, const uint32_t *order, int B);
/* The predictions of an epoch, device, and their bytes; NULL: they are not kept. */
void *targets_predicted(const struct targets *tg, size_t *bytes);
/* After an epoch's batches: updates residuals, a running mean with weight 1/4 for the new residual.
 * shift (2), where a warps images and the options ask for an offset: the estimated error of the model's label offset (some labels have the
 * origin at a pixel's corner, some count from 1, some were shifted when images were cropped); else 0, 0. A point q with label q + d, under
 * a warp q -> A q + t, should get the label A q + t + d; warped as if d were 0 its label is A (q + d) + t, an error of (A - 1) d that no
 * net can predict from the warped image. So d is the slope of label - prediction on A, by ridge regression with a constant (and the label's
 * position as another regressor, since predictions may be shrunk towards the middle); residuals above TARGETS_SUSPECT_FACTOR times their
 * median are left out as outliers. */
/*
 * Asymmetry: where a mirrors images and the options ask for an offset. A net that sees each image both ways learns of a left point and its
 * partner on the right what is the same of both, the mean of the one's labels and the other's mirrored, though labellers place them
 * otherwise (the set of faces at hand: the left eye's outer corner 0.4 pixels lower than the right one's). What the labels are off from
 * that is the mean residual, turned back into the unmoved image, of which the part is taken that changes its sign in a mirror image: for a
 * point and its partner x is equal, y opposite. Outliers are left out; means are of TARGETS_RIDGE labels more, of residual 0. */
#define TARGETS_RIDGE 16.0
void targets_end_epoch(struct targets *tg, const uint32_t *order, const struct augment *a, double shift[2]);
/* The distance above which a label is suspect: px, but at least TARGETS_SUSPECT_FACTOR times the median distance, as early in training most
 * labels are far from the predictions. */
double targets_suspect_px(const struct targets *tg, double px);
#define TARGETS_SUSPECT_FACTOR 3.0
/* Writes labels whose distance is above px to a file, in the format of csv-clean's reports; returns how many. unsure: the net knows too
 * little to judge; they are of kind `unsure` then, which csv-clean does not blank by itself, and likewise where they are more than
 * TARGETS_SUSPECTS_MAX of all. */
uint64_t targets_write_suspects(const struct targets *tg, const char *path, double px, int unsure);
#define TARGETS_SUSPECTS_MAX 0.02
void targets_free(struct targets *tg);

/* Weights (points) from n options "NAME=F", 1 where none is given; points comma-joined; to be freed. Wrong use exits 2. */
float *targets_weights(const char *points, const char *const *list, int n);

/* Sets m->prior, where m has one, from the mean and standard deviation of ds's labels. */
void targets_prior(struct model *m, const struct dataset *ds);

#endif
