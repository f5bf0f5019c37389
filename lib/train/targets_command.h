/* The options of cnn-train that say what a net learns of points, and the way from these to a training's targets. */
#ifndef TARGETS_COMMAND_H
#define TARGETS_COMMAND_H

#include "lib/base/opt.h"
#include "lib/nn/model.h"
#include "lib/train/targets.h"

struct targets_command {
	const char *target, *loss, *offset, *suspects;
	struct opt_list weigh;
	double width, sigma, sigma_last, entropy, distrust;
};

#define TARGETS_COMMAND_DEFAULTS .target = "coords", .loss = "squared", .offset = "auto", .sigma = 2, .entropy = 1

/* clang-format off */
/* Of a struct targets_command c. */
#define OPT_TARGETS(c) \
	{0, "target", OPT_CHOICE, &(c).target, 0, 0, "label|coords|heatmap|map", \
		"what it learns: the label; or the keypoints (missing ones are masked): their coordinates, a map for each, one map of all", \
		0}, \
	{0, "loss", OPT_CHOICE, &(c).loss, 0, 0, "squared|smooth|wing", "of a coordinate: squared, smooth L1 or wing", 0}, \
	{0, "width", OPT_REAL, &(c).width, 0, 1000, "PX", "from what residual on smooth or wing are linear; 0: smooth 1, wing 4", 0}, \
	{0, "sigma", OPT_REAL, &(c).sigma, 0.1, 100, "PX", "heatmap, map: standard deviation of a point's Gaussian in the target", 0}, \
	{0, "sigma-last", OPT_REAL, &(c).sigma_last, 0, 100, "PX", "what it is in the last epoch, by equal factors an epoch; 0: the same", 0}, \
	{0, "entropy", OPT_REAL, &(c).entropy, 0, 1000, "F", \
		"heatmap: weight of the cross-entropy with that Gaussian; the coordinates' loss has 1", 0}, \
	{0, "weigh", OPT_LIST, &(c).weigh, 0, 0, "NAME=F", "let a point's loss count F times; may be repeated", 0}, \
	{0, "distrust", OPT_REAL, &(c).distrust, 0, 1000, "PX", \
		"after a third of the epochs, labels that stay further off than that (and than three times most) count less, by the " \
		"square; 0: all the same", 0}, \
	{0, "suspects", OPT_STR, &(c).suspects, 0, 0, "FILE", "list the labels that stayed far off, for csv-clean --blank", 1}

#define OPT_OFFSET(c) \
	{0, "offset", OPT_CHOICE, &(c).offset, 0, 0, "auto|none", \
		"the labels' offset: estimated as images are moved, or none: they count from the first pixel's centre", 0}
/* clang-format on */

enum target targets_command_target(const struct targets_command *c);
/* 1: trainings for this target heed the option; so they do those that targets_command_check does not know. */
int targets_command_heeds(enum target target, const char *option);
/* Wrong use: options that were given and that no training for the target heeds. After the preset's are set: the loss may be its. sources,
 * teacher, pseudo: the options of these names, or NULL. */
void targets_command_check(const struct targets_command *c, const char *sources, const char *teacher, const char *pseudo);
/* What c says of points of these names, comma-joined (NULL: none). The weights, if any, are to be freed. Dies where a weight's point is
 * none of them. */
struct targets_options targets_command(const struct targets_command *c, const char *names);

#endif
