/* Presets as lists of options. */
#include "lib/train/preset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/stream/names.h"

struct setting {
	const char *option, *value;
};

static const struct setting common[] = {{"target", "heatmap"}, {"loss", "smooth"}, {"batch", "32"}, {"rate", "0.002"},
	{"optimizer", "adam"}, {"schedule", "cosine"}, {NULL, NULL}};

static const struct preset {
	const char *name, *epochs;
	int channels[3], more; /* of the first layers; further layers at the smallest size */
} presets[] = {{"fast", "15", {16, 32, 64}, 2}, {"default", "40", {16, 32, 64}, 4}, {"best", "60", {32, 64, 160}, 5}};

static const struct preset *find(const char *name)
{
	size_t i = 0;
	while (strcmp(presets[i].name, name))
		i++;
	return &presets[i];
}

static void set(const char *option, const char *value)
{
	if (!opt_given(option))
		opt_set(option, value);
}

const char *preset_begin(const char *preset, const char *target, int default_net)
{
	if (!strcmp(preset, "none") && default_net)
		preset = "default";
	if (!strcmp(preset, "none"))
		return preset;
	if (opt_given("target") && strcmp(target, "heatmap"))
		die_usage("--preset %s: is for the target heatmap, not %s", preset, target);
	set("epochs", find(preset)->epochs);
	for (const struct setting *s = common; s->option; s++)
		set(s->option, s->value);
	char *optimizer = opt_setting("optimizer");
	if (!strcmp(optimizer, "adam")) /* of which it is decoupled */
		set("decay", "0.5");
	free(optimizer);
	return preset;
}

/* most: the option's */
static void set_length(const char *option, double scale, double px, double most)
{
	char text[40];
	snprintf(text, sizeof text, "%.3g", fmin(px * scale, most));
	set(option, text);
}

static int has_partners(const char *names, const char *pairs)
{
	int n;
	char **list = names_split(names, &n);
	int *partner = names_partners(list, pairs), k = names_unpaired(list, partner);
	if (k >= 0)
		warn("images are not mirrored: point '%s' has no partner on the other side (csv-clean, tns-import: --pairs)", list[k]);
	free(partner), names_free(list);
	return k < 0;
}

void preset_end(const char *preset, int W, int H, unsigned groups, const char *names, const char *pairs)
{
	if (!strcmp(preset, "none"))
		return;
	if (W < PRESET_LEAST || H < PRESET_LEAST)
		die("images of %dx%d are too small for --preset %s, which needs %dx%d: give a net, as --net fc", W, H, preset, PRESET_LEAST,
			PRESET_LEAST);
	double scale = (W < H ? W : H) / 96.0;
	char *net = preset_net(preset, W, H), text[160];
	set("net", net);
	free(net);
	set_length("sigma", scale, 3, 100);
	set_length("distrust", scale, 8, 1000);
	if (!opt_given("augment")) {
		snprintf(text, sizeof text, "%sshift=%.3g,rotate=12,scale=0.1,contrast=0.3,brightness=0.15,cutout=0.2",
			has_partners(names, pairs) ? "flip," : "", fmin(4 * scale, 64));
		opt_set("augment", text);
	}
	if (!opt_given("valid") && !opt_given("valid-part") && groups >= PRESET_HELD_OUT)
		opt_set("valid-part", "0.1");
	char *keep = opt_setting("keep"), *part = opt_setting("valid-part");
	if (((groups >= PRESET_HELD_OUT && part && strtod(part, NULL) > 0) || opt_given("valid")) && (!keep || strcmp(keep, "last")))
		set("patience", "15");
	free(keep), free(part);
}

static void add(char **net, const char *layer)
{
	char *longer = xprintf("%s%s%s", *net ? *net : "", *net ? " " : "", layer);
	free(*net);
	*net = longer;
}

char *preset_net(const char *preset, int W, int H)
{
	const struct preset *p = find(preset);
	int halvings = (int)lround(log2((W < H ? W : H) / (double)PRESET_SIDE));
	char *net = NULL, text[80];
	halvings = halvings < 1 ? 1 : halvings;
	for (int i = 0; i < halvings + p->more; i++) {
		int last = i < halvings ? i + 3 - halvings : 2, c = p->channels[last < 0 ? 0 : last];
		if (!i && halvings > 1)
			snprintf(text, sizeof text, "conv5x5x%ds2p2 bn relu", c);
		else
			snprintf(text, sizeof text, "conv3x3x%d%sp1 bn relu", c, i < halvings ? "s2" : "");
		add(&net, text);
	}
	snprintf(text, sizeof text, "up2 conv3x3x%dp1 bn relu conv1x1", p->channels[1]);
	add(&net, text);
	return net;
}
