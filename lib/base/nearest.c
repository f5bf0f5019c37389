/* Edit distances of short names. */
#include <stdio.h>
#include <string.h>

#include "lib/base/nearest.h"

static int folded(char c)
{
	return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t nearest_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), row[3][NEAREST_WORD] = {{0}};
	size_t *before = row[0], *last = row[1], *now = row[2];
	if (n >= NEAREST_WORD || m >= NEAREST_WORD)
		return NEAREST_WORD;
	for (size_t j = 0; j <= m; j++)
		now[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *free = before;
		before = last, last = now, now = free;
		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			int equal = folded(a[i - 1]) == folded(b[j - 1]);
			now[j] = least(last[j - 1] + !equal, least(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return now[m];
}

struct nearest nearest_of(const char *word)
{
	return (struct nearest){.word = word, .distance = NEAREST_WORD};
}

void nearest_add(struct nearest *n, const char *name)
{
	size_t d = nearest_distance(n->word, name), used = strlen(n->list);
	if (d < n->distance && d <= (strlen(n->word) + 1) / 3) {
		n->distance = d;
		snprintf(n->name, sizeof n->name, "%s", name);
	}
	int fits = used + strlen(name) + 8 < sizeof n->list;
	if (!n->full)
		snprintf(n->list + used, sizeof n->list - used, "%s%s", n->names ? ", " : "", fits ? name : "...");
	n->full |= !fits;
	n->names++;
}

void nearest_add_choices(struct nearest *n, const char *words)
{
	char word[NEAREST_WORD];
	for (;; words++) {
		size_t len = strcspn(words, "|");
		snprintf(word, sizeof word, "%.*s", (int)len, words);
		nearest_add(n, word);
		words += len;
		if (!*words)
			return;
	}
}

const char *nearest_hint(struct nearest *n)
{
	n->hint[0] = 0;
	if (n->distance < NEAREST_WORD)
		snprintf(n->hint, sizeof n->hint, " (did you mean %s?)", n->name);
	return n->hint;
}

const char *nearest_or_all(struct nearest *n)
{
	if (n->distance == NEAREST_WORD && n->names)
		snprintf(n->hint, sizeof n->hint, " (there %s %s)", n->names == 1 ? "is" : "are", n->list);
	else
		nearest_hint(n);
	return n->hint;
}
