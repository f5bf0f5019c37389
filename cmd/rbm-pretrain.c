/* rbm-pretrain - patches into a model: a restricted Boltzmann machine, unrolled to an encoder and a decoder as an autoencoder is. */
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/out.h"
#include "lib/train/pretrain_command.h"
#include "lib/train/rbm.h"

static struct {
	struct pretrain_command c;
	const char *visible;
	int64_t steps;
	double momentum, sparsity, sparsity_cost;
	int persistent;
} o = {.c = {PRETRAIN_COMMAND_DEFAULTS}, .visible = "binary", .steps = 1, .momentum = 0.5};

static const struct opt opts[] = {
	OPT_PRETRAIN_LEARNING(o.c),
	{'m', "momentum", OPT_REAL, &o.momentum, 0, 0.9999, "X", "momentum", 0},
	{0, "visible", OPT_CHOICE, &o.visible, 0, 0, "binary|gaussian",
		"units that patches are: binary ones, whose probabilities are the grey values, or Gaussian ones; codes are binary", 0},
	{0, "steps", OPT_INT, &o.steps, 1, 1000, "K", "steps of Gibbs sampling for a gradient: CD-K", 0},
	{0, "persistent", OPT_FLAG, &o.persistent, 0, 0, 0, "sampling goes on where the last batch left it (PCD), not from the data", 0},
	{0, "sparsity", OPT_REAL, &o.sparsity, 0, 1, "P", "wanted mean of a hidden unit, with --sparsity-cost", 0},
	{0, "sparsity-cost", OPT_REAL, &o.sparsity_cost, 0, 1000, "X", "how strongly hidden units are drawn to --sparsity; 0: not", 0},
	OPT_PRETRAIN_RUN(o.c),
	OPT_END,
};

static const struct opt_prog prog = {"rbm-pretrain", "train a restricted Boltzmann machine on patches and write the model", "[PATCHES]", 0,
	1, opts,
	{"patch-extract --preset eyes faces.tns | rbm-pretrain -H 500 -b 100 -e 100 -o rbm.tns",
		"tns-split --parts 0.8,0.2 patches.tns -o train.tns -o held.tns && rbm-pretrain --persistent --valid held.tns --log "
		"rbm.tsv train.tns "
		"-o rbm.tns",
		NULL}};

int main(int argc, char **argv)
{
	static const char *const settings[] = {"patches", "hidden", "visible", "steps", "persistent", "momentum", "sparsity",
		"sparsity-cost", "init-range", "decay", "rate", "batch", "epochs", "seed", NULL};
	int n;
	struct ranks *ranks = ranks_open();
	char **operand = opt_parse(&prog, argc, argv, &n);
	if (opt_given("sparsity") != opt_given("sparsity-cost"))
		die_usage("--sparsity and --sparsity-cost go together");
	struct pretrain_options a = {.ranks = ranks,
		.gaussian = !strcmp(o.visible, "gaussian"),
		.persistent = o.persistent,
		.steps = (int)o.steps,
		.momentum = (float)o.momentum,
		.sparsity = (float)o.sparsity,
		.sparsity_cost = (float)o.sparsity_cost};
	pretrain_command(&rbm, &o.c, &a, operand[0], settings);
	ranks_close(ranks);
	return finish();
}
