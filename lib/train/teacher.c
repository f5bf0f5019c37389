/* Labels and predictions, mixed. */
#include "lib/train/teacher.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/names.h"

/* Predictions of a file, in the order of a data set's points. */
struct predictions {
	struct tns_table *table;
	const struct tns *t;
	int image, predicted, id; /* tensors; id: -1 where not needed */
	uint32_t n;
	int *order; /* the data set's point i is the file's order[i] */
};

static void open_predictions(struct predictions *p, const char *path, const struct dataset *ds, int numbered)
{
	int n;
	p->table = tns_load_within(path, image_store_most());
	const struct tns *t = p->t = tns_table_head(p->table);
	dataset_stream_no_model(t);
	p->image = dataset_stream_require(t, "image", TNS_U8, 3), p->predicted = dataset_stream_require(t, "predicted", TNS_F32, 3);
	p->id = numbered ? dataset_stream_require(t, "id", TNS_U32, 1) : -1;
	const struct tns_def *image = &t->def[p->image], *predicted = &t->def[p->predicted];
	if (image->dim[1] != (uint64_t)ds->H || image->dim[2] != (uint64_t)ds->W)
		die("%s: images of %llux%llu are not like the training set's, %dx%d", t->name, (unsigned long long)image->dim[2],
			(unsigned long long)image->dim[1], ds->W, ds->H);
	if (predicted->rows != image->rows || (p->id >= 0 && t->def[p->id].rows != image->rows) || predicted->dim[2] != 2)
		die("%s: predicted and id are not of as many rows as image, or predicted not of two values a point", t->name);
	char **from = names_points(t, (int)predicted->dim[1]), **to = names_split(ds->names, &n);
	p->order = names_order(from, to);
	if (!p->order)
		die("%s: predicted is of other points than the training set has: %s", t->name, ds->names);
	names_free(from), names_free(to);
	p->n = (uint32_t)image->rows;
}

/* Point i of a row as predicted. */
static const float *point(const struct predictions *p, uint32_t row, int i)
{
	const float *xy = (const float *)tns_row(p->table, p->predicted, row) + 2 * p->order[i];
	if (isinf(xy[0]) || isinf(xy[1]))
		die("%s: row %u: predicted holds %g", p->t->name, row + 1, (double)(isinf(xy[0]) ? xy[0] : xy[1]));
	return xy;
}

struct numbered {
	uint32_t id, row;
};

static int by_id(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	return x->id != y->id ? (x->id > y->id) - (x->id < y->id) : (x->row > y->row) - (x->row < y->row);
}

static struct numbered *sorted_ids(const struct dataset *ds)
{
	struct numbered *list = xcalloc(ds->n, sizeof *list);
	for (uint32_t i = 0; i < ds->n; i++)
		list[i] = (struct numbered){ds->id[i], i};
	qsort(list, ds->n, sizeof *list, by_id);
	return list;
}

