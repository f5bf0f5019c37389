/* tns-export - points of a data set into the forms of other programs, in pixels of the original images */
#include <math.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/export/export.h"
#include "lib/stream/dataset_stream.h"

static struct {
	const char *form, *origin, *output;
	int64_t category_id, threads;
	int quiet;
} o;

static const struct opt opts[] = {
	{0, "form", OPT_CHOICE, &o.form, 0, 0, EXPORT_FORMS,
		"what is written: COCO's JSON of a data set or of results, CSV, dlib's XML, a folder of .pts files, an object of JSON a "
		"line",
		1},
	{0, "origin", OPT_CHOICE, &o.origin, 0, 0, "index|corner|one",
		"what the centre of the first pixel is written as: 0, 0.5 or 1; else as the form has it (pts: 1, others: 0)", 1},
	{0, "category-id", OPT_INT, &o.category_id, 0, 0, "N",
		"coco, coco-results: the category's number; 0: that of the file which rows were imported from, or 1", 0},
	{'o', "output", OPT_STR, &o.output, 0, 0, "OUT",
		"write to the file OUT, which appears whole or not at all, instead of stdout; pts: to the folder OUT", 1},
	OPT_QUIET(&o.quiet),
	OPT_THREADS(&o.threads),
	OPT_END,
};

static const struct opt_prog prog = {
	"tns-export",
	"write points, predicted ones where there are any, in pixels of the images that the rows were cut from",
	"[DATA]",
	0,
	1,
	opts,
	{
		"predict model.tns faces.tns | tns-export --form csv >points.csv",
		"tns-export --form coco-results predicted.tns -o results.json",
		"tns-export --form pts predicted.tns -o points/",
		NULL,
	},
};

int main(int argc, char **argv)
{
	int n;
	char **args = opt_parse(&prog, argc, argv, &n);
	if (!o.form)
		die_usage("--form tells what is written: " EXPORT_FORMS);
	if (!strcmp(o.form, "pts") && (!o.output || !strcmp(o.output, "-")))
		die_usage("--form pts writes a file a row: --output tells the folder");
	if (opt_given("category-id") && strncmp(o.form, "coco", 4))
		die_usage("--category-id is not for --form %s, which has no categories", o.form);
	double origin = !o.origin ? NAN : !strcmp(o.origin, "index") ? 0 : !strcmp(o.origin, "corner") ? 0.5 : 1;
	struct export_options how = {o.form, origin, o.category_id, o.quiet, o.output};
	struct dataset_stream *d = dataset_stream_open(args[0]);
	uint64_t left = export_run(d, &how);
	if (left && !o.quiet)
		warn("%s: %llu row%s without points: no file", d->in->name, (unsigned long long)left, left == 1 ? "" : "s");
	dataset_stream_close(d);
	return finish();
}
