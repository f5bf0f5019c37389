/* A set of 32-bit numbers: bits in pages that come when they are needed, so a bit a number where they are dense; 512 MiB at most. */
#ifndef ID_SET_H
#define ID_SET_H

#include <stdint.h>

struct id_set {
	unsigned char **page; /* zeros at first: (struct id_set){0} is empty */
};

int id_set_add(struct id_set *s, uint32_t id); /* 1 if it is in the set already */
void id_set_free(struct id_set *s);

#endif
