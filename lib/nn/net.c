/* A net's allocation, upload and download, and the forward pass. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/nn/net_plan.h"

static struct net *make(const struct backend *be, const struct netdesc *d, int B, enum net_mode mode, const struct net *owner)
{
	struct net *n = xcalloc(1, sizeof *n);
	size_t L = (size_t)d->n, grad = 0;
	if (mode == NET_INFER && d->nstat) {
		n->folded = xmalloc(sizeof *n->folded);
		*n->folded = *d;
		netdesc_fold(n->folded);
		d = n->folded;
	}
	n->be = be, n->d = d, n->B = B, n->mode = mode, n->owner = owner;
	n->param = owner ? owner->param : be->alloc(be, d->nparam * sizeof(real));
	n->stat = owner ? owner->stat : be->alloc(be, d->nstat * sizeof(real));
	n->y = xcalloc(L, sizeof *n->y), n->argmax = xcalloc(L, sizeof *n->argmax), n->save = xcalloc(L, sizeof *n->save);
	n->packed = xcalloc(L, sizeof *n->packed), n->converted = xcalloc(L + 1, sizeof *n->converted);
	n->grad_offset = xcalloc(L, sizeof *n->grad_offset), n->skipped = xcalloc(L, sizeof *n->skipped),
	n->held = xcalloc(L, sizeof *n->held);
	net_plan_layouts(n);
	for (int i = 0, x_maps = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		if (l->fused)
			continue;
		struct conv c = net_conv(d, i, B);
		const struct layer *from = l->kind == LAYER_CONV && l->upsample > 1 ? l - 1 : l;
		size_t rows = (size_t)B * (size_t)from->C * (size_t)from->H * (size_t)from->W * sizeof(real),
		       maps = be->maps_size(be, B, from->C, from->H, from->W);
		if (n->maps_in[i] != x_maps)
			n->converted[i] = be->alloc(be, x_maps ? rows : maps);
		n->y[i] = be->alloc(be, net_output_bytes(n, i, B));
		if (l->kind == LAYER_POOL || (l->kind == LAYER_CONV && l->pool > 1))
			n->argmax[i] = be->alloc(be, net_output_bytes(n, i, B) / sizeof(real));
		if (l->kind == LAYER_BN)
			n->save[i] = be->alloc(be, 2 * (size_t)l->C * sizeof(real));
		size_t packed = l->kind == LAYER_CONV ? be->conv_packed_size(be, &c)
				: l->kind == LAYER_DENSE && mode == NET_INFER && be->dense_packed_size
					? be->dense_packed_size(be, l->C * l->H * l->W, l->OC)
					: 0;
		if (packed && owner)
			n->packed[i] = owner->packed[i];
		else if (packed)
			n->packed[i] = be->alloc(be, packed);
		if (l->kind == LAYER_ADD)
			net_plan_add(n, i);
		n->grad_offset[i] = grad, grad += (l->kind == LAYER_DENSE ? 0 : l->nw) + l->nb;
		x_maps = n->maps_out[i];
		if (net_last_fused(d, i) == d->n - 1 && x_maps)
			n->converted[d->n] = be->alloc(be, (size_t)B * (size_t)d->outputs * sizeof(real));
	}
	if (mode != NET_INFER && !owner)
		n->grad = be->alloc(be, (mode == NET_GRADIENT ? d->nparam : grad) * sizeof(real));
	if (mode != NET_INFER)
		net_plan_gradients(n);
	return n;
}

struct net *net_new(const struct backend *be, const struct netdesc *d, int B, enum net_mode mode)
{
	return make(be, d, B, mode, NULL);
}

struct net *net_beside(const struct net *owner, int B)
{
	return make(owner->be, owner->d, B, NET_GRADIENT, owner);
}

void net_free(struct net *n)
{
	if (!n)
		return;
	const struct backend *be = n->be;
	for (int i = 0; i < n->d->n; i++)
		be->release(be, n->y[i]), be->release(be, n->argmax[i]), be->release(be, n->save[i]),
			be->release(be, n->owner ? NULL : n->packed[i]), be->release(be, n->converted[i]), be->release(be, n->skipped[i]),
			be->release(be, n->held[i]);
	be->release(be, n->converted[n->d->n]);
	if (n->mapped)
		be->unmap_host(be, n->param), be->unmap_host(be, n->stat);
	else if (!n->owner)
		be->release(be, n->param), be->release(be, n->stat);
	be->release(be, n->grad);
	for (int k = 0; k < 3; k++)
		be->release(be, n->delta[k]);
	free(n->grad_offset), free(n->y), free(n->argmax), free(n->save), free(n->packed), free(n->converted), free(n->skipped),
		free(n->held), free(n->maps_in), free(n->maps_out), free(n->folded), free(n);
}

void net_upload(struct net *n, const real *param, const real *stat)
{
	if (n->folded && param) {
		real *copy = xmalloc(n->d->nparam * sizeof *copy);
		memcpy(copy, param, n->d->nparam * sizeof *copy);
		netdesc_fold_weights(n->d, copy, stat);
		n->be->upload(n->be, n->param, copy, n->d->nparam * sizeof(real));
		free(copy);
	} else if (param)
		n->be->upload(n->be, n->param, param, n->d->nparam * sizeof(real));
	if (stat)
		n->be->upload(n->be, n->stat, stat, n->d->nstat * sizeof(real));
	n->packed_valid = 0;
}

void net_map_params(struct net *n, const real *param, const real *stat)
{
	const struct backend *be = n->be;
	assert(n->mode == NET_INFER && !n->mapped);
	if (n->folded) { /* folded weights are not the caller's: they need a copy */
		net_upload(n, param, stat);
		return;
	}
	be->release(be, n->param), be->release(be, n->stat);
	n->param = be->map_host(be, param, n->d->nparam * sizeof(real)), n->stat = be->map_host(be, stat, n->d->nstat * sizeof(real));
	n->mapped = 1, n->packed_valid = 0;
}

