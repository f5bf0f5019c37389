/* Names of options that a program hasn't, and values that an option hasn't: what was meant. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/nearest.h"
#include "lib/base/opt_io.h"

/* What other tools call it, without the dashes, and what it is here: an option's name, or, where the third column names an option, what to
 * do. A line counts in programs that have the option. */
static const struct {
	const char *other, *here, *where;
} known[] = {
	{"lr", "rate", 0},
	{"learning-rate", "rate", 0},
	{"learningrate", "rate", 0},
	{"eta", "rate", 0},
	{"batch-size", "batch", 0},
	{"batchsize", "batch", 0},
	{"bs", "batch", 0},
	{"num-epochs", "epochs", 0},
	{"n-epochs", "epochs", 0},
	{"max-epochs", "epochs", 0},
	{"iterations", "epochs", 0},
	{"weight-decay", "decay", 0},
	{"wd", "decay", 0},
	{"l2", "decay", 0},
	{"beta1", "momentum", 0},
	{"ema", "average", 0},
	{"ema-decay", "average", 0},
	{"model-ema-decay", "average", 0},
	{"scheduler", "schedule", 0},
	{"lr-schedule", "schedule", 0},
	{"lr-scheduler", "schedule", 0},
	{"lr-decay", "schedule", 0},
	{"criterion", "loss", 0},
	{"model", "net", 0},
	{"arch", "net", 0},
	{"architecture", "net", 0},
	{"network", "net", 0},
	{"pretrained", "init", 0},
	{"weights", "init", 0},
	{"finetune", "init", 0},
	{"val", "valid", 0},
	{"validation", "valid", 0},
	{"val-data", "valid", 0},
	{"val-split", "valid-part", 0},
	{"validation-split", "valid-part", 0},
	{"warmup-epochs", "warmup", 0},
	{"warm-up", "warmup", 0},
	{"early-stopping", "patience", 0},
	{"early-stop", "patience", 0},
	{"save-best", "keep", 0},
	{"continue", "resume", 0},
	{"restore", "resume", 0},
	{"restart", "fresh", 0},
	{"logfile", "log", 0},
	{"log-file", "log", 0},
	{"data-augmentation", "augment", 0},
	{"dropout", "it is a layer: --net '... dropout0.5 ...'", "net"},
	{"hidden-size", "hidden", 0},
	{"hidden-units", "hidden", 0},
	{"n-hidden", "hidden", 0},
	{"n-components", "components", 0},
	{"noise", "corruption", 0},
	{"random-seed", "seed", 0},
	{"random-state", "seed", 0},
	{"rng-seed", "seed", 0},
	{"workers", "threads", 0},
	{"num-workers", "threads", 0},
	{"n-jobs", "threads", 0},
	{"jobs", "threads", 0},
	{"num-threads", "threads", 0},
	{"nproc", "threads", 0},
	{"backend", "device", 0},
	{"gpu", "here it is --device cuda", "device"},
	{"cuda", "here it is --device cuda", "device"},
	{"cpu", "here it is --device cpu", "device"},
	{"dtype", "precision", 0},
	{"amp", "precision", 0},
	{"outfile", "output", 0},
	{"output-file", "output", 0},
	{"out-file", "output", 0},
	{"save", "output", 0},
	{"save-path", "output", 0},
	{"silent", "quiet", 0},
	{"verbose", "progress is told unless --quiet is given", "quiet"},
	{"debug", "progress is told unless --quiet is given", "quiet"},
	{"input", "inputs are named without an option", "output"},
	{"input-file", "inputs are named without an option", "output"},
	{"infile", "inputs are named without an option", "output"},
	{"data", "inputs are named without an option", "output"},
	{"dataset", "inputs are named without an option", "output"},
	{"file", "inputs are named without an option", "output"},
	{"ground-truth", "truth", 0},
	{"gt", "truth", 0},
	{"filter", "where", 0},
	{"query", "where", 0},
	{"exclude", "without", 0},
	{"rename-points", "rename", 0},
	{"limit", "count", 0},
	{"cols", "fields", 0},
	{"cols", "columns", 0},
	{"ncols", "columns", 0},
	{"ratio", "parts", 0},
	{"split", "parts", 0},
	{"test-size", "parts", 0},
	{"train-size", "parts", 0},
	{"stratify", "by", 0},
	{"on", "by", 0},
	{"how", "here it is --inner or --left", "inner"},
	{"delimiter", "tsv", 0},
	{"sep", "tsv", 0},
};

