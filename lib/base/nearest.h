/* The name that was meant by a word that is none: the nearest of the names that there are, by edit distance. Messages end with it:
 *   struct nearest n = nearest_of("ephocs");
 *   for each name: nearest_add(&n, name);
 *   die_usage("there is no point '%s'%s", "ephocs", nearest_hint(&n));
 */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

enum { NEAREST_WORD = 64 };

struct nearest {
	const char *word; /* as given; not copied */
	size_t distance;  /* of the nearest so far, below NEAREST_WORD; else none is near */
	int names, full;  /* how many were added; the list has no room for more */
	char name[NEAREST_WORD], list[160], hint[200];
};

/* Edits (Damerau and Levenshtein: a byte inserted, left out, changed, or two neighbours changed over; no byte twice) that turn a into b, A
 * to Z and a to z being the same, and - and _; NEAREST_WORD where one has NEAREST_WORD bytes or more. */
size_t nearest_distance(const char *a, const char *b);
struct nearest nearest_of(const char *word);
/* One of the names that there are; of equally near ones the first counts. Near is a distance of at most a third of the word's length,
 * rounded to the nearest whole number. */
void nearest_add(struct nearest *n, const char *name);
/* The same for words separated by |, as OPT_CHOICE has them. */
void nearest_add_choices(struct nearest *n, const char *words);
/* " (did you mean NAME?)", or "" where none is near. Valid as long as n is. */
const char *nearest_hint(struct nearest *n);
/* The same, but where none is near all names, " (there are a, b, c)", or as many of them as a line takes. */
const char *nearest_or_all(struct nearest *n);

#endif
