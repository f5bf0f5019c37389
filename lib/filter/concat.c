/* Reading of heads, then of rows, one input after the other. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/filter/concat_io.h"
#include "lib/filter/id_set.h"
#include "lib/filter/point_order.h"
#include "lib/stream/names.h"

/* ---- heads ---- */

/* Appends copies of t's METAs that are late or early. */
static void copy_metas(struct tns *to, const struct tns *t, int late)
{
	to->meta = xrealloc(to->meta, ((size_t)to->nmeta + (size_t)t->nmeta + 1) * sizeof *to->meta);
	for (int i = 0; i < t->nmeta; i++) {
		struct tns_meta m = t->meta[i];
		if (m.late != late)
			continue;
		m.key = xstrdup(m.key);
		m.value = xcalloc(m.value_len + 1, 1);
		memcpy(m.value, t->meta[i].value, m.value_len);
		to->meta[to->nmeta++] = m;
	}
}

static int is_file(const char *path)
{
	struct stat st;
	return strcmp(path, "-") && !stat(path, &st) && S_ISREG(st.st_mode);
}

static void read_head(struct concat_input *in, const char *path)
{
	struct dataset_stream *d = dataset_stream_open(path);
	const struct tns *t = d->in;
	in->path = path;
	in->head.name = t->name;
	in->head.ntensors = t->ntensors;
	in->head.def = xcalloc((size_t)t->ntensors, sizeof *t->def);
	memcpy(in->head.def, t->def, (size_t)t->ntensors * sizeof *t->def);
	copy_metas(&in->head, t, 0);
	if (is_file(path))
		dataset_stream_close(d);
	else
		in->d = d;
}

struct concat *concat_open(char *const *path, int n, const struct concat_options *o)
{
	struct concat *c = xcalloc(1, sizeof *c);
	int stdins = 0;
	for (int k = 0; k < n; k++)
		stdins += !strcmp(path[k], "-");
	if (stdins > 1)
		die_usage("stdin can be read only once");
	c->o = *o, c->n = n;
	c->in = xcalloc((size_t)n, sizeof *c->in);
	for (int k = 0; k < n; k++)
		read_head(&c->in[k], path[k]);
	concat_match(c);
	return c;
}

/* Ends the program where the file is no longer what its head said. */
static void check_unchanged(const struct concat_input *in)
{
	const struct tns *a = &in->head, *b = in->d->in;
	int same = a->ntensors == b->ntensors, metas = 0;
	for (int i = 0; i < a->ntensors && same; i++) {
		const struct tns_def *x = &a->def[i], *y = &b->def[i];
		same = !strcmp(x->name, y->name) && x->dtype == y->dtype && x->ndim == y->ndim && !memcmp(x->dim, y->dim, sizeof x->dim);
	}
	for (int i = 0; i < b->nmeta && same; i++)
		if (!b->meta[i].late) {
			const char *value = tns_meta_value(a, b->meta[i].key);
			same = value && !strcmp(value, b->meta[i].value);
			metas++;
		}
	if (!same || metas != a->nmeta)
		die("%s: changed while it was read", a->name);
}

/* ---- rows ---- */

struct state {
	struct concat_counts count;
	struct id_set ids;
	int id; /* tensor of the result, or -1 */
	unsigned char *row;
};

static uint32_t number_of(const struct concat *c, const struct concat_input *in, int i, const void *row, uint64_t at)
{
	int table = c->tensor[i].table;
	uint32_t v = !row ? 0 : table == CONCAT_LABEL ? *(const uint8_t *)row : *(const uint32_t *)row;
	if (v >= (uint32_t)in->numbers[table])
		die("%s: row %llu: %s %u, but META %s has %d names", in->head.name, (unsigned long long)at + 1, c->tensor[i].def.name, v,
			table == CONCAT_LABEL ? "classes" : "sources", in->numbers[table]);
	return in->number[table][v];
}

static void count_id(const struct concat_input *in, struct state *s, uint32_t id)
{
	if (!id_set_add(&s->ids, id))
		return;
	if (!s->count.repeated++)
		s->count.id = id, s->count.in = in->head.name;
}

/* Row i of the block of input in. */
static void write_row(const struct concat *c, const struct concat_input *in, struct state *s, struct tns_writer *w, uint64_t i)
{
	s->count.rows++;
	for (int k = 0; k < c->ntensors; k++) {
		const struct concat_tensor *x = &c->tensor[k];
		const void *row = in->tensor[k] < 0 ? NULL : dataset_stream_at(in->d, in->tensor[k], i);
		uint32_t number;
		uint8_t label;
		if (k == s->id && c->o.renumber) {
			if (s->count.rows > UINT32_MAX)
				die("%s: more rows than a u32 can number", in->head.name);
			number = (uint32_t)s->count.rows;
			row = &number;
		} else if (k == s->id && c->o.ids)
			count_id(in, s, *(const uint32_t *)row);
		if (x->table >= 0) {
			number = number_of(c, in, k, row, in->d->row + i);
			label = (uint8_t)number;
			row = x->table == CONCAT_LABEL ? (const void *)&label : &number;
		}
		if (x->axis && in->order) {
			point_gather(&in->head.def[in->tensor[k]], x->axis, in->order, c->npoints, row, s->row);
			row = s->row;
		}
		tns_write(w, x->id, row, 1);
	}
}

static void write_input(const struct concat *c, struct concat_input *in, struct state *s, struct tns_writer *w)
{
	if (!in->d) {
		in->d = dataset_stream_open(in->path);
		check_unchanged(in);
	}
	for (uint64_t rows; (rows = dataset_stream_next(in->d));)
		for (uint64_t i = 0; i < rows; i++)
			write_row(c, in, s, w, i);
	copy_metas(&in->head, in->d->in, 1);
	in->head.fingerprint = in->d->in->fingerprint;
	dataset_stream_close(in->d);
	in->d = NULL;
}

struct concat_counts concat_write(struct concat *c, struct tns_writer *w)
{
	struct state s = {.id = -1};
	size_t widest = 1;
	for (int i = 0; i < c->ntensors; i++) {
		struct concat_tensor *x = &c->tensor[i];
		x->id = tns_define(w, x->def.name, x->def.dtype, x->def.ndim, x->def.dim);
		widest = x->def.row_bytes > widest ? x->def.row_bytes : widest;
		if (!strcmp(x->def.name, "id") && x->def.dtype == TNS_U32 && x->def.row_bytes == 4)
			s.id = i;
	}
	s.row = xmalloc(widest);
	concat_early_metas(c, w);
	for (int k = 0; k < c->n; k++)
		write_input(c, &c->in[k], &s, w);
	concat_late_metas(c, w);
	id_set_free(&s.ids);
	free(s.row);
	return s.count;
}

void concat_free(struct concat *c)
{
	for (int k = 0; k < c->n; k++) {
		struct concat_input *in = &c->in[k];
		for (int i = 0; i < in->head.nmeta; i++)
			free(in->head.meta[i].key), free(in->head.meta[i].value);
		free(in->head.def), free(in->head.meta), free(in->tensor), free(in->order);
		for (int i = 0; i < CONCAT_TABLES; i++)
			free(in->number[i]);
		names_free(in->points);
	}
	for (int i = 0; i < CONCAT_TABLES; i++)
		names_free(c->table[i]);
	names_free(c->points);
	free(c->in), free(c->tensor), free(c);
}
