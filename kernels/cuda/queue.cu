/* The launch queue: flushes, and a cache of CUDA graphs with least-recently-used eviction. */
#include <stdlib.h>

#include "kernels/cuda/queue.h"

extern "C" {
#include "lib/base/err.h"
}

void queue_open(struct queue *q)
{
	memset(q, 0, sizeof *q);
	q->launches = (struct launch *)xcalloc(QUEUE_LAUNCHES, sizeof *q->launches);
}

static void graph_evict(struct cached_graph *g)
{
	if (!g->graph)
		return;
	gpu_graph_free(g->graph);
	free(g->launches);
	memset(g, 0, sizeof *g);
}

void queue_close(struct queue *q)
{
	queue_flush(q);
	for (int i = 0; i < QUEUE_GRAPHS; i++)
		graph_evict(&q->graph[i]);
	free(q->launches);
}

static int same_args(const struct launch *a, const struct launch *b)
{
	return a->bytes == b->bytes && !memcmp(a->args, b->args, (size_t)a->bytes);
}

/* Whether b can replace a in a graph: same kernel, grid and block; for a cuBLAS GEMM, whose arguments in a graph can't be updated, the
 * same arguments. */
static int same_shape(const struct launch *a, const struct launch *b)
{
	return a->kernel == b->kernel && !memcmp(&a->grid, &b->grid, sizeof a->grid) && !memcmp(&a->block, &b->block, sizeof a->block) &&
	       a->shared == b->shared && a->n == b->n && a->bytes == b->bytes && (a->kernel || same_args(a, b));
}

/* FNV-1a; hash_of is equal where same_shape holds for all launches. */
static uint64_t fnv1a(uint64_t h, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const unsigned char *)p)[i]) * 0x100000001b3u;
	return h;
}

static uint64_t hash_of(const struct launch *c, int n)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (int i = 0; i < n; i++, c++) {
		h = fnv1a(h, &c->kernel, sizeof c->kernel);
		h = fnv1a(h, &c->grid, sizeof c->grid);
		h = fnv1a(h, c->kernel ? (const void *)&c->block : c->args, c->kernel ? sizeof c->block : (size_t)c->bytes);
	}
	return h;
}

/* Whether g is of the queue's kernels, grids and blocks. */
static int graph_fits(const struct queue *q, const struct cached_graph *g, uint64_t hash)
{
	int same = g->graph && g->hash == hash && g->n == q->n;
	for (int k = 0; same && k < q->n; k++)
		same = same_shape(&g->launches[k], &q->launches[k]);
	return same;
}

/* The graph for the queued launches: that of this flush of an epoch, which is looked for alone as long as there is one; or, where QUEUE_SAME
 * of their shape are kept, the least recently used of those; else NULL. */
static struct cached_graph *graph_find(struct queue *q, uint64_t hash)
{
	struct cached_graph *oldest = NULL;
	int n = 0;
	for (int i = 0; i < QUEUE_GRAPHS; i++)
		if (q->graph[i].flush_index == q->flush_index && graph_fits(q, &q->graph[i], hash))
			return &q->graph[i];
	for (int i = 0; i < QUEUE_GRAPHS; i++) {
		struct cached_graph *g = &q->graph[i];
		if (!graph_fits(q, g, hash))
			continue;
		n++;
		if (!oldest || g->last_used < oldest->last_used)
			oldest = g;
	}
	return n >= QUEUE_SAME ? oldest : NULL;
}

static struct cached_graph *graph_make(struct queue *q, uint64_t hash)
{
	struct cached_graph *g = &q->graph[0];
	for (int i = 1; i < QUEUE_GRAPHS && g->graph; i++)
		if (!q->graph[i].graph || q->graph[i].last_used < g->last_used)
			g = &q->graph[i];
	graph_evict(g);
	g->launches = (struct launch *)xcalloc((size_t)q->n, sizeof *g->launches);
	memcpy(g->launches, q->launches, (size_t)q->n * sizeof *g->launches);
	g->graph = gpu_graph(g->launches, q->n);
	g->n = q->n, g->hash = hash, g->flush_index = q->flush_index;
	q->graphs++;
	return g;
}

static void graph_update(struct queue *q, struct cached_graph *g)
{
	for (int i = 0; i < q->n; i++)
		if (!same_args(&g->launches[i], &q->launches[i])) {
			g->launches[i] = q->launches[i];
			gpu_graph_set(g->graph, i, &g->launches[i]);
			q->sets++;
		}
}

