/* Whole streams: a regular file is memory-mapped and its payloads are used in place; chunks of a pipe and inflated ones are copied. The
 * checksums of a large file's payloads, and copies of large tensors, are made by all processors. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/crc.h"
#include "lib/base/each_thread.h"
#include "lib/base/err.h"
#include "lib/stream/tns.h"
#include "lib/stream/tns_io.h"

struct chunk {
	uint64_t row, rows;
	const unsigned char *data;
	int own; /* 1: data is a copy, freed with the table */
};

struct tensor {
	struct chunk *chunk;
	size_t n;
	size_t last; /* index of the chunk found last, tried first */
};

struct tns_table {
	struct tns *t;
	struct tensor *tensor;
	void *map;
	size_t size;
	int borrowed; /* map is the caller's memory */
	struct tns_verified *verified;
};

/* A regular file is mapped. path is opened only once: if it is a named pipe, closing it would end its writer by SIGPIPE. */
static void open_or_map(struct tns_table *b, const char *path)
{
	struct stat st;
	const char *name;
	int fd = tns_input(path, &name);
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 && lseek(fd, 0, SEEK_CUR) == 0) {
		b->size = (size_t)st.st_size;
		b->map = mmap(NULL, b->size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (b->map == MAP_FAILED)
			b->map = NULL;
#ifdef MADV_POPULATE_READ
		else /* all of it will be read: all pages in one call instead of one fault each */
			madvise(b->map, b->size, MADV_POPULATE_READ);
#endif
	}
	b->t = b->map ? tns_open_memory(b->map, b->size, name) : tns_open_fd(fd, name);
	if (b->map && fd > 0)
		close(fd);
}

/* Threads for so many bytes: below LARGE starting them would take longer. */
static int threads_for(size_t bytes)
{
	enum { LARGE = 2 << 20, MOST = 16 };
	int n = threads_wanted(0);
	return bytes < LARGE ? 1 : n < MOST ? n : MOST;
}

struct part { /* of the checksums, or copies, of [from, to) of n */
	struct tns_verified *verified;
	const struct chunk *chunk;
	char *to;
	size_t row_bytes, from, end;
};

static void *verify_part(void *arg)
{
	const struct part *p = arg;
	for (size_t i = p->from; i < p->end; i++)
		p->verified[i].crc = crc_add(0, p->verified[i].payload, p->verified[i].n);
	return NULL;
}

static void *copy_part(void *arg)
{
	const struct part *p = arg;
	for (size_t i = p->from; i < p->end; i++)
		memcpy(p->to + p->chunk[i].row * p->row_bytes, p->chunk[i].data, (size_t)p->chunk[i].rows * p->row_bytes);
	return NULL;
}

/* Parts of n items of about equal size. */
static void in_parts(void *(*run)(void *part), struct part all, size_t n, int threads)
{
	struct part part[EACH_THREAD_MAX];
	for (int t = 0; t < threads; t++) {
		part[t] = all;
		part[t].from = n * (size_t)t / (size_t)threads, part[t].end = n * (size_t)(t + 1) / (size_t)threads;
	}
	each_thread(run, part, sizeof *part, threads);
}

/* Computes the checksums of the records' payloads, as far as their headers can be followed; the reader compares them, record by record,
 * after it has verified the header. */
static void verify_ahead(struct tns_table *b)
{
	const unsigned char *m = b->map;
	size_t n = 0, most = 0;
	int threads = threads_for(b->size);
	for (size_t at = TNS_HEADER_BYTES; threads > 1 && at + TNS_HEADER_BYTES <= b->size;) {
		uint32_t type = tns_get32(m + at), stored = tns_get32(m + at + 16);
		size_t all = (size_t)stored + tns_padding(stored, type == TNS_RECORD_END || type == TNS_RECORD_ABRT);
		at += TNS_HEADER_BYTES;
		if (stored > TNS_CHUNK_MAX || all > b->size - at)
			break;
		if (n == most)
			b->verified = xrealloc(b->verified, (most = most ? 2 * most : 64) * sizeof *b->verified);
		b->verified[n++] = (struct tns_verified){m + at, all, 0};
		at += all;
	}
	if (n)
		in_parts(verify_part, (struct part){.verified = b->verified}, n, threads);
	b->t->src->verified = b->verified, b->t->src->nverified = n;
}

