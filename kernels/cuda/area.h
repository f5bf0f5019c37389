/* Memory between guard pages, for kernels that run on the host: a read or write outside of an area traps, and area_describe says how far
 * outside. The area's bytes end where its pages do, but for alignment; the bytes left over in its pages can be checked for AREA_POISON. */
#ifndef AREA_H
#define AREA_H

#include <stddef.h>

enum { AREA_ALIGN = 32, AREA_POISON = 0xff };

struct area { /* bytes from `at` on; guard pages before `first` and from `end` on */
	char *at, *first, *end;
	size_t bytes;
};

/* poison: all bytes, and those left over in the pages, are AREA_POISON, else 0. at is NULL where memory is lacking. */
struct area area_new(size_t bytes, int poison = 1);
void area_free(struct area a);
/* Writes to `to` how far p is outside of the bytes; kind: "device", "shared". 0 where p is neither in the area nor in its guards. */
int area_describe(char *to, size_t size, const struct area *a, const char *kind, const char *p);
/* Whether [from, end) is still AREA_POISON. */
int area_poisoned(const char *from, const char *end);
/* Bytes rounded up to whole pages. */
size_t area_pages(size_t bytes);

#endif
