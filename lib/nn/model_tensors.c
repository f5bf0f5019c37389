/* The tensors of a model's layers: their names and shapes, written, read, and copied from another net's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/nn/model.h"

/* One of a layer's tensors: name, shape, and its values: n from offset in the block of parameters, or of statistics. */
struct layer_tensor {
	char name[300];
	int ndim;
	uint64_t dim[4];
	size_t offset, n;
	int stat;
};

/* The layer's tensors, in order: weight, bias, mean, var; returns how many it has. */
static int layer_tensors(const struct layer *l, int i, const char *prefix, struct layer_tensor p[4])
{
	uint64_t out = (uint64_t)l->OC;
	if (!l->nw)
		return 0;
	p[0] = (struct layer_tensor){.ndim = 2, .dim = {out, l->nw / out}, .offset = l->w, .n = l->nw};
	if (l->kind == LAYER_CONV)
		p[0].ndim = 4, p[0].dim[1] = (uint64_t)l->C, p[0].dim[2] = (uint64_t)l->KH, p[0].dim[3] = (uint64_t)l->KW;
	if (l->kind == LAYER_BN)
		p[0].ndim = 1;
	p[1] = (struct layer_tensor){.ndim = 1, .dim = {out}, .offset = l->b, .n = l->nb};
	p[2] = (struct layer_tensor){.ndim = 1, .dim = {out}, .offset = l->run, .n = out, .stat = 1};
	p[3] = (struct layer_tensor){.ndim = 1, .dim = {out}, .offset = l->run + out, .n = out, .stat = 1};
	for (int k = 0; k < 4; k++)
		snprintf(p[k].name, sizeof p[k].name, "%s%d.%s", prefix, i, (const char *[]){"weight", "bias", "mean", "var"}[k]);
	return l->kind == LAYER_BN ? 4 : 2;
}

int model_define(const struct netdesc *d, struct tns_writer *w, const char *prefix, int stats)
{
	int first = -1;
	struct layer_tensor p[4];
	for (int i = 0; i < d->n; i++)
		for (int k = 0, n = layer_tensors(&d->layer[i], i, prefix, p); k < n; k++)
			if (stats || !p[k].stat) {
				int id = tns_define(w, p[k].name, TNS_F32, p[k].ndim, p[k].dim);
				first = first < 0 ? id : first;
			}
	return first;
}

void model_write(const struct netdesc *d, struct tns_writer *w, int id, const real *param, const real *stat)
{
	struct layer_tensor p[4];
	for (int i = 0; i < d->n; i++)
		for (int k = 0, n = layer_tensors(&d->layer[i], i, "", p); k < n; k++)
			if (stat || !p[k].stat)
				tns_write(w, id++, (p[k].stat ? stat : param) + p[k].offset, p[k].dim[0]);
}

static int same_shape(const struct tns_def *t, const struct layer_tensor *p)
{
	int same = t->dtype == TNS_F32 && t->ndim == p->ndim && t->rows == p->dim[0];
	for (int k = 1; same && k < p->ndim; k++)
		same = t->dim[k] == p->dim[k];
	return same;
}

static void shape_text(char *to, size_t n, int ndim, const uint64_t *dim, uint64_t rows)
{
	size_t at = 0;
	to[0] = 0;
	for (int k = 0; k < ndim && at < n - 24; k++)
		at += (size_t)snprintf(to + at, n - at, "%s%llu", k ? "x" : "", (unsigned long long)(k ? dim[k] : rows));
}

void model_read(const struct netdesc *d, const struct tns_table *b, const char *prefix, real *param, real *stat)
{
	const struct tns *t = tns_table_head(b);
	struct layer_tensor p[4];
	for (int i = 0; i < d->n; i++)
		for (int k = 0, n = layer_tensors(&d->layer[i], i, prefix, p); k < n; k++) {
			if (p[k].stat && !stat)
				continue;
			int id = tns_find(t, p[k].name);
			if (id < 0)
				die("%s: there is no tensor %s", t->name, p[k].name);
			if (!same_shape(&t->def[id], &p[k])) {
				char actual[200], expected[200];
				shape_text(actual, sizeof actual, t->def[id].ndim, t->def[id].dim, t->def[id].rows);
				shape_text(expected, sizeof expected, p[k].ndim, p[k].dim, p[k].dim[0]);
				die("%s: %s is %s of %s, the net needs f32 of %s", t->name, p[k].name, tns_dtype_name(t->def[id].dtype),
					actual, expected);
			}
			tns_copy(b, id, (p[k].stat ? stat : param) + p[k].offset);
		}
}

/* The next layer with weights after layer i, or d->n. */
static int next_layer(const struct netdesc *d, int i)
{
	for (i++; i < d->n && !d->layer[i].nw;)
		i++;
	return i;
}

