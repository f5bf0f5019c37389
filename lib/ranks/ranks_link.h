/* Private to lib/ranks/ranks*.c: MPI as ranks.c uses it, and the watch over the ranks' processes. */
#ifndef RANKS_LINK_H
#define RANKS_LINK_H

#include <signal.h>

#include "lib/ranks/ranks.h"

struct ranks_link {
	int rank, size;
	/* Begin to send or receive at most INT_MAX bytes; done: 1 once such a request is complete, after which it is gone. Messages of one
	 * tag from one rank to another arrive in order. */
	void *(*send)(int to, int tag, const void *bytes, size_t n);
	void *(*receive)(int from, int tag, void *bytes, size_t n);
	int (*done)(void *request);
	/* Begins to sum v (n) over all ranks, which call it in the same order: AllReduce. A request as those above. */
	void *(*sum)(float *v, size_t n);
	void (*close)(void);
};

struct ranks_request {
	void *to, *from; /* NULL: none, or done */
};

/* What moves and adds the floats of sums, in the memory that they are in. Ranks make the same calls; those of one bucket in the same order,
 * where a transport has one bucket at a time all of them. */
struct ranks_transport {
	size_t floats; /* of a bucket */
	int flight;    /* buckets at a time */
	/* Begins to send out (sent) to a rank and to receive in (received) from it; or to sum v (n) over all ranks. done: 1 once the values
	 * are there for add, and for what begins later. */
	void (*exchange)(
		struct ranks *r, struct ranks_request *q, int peer, int tag, const float *out, size_t sent, float *in, size_t received);
	void (*sum)(struct ranks *r, struct ranks_request *q, float *v, size_t n);
	int (*done)(struct ranks *r, struct ranks_request *q);
	void (*add)(struct ranks *r, float *y, const float *x, size_t n); /* y (n) += x */
	float *(*alloc)(struct ranks *r, size_t n);
	void (*release)(struct ranks *r, float *v);
	void (*close)(struct ranks *r); /* NULL: nothing is to be closed */
};

/* The host's memory and MPI. */
extern const struct ranks_transport ranks_allreduce_host;
/* A device's memory and NCCL; NULL: it is done without, why is said. */
const struct ranks_transport *ranks_nccl_open(struct ranks *r);
/* "NCCL 2.27.3", while it is open. */
const char *ranks_nccl_name(void);
/* NULL, or what of NCCL has failed while no call of it was made; of any thread. */
const char *ranks_nccl_failed(void);

/* NULL where this build has no MPI; ends the program where there is no OpenMPI to open. */
const struct ranks_link *ranks_mpi_open(void) __attribute__((weak));

enum { RANKS_TAG = 1, RANKS_TAG_BUCKETS = 16 };

/* Sends and receives n bytes each (0: not at all), and returns when both are done. */
void ranks_exchange(struct ranks *r, int peer, const void *out, size_t sent, void *in, size_t received);
/* Lets others compute; tries counts from 0. */
void ranks_pause(int tries);

/* Connects the ranks' processes with rank 0's, and starts a thread that ends the run when one is gone. NULL: they can't be connected, which
 * a line on stderr says. */
struct ranks_watch *ranks_watch_open(struct ranks *r);
/* The signals that the thread takes from then on. All threads block them, MPI's, too: they are made before. */
void ranks_watch_signals(sigset_t *set);
/* No rank is missed from here on. */
void ranks_watch_close(struct ranks_watch *w);

#endif
