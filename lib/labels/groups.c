/* Groups by id. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/crc.h"
#include "lib/base/err.h"
#include "lib/base/hash.h"
#include "lib/base/lookup.h"
#include "lib/base/table.h"
#include "lib/labels/groups.h"
#include "lib/stream/dataset_stream.h"

struct groups {
	char *path;
	struct lookup by_id;
	uint64_t *group; /* of the table's rows */
	uint32_t crc;
};

/* A group's number, or for a name one that no number equals. Two names of equal numbers would only be one group. */
static uint64_t group_key(const struct table *t, size_t row, int col)
{
	const char *cell = table_cell(t, row, col);
	uint64_t v;
	if (!*cell)
		table_die(t, row, "its group is empty");
	return table_number(cell, UINT32_MAX, &v) ? v : UINT32_MAX + 1ull + crc_add(0, cell, strlen(cell));
}

struct groups *groups_read(const char *path)
{
	struct groups *g = xcalloc(1, sizeof *g);
	struct table *t = table_read(path);
	int id = table_col(t, "row") >= 0 ? table_col(t, "row") : table_require(t, "id"), group = table_require(t, "group");
	g->path = xstrdup(path), g->crc = t->crc;
	g->group = xcalloc(t->rows, sizeof *g->group);
	uint64_t *ids = xcalloc(t->rows, sizeof *ids);
	for (size_t i = 0; i < t->rows; i++)
		ids[i] = table_uint(t, i, id, UINT32_MAX), g->group[i] = group_key(t, i, group);
	lookup_make(&g->by_id, ids, t->rows);
	size_t twice = lookup_duplicate(&g->by_id);
	if (twice < t->rows)
		die("%s: id %llu stands twice", path, (unsigned long long)g->by_id.by[twice].key);
	free(ids), table_free(t);
	return g;
}

uint64_t groups_of(const struct groups *g, uint32_t id, const char *name)
{
	size_t at = lookup_first(&g->by_id, id);
	if (at == g->by_id.n)
		die("%s: id %u has no group in %s", name, id, g->path);
	return g->group[g->by_id.by[at].row];
}

uint32_t groups_crc(const struct groups *g)
{
	return g->crc;
}

void groups_free(struct groups *g)
{
	if (g)
		free(g->path), lookup_free(&g->by_id), free(g->group);
	free(g);
}

int groups_tensor(const struct tns *t, const char *by)
{
	int id = dataset_stream_find(t, by), type = t->def[id].dtype;
	int text = type == TNS_U8 && t->def[id].ndim == 2;
	if (!text && (type == TNS_F32 || type == TNS_F64 || type > TNS_F64 || t->def[id].row_bytes != tns_size(type)))
		die("%s: %s is not one whole number or text a row", t->name, by);
	return id;
}

uint64_t groups_value(const struct tns_def *d, const void *row)
{
	uint64_t v = 0;
	if (d->row_bytes != tns_size(d->dtype)) {
		hash_bytes(row, strnlen(row, d->row_bytes), &v, NULL);
		return v;
	}
	memcpy(&v, row, tns_size(d->dtype)); /* little-endian; not sign-extended: only compared for equality */
	return v;
}
