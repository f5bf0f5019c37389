/* A net at work on one backend: parameters in one block, activations of one batch, forward and backward. Device memory is never touched but
 * through the table of operations. */
#ifndef NET_H
#define NET_H

#include "kernels/backend.h"
#include "lib/nn/netdesc.h"

enum net_mode {
	NET_INFER,
	NET_TRAIN,    /* weights move; dense layers' as their gradients are made, which are kept nowhere */
	NET_GRADIENT, /* gradients of all parameters are kept in grad */
};

struct net {
	const struct backend *be;
	const struct netdesc *d;
	struct netdesc *own; /* NET_INFER: d with batch norms folded, where there are any; then d is this */
	int B;		     /* most rows a batch */
	enum net_mode mode;
	real *param;		  /* device, d->nparam */
	real *grad;		  /* device; NET_GRADIENT: d->nparam; NET_TRAIN: of what does not move as its gradient is made; else NULL */
	size_t *grad_at;		  /* where in it a layer's are, of a step */
	real *stat;		  /* device, d->nstat: running means and variances */
	int borrowed;		  /* param and stat are the caller's */
	int packed_valid;		  /* packed weights are those of param: clear it where param is written by other ways than net_upload */
	void **packed;		  /* device, a convolution's weights as the backend wants them */
	real **y;		  /* device, a layer's output: maps or rows; NULL where it is fused */
	uint8_t **argmax;		  /* device, a pool's places */
	real **save;		  /* device, a bn's statistics of the batch */
	char *maps_in, *maps_out; /* what each layer takes and leaves: maps or rows */
	real **in;		  /* device, a layer's input where the one before leaves the other kind; of the output: the last */
	real *delta[3];		  /* device, gradients of activations, in turn */
};

/* What a pass draws its random numbers from; rows: device (B). */
struct net_pass {
	int train; /* dropout and batch statistics */
	const uint32_t *rows;
	uint64_t seed;
	uint32_t epoch;
};

/* How a backward pass moves the weights; decay is for weights only, not for biases and batch norm. */
struct net_step {
	struct optimizer_step opt;
	real *moment1, *moment2; /* device, d->nparam each: moments, or NULL where the update has none */
};

/* d, o outlive the net. */
struct net *net_new(const struct backend *be, const struct netdesc *d, int B, enum net_mode mode);
/* From the host and back; either may be NULL. */
void net_upload(struct net *n, const real *param, const real *stat);
/* The same without a copy where the device is the host: the memory stays the caller's, who keeps it as it is. NET_INFER only. */
void net_borrow(struct net *n, const real *param, const real *stat);
void net_download(const struct net *n, real *param, real *stat);
/* x (B, C, H, W) rows, device; returns the output (B, outputs), rows, device, valid until the next pass. */
real *net_forward(struct net *n, const real *x, int B, const struct net_pass *pass);
/* After a forward pass of the same x, from dz (B, outputs) rows, which is destroyed: step moves the weights, or, where it is NULL
 * (NET_GRADIENT), grad is left. */
void net_backward(struct net *n, const real *x, real *dz, int B, const struct net_pass *pass, const struct net_step *step);
/* After a pass that went wrong: the first layer with a weight, else with an output, that is no number; else -1. */
int net_find_nonfinite(const struct net *n);
void net_free(struct net *n);

#endif