static struct tns_table *read_all(struct tns_table *b)
{
	if (b->map)
		verify_ahead(b);
	if (tns_head(b->t) < 0)
		die("%s: %s", b->t->name, b->t->err);
	b->tensor = xcalloc((size_t)b->t->ntensors, sizeof *b->tensor);
	while (tns_next(b->t) == TNS_DATA) {
		struct tensor *x = &b->tensor[b->t->id];
		struct chunk c = {b->t->row, b->t->rows, b->t->data, 0};
		const unsigned char *map = b->map;
		if (!map || c.data < map || c.data >= map + b->size) {
			size_t n = (size_t)c.rows * b->t->def[b->t->id].row_bytes;
			unsigned char *copy = xmalloc(n);
			c.data = memcpy(copy, c.data, n);
			c.own = 1;
		}
		if (!(x->n & (x->n - 1)))
			x->chunk = xrealloc(x->chunk, (x->n ? 2 * x->n : 1) * sizeof *x->chunk);
		x->chunk[x->n++] = c;
	}
	return b;
}

struct tns_table *tns_load(const char *path)
{
	struct tns_table *b = xcalloc(1, sizeof *b);
	open_or_map(b, path);
	return read_all(b);
}

struct tns_table *tns_load_memory(const void *data, size_t n, const char *name)
{
	struct tns_table *b = xcalloc(1, sizeof *b);
	b->map = (void *)data, b->size = n, b->borrowed = 1;
	b->t = tns_open_memory(data, n, name);
	return read_all(b);
}

const struct tns *tns_table_head(const struct tns_table *b)
{
	return b->t;
}

static const struct chunk *find(const struct tns_table *b, int id, uint64_t row)
{
	struct tensor *x = &b->tensor[id];
	assert(id >= 0 && id < b->t->ntensors && row < b->t->def[id].rows);
	size_t lo = 0, hi = x->n, at = __atomic_load_n(&x->last, __ATOMIC_RELAXED);
	if (x->chunk[at].row <= row && row < x->chunk[at].row + x->chunk[at].rows)
		return &x->chunk[at];
	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;
		*(x->chunk[mid].row <= row ? &lo : &hi) = mid;
	}
	__atomic_store_n(&x->last, lo, __ATOMIC_RELAXED);
	return &x->chunk[lo];
}

const void *tns_row(const struct tns_table *b, int id, uint64_t row)
{
	const struct chunk *c = find(b, id, row);
	return c->data + (row - c->row) * b->t->def[id].row_bytes;
}

uint64_t tns_contiguous_rows(const struct tns_table *b, int id, uint64_t row)
{
	const struct chunk *c = find(b, id, row);
	return c->row + c->rows - row;
}

void tns_copy(const struct tns_table *b, int id, void *dst)
{
	const struct tensor *x = &b->tensor[id];
	size_t bytes = b->t->def[id].row_bytes;
	in_parts(copy_part, (struct part){.chunk = x->chunk, .to = dst, .row_bytes = bytes}, x->n,
		threads_for((size_t)b->t->def[id].rows * bytes));
}

void tns_release_rows(struct tns_table *b)
{
	for (int i = 0; i < b->t->ntensors; i++) {
		struct tensor *x = &b->tensor[i];
		for (size_t k = 0; k < x->n; k++)
			if (x->chunk[k].own)
				free((void *)x->chunk[k].data);
		x->n = 0;
	}
	if (b->map && !b->borrowed) /* drops the pages; a page that is still used is read from the file again */
		madvise(b->map, b->size, MADV_DONTNEED);
}

void tns_unload(struct tns_table *b)
{
	for (int i = 0; i < b->t->ntensors; i++) {
		for (size_t k = 0; k < b->tensor[i].n; k++)
			if (b->tensor[i].chunk[k].own)
				free((void *)b->tensor[i].chunk[k].data);
		free(b->tensor[i].chunk);
	}
	free(b->tensor), free(b->verified);
	tns_free(b->t);
	if (b->map && !b->borrowed)
		munmap(b->map, b->size);
	free(b);
}
