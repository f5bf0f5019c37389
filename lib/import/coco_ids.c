#include "lib/import/coco_ids.h"

#include <stdlib.h>

#include "lib/base/err.h"

struct coco_noted_id {
	uint64_t category; /* its key, but for the lowest bit, which says that id is none: the annotation's place in its list */
	int64_t id;
};

static uint64_t category_key(const struct coco_id *category)
{
	return category->kind == COCO_NO_ID ? UINT64_MAX - 1 : coco_id_key(category) << 1;
}

void coco_ids_add(struct coco_ids *x, const struct coco_id *id, const struct coco_id *category, unsigned long long number)
{
	int none = id->kind != COCO_NUMBER;
	if (!(x->n & (x->n - 1)))
		x->v = xrealloc(x->v, (x->n ? 2 * x->n : 1) * sizeof *x->v);
	x->v[x->n++] = (struct coco_noted_id){category_key(category) | (uint64_t)none, none ? (int64_t)number : id->number};
}

static int by_id(const void *a, const void *b)
{
	const struct coco_noted_id *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

char *coco_ids_odd(struct coco_ids *x, const struct coco_id *category, int unnamed)
{
	const uint64_t none = 1, of = category_key(category), without = category_key(&(struct coco_id){0});
	size_t n = 0;
	for (size_t i = 0; i < x->n; i++) {
		const struct coco_noted_id e = x->v[i];
		if ((e.category & ~none) != of && !(unnamed && (e.category & ~none) == without))
			continue;
		if (e.category & none)
			return xprintf("element %lld of annotations has no id that is a whole number", (long long)e.id);
		if (e.id < 0 || e.id > UINT32_MAX)
			return xprintf("annotation %lld is not from 0 to %lld", (long long)e.id, (long long)UINT32_MAX);
		x->v[n++] = e;
	}
	x->n = n;
	if (n)
		qsort(x->v, n, sizeof *x->v, by_id);
	for (size_t i = 1; i < n; i++)
		if (x->v[i].id == x->v[i - 1].id)
			return xprintf("two annotations have the id %lld", (long long)x->v[i].id);
	return NULL;
}

void coco_ids_free(struct coco_ids *x)
{
	free(x->v);
	*x = (struct coco_ids){0};
}
