/* Passes over a batch that is cut into shards, whose sums (gradients, statistics of batch norms) are made in a binary tree over the shards:
 * ((s0 + s1) + (s2 + s3)) + ..., so that the bits are the same however many processes hold them. A process holds 2^k shards side by side,
 * from a multiple of 2^k on, and an exchange adds what the others have. Layer by layer, each layer for all shards of the process. */
#ifndef NET_SHARDS_H
#define NET_SHARDS_H

#include "lib/nn/net.h"

struct net_exchange {
	void *arg;
	void (*sum)(void *arg, double *v, size_t n); /* v += the other processes', in tree order */
	/* Gradients from `from` on are this process's sum: they may travel; poll is called often, that they do. */
	void (*ready)(void *arg, size_t from);
	void (*poll)(void *arg);
};

struct net_shard {
	int B;	       /* rows; 0: none, its sums are 0 */
	const real *x; /* device: the input, (B, C, H, W) */
	real *dz;      /* device: the gradient of the outputs, (B, outputs), overwritten */
	real *z;       /* of net_shards_forward: the outputs */
	struct net_pass pass;
};

struct net_shards;

/* n shards, a power of two, each of at most net's B rows. net is of mode NET_GRADIENT. exchange NULL: there is one process. All outlive it.
 */
struct net_shards *net_shards_new(struct net *net, int n, const struct net_exchange *exchange);
/* rows: of the whole batch, all processes'. */
void net_shards_forward(struct net_shards *s, struct net_shard *shard, int rows);
/* After it: net->grad is the sum of these shards' gradients, whose parts were told to exchange->ready as they became so. */
void net_shards_backward(struct net_shards *s, struct net_shard *shard, int rows);
void net_shards_free(struct net_shards *s);

/* The same tree for any sums: place n values of shard i (0, 1, ...) at tree_place(t, i), then tree_add(t, i); after the last, 2^k - 1, the
 * total is at `total`, to which tree_begin bound the tree. */
struct tree {
	const struct backend *be;
	size_t most, n;
	real *level[16]; /* device: level[0] is total */
};
void tree_open(struct tree *t, const struct backend *be, int shards, size_t most); /* n is at most `most` */
void tree_begin(struct tree *t, real *total, size_t n);
real *tree_place(const struct tree *t, int i);
void tree_add(struct tree *t, int i);
void tree_close(struct tree *t);

#endif
