/* Training of a stacked autoencoder from data set to model file: layer by layer, with snapshots, checkpoints and a log. */
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
	int snapshots, snapshot[DAE_RUN_SNAPSHOTS]; /* epochs, of the last layer, after which the model is also written to output-EPOCH */
	const char *output;			    /* NULL: stdout */
	const char *checkpoint, *log;		    /* files or NULL */
	int resume, spare, quiet;		    /* spare: as train_options' */
};

/* Writes the model: the net `fcH sigmoid ... fcV sigmoid`, encoder then decoder, the decoder's weights the encoder's transposed; target
 * image. Dies when the loss or a weight is not finite. */
void dae_run(const struct dae_run *r);
/* The text of that net; to be freed. */
char *dae_run_net(const struct dae_run *r);

#endif
