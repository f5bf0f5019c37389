/* From the options of a program that trains without labels to its run. */
#include "lib/train/pretrain_command.h"

#include <string.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/nn/backend_open.h"
#include "lib/stream/names.h"
#include "lib/train/dry_run.h"
#include "lib/train/keep.h"

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

void pretrain_command(const struct pretrain_kind *kind, struct pretrain_command *c, struct pretrain_options *a, const char *path,
	const char *const *settings)
{
	if (!c->dry_run)
		tns_promise(c->output);
	shards_command(a->ranks, &(struct shards_command){&c->shards, &c->threads, c->batch, &c->log, &c->quiet});
	a->shards = (int)c->shards;
	a->epochs = (int)c->epochs, a->batch = (int)c->batch, a->learning_rate = (float)c->rate, a->seed = c->seed;
	a->init = (float)c->init, a->weight_decay = (float)c->weight_decay;
	struct pretrain_run r = {.kind = kind, .a = a, .output = c->output, .resume = c->resume, .log = c->log, .quiet = c->quiet};
	r.layers = list("hidden", c->hidden, r.hidden, PRETRAIN_LAYERS, 1000000);
	r.snapshots = list("snapshot", c->snapshot, r.snapshot, PRETRAIN_SNAPSHOTS, 10000000);
	if (r.snapshots && (!c->output || !strcmp(c->output, "-")))
		die_usage("--snapshot needs --output FILE");
	for (int i = 0; i < r.snapshots; i++)
		if (r.snapshot[i] > c->epochs)
			die_usage("--snapshot %d: there are %d epochs", r.snapshot[i], (int)c->epochs);
	struct keep keep;
	keep_open(&keep, c->checkpoint, c->output, c->resume, c->fresh || (c->dry_run && !c->resume)),
		keep_not_mine(&keep, ranks_rank(a->ranks));
	r.checkpoint = keep.path, r.spare = keep.own;
	struct backend *be = rank_backend_open(a->ranks, c->device, (int)c->threads, c->precision, c->fast);
	r.be = be;
	r.data = dataset_load_patches(a->ranks, path, c->patches);
	if (r.data->scattered && r.layers > 1)
		die_usage("--hidden %s: ranks learn one layer from a pipe; several need the patches in a file", c->hidden);
	if (c->valid) {
		r.valid = dataset_load_patches(a->ranks, c->valid, c->patches);
		if (r.valid->W != r.data->W || r.valid->H != r.data->H)
			die("%s: images are %dx%d, those of %s %dx%d", r.valid->head->name, r.valid->W, r.valid->H, r.data->head->name,
				r.data->W, r.data->H);
	}
	if (c->dry_run) {
		dry_run_pretrain(&r, settings);
	} else {
		pretrain_run(&r);
		keep_close(&keep);
		if (!c->quiet)
			backend_tell(be);
		shards_tell(a->ranks, c->shards, c->quiet), log_provenance(c->quiet);
	}
	dataset_free(r.data);
	if (r.valid)
		dataset_free(r.valid);
	rank_backend_close(a->ranks, be);
}
