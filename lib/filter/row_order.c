/* Sorting and shuffling of row numbers. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/shuffle.h"
#include "lib/filter/row_order.h"

struct entry {
	double value;
	size_t at; /* before the sort */
	uint64_t row;
};

static int by_value(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (isnan(x->value) != isnan(y->value))
		return isnan(x->value) ? 1 : -1;
	if (x->value != y->value && !isnan(x->value))
		return x->value < y->value ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

void row_order_sort(uint64_t *row, const double *value, size_t n, int down)
{
	struct entry *e = xcalloc(n, sizeof *e);
	for (size_t i = 0; i < n; i++)
		e[i] = (struct entry){down ? -value[i] : value[i], i, row[i]};
	qsort(e, n, sizeof *e, by_value);
	for (size_t i = 0; i < n; i++)
		row[i] = e[i].row;
	free(e);
}

void row_order_shuffle(uint64_t *row, size_t n, uint64_t seed)
{
	assert(n <= UINT32_MAX);
	uint32_t *order = xcalloc(n, sizeof *order);
	uint64_t *old = xcalloc(n, sizeof *old);
	if (n)
		memcpy(old, row, n * sizeof *old);
	shuffle(order, (uint32_t)n, seed, 0);
	for (size_t i = 0; i < n; i++)
		row[i] = old[order[i]];
	free(order), free(old);
}
