#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/lookup.h"
#include "lib/base/table.h"
#include "lib/labels/suspects.h"
#include "lib/stream/names.h"

struct suspects {
	struct table *table;
	struct lookup by_id; /* rows of the list */
	size_t *row;	     /* list -> row of the table */
	int *point, value;
	char *came; /* of the list */
};

struct suspects *suspects_load(const char *path, char **names, int force, uint32_t *crc, size_t *unsure)
{
	struct suspects *s = xcalloc(1, sizeof *s);
	struct table *t = s->table = table_read(path);
	int row = table_require(t, "row"), name = table_require(t, "name"), kind = table_require(t, "kind");
	size_t n = 0;
	*unsure = 0;
	uint64_t *keys = xcalloc(t->rows, sizeof *keys);
	s->value = table_require(t, "value");
	s->row = xcalloc(t->rows, sizeof *s->row);
	s->point = xcalloc(t->rows, sizeof *s->point);
	s->came = xcalloc(t->rows + 1, 1);
	for (size_t i = 0; i < t->rows; i++) {
		int is_unsure = !strcmp(table_cell(t, i, kind), "unsure");
		*unsure += is_unsure && !force;
		if (strcmp(table_cell(t, i, kind), "suspect") && !(is_unsure && force))
			continue;
		keys[n] = table_uint(t, i, row, UINT32_MAX);
		s->row[n] = i;
		s->point[n] = names_index(names, table_cell(t, i, name));
		if (s->point[n] < 0) {
			struct nearest near = names_nearest(names, table_cell(t, i, name));
			table_die(t, i, "there is no point '%s' in the data%s", table_cell(t, i, name), nearest_or_all(&near));
		}
		n++;
	}
	lookup_make(&s->by_id, keys, n);
	*crc = t->crc;
	free(keys);
	return s;
}

int suspects_next(struct suspects *s, uint32_t id, size_t *at, const char **value)
{
	size_t i = lookup_first(&s->by_id, id) + *at;
	if (i >= s->by_id.n || s->by_id.by[i].key != id)
		return -1;
	size_t k = s->by_id.by[i].row;
	(*at)++;
	s->came[k] = 1;
	*value = table_cell(s->table, s->row[k], s->value);
	return s->point[k];
}

void suspects_end(const struct suspects *s)
{
	for (size_t i = 0; i < s->by_id.n; i++)
		if (!s->came[s->by_id.by[i].row])
			table_die(s->table, s->row[s->by_id.by[i].row], "there is no row %llu in the data",
				(unsigned long long)s->by_id.by[i].key);
}

void suspects_free(struct suspects *s)
{
	table_free(s->table);
	lookup_free(&s->by_id);
	free(s->row), free(s->point), free(s->came);
	free(s);
}
