/* Files matched, their errors summed by groups of rows. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/labels/groups.h"
#include "lib/predict/compare.h"
#include "lib/predict/truth.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/names.h"

/* ---- files ---- */

static void load(struct compare_file *f, const char *path, int is_truth, int labels)
{
	f->table = tns_load(path);
	const struct tns *t = f->head = tns_table_head(f->table);
	f->name = t->name;
	if (!is_truth && tns_find(t, "predicted") < 0)
		die("%s: there is no tensor predicted: several files are several models' points (a truth of its own goes with --truth)",
			f->name);
	f->points = truth_points_tensor(t, is_truth ? "keypoints" : "predicted", 0);
	f->k = (int)t->def[f->points].dim[1];
	f->labels = is_truth ? f->points : labels ? truth_points_tensor(t, "keypoints", f->k) : -1;
	f->id = dataset_stream_require(t, "id", TNS_U32, 1);
	f->crop = truth_crop_tensor(t);
	f->names = names_points(t, f->k);
	size_t n = t->def[f->id].rows;
	for (int i = 0; i < t->ntensors; i++)
		if (t->def[i].rows != n)
			die("%s: tensors id and %s have different numbers of rows", f->name, t->def[i].name);
	truth_ids(&f->by_id, f->table, f->id);
}

/* ---- points ---- */

/* Appends a name to the comma-joined list of those that are left out, unless it is there. */
static void leave_out(struct compare *c, const char *name)
{
	int n, there = 0;
	char **names = c->left_out ? names_split(c->left_out, &n) : NULL;
	for (int i = 0; names && names[i]; i++)
		there |= !strcmp(names[i], name);
	names_free(names);
	if (!there)
		c->left_out = names_append(c->left_out, name);
}

/* Sets names, left_out, and each file's at. */
static void match_points(struct compare *c)
{
	int k = 0;
	char **unlearned = xcalloc((size_t)c->files, sizeof *unlearned);
	for (int f = 0; f < c->files; f++) {
		unlearned[f] = names_marks(c->file[f].head, f < c->n ? "unlearned" : "", c->file[f].k);
		c->file[f].at = xcalloc((size_t)c->file[0].k + 1, sizeof *c->file[f].at);
	}
	c->names = xcalloc((size_t)c->file[0].k + 1, sizeof *c->names);
	for (int f = 0; f < c->files; f++)
		for (int i = 0; i < c->file[f].k; i++) {
			const char *name = c->file[f].names[i];
			int in_all = 1;
			for (int g = 0; g < c->files; g++) {
				int at = names_index(c->file[g].names, name);
				in_all &= at >= 0 && !unlearned[g][at];
				if (!f)
					c->file[g].at[k] = at;
			}
			if (!in_all)
				leave_out(c, name);
			else if (!f)
				c->names[k++] = xstrdup(name);
		}
	if (!k)
		die("no point is in all files and learned by all models, so nothing can be compared");
	for (int f = 0; f < c->files; f++)
		free(unlearned[f]);
	free(unlearned);
}

/* ---- rows ---- */

/* The rows of ids that are in all files, in the first one's order: (rows, files). Sets rows, and each file's left_out. */
static size_t *match_rows(struct compare *c)
{
	const struct compare_file *first = &c->file[0];
	size_t n = first->by_id.n, *row = xcalloc(n * (size_t)c->files + 1, sizeof *row);
	for (size_t i = 0; i < n; i++) {
		uint64_t id = *(const uint32_t *)tns_row(first->table, first->id, i);
		size_t *to = row + c->rows * (size_t)c->files;
		int in_all = 1;
		for (int f = 0; in_all && f < c->files; f++) {
			const struct lookup *l = &c->file[f].by_id;
			size_t at = lookup_first(l, id);
			in_all = at < l->n;
			to[f] = in_all ? l->by[at].row : 0;
		}
		c->rows += (uint64_t)in_all;
	}
	for (int f = 0; f < c->files; f++)
		c->file[f].left_out = c->file[f].by_id.n - c->rows;
	if (!c->rows)
		die("no id is in all files, so nothing can be compared");
	return row;
}

/* The tensor that names groups by itself: group, or the one by which the data set was last parted; NULL: none. */
static char *own_groups(const struct tns *t)
{
	const char *split = tns_meta_value(t, "split"), *last = split ? strrchr(split, ',') : NULL;
	last = last ? last + 1 : split;
	if (tns_find(t, "group") >= 0)
		return xstrdup("group");
	return last && !strncmp(last, "tensor ", 7) && strcmp(last, "tensor id") && tns_find(t, last + 7) >= 0 ? xstrdup(last + 7) : NULL;
}

