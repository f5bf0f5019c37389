/* An autoencoder's whole training: layer after layer, snapshots, checkpoints, log, model. */
#ifndef DAE_RUN_H
#define DAE_RUN_H

#include "lib/base/log.h"
#include "lib/train/dae.h"
#include "lib/train/dataset.h"

enum { DAE_RUN_LAYERS = 16, DAE_RUN_SNAPSHOTS = 64 };

struct dae_run {
	const struct backend *be;
	const struct dae_options *a;
	struct dataset *data;
	int layers, hidden[DAE_RUN_LAYERS];
	int snapshots, snapshot[DAE_RUN_SNAPSHOTS]; /* epochs after which the model so far is written too (of a stack: of its last layer) */
	const char *output;			   /* NULL: stdout */
	const char *checkpoint, *log;		   /* files or NULL */
	int resume, quiet;
};

/* Writes the model: the net `fcH sigmoid ... fcV sigmoid`, encoder then decoder, the decoder's weights the encoder's transposed; target
 * image. Dies when the loss is no number. */
void dae_run(const struct dae_run *r);

#endif
