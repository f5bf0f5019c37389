/* What the cuda hand asks of a card, behind one door: card.cu answers it with CUDA, host.cc with the host, for tests. One card a
 * process; calls happen in order. Anything that fails ends the program, but for card_alloc. */
#ifndef CARD_H
#define CARD_H

#include "kernels/cuda/run.h"

struct card {
	char name[64];	  /* "NVIDIA H100 80GB HBM3" */
	int major, minor; /* of the compute capability */
	int units;	  /* multiprocessors */
	int library;	  /* the library of products is there */
};

/* A product by the library: row-major c (M, N) = a b, + c where add; a is (M, K), or (K, M) where at; b is (K, N), or (N, K) where bt. */
struct product {
	float *c;
	const float *a, *b;
	int M, N, K, at, bt, add, precision, none; /* enum precision; 0, so that no byte is left over: products are compared */
};

/* reverse: threads of a block, and blocks, run from the last to the first (host only). Dies where there is no card. */
struct card card_open(int reverse);
void card_close(void);
/* NULL where there is no room: card_room tells. Not cleared. */
void *card_alloc(size_t bytes);
void card_free(void *device);
void card_room(size_t *free, size_t *total);
/* host may be used again when card_put returns; card_get has waited for all that was asked before. */
void card_put(void *device, const void *host, size_t bytes);
void card_get(void *host, const void *device, size_t bytes);
/* Without waiting, see struct ops. */
void card_feed(void *device, const void *host, size_t bytes);
int card_fetch(void *host, const void *device, size_t bytes);
void card_wait(int ticket);
void card_fill(void *device, int byte, size_t bytes);
void card_run(const struct call *c); /* not of a product, which only a graph runs */

/* n calls in order, to be run again and again. */
struct graph;
struct graph *card_graph(const struct call *c, int n);
/* Call i gets other arguments; kernel, grid and block stay. Not of a product. */
void card_graph_set(struct graph *g, int i, const struct call *c);
void card_graph_run(struct graph *g);
void card_graph_free(struct graph *g);

#endif
