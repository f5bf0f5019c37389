/* Rows out of a stream as they come, or out of a mapped file in any order. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/filter/row_filter.h"
#include "lib/filter/row_order.h"
#include "lib/filter/row_sample.h"
#include "lib/filter/row_select.h"

struct row_select {
	struct row_options o;
	const char *path;
	struct row_filter *filter;
	struct row_sample sample;
	size_t nslots;
	unsigned char **slot; /* of the sample's rows, where they come by a pipe */
	struct projection *p;
	const struct tns *t;
	struct row_counts count;
};

static int is_file(const char *path)
{
	struct stat st;
	return path && strcmp(path, "-") && (stat(path, &st) || S_ISREG(st.st_mode)); /* what isn't there is told when it is opened */
}

struct row_select *row_select_new(const struct row_options *o, const char *path)
{
	if (!o->rows && !o->id && !o->where && !o->sample && !o->sort && !o->shuffle)
		return NULL;
	if (o->sort && o->shuffle)
		die_usage("--sort and --shuffle exclude each other");
	if (o->sort && !o->sort[*o->sort == '-'])
		die_usage("--sort: '%s' names no value", o->sort);
	struct row_select *s = xcalloc(1, sizeof *s);
	s->o = *o, s->path = path;
	s->filter = row_filter_new(o->rows, o->id, o->where);
	if ((o->sort || o->shuffle) && !is_file(path))
		die_usage("--%s reads the data twice and needs a file", o->sort ? "sort" : "shuffle");
	if (o->sample)
		row_sample_begin(&s->sample, (uint64_t)o->sample, o->seed);
	return s;
}

static void write_row(struct row_select *s, const struct row_ref *r)
{
	for (int id = 0; id < s->t->ntensors; id++)
		if (projection_takes(s->p, id))
			projection_write(s->p, id, row_tensor(r, id), 1);
	s->count.written++;
}

/* ---- a stream ---- */

/* Keeps the row if it is drawn, in place of one that is no longer. */
static void keep_row(struct row_select *s, const struct row_ref *r, size_t row_bytes)
{
	size_t at;
	if (!row_sample_offer(&s->sample, r->number, &at))
		return;
	if (at == s->nslots) {
		if (!(s->nslots & (s->nslots - 1)))
			s->slot = xrealloc(s->slot, (s->nslots ? 2 * s->nslots : 1) * sizeof *s->slot);
		s->slot[s->nslots++] = xmalloc(row_bytes);
	}
	unsigned char *to = s->slot[at];
	for (int id = 0; id < s->t->ntensors; id++)
		if (projection_takes(s->p, id)) {
			memcpy(to, row_tensor(r, id), s->t->def[id].row_bytes);
			to += s->t->def[id].row_bytes;
		}
}

static void write_kept(struct row_select *s)
{
	row_sample_end(&s->sample);
	for (size_t i = 0; i < s->sample.count; i++) {
		const unsigned char *from = s->slot[s->sample.drawn[i].slot];
		for (int id = 0; id < s->t->ntensors; id++)
			if (projection_takes(s->p, id)) {
				projection_write(s->p, id, from, 1);
				from += s->t->def[id].row_bytes;
			}
	}
	s->count.written = s->sample.count;
	for (size_t i = 0; i < s->nslots; i++)
		free(s->slot[i]);
	free(s->slot);
}

static void run_stream(struct row_select *s, const struct projection_options *take, struct tns_writer *w)
{
	struct dataset_stream *d = dataset_stream_open(s->path);
	size_t row_bytes = 0;
	s->t = d->in;
	s->p = projection_begin(take, s->t, w, 1);
	row_filter_begin(s->filter, s->t);
	for (int id = 0; id < s->t->ntensors; id++)
		row_bytes += projection_takes(s->p, id) ? s->t->def[id].row_bytes : 0;
	for (uint64_t rows; (rows = dataset_stream_next(d)); s->count.read += rows)
		for (uint64_t i = 0; i < rows; i++) {
			struct row_ref r = {d, NULL, i, d->row + i};
			if (!row_filter_take(s->filter, &r))
				continue;
			if (s->o.sample)
				keep_row(s, &r, row_bytes);
			else
				write_row(s, &r);
		}
	s->count.missing = row_filter_end(s->filter, s->t, s->count.read);
	if (s->o.sample)
		write_kept(s);
	projection_end(s->p, s->count.written == s->count.read);
	dataset_stream_close(d);
}

