/* Tensors by name, cut to the points that are left. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/filter/globs.h"
#include "lib/filter/point_order.h"
#include "lib/filter/projection.h"
#include "lib/stream/history.h"
#include "lib/stream/passthrough.h"
#include "lib/stream/point_tensors.h"
#include "lib/stream/names.h"

struct projection {
	const struct tns *t;
	struct tns_writer *w;
	struct point_order *points; /* NULL: as they are */
	int *to, *axis;		    /* (t->ntensors): id of the output or -1; point_axis, 0: rows are copied */
	unsigned char *row;
};

void projection_check(const struct projection_options *o)
{
	const char *const list[] = {o->only, o->without, o->points, o->drop}, *const name[] = {"only", "without", "points", "drop"};
	for (int i = 0; i < 4; i++)
		if (list[i])
			globs_check(name[i], list[i]);
	point_renames_check(o->rename, o->nrename);
}

static int match(const struct tns *t, const char *option, const char *list, char **names, int *to)
{
	char *none;
	int n = globs_match(list, names, t->ntensors, to, &none);
	if (none) {
		struct nearest near = names_nearest(names, none);
		die("%s: --%s: there is no tensor '%s'%s", t->name, option, none, nearest_or_all(&near));
	}
	return n;
}

/* The tensors that are taken, in the order of the output, into take; returns how many. */
static int choose(const struct projection_options *o, const struct tns *t, int *take)
{
	size_t all = (size_t)t->ntensors;
	char **names = xcalloc(all + 1, sizeof *names), *not = xcalloc(all + 1, 1);
	int *out = xcalloc(all + 1, sizeof *out), n = 0, left = 0;
	for (int i = 0; i < t->ntensors; i++)
		names[i] = t->def[i].name;
	if (o->only)
		n = match(t, "only", o->only, names, take);
	for (int i = 0; i < t->ntensors && !o->only; i++)
		take[n++] = i;
	for (int i = o->without ? match(t, "without", o->without, names, out) : 0; i--;)
		not [out[i]] = 1;
	for (int i = 0; i < n; i++)
		if (!not [take[i]])
			take[left++] = take[i];
	free(names), free(not ), free(out);
	if (t->ntensors && !left)
		die("%s: no tensor is left", t->name);
	return left;
}

static void define(struct projection *p, int id, int rows)
{
	const struct tns_def *d = &p->t->def[id];
	uint64_t dim[8];
	memcpy(dim, d->dim, sizeof dim);
	if (rows && d->ndim)
		dim[0] = TNS_UNLIMITED;
	p->axis[id] = p->points ? point_axis(p->t, d, p->points->k) : 0;
	if (p->axis[id])
		dim[p->axis[id]] = (uint64_t)p->points->n;
	p->to[id] = tns_define(p->w, d->name, d->dtype, d->ndim, dim);
}

/* METAs that are late or early, but history and those of tensors that are left out. */
static void put_metas(const struct projection *p, int late, int all)
{
	for (int i = 0; i < p->t->nmeta; i++) {
		const struct tns_meta *m = &p->t->meta[i];
		const char *of = points_meta_of(m->key);
		int tensor = of ? tns_find(p->t, of) : -1;
		if (m->late != late || !strcmp(m->key, "history") || (!all && passthrough_counts(m->key)) ||
			(tensor >= 0 && p->to[tensor] < 0))
			continue;
		if (!p->points || !point_order_is_meta(m->key)) {
			tns_copy_meta(p->w, m);
			continue;
		}
		char *text = point_order_meta(p->points, p->t, m->key);
		if (text)
			tns_put_meta(p->w, m->key, text);
		free(text);
	}
}

struct projection *projection_begin(const struct projection_options *o, const struct tns *t, struct tns_writer *w, int rows)
{
	struct projection *p = xcalloc(1, sizeof *p);
	size_t all = (size_t)t->ntensors, widest = 1;
	p->t = t, p->w = w;
	p->to = xcalloc(all + 1, sizeof *p->to), p->axis = xcalloc(all + 1, sizeof *p->axis);
	if ((o->points || o->drop) && tns_meta_value(t, "net"))
		die("%s: is a model, whose points can be renamed, but not cut", t->name);
	if (o->points || o->drop || o->nrename)
		p->points = point_order_new(t, o->points, o->drop, o->rename, o->nrename);
	int *take = xcalloc(all + 1, sizeof *take), n = choose(o, t, take);
	for (int i = 0; i < t->ntensors; i++)
		p->to[i] = -1;
	for (int i = 0; i < n; i++) {
		define(p, take[i], rows);
		if (t->def[take[i]].row_bytes > widest)
			widest = t->def[take[i]].row_bytes;
	}
	free(take);
	p->row = xmalloc(widest);
	put_metas(p, 0, 1);
	return p;
}

void projection_write(struct projection *p, int id, const void *rows, uint64_t n)
{
	const struct tns_def *d = &p->t->def[id];
	if (p->to[id] < 0)
		return;
	if (!p->axis[id]) {
		tns_write(p->w, p->to[id], rows, n);
		return;
	}
	for (uint64_t i = 0; i < n; i++) {
		point_gather(d, p->axis[id], p->points->order, p->points->n, (const char *)rows + i * d->row_bytes, p->row);
		tns_write(p->w, p->to[id], p->row, 1);
	}
}

int projection_takes(const struct projection *p, int id)
{
	return p->to[id] >= 0;
}

void projection_end(struct projection *p, int all)
{
	put_metas(p, 1, all);
	history_put(p->w, &p->t, 1, NULL);
	point_order_free(p->points);
	free(p->to), free(p->axis), free(p->row), free(p);
}