/* The same for values of OPT_CHOICE. */
static const struct {
	const char *other, *here;
} values[] = {{"gpu", "cuda"}, {"mse", "squared"}, {"l2", "squared"}, {"l1", "smooth"}, {"huber", "smooth"}, {"smoothl1", "smooth"},
	{"momentum", "nesterov"}, {"adamw", "adam"}, {"class", "label"}, {"classification", "label"}, {"regression", "coords"},
	{"keypoints", "coords"}, {"landmarks", "coords"}, {"exponential", "step"}, {"float32", "fp32"}, {"fp16", "bf16"},
	{"float16", "bf16"}, {"jpg", "png"}, {"jpeg", "png"}, {"average", "mean"}};

static int has(const struct opt *opts, const char *name)
{
	for (; opts->name; opts++)
		if (opts->kind != OPT_WAS && !strcmp(opts->name, name))
			return 1;
	return 0;
}

/* Name k of those that --help lists, NULL after the last. */
static const char *listed(const struct opt *opts, int k)
{
	for (; opts->name; opts++)
		if (opts->kind != OPT_WAS && !k--)
			return opts->name;
	return k == 0 ? "help" : k == 1 ? "version" : NULL;
}

/* Ends the program where the name is the beginning of several names. */
static void check_short_for(const struct opt *opts, const char *name)
{
	char *all = NULL;
	int n = 0;
	for (int k = 0; listed(opts, k); k++)
		if (!strncmp(listed(opts, k), name, strlen(name)))
			all = opt_join(all, ", --", listed(opts, k)), n++;
	if (n > 1 && *name)
		die_usage("'--%s' is short for more than one option: --%s", name, all);
	free(all);
}

void opt_unknown(const struct opt *opts, const char *word)
{
	char *name = xprintf("%.*s", (int)strcspn(word, "=") - 2, word + 2);
	check_short_for(opts, name);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!nearest_distance(known[i].other, name) && has(opts, known[i].where ? known[i].where : known[i].here))
			die_usage("unknown option '--%s' (%s%s)", name, known[i].where ? "" : "here it is --", known[i].here);
	struct nearest n = nearest_of(name);
	for (int k = 0; listed(opts, k); k++)
		nearest_add(&n, listed(opts, k));
	if (n.distance < NEAREST_WORD)
		die_usage("unknown option '--%s' (did you mean --%s?)", name, n.name);
	die_usage("unknown option '--%s'", name);
}

static int is_choice(const char *words, const char *s)
{
	size_t n = strlen(s);
	for (;;) {
		size_t len = strcspn(words, "|");
		if (len == n && !memcmp(words, s, n))
			return 1;
		if (!words[len])
			return 0;
		words += len + 1;
	}
}

/* cuda:N, where cuda is a choice. */
static int is_numbered_gpu(const char *words, const char *s)
{
	size_t digits = strncmp(s, "cuda:", 5) ? 0 : strspn(s + 5, "0123456789");
	return digits && digits <= 3 && !s[5 + digits] && is_choice(words, "cuda");
}

void opt_check_choice(const struct opt *o, const char *text)
{
	if (is_choice(o->arg, text) || is_numbered_gpu(o->arg, text))
		return;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (!nearest_distance(values[i].other, text) && is_choice(o->arg, values[i].here))
			die_usage("--%s: '%s' is not one of %s (here it is %s)", o->name, text, o->arg, values[i].here);
	struct nearest n = nearest_of(text);
	nearest_add_choices(&n, o->arg);
	die_usage("--%s: '%s' is not one of %s%s", o->name, text, o->arg, nearest_hint(&n));
}
