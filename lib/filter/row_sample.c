/* A reservoir by random keys (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006, with equal weights). */
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/filter/row_sample.h"

void row_sample_begin(struct row_sample *s, uint64_t n, uint64_t seed)
{
	*s = (struct row_sample){.n = n, .seed = seed};
}

/* Keys are equal so seldom that it hardly matters which row goes, but it must be the same one always. */
static int larger(const struct row_drawn *a, const struct row_drawn *b)
{
	return a->key != b->key ? a->key > b->key : a->row > b->row;
}

static void swap(struct row_drawn *a, struct row_drawn *b)
{
	struct row_drawn t = *a;
	*a = *b, *b = t;
}

static void sink(struct row_sample *s)
{
	for (size_t i = 0, child; (child = 2 * i + 1) < s->count; i = child) {
		if (child + 1 < s->count && larger(&s->drawn[child + 1], &s->drawn[child]))
			child++;
		if (!larger(&s->drawn[child], &s->drawn[i]))
			return;
		swap(&s->drawn[child], &s->drawn[i]);
	}
}

int row_sample_offer(struct row_sample *s, uint64_t row, size_t *slot)
{
	struct philox r = philox(s->seed, PHILOX_SAMPLE, (uint32_t)(row >> 32), (uint32_t)row, 0);
	struct row_drawn new = {(uint64_t)r.v[0] << 32 | r.v[1], row, s->count};
	if (s->count >= s->n) {
		if (!larger(&s->drawn[0], &new))
			return 0;
		*slot = new.slot = s->drawn[0].slot;
		s->drawn[0] = new;
		sink(s);
	} else {
		if (!(s->count & (s->count - 1)))
			s->drawn = xrealloc(s->drawn, (s->count ? 2 * s->count : 1) * sizeof *s->drawn);
		size_t i = *slot = s->count++;
		s->drawn[i] = new;
		for (; i && larger(&s->drawn[i], &s->drawn[(i - 1) / 2]); i = (i - 1) / 2)
			swap(&s->drawn[i], &s->drawn[(i - 1) / 2]);
	}
	return 1;
}

static int by_row(const void *a, const void *b)
{
	const struct row_drawn *x = a, *y = b;
	return (x->row > y->row) - (x->row < y->row);
}

void row_sample_end(struct row_sample *s)
{
	qsort(s->drawn, s->count, sizeof *s->drawn, by_row);
}

void row_sample_free(struct row_sample *s)
{
	free(s->drawn);
}
