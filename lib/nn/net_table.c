#include <stdio.h>
#include <string.h>

#include "lib/nn/net_plan.h"
#include "lib/nn/net_table.h"
#include "lib/nn/netdesc_text.h"

static double mflop(const struct layer *l)
{
	return l->kind == LAYER_CONV || l->kind == LAYER_DENSE ? 2e-6 * (double)l->nw * l->OH * l->OW : 0;
}

double net_table_weights(const struct netdesc *d)
{
	return 4.0 * ((double)d->nparam + (double)d->nstat);
}

double net_table_activations(const struct netdesc *d)
{
	double values = (double)d->C * d->H * d->W;
	for (int i = 0; i < d->n; i++)
		if (!d->layer[i].fused)
			values += (double)net_values(&d->layer[net_last_fused(d, i)]);
	return 4 * values;
}

static void word_of(const char **s, char word[64])
{
	size_t n;
	const char *w = netdesc_text_word(s, &n);
	snprintf(word, 64, "%.*s", w ? (int)(n < 63 ? n : 63) : 0, w ? w : "");
}

void net_table_text(struct out *to, const struct netdesc *d, const char *text)
{
	char word[64], shape[48], tensors[16];
	const char *s = text;
	int w = 5;
	for (int i = 0; i < d->n; i++) {
		word_of(&s, word);
		w = (int)strlen(word) > w ? (int)strlen(word) : w;
	}
	snprintf(shape, sizeof shape, "%dx%dx%d", d->C, d->H, d->W);
	out_printf(to, "layer %-*s %15s %12s %10s  tensors\n%5s %-*s %15s\n", w, "net", "output CxHxW", "parameters", "MFLOP", "", w,
		"input", shape);
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		word_of(&text, word);
		snprintf(shape, sizeof shape, "%dx%dx%d", l->OC, l->OH, l->OW);
		snprintf(tensors, sizeof tensors, "  %d.*", i);
		out_printf(to, "%5d %-*s %15s %12zu %10.3f%s\n", i + 1, w, word, shape, l->nw + l->nb, mflop(l), l->nw ? tensors : "");
	}
	out_printf(to, "%5s %-*s %15s %12zu %10.3f\n", "", w, "total", "", d->nparam, netdesc_flops(d) / 1e6);
	out_printf(to, "memory of a forward pass: %.3f MB of weights, %.3f MB of activations a row of a batch\n",
		net_table_weights(d) / 1e6, net_table_activations(d) / 1e6);
}

void net_table_json(struct json *j, const struct netdesc *d, const char *text)
{
	char word[64];
	json_key(j, "layers"), json_open(j, '[');
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		word_of(&text, word);
		json_open(j, '{');
		json_key(j, "layer"), json_uint(j, (uint64_t)i + 1);
		json_key(j, "net"), json_string(j, word);
		if (l->nw) {
			snprintf(word, sizeof word, "%d.*", i);
			json_key(j, "tensors"), json_string(j, word);
		}
		json_key(j, "output"), json_open(j, '[');
		json_uint(j, (uint64_t)l->OC), json_uint(j, (uint64_t)l->OH), json_uint(j, (uint64_t)l->OW);
		json_close(j, ']');
		json_key(j, "parameters"), json_uint(j, l->nw + l->nb);
		json_key(j, "mflop"), json_real(j, mflop(l));
		json_close(j, '}');
	}
	json_close(j, ']');
	json_key(j, "weights_mb"), json_real(j, net_table_weights(d) / 1e6);
	json_key(j, "activations_mb"), json_real(j, net_table_activations(d) / 1e6);
}
