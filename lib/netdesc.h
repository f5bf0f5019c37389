/* A net as text, `conv3x3x32 relu pool2 fc500 relu fc`, and as the layers, shapes and places of parameters that follow from it.
 *   convHxWxC[sS][pP]  poolN  upN  fcN  bn  dropoutF  relu  tanh  sigmoid
 * fc, and convHxW, without a count take the target's. What a hand can do in one go with a fc or conv is fused with it: an activation right
 * after it, a pool after a conv or its activation, an activation after such a pool, an up of 2 before a conv of stride 1. White space
 * separates, # begins a comment up to the end of the line. Layers are numbered from 0 as they stand, activations too: tensors of a model
 * are N.weight.
 */
#ifndef NETDESC_H
#define NETDESC_H

#include <stddef.h>

#include "kernels/ops.h"

enum layer_kind { LAYER_DENSE, LAYER_CONV, LAYER_POOL, LAYER_UP, LAYER_BN, LAYER_DROPOUT, LAYER_ACT };

struct layer {
	enum layer_kind kind;
	enum act act;	  /* of LAYER_ACT; of dense and conv: the one computed with it */
	int fused;	  /* another layer does it */
	int up, pool;	  /* conv: computed with it; else 1 */
	int C, H, W;	  /* input, as the text says: of a conv after its up */
	int OC, OH, OW;	  /* output, of a conv before its pool */
	int KH, KW, S, P; /* conv; pool and up: KH */
	float p;	  /* dropout: share set to zero, 0 <= p < 1 */
	size_t w, nw;	  /* weights (bn: gamma): place in the parameter block and count */
	size_t b, nb;	  /* biases (bn: beta) */
	size_t run;	  /* bn: place of the running mean (C) and variance (C) in the block of statistics */
};

enum { NETDESC_LAYERS = 256 };

struct netdesc {
	int n, C, H, W; /* layers; the input */
	int outputs;	/* values a row */
	size_t nparam, nstat;
	struct layer layer[NETDESC_LAYERS];
};

/* 0, or -1 and one line in err. target: outputs wanted, at least 1; C, H, W at least 1. No activation above 2^31 - 1 values a row. */
int netdesc_parse(struct netdesc *d, const char *text, int C, int H, int W, int target, char err[256]);
/* Floating-point operations of the products of a forward pass of one row: 2 a multiply-add. */
double netdesc_flops(const struct netdesc *d);
/* Text of a description: the string, or what file FILE holds where it is "@FILE"; white space folded to single blanks, comments gone;
 * to be freed. Dies when the file can't be read. */
char *netdesc_text(const char *spec);

#endif
