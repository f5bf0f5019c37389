/* Open addressing with linear probing. */
#include "lib/csv/image_hash_set.h"

#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/hash.h"

struct entry {
	uint64_t hash;
	uint32_t hash2, row; /* hash, hash2: 64 and 32 bits; row 0: free */
};

struct image_hash_set {
	struct entry *slot;
	size_t capacity, used; /* capacity: a power of two */
};

struct image_hash_set *image_hash_set_new(void)
{
	struct image_hash_set *s = xcalloc(1, sizeof *s);
	s->capacity = 1024;
	s->slot = xcalloc(s->capacity, sizeof *s->slot);
	return s;
}

/* The slot of the entry, or the free slot where it belongs. */
static struct entry *find(const struct image_hash_set *s, uint64_t h, uint32_t hash2)
{
	size_t i = h & (s->capacity - 1);
	while (s->slot[i].row && (s->slot[i].hash != h || s->slot[i].hash2 != hash2))
		i = (i + 1) & (s->capacity - 1);
	return &s->slot[i];
}

uint32_t image_hash_set_add(struct image_hash_set *s, const void *data, size_t n, uint32_t row)
{
	uint64_t h;
	uint32_t hash2;
	hash_bytes(data, n, &h, &hash2);
	struct entry *e = find(s, h, hash2);
	if (e->row)
		return e->row;
	*e = (struct entry){h, hash2, row};
	if (++s->used > s->capacity / 8 * 7) {
		struct image_hash_set old = *s;
		s->capacity *= 2;
		s->slot = xcalloc(s->capacity, sizeof *s->slot);
		for (size_t i = 0; i < old.capacity; i++)
			if (old.slot[i].row)
				*find(s, old.slot[i].hash, old.slot[i].hash2) = old.slot[i];
		free(old.slot);
	}
	return 0;
}

void image_hash_set_free(struct image_hash_set *s)
{
	if (s)
		free(s->slot);
	free(s);
}
