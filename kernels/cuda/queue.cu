/* Launches in order, as graphs where they come again. */
#include <stdlib.h>

#include "kernels/cuda/queue.h"

extern "C" {
#include "lib/base/err.h"
}

void queue_open(struct queue *q)
{
	memset(q, 0, sizeof *q);
	q->calls = (struct launch *)xcalloc(QUEUE_LAUNCHES, sizeof *q->calls);
}

static void forget(struct queued *g)
{
	if (!g->graph)
		return;
	gpu_graph_free(g->graph);
	free(g->calls);
	memset(g, 0, sizeof *g);
}

void queue_close(struct queue *q)
{
	queue_flush(q);
	for (int i = 0; i < QUEUE_GRAPHS; i++)
		forget(&q->graph[i]);
	free(q->calls);
}

static int same_args(const struct launch *a, const struct launch *b)
{
	return a->bytes == b->bytes && !memcmp(a->args, b->args, (size_t)a->bytes);
}

/* Of one kernel on one grid; a product has no arguments that could be set later. */
static int same_shape(const struct launch *a, const struct launch *b)
{
	return a->kernel == b->kernel && !memcmp(&a->grid, &b->grid, sizeof a->grid) && !memcmp(&a->block, &b->block, sizeof a->block) &&
	       a->shared == b->shared && a->n == b->n && a->bytes == b->bytes && (a->kernel || same_args(a, b));
}

/* FNV-1a of what same_shape looks at. */
static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const unsigned char *)p)[i]) * 0x100000001b3u;
	return h;
}

static uint64_t shape_of(const struct launch *c, int n)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (int i = 0; i < n; i++, c++) {
		h = mix(h, &c->kernel, sizeof c->kernel);
		h = mix(h, &c->grid, sizeof c->grid);
		h = mix(h, c->kernel ? (const void *)&c->block : c->args, c->kernel ? sizeof c->block : (size_t)c->bytes);
	}
	return h;
}

/* The graph of this piece of an epoch, or, where enough of its shape are kept, the one of them that was used longest ago. */
static struct queued *known(struct queue *q, uint64_t shape)
{
	struct queued *oldest = NULL;
	int n = 0;
	for (int i = 0; i < QUEUE_GRAPHS; i++) {
		struct queued *g = &q->graph[i];
		int same = g->graph && g->shape == shape && g->n == q->n;
		for (int k = 0; same && k < q->n; k++)
			same = same_shape(&g->calls[k], &q->calls[k]);
		if (same && g->piece == q->piece)
			return g;
		n += same;
		if (same && (!oldest || g->used < oldest->used))
			oldest = g;
	}
	return n >= QUEUE_SAME ? oldest : NULL;
}

static struct queued *make(struct queue *q, uint64_t shape)
{
	struct queued *g = &q->graph[0];
	for (int i = 1; i < QUEUE_GRAPHS && g->graph; i++)
		if (!q->graph[i].graph || q->graph[i].used < g->used)
			g = &q->graph[i];
	forget(g);
	g->calls = (struct launch *)xcalloc((size_t)q->n, sizeof *g->calls);
	memcpy(g->calls, q->calls, (size_t)q->n * sizeof *g->calls);
	g->graph = gpu_graph(g->calls, q->n);
	g->n = q->n, g->shape = shape, g->piece = q->piece;
	q->graphs++;
	return g;
}

static void set_changed(struct queue *q, struct queued *g)
{
	for (int i = 0; i < q->n; i++)
		if (!same_args(&g->calls[i], &q->calls[i])) {
			g->calls[i] = q->calls[i];
			gpu_graph_set(g->graph, i, &g->calls[i]);
			q->sets++;
		}
}

/* The first n calls go to the GPU. */
static void flush(struct queue *q, int n)
{
	int rest = q->n - n, products = 0;
	q->n = n;
	for (int i = 0; i < n && n < QUEUE_FEW; i++)
		products += !q->calls[i].kernel;
	if (n < QUEUE_FEW && !products) {
		for (int i = 0; i < n; i++)
			gpu_run(&q->calls[i]);
	} else {
		uint64_t shape = shape_of(q->calls, n);
		struct queued *g = known(q, shape);
		if (g)
			set_changed(q, g);
		else
			g = make(q, shape);
		g->used = ++q->clock;
		gpu_graph_run(g->graph);
		q->runs++;
	}
	q->piece++;
	memmove(q->calls, q->calls + n, (size_t)rest * sizeof *q->calls);
	q->n = rest;
}

/* Where a full queue is cut: as late as its calls begin again, in its second half; else at its end. */
static int cut_of(const struct queue *q)
{
	for (int at = q->n - QUEUE_ALIKE; at >= q->n / 2; at--) {
		int k = 0;
		while (k < QUEUE_ALIKE && same_shape(&q->calls[k], &q->calls[at + k]))
			k++;
		if (k == QUEUE_ALIKE)
			return at;
	}
	return q->n;
}

struct launch *queue_next(struct queue *q)
{
	if (q->n == QUEUE_LAUNCHES)
		flush(q, cut_of(q));
	return &q->calls[q->n++];
}

void queue_flush(struct queue *q)
{
	if (q->n)
		flush(q, q->n);
	q->piece = 0;
}

struct launch *queue_last(struct queue *q, const void *kernel)
{
	return q->n && q->calls[q->n - 1].kernel == kernel ? &q->calls[q->n - 1] : NULL;
}
