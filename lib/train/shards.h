/* Training steps whose batches, of B rows, are cut into S shards, a power of two: with R = B / S, rounded up, shard s has rows s R to
 * (s + 1) R - 1 of a batch, as far as there are so many: the last ones of an epoch's last batch may have none. Gradients and statistics are
 * summed in a tree over the shards (net_shards.h), of which each rank has as many, side by side: the bits depend on S, never on the number
 * of ranks. */
#ifndef SHARDS_H
#define SHARDS_H

#include "lib/base/opt.h"
#include "lib/nn/net.h"
#include "lib/ranks/ranks.h"
#include "lib/train/feed.h"
#include "lib/train/targets.h"

enum { SHARDS_BY_RANKS = 8, SHARDS_COMPARED = 64 /* steps from one comparison of the ranks' weights to the next */ };

#define OPT_SHARDS(to)                                                                                                                     \
	{                                                                                                                                  \
		0, "shards", OPT_INT, to, 1, RANKS_MOST, "N",                                                                              \
			"cut each batch into N shards, a power of two, whose sums are added in a tree: the bits depend on N, and not on "  \
			"the ranks of mpirun or srun that share them; under these 8, or as many as ranks, if not given",                   \
			0                                                                                                                  \
	}

/* What a program's options become where it is one of ranks (r not NULL), after opt_parse: shards, which is set if it was not given;
 * threads, if 0, so that the ranks of a machine share its processors; other ranks than 0 are quiet and write no log. Wrong use: shards that
 * are no power of two, fewer than the ranks, or more than rows in a batch (which may be more than there are rows). */
struct shards_command {
	int64_t *shards, *threads;
	int64_t batch;
	const char **log;
	int *quiet;
};
void shards_command(const struct ranks *r, const struct shards_command *c);

/* At the end, of more than one rank: a line on stderr, unless quiet, of what a rank sent in a step, all exchanges of a run counted. */
void shards_tell(const struct ranks *r, int64_t shards, int quiet);
/* Rows of the largest shard. */
int shards_rows(int batch, int shards);
/* The number of rows of shard s of a batch of B rows, and its first. most: of the largest shard. */
int shards_cut(int B, int most, int s, int *from);
/* The same of all shards of a rank, where each has n. */
int shards_of_rank(int B, int most, int n, int rank, int *from);
/* Ends the run where ranks differ in n weights, device; when: "after step 64". */
void shards_compare(struct ranks *r, const struct backend *be, const real *weights, size_t n, const char *when);
/* The same at the start: in what key says, in the epoch that they go on from, and in the weights. */
void shards_compare_runs(struct ranks *r, const struct backend *be, const char *key, int epoch, const real *weights, size_t n);
/* Of --fast, over how many ranks gradients were summed so far, "4", or, where others resumed it, "4,2": *ranks is what the checkpoint says
 * (META ranks; NULL: nothing), and becomes that with r's. A line says where they differ. */
void shards_made_by(const struct ranks *r, char **ranks, int resumed);

struct shards;

/* One batch. */
struct shards_batch {
	struct feed *feed;     /* of the images */
	const uint32_t *rows;  /* device (B): their numbers */
	const uint32_t *order; /* host: the same */
	uint32_t at;	       /* position of the first in the epoch */
	int B;
	const struct augment *augment; /* NULL: none */
	uint64_t seed;
	uint32_t epoch;
	double *loss; /* device (B) */
};

/* net: NET_GRADIENT, of shards_rows rows. r NULL: one process has all. */
struct shards *shards_new(const struct model *m, struct net *net, struct ranks *r, int shards);
/* Of this rank's rows loss and predictions are set. Ends the program where ranks' weights differ. */
void shards_step(struct shards *s, struct targets *tg, const struct shards_batch *b, const struct net_step *step);
void shards_free(struct shards *s);

#endif
