/* The denoising autoencoder with tied weights (Vincent et al., 2008): y = f(x~ w' + b), z = f(y w + c), w (H, V), f the sigmoid, x~ the
 * input with each value set to zero with probability `corruption`, the loss the cross-entropy of z with the clean x, summed over inputs;
 * SGD by batches. Layers are trained greedily: each on the codes (hidden activations) of the one before (Bengio et al., 2007). */
#ifndef DAE_H
#define DAE_H

#include <stdint.h>

#include "kernels/backend.h"

struct dae_options {
	int epochs, batch;		 /* epochs of each layer; rows a batch */
	float learning_rate, corruption; /* learning_rate: of the batch's mean gradient */
	uint64_t seed;
};

/* One layer, V inputs, H hidden units, batches of B rows; param is w (H, V), b (H), c (V) in one block. Device memory but for host_rows. */
struct dae {
	const struct backend *be;
	int V, H, B;
	real *param, *grad;	      /* grad: of b and c; w's is fused with its step, not stored */
	real *x, *noisy, *h, *z, *dh; /* a batch: clean and corrupted input, codes, logits of the output, gradient of the codes */
	double *loss;		      /* of each row of an epoch */
	uint32_t *rows, *host_rows;   /* row numbers in the order of an epoch */
	uint32_t N;		      /* rows of the data set */
};

/* Initial weights are drawn by Philox (a->seed, PHILOX_INIT, 1000 + layer, ...). */
struct dae *dae_new(const struct backend *be, int V, int H, uint32_t N, int layer, const struct dae_options *a);
/* One epoch over bytes (N, V), device, x = byte / 255, or codes (N, V), device, the other NULL. epoch counts from 1.
 * Returns the mean cross-entropy a row. */
double dae_epoch(struct dae *d, const uint8_t *bytes, const real *codes, int layer, uint32_t epoch, const struct dae_options *a);
/* out (N, H), device: the codes of all rows, uncorrupted, as input of the next layer. */
void dae_encode(struct dae *d, const uint8_t *bytes, const real *codes, real *out);
void dae_free(struct dae *d);

#endif
