/* Matching of names. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/filter/globs.h"

void globs_check(const char *option, const char *list)
{
	for (const char *s = list;; s++) {
		size_t len = strcspn(s, ",");
		if (!len)
			die_usage("--%s: '%s': an empty name", option, list);
		s += len;
		if (!*s)
			return;
	}
}

int globs_match(const char *list, char *const *names, int n, int *to, char **none)
{
	char *taken = xcalloc((size_t)n + 1, 1);
	int count = 0;
	if (none)
		*none = NULL;
	for (const char *s = list;; s++) {
		size_t len = strcspn(s, ",");
		char *item = xprintf("%.*s", (int)len, s);
		int any = 0;
		for (int i = 0; i < n; i++) {
			if (strcmp(item, names[i]) && fnmatch(item, names[i], 0))
				continue;
			any = 1;
			if (!taken[i])
				taken[i] = 1, to[count++] = i;
		}
		if (!any && none && !*none)
			*none = xstrdup(item);
		free(item);
		s += len;
		if (!*s)
			break;
	}
	free(taken);
	return count;
}
