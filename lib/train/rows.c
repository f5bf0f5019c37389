/* Rows in memory or in a file. */
#include "lib/train/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/memory.h"
#include "lib/base/unlinked.h"

#define NAME "a temporary file for rows that don't fit in memory"

int rows_fit(uint64_t n, int V)
{
	return (double)n * V * (double)sizeof(real) <= memory_left() / 3;
}

struct rows *rows_new(uint32_t n, int V, const char *near)
{
	struct rows *r = xcalloc(1, sizeof *r);
	*r = (struct rows){.n = n, .V = V};
	if (rows_fit(n, V))
		r->memory = xcalloc((size_t)n * (size_t)V, sizeof *r->memory);
	else
		r->file = unlinked_open(near, NAME);
	return r;
}

/* Reads (way 0) or writes n rows of the file from `at` on. */
static void transfer(struct rows *r, uint32_t at, void *p, uint32_t n, int way)
{
	size_t row = (size_t)r->V * sizeof(real), all = n * row, done = 0;
	while (done < all) {
		off_t from = (off_t)(at * row + done);
		ssize_t k = way ? pwrite(fileno(r->file), (char *)p + done, all - done, from)
				: pread(fileno(r->file), (char *)p + done, all - done, from);
		if ((k < 0 && errno != EINTR) || !k)
			die_errno(NAME);
		done += k > 0 ? (size_t)k : 0;
	}
}

void rows_put(struct rows *r, uint32_t at, const real *from, uint32_t n)
{
	if (r->memory)
		memcpy(r->memory + at * (size_t)r->V, from, n * (size_t)r->V * sizeof *from);
	else
		transfer(r, at, (void *)from, n, 1);
}

const real *rows_get(struct rows *r, uint32_t at, uint32_t n)
{
	size_t values = n * (size_t)r->V;
	if (r->memory)
		return r->memory + at * (size_t)r->V;
	if (values > r->room)
		r->buffer = xrealloc(r->buffer, (r->room = values) * sizeof *r->buffer);
	transfer(r, at, r->buffer, n, 0);
	return r->buffer;
}

void rows_gather(struct rows *r, real *to, const uint32_t *row, int B)
{
	for (int b = 0; b < B; b++, to += r->V)
		memcpy(to, rows_get(r, row[b], 1), (size_t)r->V * sizeof *to);
}

void rows_free(struct rows *r)
{
	if (!r)
		return;
	if (r->file)
		fclose(r->file);
	free(r->memory), free(r->buffer), free(r);
}
