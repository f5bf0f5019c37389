/* tns-info - turns a stream into what a person or a script wants to know of it: tensors, range, metadata, history, fingerprint */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/stat.h"
#include "lib/tns.h"

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

/* Text of a META: line by line under an indent, control characters escaped so that no stream can drive a terminal. */
static void print_text(struct out *to, const char *indent, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '\n' && i + 1 < n)
			out_printf(to, "\n%s", indent);
		else if (c == 0xC2 && i + 1 < n && (unsigned char)s[i + 1] < 0xA0) /* U+0080 to U+009F: control characters too */
			out_printf(to, "\\xc2\\x%02x", (unsigned char)s[++i]);
		else if (c == '\t' || (c >= 0x20 && c != 0x7F))
			out_write(to, &s[i], 1);
		else if (c != '\n')
			out_printf(to, "\\x%02x", c);
	}
}

/* The chunk's rows below --head, as they come, so that nothing is held. */
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
			if (!stat_counts(d->dtype) && d->dtype != TNS_BOOL)
				json_string(j, s);
			else
				json_literal(j, strpbrk(s, "in") ? "null" : s);
		}
		json_close(j, ']'), json_close(j, '}');
	}
}

static void shape(char *buf, size_t size, const struct tns_def *d)
{
	size_t n = 0;
	buf[0] = 0;
	for (int i = 0; i < d->ndim; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%" PRIu64, i ? "," : "", i ? d->dim[i] : d->rows);
}

static void print_json(struct json *j, const struct tns *t, const struct stat_range *s)
{
	char buf[40];
	json_key(j, "tensors"), json_open(j, '[');
	for (int i = 0; i < t->ntensors; i++) {
		const struct tns_def *d = &t->def[i];
		json_open(j, '{');
		json_key(j, "name"), json_string(j, d->name);
		json_key(j, "dtype"), json_string(j, tns_dtype_name(d->dtype));
		json_key(j, "shape"), json_open(j, '[');
		for (int k = 0; k < d->ndim; k++)
			json_uint(j, k ? d->dim[k] : d->rows);
		json_close(j, ']');
		if (stat_counts(d->dtype)) {
			json_key(j, "min"), json_literal(j, strpbrk(stat_min(buf, &s[i]), "in") || !s[i].n ? "null" : buf);
			json_key(j, "max"), json_literal(j, strpbrk(stat_max(buf, &s[i]), "in") || !s[i].n ? "null" : buf);
			json_key(j, "mean"), json_real(j, stat_mean(&s[i]));
			json_key(j, "nan"), json_uint(j, s[i].nan);
			json_key(j, "inf"), json_uint(j, s[i].inf);
		}
		json_close(j, '}');
	}
	json_close(j, ']');
	json_key(j, "meta"), json_open(j, '{');
	for (int i = 0; i < t->nmeta; i++) {
		json_key_text(j, t->meta[i].key, t->meta[i].key_len);
		json_text(j, t->meta[i].value, t->meta[i].value_len);
	}
	json_close(j, '}');
	snprintf(buf, sizeof buf, "%08" PRIx32, t->fingerprint);
	json_key(j, "fingerprint"), json_string(j, buf);
}

static void print_table(struct out *to, const struct tns *t, const struct stat_range *s)
{
	char dims[8 * 21], lo[40], hi[40];
	int name = 6, dim = 5;
	for (int i = 0; i < t->ntensors; i++) {
		shape(dims, sizeof dims, &t->def[i]);
		name = (int)strlen(t->def[i].name) > name ? (int)strlen(t->def[i].name) : name;
		dim = (int)strlen(dims) > dim ? (int)strlen(dims) : dim;
	}
	out_printf(to, "%-*s type %-*s %12s %12s %12s %8s\n", name, "tensor", dim, "shape", "min", "max", "mean", "nan");
	for (int i = 0; i < t->ntensors; i++) {
		const struct tns_def *d = &t->def[i];
		shape(dims, sizeof dims, d);
		out_printf(to, "%-*s %-4s %-*s", name, d->name, tns_dtype_name(d->dtype), dim, dims);
		if (stat_counts(d->dtype)) {
			out_printf(to, " %12s %12s ", stat_min(lo, &s[i]), stat_max(hi, &s[i]));
			if (isnan(stat_mean(&s[i])))
				out_printf(to, "%12s %8" PRIu64, "-", s[i].nan);
			else
				out_printf(to, "%12.6g %8" PRIu64, stat_mean(&s[i]), s[i].nan);
		}
		out_write(to, "\n", 1);
	}
	for (int i = 0; i < t->nmeta; i++) {
		const struct tns_meta *m = &t->meta[i];
		int lines = m->value_len && memchr(m->value, '\n', m->value_len - 1) != NULL;
		print_text(to, "", m->key, m->key_len);
		out_printf(to, ":%s", lines || !strcmp(m->key, "history") ? "\n  " : " ");
		print_text(to, "  ", m->value, m->value_len);
		out_write(to, "\n", 1);
	}
	out_printf(to, "fingerprint: %08" PRIx32 "\n", t->fingerprint);
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
	if (to && o.json)
		print_json(&j, t, s), json_finish(&j);
	else if (to)
		print_table(to, t, s);
	if (to)
		out_close(to);
	free(s);
	tns_free(t);
	return finish();
}
