/* Training a model on a data set: epochs, batches, learning rate schedule, validation, best weights, checkpoints. A resumed run ends with
 * the same bits as one never interrupted. */
#ifndef TRAIN_H
#define TRAIN_H

#include "kernels/backend.h"
#include "lib/base/log.h"
#include "lib/nn/model.h"
#include "lib/nn/net.h"
#include "lib/train/baseline.h"
#include "lib/train/dataset.h"
#include "lib/train/evaluate.h"
#include "lib/train/feed.h"
#include "lib/train/shards.h"
#include "lib/train/spec.h"
#include "lib/train/targets.h"
#include "lib/train/train_state.h"

struct train_options {
	int epochs, batch, patience;		      /* patience: stop after so many epochs without a better validation score; 0: never */
	int keep_last;				      /* 1: the last epoch's weights, with their score, not the validation set's best */
	double learning_rate, momentum, weight_decay; /* weight_decay: not of biases and batch norm */
	double warmup;	/* epochs, or a fraction, over which the rate rises linearly until it meets the schedule */
	double average; /* decay of the weights' exponential moving average, which is validated and written instead of them; 0: none */
	enum optimizer optimizer;
	enum schedule schedule;
	struct augment augment;
	struct targets_options targets;
	const char *suspects; /* file for suspect labels, or NULL */
	uint64_t seed;
	enum extend extend;	/* a checkpoint made for another number of epochs: what becomes of its schedule */
	const char *checkpoint; /* file, or NULL */
	int resume;		/* resume from it where it exists */
	int spare;		/* it is needed only if the run is interrupted: not within KEEP_SECONDS of the last, nor at the end */
	const char *key;	/* a checkpoint's key must be equal: options and fingerprints of the data */
	const char *log;	/* TSV file, or NULL */
	const char *best_near;	/* the best weights are kept in an unlinked file in the directory of this file; NULL: in /tmp */
	int quiet;
	int shards;		      /* of a batch, a power of two; 0, 1: batches are whole */
	struct ranks *ranks;	      /* that share them; NULL: this process has all */
	const struct tns_table *init; /* the model that the weights start from, or NULL: its training images count as this one's too */
};

struct train {
	struct train_state s; /* what a checkpoint holds */
	const struct train_options *a;
	const struct dataset *train, *valid; /* valid may be NULL */
	struct feed *feed, *valid_feed;	     /* their images, batch by batch */
	struct targets *valid_targets;
	struct decoder *decoder;  /* of targets with points */
	struct baseline baseline; /* on the validation set, else on the training set */
	double last;		  /* after train_run, with keep_last: the validation score of the weights */
	double reached;		  /* after train_result: the figure that it compared with the baseline */
	uint32_t *order, *rows;	  /* shuffled row numbers of an epoch: host, device */
	real *x, *dz;		  /* device, of a batch, or a shard: input, and gradient of the net's outputs */
	int B;			  /* rows of a batch */
	struct shards *shards;	  /* NULL: batches are whole */
	double *loss;		  /* device, of each row of an epoch */
};

/* Wrong use that only the data tell: patience without held-out rows. */
void train_check(const struct train_options *a, const struct dataset *valid);
/* All arguments outlive it. m's parameters are the initial ones. Sets m->mean and m->trained. */
struct train *train_new(
	const struct backend *be, struct model *m, const struct dataset *train, const struct dataset *valid, const struct train_options *a);
/* Trains to the last epoch; returns 0. During training the device has the only copy of m's parameters; afterwards m holds the best weights
 * where there is a validation set and keep_last is 0, else the last, or these epochs' averages. Where an epoch's loss is no number, or
 * above TRAIN_EXPLODED times that of the first epoch, it reports epoch and layer and returns -1 with the best weights in m, or dies where
 * there are none that are better than the baseline. */
int train_run(struct train *t);
#define TRAIN_EXPLODED 1000.0
enum train_result {
	TRAIN_LEARNED,
	TRAIN_NOTHING, /* not better than the baseline */
	/* nor will it be: TRAIN_WORSE times worse and further off than half the image (labels: TRAIN_WORSE squared times worse), or, with a
	 * validation set, the last epoch was not the best one */
	TRAIN_NOWHERE,
};
/* After train_run; without a validation set it is measured on the training set. */
enum train_result train_result(struct train *t);
void train_warn(const struct train *t, enum train_result result); /* the line that says so; after train_result */
#define TRAIN_WORSE 10.0
/* After train_run: a line on stderr, unless quiet, of the epoch whose weights m has, where there is a validation set. */
void train_tell_best(const struct train *t);
/* After train_result: the labels that stayed further off than the robust threshold, else a sixteenth of the image's width, into the file
 * of the option suspects (targets_write_suspects); unless quiet their number on stderr. */
void train_write_suspects(const struct train *t);
void train_free(struct train *t);

/* Loss and error of the net on the validation set. */
struct train_score train_evaluate(struct train *t);

#endif
