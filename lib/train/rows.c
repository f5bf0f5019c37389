/* Loading for training. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/stream/ds.h"
#include "lib/train/rows.h"

static void take_labels(struct rows *r, const struct tns_table *b, int id)
{
	const struct tns *t = tns_table_head(b);
	int n = 0, most = 1;
	const char *classes = tns_meta_value(t, "classes");
	for (uint32_t i = 0; i < r->n; i++) {
		int v = *(const uint8_t *)tns_row(b, id, i);
		r->value[i] = (float)v;
		most = v > most ? v : most;
	}
	if (classes)
		r->names = xstrdup(classes);
	else { /* numbers serve as names */
		r->names = xstrdup("0");
		for (int k = 1; k <= most; k++) {
			char *old = r->names;
			r->names = xprintf("%s,%d", old, k);
			free(old);
		}
	}
	ds_free_names(ds_split_names(r->names, &n));
	for (uint32_t i = 0; i < r->n; i++)
		if (r->value[i] >= (float)n || n < 2)
			die("%s: row %u: label %g, but there are %d classes", t->name, i + 1, (double)r->value[i], n);
	r->values = n == 2 ? 1 : n;
}

static void copy_row(struct rows *to, uint32_t k, const struct rows *from, uint32_t i)
{
	size_t size = (size_t)from->W * (size_t)from->H;
	memmove(to->image + k * size, from->image + i * size, size);
	memmove(to->value + (size_t)k * (size_t)to->k, from->value + (size_t)i * (size_t)from->k, (size_t)to->k * sizeof(float));
	to->group[k] = from->group[i], to->id[k] = from->id[i];
}

static int any_label(const float *v, int k)
{
	for (int i = 0; i < k; i++)
		if (!isnan(v[i]))
			return 1;
	return 0;
}

struct rows *rows_load(const char *path, enum target target)
{
	struct rows *r = xcalloc(1, sizeof *r);
	struct tns_table *b = r->table = tns_load(path);
	const struct tns *t = tns_table_head(b);
	int image = ds_need(t, "image", TNS_U8, 3), id = -1, source = tns_find(t, "source"), number = tns_find(t, "id");
	if (t->def[image].rows > UINT32_MAX / 2)
		die("%s: %llu rows are too many", t->name, (unsigned long long)t->def[image].rows);
	r->head = (struct tns *)t;
	r->n = (uint32_t)t->def[image].rows;
	r->H = (int)t->def[image].dim[1], r->W = (int)t->def[image].dim[2];
	if (!r->n)
		die("%s: there are no rows", t->name);
	if (target == TARGET_LABEL)
		id = ds_need(t, "label", TNS_U8, 1), r->k = 1;
	if (model_has_points(target)) {
		id = ds_need(t, "keypoints", TNS_F32, 3), r->k = 2 * (int)t->def[id].dim[1];
		if (t->def[id].dim[2] != 2)
			die("%s: keypoints has %llu values a point, not 2", t->name, (unsigned long long)t->def[id].dim[2]);
	}
	if (id >= 0 && t->def[id].rows != r->n)
		die("%s: image has %u rows, %s has %llu", t->name, r->n, t->def[id].name, (unsigned long long)t->def[id].rows);
	r->image = xmalloc((size_t)r->n * (size_t)r->W * (size_t)r->H);
	tns_copy(b, image, r->image);
	r->value = xcalloc((size_t)r->n * (size_t)r->k + 1, sizeof *r->value);
	r->group = xcalloc(r->n, sizeof *r->group);
	r->id = xcalloc(r->n, sizeof *r->id);
	int numbered = number >= 0 && t->def[number].dtype == TNS_U32 && t->def[number].row_bytes == 4 && t->def[number].rows == r->n;
	int grouped = source >= 0 && t->def[source].dtype == TNS_U32 && t->def[source].row_bytes == 4 && t->def[source].rows == r->n;
	for (uint32_t i = 0; i < r->n; i++)
		r->id[i] = numbered ? *(const uint32_t *)tns_row(b, number, i) : i + 1;
	for (uint32_t i = 0; i < r->n; i++)
		r->group[i] = grouped ? *(const uint32_t *)tns_row(b, source, i) : i;
	if (target == TARGET_LABEL) {
		take_labels(r, b, id);
	} else if (model_has_points(target)) {
		uint32_t kept = 0;
		r->names = xstrdup(tns_meta_value(t, "points") ? tns_meta_value(t, "points") : "");
		ds_free_names(ds_points(t, r->k / 2));
		r->values = r->k;
		tns_copy(b, id, r->value);
		for (size_t i = 0; i < (size_t)r->n * (size_t)r->k; i++)
			if (isinf(r->value[i])) /* it would come out as a loss that is no number, blamed on the rate */
				die("%s: row %zu: keypoints holds %g", t->name, i / (size_t)r->k + 1, (double)r->value[i]);
		for (uint32_t i = 0; i < r->n; i++)
			if (any_label(r->value + (size_t)i * (size_t)r->k, r->k))
				copy_row(r, kept++, r, i);
		r->n = kept;
		if (!kept)
			die("%s: no row has a label", t->name);
	} else {
		r->names = xstrdup("");
		r->values = r->W * r->H;
	}
	tns_shed(b);
	return r;
}

static int drawn(const struct rows *r, uint32_t i, double share, uint64_t seed)
{
	return philox_unit(philox(seed, PHILOX_SPLIT, 0, r->group[i], 0).v[0]) < share;
}

struct rows *rows_part(const struct rows *r, double share, uint64_t seed, int part)
{
	struct rows *p = xcalloc(1, sizeof *p);
	*p = *r;
	p->n = 0, p->head = NULL, p->table = NULL;
	p->names = xstrdup(r->names);
	for (uint32_t i = 0; i < r->n; i++)
		p->n += drawn(r, i, share, seed) == part;
	p->image = xmalloc((size_t)p->n * (size_t)r->W * (size_t)r->H);
	p->value = xcalloc((size_t)p->n * (size_t)r->k + 1, sizeof *p->value);
	p->group = xcalloc(p->n, sizeof *p->group), p->id = xcalloc(p->n, sizeof *p->id);
	p->n = 0;
	for (uint32_t i = 0; i < r->n; i++)
		if (drawn(r, i, share, seed) == part)
			copy_row(p, p->n++, r, i);
	return p;
}

void rows_keep_positive(struct rows *r)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < r->n; i++)
		if (r->value[(size_t)i * (size_t)r->k] > 0)
			copy_row(r, kept++, r, i);
	if (!kept)
		die("%s: no label is positive", r->head->name);
	r->n = kept;
}

void rows_shed(struct rows *r)
{
	free(r->image), free(r->value), free(r->group), free(r->id);
	r->image = NULL, r->value = NULL, r->group = NULL, r->id = NULL;
}

void rows_free(struct rows *r)
{
	if (!r)
		return;
	free(r->image), free(r->value), free(r->group), free(r->id), free(r->names);
	if (r->table)
		tns_unload(r->table);
	free(r);
}
