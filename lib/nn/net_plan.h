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
/* The first of the three delta buffers that is neither a nor b. */
int net_unused_delta(int a, int b);

#endif
