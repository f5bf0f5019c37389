/* Training without labels, layer by layer (Bengio et al., 2007): each layer learns from the codes (hidden activations) of the one before,
 * the first from images. What the kinds of layers share: weights w (H, V), biases b (H) of the hidden and c (V) of the visible units, codes
 * sigmoid(x w' + b), epochs of shuffled batches. The kinds: dae.h, rbm.h. */
#ifndef PRETRAIN_H
#define PRETRAIN_H

#include <stdint.h>

#include "kernels/backend.h"
#include "lib/nn/net_shards.h"
#include "lib/ranks/ranks.h"
#include "lib/train/rows.h"

struct pretrain_options {
	int epochs, batch;   /* epochs of each layer; rows a batch */
	float learning_rate; /* of the batch's mean gradient */
	float init;	     /* initial weights are uniform in +-init; 0: as pretrain_new says */
	float weight_decay;  /* a step takes learning_rate * weight_decay * w off each weight, not off biases */
	uint64_t seed;
	int shards;	     /* of a batch, a power of two; 0, 1: batches are whole */
	struct ranks *ranks; /* that share them (shards.h); NULL: this process has all */
	float corruption;    /* dae: share of inputs set to zero */
	/* rbm: */
	int gaussian, persistent,
		steps; /* visible units of the first layer are Gaussian; PCD, not CD; steps of Gibbs sampling, at least 1 */
	float momentum, sparsity, sparsity_cost; /* sparsity: wanted mean of a hidden unit */
};

struct pretrain_layer;

struct pretrain_shard {
	uint32_t at, epoch, count; /* the batch's first row in the epoch; the epoch; steps before this one */
	int from, B, whole;	   /* the shard's first row in the batch, its rows, the batch's */
};

enum { PRETRAIN_FIGURES = 3 };

/* A kind of layer. */
struct pretrain_kind {
	const char *figure[PRETRAIN_FIGURES];		 /* names of what measure tells, the loss first; NULL: no more */
	int likelihood;					 /* 1: the last of them is a log-pseudo-likelihood, or NaN */
	double range;					 /* of initial weights, in units of Glorot's sqrt(6 / (V + H)) */
	int before;					 /* 1: as many rows as the batch's come right before x's, the kind's own */
	int losses;					 /* 1: step fills the layer's losses, whose mean over an epoch is its train_loss */
	size_t (*extra)(const struct pretrain_layer *l); /* values of state after w, b, c, 0 at first; NULL: none */
	void (*open)(struct pretrain_layer *l);		 /* makes own */
	/* A step by the B rows of x, whose numbers are rows + at (device); count: steps before this one. */
	void (*step)(struct pretrain_layer *l, uint32_t at, int B, uint32_t epoch, uint32_t count);
	/* The same of a batch in shards. gradient: to (gradients) of B rows, from row `from` of a batch of `whole` rows on, which starts at
	 * `at` and whose chains are those of its rows; update: the step by the sum of all shards' gradients. */
	size_t (*gradients)(const struct pretrain_layer *l);
	void (*gradient)(struct pretrain_layer *l, const struct pretrain_shard *s, real *to);
	void (*update)(struct pretrain_layer *l, const real *sum, int whole);
	/* Adds to figure what is measured on the B rows of x, which host holds, too. first: number of the first row. */
	void (*measure)(struct pretrain_layer *l, const real *host, int B, uint32_t first, uint32_t epoch, double figure[PRETRAIN_FIGURES]);
	void (*close)(struct pretrain_layer *l); /* frees own */
};

/* A layer of V inputs, H hidden units, batches of B rows. Device memory but for host_rows. */
struct pretrain_layer {
	const struct pretrain_kind *kind;
	const struct pretrain_options *a;
	const struct backend *be;
	int layer, V, H, B;	    /* layer counts from 0 */
	float mul, add;		    /* input of bytes: x = byte mul + add */
	real *param;		    /* w, b, c in one block, then what else a resumed run needs (kind->extra) */
	size_t params, states;	    /* values of w, b, c; of all */
	real *x;		    /* (B, V): a batch */
	double *loss;		    /* (N): of each row of an epoch */
	uint32_t *rows, *host_rows; /* row numbers in the order of an epoch */
	uint32_t N;		    /* rows of the data set */
	/* B rows of it into x, by their numbers, host and device; `more` follow in order. Set by pretrain_from or pretrain_input_attach */
	void (*load)(struct pretrain_layer *l, const uint32_t *order, const uint32_t *rows, int B, uint32_t more);
	/* before it, on all ranks: rank `to` will load these B rows; NULL: all are there */
	void (*scatter)(struct pretrain_layer *l, int to, const uint32_t *order, int B);
	void *from;	      /* load's own */
	const uint8_t *bytes; /* of pretrain_from; one of them is NULL */
	const real *codes;
	void *own;	  /* the kind's */
	struct tree tree; /* of shards' gradients */
	real *sum;	  /* their sum; NULL: batches are whole */
};

/* Initial weights are drawn by Philox (a->seed, PHILOX_INIT, 1000 + layer, ...), uniform in +-a->init, else in the kind's range. a outlives
 * the layer. Bytes are scaled to 0..1: mul and add may be set otherwise before the first epoch. */
struct pretrain_layer *pretrain_new(
	const struct pretrain_kind *kind, const struct backend *be, int V, int H, uint32_t N, int layer, const struct pretrain_options *a);
/* Values of such a layer's state. */
size_t pretrain_states(const struct pretrain_kind *kind, const struct pretrain_options *a, int V, int H, uint32_t N);
/* The layer's rows are bytes (N, V), device, or codes (N, V), device, the other NULL. */
void pretrain_from(struct pretrain_layer *l, const uint8_t *bytes, const real *codes);
/* One epoch. epoch counts from 1. Returns the mean loss a row; NaN where the kind has none while it trains. */
double pretrain_epoch(struct pretrain_layer *l, uint32_t epoch);
/* out (N, H), device, or, where it is NULL, to: the codes of all rows, uncorrupted, as input of the next layer. */
void pretrain_encode(struct pretrain_layer *l, real *out, struct rows *to);
/* The kind's figures, means over rows of x, as the layer takes them. */
void pretrain_measure(struct pretrain_layer *l, struct rows *x, uint32_t epoch, double figure[PRETRAIN_FIGURES]);
/* to (B, V), device: the layer's batch x as encoders take inputs that are not corrupted: times 1 - corruption. to may be x. */
void pretrain_whole(const struct pretrain_layer *l, real *to, int B);
/* to: codes of x. */
void pretrain_codes(struct pretrain_layer *l, struct rows *x, struct rows *to);
/* Whether the state is kept now: rank 0's `due`. Then of persistent chains, of which each rank moves those of its shards, all have all. */
int pretrain_share(struct pretrain_layer *l, int due);
void pretrain_free(struct pretrain_layer *l);

#endif
