/* A net as text, `conv3x3x32 relu pool2 fc500 relu fc`, and as the layers, shapes and places of parameters that follow from it.
 *   convHxWxC[sS][pP]  poolN  upN  fcN  bn  dropoutF  relu  tanh  sigmoid
 * fc, and convHxW, without a count take the target's: its values, or its map channels where it is maps. What a backend can do in one go with a
 * fc or conv is fused with it: an activation right after it (a relu after a bn too), a pool after a conv or its activation, an activation
 * after such a pool, an up of 2 before a conv of stride 1. White space separates, # begins a comment up to the end of the line. Layers are
 * numbered from 0 as they stand, activations too: tensors of a model are N.weight.
 */
#ifndef NETDESC_H
#define NETDESC_H

#include <stddef.h>

#include "kernels/backend.h"

enum layer_kind { LAYER_DENSE, LAYER_CONV, LAYER_POOL, LAYER_UP, LAYER_BN, LAYER_DROPOUT, LAYER_ACT };

struct layer {
	enum layer_kind kind;
	enum act act;	  /* of LAYER_ACT; of dense, conv and bn: the one computed with it */
	int fused;	  /* another layer does it */
	int upsample, pool;	  /* conv: computed with it; else 1 */
	int C, H, W;	  /* input, as the text says: of a conv after its up */
	int OC, OH, OW;	  /* output, of a conv before its pool */
	int KH, KW, S, P; /* conv; pool and up: KH */
	float p;	  /* dropout: share set to zero, 0 <= p < 1 */
	size_t w, nw;	  /* weights (bn: gamma): place in the parameter block and count */
	size_t b, nb;	  /* biases (bn: beta) */
	int bn;		  /* conv and dense, once folded: the bn whose work their weights do; else 0 */
	size_t run;	  /* bn: place of the running mean (C) and variance (C) in the block of statistics */
};

enum { NETDESC_LAYERS = 256 };
#define NETDESC_BN_EPS 1e-5 /* added to a variance */

struct netdesc {
	int n, C, H, W; /* layers; the input */
	int outputs;	/* values a row */
	size_t nparam, nstat;
	struct layer layer[NETDESC_LAYERS];
};

/* What a net is to end with. */
struct netdesc_target {
	int values;   /* a row's; at least 1 */
	int channels; /* of maps of any size that do as well; else the same as values */
};

/* 0, or -1 and one line in err. C, H, W at least 1. No activation above 2^31 - 1 values a row. */
int netdesc_parse(struct netdesc *d, const char *text, int C, int H, int W, struct netdesc_target target, char err[256]);
/* Let each conv and dense that a bn follows do the bn's work, and fuse what that makes neighbours: for nets that only infer, with weights
 * from netdesc_fold_weights. Places of parameters stay. */
void netdesc_fold(struct netdesc *d);
/* Weights and biases of folded layers as they must be: from running means and variances; in place. */
void netdesc_fold_weights(const struct netdesc *d, real *param, const real *stat);
/* Floating-point operations of the products of a forward pass of one row: 2 a multiply-add. */
double netdesc_flops(const struct netdesc *d);
/* Text of a description: the string, or what file FILE holds where it is "@FILE"; white space folded to single blanks, comments gone;
 * to be freed. Dies when the file can't be read. */
char *netdesc_text(const char *spec);
/* First values (host, nparam and nstat): He et al. 2015 (normal) before relu, Glorot and Bengio 2010 (uniform) else, four times as wide
 * before sigmoid; biases 0, gamma 1, variance 1; by Philox (seed, PHILOX_INIT, layer, output, input). */
void netdesc_init_params(const struct netdesc *d, uint64_t seed, real *param, real *stat);

#endif
