/* Memory between guard pages, for kernels that run on the host. An area's bytes end where its pages do, but for alignment; pages that nobody
 * may touch lie before and behind it, so that a read or write outside of it traps, and area_tell says by how much it missed. */
#ifndef AREA_H
#define AREA_H

#include <stddef.h>

enum { AREA_ALIGN = 32, AREA_POISON = 0xff };

struct area { /* of memory: bytes from `at` on; guards around the pages from `first` to `end` */
	char *at, *first, *end;
	size_t bytes;
};

/* All of it, and what fills its pages, is AREA_POISON at first. at is NULL where there is no room. */
struct area area_new(size_t bytes);
void area_free(struct area a);
/* How far p is outside of the bytes, in words; 0 where it is neither in the area nor in its guards. */
int area_tell(char *to, size_t size, const struct area *a, const char *kind, const char *p);
/* [from, end) is AREA_POISON still. */
int area_poisoned(const char *from, const char *end);
/* bytes, rounded up to whole pages. */
size_t area_pages(size_t bytes);

#endif
