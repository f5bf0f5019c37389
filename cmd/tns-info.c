/* tns-info - a stream into a summary, as text or JSON: tensors, ranges, metadata, history, fingerprint */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/json.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/nn/model.h"
#include "lib/stream/info.h"
#include "lib/stream/stat.h"
#include "lib/stream/tns.h"

static struct {
	const char *output;
	int json, check, quiet;
	int64_t head, threads;
} o;

static const struct opt opts[] = {
	OPT_OUTPUT(&o.output),
	{'j', "json", OPT_FLAG, &o.json, 0, 0, 0, "one JSON object instead of text", 1},
	{0, "head", OPT_INT, &o.head, 0, 0, "N", "also print the values of each tensor's first N rows", 1},
	{0, "check", OPT_FLAG, &o.check, 0, 0, 0,
		"only verify: print nothing and exit 0 if the stream is whole; else say on stderr what is wrong, exit 1", 1},
	OPT_QUIET(&o.quiet),
	OPT_THREADS(&o.threads),
	OPT_END,
};

static const struct opt_prog prog = {
	"tns-info",
	"tell what is in a tensor stream",
	"[STREAM]",
	0,
	1,
	opts,
	{
		"face-synth -n 100 | csv-clean | tns-info",
		"face-synth -n 100 | csv-clean --keep-all | patch-extract --preset eyes | tns-info --head 1 --json",
		NULL,
	},
};

/* Prints the chunk's rows below --head; streaming, no row is kept. */
static void print_head(struct out *to, struct json *j, const struct tns *t)
{
	const struct tns_def *d = &t->def[t->id];
	size_t values = d->row_bytes / tns_size(d->dtype);
	char buf[40];
	for (uint64_t r = 0; r < t->rows && t->row + r < (uint64_t)o.head; r++) {
		const unsigned char *row = t->data + r * d->row_bytes;
		if (!o.json) {
			out_printf(to, "%s[%" PRIu64 "]", d->name, t->row + r);
			for (size_t i = 0; i < values; i++)
				out_printf(to, " %s", stat_text(buf, d->dtype, row, i));
			out_write(to, "\n", 1);
			continue;
		}
		json_open(j, '{');
		json_key(j, "tensor"), json_string(j, d->name);
		json_key(j, "row"), json_uint(j, t->row + r);
		json_key(j, "values"), json_open(j, '[');
		for (size_t i = 0; i < values; i++) {
			const char *s = stat_text(buf, d->dtype, row, i);
			if (!stat_supported(d->dtype) && d->dtype != TNS_BOOL)
				json_string(j, s);
			else
				json_literal(j, strpbrk(s, "in") ? "null" : s);
		}
		json_close(j, ']'), json_close(j, '}');
	}
}

/* Of a model: its parameters, and the FLOPs of an image's forward pass (its products, 2 a multiply-add). */
static void model_facts(const struct tns *t, struct info_fact facts[3])
{
	memset(facts, 0, 3 * sizeof *facts);
	if (!model_is(t))
		return;
	struct model *m = model_read_meta(t);
	facts[0] = (struct info_fact){"parameters", (double)m->d.nparam};
	facts[1] = (struct info_fact){"operations", netdesc_flops(&m->d)};
	model_free(m);
}

int main(int argc, char **argv)
{
	int n;
	char **args = opt_parse(&prog, argc, argv, &n);
	struct tns *t = tns_open(args[0]);
	struct out *to = o.check ? NULL : out_open(o.output, 0);
	struct stat_range *s = xcalloc((size_t)t->ntensors, sizeof *s);
	struct json j;
	for (int i = 0; i < t->ntensors; i++)
		stat_begin(&s[i], t->def[i].dtype);
	if (to && o.json)
		json_begin(&j, to);
	if (to && o.json && o.head)
		json_key(&j, "head"), json_open(&j, '[');
	while (tns_next(t)) {
		if (!to)
			continue;
		if (t->row < (uint64_t)o.head)
			print_head(to, &j, t);
		stat_add(&s[t->id], t->data, t->rows * (t->def[t->id].row_bytes / tns_size(t->def[t->id].dtype)));
	}
	if (to && o.json && o.head)
		json_close(&j, ']');
	struct info_fact facts[3];
	if (to)
		model_facts(t, facts);
	if (to && o.json)
		info_json(&j, t, s, facts), json_finish(&j);
	else if (to)
		info_text(to, t, s, facts);
	if (to)
		out_close(to);
	free(s);
	tns_free(t);
	return finish();
}
