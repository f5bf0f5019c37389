/* The denoising autoencoder with tied weights (Vincent et al., 2008): y = f(x~ w + b), z = f(y w' + c), f the sigmoid, x~ the input with a
 * share of it set to zero, the loss the cross-entropy of z with the clean x summed over inputs, minibatch gradient descent. Layers are
 * trained one after the other, each on the codes of the one before (Bengio et al., 2007). */
#ifndef DAE_H
#define DAE_H

#include <stdint.h>

#include "kernels/backend.h"

struct dae_options {
	int epochs, batch;	/* epochs of each layer */
	float learning_rate, corruption; /* rate: step on the mean gradient of the batch */
	uint64_t seed;
};

/* One layer: w (H, V), b (H), c (V) one after the other in param; device. */
struct dae {
	const struct backend *be;
	int V, H, B;
	real *param, *grad; /* grad: of b and c; w's is kept nowhere */
	real *x, *noisy, *h, *z, *dh;
	double *loss; /* device, a row each, of one epoch */
	uint32_t *rows, *host_rows;
	uint32_t N;
};

/* The layer's first weights are drawn for layer number `layer`; N rows. */
struct dae *dae_new(const struct backend *be, int V, int H, uint32_t N, int layer, const struct dae_options *a);
/* One pass over data: bytes (N, V) device u8 with x = byte / 255, or codes (N, V) device, the other NULL. epoch counts from 1.
 * Returns the mean cross-entropy a row. */
double dae_epoch(struct dae *d, const uint8_t *bytes, const real *codes, int layer, uint32_t epoch, const struct dae_options *a);
/* codes (N, H) device of all rows, clean. */
void dae_codes(struct dae *d, const uint8_t *bytes, const real *codes, real *out);
void dae_free(struct dae *d);

#endif
