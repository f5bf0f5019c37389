/* dae-pretrain - patches into a model: a denoising autoencoder with tied weights, encoder layers first, then decoder layers. */
#include "lib/base/out.h"
#include "lib/train/dae.h"
#include "lib/train/pretrain_command.h"

static struct {
	struct pretrain_command c;
	double corruption;
} o = {.c = {PRETRAIN_COMMAND_DEFAULTS}, .corruption = 0.2};

static const struct opt opts[] = {
	OPT_PRETRAIN_LEARNING(o.c),
	{'c', "corruption", OPT_REAL, &o.corruption, 0, 0.95, "P", "share of inputs set to zero", 0},
	OPT_PRETRAIN_RUN(o.c),
	OPT_RENAMED("only", "patches"),
	OPT_END,
};

static const struct opt_prog prog = {"dae-pretrain", "train a denoising autoencoder on patches and write the model", "[PATCHES]", 0, 1,
	opts,
	{"patch-extract --preset eyes faces.tns | dae-pretrain -H 500 -e 100 -o dae.tns",
		"dae-pretrain --snapshot 10,100 --log dae.tsv -e 100 patches.tns -o dae.tns && render tiles dae.tns -o filters.png", NULL}};

int main(int argc, char **argv)
{
	static const char *const settings[] = {
		"patches", "hidden", "corruption", "init-range", "decay", "rate", "batch", "epochs", "seed", NULL};
	int n;
	struct ranks *ranks = ranks_open();
	char **operand = opt_parse(&prog, argc, argv, &n);
	struct pretrain_options a = {.ranks = ranks, .corruption = (float)o.corruption};
	pretrain_command(&dae, &o.c, &a, operand[0], settings);
	ranks_close(ranks);
	return finish();
}
