/* Loading a data set from a tensor stream, and splitting it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/stream/dataset_stream.h"
#include "lib/labels/groups.h"
#include "lib/labels/pairs.h"
#include "lib/stream/names.h"
#include "lib/train/dataset.h"
#include "lib/train/dataset_share.h"

static void load_labels(struct dataset *ds, const struct tns_table *b, int id)
{
	const struct tns *t = tns_table_head(b);
	int n = 0, max_label = 1;
	const char *classes = tns_meta_value(t, "classes");
	for (uint32_t i = 0; i < ds->n; i++) {
		int v = *(const uint8_t *)tns_row(b, id, i);
		ds->value[i] = (float)v;
		max_label = v > max_label ? v : max_label;
	}
	if (classes)
		ds->names = xstrdup(classes);
	else { /* no names: the numbers 0, 1, ... */
		ds->names = xstrdup("0");
		for (int k = 1; k <= max_label; k++) {
			char *old = ds->names;
			ds->names = xprintf("%s,%d", old, k);
			free(old);
		}
	}
	names_free(names_split(ds->names, &n));
	for (uint32_t i = 0; i < ds->n; i++)
		if (ds->value[i] >= (float)n || n < 2)
			die("%s: row %u: label %g, but there are %d classes", t->name, i + 1, (double)ds->value[i], n);
	ds->values = n == 2 ? 1 : n;
}

static void copy_row(struct dataset *to, uint32_t k, const struct dataset *from, uint32_t i)
{
	to->row[k] = from->row[i];
	memmove(to->value + (size_t)k * (size_t)to->k, from->value + (size_t)i * (size_t)from->k, (size_t)to->k * sizeof(float));
	to->group[k] = from->group[i], to->id[k] = from->id[i];
	if (to->from)
		to->from[k] = from->from[i];
}

/* Of half a label, x without y, a turned or scaled image leaves nothing: it is none. */
static void blank_halves(struct dataset *ds)
{
	size_t halves = 0;
	for (size_t i = 0; i < (size_t)ds->n * (size_t)ds->k; i += 2)
		if (isnan(ds->value[i]) != isnan(ds->value[i + 1])) {
			ds->value[i] = ds->value[i + 1] = NAN;
			halves++;
		}
	if (halves)
		warn("%s: %zu labels have only x or only y, and count as none", ds->head->name, halves);
}

static int any_label(const float *v, int k)
{
	for (int i = 0; i < k; i++)
		if (!isnan(v[i]))
			return 1;
	return 0;
}

struct grouped {
	uint64_t value;
	uint32_t row;
};

static int by_value(const void *a, const void *b)
{
	const struct grouped *x = a, *y = b;
	return x->value != y->value ? (x->value > y->value) - (x->value < y->value) : (x->row > y->row) - (x->row < y->row);
}

/* By tensor source: a number, or a text (of an import, the photograph), whose rows have the first one's number; -1, or other tensors: none.
 */
static void number_groups(struct dataset *ds, const struct tns_table *b, int source)
{
	const struct tns_def *d = source >= 0 ? &tns_table_head(b)->def[source] : NULL;
	int known = d && d->rows == ds->n, number = known && d->dtype == TNS_U32 && d->row_bytes == 4,
	    text = known && d->dtype == TNS_U8 && d->ndim == 2;
	struct grouped *list = text ? xcalloc(ds->n, sizeof *list) : NULL;
	for (uint32_t i = 0; i < ds->n; i++) {
		ds->group[i] = number ? *(const uint32_t *)tns_row(b, source, i) : i;
		if (text)
			list[i] = (struct grouped){groups_value(d, tns_row(b, source, i)), i};
	}
	if (text)
		qsort(list, ds->n, sizeof *list, by_value);
	for (uint32_t i = 1; text && i < ds->n; i++)
		if (list[i].value == list[i - 1].value)
			ds->group[list[i].row] = ds->group[list[i - 1].row];
	free(list);
}

