#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/lookup.h"

static int by_key(const void *a, const void *b)
{
	const struct lookup_key *x = a, *y = b;
	return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->row > y->row) - (x->row < y->row);
}

void lookup_make(struct lookup *l, const uint64_t *keys, size_t n)
{
	l->n = n;
	l->by = xcalloc(n, sizeof *l->by);
	for (size_t i = 0; i < n; i++)
		l->by[i].key = keys[i], l->by[i].row = i;
	if (n)
		qsort(l->by, n, sizeof *l->by, by_key);
}

size_t lookup_first(const struct lookup *l, uint64_t key)
{
	size_t lo = 0, hi = l->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (l->by[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->n && l->by[lo].key == key ? lo : l->n;
}

size_t lookup_duplicate(const struct lookup *l)
{
	for (size_t i = 1; i < l->n; i++)
		if (l->by[i].key == l->by[i - 1].key)
			return i;
	return l->n;
}

void lookup_free(struct lookup *l)
{
	free(l->by);
}
