#include <stdio.h>
#include <string.h>

#include "lib/nn/net_plan.h"
#include "lib/nn/net_table.h"

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

/* The next word of a description, as netdesc_parse takes them; moves *s behind it. */
static int next_word(const char **s, char word[64])
{
	for (*s += strspn(*s, " \t\r\n"); **s == '#'; *s += strspn(*s, " \t\r\n"))
		*s += strcspn(*s, "\n");
	size_t n = strcspn(*s, " \t\r\n#");
	snprintf(word, 64, "%.*s", (int)(n < 63 ? n : 63), *s);
	*s += n;
	return n > 0;
}

void net_table_text(struct out *to, const struct netdesc *d, const char *text)
{
	char word[64], shape[48];
	int w = 5;
	for (const char *s = text; next_word(&s, word);)
		w = (int)strlen(word) > w ? (int)strlen(word) : w;
	snprintf(shape, sizeof shape, "%dx%dx%d", d->C, d->H, d->W);
	out_printf(
		to, "layer %-*s %15s %12s %10s\n%5s %-*s %15s\n", w, "net", "output CxHxW", "parameters", "MFLOP", "", w, "input", shape);
	for (int i = 0; i < d->n && next_word(&text, word); i++) {
		const struct layer *l = &d->layer[i];
		snprintf(shape, sizeof shape, "%dx%dx%d", l->OC, l->OH, l->OW);
		out_printf(to, "%5d %-*s %15s %12zu %10.3f\n", i, w, word, shape, l->nw + l->nb, mflop(l));
	}
	out_printf(to, "%5s %-*s %15s %12zu %10.3f\n", "", w, "total", "", d->nparam, netdesc_flops(d) / 1e6);
	out_printf(to, "memory of a forward pass: %.3f MB of weights, %.3f MB of activations a row of a batch\n",
		net_table_weights(d) / 1e6, net_table_activations(d) / 1e6);
}

void net_table_json(struct json *j, const struct netdesc *d, const char *text)
{
	char word[64];
	json_key(j, "layers"), json_open(j, '[');
	for (int i = 0; i < d->n && next_word(&text, word); i++) {
		const struct layer *l = &d->layer[i];
		json_open(j, '{');
		json_key(j, "layer"), json_uint(j, (uint64_t)i);
		json_key(j, "net"), json_string(j, word);
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
