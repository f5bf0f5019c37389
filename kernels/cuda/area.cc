/* Areas by mmap: readable and writable pages inside a larger reservation without access (PROT_NONE), the guard pages. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/cuda/area.h"
#include "kernels/cuda/race.h"

enum { GUARD = 1 << 20 };

size_t area_pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	return (bytes + page - 1) / page * page;
}

struct area area_new(size_t bytes, int poison)
{
	struct area a = {NULL, NULL, NULL, bytes};
	size_t size = area_pages(bytes);
	void *p = mmap(NULL, size + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return a;
	a.first = (char *)p + GUARD, a.end = a.first + size;
	if (size && mprotect(a.first, size, PROT_READ | PROT_WRITE)) {
		munmap(p, size + 2 * GUARD);
		return a;
	}
	if (poison)
		memset(a.first, AREA_POISON, size);
	a.at = a.end - (bytes + AREA_ALIGN - 1) / AREA_ALIGN * AREA_ALIGN;
	race_map(a.first, a.end, a.at);
	return a;
}

void area_free(struct area a)
{
	if (!a.at)
		return;
	race_unmap(a.first, a.end);
	munmap(a.first - GUARD, (size_t)(a.end - a.first) + 2 * GUARD);
}

int area_poisoned(const char *from, const char *end)
{
	for (; from < end; from++)
		if (*from != (char)AREA_POISON)
			return 0;
	return 1;
}

int area_describe(char *to, size_t size, const struct area *a, const char *kind, const char *p)
{
	if (p < a->first - GUARD || p >= a->end + GUARD)
		return 0;
	return snprintf(to, size, "%zu bytes %s %zu bytes of %s memory", (size_t)(p < a->at ? a->at - p : p - a->at - (ptrdiff_t)a->bytes),
		p < a->at ? "before" : "beyond", a->bytes, kind);
}
