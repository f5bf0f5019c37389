/* The state of a training run between two epochs, and so the contents of a checkpoint: parameters, the optimizer's moments, the weights'
 * average, counters, the best weights so far, mean residuals of labels. Equal states lead to the same bits. */
#ifndef TRAIN_STATE_H
#define TRAIN_STATE_H

#include <stdio.h>

#include "kernels/backend.h"
#include "lib/nn/model.h"
#include "lib/nn/net.h"
#include "lib/train/targets.h"

struct train_state {
	const struct backend *be;
	struct model *m;	 /* its offset; parameters are on the device during training */
	struct net *net;	 /* param, stat */
	struct targets *targets; /* of the training set; distance (n, points), where residuals are tracked */
	real *moment1, *moment2; /* device: first and second moments; moment2: NULL but for Adam */
	/* device: exponential moving averages of the net's param and stat; NULL: none are kept */
	real *average, *average_stat;
	int epoch, step;	 /* epochs and optimizer steps done */
	int planned;		 /* epochs that the schedule and the training's phases are made for */
	int best_epoch;		 /* 0: none yet */
	double best, first_loss; /* validation score of best_epoch; training loss of the first epoch */
	double offset[2];	 /* the model's offset in best_epoch */
	double *asymmetry;	 /* and its asymmetry; NULL: nothing */
	struct sources *sources; /* and its sources' offsets; NULL: none */
	FILE *best_file;	 /* best_epoch's weights: parameters, then statistics; an unlinked file; NULL: they are not kept */
};

/* Ends the program where one of n weights (host) is not finite. The loss can't show it: an epoch's is of the weights before its last
 * step. */
void train_state_check_finite(const struct train_state *s, const real *p, size_t n);

/* The average is that of the weights alone: at the start of a training. */
void train_state_average_begin(struct train_state *s);
/* After an optimizer step, s->step of them: average = d average + (1 - d) weights, d the smaller of decay and (1 + step) / (10 + step), so
 * that the first weights, drawn at random, are soon forgotten; running statistics likewise. */
void train_state_average_step(struct train_state *s, double decay);
/* Exchanges the net's weights and statistics with the average, where there is one; twice: as it was. */
void train_state_average_swap(struct train_state *s);

/* The best weights so far: their file is unlinked, so that it is gone however the process ends, in the directory of `near`; NULL: in /tmp.
 * put: those of the net now, with the model's offset, are the best, of epoch and this score; kept where there is a file. get: into the
 * host's arrays. */
void train_state_open_best(struct train_state *s, const char *near);
void train_state_put_best(struct train_state *s, double score);
void train_state_get_best(const struct train_state *s, real *param, real *stat);

#endif
