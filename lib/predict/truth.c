/* Rows of the truth looked up by id. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/predict/truth.h"

void truth_open(struct truth *f, const char *path, const char *tensor, int dtype, int ndim)
{
	f->table = tns_load(path);
	f->head = tns_table_head(f->table);
	f->col = dataset_stream_require(f->head, tensor, dtype, ndim);
	int id = dataset_stream_require(f->head, "id", TNS_U32, 1);
	size_t n = f->head->def[id].rows;
	if (f->head->def[f->col].rows != n)
		die("%s: tensors id and %s have different numbers of rows", f->head->name, tensor);
	uint64_t *keys = xcalloc(n, sizeof *keys);
	for (size_t i = 0; i < n; i++)
		keys[i] = *(const uint32_t *)tns_row(f->table, id, i);
	lookup_make(&f->by_id, keys, n);
	if (lookup_duplicate(&f->by_id) < n)
		die("%s: id %" PRIu64 " stands in two rows", f->head->name, f->by_id.by[lookup_duplicate(&f->by_id)].key);
	f->used = xcalloc(n, 1);
	free(keys);
}

const void *truth_row(struct truth *f, const struct dataset_stream *d, int id, uint64_t i)
{
	uint32_t key = *(const uint32_t *)dataset_stream_at(d, id, i);
	size_t at = lookup_first(&f->by_id, key);
	if (at == f->by_id.n)
		die("%s: row %" PRIu64 ": id %" PRIu32 " is not in %s", d->in->name, d->row + i + 1, key, f->head->name);
	if (f->used[at]++)
		die("%s: row %" PRIu64 ": id %" PRIu32 " comes a second time", d->in->name, d->row + i + 1, key);
	return tns_row(f->table, f->col, f->by_id.by[at].row);
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
