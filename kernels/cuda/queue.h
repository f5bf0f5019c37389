/* The launch queue, which becomes CUDA graphs. Launches are queued and flushed to the GPU when the host waits for a result, or when the
 * queue is full. A flush of the same kernels, grids and number of launches as an earlier one reuses its graph: arguments that differ are
 * updated, and one graph launch runs all. A full queue is cut where its launches repeat those it began with, at the end of a training step,
 * so that all flushes of an epoch have the same shape. So an epoch, whose steps are the same operations in the same order with
 * other rows, learning rates and random numbers, is a handful of graph launches. */
#ifndef QUEUE_H
#define QUEUE_H

#include "kernels/cuda/gpu.h"

/* QUEUE_LAUNCHES: in a full queue; QUEUE_GRAPHS: graphs kept; QUEUE_FEW: fewer launches run without a graph; QUEUE_ALIKE: so many launches
 * must be as the first ones of the queue where it is cut; QUEUE_SAME: so many graphs of one shape are kept, each for one of an epoch's
 * first flushes, whose arguments change little from epoch to epoch; later flushes share them. */
enum { QUEUE_LAUNCHES = 512, QUEUE_GRAPHS = 64, QUEUE_FEW = 4, QUEUE_ALIKE = 16, QUEUE_SAME = 8 };

struct cached_graph { /* a graph and the launches with which it was last run */
	struct graph *graph;
	struct launch *launches;
	int n;
	uint64_t hash;	    /* of kernels, grids, blocks, cuBLAS GEMMs */
	int flush_index;    /* flushes before it since the host last waited */
	uint64_t last_used; /* the queue's clock */
};

struct queue {
	struct launch *launches;
	int n, flush_index;
	uint64_t clock;
	struct cached_graph graph[QUEUE_GRAPHS];
	/* An operation that waits for the next one, to be launched with it, or NULL: launches by itself before anything else is queued. */
	void (*waiting)(struct queue *q);
	/* for tests: */
	int graphs, sets, runs; /* graphs made, launches whose arguments were updated, graph launches */
};

void queue_open(struct queue *q);
void queue_close(struct queue *q);
/* Launches the operation that waits, if there is one. */
void queue_settle(struct queue *q);
/* Starts all queued launches on the GPU; called before the host waits for them, or changes what they need. */
void queue_flush(struct queue *q);
/* The last launch in the queue if it is of this kernel, for more work to be added to it (batched_launch.h); else NULL. */
struct launch *queue_last(struct queue *q, const void *kernel);

#endif
