/* A net as text, `conv3x3x32 relu pool2 fc500 relu fc`, parsed to layers, shapes and parameter offsets.
 *   convHxWxC[sS][pP][dD]  poolN  upN  fcN  bn  dropoutF  relu  tanh  sigmoid  ( ... )+
 * C filters of HxW, stride S, padding P, dilation D: the inputs that a filter takes lie D apart. fc, and convHxW, without a count have as
 * many outputs as the target: its values, or its channels where it is maps. ( ... )+ is x + f(x), f the layers between: )+ adds to their
 * output what went into them, of the same CxHxW (He et al., 2016, "Deep Residual Learning"). A block is "( conv3x3x64p1 bn relu
 * conv3x3x64p1 bn )+ relu"; f may hold others, so a U-Net's long skips are the outer ones: "( conv3x3x32s2p1 relu up2 conv3x3x16p1 )+".
 * Skips nest and don't cross: so both ends are marked where they are, while a count of layers back would change with every word put
 * between. ( and )+ are words, and layers, like all others; ( computes nothing. Fused with a layer, as one operation of the backend: an
 * activation right after a fc, conv or )+, a relu after a bn, a pool after a conv or its activation, an activation after such a pool, an up
 * of 2 before a conv of stride and dilation 1. Words and comments: netdesc_text.h. Layers are numbered from 0 in the order of the text,
 * activations too: tensors of a model are N.weight. Messages and tables count them from 1. Sizes within a net are height before width, as
 * in its tensors: HxW, CxHxW (images' sizes elsewhere are WxH).
 */
#ifndef NETDESC_H
#define NETDESC_H

#include <stddef.h>

#include "kernels/backend.h"

enum layer_kind { LAYER_DENSE, LAYER_CONV, LAYER_POOL, LAYER_UP, LAYER_BN, LAYER_DROPOUT, LAYER_ACT, LAYER_SKIP, LAYER_ADD };

struct layer {
	enum layer_kind kind;
	enum act act;	     /* of LAYER_ACT; of dense, conv, bn and add: the one fused with it */
	int fused;	     /* computed by another layer; skip: by the one before it, whose output it names */
	int upsample, pool;  /* conv: factors of what is fused with it; else 1 */
	int C, H, W;	     /* input; of a conv after its fused up */
	int OC, OH, OW;	     /* output; of a conv before its fused pool */
	int KH, KW, S, P, D; /* conv: filter, stride, padding, dilation; pool and up: factor KH */
	float p;	     /* dropout: probability of a zero, 0 <= p < 1 */
	size_t w, nw;	     /* weights (bn: gamma): offset in the parameter block, and count */
	size_t b, nb;	     /* biases (bn: beta) */
	int skip;	     /* add: the layer number of its skip */
	int bn;		     /* conv and dense, after netdesc_fold: the layer number of the bn folded into the weights; else 0 */
	size_t run;	     /* bn: offset of the running mean (C) and variance (C) in the block of statistics */
};

enum { NETDESC_LAYERS = 256 };
#define NETDESC_BN_EPS 1e-5 /* added to a variance */

struct netdesc {
	int n, C, H, W; /* layers; the input */
	int outputs;	/* values a row */
	int fault;	/* after a refusal: the layer at fault, from 0 (the last: the output), or -1: no layer is */
	size_t nparam, nstat;
	struct layer layer[NETDESC_LAYERS];
};

/* What a net must end with. */
struct netdesc_target {
	int values;   /* of a row; at least 1 */
	int channels; /* maps: an output of so many channels, of any size but 1x1, is allowed too; else the same as values */
};

/* 0, or -1 and one line in err, which counts layers from 1. C, H, W at least 1. No activation above 2^31 - 1 values a row, its padding
 * included. outputs is 0 unless all layers are right and only the output is none for the target. */
int netdesc_parse(struct netdesc *d, const char *text, int C, int H, int W, struct netdesc_target target, char err[256]);
/* Folds each bn into the conv or dense right before it, and fuses what that makes neighbours: for inference only, with weights from
 * netdesc_fold_weights. Parameter offsets stay. */
void netdesc_fold(struct netdesc *d);
/* Folds running means and variances, gamma and beta into the weights and biases before them; in place, host. */
void netdesc_fold_weights(const struct netdesc *d, real *param, const real *stat);
/* Floating-point operations of one row's forward pass, of conv and dense layers alone: 2 a multiply-add. */
double netdesc_flops(const struct netdesc *d);
/* Where the cells of the net's output lie: the centre of cell u is at the input's coordinate stride * u + first, 0 the centre of its first
 * pixel, by the layers' strides, paddings, windows and repetitions; y 1: of rows, not columns. 0: a dense layer has no place, or the output
 * is not maps. Source: a window of K from S u - P on has its centre at S u - P + (K - 1) / 2; a cell repeated N times is N u to N u + N
 * - 1. Of )+, the way through the layers between ( and )+ counts. */
int netdesc_geometry(const struct netdesc *d, int y, double *stride, double *first);
/* What is surely not meant: the first relu whose input is nowhere below 0, since it comes from another relu or a sigmoid; the relu or
 * sigmoid that the net ends with, after which no output is below 0, or the )+ that adds two of these. Dropout, pools and upsampling between
 * don't matter. A layer's number from 0, or -1. */
int netdesc_idle(const struct netdesc *d);
int netdesc_half(const struct netdesc *d);
/* Initial values (host, nparam and nstat): He et al. 2015 (normal) before relu, Glorot and Bengio 2010 (uniform) else, four times as wide
 * before sigmoid; biases 0, gamma 1, variance 1; by Philox (seed, PHILOX_INIT, layer, output, input). */
void netdesc_init_params(const struct netdesc *d, uint64_t seed, real *param, real *stat);

#endif
