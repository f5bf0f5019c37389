/* Lists of whole numbers as options have them: "10-20,35,100-" is 10 to 20, 35, and all from 100. */
#ifndef RANGES_H
#define RANGES_H

#include <stdint.h>

struct range {
	uint64_t first, last; /* last UINT64_MAX: open */
	int met;	      /* 1: ranges_take was asked for a number in it */
};

struct ranges { /* by first, disjoint: what overlaps is one */
	int n;
	struct range *range;
};

/* Numbers are least or more. Returns NULL; or why the text is no list, to be freed; then r is empty. */
char *ranges_parse(struct ranges *r, const char *text, uint64_t least);
/* 1 if v is in the list. Takes logarithmic time. */
int ranges_take(struct ranges *r, uint64_t v);
/* The first range that holds a number over max (an open one: only numbers over max), or NULL. */
const struct range *ranges_over(const struct ranges *r, uint64_t max);
/* "7", "7-9" or "7-", to be freed. */
char *range_text(const struct range *r);
/* What ranges_take never met, as text: "7", or of several ranges "7, nor 2 more of --OPTION"; to be freed; or NULL. */
char *ranges_unmet(const struct ranges *r, const char *option);
void ranges_free(struct ranges *r);

#endif
