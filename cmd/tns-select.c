/* tns-select - a stream into the same kind of stream: some of its rows, points and tensors, or in another order. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/filter/projection.h"
#include "lib/filter/row_select.h"

static struct {
	struct row_options row;
	struct projection_options take;
	struct opt_list rename;
	const char *output;
	int64_t threads;
	int quiet;
} o = {.row.seed = 1};

static const struct opt opts[] = {
	{0, "rows", OPT_STR, &o.row.rows, 0, 0, "N,N-M,...", "rows by number, from 1: 10-20,35,100-", 0},
	{0, "id", OPT_STR, &o.row.id, 0, 0, "N,N-M,...", "rows by id: 7,9-12", 0},
	{0, "where", OPT_STR, &o.row.where, 0, 0, "EXPR",
		"rows for which this holds: < <= > >= == != of numbers and a row's values, with && || ! and parentheses (or: and, or, "
		"not); a value is a tensor of one number a row (id, label), error (RMS in pixels), error.POINT, labels (how many), row, "
		"POINT.x, POINT.y, predicted.POINT.x, confidence.POINT; NaN compares false",
		0},
	{0, "sample", OPT_INT, &o.row.sample, 0, 0, "N", "N of these rows at random by --seed, in their order; 0: all", 0},
	{0, "sort", OPT_STR, &o.row.sort, 0, 0, "[-]VALUE",
		"by a row's value as in --where, the smallest first, with - the largest; NaN last (needs a file)", 0},
	{0, "shuffle", OPT_FLAG, &o.row.shuffle, 0, 0, 0, "in random order by --seed (needs a file)", 0},
	{0, "points", OPT_STR, &o.take.points, 0, 0, "NAME,...", "points, in this order; * ? [abc] match any part of a name", 0},
	{0, "drop", OPT_STR, &o.take.drop, 0, 0, "NAME,...", "without these points, likewise", 0},
	{0, "rename", OPT_LIST, &o.rename, 0, 0, "OLD=NEW,...", "other names for points; may be repeated", 0},
	{0, "only", OPT_STR, &o.take.only, 0, 0, "NAME,...", "tensors, in this order; * ? [abc] as above", 0},
	{0, "without", OPT_STR, &o.take.without, 0, 0, "NAME,...", "without these tensors, likewise", 0},
	OPT_SEEDED(&o.row.seed),
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_END,
};

static const struct opt_prog prog = {"tns-select",
	"take rows, points and tensors of a stream: first the rows that --rows, --id and --where all take, of these --sample, then --sort "
	"or --shuffle; points and tensors last",
	"[DATA]", 0, 1, opts,
	{"tns-select --where 'error>2 && labels>=4' --sort -error predicted.tns | render faces --names -o worst.png",
		"csv-clean training.csv.gz | tns-select --sample 100 --points '*eye*' -o eyes.tns",
		"tns-select --only image,id faces.tns | predict model.tns | render faces -o faces.png", NULL}};

/* Chunks as they stream by: the tensors need share no rows. */
static void select_chunks(const char *path, struct tns_writer *w)
{
	struct tns *t = tns_open(path);
	struct projection *p = projection_begin(&o.take, t, w, 0);
	while (tns_next(t))
		projection_write(p, t->id, t->data, t->rows);
	projection_end(p, 1);
	tns_free(t);
}

static void tell(const char *name, const struct row_counts *n)
{
	if (n->missing)
		warn("%s: no row has id %s", name, n->missing);
	if (!n->written)
		warn("%s: none of its %llu rows is taken", name, (unsigned long long)n->read);
	else if (n->written < (uint64_t)o.row.sample)
		warn("%s: a sample of all %llu rows", name, (unsigned long long)n->written);
}

int main(int argc, char **argv)
{
	int n;
	char **operand = opt_parse(&prog, argc, argv, &n);
	o.take.rename = o.rename.v, o.take.nrename = o.rename.n;
	projection_check(&o.take);
	struct row_select *rows = row_select_new(&o.row, operand[0]); /* NULL: of all rows */
	struct tns_writer *w = tns_create(o.output);
	if (!rows)
		select_chunks(operand[0], w);
	else {
		struct row_counts count = row_select_run(rows, &o.take, w);
		if (!o.quiet)
			tell(operand[0] && strcmp(operand[0], "-") ? operand[0] : "stdin", &count);
		free(count.missing);
	}
	tns_close(w);
	return finish();
}