/* held_out: its sources will be those of another data set. most: bytes of a file whose images are kept in memory. */
static struct dataset *load_file(const char *path, enum target target, const char *by, int held_out, double most)
{
	struct dataset *ds = xcalloc(1, sizeof *ds);
	struct tns_table *b = ds->table = tns_load_within(path, most);
	const struct tns *t = tns_table_head(b);
	dataset_stream_no_model(t);
	int image = dataset_stream_require(t, "image", TNS_U8, 3), id = -1, source = tns_find(t, "source"), number = tns_find(t, "id");
	if (t->def[image].rows > UINT32_MAX / 2)
		die("%s: %llu rows are too many", t->name, (unsigned long long)t->def[image].rows);
	ds->head = (struct tns *)t;
	ds->n = (uint32_t)t->def[image].rows;
	ds->H = (int)t->def[image].dim[1], ds->W = (int)t->def[image].dim[2];
	if (!ds->n)
		die("%s: there are no rows", t->name);
	if (target == TARGET_LABEL)
		id = dataset_stream_require(t, "label", TNS_U8, 1), ds->k = 1;
	if (model_has_points(target)) {
		id = dataset_stream_require(t, "keypoints", TNS_F32, 3), ds->k = 2 * (int)t->def[id].dim[1];
		if (t->def[id].dim[2] != 2)
			die("%s: keypoints has %llu values a point, not 2", t->name, (unsigned long long)t->def[id].dim[2]);
	}
	if (id >= 0 && t->def[id].rows != ds->n)
		die("%s: image has %u rows, %s has %llu", t->name, ds->n, t->def[id].name, (unsigned long long)t->def[id].rows);
	ds->images = image_store_new(b, image);
	ds->row = xcalloc(ds->n, sizeof *ds->row);
	for (uint32_t i = 0; i < ds->n; i++)
		ds->row[i] = i;
	ds->value = xcalloc((size_t)ds->n * (size_t)ds->k + 1, sizeof *ds->value);
	ds->group = xcalloc(ds->n, sizeof *ds->group);
	ds->id = xcalloc(ds->n, sizeof *ds->id);
	number_groups(ds, b, source);
	int numbered = number >= 0 && t->def[number].dtype == TNS_U32 && t->def[number].row_bytes == 4 && t->def[number].rows == ds->n;
	for (uint32_t i = 0; i < ds->n; i++)
		ds->id[i] = numbered ? *(const uint32_t *)tns_row(b, number, i) : i + 1;
	if (target == TARGET_LABEL) {
		load_labels(ds, b, id);
	} else if (model_has_points(target)) {
		uint32_t kept = 0;
		ds->names = xstrdup(tns_meta_value(t, "points") ? tns_meta_value(t, "points") : "");
		char **names = names_points(t, ds->k / 2);
		ds->values = ds->k;
		tns_copy(b, id, ds->value);
		for (size_t i = 0; i < (size_t)ds->n * (size_t)ds->k; i++)
			if (isinf(ds->value[i])) /* else the loss would not be finite, and the learning rate reported as the cause */
				die("%s: row %zu: keypoints holds %g", t->name, i / (size_t)ds->k + 1, (double)ds->value[i]);
		blank_halves(ds);
		ds->source.by = by;
		if (by)
			ds->from = source_rows_read(&ds->source, b, ds->n);
		for (uint32_t i = 0; i < ds->n; i++)
			if (any_label(ds->value + (size_t)i * (size_t)ds->k, ds->k))
				copy_row(ds, kept++, ds, i);
		uint32_t without = ds->n - kept;
		ds->n = kept;
		if (!kept)
			die("%s: no row has a label", t->name);
		if (without)
			warn("%s: %u rows without any label are left out%s", t->name, without,
				held_out ? "" : " (--pseudo takes such rows with predictions)");
		if (by && !held_out)
			ds->from = source_rows_end(&ds->source, ds->from, ds->value, ds->n, ds->k / 2, t->name);
		const char *pairs = tns_meta_value(t, "pairs");
		int *partner = pairs ? names_partners(names, pairs) : pairs_complete(ds->k / 2, ds->value, ds->n, ds->W, ds->H, names);
		ds->pairs = names_pairs_text(names, partner);
		free(partner), names_free(names);
	} else {
		ds->names = xstrdup("");
		ds->values = ds->W * ds->H;
	}
	if (image_store_in_memory(ds->images))
		tns_release_rows(b);
	return ds;
}

