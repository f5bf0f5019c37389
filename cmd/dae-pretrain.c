/* dae-pretrain - patches into a model: a denoising autoencoder with tied weights, encoder layers first, then decoder layers. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/nn/backend_open.h"
#include "lib/stream/names.h"
#include "lib/train/dae_run.h"
#include "lib/train/dry_run.h"
#include "lib/train/keep.h"

static struct {
	const char *hidden, *snapshot, *checkpoint, *log, *device, *precision, *output, *only;
	int64_t epochs, batch, threads;
	double rate, corruption;
	uint64_t seed;
	int resume, fresh, dry_run, quiet;
} o = {.hidden = "500",
	.snapshot = "",
	.only = "all",
	.device = "cpu",
	.epochs = 100,
	.batch = 1000,
	.rate = 0.1,
	.corruption = 0.2,
	.seed = 1};

static const struct opt opts[] = {
	{'H', "hidden", OPT_STR, &o.hidden, 0, 0, "N[,N...]",
		"hidden units of each layer; several are stacked, each trained on the codes before it", 0},
	{'e', "epochs", OPT_INT, &o.epochs, 1, 10000000, "N", "passes over the patches, for each layer", 0},
	{'b', "batch", OPT_INT, &o.batch, 1, 65536, "N", "patches a step", 0},
	{'r', "rate", OPT_REAL, &o.rate, 1e-12, 100, "X", "learning rate", 0},
	{'c', "corruption", OPT_REAL, &o.corruption, 0, 0.95, "P", "share of inputs set to zero", 0},
	{0, "patches", OPT_CHOICE, &o.only, 0, 0, "all|positive", "learn from all patches, or from those whose label is not 0", 0},
	{0, "snapshot", OPT_STR, &o.snapshot, 0, 0, "N,N,...",
		"write the model after these epochs too, as OUTPUT-EPOCH.tns beside the output", 1},
	{0, "checkpoint", OPT_STR, &o.checkpoint, 0, 0, "FILE", "keep all that is needed to go on in FILE", 1},
	{0, "resume", OPT_FLAG, &o.resume, 0, 0, 0, "go on from the checkpoint where there is one; without --checkpoint from OUTPUT.last",
		1},
	{0, "fresh", OPT_FLAG, &o.fresh, 0, 0, 0, "start over where there is a checkpoint of a run that is not at its end", 1},
	{0, "log", OPT_STR, &o.log, 0, 0, "FILE", "write a line of figures an epoch", 1},
	{0, "dry-run", OPT_FLAG, &o.dry_run, 0, 0, 0,
		"only show the net, the settings and the rows that it would train with; train and write nothing", 1},
	OPT_SEEDED(&o.seed),
	OPT_DEVICE(&o.device),
	OPT_PRECISION(&o.precision),
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_RENAMED("only", "patches"),
	OPT_END,
};

static const struct opt_prog prog = {"dae-pretrain", "train a denoising autoencoder on patches and write the model", "[PATCHES]", 0, 1,
	opts,
	{"patch-extract --preset eyes faces.tns | dae-pretrain -H 500 -e 100 -o dae.tns",
		"dae-pretrain --snapshot 10,100 --log dae.tsv -e 100 patches.tns -o dae.tns && render tiles dae.tns -o filters.png", NULL}};

/* Parses "500,250": at most max numbers from 1 to most, returns how many; anything else is a usage error. */
static int list(const char *option, const char *text, int *to, int max, int64_t most)
{
	int n = 0, count = 0;
	if (!*text)
		return 0;
	char **words = names_split(text, &n);
	for (; count < n; count++) {
		int64_t v;
		if (count == max || !num_int(words[count], &v) || v < 1 || v > most)
			die_usage("--%s: '%s' is not at most %d numbers from 1 to %lld", option, text, max, (long long)most);
		to[count] = (int)v;
	}
	names_free(words);
	return n;
}

int main(int argc, char **argv)
{
	int n;
	char **operand = opt_parse(&prog, argc, argv, &n);
	if (!o.dry_run)
		tns_promise(o.output);
	struct dae_options a = {.epochs = (int)o.epochs,
		.batch = (int)o.batch,
		.learning_rate = (float)o.rate,
		.corruption = (float)o.corruption,
		.seed = o.seed};
	struct dae_run r = {.a = &a, .output = o.output, .resume = o.resume, .log = o.log, .quiet = o.quiet};
	r.layers = list("hidden", o.hidden, r.hidden, DAE_RUN_LAYERS, 1000000);
	r.snapshots = list("snapshot", o.snapshot, r.snapshot, DAE_RUN_SNAPSHOTS, 10000000);
	if (r.snapshots && (!o.output || !strcmp(o.output, "-")))
		die_usage("--snapshot needs --output FILE");
	for (int i = 0; i < r.snapshots; i++)
		if (r.snapshot[i] > o.epochs)
			die_usage("--snapshot %d: there are %d epochs", r.snapshot[i], (int)o.epochs);
	struct keep keep;
	keep_open(&keep, o.checkpoint, o.output, o.resume, o.fresh);
	r.checkpoint = keep.path, r.spare = keep.own;
	struct backend *be = backend_open(o.device, (int)o.threads, o.precision);
	r.be = be;
	r.data = dataset_load(operand[0], strcmp(o.only, "positive") ? TARGET_IMAGE : TARGET_LABEL);
	if (!strcmp(o.only, "positive"))
		dataset_keep_positive(r.data);
	if (o.dry_run)
		return dry_run_dae(&r), finish();
	dae_run(&r);
	keep_close(&keep);
	if (!o.quiet)
		warn("computed by %s (%s)", be->name, be->kernel); /* equal results bit by bit are guaranteed for this kernel only */
	log_provenance(o.quiet);
	dataset_free(r.data);
	be->close(be);
	return finish();
}
