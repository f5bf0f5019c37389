/* The cuda backend: memory, workspace, and the struct of its operations. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/cuda/cuda.h"

extern "C" {
#include "lib/base/err.h"
}

static void *alloc_or_die(const struct gpu *gpu, size_t bytes)
{
	void *p = gpu_alloc(bytes ? bytes : 1);
	size_t free, total;
	if (p)
		return p;
	gpu_memory_info(&free, &total);
	die("%s: out of the GPU's memory: %zu MiB are wanted, %zu of %zu MiB are free", gpu->name, (bytes >> 20) + 1, free >> 20,
		total >> 20);
}

static void *cuda_alloc(const struct backend *be, size_t bytes)
{
	void *p = alloc_or_die(&cuda_of(be)->gpu, bytes);
	queue_flush(queue_of(be));
	gpu_memset(p, 0, bytes);
	return p;
}

static void cuda_release(const struct backend *be, void *device)
{
	if (!device)
		return;
	queue_flush(queue_of(be));
	gpu_free(device);
}

static void cuda_upload(const struct backend *be, void *device, const void *host, size_t bytes)
{
	queue_flush(queue_of(be));
	if (bytes)
		gpu_upload(device, host, bytes);
}

static void cuda_download(const struct backend *be, void *host, const void *device, size_t bytes)
{
	queue_flush(queue_of(be));
	if (bytes)
		gpu_download(host, device, bytes);
}

static void cuda_upload_async(const struct backend *, void *device, const void *host, size_t bytes)
{
	gpu_upload_async(device, host, bytes);
}

static int cuda_download_async(const struct backend *be, void *host, const void *device, size_t bytes)
{
	queue_flush(queue_of(be));
	return gpu_download_async(host, device, bytes);
}

static void cuda_wait(const struct backend *, int ticket)
{
	gpu_wait(ticket);
}

static void *cuda_stream(const struct backend *be)
{
	queue_flush(queue_of(be));
	return gpu_stream();
}

static __global__ void fill_zero(unsigned char *p, size_t n)
{
	size_t i = launch_index();
	if (i < n)
		p[i] = 0;
}

static __global__ void copy_words(uint32_t *to, const uint32_t *from, size_t n)
{
	size_t i = launch_index();
	if (i < n)
		to[i] = from[i];
}

static __global__ void copy_bytes(unsigned char *to, const unsigned char *from, size_t n)
{
	size_t i = launch_index();
	if (i < n)
		to[i] = from[i];
}

static void cuda_zero(const struct backend *be, void *device, size_t bytes)
{
	launch_flat(queue_of(be), bytes, fill_zero, (unsigned char *)device, bytes);
}

/* Copy and zero are kernels, so that they are launches of the same CUDA graph as other operations. */
static void cuda_copy(const struct backend *be, void *to, const void *from, size_t bytes)
{
	if (((uintptr_t)to | (uintptr_t)from | bytes) % sizeof(uint32_t))
		launch_flat(queue_of(be), bytes, copy_bytes, (unsigned char *)to, (const unsigned char *)from, bytes);
	else
		launch_flat(queue_of(be), bytes / 4, copy_words, (uint32_t *)to, (const uint32_t *)from, bytes / 4);
}

static void *cuda_map_host(const struct backend *be, const void *host, size_t bytes)
{
	void *device = alloc_or_die(&cuda_of(be)->gpu, bytes);
	cuda_upload(be, device, host, bytes);
	return device;
}

static const void *cuda_map_device(const struct backend *be, const void *device, size_t bytes)
{
	void *host = xmalloc(bytes);
	cuda_download(be, host, device, bytes);
	return host;
}

static void cuda_unmap_device(const struct backend *be, const void *host)
{
	(void)be;
	free((void *)host);
}

void *cuda_workspace(struct cuda *c, size_t bytes)
{
	queue_settle(&c->q); /* which has the workspace first */
	if (c->workspace_size < bytes) {
		queue_flush(&c->q);
		gpu_free(c->workspace);
		c->workspace = alloc_or_die(&c->gpu, bytes);
		c->workspace_size = bytes;
	}
	return c->workspace;
}

static void cuda_close(struct backend *be)
{
	struct cuda *c = cuda_of(be);
	queue_close(&c->q);
	gpu_free(c->workspace), gpu_free(c->counters);
	gpu_close();
	free(c), free(be);
}