/* The number of each row's group, from 0, by the first file; sets groups and grouped. */
static uint32_t *match_groups(struct compare *c, const size_t *row, const struct compare_options *o)
{
	const struct compare_file *f = &c->file[0];
	uint64_t *key = xcalloc(c->rows, sizeof *key);
	uint32_t *group = xcalloc(c->rows, sizeof *group);
	char *by = o->by ? xstrdup(o->by) : o->groups ? NULL : own_groups(f->head);
	int col = by ? groups_tensor(f->head, by) : f->id;
	struct groups *list = o->groups ? groups_read(o->groups) : NULL;
	for (size_t i = 0; i < c->rows; i++) {
		const void *p = tns_row(f->table, col, row[i * (size_t)c->files]);
		key[i] = list ? groups_of(list, *(const uint32_t *)p, f->name) : groups_value(&f->head->def[col], p);
	}
	struct lookup l;
	lookup_make(&l, key, c->rows);
	for (size_t i = 0; i < l.n; i++) {
		c->groups += !i || l.by[i].key != l.by[i - 1].key;
		group[l.by[i].row] = c->groups - 1;
	}
	c->grouped = by ? xprintf("tensor %s", by) : xstrdup(list ? o->groups : "ids");
	lookup_free(&l), groups_free(list);
	free(key), free(by);
	return group;
}

/* ---- errors ---- */

/* Copies the points of a file's row that are in all files. */
static void pick(float *to, const struct compare *c, int f, int tensor, size_t row)
{
	const struct compare_file *file = &c->file[f];
	const float *p = tns_row(file->table, tensor, row);
	for (int j = 0; c->names[j]; j++)
		to[2 * j] = p[2 * file->at[j]], to[2 * j + 1] = p[2 * file->at[j] + 1];
}

static int same(float a, float b)
{
	return a == b || (isnan(a) && isnan(b));
}

static const float *crop_of(const struct compare_file *f, size_t row)
{
	return f->crop < 0 ? NULL : tns_row(f->table, f->crop, row);
}

/* The labels of row i, from the truth or the first file; the other files' must be equal. */
static void labels(float *to, float *other, const struct compare *c, const size_t *row)
{
	int from = c->files > c->n ? c->n : 0;
	for (int f = 1; f < c->files; f++)
		truth_same_crop(
			c->file[0].head, crop_of(&c->file[0], row[0]), row[0], c->file[f].head, crop_of(&c->file[f], row[f]), row[f]);
	pick(to, c, from, c->file[from].labels, row[from]);
	for (int f = 1; f < c->n && !from; f++) {
		pick(other, c, f, c->file[f].labels, row[f]);
		for (int j = 0; c->names[j]; j++)
			if (!same(to[2 * j], other[2 * j]) || !same(to[2 * j + 1], other[2 * j + 1]))
				die("%s: row %zu: %s is labelled %g,%g, but %g,%g in %s, where the id is the same: --truth says which is "
				    "meant",
					c->file[f].name, row[f] + 1, c->names[j], (double)other[2 * j], (double)other[2 * j + 1],
					(double)to[2 * j], (double)to[2 * j + 1], c->file[0].name);
	}
}

static const char *const measures[] = {
	"rmse_px", "mean_px", "rmse_px_point", "within_1px", "within_2px", "within_3px", "within_5px", "normalised_error"};
static const char root[COMPARE_MEASURES] = {[0] = 1, [2] = 1};

const char *compare_measure(int i)
{
	return measures[i];
}

/* Adds what s counted to a group's numerators and, where den is not NULL, denominators, in the order of measures. */
static void add_row(double *num, double *den, const struct score_points *s)
{
	struct score_sum all = score_points_all(s);
	double points = (double)all.points,
	       of[COMPARE_MEASURES] = {(double)all.coords, points, points, points, points, points, points, (double)s->norm_points},
	       is[COMPARE_MEASURES] = {all.square, all.distance, all.distance2, (double)all.within[0], (double)all.within[1],
		       (double)all.within[2], (double)all.within[3], s->norm};
	for (int k = 0; k < COMPARE_MEASURES; k++) {
		num[k] += is[k];
		if (den)
			den[k] += of[k];
	}
}

