/* Tensor streams: tensors as arrays of the shapes that they had, and arrays as tensors of shapes that a stream may have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/crc.h"
#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/convert/convert_io.h"
#include "lib/convert/metas.h"

#define SHAPE "shape."

/* ---- reading ---- */

/* The array of META shape.NAME, if there is one; else NULL. */
static struct array *shaped(struct arrays *s, const struct tns_meta *m)
{
	size_t n = sizeof SHAPE - 1;
	for (int i = 0; i < s->n; i++)
		if (!strncmp(m->key, SHAPE, n) && !strcmp(m->key + n, s->array[i].name))
			return &s->array[i];
	return NULL;
}

/* Gives a flat tensor the shape it had. */
static void set_shape(const struct arrays *s, struct array *a, const char *text)
{
	struct array was = *a;
	const char *p = text;
	int bad = a->ndim != 1;
	for (a->ndim = 0; *p && !bad; a->ndim++) {
		char *end = NULL;
		bad = a->ndim == ARRAY_DIMS || *p < '0' || *p > '9';
		if (!bad)
			a->dim[a->ndim] = strtoull(p, &end, 10);
		bad = bad || (*end && *end != ',') || (*end == ',' && !end[1]);
		p = bad ? "" : end + (*end == ',');
	}
	if (bad || array_measure(a) || a->bytes != was.bytes)
		die("%s: META " SHAPE "%s is '%.100s', which is no shape of its %llu values", s->name, a->name, text,
			(unsigned long long)(was.bytes / tns_size(a->dtype)));
}

static void take_metas(struct convert *c, const struct tns *t)
{
	struct arrays *s = &c->a;
	for (int i = 0; i < t->nmeta; i++) {
		struct array *a = shaped(s, &t->meta[i]);
		struct tns_meta m = t->meta[i];
		if (a) {
			set_shape(s, a, m.value);
			continue;
		}
		if (!strcmp(m.key, METAS_NOTE))
			die("%s: META " METAS_NOTE " is a name that files of other forms need", s->name);
		m.key = xstrdup(m.key);
		m.value = xcalloc(m.value_len + 1, 1);
		memcpy(m.value, t->meta[i].value, m.value_len);
		if (array_add_meta(s, m, m.late ? -1 : tns_meta_place(t, i)))
			die("%s: %s", s->name, s->err);
	}
}

void convert_read_stream(struct convert *c)
{
	struct arrays *s = &c->a;
	s->table = tns_load_memory(c->p, c->size, s->name);
	const struct tns *t = tns_table_head(s->table);
	for (int i = 0; i < t->ntensors; i++) {
		const struct tns_def *d = &t->def[i];
		struct array *a = array_add(s, xstrdup(d->name));
		a->id = i, a->dtype = d->dtype, a->ndim = d->ndim;
		memcpy(a->dim, d->dim, sizeof d->dim);
		if (a->ndim)
			a->dim[0] = d->rows;
		array_measure(a);
	}
	take_metas(c, t);
}

/* ---- writing ---- */

static int is_flat(const struct array *a)
{
	int fits = a->ndim <= 8 && (!a->ndim || a->dim[0] <= TNS_ROWS_MAX);
	uint64_t row = tns_size(a->dtype);
	for (int i = 1; i < a->ndim && fits; i++)
		fits = a->dim[i] && !__builtin_mul_overflow(row, a->dim[i], &row) && row <= TNS_CHUNK_MAX;
	return !fits;
}

static void check_name(const struct convert *c, const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";
	size_t n = strlen(name);
	if (!n || n > 255 || name[strspn(name, letters)])
		die("%s: '%s' is no name of a tensor, which has 1 to 255 of A-Z a-z 0-9 . _ / -", c->a.name, name);
}

/* As many rows as all others, no model: a data set, whose tensors come side by side. */
static int is_data_set(const struct convert *c)
{
	int is = 1;
	for (int i = 0; i < c->a.n; i++)
		is &= c->a.array[i].ndim > 0 && !is_flat(&c->a.array[i]) && c->a.array[i].dim[0] == c->a.array[0].dim[0];
	for (int i = 0; i < c->a.nmeta; i++)
		is &= strcmp(c->a.meta[i].key, "net") != 0;
	return is;
}

static void define(const struct convert *c, struct tns_writer *w, const struct array *a, int open)
{
	uint64_t dim[8] = {a->bytes / tns_size(a->dtype)};
	int flat = is_flat(a);
	if (flat && dim[0] > TNS_ROWS_MAX)
		die("%s: %s: more values than a stream may have", c->a.name, a->name);
	if (!flat && a->ndim)
		memcpy(dim, a->dim, (size_t)a->ndim * sizeof *dim);
	if (open && !flat && a->ndim)
		dim[0] = TNS_UNLIMITED;
	tns_define(w, a->name, a->dtype, flat ? 1 : a->ndim, dim);
}

