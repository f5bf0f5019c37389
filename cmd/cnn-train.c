/* cnn-train - a data set into a model: a net trained on class labels or on keypoints. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/nn/backend_open.h"
#include "lib/nn/layer_alias.h"
#include "lib/train/checkpoint.h"
#include "lib/train/dry_run.h"
#include "lib/train/keep.h"
#include "lib/train/preset.h"
#include "lib/train/rank_backend.h"
#include "lib/train/source_rows.h"
#include "lib/train/targets_command.h"
#include "lib/train/teacher.h"
#include "lib/train/train_command.h"
#include "lib/train/train_memory.h"
#include "lib/train/unlearned.h"

static struct {
	struct train_command steps;
	struct targets_command targets;
	const char *net, *preset, *sources, *teacher, *pseudo, *init, *augment, *valid, *checkpoint, *extend, *log, *device, *precision,
		*output;
	int64_t threads, shards;
	double teach, valid_part;
	uint64_t seed;
	int resume, fresh, dry_run, quiet, fast;
} o = {.steps = {TRAIN_COMMAND_DEFAULTS},
	.targets = {TARGETS_COMMAND_DEFAULTS},
	.net = "",
	.preset = "none",
	.teach = 0.5,
	.augment = "",
	.extend = "no",
	.device = "cpu",
	.shards = 1,
	.seed = 1};

static const struct opt opts[] = {
	{'n', "net", OPT_STR, &o.net, 0, 0, "DESC",
		"the net, as text or as @FILE: " LAYER_ALIAS_FORMS
		", parted by blanks, height before width (images' sizes are WxH); without it "
		"that of the preset default, whose target is heatmap, or, for another target, fc500 sigmoid fc",
		0},
	{0, "preset", OPT_CHOICE, &o.preset, 0, 0, "none|fast|default|best",
		"what suits detectors of points, for all options that are not given: heat maps, a net for the images' size, "
		"augmentation, a held-out part",
		1},
	OPT_TARGETS(o.targets),
	{0, "sources", OPT_STR, &o.sources, 0, 0, "TENSOR",
		"learn how far each source of labels is off the mean of all, by point; told by this tensor (file: tns-cat --source), or "
		"missing: by which points have labels",
		0},
	{0, "teacher", OPT_STR, &o.teacher, 0, 0, "FILE",
		"average labels with other models' predictions of the same rows, as predict makes them, and fill those that are missing",
		1},
	{0, "pseudo", OPT_STR, &o.pseudo, 0, 0, "FILE", "train on these further images and their predictions, too", 1},
	{0, "teach", OPT_REAL, &o.teach, 0, 1, "F", "share of the predictions; their weight where there is no label", 0},
	{0, "init", OPT_STR, &o.init, 0, 0, "MODEL", "start its first layers from those of MODEL, as far as they have the same shape", 1},
	{0, "augment", OPT_STR, &o.augment, 0, 0, "WORD,...",
		"change images and labels at random, by words joined by commas: flip[=alternate] shift=PX rotate=DEG scale=F contrast=F "
		"brightness=F noise=F blur=PX motion=PX cutout=F elastic=PX; squared: mostly little; late=F[,last=G]: F of it in the last "
		"tenth, or share G, of epochs; or default or robust, then what differs",
		0},
	OPT_OFFSET(o.targets),
	OPT_TRAIN_STEPS(o.steps),
	{0, "valid", OPT_STR, &o.valid, 0, 0, "FILE", "data set to validate on after each epoch", 1},
	{0, "valid-part", OPT_REAL, &o.valid_part, 0, 0.9, "F",
		"hold out this share of the rows (of the faces, where patches name their source)", 0},
	OPT_TRAIN_KEEP(o.steps),
	{0, "checkpoint", OPT_STR, &o.checkpoint, 0, 0, "FILE", "keep all that is needed to go on in FILE", 1},
	{0, "resume", OPT_FLAG, &o.resume, 0, 0, 0, "go on from the checkpoint where there is one; without --checkpoint from OUTPUT.last",
		1},
	{0, "fresh", OPT_FLAG, &o.fresh, 0, 0, 0, "start over where there is a checkpoint of a run that is not at its end", 1},
	{0, "extend", OPT_CHOICE, &o.extend, 0, 0, "no|stretch|hold",
		"go on to other --epochs than the checkpoint was made for: stretch the schedule over them, or hold on to it, and beyond "
		"its "
		"end to its last rate; a constant rate needs neither",
		0},
	{0, "log", OPT_STR, &o.log, 0, 0, "FILE", "write a line of figures an epoch", 1},
	{0, "dry-run", OPT_FLAG, &o.dry_run, 0, 0, 0,
		"only show the net, the settings and the rows that it would train with; train and write nothing", 1},
	OPT_SHARDS(&o.shards),
	OPT_FAST(&o.fast),
	OPT_SEEDED(&o.seed),
	OPT_DEVICE(&o.device),
	OPT_PRECISION(&o.precision),
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_END,
};

static const struct opt_prog prog = {"cnn-train", "train a net on a data set and write the model", "[DATA]", 0, 1, opts,
	{"csv-clean training.csv.gz | cnn-train -n 'fc500 relu fc' --valid-part 0.2 -o model.tns",
		"cnn-train --target label -n 'fc500 sigmoid fc' --init dae.tns -e 100 patches.tns -o eyes.tns",
		"cnn-train --dry-run -n 'conv3x3x32 relu pool2 fc500 relu fc' faces.tns", NULL}};

int main(int argc, char **argv)
{
	int n;
	struct ranks *ranks = ranks_open();
	char **operand = opt_parse(&prog, argc, argv, &n);
	if (!o.dry_run)
		tns_promise(o.output);
	if (o.valid && o.valid_part > 0)
		die_usage("--valid and --valid-part exclude each other");
	if (strcmp(o.extend, "no") && !o.resume)
		die_usage("--extend needs --resume");
	train_command_check(&o.steps);
	struct keep keep;
	keep_open(&keep, o.checkpoint, o.output, o.resume, o.fresh || (o.dry_run && !o.resume));
	int heatmaps = !opt_given("target") || !strcmp(o.targets.target, "heatmap");
	o.preset = preset_begin(o.preset, o.targets.target, heatmaps && !opt_given("net"));
	enum target target = targets_command_target(&o.targets);
	targets_command_check(&o.targets, o.sources, o.teacher, o.pseudo);
	shards_command(ranks, &(struct shards_command){&o.shards, &o.threads, o.steps.batch, &o.log, &o.quiet});
	keep_not_mine(&keep, ranks_rank(ranks));
	struct backend *be = rank_backend_open(ranks, o.device, (int)o.threads, o.precision, o.fast);
	struct dataset *all = dataset_load_by(ranks, operand[0], target, o.sources), *train, *valid;
	preset_end(o.preset, all->W, all->H, dataset_groups(all), all->names, all->pairs);
	struct netdesc_text net;
	netdesc_text_read(&net, *o.net || opt_given("net") ? o.net : "fc500 sigmoid fc");
	o.net = net.text; /* META history gets the net, not the name of a file */
	struct train_options a = {
		.seed = o.seed,
		.checkpoint = keep.path,
		.spare = keep.own,
		.resume = o.resume,
		.extend = (enum extend)spec_extend(o.extend),
		.log = o.log,
		.suspects = o.targets.suspects,
		.shards = (int)o.shards,
		.ranks = ranks,
		.targets = targets_command(&o.targets, all->names),
		.quiet = o.quiet,
	};
	train_command(&o.steps, &a);
	spec_augment(o.augment, &a.augment);
	dataset_hold_out(all, o.valid, o.valid_part, o.seed, target, &train, &valid);
	struct teacher teacher = {o.teacher, o.pseudo, o.teach, o.quiet, {NULL}};
	teacher_apply(&teacher, train);
	struct model *m = model_new_from(&net, target, all->W, all->H, all->values, all->names);
	dataset_about(all, m);
	source_rows_begin(m, &all->source, train->from, train->n, o.quiet);
	if (m->points && a.augment.flip)
		model_require_partners(m, "--augment flip");
	targets_prior(m, train);
	struct tns_table *init = o.init ? tns_load(o.init) : NULL;
	const struct tns *source = init ? tns_table_head(init) : NULL;
	if (!o.dry_run) {
		train_memory_require(be, &m->d, &a, train, valid);
		netdesc_init_params(&m->d, o.seed, m->param, m->stat);
	}
	int copied = init ? model_start_from(m, init, a.targets.offset, o.quiet) : 0;
	if (m->points)
		unlearned_set(m, train, valid, a.augment.flip, a.targets.weight, copied == model_layers(&m->d) ? source : NULL);
	if (o.dry_run) {
		dry_run(o.preset, be, m, train, valid, &a);
		ranks_close(ranks);
		return finish();
	}
	char *key = checkpoint_key(train, valid, source);
	a.key = key, a.best_near = o.output, a.init = init;
	struct train *t = train_new(be, m, train, valid, &a);
	int failed = train_run(t);
	const struct tns *inputs[5] = {all->head, o.valid ? valid->head : source, o.valid ? source : NULL};
	int ninputs = teacher_inputs(&teacher, inputs, 1 + !!o.valid + !!source);
	enum train_result result = failed ? TRAIN_LEARNED : train_result(t);
	if (result != TRAIN_NOWHERE)
		model_save(m, o.output, inputs, ninputs, source ? "init" : NULL);
	keep_close(&keep);
	failed |= result == TRAIN_NOWHERE;
	if (result != TRAIN_LEARNED)
		train_warn(t, result); /* only now: a full disk is told alone */
	train_tell_best(t);
	source_rows_tell(m, o.quiet);
	if (!o.quiet)
		backend_tell(be);
	shards_tell(ranks, o.shards, o.quiet);
	log_provenance(o.quiet);
	if (o.targets.suspects && !failed)
		train_write_suspects(t);
	train_free(t);
	model_free(m);
	dataset_free(train != all ? train : NULL);
	dataset_free(valid);
	dataset_free(all);
	if (init)
		tns_unload(init);
	teacher_free(&teacher);
	free(key), free(a.targets.weight);
	netdesc_text_free(&net);
	rank_backend_close(ranks, be);
	ranks_close(ranks);
	return finish() || failed;
}
