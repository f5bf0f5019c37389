/* From the options of cnn-train to a training's. */
#include "lib/train/train_command.h"

#include <string.h>

#include "lib/base/err.h"

static int keeps_last(const struct train_command *c)
{
	return !strcmp(c->keep, "last");
}

void train_command_check(const struct train_command *c)
{
	if (keeps_last(c) && c->patience > 0)
		die_usage("--keep last and --patience exclude each other: patience chooses the last epoch by the held-out rows");
}

void train_command(const struct train_command *c, struct train_options *a)
{
	a->epochs = (int)c->epochs, a->batch = (int)c->batch, a->patience = (int)c->patience, a->keep_last = keeps_last(c);
	a->learning_rate = c->rate, a->momentum = c->momentum, a->weight_decay = c->decay, a->average = c->average;
	a->optimizer = (enum optimizer)spec_optimizer(c->optimizer);
	if (c->warmup > (double)c->epochs)
		die_usage("--warmup %g: there are %d epochs", c->warmup, (int)c->epochs);
	a->warmup = c->warmup;
	a->schedule = (enum schedule)spec_schedule(c->schedule);
}
