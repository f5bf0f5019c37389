/* Comma-separated lists of names. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/stream/names.h"

char **names_points(const struct tns *t, int k)
{
	int n;
	const char *list = tns_meta_value(t, "points");
	if (!list)
		die("%s: there is no META points", t->name);
	char **names = names_split(list, &n);
	if (n != k)
		die("%s: META points names %d, but there are %d", t->name, n, k);
	return names;
}

char **names_split(const char *list, int *n)
{
	size_t capacity = 2;
	for (const char *s = list; *s; s++)
		capacity += *s == ',';
	char **names = xcalloc(capacity, sizeof *names);
	*n = 0;
	for (const char *s = list;; s++) {
		size_t len = strcspn(s, ",");
		if (!len)
			die("'%s': an empty name", list);
		names[*n] = xcalloc(len + 1, 1);
		memcpy(names[(*n)++], s, len);
		s += len;
		if (!*s)
			return names;
	}
}

void names_free(char **names)
{
	for (int i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

int names_index(char **names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

int *names_mirror(char **names)
{
	int n = 0;
	while (names[n])
		n++;
	int *swap = xcalloc((size_t)n, sizeof *swap);
	for (int i = 0; i < n; i++) {
		/* left -> \1 -> right would need three passes; building the name piece by piece needs one */
		char *other = xcalloc(2 * strlen(names[i]) + 1, 1), *to = other;
		for (const char *s = names[i]; *s;)
			if (!strncmp(s, "left", 4))
				to = stpcpy(to, "right"), s += 4;
			else if (!strncmp(s, "right", 5))
				to = stpcpy(to, "left"), s += 5;
			else
				*to++ = *s++;
		int k = names_index(names, other);
		swap[i] = k < 0 ? i : k;
		free(other);
	}
	return swap;
}
