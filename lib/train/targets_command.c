/* From the options of cnn-train to a training's targets. */
#include "lib/train/targets_command.h"

#include <string.h>

#include "lib/base/err.h"
#include "lib/train/spec.h"

static const double wing_width = 4, smooth_width = 1; /* pixels, where no --width is given */

enum target targets_command_target(const struct targets_command *c)
{
	return (enum target)model_target(c->target);
}

enum { COORDS = 1 << TARGET_COORDS, HEATMAP = 1 << TARGET_HEATMAP, MAP = 1 << TARGET_MAP };

static const struct {
	const char *option;
	int targets;
} settings[] = {{"loss", COORDS | HEATMAP}, {"width", COORDS | HEATMAP}, {"sigma", HEATMAP | MAP}, {"sigma-last", HEATMAP | MAP},
	{"entropy", HEATMAP}, {"weigh", COORDS | HEATMAP}, {"distrust", COORDS | HEATMAP}, {"suspects", COORDS | HEATMAP},
	{"sources", COORDS | HEATMAP}, {"offset", COORDS | HEATMAP}, {"teacher", COORDS | HEATMAP}, {"pseudo", COORDS | HEATMAP}};

static int targets_of(const char *option)
{
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (!strcmp(settings[i].option, option))
			return settings[i].targets;
	return -1;
}

int targets_command_heeds(enum target target, const char *option)
{
	return targets_of(option) >> target & 1;
}

void targets_command_check(const struct targets_command *c, const char *sources, const char *teacher, const char *pseudo)
{
	enum target target = targets_command_target(c);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (opt_given(settings[i].option) && !targets_command_heeds(target, settings[i].option))
			die_usage("--%s is for %s, not %s", settings[i].option,
				settings[i].targets == HEATMAP		    ? "the target heatmap"
				: settings[i].targets == (COORDS | HEATMAP) ? "the targets coords and heatmap"
									    : "the targets heatmap and map",
				c->target);
	if (c->width > 0 && spec_loss(c->loss) == LOSS_SQUARED)
		die_usage("--width is for --loss smooth and wing");
	if (opt_given("teach") && !teacher && !pseudo)
		die_usage("--teach needs --teacher or --pseudo");
	if (sources && teacher)
		die_usage("--sources and --teacher exclude each other: a teacher's labels are of no source");
}

struct targets_options targets_command(const struct targets_command *c, const char *names)
{
	enum target target = targets_command_target(c);
	struct targets_options to = {
		.loss = (enum loss_kind)spec_loss(c->loss),
		.sigma = c->sigma,
		.sigma_last = c->sigma_last,
		.entropy = c->entropy,
		.robust = c->distrust,
		.track_residuals = !!c->suspects,
		.offset = !strcmp(c->offset, "auto") && model_has_points(target) && target != TARGET_MAP,
		.weight = c->weigh.n ? targets_weights(names, c->weigh.v, c->weigh.n) : NULL,
	};
	to.width = c->width > 0 ? c->width : to.loss == LOSS_WING ? wing_width : smooth_width;
	to.curve = to.width / 4;
	return to;
}
