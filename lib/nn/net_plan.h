/* Private to lib/nn/net*.c: how a description becomes operations of a backend: which layers run as one, what each takes and leaves, and how
 * large the buffers are. Layer numbers are the description's, from 0; a fused layer is run by the layer before it. */
#ifndef NET_PLAN_H
#define NET_PLAN_H

#include "lib/nn/net.h"

size_t net_values(const struct layer *l); /* of one row of its output, as the text says */
/* The convolution that layer i runs, with its neighbours, for B rows. */
struct conv net_conv(const struct netdesc *d, int i, int B);
/* The last of the layers that i runs: its output is what the next one sees. */
int net_last_fused(const struct netdesc *d, int i);
/* The layer whose output is i's input, or -1: the net's input. */
int net_before(const struct netdesc *d, int i);
/* Bytes of the output of i, fused layers included. */
size_t net_output_bytes(const struct net *n, int i, int B);
struct batch_norm net_batch_norm(const struct net *n, int i, int B, int train);
/* Forward, and backward: the same mask on the gradient. */
void net_dropout(struct net *n, int i, real *y, const real *x, int B, const struct net_pass *p);
/* Set maps_in and maps_out. */
void net_plan_kinds(struct net *n);
/* Allocate delta, as large as net_backward needs. */
void net_plan_gradients(struct net *n);
/* The first of the three delta buffers that is neither a nor b. */
int net_spare(int a, int b);

#endif
