/* Columns of a header by name: sorted, so that a header of thousands costs no square of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/csv/csv_fields.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_name_in_any_case(const void *a, const void *b)
{
	return strcasecmp(*(char *const *)a, *(char *const *)b);
}

void csv_names_make(struct csv_names *x, char *const *columns, int n)
{
	size_t bytes = (size_t)n * sizeof *columns;
	x->n = (size_t)n;
	x->exact = memcpy(xmalloc(bytes), columns, bytes), x->folded = memcpy(xmalloc(bytes), columns, bytes);
	qsort(x->exact, x->n, sizeof *columns, by_name);
	qsort(x->folded, x->n, sizeof *columns, by_name_in_any_case);
}

int csv_names_have(const struct csv_names *x, const char *name)
{
	return bsearch(&name, x->exact, x->n, sizeof name, by_name) != NULL;
}

const char *csv_names_twice(const struct csv_names *x)
{
	for (size_t i = 1; i < x->n; i++)
		if (!strcmp(x->exact[i - 1], x->exact[i]))
			return x->exact[i];
	return NULL;
}

void csv_names_free(struct csv_names *x)
{
	free(x->exact), free(x->folded);
}

/* 1: some column is a, with a word in the place of x or y. */
static int has_measure(struct csv_coord a, const char *word, const struct csv_names *x)
{
	int len = (int)a.len;
	char sep = a.style == CSV_STYLE_DOT ? '.' : '_',
	     *want = a.style == CSV_STYLE_PREFIX ? xprintf("%s_%.*s", word, len, a.base) : xprintf("%.*s%c%s", len, a.base, sep, word);
	int found = bsearch(&want, x->folded, x->n, sizeof want, by_name_in_any_case) != NULL;
	free(want);
	return found;
}

int csv_is_corner(struct csv_coord a, const struct csv_names *x)
{
	if (a.style == CSV_STYLE_PREFIX && a.len == 3 && (!strncasecmp(a.base, "min", 3) || !strncasecmp(a.base, "max", 3)))
		return has_measure((struct csv_coord){CSV_STYLE_PREFIX, "min", 3, 0}, "x", x) &&
		       has_measure((struct csv_coord){CSV_STYLE_PREFIX, "max", 3, 0}, "x", x);
	return (has_measure(a, "w", x) || has_measure(a, "width", x)) && (has_measure(a, "h", x) || has_measure(a, "height", x));
}

struct column {
	struct csv_coord c;
	int i;
};

static int by_point(const void *a, const void *b)
{
	const struct column *x = a, *y = b;
	if (x->c.style != y->c.style)
		return x->c.style < y->c.style ? -1 : 1;
	if (x->c.len != y->c.len)
		return x->c.len < y->c.len ? -1 : 1;
	int order = memcmp(x->c.base, y->c.base, x->c.len);
	return order ? order : x->i - y->i;
}

/* Of columns of one point, by place: for each the first other one of its axis, and the last one of the other. */
static void find_others(const struct column *c, size_t n, int *partner, int *same)
{
	int first[2] = {-1, -1}, second[2] = {-1, -1}, last[2] = {-1, -1};
	for (size_t k = 0; k < n; k++) {
		int y = c[k].c.axis == 'y';
		second[y] = first[y] >= 0 && second[y] < 0 ? c[k].i : second[y];
		first[y] = first[y] < 0 ? c[k].i : first[y];
		last[y] = c[k].i;
	}
	for (size_t k = 0; k < n; k++) {
		int y = c[k].c.axis == 'y', i = c[k].i;
		same[i] = first[y] == i ? second[y] : first[y];
		partner[i] = last[!y];
	}
}

void csv_partners(char *const *columns, int n, const char *left_out, int *partner, int *same)
{
	struct column *c = xcalloc((size_t)n, sizeof *c);
	size_t count = 0;
	for (int i = 0; i < n; i++) {
		partner[i] = same[i] = -1;
		c[count] = (struct column){csv_coord_of(columns[i]), i};
		count += c[count].c.style && !(left_out && left_out[i]);
	}
	if (count)
		qsort(c, count, sizeof *c, by_point);
	for (size_t from = 0, to; from < count; from = to) {
		for (to = from + 1; to < count && csv_same_point(c[from].c, c[to].c); to++)
			;
		find_others(c + from, to - from, partner, same);
	}
	free(c);
}

void csv_list_add(char **list, size_t *n, const char *name)
{
	*list = xrealloc(*list, *n + 80);
	*n += (size_t)sprintf(*list + *n, "%s'%.60s'", *n ? ", " : "", name);
}
