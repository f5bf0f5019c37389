/* What a net in training is scored against: targets of a set of rows on the device, moved with the images, weighed, and the losses of
 * batches; and which labels stay far from what the net makes of them. */
#ifndef TARGETS_H
#define TARGETS_H

#include <stdio.h>

#include "kernels/backend.h"
#include "lib/nn/model.h"
#include "lib/train/dataset.h"

/* How points are learned; lengths in pixels. */
struct targets_options {
	enum loss_kind loss; /* of a coordinate: LOSS_SQUARED, LOSS_SMOOTH or LOSS_WING */
	double width, curve; /* of it */
	double sigma;	     /* heatmap and map: the deviation of a point's bump */
	double entropy;	     /* heatmap: weight of the cross-entropy with it, beside the coordinates' loss in places */
	float *weight;	     /* (points), or NULL: all 1 */
	double robust;     /* labels further off than far = targets_suspect_px of this count less, by (far / distance)^2; 0: all the same */
	int track_distance;	     /* keep track of distances even where distrust is 0 */
	int offset;	     /* find out from what place on labels count; not of target map */
};

struct targets {
	const struct backend *be;
	const struct model *m;
	const struct dataset *ds;
	const struct targets_options *a;
	int k, points;	 /* values of a row's target on the device; points */
	real *target;	 /* device (n, k): scaled coordinates, or a class */
	real *weight;	 /* device (n, k), or NULL */
	real *t, *w;	 /* device: a batch's */
	real *pixels;	 /* device: map: a batch's target */
	real *prior;	 /* device: map */
	real *observed;	 /* device: coords: (n, outputs), heatmap: (n, points, HEATMAP_PLACE): what an epoch saw, in its order; else NULL */
	int *mirror;	 /* points */
	real *host;	 /* (n, k) */
	float *distance; /* (n, points): running mean of how far a label is from what the net makes of it, pixels; NaN: none yet; NULL where
			    not followed */
};

/* B: most rows a batch. follow: distances are kept where the options ask for it. All outlive it. */
struct targets *targets_new(const struct backend *be, const struct model *m, const struct dataset *ds, const struct targets_options *a, int B, int follow);
/* Targets of an epoch: as they are, or moved as a moves the images. trusting: labels count the same whatever their distance. */
void targets_augment(struct targets *tg, const struct augment *a, int trusting);
/* Losses (device, B) of outputs z (device) of the rows numbered by rows (device); order: the same numbers on the host; dz (device) or NULL;
 * at: how many of the epoch's rows came before. */
void targets_loss(struct targets *tg, double *loss, real *dz, const real *z, const uint32_t *rows, const uint32_t *order, uint32_t at, int B);
/* What a sum of losses is the mean over: labelled coordinates, or rows. order NULL: all rows. */
double targets_count(const struct targets *tg, const uint32_t *order, int B);
/* After an epoch's batches: distances move a quarter of the way to what was seen.
 * shift (2), where a moves images and the options ask for an offset: by how much labels seem to count from another place than the model's
 * offset has it (some count pixels' corners, some from 1, some were shifted when images were cut); else 0, 0. A label q + d of a place q that a
 * warp of linear part A moves to A q + t should become A q + t + d; moved as if d were 0 it is off by (A - 1) d, which no net can know that
 * sees only the image moved. So d is what a least-squares fit of label - prediction on A finds (and on the label's place, since a net may
 * move points too little, with a constant and a ridge); labels that are far off are left out. */
void targets_observe(struct targets *tg, const uint32_t *order, const struct augment *a, double shift[2]);
/* From what distance on a label is doubted, where px are asked for: a net that is far from most labels yet can't tell which ones are wrong,
 * so it is TARGETS_SUSPECT times their median distance at least. */
double targets_suspect_px(const struct targets *tg, double px);
#define TARGETS_SUSPECT 3.0
/* Labels further off than px, as csv-clean reports faults, into a file; returns how many. */
uint64_t targets_write_suspects(const struct targets *tg, const char *path, double px);
void targets_free(struct targets *tg);

/* "NAME=F" of n options as a weight a point, 1 where none is given; to be freed. Wrong use exits 2. */
float *targets_weights(const char *points, const char *const *list, int n);

/* Where points usually are, for model.prior: from the labels of r. */
void targets_prior(struct model *m, const struct dataset *ds);

#endif