/* What one of a layer's rows of weights looks at, C x H x W. */
static void window(const struct layer *l, int size[3])
{
	int conv = l->kind == LAYER_CONV;
	size[0] = l->C, size[1] = conv ? l->KH : l->H, size[2] = conv ? l->KW : l->W;
}

/* As many rows that look at the same: an autoencoder's weights (out, in) can initialise a convolution (out, in, kh, kw) of its patches. */
static int same_weights(const struct layer *a, const struct layer *b)
{
	int u[3], v[3];
	window(a, u), window(b, v);
	return a->OC == b->OC && a->nw == b->nw && (a->kind == LAYER_BN) == (b->kind == LAYER_BN) &&
	       (a->kind == LAYER_BN || !memcmp(u, v, sizeof u));
}

/* Layer i's tensors from the stream's layer `from`. */
static int copy_layer(
	const struct netdesc *d, int i, const struct netdesc *source, int from, const struct tns_table *b, real *param, real *stat)
{
	const struct tns *t = tns_table_head(b);
	struct layer_tensor p[4], q[4];
	int n = layer_tensors(&d->layer[i], i, "", p), id[4];
	layer_tensors(&source->layer[from], from, "", q);
	for (int k = 0; k < n; k++) {
		id[k] = tns_find(t, q[k].name);
		if (id[k] < 0 || !same_shape(&t->def[id[k]], &q[k]))
			return 0;
	}
	for (int k = 0; k < n; k++)
		tns_copy(b, id[k], (p[k].stat ? stat : param) + p[k].offset);
	return 1;
}

int model_init_from(const struct netdesc *d, const struct tns_table *b, real *param, real *stat)
{
	char *why = NULL;
	struct model *m = model_is(tns_table_head(b)) ? model_read_net(tns_table_head(b), &why) : NULL;
	int copied = 0;
	for (int i = next_layer(d, -1), from = m ? next_layer(&m->d, -1) : 0; m && i < d->n && from < m->d.n; copied++) {
		if (!same_weights(&d->layer[i], &m->d.layer[from]) || !copy_layer(d, i, &m->d, from, b, param, stat))
			break;
		i = next_layer(d, i), from = next_layer(&m->d, from);
	}
	model_free(m), free(why);
	return copied;
}

int model_layers(const struct netdesc *d)
{
	int n = 0;
	for (int i = 0; i < d->n; i++)
		n += d->layer[i].nw > 0;
	return n;
}

char *model_init_why(const struct netdesc *d, const struct tns *t)
{
	struct layer_tensor p[4];
	char theirs[200], own[200], *why;
	int i = next_layer(d, -1), u[3], v[3];
	if (!model_is(t))
		return xstrdup("a model needs META net: cnn-train and dae-pretrain write models");
	struct model *m = model_read_net(t, &why);
	if (!m)
		return why;
	int from = next_layer(&m->d, -1);
	if (i == d->n || from == m->d.n) {
		why = xprintf("%s net has no weights", i == d->n ? "this" : "its");
	} else {
		const struct layer *a = &m->d.layer[from], *b = &d->layer[i];
		layer_tensors(a, from, "", p);
		shape_text(theirs, sizeof theirs, p[0].ndim, p[0].dim, p[0].dim[0]);
		window(a, u), window(b, v);
		layer_tensors(b, i, "", p);
		shape_text(own, sizeof own, p[0].ndim, p[0].dim, p[0].dim[0]);
		why = strcmp(theirs, own) && a->nw != b->nw
			      ? xprintf("its first layer does not fit: its weights are %s, this net's %s", theirs, own)
			      : xprintf("its first layer does not fit: it looks at %dx%dx%d, channels, height and width, this net's at "
					"%dx%dx%d",
					u[0], u[1], u[2], v[0], v[1], v[2]);
	}
	model_free(m);
	return why;
}

/* The weights go on where they ended only with the offsets that they ended with. */
static void start_offsets(struct model *m, const struct tns *t)
{
	struct model *from = model_read_meta(t);
	if (from->target == m->target && from->W == m->W && from->H == m->H && !strcmp(from->names, m->names)) {
		model_set_offset(m, from->offset[0], from->offset[1]);
		if (m->sources && from->sources && !strcmp(m->sources->names, from->sources->names))
			memcpy(m->sources->offset, from->sources->offset,
				(size_t)m->sources->n * (size_t)m->points * 2 * sizeof *m->sources->offset);
	}
	model_free(from);
}

int model_start_from(struct model *m, const struct tns_table *b, int offsets, int quiet)
{
	const struct tns *t = tns_table_head(b);
	int n = model_init_from(&m->d, b, m->param, m->stat), of = model_layers(&m->d);
	if (!n)
		die("%s: %s", t->name, model_init_why(&m->d, t));
	if (n == of && offsets && m->points)
		start_offsets(m, t);
	if (!quiet)
		warn("%d of %d layers with weights start from %s", n, of, t->name);
	return n;
}
