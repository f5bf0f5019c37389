#include "lib/import/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

void kinds_add(struct kinds *k, const struct annotation *face)
{
	int i = 0;
	if (!face->has_box && !*face->kind)
		return;
	while (i < k->n && strcmp(k->kind[i].name, face->kind))
		i++;
	if (i == KINDS_NAMED) {
		k->others++;
		return;
	}
	if (i == k->n)
		memcpy(k->kind[k->n++].name, face->kind, sizeof face->kind);
	k->kind[i].faces++;
}

char *kinds_list(const struct kinds *k)
{
	char *all = NULL;
	if (k->n < 2)
		return NULL;
	for (int i = 0; i < k->n; i++) {
		const struct kind *e = &k->kind[i];
		const char *quote = *e->name ? "'" : "";
		char *more = xprintf("%s%s%s%s%s %llu", all ? all : "", all ? ", " : "", quote, *e->name ? e->name : "without", quote,
			(unsigned long long)e->faces);
		free(all);
		all = more;
	}
	if (!k->others)
		return all;
	char *more = xprintf("%s, others %llu", all, (unsigned long long)k->others);
	free(all);
	return more;
}
