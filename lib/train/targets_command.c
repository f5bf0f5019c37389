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

void targets_command_check(const struct targets_command *c, const char *sources, const char *teacher, const char *pseudo)
{
	enum target target = targets_command_target(c);
	int by_point = sources || c->suspects || c->distrust > 0 || c->weigh.n, taught = teacher || pseudo;
	if ((!model_has_points(target) || target == TARGET_MAP) && by_point) /* a map knows no single point */
		die_usage("--suspects, --distrust, --weigh and --sources are for the targets coords and heatmap");
	if (!model_has_points(target) && taught)
		die_usage("--teacher and --pseudo are for targets with points");
	if (opt_given("teach") && !taught)
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
