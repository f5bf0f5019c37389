/* Rows by key (mostly an id): a sorted array and binary search. */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stddef.h>
#include <stdint.h>

struct lookup_key {
	uint64_t key;
	size_t row;
};

struct lookup {
	size_t n;
	struct lookup_key *by; /* sorted by key, equal keys by row */
};

/* Builds l from n keys, the key of row i at i; keys are copied. */
void lookup_make(struct lookup *l, const uint64_t *keys, size_t n);
/* Index of the first entry with this key, those with an equal key follow it; n if there is none. */
size_t lookup_first(const struct lookup *l, uint64_t key);
/* Index of the first entry whose key equals that of the entry before it, or n if all keys differ. */
size_t lookup_duplicate(const struct lookup *l);
void lookup_free(struct lookup *l);

#endif
