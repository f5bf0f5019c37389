#include "lib/import/part_names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/num.h"

/* Where the name is in by, or would be. */
static int place(const struct part_names *p, const char *name, int *found)
{
	int lo = 0, hi = p->n;
	*found = 0;
	while (lo < hi) {
		int mid = lo + (hi - lo) / 2, c = strcmp(p->name[p->by[mid]], name);
		if (!c) {
			*found = 1;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int part_names_find(const struct part_names *p, const char *name, int guess)
{
	int found;
	if (guess >= 0 && guess < p->n && !strcmp(p->name[guess], name))
		return guess;
	int at = place(p, name, &found);
	return found ? p->by[at] : -1;
}

int part_names_add(struct part_names *p, const char *name, int guess, int max)
{
	int found = part_names_find(p, name, guess);
	if (found >= 0 || p->n == max)
		return found;
	int at = place(p, name, &found), n = p->n++;
	if (!(n & (n + 1))) { /* 0, 1, 3, 7: room for twice as many */
		p->name = xrealloc(p->name, (2 * (size_t)n + 2) * sizeof *p->name);
		p->by = xrealloc(p->by, (2 * (size_t)n + 2) * sizeof *p->by);
	}
	memmove(p->by + at + 1, p->by + at, (size_t)(n - at) * sizeof *p->by);
	p->by[at] = n;
	p->name[n] = xstrdup(name);
	p->name[n + 1] = NULL;
	return n;
}

static int by_number(const void *a, const void *b)
{
	const char *s = *(char *const *)a, *t = *(char *const *)b;
	uint64_t x = 0, y = 0;
	num_uint(s, &x), num_uint(t, &y);
	return x != y ? (x > y) - (x < y) : strcmp(s, t);
}

void part_names_sort(struct part_names *p)
{
	uint64_t v;
	for (int i = 0; i < p->n; i++)
		if (!num_uint(p->name[i], &v))
			return;
	if (!p->n)
		return;
	struct part_names sorted = {0, NULL, NULL};
	qsort(p->name, (size_t)p->n, sizeof *p->name, by_number);
	for (int i = 0; i < p->n; i++)
		part_names_add(&sorted, p->name[i], -1, p->n);
	part_names_free(p);
	*p = sorted;
}

char **part_names_copy(const struct part_names *p)
{
	char **names = xcalloc((size_t)p->n + 1, sizeof *names);
	for (int i = 0; i < p->n; i++)
		names[i] = xstrdup(p->name[i]);
	return names;
}

void part_names_free(struct part_names *p)
{
	for (int i = 0; i < p->n; i++)
		free(p->name[i]);
	free(p->name);
	free(p->by);
	*p = (struct part_names){0, NULL, NULL};
}
