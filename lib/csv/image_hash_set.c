/* Open addressing with linear probing; the hash is a chain of folded multiplications. */
#include "lib/csv/image_hash_set.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

struct entry {
	uint64_t hash;
	uint32_t hash2, row; /* hash, hash2: 64 and 32 bits; row 0: free */
};

struct image_hash_set {
	struct entry *slot;
	size_t capacity, used; /* capacity: a power of two */
};

/* Folded multiplication: the halves of the 128-bit product, xored, so that every input bit affects every output bit. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;
	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* Four independent chains, 64 bytes a step, to keep the multiplier busy. The odd constants are the fractional bits of the square roots of
 * 2, 3, 5, 7, 11, 13, 17 and 19. */
static void hash(const unsigned char *p, size_t n, uint64_t *h, uint32_t *hash2)
{
	uint64_t a = 0x6a09e667f3bcc909u, b = 0xbb67ae8584caa73bu, c = 0x3c6ef372fe94f82bu, d = 0xa54ff53a5f1d36f1u, v[8];
	size_t left = n;
	for (; left; p += 64) {
		size_t chunk = left < 64 ? left : 64;
		if (chunk < 64)
			memset(v, 0, sizeof v);
		memcpy(v, p, chunk);
		a = mix(a ^ v[0], v[1] ^ 0x510e527fade682d1u);
		b = mix(b ^ v[2], v[3] ^ 0x9b05688c2b3e6c1fu);
		c = mix(c ^ v[4], v[5] ^ 0x1f83d9abfb41bd6bu);
		d = mix(d ^ v[6], v[7] ^ 0x5be0cd19137e2179u);
		left -= chunk;
	}
	*h = mix(a ^ n, b ^ 0x510e527fade682d1u) ^ mix(c ^ 0x9b05688c2b3e6c1fu, d);
	*hash2 = (uint32_t)(mix(a ^ c, b + d) >> 32);
}

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
	hash(data, n, &h, &hash2);
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
