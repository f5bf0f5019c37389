/* tns-convert - tensor streams, npy, npz and safetensors into each other, bit by bit */
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/convert/convert.h"
#include "lib/stream/tns.h"

static struct {
	const char *to, *tensor, *output;
	int64_t threads;
	int quiet;
} o;

static const struct opt opts[] = {
	{0, "to", OPT_CHOICE, &o.to, 0, 0, CONVERT_FORMS,
		"what is written; else by the suffix of --output, and tns to stdout. METAs, such as the points' names, are JSON: "
		"{\"points\": \"nose,chin\"} as bytes in array __meta__ of an npz, in __metadata__ of safetensors",
		1},
	{0, "tensor", OPT_STR, &o.tensor, 0, 0, "NAME", "only this tensor; of an npy, which has no names: the name it gets, else array", 0},
	OPT_OUTPUT(&o.output),
	OPT_QUIET(&o.quiet),
	OPT_THREADS(&o.threads),
	OPT_END,
};

static const struct opt_prog prog = {
	"tns-convert",
	"make NumPy's npy or npz or safetensors of a tensor stream, or a stream of them; what is read is told by its first bytes",
	"[FILE]",
	0,
	1,
	opts,
	{
		"tns-convert faces.tns -o faces.npz && tns-convert faces.npz -o again.tns",
		"tns-convert --tensor image faces.tns -o image.npy",
		"tns-convert model.tns -o model.safetensors",
		"predict model.tns faces.tns | tns-convert --to npz >predicted.npz",
		NULL,
	},
};

static enum convert_form form_of_output(void)
{
	int named = o.output && strcmp(o.output, "-"), form = o.to ? convert_form(o.to) : named ? convert_suffix(o.output) : CONVERT_TNS;
	if (form < 0)
		die_usage("%s: its suffix tells no form: --to " CONVERT_FORMS, o.output);
	return (enum convert_form)form;
}

int main(int argc, char **argv)
{
	int n;
	char **args = opt_parse(&prog, argc, argv, &n);
	enum convert_form form = form_of_output();
	if (form == CONVERT_TNS)
		tns_promise(o.output);
	else
		out_check(o.output ? o.output : "-", 1);
	struct convert *c = convert_open(args[0], o.tensor ? o.tensor : "array");
	if (form == CONVERT_TNS && convert_what(c) == CONVERT_TNS)
		die_usage("%s is a tensor stream already: --to tells what to make of it", n ? args[0] : "stdin");
	if (o.tensor)
		convert_only(c, o.tensor);
	convert_write(c, form, o.output);
	convert_free(c);
	return finish();
}
