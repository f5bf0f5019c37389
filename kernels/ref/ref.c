/* The reference backend's function table; device memory is host memory, asynchronous copies are done when they return. */
#include <stdlib.h>
#include <string.h>

#include "kernels/ref/ref.h"
#include "lib/base/err.h"

static void *ref_alloc(const struct backend *be, size_t bytes)
{
	(void)be;
	return xcalloc(bytes, 1);
}

static void ref_release(const struct backend *be, void *p)
{
	(void)be;
	free(p);
}

static void ref_upload(const struct backend *be, void *device, const void *host, size_t bytes)
{
	(void)be;
	if (bytes)
		memcpy(device, host, bytes);
}

static void ref_download(const struct backend *be, void *host, const void *device, size_t bytes)
{
	ref_upload(be, host, device, bytes);
}

static void ref_zero(const struct backend *be, void *device, size_t bytes)
{
	(void)be;
	if (bytes)
		memset(device, 0, bytes);
}

static void *ref_map_host(const struct backend *be, const void *host, size_t bytes)
{
	(void)be, (void)bytes;
	return (void *)host;
}

static void ref_unmap_host(const struct backend *be, void *device)
{
	(void)be, (void)device;
}

static const void *ref_map_device(const struct backend *be, const void *device, size_t bytes)
{
	(void)be, (void)bytes;
	return device;
}

static void ref_unmap_device(const struct backend *be, const void *host)
{
	(void)be, (void)host;
}

static int ref_download_async(const struct backend *be, void *host, const void *device, size_t bytes)
{
	ref_upload(be, host, device, bytes);
	return 0;
}

static void ref_wait(const struct backend *be, int ticket)
{
	(void)be, (void)ticket;
}

static void ref_close(struct backend *be)
{
	free(be);
}

struct backend *backend_ref_init(void)
{
	static const struct backend table = {.name = "ref",
		.kernel = "plain loops",
		.alike = "plain loops",
		.alloc = ref_alloc,
		.release = ref_release,
		.upload = ref_upload,
		.download = ref_download,
		.zero = ref_zero,
		.copy = ref_upload,
		.map_host = ref_map_host,
		.unmap_host = ref_unmap_host,
		.map_device = ref_map_device,
		.unmap_device = ref_unmap_device,
		.upload_async = ref_upload,
		.download_async = ref_download_async,
		.wait = ref_wait,
		.load_batch = ref_load_batch,
		.load_images = ref_load_images,
		.gather = ref_gather,
		.dropout = ref_dropout,
		.bernoulli = ref_bernoulli,
		.maps_size = ref_maps_size,
		.to_maps = ref_to_maps,
		.to_rows = ref_to_rows,
		.dense = ref_dense,
		.dense_backward_input = ref_dense_backward_input,
		.dense_backward_weight = ref_dense_backward_weight,
		.dense_backward_update = ref_dense_backward_update,
		.conv_packed_size = ref_conv_packed_size,
		.conv_pack = ref_conv_pack,
		.conv = ref_conv,
		.conv_backward = ref_conv_backward,
		.act = ref_act,
		.act_backward = ref_act_backward,
		.add = ref_add,
		.max_pool = ref_max_pool,
		.max_pool_backward = ref_max_pool_backward,
		.upsample = ref_upsample,
		.upsample_backward = ref_upsample_backward,
		.batch_norm = ref_batch_norm,
		.batch_norm_backward = ref_batch_norm_backward,
		.batch_norm_sums = ref_batch_norm_sums,
		.batch_norm_backward_sums = ref_batch_norm_backward_sums,
		.batch_norm_backward_apply = ref_batch_norm_backward_apply,
		.loss = ref_loss,
		.heatmap_loss = ref_heatmap_loss,
		.draw_gaussians = ref_draw_gaussians,
		.optimizer_step = ref_optimizer_step,
		.lerp = ref_lerp,
		.close = ref_close};
	struct backend *be = xmalloc(sizeof *be);
	*be = table;
	return be;
}