/* Adds what n files (n, k, 2) make of a row whose truth is known. */
static void add_shared(struct compare_shared *to, const float *truth, const float *predicted, int k, int n)
{
	for (int j = 0; j < 2 * k; j++) {
		double sum = 0, square = 0;
		if (isnan(truth[j]))
			continue;
		for (int f = 0; f < n; f++) {
			double e = (double)predicted[f * 2 * k + j] - (double)truth[j];
			sum += e, square += e * e;
		}
		to[j / 2].coords++, to[j / 2].square += square / n, to[j / 2].product += (sum * sum - square) / ((double)n * (n - 1));
	}
}

static void measure(struct compare *c, const size_t *row, const uint32_t *group)
{
	int k = 0;
	while (c->names[k])
		k++;
	size_t M = COMPARE_MEASURES, n = (size_t)c->n;
	double *num = xcalloc(c->groups * n * M, sizeof *num), *den = xcalloc(c->groups * M, sizeof *den);
	float *truth = xcalloc((size_t)k * 2 * (1 + n), sizeof *truth);
	c->shared = xcalloc((size_t)k, sizeof *c->shared);
	struct score_points s;
	score_points_begin(&s, c->names, k);
	for (size_t i = 0; i < c->rows; i++, row += c->files) {
		labels(truth, truth + 2 * k, c, row);
		for (int f = 0; f < c->n; f++) {
			struct compare_file *file = &c->file[f];
			float *predicted = truth + 2 * k * (1 + f);
			pick(predicted, c, f, file->points, row[f]);
			score_points_clear(&s);
			int bad = score_points_add(&s, truth, predicted);
			if (bad >= 0)
				score_die(file->name, c->files > c->n ? c->file[c->n].name : NULL, row[f] + 1, c->names, bad, truth,
					predicted);
			add_row(num + (group[i] * n + (size_t)f) * M, f ? NULL : den + group[i] * M, &s);
			score_about_add(&file->about,
				file->about.trained_col >= 0 ? tns_row(file->table, file->about.trained_col, row[f]) : NULL, NULL);
		}
		add_shared(c->shared, truth, truth + 2 * k, k, c->n);
		struct score_sum all = score_points_all(&s);
		c->coords += all.coords, c->points += all.points;
	}
	if (!c->coords)
		die("no coordinate is labelled, so nothing can be compared");
	struct bootstrap b = {c->groups, c->n, COMPARE_MEASURES, num, den, root};
	c->result = xcalloc(n * M, sizeof *c->result);
	bootstrap(&b, BOOTSTRAP_RESAMPLES, c->seed, c->result);
	score_points_end(&s);
	free(num), free(den), free(truth);
}

/* Only where there is something left to compare: an error is one line. */
static void tell_left_out(const struct compare *c)
{
	if (c->left_out)
		warn("points that are not in all files, or not learned by all models, are left out: %s", c->left_out);
	for (int f = 0; f < c->files; f++)
		if (c->file[f].left_out)
			warn("%s: %" PRIu64 " of %zu rows are not in all files, and left out", c->file[f].name, c->file[f].left_out,
				c->file[f].by_id.n);
}

struct compare *compare_load(char **path, int n, const struct compare_options *o, int quiet)
{
	struct compare *c = xcalloc(1, sizeof *c);
	c->n = n, c->files = n + !!o->truth, c->seed = o->seed;
	c->file = xcalloc((size_t)c->files, sizeof *c->file);
	for (int f = 0; f < c->files; f++)
		load(&c->file[f], f < n ? path[f] : o->truth, f == n, !o->truth), truth_same_size(c->file[0].head, c->file[f].head);
	match_points(c);
	for (int f = 0; f < n; f++)
		score_about_begin(&c->file[f].about, c->file[f].head, NULL, 0, NULL);
	size_t *row = match_rows(c);
	uint32_t *group = match_groups(c, row, o);
	measure(c, row, group);
	tell_left_out(c);
	for (int f = 0; f < n && !quiet; f++)
		score_about_warn(&c->file[f].about, c->file[f].name);
	free(row), free(group);
	return c;
}

void compare_free(struct compare *c)
{
	for (int f = 0; f < c->files; f++) {
		struct compare_file *file = &c->file[f];
		names_free(file->names), lookup_free(&file->by_id), score_about_end(&file->about), tns_unload(file->table);
		free(file->at);
	}
	names_free(c->names);
	free(c->file), free(c->left_out), free(c->grouped), free(c->result), free(c->shared), free(c);
}