void net_download(const struct net *n, real *param, real *stat)
{
	if (param)
		n->be->download(n->be, param, n->param, n->d->nparam * sizeof(real));
	if (stat)
		n->be->download(n->be, stat, n->stat, n->d->nstat * sizeof(real));
}

void net_pack(struct net *n)
{
	for (int i = 0; i < n->d->n; i++) {
		const struct layer *l = &n->d->layer[i];
		struct conv c = net_conv(n->d, i, n->B);
		if (l->kind == LAYER_CONV)
			n->be->conv_pack(n->be, n->packed[i], n->param + l->w, &c);
		else if (n->packed[i])
			n->be->dense_pack(n->be, n->packed[i], n->param + l->w, l->C * l->H * l->W, l->OC);
	}
	n->packed_valid = 1;
}

const real *net_convert_input(struct net *n, int i, const struct net_flow *f, int B)
{
	const struct layer *l = &n->d->layer[i], *from = l->kind == LAYER_CONV && l->upsample > 1 ? l - 1 : l;
	if (n->maps_in[i] == f->x_maps)
		return f->x;
	(f->x_maps ? n->be->to_rows : n->be->to_maps)(n->be, n->converted[i], f->x, B, from->C, from->H, from->W);
	return n->converted[i];
}

/* What the add at layer i adds to its input, in the same layout; x0: the net's input. */
static const real *skipped_input(struct net *n, int i, const real *x0, int B)
{
	const struct layer *l = &n->d->layer[i];
	int from = net_input_layer(n->d, l->skip);
	const real *x = from >= 0 ? n->y[from] : x0;
	if (!n->skipped[i])
		return x;
	(n->maps_in[i] ? n->be->to_maps : n->be->to_rows)(n->be, n->skipped[i], x, B, l->C, l->H, l->W);
	return n->skipped[i];
}

void net_forward_layer(struct net *n, int i, struct net_flow *f, int B, const struct net_pass *pass)
{
	const struct backend *be = n->be;
	const struct layer *l = &n->d->layer[i];
	real *y = n->y[i], *w = n->param + l->w, *b = n->param + l->b;
	const real *x = net_convert_input(n, i, f, B);
	switch (l->kind) {
	case LAYER_DENSE:
		if (n->packed[i])
			be->dense_packed(be, y, x, n->packed[i], b, l->act, B, l->C * l->H * l->W, l->OC);
		else
			be->dense(be, y, x, w, b, l->act, 0, B, l->C * l->H * l->W, l->OC);
		break;
	case LAYER_CONV: {
		struct conv c = net_conv(n->d, i, B);
		be->conv(be, y, n->argmax[i], x, n->packed[i], b, &c);
		break;
	}
	case LAYER_POOL:
		be->max_pool(be, y, n->argmax[i], x, B, l->C, l->H, l->W, l->KH);
		break;
	case LAYER_UP:
		be->upsample(be, y, x, B, l->C, l->H, l->W, l->KH);
		break;
	case LAYER_BN: {
		struct batch_norm s = net_batch_norm(n, i, B, pass->train);
		be->batch_norm(be, y, x, w, b, n->stat + l->run, n->save[i], &s);
		break;
	}
	case LAYER_DROPOUT:
		if (pass->train)
			net_dropout(n, i, y, x, B, pass);
		else
			be->copy(be, y, x, net_values(l) * (size_t)B * sizeof(real));
		break;
	case LAYER_ACT:
		be->act(be, y, x, l->act, net_output_bytes(n, i, B) / sizeof(real));
		break;
	case LAYER_ADD:
		be->add(be, y, x, skipped_input(n, i, f->x0, B), l->act, net_output_bytes(n, i, B) / sizeof(real));
		break;
	case LAYER_SKIP: /* fused */
		break;
	}
	f->x = y, f->x_maps = n->maps_out[i];
}

real *net_forward_end(struct net *n, const struct net_flow *f, int B)
{
	const struct netdesc *d = n->d;
	const struct layer *l = &d->layer[d->n - 1];
	if (!f->x_maps)
		return (real *)f->x;
	n->be->to_rows(n->be, n->converted[d->n], f->x, B, l->OC, l->OH, l->OW);
	return n->converted[d->n];
}

real *net_forward(struct net *n, const real *x, int B, const struct net_pass *pass)
{
	struct net_flow f = {.x0 = x, .x = x};
	if (pass->train || !n->packed_valid)
		net_pack(n);
	for (int i = 0; i < n->d->n; i++)
		if (!n->d->layer[i].fused)
			net_forward_layer(n, i, &f, B, pass);
	return net_forward_end(n, &f, B);
}

static int has_nonfinite(const struct net *n, const real *device, size_t count)
{
	int bad = 0;
	const real *host = count ? n->be->map_device(n->be, device, count * sizeof *host) : NULL;
	for (size_t i = 0; i < count && !bad; i++)
		bad = !isfinite(host[i]);
	if (host)
		n->be->unmap_device(n->be, host);
	return bad;
}

int net_find_nonfinite(const struct net *n)
{
	for (int i = 0; i < n->d->n; i++)
		if (has_nonfinite(n, n->param + n->d->layer[i].w, n->d->layer[i].nw + n->d->layer[i].nb))
			return i;
	for (int i = 0; i < n->d->n; i++)
		if (!n->d->layer[i].fused && !n->maps_out[i] && has_nonfinite(n, n->y[i], net_values(&n->d->layer[i])))
			return i;
	return -1;
}
