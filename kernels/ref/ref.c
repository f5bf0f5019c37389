/* The table of the readable hand; memory is the host's. */
#include <stdlib.h>
#include <string.h>

#include "kernels/ref/ref.h"
#include "lib/base/err.h"

static void *ref_alloc(const struct ops *o, size_t bytes)
{
	(void)o;
	return xcalloc(bytes, 1);
}

static void ref_release(const struct ops *o, void *p)
{
	(void)o;
	free(p);
}

static void ref_put(const struct ops *o, void *device, const void *host, size_t bytes)
{
	(void)o;
	if (bytes)
		memcpy(device, host, bytes);
}

static void ref_get(const struct ops *o, void *host, const void *device, size_t bytes)
{
	ref_put(o, host, device, bytes);
}

static void ref_zero(const struct ops *o, void *device, size_t bytes)
{
	(void)o;
	if (bytes)
		memset(device, 0, bytes);
}

static void *ref_lend(const struct ops *o, const void *host, size_t bytes)
{
	(void)o, (void)bytes;
	return (void *)host;
}

static void ref_unlend(const struct ops *o, void *device)
{
	(void)o, (void)device;
}

static const void *ref_view(const struct ops *o, const void *device, size_t bytes)
{
	(void)o, (void)bytes;
	return device;
}

static void ref_unview(const struct ops *o, const void *host)
{
	(void)o, (void)host;
}

static int ref_fetch(const struct ops *o, void *host, const void *device, size_t bytes)
{
	ref_put(o, host, device, bytes);
	return 0;
}

static void ref_wait(const struct ops *o, int ticket)
{
	(void)o, (void)ticket;
}

static void ref_close(struct ops *o)
{
	free(o);
}

struct ops *ops_ref(void)
{
	static const struct ops table = {.name = "ref",
		.kernel = "plain loops",
		.alloc = ref_alloc,
		.release = ref_release,
		.put = ref_put,
		.get = ref_get,
		.zero = ref_zero,
		.copy = ref_put,
		.lend = ref_lend,
		.unlend = ref_unlend,
		.view = ref_view,
		.unview = ref_unview,
		.feed = ref_put,
		.fetch = ref_fetch,
		.wait = ref_wait,
		.images = ref_images,
		.gather = ref_gather,
		.mask = ref_mask,
		.maps_size = ref_maps_size,
		.to_maps = ref_to_maps,
		.to_rows = ref_to_rows,
		.dense = ref_dense,
		.dense_dx = ref_dense_dx,
		.dense_dw = ref_dense_dw,
		.dense_step = ref_dense_step,
		.conv_packed = ref_conv_packed,
		.conv_pack = ref_conv_pack,
		.conv = ref_conv,
		.conv_back = ref_conv_back,
		.act = ref_act,
		.act_back = ref_act_back,
		.pool = ref_pool,
		.pool_back = ref_pool_back,
		.up = ref_up,
		.up_back = ref_up_back,
		.bn = ref_bn,
		.bn_back = ref_bn_back,
		.loss = ref_loss,
		.heat = ref_heat,
		.splat = ref_splat,
		.update = ref_update,
		.close = ref_close};
	struct ops *o = xmalloc(sizeof *o);
	*o = table;
	return o;
}