/* The first of list with an id not below this one. */
static uint32_t find(const struct numbered *list, uint32_t n, uint32_t id)
{
	uint32_t low = 0;
	while (low < n) {
		uint32_t middle = low + (n - low) / 2;
		if (list[middle].id < id)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

static void mix(const struct teacher *t, struct dataset *ds, const struct predictions *p, uint32_t row, uint32_t i, uint64_t *filled)
{
	float share = (float)t->share;
	for (int k = 0; k < ds->k / 2; k++) {
		size_t at = (size_t)i * (size_t)ds->k / 2 + (size_t)k;
		float *label = ds->value + 2 * at;
		const float *xy = point(p, row, k);
		if (isnan(xy[0]) || isnan(xy[1]))
			continue;
		if (isnan(label[0])) {
			label[0] = xy[0], label[1] = xy[1];
			ds->weight[at] = share, ds->own[at] = 0;
			++*filled;
			continue;
		}
		ds->own[at] = share < 1;
		for (int c = 0; c < 2; c++)
			label[c] += share * (xy[c] - label[c]);
	}
}

static void mix_labels(const struct teacher *t, struct dataset *ds, const struct predictions *p)
{
	struct numbered *list = sorted_ids(ds);
	unsigned char *seen = xcalloc(ds->n, 1);
	size_t bytes = (size_t)ds->W * (size_t)ds->H;
	uint8_t *image = xmalloc(bytes), *own = xmalloc(bytes);
	uint64_t filled = 0, rows = 0;
	for (uint32_t row = 0; row < p->n; row++) {
		uint32_t id = *(const uint32_t *)tns_row(p->table, p->id, row);
		for (uint32_t at = find(list, ds->n, id); at < ds->n && list[at].id == id; at++) {
			uint32_t i = list[at].row;
			if (memcmp(tns_read_row(p->table, p->image, row, image), dataset_image(ds, i, own), bytes))
				die("%s: row %u, id %u: the training set has another image of that id", p->t->name, row + 1, id);
			if (seen[i])
				die("%s: row %u, id %u: that id was there before", p->t->name, row + 1, id);
			seen[i] = 1, rows++;
			mix(t, ds, p, row, i, &filled);
		}
	}
	if (!rows)
		die("%s: none of its %u rows is of an id of the training set", p->t->name, p->n);
	if (!t->quiet)
		warn("%s: %llu of %u rows are taught, %llu missing labels filled", p->t->name, (unsigned long long)rows, ds->n,
			(unsigned long long)filled);
	free(seen), free(list), free(image), free(own);
}

static uint32_t largest(const uint32_t *v, uint32_t n)
{
	uint32_t most = 0;
	for (uint32_t i = 0; i < n; i++)
		most = v[i] > most ? v[i] : most;
	return most;
}

/* Rows with a prediction of at least a point, behind ds's own. */
static void add_rows(const struct teacher *t, struct dataset *ds, const struct predictions *p)
{
	size_t k = (size_t)ds->k, n = (size_t)ds->n + p->n;
	if (n > UINT32_MAX / 2)
		die("%s: %zu rows are too many", p->t->name, n);
	uint32_t id = largest(ds->id, ds->n), group = largest(ds->group, ds->n);
	uint64_t before = image_store_rows(ds->images);
	ds->images = image_store_append(ds->images, p->table, p->image);
	ds->row = xrealloc(ds->row, (n + 1) * sizeof *ds->row), ds->value = xrealloc(ds->value, (n * k + 1) * sizeof *ds->value);
	ds->weight = xrealloc(ds->weight, (n * k / 2 + 1) * sizeof *ds->weight);
	ds->own = xrealloc(ds->own, n * k / 2 + 1);
	if (ds->from)
		ds->from = xrealloc(ds->from, n * sizeof *ds->from);
	ds->id = xrealloc(ds->id, n * sizeof *ds->id), ds->group = xrealloc(ds->group, n * sizeof *ds->group);
	uint32_t had = ds->n;
	for (uint32_t row = 0; row < p->n; row++) {
		size_t known = 0;
		for (size_t q = 0; q < k / 2; q++) {
			const float *xy = point(p, row, (int)q);
			int half = isnan(xy[0]) || isnan(xy[1]);
			float *label = ds->value + ds->n * k + 2 * q;
			label[0] = half ? NAN : xy[0], label[1] = half ? NAN : xy[1], known += !half;
			ds->weight[ds->n * k / 2 + q] = (float)t->share, ds->own[ds->n * k / 2 + q] = 0;
		}
		if (!known)
			continue;
		ds->row[ds->n] = (uint32_t)(before + row);
		ds->id[ds->n] = ++id, ds->group[ds->n] = ++group;
		if (ds->from)
			ds->from[ds->n] = SOURCES_NONE;
		ds->n++;
	}
	if (ds->n == had)
		die("%s: none of its %u rows has a prediction", p->t->name, p->n);
	if (!t->quiet)
		warn("%s: %u rows without labels are added", p->t->name, ds->n - had);
}

void teacher_apply(struct teacher *t, struct dataset *ds)
{
	size_t points = (size_t)ds->n * (size_t)ds->k / 2;
	if (!t->predictions && !t->pseudo)
		return;
	if (ds->scattered)
		die_usage("--teacher and --pseudo need the data in a file where ranks share it, not a pipe");
	ds->weight = xcalloc(points + 1, sizeof *ds->weight);
	ds->own = xmalloc(points + 1), memset(ds->own, 1, points);
	for (size_t i = 0; i < points; i++)
		ds->weight[i] = 1;
	for (int k = 0; k < 2; k++) {
		const char *path = k ? t->pseudo : t->predictions;
		struct predictions p;
		if (!path)
			continue;
		open_predictions(&p, path, ds, !k);
		if (k)
			add_rows(t, ds, &p);
		else
			mix_labels(t, ds, &p);
		ds->taught[k] = p.t->fingerprint;
		t->table[k] = p.table;
		free(p.order);
		if (!tns_in_file(p.table, p.image))
			tns_release_rows(p.table);
	}
}

int teacher_inputs(const struct teacher *t, const struct tns **in, int n)
{
	for (int k = 0; k < 2; k++)
		if (t->table[k])
			in[n++] = tns_table_head(t->table[k]);
	return n;
}

void teacher_free(struct teacher *t)
{
	for (int k = 0; k < 2; k++)
		if (t->table[k])
			tns_unload(t->table[k]);
}
