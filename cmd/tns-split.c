/* tns-split - a data set into parts: each row, or each group of rows, goes to one of them, at random by the seed. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/labels/groups.h"
#include "lib/labels/split.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/history.h"
#include "lib/stream/passthrough.h"

static struct {
	const char *parts, *by, *groups;
	struct opt_list output;
	int64_t threads;
	uint64_t seed;
	int quiet;
} o = {.parts = "0.8,0.2", .by = "row", .seed = 1};

static const struct opt opts[] = {
	{0, "parts", OPT_STR, &o.parts, 0, 0, "F,F[,F...]", "shares of the parts, which add up to 1; held on average", 0},
	{0, "by", OPT_STR, &o.by, 0, 0, "TENSOR",
		"keep together the rows of one value of this tensor of whole numbers or text (source: of one photograph); row: each alone; "
		"near: images that look alike "
		"(needs a file)",
		0},
	{0, "groups", OPT_STR, &o.groups, 0, 0, "FILE",
		"keep together what this CSV (row,group or id,group; a group is a whole number or a name) puts into one group, by id", 1},
	OPT_SEEDED(&o.seed),
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	{'o', "output", OPT_LIST, &o.output, 0, 0, "FILE", "write a file for each part, in order; all appear whole or none", 1},
	OPT_END,
};

static const struct opt_prog prog = {"tns-split", "part a data set", "[DATA]", 0, 1, opts,
	{"csv-clean training.csv.gz | tns-split --parts 0.6,0.15,0.25 -o train.tns -o valid.tns -o test.tns",
		"tns-split --by near faces.tns -o train.tns -o valid.tns",
		"tns-import --form table photos/labels.csv | tns-split --by source -o train.tns -o valid.tns", NULL}};

static int key_tensor(const struct tns *t)
{
	if (o.groups)
		return dataset_stream_require(t, "id", TNS_U32, 1);
	if (!strcmp(o.by, "row"))
		return -1;
	return groups_tensor(t, o.by);
}

static void check_outputs(void)
{
	if (o.output.n < 2 || o.output.n > SPLIT_PARTS)
		die_usage("--output is given %d times, not 2 to %d: one for each of --parts %s", o.output.n, SPLIT_PARTS, o.parts);
	for (int i = 0; i < o.output.n; i++)
		for (int k = 0; k < i; k++)
			if (!strcmp(o.output.v[i], o.output.v[k]))
				die_usage("--output: two parts can't both go to '%s'", o.output.v[i]);
}

/* The group of each row's look-alikes (split_near), found in a first pass over the file; the second pass splits it. */
static uint32_t *near_groups(const char *path, uint64_t *rows)
{
	struct stat st;
	if (!path || !strcmp(path, "-") || (!stat(path, &st) && S_ISFIFO(st.st_mode)))
		die_usage("--by near reads the data twice and needs a file");
	struct tns_table *t = tns_load(path);
	int image = dataset_stream_require(tns_table_head(t), "image", TNS_U8, 3);
	uint32_t *near = split_near(t, image);
	*rows = tns_table_head(t)->def[image].rows;
	tns_unload(t);
	if (!o.quiet)
		warn("near: rows of one person may still be in several parts, and flatter held-out scores; --groups FILE prevents it");
	return near;
}

int main(int argc, char **argv)
{
	int n;
	char **operand = opt_parse(&prog, argc, argv, &n);
	struct split s = {.seed = o.seed};
	struct groups *groups = NULL;
	uint32_t *near = NULL;
	uint64_t nnear = 0;
	check_outputs();
	if (split_parse(&s, o.parts, o.output.n))
		die_usage("--parts: '%s' is not %d shares that add up to 1", o.parts, o.output.n);
	if (o.groups && strcmp(o.by, "row"))
		die_usage("--by and --groups exclude each other");
	if (!strcmp(o.by, "near"))
		near = near_groups(operand[0], &nnear);
	if (o.groups)
		groups = groups_read(o.groups);

	struct dataset_stream *d = dataset_stream_open(operand[0]);
	int key = near ? -1 : key_tensor(d->in);
	struct tns_writer *w[SPLIT_PARTS];
	struct passthrough pass;
	uint64_t rows[SPLIT_PARTS] = {0};
	for (int i = 0; i < s.n; i++) {
		w[i] = tns_create(o.output.v[i]);
		passthrough_begin(&pass, d->in, w[i], NULL, (const char *const[]){"split", NULL}); /* tensor ids are the same in each */
		split_put_meta(w[i], d->in, o.groups ? NULL : o.by);
	}
	for (uint64_t block; (block = dataset_stream_next(d));)
		for (uint64_t i = 0; i < block; i++) {
			uint64_t group = d->row + i;
			if (near && group >= nnear)
				die("%s: grew while it was read", d->in->name);
			if (near)
				group = near[group];
			else if (groups)
				group = groups_of(groups, *(const uint32_t *)dataset_stream_at(d, key, i), d->in->name);
			else if (key >= 0)
				group = groups_value(&d->in->def[key], dataset_stream_at(d, key, i));
			int part = split_part(&s, group);
			passthrough_row(&pass, d, i, w[part]);
			rows[part]++;
		}
	const struct tns *in = d->in;
	for (int i = 0; i < s.n; i++) {
		char *part = xprintf("part %d of %d", i + 1, s.n),
		     *more = groups ? xprintf("%s, groups %08x", part, groups_crc(groups)) : xstrdup(part);
		passthrough_late(in, w[i], d->row && rows[i] == d->row);
		history_put(w[i], &in, 1, more);
		free(part), free(more);
	}
	for (int i = 0; i < s.n; i++)
		tns_end(w[i]);
	for (int i = 0; i < s.n; i++) {
		tns_close(w[i]);
		if (!o.quiet)
			warn("%s: %llu rows", o.output.v[i], (unsigned long long)rows[i]);
	}
	dataset_stream_close(d);
	free(near), groups_free(groups);
	return finish();
}
