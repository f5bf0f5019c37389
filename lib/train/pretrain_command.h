/* What the programs that train without labels have in common: their options, and the way from these to a run. */
#ifndef PRETRAIN_COMMAND_H
#define PRETRAIN_COMMAND_H

#include "lib/base/opt.h"
#include "lib/train/pretrain_run.h"
#include "lib/train/rank_backend.h"
#include "lib/train/shards.h"

struct pretrain_command {
	const char *hidden, *patches, *valid, *snapshot, *checkpoint, *log, *device, *precision, *output;
	int64_t epochs, batch, threads, shards;
	double rate, init, weight_decay;
	uint64_t seed;
	int resume, fresh, dry_run, quiet, fast;
};

#define PRETRAIN_COMMAND_DEFAULTS                                                                                                          \
	.hidden = "500", .patches = "all", .snapshot = "", .device = "cpu", .epochs = 100, .batch = 1000, .shards = 1, .rate = 0.1,        \
	.seed = 1

/* clang-format off */
/* Of a struct pretrain_command c: the options of learning, then those of every such program. */
#define OPT_PRETRAIN_LEARNING(c) \
	{'H', "hidden", OPT_STR, &(c).hidden, 0, 0, "N[,N...]", \
		"hidden units of each layer; several are stacked, each trained on the codes before it", 0}, \
	{'e', "epochs", OPT_INT, &(c).epochs, 1, 10000000, "N", "passes over the patches, for each layer", 0}, \
	{'b', "batch", OPT_INT, &(c).batch, 1, 65536, "N", "patches a step", 0}, \
	{'r', "rate", OPT_REAL, &(c).rate, 1e-12, 100, "X", "learning rate", 0}, \
	{0, "decay", OPT_REAL, &(c).weight_decay, 0, 1, "X", "weight decay", 0}, \
	{0, "init-range", OPT_REAL, &(c).init, 0, 100, "X", \
		"initial weights are uniform from -X to X; 0: by the layer's size, small, so that filters don't keep the start's noise", 0}

#define OPT_PRETRAIN_RUN(c) \
	OPT_PATCHES(&(c).patches), \
	{0, "valid", OPT_STR, &(c).valid, 0, 0, "FILE", "patches to measure on after each epoch, held out", 1}, \
	{0, "snapshot", OPT_STR, &(c).snapshot, 0, 0, "N,N,...", \
		"write the model after these epochs too, as OUTPUT-EPOCH.tns beside the output", 1}, \
	{0, "checkpoint", OPT_STR, &(c).checkpoint, 0, 0, "FILE", "keep all that is needed to go on in FILE", 1}, \
	{0, "resume", OPT_FLAG, &(c).resume, 0, 0, 0, \
		"go on from the checkpoint where there is one; without --checkpoint from OUTPUT.last", 1}, \
	{0, "fresh", OPT_FLAG, &(c).fresh, 0, 0, 0, "start over where there is a checkpoint of a run that is not at its end", 1}, \
	{0, "log", OPT_STR, &(c).log, 0, 0, "FILE", "write a line of figures an epoch", 1}, \
	{0, "dry-run", OPT_FLAG, &(c).dry_run, 0, 0, 0, \
		"only show the net, the settings and the rows that it would train with; train and write nothing", 1}, \
	OPT_SHARDS(&(c).shards), OPT_FAST(&(c).fast), OPT_SEEDED(&(c).seed), OPT_DEVICE(&(c).device), OPT_PRECISION(&(c).precision), \
	OPT_THREADS(&(c).threads), OPT_QUIET(&(c).quiet), OPT_OUTPUT(&(c).output)
/* clang-format on */

/* Runs the program: data of path (NULL: stdin), a for what the kind has of its own, and the ranks; what c has is put into it. settings: the
 * options that a dry run shows, NULL-terminated. */
void pretrain_command(const struct pretrain_kind *kind, struct pretrain_command *c, struct pretrain_options *a, const char *path,
	const char *const *settings);

#endif
