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
	void (*close)(void);
};

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

/* Frees r's buckets. */
void ranks_sum_free(struct ranks *r);

#endif
