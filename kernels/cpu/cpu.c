/* The table of the fast hand, and its memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/cpu/cpu.h"
#include "lib/base/err.h"

enum { LINE = 64, LARGE = 1 << 20, PAGE = 2 << 20 };

static float *aligned(size_t n)
{
	void *p;
	if (posix_memalign(&p, n * sizeof(float) >= PAGE ? PAGE : LINE, n * sizeof(float) + LINE))
		die("out of memory: %zu bytes are wanted", n * sizeof(float));
	if (n * sizeof(float) >= PAGE)
		madvise(p, n * sizeof(float), MADV_HUGEPAGE);
	return p;
}

float *cpu_scratch(struct cpu *c, int thread, size_t n)
{
	if (c->size[thread] < n) {
		free(c->scratch[thread]);
		c->scratch[thread] = aligned(n);
		c->size[thread] = n;
	}
	return c->scratch[thread];
}

float *cpu_shared(struct cpu *c, size_t n)
{
	if (c->shared_size < n) {
		free(c->shared);
		c->shared = aligned(n);
		c->shared_size = n;
	}
	return c->shared;
}

/* What is large comes zeroed and untouched from the system, so that memory never used is never there; its length stands before it. */
void *cpu_alloc(const struct ops *o, size_t bytes)
{
	size_t *p;
	(void)o;
	if (bytes < LARGE) {
		if (posix_memalign((void **)&p, LINE, bytes + LINE))
			die("out of memory: %zu bytes are wanted", bytes);
		memset(p, 0, bytes + LINE);
	} else {
		p = mmap(NULL, bytes + LINE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			die("out of memory: %zu bytes are wanted", bytes);
		if (bytes >= 2 * PAGE)
			madvise(p, bytes + LINE, MADV_HUGEPAGE);
	}
	*p = bytes;
	return (char *)p + LINE;
}

void cpu_release(const struct ops *o, void *device)
{
	(void)o;
	if (!device)
		return;
	size_t *p = (size_t *)(void *)((char *)device - LINE);
	if (*p < LARGE)
		free(p);
	else
		munmap(p, *p + LINE);
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
	free(c->scratch), free(c->size), free(c->shared), free(c), free(o);
}

struct ops *ops_cpu(int threads)
{
	struct ops *o = ops_ref();
	struct cpu *c = xcalloc(1, sizeof *c);
	c->micro = micro_choose();
	c->pool = pool_open(threads);
	c->scratch = xcalloc((size_t)pool_threads(c->pool), sizeof *c->scratch);
	c->size = xcalloc((size_t)pool_threads(c->pool), sizeof *c->size);
	snprintf(c->kernel, sizeof c->kernel, "%s", c->micro->name);
	*o = (struct ops){.name = "cpu",
		.kernel = c->kernel,
		.ctx = c,
		.alloc = cpu_alloc,
		.release = cpu_release,
		.put = o->put,
		.get = o->get,
		.zero = o->zero,
		.copy = o->copy,
		.lend = o->lend,
		.unlend = o->unlend,
		.view = o->view,
		.unview = o->unview,
		.feed = o->feed,
		.fetch = o->fetch,
		.wait = o->wait,
		.images = cpu_images,
		.gather = cpu_gather,
		.mask = cpu_mask,
		.maps_size = cpu_maps_size,
		.to_maps = cpu_to_maps,
		.to_rows = cpu_to_rows,
		.dense = cpu_dense,
		.dense_dx = cpu_dense_dx,
		.dense_dw = cpu_dense_dw,
		.dense_step = cpu_dense_step,
		.conv_packed = cpu_conv_packed,
		.conv_pack = cpu_conv_pack,
		.conv = cpu_conv,
		.conv_back = cpu_conv_back,
		.act = cpu_act,
		.act_back = cpu_act_back,
		.pool = cpu_pool,
		.pool_back = cpu_pool_back,
		.up = cpu_up,
		.up_back = cpu_up_back,
		.bn = cpu_bn,
		.bn_back = cpu_bn_back,
		.loss = cpu_loss,
		.heat = cpu_heat,
		.splat = cpu_splat,
		.update = cpu_update,
		.close = cpu_close};
	return o;
}
