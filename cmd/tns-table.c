/* tns-table - a data set into a table, CSV or TSV, and back */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/history.h"
#include "lib/stream/names.h"
#include "lib/stream/tns.h"
#include "lib/table/table_in.h"
#include "lib/table/table_out.h"

static struct {
	const char *output, *columns, *notes;
	struct opt_size size;
	int read, tsv, image, quiet;
	int64_t threads;
} o = {.notes = "auto"};

static const struct opt opts[] = {
	{0, "read", OPT_FLAG, &o.read, 0, 0, 0, "the other way: a table (CSV or TSV, plain, gzip or zip) into a data set", 0},
	{0, "tsv", OPT_FLAG, &o.tsv, 0, 0, 0, "tabs between fields instead of commas", 1},
	{0, "image", OPT_FLAG, &o.image, 0, 0, 0,
		"with column Image as the competition writes it, numbers between blanks, and likewise other tensors of more than 64 values "
		"a row",
		1},
	{0, "fields", OPT_STR, &o.columns, 0, 0, "NAME,...",
		"only these columns, in this order (names and patterns: id,'*_x',error); with --read: columns that are read "
		"though their names mean nothing here",
		0},
	{0, "notes", OPT_CHOICE, &o.notes, 0, 0, "auto|yes|no",
		"lines of comments (#) that keep METAs, types and the end, so that --read makes the same stream again; auto: with --image",
		1},
	{0, "size", OPT_SIZE, &o.size, 0, 0, "WxH", "with --read: the images' size, where the table has no notes and they are no squares",
		0},
	OPT_OUTPUT(&o.output),
	OPT_QUIET(&o.quiet),
	OPT_THREADS(&o.threads),
	OPT_RENAMED("columns", "fields"),
	OPT_END,
};

static const struct opt_prog prog = {
	"tns-table",
	"make a table of a data set: id, points, predictions, confidence, error, photographs' names, a line a row; or a data set of a "
	"table",
	"[DATA]",
	0,
	1,
	opts,
	{
		"predict model.tns faces.tns | tns-table >predicted.csv",
		"tns-table --tsv --fields id,error predicted.tns | sort -k2,2gr | head -3",
		"tns-table --image faces.tns >faces.csv && tns-table --read faces.csv -o again.tns",
		"tns-table --image --notes no faces.tns | csv-clean | tns-info",
		NULL,
	},
};

static void write_table(const char *path)
{
	struct table_out_options how = {o.tsv, o.image, *o.notes == 'y' || (*o.notes == 'a' && o.image), o.columns};
	struct dataset_stream *d = dataset_stream_open(path);
	struct table_out *t = table_out_open(d, &how);
	char *left = xstrdup(table_out_left(t));
	struct out *to = out_open(o.output, 0);
	table_out_run(t, to);
	out_close(to);
	if (*left && !o.quiet)
		warn("%s: left out: %s (--image has what has more than 64 values a row)", d->in->name, left);
	dataset_stream_close(d);
	free(left);
}

/* METAs [from, nmeta) but history, which comes last; `place`: only those that stand behind so many tensors. */
static void put_metas(const struct table_in *t, struct tns_writer *w, int from, int place)
{
	for (int i = from; i < t->nmeta; i++)
		if ((place < 0 || t->place[i] == place) && strcmp(t->meta[i].key, "history"))
			tns_copy_meta(w, &t->meta[i]);
}

/* A table that was only passed on is the stream itself: its history stays. Else this program's line is added, with the table's checksum. */
static void put_history(const struct table_in *t, struct tns_writer *w)
{
	struct tns_meta *history = NULL;
	for (int i = 0; i < t->nmeta; i++)
		history = strcmp(t->meta[i].key, "history") ? history : &t->meta[i];
	if (t->same && history)
		tns_copy_meta(w, history);
	if (t->same)
		return;
	struct tns from = {.name = t->name, .nmeta = history != NULL, .meta = history, .fingerprint = t->stream};
	const struct tns *in = &from;
	char *sum = xprintf("table %08x", t->text);
	history_put(w, &in, t->noted, sum);
	free(sum);
}

static void read_table(const char *path)
{
	int n, r;
	struct table_in *t = table_in_open(path);
	t->w = o.size.w, t->h = o.size.h;
	t->others = o.columns ? names_split(o.columns, &n) : NULL;
	if (table_in_head(t) < 0)
		die("%s: %s", t->name, t->err);
	struct tns_writer *w = tns_create(o.output);
	int early = t->nmeta;
	put_metas(t, w, 0, 0);
	for (int i = 0; i < t->ntensors; i++) {
		tns_define(w, t->def[i].name, t->def[i].dtype, t->def[i].ndim, t->def[i].dim);
		put_metas(t, w, 0, i + 1);
	}
	while ((r = table_in_step(t)) == TABLE_IN_ROW)
		for (int i = 0; i < t->ntensors; i++)
			tns_write(w, i, t->value[i], 1);
	if (r < 0)
		die("%s: %s", t->name, t->err);
	put_metas(t, w, early, -1);
	put_history(t, w);
	tns_close(w);
	if (t->ignored && !o.quiet)
		warn("%s: columns that are ignored: %s", t->name, t->ignored);
	names_free(t->others);
	table_in_free(t);
}

int main(int argc, char **argv)
{
	int n;
	char **args = opt_parse(&prog, argc, argv, &n);
	if (o.read && (o.tsv || o.image || strcmp(o.notes, "auto")))
		die_usage("--read finds out what the table is: --tsv, --image and --notes are for writing one");
	if (!o.read && o.size.w)
		die_usage("--size is for --read");
	char *then = opt_piped(NULL, NULL);
	err_set_then(then);
	if (o.read)
		read_table(args[0]);
	else
		write_table(args[0]);
	err_set_then(NULL);
	free(then);
	return finish();
}
