/* The parts of a data set from rank 0 to all, one after the other. */
#include "lib/train/dataset_share.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/stream/names.h"

/* n bytes of rank 0; returned to the others in memory of their own. */
static void *spread(struct ranks *r, void *from, uint64_t n)
{
	uint64_t size = from ? n : UINT64_MAX;
	ranks_broadcast(r, &size, sizeof size);
	if (size == UINT64_MAX) /* it is NULL */
		return NULL;
	void *to = r->rank ? xcalloc(size + 1, 1) : from;
	ranks_broadcast(r, to, size);
	return to;
}

static char *spread_text(struct ranks *r, char *text)
{
	return spread(r, text, text ? strlen(text) + 1 : 0);
}

/* What programs ask of a head: its name, METAs and fingerprint; it has no tensors. */
static struct tns *spread_head(struct ranks *r, struct tns *from)
{
	struct tns *t = r->rank ? xcalloc(1, sizeof *t) : from;
	t->name = spread_text(r, (char *)t->name);
	ranks_broadcast(r, &t->fingerprint, sizeof t->fingerprint), ranks_broadcast(r, &t->nmeta, sizeof t->nmeta);
	if (r->rank)
		t->meta = xcalloc((size_t)t->nmeta + 1, sizeof *t->meta);
	for (int i = 0; i < t->nmeta; i++) {
		struct tns_meta *m = &t->meta[i];
		ranks_broadcast(r, &m->key_len, sizeof m->key_len), ranks_broadcast(r, &m->value_len, sizeof m->value_len);
		ranks_broadcast(r, &m->late, sizeof m->late);
		m->key = spread(r, m->key, m->key_len), m->value = spread(r, m->value, m->value_len);
	}
	return t;
}

struct dataset *dataset_share(struct ranks *r, struct dataset *ds, const char *by)
{
	struct dataset *d = r->rank ? xcalloc(1, sizeof *d) : ds;
	int *number[] = {&d->W, &d->H, &d->k, &d->values}, sources = 0;
	uint64_t stored = r->rank ? 0 : image_store_rows(ds->images);
	ranks_broadcast(r, &d->n, sizeof d->n), ranks_broadcast(r, &stored, sizeof stored);
	for (size_t i = 0; i < sizeof number / sizeof *number; i++)
		ranks_broadcast(r, number[i], sizeof *number[i]);
	size_t n = d->n;
	d->names = spread_text(r, d->names), d->pairs = spread_text(r, d->pairs);
	d->row = spread(r, d->row, n * sizeof *d->row), d->value = spread(r, d->value, n * (size_t)d->k * sizeof *d->value);
	d->id = spread(r, d->id, n * sizeof *d->id), d->group = spread(r, d->group, n * sizeof *d->group);
	d->from = spread(r, d->from, n * sizeof *d->from);
	d->source.by = by, d->source.names = spread_text(r, d->source.names);
	if (d->source.names)
		names_free(names_split(d->source.names, &sources));
	d->source.set = spread(r, d->source.set, (uint64_t)sources * (uint64_t)(d->k / 2));
	d->head = spread_head(r, d->head);
	if (r->rank)
		d->images = image_store_received(stored, (size_t)d->W * (size_t)d->H);
	d->ranks = r;
	d->scattered = 1;
	d->owns_head = r->rank > 0;
	return d;
}
