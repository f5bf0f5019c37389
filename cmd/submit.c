/* submit - predictions into the competition's submission CSV */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/predict/submission.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/names.h"
#include "lib/stream/tns.h"

static struct {
	const char *output, *lookup, *fill;
	int quiet;
	int64_t threads;
} o = {.fill = "none"};

static const struct opt opts[] = {
	OPT_OUTPUT(&o.output),
	{'l', "lookup", OPT_STR, &o.lookup, 0, 0, "TABLE",
		"the table of what is asked: RowId,ImageId,FeatureName,Location, plain, gzip or zip", 0},
	{0, "fill", OPT_CHOICE, &o.fill, 0, 0, "none|mean",
		"answer where there is no prediction (an image that is not there, a point that no model learned) with a mean; none: an "
		"error",
		0},
	OPT_QUIET(&o.quiet),
	OPT_THREADS(&o.threads),
	OPT_END,
};

static const struct opt_prog prog = {
	"submit",
	"turn predictions into RowId,Location as the competition wants it",
	"[PREDICTIONS]",
	0,
	1,
	opts,
	{
		"csv-clean test.csv.gz | predict model.tns | submit --lookup IdLookupTable.csv -o submission.csv",
		"predict a.tns b.tns test.tns | submit --lookup IdLookupTable.csv | gzip >submission.csv.gz",
		NULL,
	},
};

int main(int argc, char **argv)
{
	int n;
	char **args = opt_parse(&prog, argc, argv, &n);
	if (!o.lookup)
		die_usage("--lookup TABLE is needed: it says what is asked");
	struct dataset_stream *d = dataset_stream_open(args[0]);
	const struct tns *t = d->in;
	int id = dataset_stream_require(t, "id", TNS_U32, 1), image = dataset_stream_require(t, "image", TNS_U8, 3),
	    predicted = dataset_stream_require(t, "predicted", TNS_F32, 3);
	int k = (int)t->def[predicted].dim[1], h = (int)t->def[image].dim[1], w = (int)t->def[image].dim[2];
	char **names = names_points(t, k);
	if (t->def[predicted].dim[2] != 2)
		die("%s: tensor predicted has %" PRIu64 " numbers a point, not 2", t->name, t->def[predicted].dim[2]);
	const char *list = tns_meta_value(t, "unlearned");
	char *unlearned = names_marks(t, "unlearned", k);
	struct submission *a = submission_open(o.lookup, names);
	struct out *to = out_open(o.output, 0);
	for (uint64_t rows; (rows = dataset_stream_next(d));)
		for (uint64_t i = 0; i < rows; i++) {
			const float *p = dataset_stream_at(d, predicted, i);
			uint32_t key = *(const uint32_t *)dataset_stream_at(d, id, i);
			for (int c = 0; c < 2 * k; c++)
				if (!isfinite(p[c]) && !unlearned[c / 2])
					die("%s: row %" PRIu64 " (image %" PRIu32 "): predicted %s_%c is %g", t->name, d->row + i + 1, key,
						names[c / 2], "xy"[c % 2], p[c]);
			if (submission_add(a, key, p, w, h) < 0)
				die("%s: row %" PRIu64 ": image %" PRIu32 " comes a second time, with other predictions", t->name,
					d->row + i + 1, key);
		}
	size_t filled = strcmp(o.fill, "mean") ? 0 : submission_fill_mean(a);
	if (filled && !o.quiet)
		warn("%zu questions without a prediction are answered with means", filled);
	submission_close(a, to, list);
	free(unlearned);
	names_free(names);
	dataset_stream_close(d);
	out_close(to);
	return finish();
}
