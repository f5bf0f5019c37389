/* Operations and buffer sizes of a net's layers. */
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/nn/net_plan.h"

size_t net_values(const struct layer *l)
{
	return (size_t)l->OC * (size_t)l->OH * (size_t)l->OW;
}

struct conv net_conv(const struct netdesc *d, int i, int B)
{
	const struct layer *l = &d->layer[i],
			   *from = l->upsample > 1 ? l - 1 : l; /* the fused upsample, whose input the convolution reads */
	return (struct conv){.B = B,
		.C = l->C,
		.H = from->H,
		.W = from->W,
		.upsample = l->upsample,
		.F = l->OC,
		.KH = l->KH,
		.KW = l->KW,
		.S = l->S,
		.P = l->P,
		.D = l->D,
		.OH = l->OH,
		.OW = l->OW,
		.pool = l->pool,
		.act = l->act,
		.image = i == 0};
}

int net_last_fused(const struct netdesc *d, int i)
{
	while (i + 1 < d->n && d->layer[i + 1].fused && d->layer[i + 1].kind != LAYER_UP)
		i++;
	return i;
}

int net_input_layer(const struct netdesc *d, int i)
{
	for (i--; i >= 0 && d->layer[i].fused; i--)
		;
	return i;
}

size_t net_output_bytes(const struct net *n, int i, int B)
{
	const struct layer *l = &n->d->layer[net_last_fused(n->d, i)];
	return n->maps_out[i] ? n->be->maps_size(n->be, B, l->OC, l->OH, l->OW) : net_values(l) * (size_t)B * sizeof(real);
}

int net_is_maps(const struct net *n, int from)
{
	return from >= 0 && n->maps_out[from];
}

/* Spatial layers read maps, but for a convolution on the net's input, which is rows; dense layers and dropout read rows. */
void net_plan_layouts(struct net *n)
{
	const struct netdesc *d = n->d;
	n->maps_in = xcalloc((size_t)d->n, 1), n->maps_out = xcalloc((size_t)d->n, 1);
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		int x_maps = net_is_maps(n, net_input_layer(d, i));
		n->maps_in[i] = l->kind == LAYER_CONV			       ? i > 0
				: l->kind == LAYER_POOL || l->kind == LAYER_UP ? 1
				: l->kind == LAYER_BN			       ? l->H * l->W > 1
				: l->kind == LAYER_ACT || l->kind == LAYER_ADD ? x_maps
									       : 0;
		n->maps_out[i] = l->kind == LAYER_CONV || n->maps_in[i];
	}
}

static size_t net_max(size_t a, size_t b)
{
	return a > b ? a : b;
}

int net_unused_delta(int a, int b)
{
	for (int k = 0; k < 2; k++)
		if (k != a && k != b)
			return k;
	return 2;
}

struct batch_norm net_batch_norm(const struct net *n, int i, int B, int train)
{
	const struct layer *l = &n->d->layer[i];
	return (struct batch_norm){B, l->C, l->H * l->W, n->maps_in[i], train, l->act, (real)0.1, (real)NETDESC_BN_EPS};
}

void net_dropout(struct net *n, int i, real *y, const real *x, int B, const struct net_pass *p)
{
	const struct layer *l = &n->d->layer[i];
	n->be->dropout(
		n->be, y, x, p->rows, B, (int)net_values(l), l->p, 1 / (1 - l->p), p->seed, PHILOX_DROPOUT | (uint32_t)i << 8, p->epoch);
}

void net_plan_add(struct net *n, int i)
{
	const struct layer *l = &n->d->layer[i];
	int from = net_input_layer(n->d, l->skip);
	size_t rows = (size_t)n->B * net_values(l) * sizeof(real), maps = n->be->maps_size(n->be, n->B, l->C, l->H, l->W);
	if (net_is_maps(n, from) != n->maps_in[i])
		n->skipped[i] = n->be->alloc(n->be, n->maps_in[i] ? maps : rows);
	if (n->mode != NET_INFER && from >= 0)
		n->held[i] = n->be->alloc(n->be, n->maps_out[from] ? maps : rows);
}

/* Goes through the layers and buffers in the order of net_backward, taking each buffer's largest size. */
void net_plan_gradients(struct net *n)
{
	const struct netdesc *d = n->d;
	const struct backend *be = n->be;
	size_t size[3] = {0};
	int dy = -1;
	for (int i = d->n - 1; i >= 0; i--) {
		const struct layer *l = &d->layer[i], *f = l->kind == LAYER_CONV && l->upsample > 1 ? l - 1 : l;
		if (l->fused)
			continue;
		int from = net_input_layer(d, i), x_maps = net_is_maps(n, from);
		size_t rows = (size_t)n->B * (size_t)f->C * (size_t)f->H * (size_t)f->W * sizeof(real),
		       maps = be->maps_size(be, n->B, f->C, f->H, f->W);
		if (n->converted[d->n] && net_last_fused(d, i) == d->n - 1)
			dy = 0, size[0] = net_max(size[0], net_output_bytes(n, i, n->B));
		if (l->kind == LAYER_ADD) /* leaves its gradient where it is */
			continue;
		int dx = net_unused_delta(dy, -1);
		if (from >= 0 || (l->kind != LAYER_CONV && l->kind != LAYER_DENSE))
			size[dx] = net_max(size[dx], n->maps_in[i] ? maps : rows);
		if (from >= 0 && n->maps_in[i] != x_maps) {
			dx = net_unused_delta(dx, dy);
			size[dx] = net_max(size[dx], x_maps ? maps : rows);
		}
		dy = dx;
	}
	for (int k = 0; k < 3; k++)
		n->delta[k] = size[k] ? be->alloc(be, size[k]) : NULL;
}
