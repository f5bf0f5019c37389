/* Images in memory or in their file. */
#include "lib/train/image_store.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/memory.h"

struct image_store {
	int owners;
	uint64_t n; /* all, those of before among them */
	size_t bytes;
	uint8_t *memory; /* (n - before's, bytes); NULL: in the file of table */
	const struct tns_table *table;
	int id;
	uint64_t *row;		    /* (rows): of images that were received, which memory holds; NULL: it holds all */
	size_t rows, found;	    /* found: the one that was asked for last */
	struct image_store *before; /* has the first rows; NULL: nothing */
};

double image_store_most(void)
{
	return memory_left() / 3;
}

struct image_store *image_store_memory(uint8_t *images, uint64_t n, size_t bytes)
{
	struct image_store *s = xcalloc(1, sizeof *s);
	*s = (struct image_store){.owners = 1, .n = n, .bytes = bytes, .memory = images};
	return s;
}

struct image_store *image_store_new(const struct tns_table *b, int id)
{
	const struct tns_def *d = &tns_table_head(b)->def[id];
	struct image_store *s = image_store_memory(NULL, d->rows, d->row_bytes);
	if (tns_in_file(b, id)) {
		s->table = b, s->id = id;
	} else {
		s->memory = xmalloc((size_t)d->rows * d->row_bytes);
		tns_copy(b, id, s->memory);
	}
	return s;
}

struct image_store *image_store_received(uint64_t n, size_t bytes)
{
	struct image_store *s = image_store_memory(xmalloc(1), n, bytes);
	s->row = xmalloc(sizeof *s->row);
	return s;
}

void image_store_receive(struct image_store *s, const uint64_t *row, size_t n, const uint8_t *images)
{
	s->memory = xrealloc(s->memory, n * s->bytes), s->row = xrealloc(s->row, (n + 1) * sizeof *s->row);
	memcpy(s->memory, images, n * s->bytes), memcpy(s->row, row, n * sizeof *s->row);
	s->rows = n, s->found = n;
}

/* They are asked for in the order in which they came. */
static const uint8_t *received(const struct image_store *s, uint64_t row)
{
	struct image_store *m = (struct image_store *)s;
	for (size_t i = 0; i < s->rows; i++) {
		size_t at = (s->found + 1 + i) % s->rows;
		if (s->row[at] == row)
			return s->memory + (m->found = at) * s->bytes;
	}
	die("row %llu was not sent to this rank", (unsigned long long)row);
}

struct image_store *image_store_share(struct image_store *s)
{
	s->owners++;
	return s;
}

struct image_store *image_store_append(struct image_store *s, const struct tns_table *b, int id)
{
	struct image_store *more = image_store_new(b, id);
	more->before = s, more->n += s->n;
	return more;
}

const uint8_t *image_store_row(const struct image_store *s, uint64_t row, uint8_t *buffer)
{
	while (s->before && row < s->before->n)
		s = s->before;
	row -= s->before ? s->before->n : 0;
	if (s->row)
		return received(s, row);
	return s->memory ? s->memory + row * s->bytes : tns_read_row(s->table, s->id, row, buffer);
}

void image_store_will_read(const struct image_store *s, uint64_t row)
{
	while (s->before && row < s->before->n)
		s = s->before;
	if (!s->memory)
		tns_will_read(s->table, s->id, row - (s->before ? s->before->n : 0));
}

uint64_t image_store_rows(const struct image_store *s)
{
	return s->n;
}

int image_store_in_memory(const struct image_store *s)
{
	return s->memory && (!s->before || image_store_in_memory(s->before));
}

uint8_t *image_store_array(struct image_store *s, const uint32_t *row, size_t n)
{
	int own = s->owners == 1 && s->memory && !s->before;
	uint8_t *to = own ? s->memory : xmalloc(n * s->bytes);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *from = image_store_row(s, row[i], to + i * s->bytes);
		if (from != to + i * s->bytes)
			memmove(to + i * s->bytes, from, s->bytes);
	}
	if (own)
		s->memory = NULL;
	image_store_free(s);
	return to;
}

void image_store_free(struct image_store *s)
{
	if (!s || --s->owners)
		return;
	image_store_free(s->before);
	free(s->memory), free(s->row), free(s);
}
