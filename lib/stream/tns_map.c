/* Whole streams: a regular file is memory-mapped and its payloads are used in place, or read row by row; chunks of a pipe and inflated ones
 * are copied. The checksums of a mapped file's payloads, and copies of large tensors, are made by all processors. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
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
	const unsigned char *data; /* NULL: in the file, from at on */
	uint64_t at;
	int own; /* 1: data is a copy, freed with the table */
};

struct tensor {
	struct chunk *chunk;
	size_t n;
	size_t last;   /* index of the chunk found last, tried first */
	uint32_t *crc; /* (rows): of rows in the file, each its checksum; NULL: there are none */
	size_t room;   /* of crc */
};

struct tns_table {
	struct tns *t;
	struct tensor *tensor;
	void *map;
	size_t size;
	int borrowed; /* map is the caller's memory */
	int in_file;  /* rows that are large and not packed stay there */
	struct tns_verified *verified;
};

/* A regular file is mapped, or, if it has more than `most` bytes, read. path is opened only once: if it is a named pipe, closing it would
 * end its writer by SIGPIPE. */
static void open_or_map(struct tns_table *b, const char *path, double most)
{
	struct stat st;
	const char *name;
	int fd = tns_input(path, &name);
	int whole = !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 && lseek(fd, 0, SEEK_CUR) == 0;
	if (whole && (double)st.st_size > most) {
		b->in_file = 1;
	} else if (whole) {
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
		if (p->chunk[i].data)
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

/* Notes the checksums of a chunk's rows. */
static void note_rows(struct tensor *x, const struct tns *t)
{
	size_t bytes = t->def[t->id].row_bytes, n = (size_t)(t->row + t->rows);
	if (n > x->room)
		x->crc = xrealloc(x->crc, (x->room = n > 2 * x->room ? n : 2 * x->room) * sizeof *x->crc);
	for (uint64_t i = 0; i < t->rows; i++)
		x->crc[t->row + i] = crc_add(0, t->data + i * bytes, bytes);
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
		struct chunk c = {.row = b->t->row, .rows = b->t->rows, .data = b->t->data};
		const struct tns_def *d = &b->t->def[b->t->id];
		const unsigned char *map = b->map;
		if (b->in_file && b->t->src->payload_at != TNS_NOWHERE && d->row_bytes >= TNS_FILE_ROW &&
			(!TNS_SWAPS || tns_size(d->dtype) == 1)) {
			note_rows(x, b->t);
			c.data = NULL, c.at = b->t->src->payload_at;
		} else if (!map || c.data < map || c.data >= map + b->size) {
			size_t n = (size_t)c.rows * d->row_bytes;
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
	return tns_load_within(path, INFINITY);
}

struct tns_table *tns_load_within(const char *path, double most)
{
	struct tns_table *b = xcalloc(1, sizeof *b);
	open_or_map(b, path, most);
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

/* Reads rows of a chunk in the file; which rows of the file are others now is told. */
static void read_rows(const struct tns_table *b, int id, const struct chunk *c, uint64_t row, uint64_t n, void *to)
{
	const struct tns_def *d = &b->t->def[id];
	size_t bytes = d->row_bytes, all = (size_t)n * bytes, done = 0;
	while (done < all) {
		ssize_t k = pread(b->t->src->fd, (char *)to + done, all - done, (off_t)(c->at + (row - c->row) * bytes + done));
		if (k < 0 && errno != EINTR)
			die_errno("%s: %s: row %llu", b->t->name, d->name, (unsigned long long)row + 1);
		if (!k)
			die("%s: %s: row %llu is gone: the file was cut while it was in use", b->t->name, d->name,
				(unsigned long long)(row + done / bytes) + 1);
		done += k > 0 ? (size_t)k : 0;
	}
	for (uint64_t i = 0; i < n; i++)
		if (crc_add(0, (char *)to + i * bytes, bytes) != b->tensor[id].crc[row + i])
			die("%s: %s: row %llu is not as it was: the file was changed while it was in use", b->t->name, d->name,
				(unsigned long long)(row + i) + 1);
}

int tns_in_file(const struct tns_table *b, int id)
{
	return b->tensor[id].crc != NULL;
}

const void *tns_read_row(const struct tns_table *b, int id, uint64_t row, void *buffer)
{
	const struct chunk *c = find(b, id, row);
	if (c->data)
		return c->data + (row - c->row) * b->t->def[id].row_bytes;
	read_rows(b, id, c, row, 1, buffer);
	return buffer;
}

void tns_will_read(const struct tns_table *b, int id, uint64_t row)
{
	const struct chunk *c = find(b, id, row);
	size_t bytes = b->t->def[id].row_bytes;
	if (!c->data)
		posix_fadvise(b->t->src->fd, (off_t)(c->at + (row - c->row) * bytes), (off_t)bytes, POSIX_FADV_WILLNEED);
}

static void free_rows(struct tensor *x)
{
	for (size_t k = 0; k < x->n; k++)
		if (x->chunk[k].own)
			free((void *)x->chunk[k].data);
	free(x->crc);
	x->n = x->room = 0, x->crc = NULL;
}

/* From now on all rows are in memory, in one chunk. */
static void keep_rows(const struct tns_table *b, int id)
{
	struct tensor *x = &b->tensor[id];
	uint64_t rows = b->t->def[id].rows;
	unsigned char *all = xmalloc((size_t)rows * b->t->def[id].row_bytes);
	tns_copy(b, id, all);
	free_rows(x);
	x->chunk[0] = (struct chunk){.rows = rows, .data = all, .own = 1};
	x->n = 1, x->last = 0;
}

const void *tns_row(const struct tns_table *b, int id, uint64_t row)
{
	if (tns_in_file(b, id))
		keep_rows(b, id);
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
	for (size_t i = 0; tns_in_file(b, id) && i < x->n; i++)
		if (!x->chunk[i].data)
			read_rows(b, id, &x->chunk[i], x->chunk[i].row, x->chunk[i].rows, (char *)dst + x->chunk[i].row * bytes);
	in_parts(copy_part, (struct part){.chunk = x->chunk, .to = dst, .row_bytes = bytes}, x->n,
		threads_for((size_t)b->t->def[id].rows * bytes));
}

void tns_release_rows(struct tns_table *b)
{
	for (int i = 0; i < b->t->ntensors; i++)
		free_rows(&b->tensor[i]);
	if (b->map && !b->borrowed) /* drops the pages; a page that is still used is read from the file again */
		madvise(b->map, b->size, MADV_DONTNEED);
}

void tns_unload(struct tns_table *b)
{
	for (int i = 0; i < b->t->ntensors; i++)
		free_rows(&b->tensor[i]), free(b->tensor[i].chunk);
	free(b->tensor), free(b->verified);
	tns_free(b->t);
	if (b->map && !b->borrowed)
		munmap(b->map, b->size);
	free(b);
}
