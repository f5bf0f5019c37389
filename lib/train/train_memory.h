/* The memory that a training takes of its device, before it is taken; of a GPU without the images, and without what kernels need on the
 * way. */
#ifndef TRAIN_MEMORY_H
#define TRAIN_MEMORY_H

#include "lib/train/train.h"

struct train_memory {
	int rows;	/* of a batch, of this rank */
	double weights; /* bytes: weights, their gradients, the optimizer's moments and the average */
	double batch;	/* bytes: activations and their gradients, images, outputs */
};

/* rows: of the larger set. */
struct train_memory train_memory(const struct backend *be, const struct netdesc *d, const struct train_options *a, uint32_t rows);
/* The same of both sets (valid may be NULL): ends the program where the device is the host, which has not as much. */
void train_memory_require(const struct backend *be, const struct netdesc *d, const struct train_options *a, const struct dataset *train,
	const struct dataset *valid);

#endif
