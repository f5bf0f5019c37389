/* tns-info - a stream into a summary, as text or JSON: tensors, ranges, metadata, history, fingerprint; of a model its net, layer by layer
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/confine.h"
#include "lib/base/err.h"
#include "lib/base/json.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/nn/model.h"
#include "lib/nn/net_table.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/head.h"
#include "lib/stream/history_names.h"
#include "lib/stream/info.h"
#include "lib/stream/stat.h"
#include "lib/stream/tns.h"

static struct {
	const char *output, *tensor, *inputs;
	int json, check, quiet;
	int64_t head, threads;
} o;

static const struct opt opts[] = {
	OPT_OUTPUT(&o.output),
	{'j', "json", OPT_FLAG, &o.json, 0, 0, 0, "one JSON object instead of text; NaN and infinite numbers are null there, and counted",
		1},
	{0, "head", OPT_INT, &o.head, 0, 0, "N",
		"also print each tensor's first N rows, numbered from 1: those with few values first, of rows with more than 64 only the "
		"range",
		1},
	{0, "tensor", OPT_STR, &o.tensor, 0, 0, "NAME", "only this tensor: its range and, with --head, its rows with all their values", 1},
	{0, "inputs", OPT_STR, &o.inputs, 0, 0, "DIR",
		"in the history, name the streams of DIR behind the fingerprints of inputs that they have", 1},
	{0, "check", OPT_FLAG, &o.check, 0, 0, 0,
		"only verify: print nothing and exit 0 if the stream is whole; else say on stderr what is wrong, exit 1", 1},
	OPT_QUIET(&o.quiet),
	OPT_THREADS(&o.threads),
	OPT_END,
};

static const struct opt_prog prog = {
	"tns-info",
	"tell what is in a tensor stream, plain or gzip",
	"[STREAM]",
	0,
	1,
	opts,
	{
		"face-synth -n 100 | csv-clean | tns-info",
		"face-synth -n 100 | csv-clean --keep-all | patch-extract --preset eyes | tns-info --head 1 --json",
		"tns-info --tensor keypoints --head 3 faces.tns",
		"tns-info --inputs . predicted.tns",
		NULL,
	},
};

/* Prints the chunk's rows of --tensor that belong to --head. */
static void print_rows(struct out *to, struct json *j, const struct tns *t)
{
	const struct tns_def *d = &t->def[t->id];
	for (uint64_t r = 0; r < t->rows && t->row + r < (uint64_t)o.head; r++)
		if (o.json)
			head_row_json(j, d, t->row + r + 1, t->data + r * d->row_bytes);
		else
			head_row_text(to, d, t->row + r + 1, t->data + r * d->row_bytes);
}

/* META history with --inputs' names, to be freed; NULL: there is none, or they are not asked for. */
static char *named_history(const struct tns *t)
{
	const char *history = o.inputs ? tns_meta_value(t, "history") : NULL;
	return history ? history_names(history, o.inputs) : NULL;
}

/* Of a model its net, to be freed; NULL, with a word where it is not known here, so that the rest can be looked into. */
static struct model *read_net(const struct tns *t)
{
	char *why = NULL;
	struct model *m = model_is(t) ? model_read_net(t, &why) : NULL;
	if (why)
		warn("%s: its net is not shown: %s", t->name, why);
	free(why);
	return m;
}

static void print_text(struct out *to, const struct tns *t, const struct stat_range *s, int only)
{
	info_tensors_text(to, t, s, only);
	if (only >= 0)
		return;
	char *history = named_history(t);
	info_metas_text(to, t, history);
	free(history);
	struct model *m = read_net(t);
	if (m) {
		net_table_text(to, &m->d, m->net);
		out_printf(to, "parameters: %zu\noperations: %.0f\n", m->d.nparam, netdesc_flops(&m->d));
		model_free(m);
	}
	out_printf(to, "fingerprint: %08" PRIx32 "\n", t->fingerprint);
}

static void print_json(struct json *j, const struct tns *t, const struct stat_range *s, int only)
{
	char print[16];
	info_tensors_json(j, t, s, only);
	if (only >= 0)
		return;
	info_metas_json(j, t);
	char *history = named_history(t);
	if (history)
		json_key(j, "history"), json_string(j, history);
	free(history);
	struct model *m = read_net(t);
	if (m) {
		net_table_json(j, &m->d, m->net);
		json_key(j, "parameters"), json_real(j, (double)m->d.nparam);
		json_key(j, "operations"), json_real(j, netdesc_flops(&m->d));
		model_free(m);
	}
	snprintf(print, sizeof print, "%08" PRIx32, t->fingerprint);
	json_key(j, "fingerprint"), json_string(j, print);
}

int main(int argc, char **argv)
{
	int n;
	char **args = opt_parse(&prog, argc, argv, &n);
	confine(o.check ? NULL : o.output);
	struct tns *t = tns_open(args[0]);
	int only = o.tensor ? dataset_stream_find(t, o.tensor) : -1;
	struct out *to = o.check ? NULL : out_open(o.output, 0);
	struct stat_range *s = xcalloc((size_t)t->ntensors, sizeof *s);
	struct head head;
	struct json j;
	for (int i = 0; i < t->ntensors; i++)
		stat_begin(&s[i], t->def[i].dtype);
	head_begin(&head, t, (uint64_t)o.head);
	if (to && o.json)
		json_begin(&j, to);
	if (to && o.json && o.head)
		json_key(&j, "head"), json_open(&j, '[');
	while (tns_next(t)) {
		if (!to || (only >= 0 && only != t->id))
			continue;
		if (only >= 0)
			print_rows(to, &j, t);
		else
			head_add(&head, t);
		stat_add(&s[t->id], t->data, t->rows * (t->def[t->id].row_bytes / tns_size(t->def[t->id].dtype)));
	}
	if (to && o.json) {
		head_json(&head, t, &j);
		if (o.head)
			json_close(&j, ']');
		print_json(&j, t, s, only), json_finish(&j);
	} else if (to) {
		head_text(&head, t, to);
		print_text(to, t, s, only);
	}
	if (to)
		out_close(to);
	head_end(&head, t);
	free(s);
	tns_free(t);
	return finish();
}