/* Each launch by itself, which gpu_graph_run waits for. */
static void run_each(const struct launch *c, int n)
{
	for (int i = 0; i < n; i++) {
		struct graph *g = gpu_graph(&c[i], 1);
		gpu_graph_run(g);
		gpu_graph_free(g);
	}
}

/* Starts the first n launches on the GPU, as a graph unless they are few. */
static void flush_first(struct queue *q, int n)
{
	int left = q->n - n, gemms = 0;
	q->n = n;
	for (int i = 0; i < n && n < QUEUE_FEW; i++)
		gemms += !q->launches[i].kernel;
	if (gpu_waits_each()) {
		run_each(q->launches, n);
	} else if (n < QUEUE_FEW && !gemms) {
		for (int i = 0; i < n; i++)
			gpu_run(&q->launches[i]);
	} else {
		uint64_t hash = hash_of(q->launches, n);
		struct cached_graph *g = graph_find(q, hash);
		if (g)
			graph_update(q, g);
		else
			g = graph_make(q, hash);
		g->last_used = ++q->clock;
		gpu_graph_run(g->graph);
		q->runs++;
	}
	q->flush_index++;
	memmove(q->launches, q->launches + n, (size_t)left * sizeof *q->launches);
	q->n = left;
}

/* Where a full queue is cut: in its second half, the last point from which launches repeat those at its beginning; else its end. */
static int cut_point(const struct queue *q)
{
	for (int at = q->n - QUEUE_ALIKE; at >= q->n / 2; at--) {
		int k = 0;
		while (k < QUEUE_ALIKE && same_shape(&q->launches[k], &q->launches[at + k]))
			k++;
		if (k == QUEUE_ALIKE)
			return at;
	}
	return q->n;
}

void queue_settle(struct queue *q)
{
	void (*waiting)(struct queue *) = q->waiting;
	q->waiting = NULL;
	if (waiting)
		waiting(q);
}

struct launch *queue_next(struct queue *q)
{
	queue_settle(q);
	if (q->n == QUEUE_LAUNCHES)
		flush_first(q, cut_point(q));
	return &q->launches[q->n++];
}

void queue_flush(struct queue *q)
{
	queue_settle(q);
	if (q->n)
		flush_first(q, q->n);
	q->flush_index = 0;
}

struct launch *queue_last(struct queue *q, const void *kernel)
{
	queue_settle(q);
	return q->n && q->launches[q->n - 1].kernel == kernel ? &q->launches[q->n - 1] : NULL;
}

/* One argument, by its kind: integers and floats as numbers, pointers in hexadecimal, of structs the first words as integers. */
static int argument_text(char *to, size_t size, const struct launch *c, int i)
{
	const unsigned char *p = c->args + c->offset[i];
	int bytes = c->size[i], n = 0, word;
	long long whole = 0;
	float f;
	double d;
	void *pointer;
	switch (c->kind[i]) {
	case LAUNCH_POINTER:
		memcpy(&pointer, p, sizeof pointer);
		return snprintf(to, size, " %p", pointer);
	case LAUNCH_REAL:
		memcpy(&f, p, sizeof f), memcpy(&d, p, bytes < 8 ? sizeof f : sizeof d);
		return snprintf(to, size, " %g", bytes < 8 ? (double)f : d);
	case LAUNCH_INTEGER:
		memcpy(&whole, p, (size_t)bytes), memcpy(&word, p, sizeof word);
		return snprintf(to, size, " %lld", bytes == 4 ? word : whole);
	}
	for (int at = 0; at + 4 <= bytes && at < 64 && n < (int)size; at += 4) {
		memcpy(&word, p + at, sizeof word);
		n += snprintf(to + n, size - (size_t)n, "%s%d", at ? "," : " {", word);
	}
	return n < (int)size ? n + snprintf(to + n, size - (size_t)n, bytes > 64 ? ",...}" : "}") : n;
}

const char *launch_text(char *to, size_t size, const struct launch *c)
{
	struct cublas_gemm p;
	if (!c->kernel) {
		memcpy(&p, c->args, sizeof p);
		snprintf(to, size, "cuBLAS, a product of %d x %d x %d", p.M, p.N, p.K);
		return to;
	}
	int n = snprintf(to, size, "kernel %.200s, grid (%u, %u, %u), block (%u, %u, %u), %u bytes of shared memory, arguments", c->name,
		c->grid.x, c->grid.y, c->grid.z, c->block.x, c->block.y, c->block.z, c->shared);
	for (int i = 0; i < c->n && n < (int)size; i++)
		n += argument_text(to + n, size - (size_t)n, c, i);
	return to;
}
