/* A training's plan as text. */
#include "lib/train/dry_run.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/nn/net_table.h"
#include "lib/train/targets_command.h"
#include "lib/train/train_memory.h"

static void print_memory(struct out *to, const struct backend *be, const struct netdesc *d, const struct train_options *a, uint32_t rows)
{
	struct train_memory m = train_memory(be, d, a, rows);
	out_printf(to, "memory of training on %s: %.3f MB of weights, gradients and moments, %.3f MB for a batch of %d rows%s\n", be->name,
		m.weights / 1e6, m.batch / 1e6, m.rows,
		strcmp(be->name, "cuda") ? "" : "; the images and what kernels need on the way come on top");
}

static void print_steps(struct out *to, uint32_t rows, int batch, int epochs)
{
	uint64_t steps = ((uint64_t)rows + (uint64_t)batch - 1) / (uint64_t)batch;
	out_printf(to, "steps: %llu an epoch, %llu in %d epochs\n", (unsigned long long)steps,
		(unsigned long long)(steps * (uint64_t)epochs), epochs);
}

static const char *const settings[] = {"target", "loss", "width", "sigma", "sigma-last", "entropy", "weigh", "distrust", "sources",
	"offset", "augment", "optimizer", "momentum", "rate", "schedule", "warmup", "decay", "average", "batch", "epochs", "keep",
	"patience", "valid-part", "seed"};

/* The option's value, but where that stands for another: no width for that of the loss, a word for a list. */
static char *setting(const char *option, const struct train_options *a)
{
	char *v = opt_setting(option), *own = NULL;
	if (!strcmp(option, "width"))
		own = a->targets.loss == LOSS_SQUARED ? xstrdup("") : xprintf("%g", a->targets.width);
	if (v && !strcmp(option, "augment"))
		own = spec_augment_text(v);
	if (own)
		free(v);
	return own ? own : v;
}

static void print_settings(struct out *to, const char *preset, const struct model *m, const struct train_options *a)
{
	out_printf(to, strcmp(preset, "none") ? "settings, with those of --preset %s:\n" : "settings:\n", preset);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		if (!targets_command_heeds(m->target, settings[i]))
			continue;
		char *v = setting(settings[i], a);
		if (v && *v)
			out_printf(to, "  %s: %s\n", settings[i], v);
		free(v);
	}
}

void dry_run(const char *preset, const struct backend *be, const struct model *m, const struct dataset *train, const struct dataset *valid,
	const struct train_options *a)
{
	const struct dataset *ds = valid ? valid : train;
	train_check(a, valid);
	struct out *to = out_open(NULL, 0);
	net_table_text(to, &m->d, m->net);
	print_memory(to, be, &m->d, a, train->n > ds->n ? train->n : ds->n);
	out_printf(to, "rows: %u to train on, ", train->n);
	if (valid)
		out_printf(to, "%u to validate on, %s\n", valid->n, valid->head ? valid->head->name : "held out");
	else
		out_printf(to, "none to validate on\n");
	print_steps(to, train->n, a->batch, a->epochs);
	struct baseline b = m->points ? baseline_points(train, ds) : baseline_classes(train, ds);
	if (m->points)
		out_printf(to, "mean face: %.4g px\n", b.error);
	else
		out_printf(to, "most frequent class: error %.4g, loss %.4g\n", b.error, b.loss);
	print_settings(to, preset, m, a);
	out_close(to);
}

void dry_run_pretrain(const struct pretrain_run *r, const char *const *settings)
{
	struct out *to = out_open(NULL, 0);
	char *text = pretrain_run_net(r);
	struct model *m = model_new(text, TARGET_IMAGE, r->data->W, r->data->H, r->data->W * r->data->H, "");
	net_table_text(to, &m->d, m->net);
	out_printf(to, "rows: %u to train on\n", r->data->n);
	print_steps(to, r->data->n, r->a->batch, r->a->epochs);
	out_printf(to, "settings:\n");
	for (; *settings; settings++) {
		char *v = opt_setting(*settings); /* of a flag: NULL or "" */
		out_printf(to, "  %s: %s\n", *settings, !v ? "no" : *v ? v : "yes");
		free(v);
	}
	free(text), model_free(m);
	out_close(to);
}
