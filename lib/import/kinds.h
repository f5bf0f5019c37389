/* How many faces are of which kind of box, or which individual (annotation.kind). */
#ifndef KINDS_H
#define KINDS_H

#include <stdint.h>

#include "lib/import/annotation.h"

enum { KINDS_NAMED = 20 };

struct kinds { /* zeroed at first */
	int n;
	struct kind {
		char name[sizeof((struct annotation *)0)->kind];
		uint64_t faces;
	} kind[KINDS_NAMED]; /* (n) in order of appearance */
	uint64_t others;     /* faces of further ones */
};

void kinds_add(struct kinds *k, const struct annotation *face); /* of a face without a box or kind nothing */
/* "'face' 12, 'cat' 3, without 1", to be freed; NULL: there is one at most. */
char *kinds_list(const struct kinds *k);

#endif
