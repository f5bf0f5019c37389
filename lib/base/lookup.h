/* Rows found by a key (an id, mostly): sorted once, then found by halving. */
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
	struct lookup_key *by; /* sorted by key, rows of equal keys in order */
};

/* Takes n keys in the order of their rows. */
void lookup_make(struct lookup *l, const uint64_t *keys, size_t n);
/* First entry with this key: by[i] and those after it while the key is the same; n if there is none. */
size_t lookup_first(const struct lookup *l, uint64_t key);
/* First entry whose key stood before it already, or n if all are different. */
size_t lookup_twice(const struct lookup *l);
void lookup_free(struct lookup *l);

#endif