/* The number of multiprocessors that GEMMs are tiled for (tile_plan); tests set few, so that small GEMMs are tiled as large ones are. */
static int multiprocessors_of(const struct gpu *gpu)
{
	const char *text = gpu_setting("SMS", "UNITS");
	char *end = NULL;
	long v = text ? strtol(text, &end, 10) : gpu->multiprocessors;
	if (v < 1 || v > 1 << 20 || (text && (end == text || *end)))
		die("KEYPIPE_GPU_SMS: '%s' is no number of multiprocessors", text);
	return (int)v;
}

struct backend *backend_cuda_init(enum precision precision, int gpu)
{
	static const char *const names[] = {"fp32", "tf32", "bf16"};
	struct cuda *c = (struct cuda *)xcalloc(1, sizeof *c);
	struct backend *be = (struct backend *)xcalloc(1, sizeof *be);
	const char *order = gpu_setting("ORDER", "ORDER"); /* of threads, for tests on the host */
	c->gpu = gpu_open(order && !strcmp(order, "reverse"), gpu);
	c->gpu.multiprocessors = multiprocessors_of(&c->gpu);
	c->precision = c->gpu.major < 8 ? PRECISION_FP32 : precision; /* tensor cores have tf32 and bf16 from 8.0 on */
	queue_open(&c->q);
	c->counters = (unsigned *)alloc_or_die(&c->gpu, CUDA_COUNTERS * sizeof *c->counters);
	gpu_memset(c->counters, 0, CUDA_COUNTERS * sizeof *c->counters);
	char which[40] = "";
	if (c->gpu.count)
		snprintf(which, sizeof which, "GPU %d of %d, ", c->gpu.index, c->gpu.count);
	snprintf(c->kernel, sizeof c->kernel, "%s (%ssm_%d%d), %s%s", c->gpu.name, which, c->gpu.major, c->gpu.minor, names[c->precision],
		c->gpu.cublas ? ", cuBLAS" : "");
	snprintf(c->alike, sizeof c->alike, "%s (sm_%d%d, %d multiprocessors), %s%s", c->gpu.name, c->gpu.major, c->gpu.minor,
		c->gpu.multiprocessors, names[c->precision], c->gpu.cublas ? ", cuBLAS" : "");
	be->name = "cuda", be->kernel = c->kernel, be->alike = c->alike, be->gpu = c->gpu.id, be->ctx = c;
	be->alloc = cuda_alloc, be->release = cuda_release, be->upload = cuda_upload, be->download = cuda_download, be->zero = cuda_zero,
	be->copy = cuda_copy;
	be->map_host = cuda_map_host, be->unmap_host = cuda_release, be->map_device = cuda_map_device, be->unmap_device = cuda_unmap_device;
	be->upload_async = cuda_upload_async, be->download_async = cuda_download_async, be->wait = cuda_wait, be->stream = cuda_stream;
	be->load_batch = cuda_load_batch, be->gather = cuda_gather, be->dropout = cuda_dropout, be->bernoulli = cuda_bernoulli;
	be->maps_size = cuda_maps_size, be->to_maps = cuda_to_maps, be->to_rows = cuda_to_rows;
	be->dense = cuda_dense, be->dense_backward_input = cuda_dense_backward_input,
	be->dense_backward_weight = cuda_dense_backward_weight, be->dense_backward_update = cuda_dense_backward_update;
	be->conv_packed_size = cuda_conv_packed_size, be->conv_pack = cuda_conv_pack, be->conv = cuda_conv,
	be->conv_backward = cuda_conv_backward;
	be->act = cuda_act, be->act_backward = cuda_act_backward, be->add = cuda_add, be->max_pool = cuda_max_pool,
	be->max_pool_backward = cuda_max_pool_backward;
	be->upsample = cuda_upsample, be->upsample_backward = cuda_upsample_backward, be->batch_norm = cuda_batch_norm,
	be->batch_norm_backward = cuda_batch_norm_backward;
	be->batch_norm_sums = cuda_batch_norm_sums, be->batch_norm_backward_sums = cuda_batch_norm_backward_sums,
	be->batch_norm_backward_apply = cuda_batch_norm_backward_apply;
	be->loss = cuda_loss, be->heatmap_loss = cuda_heatmap_loss, be->draw_gaussians = cuda_draw_gaussians,
	be->optimizer_step = cuda_optimizer_step, be->lerp = cuda_lerp;
	be->close = cuda_close;
	return be;
}
