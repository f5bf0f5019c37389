/* Lists of ranges, sorted and merged, for a binary search. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/ranges.h"

/* "A", "A-B" or "A-" (len bytes) into *r, or why not. */
static char *parse_range(struct range *r, const char *text, size_t len, uint64_t least)
{
	char *s = xprintf("%.*s", (int)len, text), *dash = strchr(s, '-'), *why = NULL;
	*r = (struct range){0, UINT64_MAX, 0};
	if (dash)
		*dash = 0;
	if (!num_uint(s, &r->first) || (dash && dash[1] && !num_uint(dash + 1, &r->last)))
		why = xprintf("'%.*s' is no number, no A-B and no A-", (int)len, text);
	else if (r->first < least)
		why = xprintf("%.*s: numbers begin at %llu", (int)len, text, (unsigned long long)least);
	else if (dash && r->last < r->first)
		why = xprintf("%.*s is reversed", (int)len, text);
	if (!dash)
		r->last = r->first;
	free(s);
	return why;
}

static int by_first(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

char *ranges_parse(struct ranges *r, const char *text, uint64_t least)
{
	*r = (struct ranges){0, NULL};
	for (;; text++) {
		size_t len = strcspn(text, ",");
		if (!(r->n & (r->n - 1)))
			r->range = xrealloc(r->range, (r->n ? 2 * (size_t)r->n : 1) * sizeof *r->range);
		char *why = parse_range(&r->range[r->n++], text, len, least);
		if (why) {
			ranges_free(r);
			return why;
		}
		text += len;
		if (!*text)
			break;
	}
	qsort(r->range, (size_t)r->n, sizeof *r->range, by_first);
	int n = 0;
	for (int i = 1; i < r->n; i++) {
		struct range *a = &r->range[n], *b = &r->range[i];
		if (b->first > a->last)
			r->range[++n] = *b;
		else if (b->last > a->last)
			a->last = b->last;
	}
	r->n = n + 1;
	return NULL;
}

int ranges_take(struct ranges *r, uint64_t v)
{
	int lo = 0, hi = r->n;
	while (hi - lo > 1) {
		int mid = (lo + hi) / 2;
		*(r->range[mid].first <= v ? &lo : &hi) = mid;
	}
	if (!r->n || v < r->range[lo].first || v > r->range[lo].last)
		return 0;
	return r->range[lo].met = 1;
}

const struct range *ranges_over(const struct ranges *r, uint64_t max)
{
	for (int i = 0; i < r->n; i++)
		if (r->range[i].first > max || (r->range[i].last > max && r->range[i].last != UINT64_MAX))
			return &r->range[i];
	return NULL;
}

char *range_text(const struct range *r)
{
	unsigned long long first = r->first, last = r->last;
	if (r->last == UINT64_MAX)
		return xprintf("%llu-", first);
	return r->last == r->first ? xprintf("%llu", first) : xprintf("%llu-%llu", first, last);
}

char *ranges_unmet(const struct ranges *r, const char *option)
{
	int missing = 0, first = 0;
	for (int i = r->n; i--;)
		if (!r->range[i].met)
			missing++, first = i;
	if (!missing)
		return NULL;
	char *text = range_text(&r->range[first]), *only = text;
	if (missing > 1) {
		text = xprintf("%s, nor %d more of --%s", only, missing - 1, option);
		free(only);
	}
	return text;
}

void ranges_free(struct ranges *r)
{
	free(r->range);
	*r = (struct ranges){0, NULL};
}
