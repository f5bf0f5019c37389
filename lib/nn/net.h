/* A net on one backend: parameters in one block, activations of one batch, forward and backward passes. Device memory is only accessed
 * through the backend. "Rows": an array (B, values), row-major; "maps": the backend's own layout of spatial activations (backend.h). */
#ifndef NET_H
#define NET_H

#include "kernels/backend.h"
#include "lib/nn/netdesc.h"

enum net_mode {
	NET_INFER,
	NET_TRAIN,    /* optimizer steps in the backward pass; dense layers' weight gradients are fused with them, not stored */
	NET_GRADIENT, /* gradients of all parameters are stored in grad */
};

struct net {
	const struct backend *be;
	const struct netdesc *d;
	struct netdesc *folded; /* NET_INFER: the description with its batch norms folded, where there are any; then d is this */
	int B;			/* largest batch, rows */
	enum net_mode mode;
	real *param;		  /* device, d->nparam */
	real *grad;		  /* device; NET_GRADIENT: d->nparam; NET_TRAIN: all but dense layers' weights; NET_INFER: NULL */
	size_t *grad_offset;	  /* NET_TRAIN: each layer's offset in grad */
	real *stat;		  /* device, d->nstat: running means and variances */
	const struct net *owner;  /* whose param, stat and packed these are (net_beside); NULL: its own */
	int mapped;		  /* param and stat are mapped from the caller's (net_map_params) */
	int packed_valid;	  /* packed is of param's current values; to be cleared by who writes param other than by net_upload */
	void **packed;		  /* device, packed weights: a convolution's; NET_INFER: a dense layer's where the backend packs them */
	real **y;		  /* device, a layer's output, maps or rows; NULL where it is fused */
	uint8_t **argmax;	  /* device, a pool's indices of maxima */
	real **save;		  /* device, a bn's saved mean and 1 / standard deviation */
	char *maps_in, *maps_out; /* layout of each layer's input and output: 1 maps, 0 rows */
	real **converted; /* device, a layer's input in its layout, where the one before has the other; [d->n]: the net's output as rows */
	real **skipped;	  /* device, an add's other input in its layout, where that is not the one it was computed in */
	real **held;	  /* device, an add's gradient, until the backward pass is at its skip, in the skip's layout; NET_INFER: NULL */
	real *delta[3];	  /* device, gradients of activations: buffers used alternately */
};

/* Mode of a pass, and the key of its random numbers; rows: row numbers in the data set, device (B). */
struct net_pass {
	int train; /* dropout and batch statistics */
	const uint32_t *rows;
	uint64_t seed;
	uint32_t epoch;
};

/* The optimizer step of a backward pass; weight decay is of weights alone, not of biases and batch norm. */
struct net_step {
	struct optimizer_step opt;
	real *moment1, *moment2; /* device, d->nparam each: first and second moments, or NULL where the optimizer has none */
};

/* be, d outlive the net. */
struct net *net_new(const struct backend *be, const struct netdesc *d, int B, enum net_mode mode);
/* For other rows of the same batch: a net of mode NET_GRADIENT with the owner's parameters, statistics and packed weights, and no gradients
 * of its own; freed before the owner. */
struct net *net_beside(const struct net *owner, int B);
/* Copy from and to the host; either may be NULL. */
void net_upload(struct net *n, const real *param, const real *stat);
/* net_upload without a copy where host and device share memory: the caller's arrays must not change while the net is used. NET_INFER
 * only. */
void net_map_params(struct net *n, const real *param, const real *stat);
void net_download(const struct net *n, real *param, real *stat);
/* x (B, C, H, W) rows, device; returns the output (B, outputs), rows, device, valid until the next pass. */
real *net_forward(struct net *n, const real *x, int B, const struct net_pass *pass);
/* After a forward pass of the same x, from dz (B, outputs) rows, which is overwritten: updates the weights by step, or, where it is NULL
 * (NET_GRADIENT), fills grad. */
void net_backward(struct net *n, const real *x, real *dz, int B, const struct net_pass *pass, const struct net_step *step);
/* The step of all parameters by grad, of mode NET_GRADIENT. */
void net_step(struct net *n, const struct net_step *step);
/* The first layer with a weight, else with an output (of the last pass's first row; maps are not checked), that is not finite; else -1. */
int net_find_nonfinite(const struct net *n);
void net_free(struct net *n);

#endif
