/* The table of the fast hand; its memory is the readable hand's. */
#include "kernels/cpu/blas.h"
#include <stdio.h>
#include <stdlib.h>

#include "kernels/cpu/cpu.h"
#include "lib/err.h"

float *cpu_scratch(struct cpu *c, int thread, size_t n)
{
	if (c->size[thread] < n) {
		free(c->scratch[thread]);
		c->scratch[thread] = xmalloc(n * sizeof(float));
		c->size[thread] = n;
	}
	return c->scratch[thread];
}

float *cpu_shards(struct cpu *c, size_t n)
{
	if (c->shards_size < n) {
		free(c->shards);
		c->shards = xmalloc(n * sizeof(float));
		c->shards_size = n;
	}
	return c->shards;
}

struct slices {
	size_t n, grain;
	void (*fn)(void *arg, size_t from, size_t to);
	void *arg;
};

static void slice(void *arg, int task, int thread)
{
	const struct slices *s = arg;
	size_t from = (size_t)task * s->grain, to = from + s->grain;
	(void)thread;
	s->fn(s->arg, from, to < s->n ? to : s->n);
}

void cpu_slices(struct cpu *c, size_t n, size_t grain, void (*fn)(void *arg, size_t from, size_t to), void *arg)
{
	struct slices s = {n, grain ? grain : 1, fn, arg};
	if (n)
		pool_run(c->pool, (int)((n + s.grain - 1) / s.grain), slice, &s);
}

static void cpu_close(struct ops *o)
{
	struct cpu *c = o->ctx;
	for (int i = 0; i < pool_threads(c->pool); i++)
		free(c->scratch[i]);
	pool_close(c->pool);
	free(c->scratch), free(c->size), free(c->shards), free(c), free(o);
}

struct ops *ops_cpu(int threads)
{
	struct ops *o = ops_ref();
	struct cpu *c = xcalloc(1, sizeof *c);
	openblas_set_num_threads(1);
	c->pool = pool_open(threads);
	c->scratch = xcalloc((size_t)pool_threads(c->pool), sizeof *c->scratch);
	c->size = xcalloc((size_t)pool_threads(c->pool), sizeof *c->size);
	snprintf(c->kernel, sizeof c->kernel, "openblas %s", openblas_get_corename());
	*o = (struct ops){.name = "cpu",
		.kernel = c->kernel,
		.ctx = c,
		.alloc = o->alloc,
		.release = o->release,
		.put = o->put,
		.get = o->get,
		.zero = o->zero,
		.copy = o->copy,
		.images = cpu_images,
		.gather = cpu_gather,
		.mask = cpu_mask,
		.dense = cpu_dense,
		.dense_dx = cpu_dense_dx,
		.dense_dw = cpu_dense_dw,
		.conv = cpu_conv,
		.conv_dx = cpu_conv_dx,
		.conv_dw = cpu_conv_dw,
		.act = cpu_act,
		.act_back = cpu_act_back,
		.pool = cpu_pool,
		.pool_back = cpu_pool_back,
		.up = cpu_up,
		.up_back = cpu_up_back,
		.bn = cpu_bn,
		.bn_back = cpu_bn_back,
		.loss = cpu_loss,
		.sgd = cpu_sgd,
		.adam = cpu_adam,
		.close = cpu_close};
	return o;
}
