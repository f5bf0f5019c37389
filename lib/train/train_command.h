/* The options of cnn-train that say how its steps go, and the way from these to a training's. */
#ifndef TRAIN_COMMAND_H
#define TRAIN_COMMAND_H

#include "lib/base/opt.h"
#include "lib/train/train.h"

struct train_command {
	const char *optimizer, *schedule, *keep;
	int64_t epochs, batch, patience;
	double rate, momentum, decay, warmup, average;
};

#define TRAIN_COMMAND_DEFAULTS                                                                                                             \
	.optimizer = "nesterov", .schedule = "constant", .keep = "best", .epochs = 20, .batch = 32, .rate = 0.01, .momentum = 0.9

/* clang-format off */
/* Of a struct train_command c. */
#define OPT_TRAIN_STEPS(c) \
	{'e', "epochs", OPT_INT, &(c).epochs, 1, 1000000, "N", "passes over the data", 0}, \
	{'b', "batch", OPT_INT, &(c).batch, 1, 65536, "N", "rows a step", 0}, \
	{'r', "rate", OPT_REAL, &(c).rate, 1e-12, 100, "X", "learning rate", 0}, \
	{'m', "momentum", OPT_REAL, &(c).momentum, 0, 0.9999, "X", "momentum (Adam: beta 1)", 0}, \
	{0, "optimizer", OPT_CHOICE, &(c).optimizer, 0, 0, "sgd|nesterov|adam", "how gradients become steps", 0}, \
	{0, "schedule", OPT_CHOICE, &(c).schedule, 0, 0, "constant|linear|cosine|step", "how the rate falls", 0}, \
	{0, "warmup", OPT_REAL, &(c).warmup, 0, 1000000, "F", \
		"let the rate rise linearly, step by step, over the first F epochs, or a part of one, until it meets the schedule", 0}, \
	{0, "decay", OPT_REAL, &(c).decay, 0, 1, "X", "weight decay", 0}, \
	{0, "average", OPT_REAL, &(c).average, 0, 0.999999, "F", \
		"validate and write an exponential moving average (EMA) of the weights: at each step min(F, (1 + step) / (10 + step)) " \
		"of it stays; 0: the weights", 0}

/* Which of the epochs counts, where rows are held out. */
#define OPT_TRAIN_KEEP(c) \
	{0, "keep", OPT_CHOICE, &(c).keep, 0, 0, "best|last", \
		"which epoch's weights are written: the best on the held-out rows, whose score then flatters, or the last", 0}, \
	{0, "patience", OPT_INT, &(c).patience, 0, 1000000, "N", "stop after N epochs without a better validation; 0: never", 0}
/* clang-format on */

/* Wrong use, after opt_parse: options that exclude each other. */
void train_command_check(const struct train_command *c);
/* Puts what c has into a; after the presets, which set options. Wrong use: a warm-up of more epochs than there are. */
void train_command(const struct train_command *c, struct train_options *a);

#endif
