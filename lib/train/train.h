/* Training a model on rows: epochs, batches, schedules, validation, the best weights, checkpoints from which a killed run goes on to the
 * same bits. */
#ifndef TRAIN_H
#define TRAIN_H

#include "kernels/backend.h"
#include "lib/base/log.h"
#include "lib/nn/model.h"
#include "lib/nn/net.h"
#include "lib/train/dataset.h"
#include "lib/train/spec.h"
#include "lib/train/targets.h"
#include "lib/train/train_state.h"

struct train_options {
	int epochs, batch, patience;  /* patience: epochs without a better validation before the end; 0: never */
	double learning_rate, momentum, weight_decay; /* weight_decay: not of biases and batch norm */
	enum optimizer optimizer;
	enum schedule schedule;
	struct augment augment;
	struct targets_options targets;
	const char *suspects; /* file for labels that stay far off, or NULL */
	uint64_t seed;
	const char *checkpoint; /* file, or NULL */
	int resume;		/* go on from it where it is there */
	const char *key;	/* what a checkpoint must agree with: options and fingerprints of the data */
	const char *log;	/* TSV file, or NULL */
	const char *beside;	/* file beside which the best weights are kept meanwhile, without a name; NULL: in /tmp */
	int quiet;
};

struct train {
	struct train_state s; /* all that a checkpoint holds */
	const struct train_options *a;
	const struct dataset *train, *valid; /* valid may be NULL */
	uint8_t *bytes, *valid_bytes;	     /* device: their images */
	struct targets *valid_targets;
	struct decoder *decoder; /* of targets with points, where there is a validation set */
	uint32_t *order, *rows;	 /* row numbers of an epoch: host, device */
	real *x, *dz;		 /* device: a batch and the gradient of its outputs */
	double *loss;		 /* device, a row each */
};

/* All the pieces outlive it. m's parameters are where training starts. */
struct train *train_new(
	const struct backend *be, struct model *m, const struct dataset *train, const struct dataset *valid, const struct train_options *a);
/* To the end; returns 0. Meanwhile the device has the only copy of m's parameters; m then holds the best weights where there is a
 * validation set, else the last. Where the loss is no number, or TRAIN_EXPLODED times that of the first epoch, a line says so with epoch
 * and layer: it returns -1 with the best weights in m, or dies where there are none. */
int train_run(struct train *t);
#define TRAIN_EXPLODED 1000.0
void train_free(struct train *t);

/* Loss, and error (share of wrong labels) or RMSE (pixels), of the net on the validation set. */
struct train_score {
	double loss, error;
};
struct train_score train_evaluate(struct train *t);

#endif
