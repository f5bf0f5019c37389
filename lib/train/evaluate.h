/* Loss and error of a net on a data set. */
#ifndef EVALUATE_H
#define EVALUATE_H

#include "lib/nn/decode.h"
#include "lib/nn/net.h"
#include "lib/ranks/ranks.h"
#include "lib/train/feed.h"
#include "lib/train/targets.h"

/* error: RMSE of coordinates (pixels) where the target has points, else the rate of wrong labels. */
struct train_score {
	double loss, error;
};

struct evaluation {
	const struct backend *be;
	const struct model *m;
	struct net *net;
	struct decoder *decoder; /* of targets with points */
	struct ranks *ranks;	 /* each computes some of the batches of net->B rows; NULL: there are none */
	uint32_t *order, *rows;	 /* (rows of the data set): buffers, host and device */
	real *x;		 /* device (net->B, inputs), buffer */
	double *loss;		 /* device (rows of the data set): each row's loss */
};

/* feed: of its images. tg: the data set's targets, of at least net->B rows a batch. */
struct train_score evaluate(const struct evaluation *e, const struct dataset *ds, struct feed *feed, struct targets *tg);
/* The sum of the first n losses, in order, over `by`. */
double evaluate_mean(const struct backend *be, const double *loss, uint32_t n, double by);
/* An array of the device, of which each rank has filled a part and has zeros elsewhere: all have all. */
void evaluate_merge(const struct backend *be, struct ranks *r, void *device, size_t bytes);

#endif
