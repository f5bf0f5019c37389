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
			table_die(t, r, "FeatureName '%.80s' is none of the predicted points' coordinates", table_cell(t, r, a->feature));
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
		if (!isnan(a->value[r]))
			return -1;
		a->value[r] = v > 0 ? v < top ? v : top : 0; /* no -0 */
	}
	return filled;
}

void submission_close(struct submission *a, struct out *to)
{
	out_printf(to, "RowId,Location\n");
	for (size_t r = 0; r < a->table->rows; r++) {
		if (isnan(a->value[r]))
			table_die(a->table, r, "no prediction for RowId %s: image %s, %s", table_cell(a->table, r, a->row_id),
				table_cell(a->table, r, a->image_id), table_cell(a->table, r, a->feature));
		out_printf(to, "%s,%.5f\n", table_cell(a->table, r, a->row_id), a->value[r]);
	}
	table_free(a->table);
	lookup_free(&a->by_image);
	free(a->coord);
	free(a->value);
	free(a);
}
