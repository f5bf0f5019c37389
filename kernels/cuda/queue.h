/* Launches are queued and go to the card when somebody waits for a result, or when there are many. What was queued before in the same
 * kernels, grids and number is a graph already: only arguments that differ are set, and one call runs it all. So an epoch, whose steps
 * ask for the same operations in the same order with other rows, rates and random numbers, is a handful of graph launches. */
#ifndef QUEUE_H
#define QUEUE_H

#include "kernels/cuda/card.h"

enum { QUEUE_CALLS = 512, QUEUE_GRAPHS = 64, QUEUE_FEW = 4 };

struct queued { /* a graph and what it was made of */
	struct graph *graph;
	struct call *calls;
	int n;
	uint64_t shape; /* of kernels, grids, blocks, products */
	int piece;	/* how many flushes before it since somebody waited */
	uint64_t used;
};

struct queue {
	struct call *calls;
	int n, piece;
	uint64_t clock;
	struct queued graph[QUEUE_GRAPHS];
	/* for tests: */
	int graphs, sets, runs; /* graphs made, arguments set, graphs run */
};

void queue_open(struct queue *q);
void queue_close(struct queue *q);
/* All that is queued goes to the card; wait: somebody is about to wait for it. */
void queue_flush(struct queue *q, int wait);

#endif
