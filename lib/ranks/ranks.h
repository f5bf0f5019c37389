/* The processes of one run, as mpirun or srun starts them: ranks, numbered from 0, each with its part of the work, which end with the same
 * bits. Their number is a power of two. Rank 0 alone writes: what the others write goes to /dev/null, their warnings to nobody, and the
 * reason for which one of them ends to rank 0, which says it with the rank's number. A rank that is lost ends the run within seconds, in a
 * line of rank 0 (of rank 1, where rank 0 is lost). MPI is OpenMPI's, opened when the program was started as a rank, so that one that was
 * not is not slowed by it. */
#ifndef RANKS_H
#define RANKS_H

#include <stddef.h>
#include <stdint.h>

enum { RANKS_MOST = 1024, RANKS_BUCKET = 1 << 20 /* bytes */ };

struct ranks {
	int rank, size, local;	       /* local: ranks that share this one's processors */
	int place;		       /* how many ranks of lower numbers are on its machine */
	uint64_t bytes, sums;	       /* sent by this rank so far; of these, those of ranks_allreduce_begin's sums */
	uint64_t steps;		       /* such sums so far */
	char (*host)[64];	       /* (size): machines' names */
	const struct ranks_link *link; /* size 1: NULL */
	struct ranks_watch *watch;
	const struct ranks_transport *transport; /* of those sums */
	const struct ranks_device *device;	 /* where they are; NULL: in the host's memory */
	int fast;				 /* 1: AllReduce may sum them */
	struct ranks_buckets *buckets;
};

/* Called first in main. NULL where the program was not started as a rank: by mpirun, or by srun with more than one task. Ends the program
 * where it was, and this build has no MPI or this machine no OpenMPI, or their number is no power of two. */
struct ranks *ranks_open(void);
/* After all is written: the last call; r may be NULL. */
void ranks_close(struct ranks *r);
/* r NULL: 0, 1. */
int ranks_rank(const struct ranks *r);
int ranks_size(const struct ranks *r);

/* All ranks call these in the same order; each waits for the others. r NULL, or of size 1: they do nothing.
 * v (n) += those of the other ranks: ((v0 + v1) + (v2 + v3)) + ..., the same bits in each rank. */
void ranks_allreduce(struct ranks *r, double *v, size_t n);
/* Each byte becomes the OR of all ranks': where all but one rank have zeros, that one's. */
void ranks_allreduce_or(struct ranks *r, void *bytes, size_t n);
/* Rank 0's bytes to all. */
void ranks_broadcast(struct ranks *r, void *bytes, size_t n);
/* From rank 0's `from` to one rank's `to`. */
void ranks_send(struct ranks *r, int to, void *bytes, size_t n);
/* Ends the run where a rank's value is not that of most (of the lower half, where they are as many): names it, its machine, and what
 * differs, as in "its weights after step 64". */
void ranks_compare(struct ranks *r, uint32_t value, const char *what);

/* Memory that is not the host's: a GPU's, with what its owner does there, call by call in their order. */
struct ranks_device {
	void *arg;
	const char *gpu; /* what tells it from all other GPUs of its machine */
	void *(*alloc)(void *arg, size_t bytes);
	void (*release)(void *arg, void *device);
	void (*upload)(void *arg, void *device, const void *host, size_t bytes);
	void (*download)(void *arg, void *host, const void *device, size_t bytes);
	void (*add)(void *arg, float *y, const float *x, size_t n); /* y (n) += x */
	void *(*stream)(void *arg);				    /* CUDA's, behind all calls so far, before later ones */
};

/* Where the floats are that are summed below, if not in the host's memory, by all ranks in the same place. They travel by NCCL, whose calls
 * go into the device's stream, if all ranks can start it, one on each GPU: else through the host's memory, which a warning gives the reason
 * for. KEYPIPE_NCCL: the library's file; 0: none. Ends the program where NCCL is there, but two ranks have one GPU. Until
 * ranks_allreduce_close, which is called before d's end, and by ranks_close. */
void ranks_allreduce_open(struct ranks *r, const struct ranks_device *d);
void ranks_allreduce_close(struct ranks *r);
/* What the sums travel by: "MPI", "NCCL 2.27.3". */
const char *ranks_allreduce_by(const struct ranks *r);

/* Sums of floats that travel while the caller computes. ranks_allreduce_from: v (n) from `from` on is complete, and was so from `to`, the
 * last call's from, on (first: n). Whole buckets (RANKS_BUCKET bytes, of NCCL more), counted from the end, are sent on;
 * ranks_allreduce_poll moves them along; ranks_allreduce_wait: v is complete, on a device for what is queued from then on: the same order
 * and bits as ranks_allreduce's, in float. With r->fast AllReduce sums them, in an order of its own: the same bits in all ranks, but others
 * for another number of ranks. */
void ranks_allreduce_begin(struct ranks *r, float *v, size_t n);
void ranks_allreduce_from(struct ranks *r, size_t from);
void ranks_allreduce_poll(struct ranks *r);
void ranks_allreduce_wait(struct ranks *r);

#endif
