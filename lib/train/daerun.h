/* An autoencoder's whole training: layer after layer, snapshots, checkpoints, log, model. */
#ifndef DAERUN_H
#define DAERUN_H

#include "lib/base/log.h"
#include "lib/train/dae.h"
#include "lib/train/rows.h"

enum { DAERUN_LAYERS = 16, DAERUN_SNAPSHOTS = 64 };

struct daerun {
	const struct ops *ops;
	const struct dae_options *a;
	struct rows *data;
	int layers, hidden[DAERUN_LAYERS];
	int snapshots, snapshot[DAERUN_SNAPSHOTS]; /* epochs after which the model so far is written too (of a stack: of its last layer) */
	const char *output;			   /* NULL: stdout */
	const char *checkpoint, *log;		   /* files or NULL */
	int resume, quiet;
};

/* Writes the model: the net `fcH sigmoid ... fcV sigmoid`, encoder then decoder, the decoder's weights the encoder's transposed; target
 * image. Dies when the loss is no number. */
void daerun(const struct daerun *r);

#endif
