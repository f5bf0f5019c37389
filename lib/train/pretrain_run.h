/* Training without labels from data set to model file: layer by layer, with snapshots, checkpoints and a log. */
#ifndef PRETRAIN_RUN_H
#define PRETRAIN_RUN_H

#include "lib/train/dataset.h"
#include "lib/train/pretrain.h"

enum { PRETRAIN_LAYERS = 16, PRETRAIN_SNAPSHOTS = 64, PRETRAIN_SAMPLE = 1000 };

struct pretrain_run {
	const struct pretrain_kind *kind;
	const struct backend *be;
	const struct pretrain_options *a;
	struct dataset *data, *valid; /* valid: held out, measured after each epoch; NULL: none */
	int layers, hidden[PRETRAIN_LAYERS];
	int snapshots, snapshot[PRETRAIN_SNAPSHOTS]; /* epochs, of the last layer, after which the model is also written to output-EPOCH */
	const char *output;			     /* NULL: stdout */
	const char *checkpoint, *log;		     /* files or NULL */
	int resume, spare, quiet;		     /* spare: as train_options' */
};

/* Writes the model: the net `fcH sigmoid ... fcV sigmoid`, encoder then decoder, the decoder's weights the encoder's transposed, these
 * times 1 - corruption (dae.h); target image. Where the first layer's visible units are Gaussian, their scale is the images' mean and
 * standard deviation, which the net's first and last weights hold, and the net ends with fcV. Dies when a loss or a weight is not finite,
 * a loss is TRAIN_EXPLODED times the first, a layer ends TRAIN_WORSE times worse than the mean row (baseline.h), or images to be Gaussian
 * are all alike; warns where a layer ends no better than the mean row, by its pseudo-likelihood neither where it has one. Log: epoch, layer
 * (both from 1), train_loss, the kind's further figures, the same as valid_... where valid is given, structured (filters.h; of the first
 * layer, else NaN), seconds. Figures of the training data are of PRETRAIN_SAMPLE rows, evenly spread, but for losses that the kind has
 * anyway.
 */
void pretrain_run(const struct pretrain_run *r);
/* The text of that net; to be freed. */
char *pretrain_run_net(const struct pretrain_run *r);

#endif
