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
	a->value = xcalloc(t->rows, sizeof *a->value);
	check_unique(a, keys);
	for (size_t r = 0; r < t->rows; r++) {
		keys[r] = table_uint(t, r, a->image_id, UINT32_MAX);
		a->coord[r] = coord_index(names, table_cell(t, r, a->feature));
		a->value[r] = NAN;
		if (a->coord[r] < 0)
			die_none(t, r, table_cell(t, r, a->feature), names);
	}
	lookup_make(&a->by_image, keys, t->rows);
	free(keys);
	return a;
}

int submission_add(struct submission *a, uint32_t image, const float *predicted, int w, int h)
{
	int filled = 0;
	for (size_t i = lookup_first(&a->by_image, image); i < a->by_image.n && a->by_image.by[i].key == image; i++, filled++) {
		size_t r = a->by_image.by[i].row;
		float v = predicted[a->coord[r]], top = (float)((a->coord[r] % 2 ? h : w) - 1);
		if (!isnan(v))
			v = v > 0 ? v < top ? v : top : 0; /* no -0 */
		if (!isnan(a->value[r]) && !(a->value[r] == v))
			return -1;
		a->value[r] = v;
	}
	return filled;
}

struct mean {
	double sum;
	size_t n;
};

static void mean_add(struct mean *m, float v)
{
	if (!isnan(v))
		m->sum += (double)v, m->n++;
}

/* Mean of the answers in row r's image of its axis, x or y. */
static struct mean image_mean(const struct submission *a, size_t r)
{
	struct mean m = {0, 0};
	uint64_t image = table_uint(a->table, r, a->image_id, UINT32_MAX);
	for (size_t i = lookup_first(&a->by_image, image); i < a->by_image.n && a->by_image.by[i].key == image; i++)
		if (a->coord[a->by_image.by[i].row] % 2 == a->coord[r] % 2)
			mean_add(&m, a->value[a->by_image.by[i].row]);
	return m;
}

size_t submission_fill_mean(struct submission *a)
{
	size_t n = a->table->rows, filled = 0, K = 0;
	for (size_t r = 0; r < n; r++)
		K = (size_t)a->coord[r] + 1 > K ? (size_t)a->coord[r] + 1 : K;
	struct mean *column = xcalloc(K + 1, sizeof *column), axis[2] = {{0, 0}};
	float *value = xcalloc(n + 1, sizeof *value);
	for (size_t r = 0; r < n; r++)
		mean_add(&column[a->coord[r]], a->value[r]), mean_add(&axis[a->coord[r] % 2], a->value[r]);
	for (size_t r = 0; r < n; r++) {
		value[r] = a->value[r];
		if (!isnan(value[r]))
			continue;
		struct mean m = column[a->coord[r]];
		if (!m.n)
			m = image_mean(a, r);
		if (!m.n)
			m = axis[a->coord[r] % 2];
		if (m.n)
			value[r] = (float)(m.sum / (double)m.n), filled++;
	}
	free(a->value), free(column);
	a->value = value;
	return filled;
}

void submission_close(struct submission *a, struct out *to, const char *unlearned)
{
	size_t open = 0, first = 0;
	for (size_t r = 0; r < a->table->rows; r++)
		if (isnan(a->value[r]))
			first = open++ ? first : r;
	if (open)
		table_die(a->table, first,
			"no prediction for RowId %s: image %s, %s; %zu question%s in all %s open%s%s (csv-clean --keep-all keeps every "
			"image, --fill mean answers with means)",
			table_cell(a->table, first, a->row_id), table_cell(a->table, first, a->image_id),
			table_cell(a->table, first, a->feature), open, open == 1 ? "" : "s", open == 1 ? "is" : "are",
			unlearned ? ", and no model learned " : "", unlearned ? unlearned : "");
	out_printf(to, "RowId,Location\n");
	for (size_t r = 0; r < a->table->rows; r++) {
		const char *id = table_cell(a->table, r, a->row_id);
		out_printf(to, "%.*s,%.5f\n", (int)strcspn(id, "."), id, a->value[r]); /* 7.0 is 7 */
	}
	table_free(a->table);
	lookup_free(&a->by_image);
	free(a->coord);
	free(a->value);
	free(a);
}
