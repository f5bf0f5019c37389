/* Copying of what a program does not replace. */
#include <string.h>

#include "lib/stream/history.h"
#include "lib/stream/passthrough.h"

static int listed(const char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (!strcmp(*list, name))
			return 1;
	return 0;
}

void passthrough_begin(
	struct passthrough *p, const struct tns *t, struct tns_writer *w, const char *const *skip, const char *const *skip_meta)
{
	p->n = t->ntensors;
	for (int i = 0; i < t->ntensors; i++) {
		uint64_t dim[8];
		memcpy(dim, t->def[i].dim, sizeof dim);
		dim[0] = TNS_UNLIMITED;
		p->id[i] = listed(skip, t->def[i].name) ? -1 : tns_define(w, t->def[i].name, t->def[i].dtype, t->def[i].ndim, dim);
	}
	for (int i = 0; i < t->nmeta; i++)
		if (!t->meta[i].late && strcmp(t->meta[i].key, "history") && !listed(skip_meta, t->meta[i].key))
			tns_copy_meta(w, &t->meta[i]);
}

void passthrough_row(const struct passthrough *p, const struct dataset_stream *d, uint64_t row, struct tns_writer *w)
{
	for (int i = 0; i < p->n; i++)
		if (p->id[i] >= 0)
			tns_write(w, p->id[i], dataset_stream_at(d, i, row), 1);
}

void passthrough_table_row(const struct passthrough *p, const struct tns_table *t, uint64_t row, struct tns_writer *w)
{
	for (int i = 0; i < p->n; i++)
		if (p->id[i] >= 0)
			tns_write(w, p->id[i], tns_row(t, i, row), 1);
}

int passthrough_counts(const char *key)
{
	return !strncmp(key, "rows.", 5) || !strncmp(key, "labels.", 7) || !strncmp(key, "images.", 7);
}

void passthrough_late(const struct tns *t, struct tns_writer *w, int all)
{
	for (int i = 0; i < t->nmeta; i++)
		if (t->meta[i].late && strcmp(t->meta[i].key, "history") && !tns_has_meta(w, t->meta[i].key) &&
			(all || !passthrough_counts(t->meta[i].key)))
			tns_copy_meta(w, &t->meta[i]);
}

void passthrough_end(const struct tns *t, struct tns_writer *w, int all)
{
	passthrough_late(t, w, all);
	history_put(w, &t, 1, NULL);
}
