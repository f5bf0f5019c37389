/* Predictions looked up for the rows of a submission. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/predict/submission.h"
#include "lib/stream/names.h"

/* Index into (K, 2) of a feature NAME_x or NAME_y, or -1. */
static int coord_index(char **names, const char *feature)
{
	size_t n = strlen(feature);
	char name[256];
	int k, y;
	if (n < 3 || n - 2 >= sizeof name || feature[n - 2] != '_' || (feature[n - 1] != 'x' && feature[n - 1] != 'y'))
		return -1;
	y = feature[n - 1] == 'y';
	memcpy(name, feature, n - 2);
	name[n - 2] = 0;
	k = names_index(names, name);
	return k < 0 ? -1 : 2 * k + y;
}

NORETURN static void die_none(const struct table *t, size_t row, const char *feature, char **names)
{
	struct nearest near = nearest_of(feature);
	for (int k = 0; names[k]; k++)
		for (int y = 0; y < 2; y++) {
			char *name = xprintf("%s_%c", names[k], "xy"[y]);
			nearest_add(&near, name);
			free(name);
		}
	table_die(t, row, "FeatureName '%.80s' is none of the predicted points' coordinates%s", feature, nearest_or_all(&near));
}

/* Dies where two rows have one RowId; keys: buffer. */
static void check_unique(struct submission *a, uint64_t *keys)
{
	struct lookup l;
	size_t n = a->table->rows, twice;
	for (size_t r = 0; r < n; r++)
		keys[r] = table_uint(a->table, r, a->row_id, UINT64_MAX);
	lookup_make(&l, keys, n);
	if ((twice = lookup_duplicate(&l)) < n)
		table_die(a->table, l.by[twice].row, "RowId %s stands in row %zu already", table_cell(a->table, l.by[twice].row, a->row_id),
			l.by[twice - 1].row + 1);
	lookup_free(&l);
}

struct submission *submission_open(const char *path, char **names)
{
	struct submission *a = xcalloc(1, sizeof *a);
	struct table *t = a->table = table_read(path);
	uint64_t *keys = xcalloc(t->rows, sizeof *keys);
	a->row_id = table_require(t, "RowId");
	a->image_id = table_require(t, "ImageId");
	a->feature = table_require(t, "FeatureName");
	a->coord = xcalloc(t->rows, sizeof *a->coord);
	a->value = xcalloc(t->rows, sizeof *a->value), a->around = xcalloc(t->rows, sizeof *a->around);
	while (names[a->coords / 2])
		a->coords += 2;
	a->mean = xcalloc((size_t)a->coords + 1, sizeof *a->mean);
	check_unique(a, keys);
	for (size_t r = 0; r < t->rows; r++) {
		keys[r] = table_uint(t, r, a->image_id, UINT32_MAX);
		a->coord[r] = coord_index(names, table_cell(t, r, a->feature));
		a->value[r] = a->around[r] = NAN;
		if (a->coord[r] < 0)
			die_none(t, r, table_cell(t, r, a->feature), names);
	}
	lookup_make(&a->by_image, keys, t->rows);
	free(keys);
	return a;
}

static void mean_add(struct submission_mean *m, float v)
{
	if (!isnan(v))
		m->sum += (double)v, m->n++;
}

static float clamped(float v, int size)
{
	float top = (float)(size - 1);
	return isnan(v) ? v : v > 0 ? v < top ? v : top : 0; /* no -0 */
}

/* Adds an image to the means; returns those of its x and y. */
static void add_means(struct submission *a, const float *predicted, int w, int h, float own[2])
{
	struct submission_mean of[2] = {{0, 0}, {0, 0}};
	for (int c = 0; c < a->coords; c++) {
		float v = clamped(predicted[c], c % 2 ? h : w);
		mean_add(&a->mean[c], v), mean_add(&a->axis[c % 2], v), mean_add(&of[c % 2], v);
	}
	for (int d = 0; d < 2; d++)
		own[d] = of[d].n ? (float)(of[d].sum / (double)of[d].n) : NAN;
}

int submission_add(struct submission *a, uint32_t image, const float *predicted, int w, int h)
{
	int filled = 0, again = 0;
	float own[2];
	size_t first = lookup_first(&a->by_image, image);
	for (size_t i = first; i < a->by_image.n && a->by_image.by[i].key == image; i++, filled++) {
		size_t r = a->by_image.by[i].row;
		float v = clamped(predicted[a->coord[r]], a->coord[r] % 2 ? h : w);
		if (!isnan(a->value[r]) && !(a->value[r] == v))
			return -1;
		again |= !isnan(a->value[r]);
		a->value[r] = v;
	}
	if (again)
		return filled;
	add_means(a, predicted, w, h, own);
	for (size_t i = first; i < a->by_image.n && a->by_image.by[i].key == image; i++)
		a->around[a->by_image.by[i].row] = own[a->coord[a->by_image.by[i].row] % 2];
	return filled;
}

size_t submission_fill_mean(struct submission *a)
{
	size_t filled = 0;
	for (size_t r = 0; r < a->table->rows; r++) {
		const struct submission_mean *m = &a->mean[a->coord[r]], *axis = &a->axis[a->coord[r] % 2];
		if (!isnan(a->value[r]))
			continue;
		if (m->n)
			a->value[r] = (float)(m->sum / (double)m->n);
		else if (!isnan(a->around[r]))
			a->value[r] = a->around[r];
		else if (axis->n)
			a->value[r] = (float)(axis->sum / (double)axis->n);
		filled += isnan(a->value[r]) ? 0 : 1;
	}
	a->filled = 1;
	return filled;
}

void submission_close(struct submission *a, struct out *to, const char *unlearned)
{
	size_t open = 0, first = 0;
	for (size_t r = 0; r < a->table->rows; r++)
		if (isnan(a->value[r]))
			first = open++ ? first : r;
	if (open)
		table_die(a->table, first, "no prediction for RowId %s: image %s, %s; %zu question%s in all %s open%s%s%s",
			table_cell(a->table, first, a->row_id), table_cell(a->table, first, a->image_id),
			table_cell(a->table, first, a->feature), open, open == 1 ? "" : "s", open == 1 ? "is" : "are",
			unlearned ? ", and no model learned " : "", unlearned ? unlearned : "",
			a->filled ? ", and nothing is predicted of that axis"
				  : " (csv-clean --keep-all keeps every image, --fill mean answers with means)");
	out_printf(to, "RowId,Location\n");
	for (size_t r = 0; r < a->table->rows; r++) {
		const char *id = table_cell(a->table, r, a->row_id);
		out_printf(to, "%.*s,%.5f\n", (int)strcspn(id, "."), id, a->value[r]); /* 7.0 is 7 */
	}
	table_free(a->table);
	lookup_free(&a->by_image);
	free(a->coord);
	free(a->value), free(a->mean), free(a->around);
	free(a);
}
