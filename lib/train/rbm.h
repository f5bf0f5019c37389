/* The restricted Boltzmann machine: E(v, h) = -c v - b h - h w v with binary units; with Gaussian visible units of variance 1,
 * E = |v - c|^2 / 2 - b h - h w v. Hidden given visible: sigmoid(v w' + b); visible given hidden: sigmoid(h w + c), or h w + c.
 * Contrastive divergence (Hinton, 2002): the gradient of the log-likelihood, <h v> of the data less <h v> of the model, the latter after
 * a->steps steps of Gibbs sampling that start at the data (CD), or go on from where the last batch left them (PCD: Tieleman, 2008), one
 * chain a row of a batch. Hidden and binary visible units are sampled; Gaussian ones are their means, and the last hidden ones of both
 * phases are probabilities (Hinton, 2010, "A practical guide to training restricted Boltzmann machines", 3). SGD with momentum; weight
 * decay on w; sparsity: b moves by learning_rate sparsity_cost (sparsity - the batch's mean activation) (Lee et al., 2008). */
#ifndef RBM_H
#define RBM_H

#include "lib/train/pretrain.h"

/* Initial weights: a tenth of Glorot's range. State: momentum of w, b, c, in units of gradients that are sums over B rows
 * (0 where a->momentum is), then the chains' hidden units (B, H), persistent only. measure,
 * means over rows: the loss of the reconstruction by probabilities (binary: cross-entropy, Gaussian: half the squared error, in the layer's
 * units); free energy, -c v - sum softplus(v w' + b) or |v - c|^2 / 2 - sum ...; binary: a stochastic estimate of the
 * log-pseudo-likelihood, V times that of one value of each row, which is drawn (Bengio, Courville and Vincent, 2013, "Representation
 * learning", 6.3), else NaN. */
extern const struct pretrain_kind rbm;

/* 1: the layer's visible units are Gaussian. */
int rbm_gaussian(const struct pretrain_layer *l);

#endif
