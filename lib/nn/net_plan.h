/* Private to lib/nn/net*.c: a description as operations of a backend: which layers are fused, each layer's input and output layout, and
 * buffer sizes. Layer numbers are the description's, from 0; a fused layer is computed by the layer before it (an upsample by the
 * convolution after it). */
#ifndef NET_PLAN_H
#define NET_PLAN_H

#include "lib/nn/net.h"

size_t net_values(const struct layer *l); /* of one row of its output, before what is fused with it */
/* Layer i as a fused convolution, for B rows. */
struct conv net_conv(const struct netdesc *d, int i, int B);
/* The last layer fused with i, or i: its output is the next layer's input. */
int net_last_fused(const struct netdesc *d, int i);
/* The layer whose output is i's input, or -1: the net's input. */
int net_input_layer(const struct netdesc *d, int i);
/* Whether the output of layer from (-1: the net's input) is maps. */
int net_is_maps(const struct net *n, int from);
/* Bytes of the output of i with its fused layers, for B rows. */
size_t net_output_bytes(const struct net *n, int i, int B);
struct batch_norm net_batch_norm(const struct net *n, int i, int B, int train);
/* Forward; backward on the gradient, by the same mask. */
void net_dropout(struct net *n, int i, real *y, const real *x, int B, const struct net_pass *p);
/* Allocates and sets maps_in and maps_out. */
void net_plan_layouts(struct net *n);
/* Allocates what the add at layer i needs: skipped, held. */
void net_plan_add(struct net *n, int i);
/* Allocates delta, of the sizes net_backward needs. */
void net_plan_gradients(struct net *n);

/* Where a pass is, between two layers. */
struct net_flow {
	const real *x0, *x; /* the net's input, the next layer's */
	int x_maps;	    /* 1: x is maps */
	real *dy;	    /* backward: the gradient of the output of the layer that comes next */
	int dy_delta;	    /* the delta that it is in; -1: none, it is the caller's dz */
};

/* Totals of a batch norm's backward pass over a batch in parts, of N values; see backend.h. */
struct net_totals {
	const double *sums; /* device (2, C) */
	double N;
};

/* What net_forward is made of: layer i's input in its layout, its pass, which leaves its output in f, the output of the last as rows. */
const real *net_convert_input(struct net *n, int i, const struct net_flow *f, int B);
void net_forward_layer(struct net *n, int i, struct net_flow *f, int B, const struct net_pass *pass);
real *net_forward_end(struct net *n, const struct net_flow *f, int B);
void net_pack(struct net *n);
/* What net_backward is made of: dy as layer i takes it; then its pass, but for an add's, which is the first's. dw, db: where its gradients
 * go to; totals: of a batch norm, or NULL. */
void net_backward_begin(struct net *n, int i, struct net_flow *f, int B);
void net_backward_layer(struct net *n, int i, struct net_flow *f, int B, const struct net_pass *pass, const struct net_step *step, real *dw,
	real *db, const struct net_totals *totals);
const real *net_layer_input(const struct net *n, int i, const struct net_flow *f); /* as the forward pass left it */

/* The first of the three delta buffers that is neither a nor b. */
int net_unused_delta(int a, int b);

#endif
