/* The denoising autoencoder with tied weights (Vincent et al., 2008): y = f(x~ w' + b), z = f(y w + c), w (H, V), f the sigmoid, x~ the
 * input with each value set to zero with probability `corruption`, the loss the cross-entropy of z with the clean x, summed over inputs;
 * SGD by batches. */
#ifndef DAE_H
#define DAE_H

#include "lib/train/pretrain.h"

/* Initial weights: four times Glorot's range, as the sigmoid's slope at 0 is a quarter. measure: the loss of uncorrupted rows. */
extern const struct pretrain_kind dae;

#endif
