/* tns-split - a data set into parts: each row, or each group of rows, goes to one of them, at random by the seed. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/crc.h"
#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/base/table.h"
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
		"keep together the rows of one value of this tensor of whole numbers; row: each alone; near: images that look alike "
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

static const struct opt_prog prog = {"tns-split", "parts a data set", "[DATA]", 0, 1, opts,
	{"csv-clean training.csv.gz | tns-split --parts 0.6,0.15,0.25 -o train.tns -o valid.tns -o test.tns",
		"tns-split --by near faces.tns -o train.tns -o valid.tns", NULL}};

/* id -> group, sorted by id. */
struct pair {
	uint64_t id, group;
};

static int by_id(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

/* A group's number, or for a name one that no number equals. Names of equal numbers would only share a part. */
static uint64_t group_key(const struct table *t, size_t row, int col)
{
	const char *cell = table_cell(t, row, col);
	uint64_t v;
	if (!*cell)
		table_die(t, row, "its group is empty");
	return table_number(cell, UINT32_MAX, &v) ? v : UINT32_MAX + 1ull + crc_add(0, cell, strlen(cell));
}

static struct pair *read_groups(const char *path, size_t *n, char **sum)
{
	struct table *t = table_read(path);
	int id = table_col(t, "row") >= 0 ? table_col(t, "row") : table_require(t, "id"), group = table_require(t, "group");
	struct pair *p = xcalloc(t->rows, sizeof *p);
	for (size_t i = 0; i < t->rows; i++)
		p[i] = (struct pair){table_uint(t, i, id, UINT32_MAX), group_key(t, i, group)};
	qsort(p, t->rows, sizeof *p, by_id);
	for (size_t i = 1; i < t->rows; i++)
		if (p[i].id == p[i - 1].id)
			die("%s: id %llu stands twice", path, (unsigned long long)p[i].id);
	*n = t->rows;
	*sum = xprintf("groups %08x", t->crc);
	table_free(t);
	return p;
}

/* The value in a row of an integer tensor of one value a row. */
static uint64_t value_of(const struct tns_def *d, const void *row)
{
	uint64_t v = 0;
	memcpy(&v, row, tns_size(d->dtype)); /* little-endian; not sign-extended: only compared for equality */
	return v;
}

static uint64_t group_of(const struct pair *p, size_t n, uint32_t id, const char *name)
{
	struct pair key = {id, 0}, *found = bsearch(&key, p, n, sizeof *p, by_id);
	if (!found)
		die("%s: id %u has no group in %s", name, id, o.groups);
	return found->group;
}

static int key_tensor(const struct tns *t)
{
	if (o.groups)
		return dataset_stream_require(t, "id", TNS_U32, 1);
	if (!strcmp(o.by, "row"))
		return -1;
	int id = tns_find(t, o.by);
	if (id < 0)
		die("%s: there is no tensor %s", t->name, o.by);
	int type = t->def[id].dtype;
	if (type == TNS_F32 || type == TNS_F64 || type > TNS_F64 || t->def[id].row_bytes != tns_size(type))
		die("%s: %s is not one whole number a row", t->name, o.by);
	return id;
}

static void check_outputs(void)
{
	if (o.output.n < 2 || o.output.n > SPLIT_PARTS)
		die_usage("--output is given %d times, not 2 to %d", o.output.n, SPLIT_PARTS);
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
	struct pair *pairs = NULL;
	size_t npairs = 0;
	char *sum = NULL;
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
		pairs = read_groups(o.groups, &npairs, &sum);

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
			else if (pairs)
				group = group_of(pairs, npairs, *(const uint32_t *)dataset_stream_at(d, key, i), d->in->name);
			else if (key >= 0)
				group = value_of(&d->in->def[key], dataset_stream_at(d, key, i));
			int part = split_part(&s, group);
			passthrough_row(&pass, d, i, w[part]);
			rows[part]++;
		}
	const struct tns *in = d->in;
	for (int i = 0; i < s.n; i++) {
		char *more = xprintf("part %d of %d%s%s", i + 1, s.n, sum ? ", " : "", sum ? sum : "");
		passthrough_late(in, w[i]);
		history_put(w[i], &in, 1, more);
		free(more);
	}
	for (int i = 0; i < s.n; i++)
		tns_end(w[i]);
	for (int i = 0; i < s.n; i++) {
		tns_close(w[i]);
		if (!o.quiet)
			warn("%s: %llu rows", o.output.v[i], (unsigned long long)rows[i]);
	}
	dataset_stream_close(d);
	free(near), free(pairs), free(sum);
	return finish();
}
