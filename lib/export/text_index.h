/* A number for each of a set of texts, which are copied: a hash table, so that a million names take no time. */
#ifndef TEXT_INDEX_H
#define TEXT_INDEX_H

#include <stdint.h>

struct text_index;

struct text_index *text_index_new(void);
/* The text's number, to be read or set until the next call: 0 where it was not there yet. */
uint64_t *text_index_at(struct text_index *x, const char *text);
void text_index_free(struct text_index *x);

#endif
