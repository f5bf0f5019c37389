/* What a training run consists of between two epochs, and so what a checkpoint holds: parameters, the optimizer's moments, counters, the best
 * weights so far, distances of labels. Whoever resumes from an equal state goes on to the same bits. */
#ifndef TRAIN_STATE_H
#define TRAIN_STATE_H

#include <stdio.h>

#include "kernels/backend.h"
#include "lib/nn/model.h"
#include "lib/nn/net.h"
#include "lib/train/targets.h"

struct train_state {
	const struct backend *be;
	struct model *m;	  /* its offset; parameters are on the device meanwhile */
	struct net *net;	  /* param, stat */
	struct targets *targets;  /* of the training set; distance (n, points), where it is followed */
	real *moment1, *moment2;  /* device: the optimizer's; moment2 of Adam alone, else NULL */
	int epoch, step;	  /* epochs done; steps of the optimizer done */
	int best_epoch;		  /* 0: none yet */
	double best, first_loss;  /* validation score of best_epoch; training loss of the first epoch */
	double offset[2];	  /* the model's in best_epoch */
	FILE *best_file;	  /* best_epoch's weights: parameters, then statistics; an unlinked file; NULL without a validation set */
};

/* Ends the program where one of n weights (host) is not finite: a loss is computed before its step, so it can't show what the last step
 * did. */
void train_state_check_finite(const struct train_state *s, const real *p, size_t n);

#endif