static void put_shape(const struct convert *c, struct tns_writer *w, const struct array *a)
{
	struct buffer key = {0}, shape = {0};
	if (!is_flat(a))
		return;
	buffer_printf(&key, SHAPE "%s", a->name);
	for (int i = 0; i < c->a.nmeta; i++)
		if (!strcmp(c->a.meta[i].key, key.p))
			die("%s: META %s would be read as the shape of %s", c->a.name, key.p, a->name);
	for (int i = 0; i < a->ndim; i++)
		buffer_printf(&shape, i ? ",%llu" : "%llu", (unsigned long long)a->dim[i]);
	tns_put_meta(w, key.p, shape.p);
	buffer_free(&key), buffer_free(&shape);
}

/* Early METAs that stand behind `place` tensors; -1: all. */
static void put_metas(const struct convert *c, struct tns_writer *w, int place)
{
	for (int i = 0; i < c->a.nmeta; i++)
		if (!c->a.meta[i].late && (place < 0 || c->a.place[i] == place))
			tns_copy_meta(w, &c->a.meta[i]);
}

static uint64_t stream_row_bytes(const struct array *a)
{
	return is_flat(a) ? tns_size(a->dtype) : array_row_bytes(a);
}

/* Rows of n tensors, blocks of as many rows of each in turn. */
static void write_rows(const struct convert *c, struct tns_writer *w, const int *id, int n)
{
	struct array_reader **r = xcalloc((size_t)n, sizeof *r);
	uint64_t widest = 1, *left = xcalloc((size_t)n, sizeof *left), any;
	for (int i = 0; i < n; i++) {
		const struct array *a = &c->a.array[id[i]];
		uint64_t row = stream_row_bytes(a);
		r[i] = array_open(&c->a, a);
		widest = row > widest ? row : widest;
		left[i] = row ? a->bytes / row : 0;
	}
	unsigned char *block = xmalloc(widest > CONVERT_BLOCK ? widest : CONVERT_BLOCK);
	do {
		any = 0;
		for (int i = 0; i < n; i++) {
			const struct array *a = &c->a.array[id[i]];
			uint64_t row = stream_row_bytes(a), rows = widest < CONVERT_BLOCK ? CONVERT_BLOCK / widest : 1;
			rows = rows < left[i] ? rows : left[i];
			convert_read(c, r[i], a, block, (size_t)(rows * row));
			tns_write(w, id[i], block, rows);
			left[i] -= rows, any |= left[i];
		}
	} while (any);
	for (int i = 0; i < n; i++)
		array_close(r[i]);
	free(r), free(left), free(block);
}

/* METAs behind the rows; of a file that is not the stream again also a line of history. */
static void put_late(const struct convert *c, struct tns_writer *w)
{
	const char *history = "";
	for (int i = 0; i < c->a.nmeta; i++) {
		const struct tns_meta *m = &c->a.meta[i];
		if (m->late && (c->same || strcmp(m->key, "history")))
			tns_copy_meta(w, m);
		else if (m->late)
			history = m->value;
	}
	if (c->same)
		return;
	size_t n = strlen(history);
	char *line = xprintf("%s%s%s [%s %08x]\n", history, n && history[n - 1] != '\n' ? "\n" : "", opt_line(), convert_forms[c->form],
		crc_add(0, c->p, c->size));
	tns_put_meta(w, "history", line);
	free(line);
}

void convert_write_stream(struct convert *c, const char *path)
{
	int *id = xcalloc((size_t)c->a.n + 1, sizeof *id), n = 0, set = is_data_set(c);
	for (int i = 0; i < c->a.n; i++) {
		check_name(c, c->a.array[i].name);
		c->open[i] = c->same ? c->open[i] : set ? 'o' : 'g';
		if (c->open[i] == 'o')
			id[n++] = i;
	}
	struct tns_writer *w = tns_create(path);
	if (c->same)
		put_metas(c, w, 0);
	for (int i = 0; i < c->a.n; i++) {
		define(c, w, &c->a.array[i], c->open[i] == 'o');
		if (c->same && i + 1 < c->a.n)
			put_metas(c, w, i + 1);
	}
	for (int i = 0; i < c->a.n; i++)
		put_shape(c, w, &c->a.array[i]);
	if (!c->same || c->a.n)
		put_metas(c, w, c->same ? c->a.n : -1);
	for (int i = 0; i < c->a.n; i++)
		if (c->open[i] != 'o')
			write_rows(c, w, &i, 1);
		else if (n && i == id[0])
			write_rows(c, w, id, n);
	put_late(c, w);
	tns_close(w);
	free(id);
}