/* ---- a file ---- */

/* Ends the program unless all tensors share their rows; returns how many. */
static uint64_t shared_rows(const struct tns *t)
{
	dataset_stream_no_model(t);
	if (!t->ntensors)
		die("%s: there are no tensors", t->name);
	for (int i = 0; i < t->ntensors; i++)
		if (!t->def[i].ndim || t->def[i].rows != t->def[0].rows)
			die("%s: %s and %s don't share their rows", t->name, t->def[0].name, t->def[i].name);
	return t->def[0].rows;
}

/* The rows that are taken, in the order of the file; how many to *n. */
static uint64_t *taken_rows(struct row_select *s, const struct tns_table *b, size_t *n)
{
	uint64_t *row = NULL;
	*n = 0;
	for (uint64_t i = 0; i < s->count.read; i++) {
		struct row_ref r = {NULL, b, i, i};
		size_t slot;
		if (!row_filter_take(s->filter, &r))
			continue;
		if (s->o.sample) {
			row_sample_offer(&s->sample, i, &slot);
			continue;
		}
		if (!(*n & (*n - 1)))
			row = xrealloc(row, (*n ? 2 * *n : 1) * sizeof *row);
		row[(*n)++] = i;
	}
	if (!s->o.sample)
		return row;
	row_sample_end(&s->sample);
	row = xcalloc(s->sample.count, sizeof *row);
	for (; *n < s->sample.count; ++*n)
		row[*n] = s->sample.drawn[*n].row;
	return row;
}

static void sort_rows(const struct row_select *s, const struct tns_table *b, const struct row_value *v, uint64_t *row, size_t n)
{
	double *value = xcalloc(n, sizeof *value);
	for (size_t i = 0; i < n; i++)
		value[i] = row_value_get(v, &(struct row_ref){NULL, b, row[i], row[i]});
	row_order_sort(row, value, n, *s->o.sort == '-');
	free(value);
}

static void run_file(struct row_select *s, const struct projection_options *take, struct tns_writer *w)
{
	struct tns_table *b = tns_load(s->path);
	struct row_value by = {0};
	size_t n;
	s->t = tns_table_head(b);
	s->count.read = shared_rows(s->t);
	s->p = projection_begin(take, s->t, w, 1);
	row_filter_begin(s->filter, s->t);
	if (s->o.sort)
		row_value_find(&by, s->t, s->o.sort + (*s->o.sort == '-'), "--sort");
	uint64_t *row = taken_rows(s, b, &n);
	s->count.missing = row_filter_end(s->filter, s->t, s->count.read);
	if (s->o.sort)
		sort_rows(s, b, &by, row, n);
	if (s->o.shuffle && n > UINT32_MAX)
		die("%s: %zu rows are too many to shuffle", s->t->name, n);
	if (s->o.shuffle)
		row_order_shuffle(row, n, s->o.seed);
	for (size_t i = 0; i < n; i++)
		write_row(s, &(struct row_ref){NULL, b, row[i], row[i]});
	projection_end(s->p, s->count.written == s->count.read);
	row_value_free(&by);
	free(row);
	tns_unload(b);
}

struct row_counts row_select_run(struct row_select *s, const struct projection_options *take, struct tns_writer *w)
{
	if (s->o.sort || s->o.shuffle || (s->o.sample && is_file(s->path)))
		run_file(s, take, w);
	else
		run_stream(s, take, w);
	struct row_counts count = s->count;
	row_filter_free(s->filter);
	row_sample_free(&s->sample);
	free(s);
	return count;
}
