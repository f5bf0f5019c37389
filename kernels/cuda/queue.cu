/* Launches in order, as graphs where they come again. */
#include <stdlib.h>

#include "kernels/cuda/queue.h"

extern "C" {
#include "lib/err.h"
}

void queue_open(struct queue *q)
{
	memset(q, 0, sizeof *q);
	q->calls = (struct call *)xcalloc(QUEUE_CALLS, sizeof *q->calls);
}

static void forget(struct queued *g)
{
	if (!g->graph)
		return;
	card_graph_free(g->graph);
	free(g->calls);
	memset(g, 0, sizeof *g);
}

void queue_close(struct queue *q)
{
	queue_flush(q, 1);
	for (int i = 0; i < QUEUE_GRAPHS; i++)
		forget(&q->graph[i]);
	free(q->calls);
}

struct call *queue_next(struct queue *q)
{
	if (q->n == QUEUE_CALLS)
		queue_flush(q, 0);
	return &q->calls[q->n++];
}

static int same_args(const struct call *a, const struct call *b)
{
	return a->bytes == b->bytes && !memcmp(a->args, b->args, (size_t)a->bytes);
}

/* Of one kernel on one grid; a product has no arguments that could be set later. */
static int same_shape(const struct call *a, const struct call *b)
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

static uint64_t shape_of(const struct call *c, int n)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (int i = 0; i < n; i++, c++) {
		h = mix(h, &c->kernel, sizeof c->kernel);
		h = mix(h, &c->grid, sizeof c->grid);
		h = mix(h, c->kernel ? (const void *)&c->block : c->args, c->kernel ? sizeof c->block : (size_t)c->bytes);
	}
	return h;
}

static struct queued *known(struct queue *q, uint64_t shape)
{
	for (int i = 0; i < QUEUE_GRAPHS; i++) {
		struct queued *g = &q->graph[i];
		int same = g->graph && g->shape == shape && g->n == q->n && g->piece == q->piece;
		for (int k = 0; same && k < q->n; k++)
			same = same_shape(&g->calls[k], &q->calls[k]);
		if (same)
			return g;
	}
	return NULL;
}

static struct queued *make(struct queue *q, uint64_t shape)
{
	struct queued *g = &q->graph[0];
	for (int i = 1; i < QUEUE_GRAPHS && g->graph; i++)
		if (!q->graph[i].graph || q->graph[i].used < g->used)
			g = &q->graph[i];
	forget(g);
	g->calls = (struct call *)xcalloc((size_t)q->n, sizeof *g->calls);
	memcpy(g->calls, q->calls, (size_t)q->n * sizeof *g->calls);
	g->graph = card_graph(g->calls, q->n);
	g->n = q->n, g->shape = shape, g->piece = q->piece;
	q->graphs++;
	return g;
}

static void set_changed(struct queue *q, struct queued *g)
{
	for (int i = 0; i < q->n; i++)
		if (!same_args(&g->calls[i], &q->calls[i])) {
			g->calls[i] = q->calls[i];
			card_graph_set(g->graph, i, &g->calls[i]);
			q->sets++;
		}
}

void queue_flush(struct queue *q, int wait)
{
	if (q->n < QUEUE_FEW) {
		for (int i = 0; i < q->n; i++)
			card_run(&q->calls[i]);
	} else {
		uint64_t shape = shape_of(q->calls, q->n);
		struct queued *g = known(q, shape);
		if (g)
			set_changed(q, g);
		else
			g = make(q, shape);
		g->used = ++q->clock;
		card_graph_run(g->graph);
		q->runs++;
	}
	q->piece = wait ? 0 : q->piece + 1;
	q->n = 0;
}
