/* The denoising autoencoder with tied weights (Vincent et al., 2008): y = f(x~ w' + b), z = f(y w + c), w (H, V), f the sigmoid, x~ the
 * input with each value set to zero with probability `corruption`, the loss the cross-entropy of z with the clean x, summed over inputs;
 * SGD by batches. Inputs that come whole, to the model that is written and to the next layer of a stack, are encoded by w (1 - corruption):
 * else units would get more than they had in training, and reconstructions be off (the weight scaling rule of dropout: Srivastava et al.,
 * 2014). */
#ifndef DAE_H
#define DAE_H

#include "lib/train/pretrain.h"

/* Initial weights: a quarter of Glorot's range. Four times that range, which the sigmoid's slope of a quarter at 0 asks for in deep nets
 * (Glorot and Bengio, 2010) and the study of 2014 took, leaves most filters noise: gradients lie in the span of the images, which are
 * smooth, so what the start has of high frequencies stays. measure: the loss of uncorrupted rows. */
extern const struct pretrain_kind dae;

#endif
