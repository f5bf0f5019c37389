/* From the options of cnn-train to a training's. */
#include "lib/train/train_command.h"

void train_command(const struct train_command *c, struct train_options *a)
{
	a->epochs = (int)c->epochs, a->batch = (int)c->batch;
	a->learning_rate = c->rate, a->momentum = c->momentum, a->weight_decay = c->decay, a->average = c->average;
	a->optimizer = (enum optimizer)spec_optimizer(c->optimizer);
	a->schedule = (enum schedule)spec_schedule(c->schedule);
}
