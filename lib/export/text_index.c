#include "lib/export/text_index.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/hash.h"

struct entry {
	char *text;
	uint64_t hash, number;
};

struct text_index {
	size_t n, room; /* room is a power of two, at least twice n */
	struct entry *v;
};

struct text_index *text_index_new(void)
{
	struct text_index *x = xcalloc(1, sizeof *x);
	x->room = 64;
	x->v = xcalloc(x->room, sizeof *x->v);
	return x;
}

static struct entry *place(struct text_index *x, const char *text, uint64_t hash)
{
	size_t i = (size_t)hash & (x->room - 1);
	while (x->v[i].text && (x->v[i].hash != hash || strcmp(x->v[i].text, text)))
		i = (i + 1) & (x->room - 1);
	return &x->v[i];
}

static void grow(struct text_index *x)
{
	struct entry *old = x->v;
	size_t n = x->room;
	x->v = xcalloc(x->room = 2 * n, sizeof *x->v);
	for (size_t i = 0; i < n; i++)
		if (old[i].text)
			*place(x, old[i].text, old[i].hash) = old[i];
	free(old);
}

uint64_t *text_index_at(struct text_index *x, const char *text)
{
	uint64_t hash;
	hash_bytes(text, strlen(text), &hash, NULL);
	if (2 * (x->n + 1) > x->room)
		grow(x);
	struct entry *e = place(x, text, hash);
	if (!e->text) {
		*e = (struct entry){xstrdup(text), hash, 0};
		x->n++;
	}
	return &e->number;
}

void text_index_free(struct text_index *x)
{
	for (size_t i = 0; i < x->room; i++)
		free(x->v[i].text);
	free(x->v), free(x);
}
