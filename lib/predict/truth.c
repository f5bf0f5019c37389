/* Rows of the truth looked up by id. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/predict/truth.h"
#include "lib/stream/names.h"

void truth_ids(struct lookup *l, const struct tns_table *t, int id)
{
	const struct tns *head = tns_table_head(t);
	size_t n = head->def[id].rows;
	uint64_t *keys = xcalloc(n, sizeof *keys);
	for (size_t i = 0; i < n; i++)
		keys[i] = *(const uint32_t *)tns_row(t, id, i);
	lookup_make(l, keys, n);
	size_t twice = lookup_duplicate(l);
	if (twice < n)
		die("%s: id %" PRIu64 " stands in two rows", head->name, l->by[twice].key);
	free(keys);
}

int truth_crop_tensor(const struct tns *t)
{
	int id = tns_find(t, "crop");
	return id >= 0 && t->def[id].dtype == TNS_F32 && t->def[id].ndim == 2 && t->def[id].dim[1] == 6 ? id : -1;
}

void truth_same_size(const struct tns *a, const struct tns *b)
{
	int i = tns_find(a, "image"), k = tns_find(b, "image");
	const struct tns_def *p = i < 0 ? NULL : &a->def[i], *q = k < 0 ? NULL : &b->def[k];
	if (p && q && p->ndim == 3 && q->ndim == 3 && (p->dim[1] != q->dim[1] || p->dim[2] != q->dim[2]))
		die("%s: images are %" PRIu64 "x%" PRIu64 ", those of %s %" PRIu64 "x%" PRIu64 ": points are pixels of them", b->name,
			q->dim[2], q->dim[1], a->name, p->dim[2], p->dim[1]);
}

void truth_same_crop(const struct tns *a, const float *crop_a, uint64_t row_a, const struct tns *b, const float *crop_b, uint64_t row_b)
{
	for (int i = 0; i < 6 && crop_a && crop_b; i++)
		/* false for NaN, which is not known; true for one infinite number, of an image that was mirrored or bent */
		if (isinf(crop_a[i]) != isinf(crop_b[i]) || fabsf(crop_a[i] - crop_b[i]) > 1e-3f * (1 + fabsf(crop_a[i])))
			die("%s: row %" PRIu64 " is cut otherwise from its photograph than row %" PRIu64
			    " of %s, which has its id: their pixels are not the same",
				b->name, row_b + 1, row_a + 1, a->name);
}

void truth_open(struct truth *f, const char *path, const char *tensor, int dtype, int ndim)
{
	f->table = tns_load(path);
	f->head = tns_table_head(f->table);
	f->col = dataset_stream_require(f->head, tensor, dtype, ndim);
	int id = dataset_stream_require(f->head, "id", TNS_U32, 1);
	if (f->head->def[f->col].rows != f->head->def[id].rows)
		die("%s: tensors id and %s have different numbers of rows", f->head->name, tensor);
	truth_ids(&f->by_id, f->table, id);
	f->used = xcalloc(f->by_id.n, 1);
}

const void *truth_row(struct truth *f, const struct dataset_stream *d, int id, uint64_t i)
{
	uint32_t key = *(const uint32_t *)dataset_stream_at(d, id, i);
	size_t at = lookup_first(&f->by_id, key);
	if (at == f->by_id.n)
		die("%s: row %" PRIu64 ": id %" PRIu32 " is not in %s", d->in->name, d->row + i + 1, key, f->head->name);
	if (f->used[at]++)
		die("%s: row %" PRIu64 ": id %" PRIu32 " comes a second time", d->in->name, d->row + i + 1, key);
	f->row = f->by_id.by[at].row;
	return tns_row(f->table, f->col, f->row);
}

int *truth_classes(const struct truth *f, const struct tns *in, int *n)
{
	const char *own = tns_meta_value(in, "classes"), *theirs = tns_meta_value(f->head, "classes");
	int k;
	if (!own || !theirs)
		return NULL;
	char **from = names_split(own, &k), **to = names_split(theirs, n);
	int *class = NULL;
	if (*n > k || !(names_are_numbers(from) || names_are_numbers(to)))
		class = xcalloc((size_t)*n + 1, sizeof *class);
	for (int i = 0; i < *n && class; i++)
		if ((class[i] = names_index(from, to[i])) < 0)
			die("%s: its classes are not those of %s: %s, not %s", f->head->name, in->name, theirs, own);
	names_free(from), names_free(to);
	return class;
}

void truth_close(struct truth *f, const struct dataset_stream *d)
{
	for (size_t i = 0; i < f->by_id.n; i++)
		if (!f->used[i])
			die("%s: no row for id %" PRIu64 " of %s", d->in->name, f->by_id.by[i].key, f->head->name);
	lookup_free(&f->by_id);
	free(f->used);
	tns_unload(f->table);
}

int truth_points_tensor(const struct tns *t, const char *name, int k)
{
	int id = dataset_stream_require(t, name, TNS_F32, 3);
	const struct tns_def *d = &t->def[id];
	uint64_t want = k ? (uint64_t)k : d->dim[1];
	if (d->dim[1] != want || d->dim[2] != 2)
		die("%s: tensor %s is (rows, %" PRIu64 ", %" PRIu64 "), not (rows, %" PRIu64 ", 2)", t->name, name, d->dim[1], d->dim[2],
			want);
	return id;
}

void truth_points_open(struct truth_points *t, const char *path, const struct tns *in, char **names, int k)
{
	*t = (struct truth_points){.own = -1, .id = -1, .k = k};
	t->at = xcalloc((size_t)k + 1, sizeof *t->at), t->xy = xcalloc((size_t)k * 2 + 1, sizeof *t->xy);
	if (!path) {
		t->own = truth_points_tensor(in, "keypoints", k);
		return;
	}
	truth_open(&t->f, path, "keypoints", TNS_F32, 3);
	int n = (int)t->f.head->def[truth_points_tensor(t->f.head, "keypoints", 0)].dim[1];
	char **theirs = names_points(t->f.head, n);
	t->id = dataset_stream_require(in, "id", TNS_U32, 1);
	t->crop[0] = truth_crop_tensor(in), t->crop[1] = truth_crop_tensor(t->f.head);
	truth_same_size(t->f.head, in);
	for (int i = 0; i < k; i++) {
		t->at[i] = names_index(theirs, names[i]);
		if (t->at[i] < 0)
			warn("%s: point %s is not in %s, so it is not measured", in->name, names[i], t->f.head->name);
	}
	names_free(theirs);
}

const float *truth_points_row(struct truth_points *t, const struct dataset_stream *d, uint64_t i)
{
	if (t->own >= 0)
		return dataset_stream_at(d, t->own, i);
	const float *xy = truth_row(&t->f, d, t->id, i);
	if (t->crop[0] >= 0 && t->crop[1] >= 0)
		truth_same_crop(t->f.head, tns_row(t->f.table, t->crop[1], t->f.row), t->f.row, d->in, dataset_stream_at(d, t->crop[0], i),
			d->row + i);
	for (int k = 0; k < 2 * t->k; k++)
		t->xy[k] = t->at[k / 2] < 0 ? NAN : xy[2 * t->at[k / 2] + k % 2];
	return t->xy;
}

void truth_points_close(struct truth_points *t, const struct dataset_stream *d)
{
	if (t->own < 0)
		truth_close(&t->f, d);
	free(t->at), free(t->xy);
}
