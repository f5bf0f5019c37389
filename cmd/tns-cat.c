/* tns-cat - data sets, one after another, into one data set: points, classes and sources are matched by name. */
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/filter/concat.h"

static struct {
	struct concat_options cat;
	const char *output;
	int64_t threads;
	int quiet;
} o;

static const struct opt opts[] = {
	{0, "common", OPT_FLAG, &o.cat.common, 0, 0, 0,
		"take only the tensors that all have, instead of ending where one is not everywhere", 0},
	{0, "source", OPT_FLAG, &o.cat.source, 0, 0, 0,
		"keep where a row is from: tensor file, a number from 0 into META sources, the inputs' base names", 0},
	{0, "renumber", OPT_FLAG, &o.cat.renumber, 0, 0, 0,
		"make the ids 1, 2, ...; else they stay, and repeated ones are counted on stderr", 0},
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_END,
};

static const struct opt_prog prog = {"tns-cat",
	"join data sets end to end; points are matched by name, in the order of their first appearance, and are NaN where a data set has "
	"them not; - is stdin",
	"[DATA]...", 0, 4096, opts,
	{"tns-cat faces.tns labelled.tns -o all.tns",
		"csv-clean training.csv.gz | tns-cat --source --renumber - labelled.tns | tns-split -o train.tns -o valid.tns", NULL}};

int main(int argc, char **argv)
{
	int n;
	char **operand = opt_parse(&prog, argc, argv, &n), *none[] = {(char[]){"-"}, NULL};
	o.cat.ids = !o.quiet && !o.cat.renumber;
	struct tns_writer *w = tns_create(o.output);
	struct concat *c = concat_open(n ? operand : none, n ? n : 1, &o.cat);
	struct concat_counts count = concat_write(c, w);
	tns_close(w);
	if (count.repeated)
		warn("%llu rows have an id that a row before them has, the first is %u in %s (--renumber makes them 1, 2, ...)",
			(unsigned long long)count.repeated, count.id, count.in);
	concat_free(c);
	return finish();
}
