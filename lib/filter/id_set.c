/* Bits in pages of 8 KiB. */
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/filter/id_set.h"

enum { PAGES = 1 << 16, PAGE_BYTES = 1 << 13 };

int id_set_add(struct id_set *s, uint32_t id)
{
	if (!s->page)
		s->page = xcalloc(PAGES, sizeof *s->page);
	unsigned char **page = &s->page[id >> 16];
	if (!*page)
		*page = xcalloc(PAGE_BYTES, 1);
	unsigned char *byte = &(*page)[(id & 0xFFFF) >> 3], bit = (unsigned char)(1u << (id & 7));
	if (*byte & bit)
		return 1;
	*byte |= bit;
	return 0;
}

void id_set_free(struct id_set *s)
{
	for (int i = 0; s->page && i < PAGES; i++)
		free(s->page[i]);
	free(s->page);
	s->page = NULL;
}
