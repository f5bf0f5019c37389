/* csv-clean - turn the competition's CSV into a data set, with label faults found and duplicates merged */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/csv/csv.h"
#include "lib/labels/clean.h"
#include "lib/labels/clean_summary.h"
#include "lib/stream/history.h"
#include "lib/stream/names.h"
#include "lib/stream/tns.h"

static struct {
	const char *output, *report, *require, *suspects, *pairs, *missing, *image_column;
	struct opt_size size;
	int64_t threads;
	int keep_all, force, quiet;
} o;

static const struct opt opts[] = {
	{0, "size", OPT_SIZE, &o.size, 0, 0, "WxH", "the images' size, where they are no squares; nothing is resized", 0},
	{0, "require", OPT_STR, &o.require, 0, 0, "NAME,...", "keep only rows that have these points, once faults are blanked", 0},
	{0, "keep-all", OPT_FLAG, &o.keep_all, 0, 0, 0, "drop and blank nothing, only report; so it is where no column is a point", 0},
	{0, "report", OPT_STR, &o.report, 0, 0, "FILE", "list the faults: row, name, kind, value, action, tab-separated; rows from 1", 1},
	{0, "force", OPT_FLAG, &o.force, 0, 0, 0,
		"blank those too that the list calls unsure: the net knew too little, or they are too many", 0},
	{0, "blank", OPT_STR, &o.suspects, 0, 0, "FILE", "blank the labels that FILE lists as suspect; cnn-train --suspects writes it", 0},
	{0, "image-column", OPT_STR, &o.image_column, 0, 0, "NAME", "the column of the pixels, where it is neither Image nor pixels", 0},
	{0, "missing", OPT_STR, &o.missing, 0, 0, "X,...",
		"numbers that mean no label where both coordinates have one, or none, instead of what is found (such as 0,0, or a mean)",
		0},
	{0, "pairs", OPT_STR, &o.pairs, 0, 0, "A:B,...",
		"points that are each other's mirror image, or lie on the axis (a name alone), instead of what labels and names show", 0},
	OPT_OUTPUT(&o.output),
	OPT_THREADS_ONE(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_RENAMED("suspects", "blank"),
	OPT_END,
};

static const struct opt_prog prog = {
	"csv-clean",
	"turn the competition's CSV (plain, gzip or zip) into a data set, with label faults found and duplicates merged",
	"[CSV]",
	0,
	1,
	opts,
	{"csv-clean --report faults.tsv training.csv.gz -o faces.tns",
		"zcat training.csv.gz | csv-clean | patch-extract --preset eyes | tns-info", NULL},
};

/* A flag for each point: 1 if --require names it. The caller frees. */
static char *needed(const struct csv *c)
{
	int n;
	char *need = xcalloc((size_t)c->npoints + 1, 1), **names = names_split(o.require, &n);
	for (int i = 0; i < n; i++) {
		int k = names_index(c->points, names[i]);
		if (k < 0) {
			struct nearest near = names_nearest(c->points, names[i]);
			die_usage("--require: %s has no point '%s'%s", c->name, names[i], nearest_or_all(&near));
		}
		need[k] = 1;
	}
	names_free(names);
	return need;
}

int main(int argc, char **argv)
{
	int n;
	char **files = opt_parse(&prog, argc, argv, &n), *need = NULL;
	tns_promise(o.output);
	if (o.keep_all && o.require)
		die_usage("--keep-all keeps every row, --require does not: not both");
	struct csv *c = csv_open(n ? files[0] : NULL, o.size.w, o.size.h, o.image_column);
	if (c->ignored && !o.quiet)
		warn("%s: columns that are ignored: %s", c->name, c->ignored);
	if (o.pairs)
		names_check_pairs(c->points, o.pairs, c->name);
	if (o.require)
		need = needed(c);
	struct tns_writer *w = tns_create(o.output);
	struct clean *cl = clean_new(c, w);
	struct progress p;
	uint32_t crc = 0;
	cl->need = need;
	cl->pairs = o.pairs;
	sentinels_state(&cl->sentinels, o.missing);
	size_t unsure = 0;
	cl->suspects = o.suspects ? suspects_load(o.suspects, c->points, o.force, &crc, &unsure) : NULL;
	if (unsure)
		warn("%s: %zu labels are unsure, of a net that knew too little or doubted too many: none of them is blanked without "
		     "--force",
			o.suspects, unsure);
	cl->keep_all = o.keep_all || !c->npoints;
	cl->report = o.report ? out_open(o.report, 0) : NULL;
	if (cl->report)
		out_printf(cl->report, "row\tname\tkind\tvalue\taction\n");
	progress_begin(&p, "rows", o.quiet);
	for (; csv_next(c) == CSV_ROW; progress_tick(&p, c->row, 0))
		clean_row(cl);
	if (!c->w)
		die("%s: no data rows, and no --size to tell the images' size", c->name);
	clean_end(cl);
	if (cl->read && !cl->kept)
		die("%s: none of %llu rows is left: %llu dropped, %llu without the points required, %llu labels outside the images of "
		    "%dx%d",
			c->name, (unsigned long long)cl->read, (unsigned long long)cl->dropped, (unsigned long long)cl->lacking,
			(unsigned long long)cl->kind[FAULT_OUTSIDE], c->w, c->h);
	if (cl->far > 0 && cl->far <= 1.5f && c->w > 4 && c->h > 4)
		warn("%s: all labels lie between -%.3g and %.3g: are they shares of the image's size? Points are pixels here", c->name,
			(double)cl->far, (double)cl->far);
	if (cl->suspects) {
		suspects_end(cl->suspects);
		char *sum = xprintf("suspects %08x", crc);
		history_put(w, NULL, 0, sum);
		free(sum);
	} else {
		history_put(w, NULL, 0, NULL);
	}
	progress_end(&p);
	tns_end(w); /* before the report is closed, so that there is none of a data set that could not be written */
	if (cl->report)
		out_close(cl->report);
	tns_close(w);
	if (!o.quiet)
		clean_summary(c, cl);
	if (cl->suspects)
		suspects_free(cl->suspects);
	clean_free(cl);
	csv_free(c);
	free(need);
	return finish();
}
