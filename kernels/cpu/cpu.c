/* The CPU backend's function table, its memory and its parallel loop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/cpu/cpu.h"
#include "lib/base/err.h"

enum { CACHE_LINE = 64, MMAP_BYTES = 1 << 20, HUGE_PAGE = 2 << 20 };

static float *aligned(size_t n)
{
	void *p;
	if (posix_memalign(&p, n * sizeof(float) >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE, n * sizeof(float) + CACHE_LINE))
		die("out of memory: %zu bytes are wanted", n * sizeof(float));
	if (n * sizeof(float) >= HUGE_PAGE)
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

float *cpu_workspace(struct cpu *c, size_t n)
{
	if (c->workspace_size < n) {
		free(c->workspace);
		c->workspace = aligned(n);
		c->workspace_size = n;
	}
	return c->workspace;
}

/* Zero-filled. Large blocks are mmapped, so that pages never written use no memory; the length is stored before the block. */
void *cpu_alloc(const struct backend *be, size_t bytes)
{
	size_t *p;
	(void)be;
	if (bytes < MMAP_BYTES) {
		if (posix_memalign((void **)&p, CACHE_LINE, bytes + CACHE_LINE))
			die("out of memory: %zu bytes are wanted", bytes);
		memset(p, 0, bytes + CACHE_LINE);
	} else {
		p = mmap(NULL, bytes + CACHE_LINE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			die("out of memory: %zu bytes are wanted", bytes);
		if (bytes >= 2 * HUGE_PAGE)
			madvise(p, bytes + CACHE_LINE, MADV_HUGEPAGE);
	}
	*p = bytes;
	return (char *)p + CACHE_LINE;
}

void cpu_release(const struct backend *be, void *device)
{
	(void)be;
	if (!device)
		return;
	size_t *p = (size_t *)(void *)((char *)device - CACHE_LINE);
	if (*p < MMAP_BYTES)
		free(p);
	else
		munmap(p, *p + CACHE_LINE);
}

struct parallel_for {
	size_t n, grain;
	void (*fn)(void *arg, size_t from, size_t to);
	void *arg;
};

static void run_slice(void *arg, int task, int thread)
{
	const struct parallel_for *s = arg;
	size_t from = (size_t)task * s->grain, to = from + s->grain;
	(void)thread;
	s->fn(s->arg, from, to < s->n ? to : s->n);
}

void cpu_parallel_for(struct cpu *c, size_t n, size_t grain, void (*fn)(void *arg, size_t from, size_t to), void *arg)
{
	struct parallel_for s = {n, grain ? grain : 1, fn, arg};
	if (n)
		thread_pool_run(c->pool, (int)((n + s.grain - 1) / s.grain), run_slice, &s);
}

static void cpu_close(struct backend *be)
{
	struct cpu *c = be->ctx;
	for (int i = 0; i < thread_pool_threads(c->pool); i++)
		free(c->scratch[i]);
	thread_pool_close(c->pool);
	free(c->scratch), free(c->size), free(c->workspace), free(c), free(be);
}

struct backend *backend_cpu_init(int threads, enum precision precision)
{
	struct backend *be = backend_ref_init();
	struct cpu *c = xcalloc(1, sizeof *c);
	c->bf16 = precision == PRECISION_BF16;
	c->simd = simd_choose(c->bf16);
	c->products = c->bf16 ? &c->simd->bf16 : &c->simd->fp32;
	c->pool = thread_pool_open(threads);
	c->scratch = xcalloc((size_t)thread_pool_threads(c->pool), sizeof *c->scratch);
	c->size = xcalloc((size_t)thread_pool_threads(c->pool), sizeof *c->size);
	snprintf(c->kernel, sizeof c->kernel, "%s%s", c->simd->name,
		!c->bf16 || strstr(c->simd->name, "bf16") || c->simd->words_along_k ? "" : ", bf16 emulated");
	*be = (struct backend){.name = "cpu",
		.kernel = c->kernel,
		.alike = c->kernel,
		.ctx = c,
		.alloc = cpu_alloc,
		.release = cpu_release,
		.upload = be->upload,
		.download = be->download,
		.zero = be->zero,
		.copy = be->copy,
		.map_host = be->map_host,
		.unmap_host = be->unmap_host,
		.map_device = be->map_device,
		.unmap_device = be->unmap_device,
		.upload_async = be->upload_async,
		.download_async = be->download_async,
		.wait = be->wait,
		.load_batch = cpu_load_batch,
		.load_images = cpu_load_images,
		.gather = cpu_gather,
		.dropout = cpu_dropout,
		.bernoulli = cpu_bernoulli,
		.maps_size = cpu_maps_size,
		.to_maps = cpu_to_maps,
		.to_rows = cpu_to_rows,
		.dense = cpu_dense,
		.dense_packed_size = cpu_dense_packed_size,
		.dense_pack = cpu_dense_pack,
		.dense_packed = cpu_dense_packed,
		.dense_backward_input = cpu_dense_backward_input,
		.dense_backward_weight = cpu_dense_backward_weight,
		.dense_backward_update = cpu_dense_backward_update,
		.conv_packed_size = cpu_conv_packed_size,
		.conv_pack = cpu_conv_pack,
		.conv = cpu_conv,
		.conv_backward = cpu_conv_backward,
		.act = cpu_act,
		.act_backward = cpu_act_backward,
		.add = cpu_add,
		.max_pool = cpu_max_pool,
		.max_pool_backward = cpu_max_pool_backward,
		.upsample = cpu_upsample,
		.upsample_backward = cpu_upsample_backward,
		.batch_norm = cpu_batch_norm,
		.batch_norm_backward = cpu_batch_norm_backward,
		.batch_norm_sums = cpu_batch_norm_sums,
		.batch_norm_backward_sums = cpu_batch_norm_backward_sums,
		.batch_norm_backward_apply = cpu_batch_norm_backward_apply,
		.loss = cpu_loss,
		.heatmap_loss = cpu_heatmap_loss,
		.draw_gaussians = cpu_draw_gaussians,
		.optimizer_step = cpu_optimizer_step,
		.lerp = cpu_lerp,
		.close = cpu_close};
	return be;
}