/* The same of ranks: from a pipe, which only rank 0 has, or each from the file. */
static struct dataset *load(struct ranks *r, const char *path, enum target target, const char *by, int held_out)
{
	struct stat st;
	int pipe = !path || !strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode));
	if (ranks_size(r) == 1)
		return load_file(path, target, by, held_out, image_store_most());
	ranks_broadcast(r, &pipe, sizeof pipe);
	if (pipe)
		return dataset_share(r, r->rank ? NULL : load_file(path, target, by, held_out, image_store_most()), by);
	struct dataset *ds = load_file(path, target, by, held_out, 0);
	ds->ranks = r;
	return ds;
}

struct dataset *dataset_load(const char *path, enum target target)
{
	return load(NULL, path, target, NULL, 0);
}

struct dataset *dataset_load_by(struct ranks *r, const char *path, enum target target, const char *by)
{
	return load(r, path, target, by, 0);
}

struct dataset *dataset_load_patches(struct ranks *r, const char *path, const char *which)
{
	int positive = !strcmp(which, "positive");
	struct dataset *ds = load(r, path, positive ? TARGET_LABEL : TARGET_IMAGE, NULL, 0);
	uint32_t kept = 0;
	for (uint32_t i = 0; positive && i < ds->n; i++)
		if (ds->value[(size_t)i * (size_t)ds->k] > 0)
			copy_row(ds, kept++, ds, i);
	if (positive && !kept)
		die("%s: no label is positive", ds->head->name);
	ds->n = positive ? kept : ds->n;
	return ds;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

uint32_t dataset_groups(const struct dataset *ds)
{
	uint32_t *sorted = xcalloc(ds->n + 1, sizeof *sorted), n = 0;
	memcpy(sorted, ds->group, ds->n * sizeof *sorted);
	qsort(sorted, ds->n, sizeof *sorted, by_number);
	for (uint32_t i = 0; i < ds->n; i++)
		n += !i || sorted[i] != sorted[i - 1];
	free(sorted);
	return n;
}

static int drawn(const struct dataset *ds, uint32_t i, double share, uint64_t seed)
{
	return philox_uniform(philox(seed, PHILOX_SPLIT, 0, ds->group[i], 0).v[0]) < share;
}

struct dataset *dataset_part(const struct dataset *ds, double share, uint64_t seed, int part)
{
	struct dataset *p = xcalloc(1, sizeof *p);
	*p = *ds;
	p->n = 0, p->head = NULL, p->table = NULL, p->owns_head = 0;
	p->from = NULL, p->source = source_rows_copy(&ds->source);
	p->names = xstrdup(ds->names), p->pairs = ds->pairs ? xstrdup(ds->pairs) : NULL;
	for (uint32_t i = 0; i < ds->n; i++)
		p->n += drawn(ds, i, share, seed) == part;
	p->images = image_store_share(ds->images), p->row = xcalloc(p->n, sizeof *p->row);
	p->value = xcalloc((size_t)p->n * (size_t)ds->k + 1, sizeof *p->value);
	p->group = xcalloc(p->n, sizeof *p->group), p->id = xcalloc(p->n, sizeof *p->id);
	if (ds->from)
		p->from = xcalloc(p->n + 1, sizeof *p->from);
	p->n = 0;
	for (uint32_t i = 0; i < ds->n; i++)
		if (drawn(ds, i, share, seed) == part)
			copy_row(p, p->n++, ds, i);
	return p;
}

void dataset_about(const struct dataset *ds, struct model *m)
{
	const char *crop = tns_meta_value(ds->head, "crop");
	m->pairs = ds->pairs ? xstrdup(ds->pairs) : NULL;
	m->crop = crop ? xstrdup(crop) : NULL;
}

/* ds's names; classes without names may lack the highest of like's, to. */
static char **match_numbers(struct dataset *ds, const struct dataset *like, char **to)
{
	int n, most;
	char **from = names_split(ds->names, &n);
	names_free(names_split(like->names, &most));
	if (ds->k != 1 || n >= most || !names_are_numbers(from) || !names_are_numbers(to))
		return from;
	names_free(from), free(ds->names);
	ds->names = xstrdup(like->names), ds->values = like->values;
	return names_split(ds->names, &n);
}

void dataset_match(struct dataset *ds, const struct dataset *like)
{
	int n;
	char **to = names_split(like->names, &n), **from = match_numbers(ds, like, to);
	int *order = names_order(from, to);
	if (ds->W != like->W || ds->H != like->H || !order)
		die("%s: %dx%d images of %s are not like those of %s: %dx%d of %s", ds->head->name, ds->W, ds->H, ds->names,
			like->head->name, like->W, like->H, like->names);
	float *row = xcalloc((size_t)ds->k, sizeof *row);
	for (uint32_t i = 0; i < ds->n; i++) {
		float *v = ds->value + (size_t)i * (size_t)ds->k;
		memcpy(row, v, (size_t)ds->k * sizeof *row);
		for (int p = 0; p < n && ds->k > 1; p++)
			v[2 * p] = row[2 * order[p]], v[2 * p + 1] = row[2 * order[p] + 1];
		if (ds->k == 1)
			v[0] = (float)names_index(to, from[(int)row[0]]);
	}
	free(ds->names);
	ds->names = xstrdup(like->names);
	if (like->source.by)
		ds->from = source_rows_match(&ds->source, &like->source, ds->from, ds->value, ds->n, ds->k / 2);
	free(row), free(order), names_free(from), names_free(to);
}

void dataset_hold_out(struct dataset *all, const char *valid_path, double share, uint64_t seed, enum target target, struct dataset **train,
	struct dataset **valid)
{
	*train = all, *valid = NULL;
	if (valid_path) {
		*valid = load(all->ranks, valid_path, target, all->source.by, 1);
		dataset_match(*valid, all);
	} else if (share > 0) {
		*train = dataset_part(all, share, seed, 0), *valid = dataset_part(all, share, seed, 1);
		(*train)->head = all->head;
		if (!(*train)->n || !(*valid)->n) {
			uint32_t groups = dataset_groups(all);
			char *of = groups < all->n ? xprintf(" of %u groups (tensor source)", groups) : xstrdup("");
			die("%s: %u rows%s can't be parted by --valid-part %g", all->head->name, all->n, of, share);
		}
		dataset_release_rows(all);
	}
}

const uint8_t *dataset_image(const struct dataset *ds, uint32_t i, uint8_t *buffer)
{
	return image_store_row(ds->images, ds->row ? ds->row[i] : i, buffer);
}

void dataset_will_read(const struct dataset *ds, uint32_t i)
{
	image_store_will_read(ds->images, ds->row ? ds->row[i] : i);
}

uint64_t *dataset_hashes(const struct dataset *ds)
{
	size_t bytes = (size_t)ds->W * (size_t)ds->H;
	uint64_t *hash = xcalloc(ds->n, sizeof *hash);
	uint8_t *read = xmalloc(bytes);
	for (uint32_t i = 0; i < ds->n; i++)
		hash[i] = trained_hash(dataset_image(ds, i, read), bytes);
	free(read);
	return hash;
}

void dataset_count_pixels(const struct dataset *ds, uint64_t count[256])
{
	size_t pixels = (size_t)ds->W * (size_t)ds->H;
	uint8_t *read = xmalloc(pixels);
	memset(count, 0, 256 * sizeof *count);
	for (uint32_t i = 0; !ranks_rank(ds->ranks) && i < ds->n; i++) {
		const uint8_t *image = dataset_image(ds, i, read);
		for (size_t k = 0; k < pixels; k++)
			count[image[k]]++;
	}
	ranks_broadcast(ds->ranks, count, 256 * sizeof *count);
	free(read);
}

uint8_t *dataset_take_images(struct dataset *ds)
{
	uint8_t *images = image_store_array(ds->images, ds->row, ds->n);
	ds->images = NULL;
	return images;
}

void dataset_release_rows(struct dataset *ds)
{
	image_store_free(ds->images);
	free(ds->row), free(ds->value), free(ds->group), free(ds->id), free(ds->weight), free(ds->own), free(ds->from);
	ds->from = NULL, ds->weight = NULL, ds->own = NULL, ds->images = NULL, ds->row = NULL, ds->value = NULL, ds->group = NULL,
	ds->id = NULL;
}

void dataset_free(struct dataset *ds)
{
	if (!ds)
		return;
	dataset_release_rows(ds);
	free(ds->names), free(ds->pairs), source_rows_free(&ds->source);
	if (ds->table)
		tns_unload(ds->table);
	else if (ds->owns_head)
		free(ds->head); /* for the program's life: its METAs */
	free(ds);
}
