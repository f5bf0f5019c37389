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

/* As many rows of as many values, in any shape: an autoencoder's weights (out, in) can initialise a convolution (out, in, kh, kw). */
static int same_rows(const struct tns_def *t, const struct layer_tensor *p)
{
	return t->dtype == TNS_F32 && t->rows == p->dim[0] && t->rows && t->row_bytes == p->n / p->dim[0] * sizeof(float);
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

int model_init_from(const struct netdesc *d, const struct tns_table *b, real *param, real *stat)
{
	const struct tns *t = tns_table_head(b);
	struct layer_tensor p[4];
	int copied = 0;
	for (int i = 0; i < d->n; i++) {
		int tensors = layer_tensors(&d->layer[i], i, "", p);
		if (!tensors)
			continue;
		int w = tns_find(t, p[0].name), bias = tns_find(t, p[1].name);
		if (w < 0 || bias < 0 || !same_rows(&t->def[w], &p[0]) || !same_rows(&t->def[bias], &p[1]))
			break;
		tns_copy(b, w, param + p[0].offset);
		tns_copy(b, bias, param + p[1].offset);
		for (int k = 2; k < tensors; k++) {
			int id = tns_find(t, p[k].name);
			if (id >= 0 && same_shape(&t->def[id], &p[k]))
				tns_copy(b, id, stat + p[k].offset);
		}
		copied++;
	}
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
	char theirs[200], own[200];
	int i = 0;
	if (!tns_meta_value(t, "net"))
		return xstrdup("a model needs META net: cnn-train and dae-pretrain write models");
	while (i < d->n && !layer_tensors(&d->layer[i], i, "", p))
		i++;
	int w = i < d->n ? tns_find(t, p[0].name) : -1;
	if (w < 0)
		return xprintf("there is no tensor %s, the first of this net", i < d->n ? p[0].name : "of weights");
	shape_text(theirs, sizeof theirs, t->def[w].ndim, t->def[w].dim, t->def[w].rows);
	shape_text(own, sizeof own, p[0].ndim, p[0].dim, p[0].dim[0]);
	return xprintf("its first layer does not fit: %s is %s, this net's %s", p[0].name, theirs, own);
}
