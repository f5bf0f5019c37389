/* Tiles are counted up by all threads; those of a product are of its columns. */
#include <cblas.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/each_thread.h"
#include "lib/base/err.h"
#include "lib/pca/tiles.h"

enum { ACROSS = 64, ALONG = 512 }; /* columns of a tile: where b is transposed, and where it is not */

struct tiles {
	void (*fn)(void *arg, int tile, void *buffer);
	void *arg;
	int count;
	size_t bytes;
	atomic_int next;
};

static void *work(void *part)
{
	struct tiles *t = *(struct tiles **)part;
	void *buffer = xlarge(t->bytes);
	for (int tile; (tile = atomic_fetch_add(&t->next, 1)) < t->count;)
		t->fn(t->arg, tile, buffer);
	free(buffer);
	return NULL;
}

void tiles_run(int count, int threads, size_t bytes, void (*fn)(void *arg, int tile, void *buffer), void *arg)
{
	struct tiles t = {.fn = fn, .arg = arg, .count = count, .bytes = bytes}, *parts[EACH_THREAD_MAX];
	int n = threads < count ? threads : count;
	n = n < EACH_THREAD_MAX ? n : EACH_THREAD_MAX;
	for (int i = 0; i < n; i++)
		parts[i] = &t;
	each_thread(work, parts, sizeof *parts, n);
}

static int width(const struct tiles_product *p)
{
	return p->transposed ? ACROSS : ALONG;
}

static void multiply_tile(void *arg, int tile, void *buffer)
{
	const struct tiles_product *p = arg;
	int j = tile * width(p), w = p->n - j < width(p) ? p->n - j : width(p);
	(void)buffer;
	cblas_dgemm(CblasRowMajor, CblasNoTrans, p->transposed ? CblasTrans : CblasNoTrans, p->m, w, p->k, p->alpha, p->a, p->k,
		p->b + (size_t)j * (p->transposed ? (size_t)p->k : 1), p->transposed ? p->k : p->n, p->beta, p->c + j, p->n);
}

void tiles_multiply(const struct tiles_product *p, int threads)
{
	struct tiles_product copy = *p;
	tiles_run((p->n + width(p) - 1) / width(p), threads, 0, multiply_tile, &copy);
}
