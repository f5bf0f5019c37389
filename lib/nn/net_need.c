/* The plan of a net, made on a backend that allocates nothing. */
#include "lib/nn/net_need.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

/* A backend that allocates nothing, but counts. */
struct counter {
	struct backend be;
	size_t bytes;
};

static void *count(const struct backend *be, size_t bytes)
{
	struct counter *c = (struct counter *)(void *)be; /* be is its first member */
	c->bytes += bytes;
	return c; /* not NULL, never read */
}

static void forget(const struct backend *be, void *device)
{
	(void)be, (void)device;
}

size_t net_bytes(const struct backend *be, const struct netdesc *d, int B, enum net_mode mode)
{
	struct counter *c = xcalloc(1, sizeof *c);
	c->be = *be, c->be.alloc = count, c->be.release = forget;
	net_free(net_new(&c->be, d, B, mode));
	size_t bytes = c->bytes;
	free(c);
	return bytes;
}

/* Of the convolution that takes most: its input upsampled and padded, and its output before a pool. */
static double largest_buffer(const struct netdesc *d)
{
	double most = 0;
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		double n = (double)l->C * (l->H + 2.0 * l->P) * (l->W + 2.0 * l->P) + (double)l->OC * l->OH * l->OW;
		if (l->kind == LAYER_CONV && n > most)
			most = n;
	}
	return most * sizeof(real);
}

double net_need(const struct backend *be, const struct netdesc *d, int B)
{
	double flops = netdesc_flops(d);
	if (flops > NET_NEED_OPERATIONS)
		die("the net takes %.3g operations an image, more than %.0g", flops, NET_NEED_OPERATIONS);
	int rows = strcmp(be->name, "ref") ? 1 : B; /* ref has whole batches there */
	return (double)net_bytes(be, d, B, NET_INFER) + rows * largest_buffer(d);
}
