/* Groups by id, sorted. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/crc.h"
#include "lib/base/err.h"
#include "lib/base/hash.h"
#include "lib/base/table.h"
#include "lib/labels/groups.h"
#include "lib/stream/dataset_stream.h"

struct pair {
	uint64_t id, group;
};

struct groups {
	char *path;
	size_t n;
	struct pair *by; /* sorted by id */
	uint32_t crc;
};

static int by_id(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

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
	g->path = xstrdup(path), g->n = t->rows, g->crc = t->crc;
	g->by = xcalloc(t->rows, sizeof *g->by);
	for (size_t i = 0; i < t->rows; i++)
		g->by[i] = (struct pair){table_uint(t, i, id, UINT32_MAX), group_key(t, i, group)};
	qsort(g->by, t->rows, sizeof *g->by, by_id);
	for (size_t i = 1; i < t->rows; i++)
		if (g->by[i].id == g->by[i - 1].id)
			die("%s: id %llu stands twice", path, (unsigned long long)g->by[i].id);
	table_free(t);
	return g;
}

uint64_t groups_of(const struct groups *g, uint32_t id, const char *name)
{
	struct pair key = {id, 0}, *found = bsearch(&key, g->by, g->n, sizeof *g->by, by_id);
	if (!found)
		die("%s: id %u has no group in %s", name, id, g->path);
	return found->group;
}

uint32_t groups_crc(const struct groups *g)
{
	return g->crc;
}

void groups_free(struct groups *g)
{
	if (g)
		free(g->path), free(g->by);
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
