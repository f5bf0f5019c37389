/* Launches are queued and go to the GPU when somebody waits for a result, or when there are many. What was queued before in the same
 * kernels, grids and number is a graph already: only arguments that differ are set, and one call runs it all. A long queue is cut where its
 * calls begin again as it began, at a step's end, so that all pieces of an epoch have one shape: an epoch, whose steps ask for the same
 * operations in the same order with other rows, rates and random numbers, is a handful of graph launches. */
#ifndef QUEUE_H
#define QUEUE_H

#include "kernels/cuda/gpu.h"

/* QUEUE_ALIKE: so many calls must look as the first ones did; QUEUE_SAME: so many graphs of one shape are kept, those of an epoch's first
 * pieces, in which little changes; further pieces share them. */
enum { QUEUE_LAUNCHES = 512, QUEUE_GRAPHS = 64, QUEUE_FEW = 4, QUEUE_ALIKE = 16, QUEUE_SAME = 8 };

struct queued { /* a graph and what it was made of */
	struct graph *graph;
	struct launch *calls;
	int n;
	uint64_t shape; /* of kernels, grids, blocks, products */
	int piece;	/* how many flushes before it since somebody waited */
	uint64_t used;
};

struct queue {
	struct launch *calls;
	int n, piece;
	uint64_t clock;
	struct queued graph[QUEUE_GRAPHS];
	/* for tests: */
	int graphs, sets, runs; /* graphs made, arguments set, graphs run */
};

void queue_open(struct queue *q);
void queue_close(struct queue *q);
/* All that is queued goes to the GPU: somebody is about to wait for it, or to change what it needs. */
void queue_flush(struct queue *q);
/* What was queued last, where it is of this kernel, so that more of the same can be put into it; else NULL. */
struct launch *queue_last(struct queue *q, const void *kernel);

#endif
