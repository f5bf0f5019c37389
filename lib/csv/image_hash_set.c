#include "lib/csv/image_hash_set.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

struct entry {
	uint64_t hash;
	uint32_t more, row; /* row 0: free */
};

struct image_hash_set {
	struct entry *slot;
	size_t room, used; /* room: a power of two */
};

/* The two halves of a product of 64 x 64 bits, folded: every bit of both shapes every bit of the result. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;
	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* Four chains side by side, 64 bytes a step, so that the multiplier is never idle. The odd constants are the fractional bits of the square
 * roots of 2, 3, 5, 7, 11, 13, 17 and 19. */
static void hash(const unsigned char *p, size_t n, uint64_t *h, uint32_t *more)
{
	uint64_t a = 0x6a09e667f3bcc909u, b = 0xbb67ae8584caa73bu, c = 0x3c6ef372fe94f82bu, d = 0xa54ff53a5f1d36f1u, v[8];
	size_t left = n;
	for (; left; p += 64) {
		size_t take = left < 64 ? left : 64;
		if (take < 64)
			memset(v, 0, sizeof v);
		memcpy(v, p, take);
		a = mix(a ^ v[0], v[1] ^ 0x510e527fade682d1u);
		b = mix(b ^ v[2], v[3] ^ 0x9b05688c2b3e6c1fu);
		c = mix(c ^ v[4], v[5] ^ 0x1f83d9abfb41bd6bu);
		d = mix(d ^ v[6], v[7] ^ 0x5be0cd19137e2179u);
		left -= take;
	}
	*h = mix(a ^ n, b ^ 0x510e527fade682d1u) ^ mix(c ^ 0x9b05688c2b3e6c1fu, d);
	*more = (uint32_t)(mix(a ^ c, b + d) >> 32);
}

struct image_hash_set *image_hash_set_new(void)
{
	struct image_hash_set *s = xcalloc(1, sizeof *s);
	s->room = 1024;
	s->slot = xcalloc(s->room, sizeof *s->slot);
	return s;
}

/* Where the entry is, or where it may go. */
static struct entry *find(const struct image_hash_set *s, uint64_t h, uint32_t more)
{
	size_t i = h & (s->room - 1);
	while (s->slot[i].row && (s->slot[i].hash != h || s->slot[i].more != more))
		i = (i + 1) & (s->room - 1);
	return &s->slot[i];
}

uint32_t image_hash_set_add(struct image_hash_set *s, const void *data, size_t n, uint32_t row)
{
	uint64_t h;
	uint32_t more;
	hash(data, n, &h, &more);
	struct entry *e = find(s, h, more);
	if (e->row)
		return e->row;
	*e = (struct entry){h, more, row};
	if (++s->used > s->room / 8 * 7) {
		struct image_hash_set old = *s;
		s->room *= 2;
		s->slot = xcalloc(s->room, sizeof *s->slot);
		for (size_t i = 0; i < old.room; i++)
			if (old.slot[i].row)
				*find(s, old.slot[i].hash, old.slot[i].more) = old.slot[i];
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
