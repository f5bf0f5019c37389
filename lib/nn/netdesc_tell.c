/* Refusals and doubts, with places. */
#include "lib/nn/netdesc_tell.h"

#include <stdlib.h>

void netdesc_tell_refusal(const struct netdesc_text *net, int i, const char *why, const char *hint)
{
	char *place = netdesc_text_place(net->raw, i, net->file, "--net");
	die_usage("%s: %s%s", place, why, hint);
}

static void warn_layer(const struct netdesc_text *net, int i, const char *why, const char *lost)
{
	char *place = netdesc_text_place(net->raw, i, net->file, "--net");
	warn("%s: layer %d: %s%s", place, i + 1, why, lost);
	free(place);
}

void netdesc_tell_doubts(const struct netdesc_text *net, const struct netdesc *d, const char *lost)
{
	int idle = netdesc_idle(d), half = netdesc_half(d);
	if (idle >= 0)
		warn_layer(net, idle, "this relu changes nothing: its input is nowhere below 0", "");
	if (half >= 0 && lost)
		warn_layer(net, half, "no output is below 0, where ", lost);
}
