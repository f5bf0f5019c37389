/* A net at work on one hand: parameters in one block, activations of one batch, forward and backward. Device memory is never touched but
 * through the table of operations. */
#ifndef NET_H
#define NET_H

#include "kernels/ops.h"
#include "lib/netdesc.h"

struct net {
	const struct ops *o;
	const struct netdesc *d;
	int B;		    /* most rows a batch */
	real *param, *grad; /* device, d->nparam each; grad NULL unless for training */
	real *stat;	    /* device, d->nstat: running means and variances */
	real **y;	    /* device, a layer's output (B, OC, OH, OW) */
	uint8_t **at;	    /* device, a pool's places */
	real **save;	    /* device, a bn's statistics of the batch */
	real *delta[2];	    /* device, gradients of activations, in turn */
};

/* What a pass draws its random numbers from; rows: device (B). */
struct net_pass {
	int train; /* dropout and batch statistics */
	const uint32_t *rows;
	uint64_t seed;
	uint32_t epoch;
};

/* d, o outlive the net. */
struct net *net_new(const struct ops *o, const struct netdesc *d, int B, int train);
/* First values (host, nparam and nstat): He et al. 2015 (normal) before relu, Glorot and Bengio 2010 (uniform) else, four times as wide
 * before sigmoid; biases 0, gamma 1, variance 1; by Philox (seed, PHILOX_INIT, layer, output, input). */
void net_first(const struct netdesc *d, uint64_t seed, real *param, real *stat);
/* x (B, C, H, W) device; returns the output, device, valid until the next pass. */
real *net_forward(struct net *n, const real *x, int B, const struct net_pass *pass);
/* After a forward pass of the same x: grad from dz (B, outputs), which is destroyed. */
void net_backward(struct net *n, const real *x, real *dz, int B, const struct net_pass *pass);
void net_free(struct net *n);

#endif
