/* The backward pass, optimizer steps included. */
#include <assert.h>

#include "lib/nn/net_plan.h"

static void optimizer_step(struct net *n, const struct net_step *s, size_t at, const real *g, size_t count, int decay)
{
	if (!count)
		return;
	struct optimizer_step opt = s->opt;
	opt.weight_decay = decay ? opt.weight_decay : 0;
	n->be->optimizer_step(
		n->be, n->param + at, g, s->moment1 ? s->moment1 + at : NULL, s->moment2 ? s->moment2 + at : NULL, count, &opt);
}

static void dense_backward_step(struct net *n, int i, real *dx, real *dy, const real *x, int B, const struct net_step *s)
{
	const struct backend *be = n->be;
	const struct layer *l = &n->d->layer[i];
	int I = l->C * l->H * l->W;
	if (l->act != ACT_NONE)
		be->act_backward(be, dy, dy, n->y[i], l->act, (size_t)B * (size_t)l->OC);
	if (net_input_layer(n->d, i) >= 0)
		be->dense_backward_input(be, dx, dy, n->param + l->w, 0, B, I, l->OC);
	if (!s) {
		be->dense_backward_weight(be, n->grad + l->w, n->grad + l->b, dy, x, 0, B, I, l->OC);
		return;
	}
	be->dense_backward_update(be, n->param + l->w, s->moment1 ? s->moment1 + l->w : NULL, s->moment2 ? s->moment2 + l->w : NULL, dy, x,
		NULL, NULL, B, I, l->OC, &s->opt);
	be->dense_backward_weight(be, NULL, n->grad + n->grad_offset[i], dy, x, 0, B, I, l->OC);
}

/* Steps of all parameters that are not updated yet, one after the other, so that a backend may batch them in one launch. */
static void optimizer_step_rest(struct net *n, const struct net_step *s)
{
	for (int i = n->d->n - 1; i >= 0; i--) {
		const struct layer *l = &n->d->layer[i];
		const real *g = n->grad + n->grad_offset[i];
		size_t joint = l->kind == LAYER_CONV && s->opt.weight_decay != 0 ? 0 : l->nb; /* biases updated with the weights */
		if (l->kind == LAYER_DENSE)
			optimizer_step(n, s, l->b, g, l->nb, 0);
		if (l->kind != LAYER_CONV && l->kind != LAYER_BN)
			continue;
		optimizer_step(n, s, l->w, g, l->nw + joint, l->kind == LAYER_CONV);
		optimizer_step(n, s, l->b, g + l->nw, l->nb - joint, 0);
	}
}

/* The add at layer i: dy, through its activation in place, goes on to the layers between and is held for the skip. */
static void add_backward(struct net *n, int i, real *dy, int B)
{
	const struct backend *be = n->be;
	const struct layer *l = &n->d->layer[i];
	int from = net_input_layer(n->d, l->skip);
	size_t bytes = net_output_bytes(n, i, B);
	if (l->act != ACT_NONE)
		be->act_backward(be, dy, dy, n->y[i], l->act, bytes / sizeof(real));
	if (from >= 0 && n->maps_out[from] == n->maps_out[i])
		be->copy(be, n->held[i], dy, bytes);
	else if (from >= 0)
		(n->maps_out[from] ? be->to_maps : be->to_rows)(be, n->held[i], dy, B, l->C, l->H, l->W);
}

/* The skip at layer i: to dy, the gradient by way of the layers between, that of its add is added. */
static void skip_backward(struct net *n, int i, real *dy, int B)
{
	int from = net_input_layer(n->d, i), add = i;
	while (n->d->layer[add].kind != LAYER_ADD || n->d->layer[add].skip != i)
		add++;
	if (from >= 0)
		n->be->add(n->be, dy, dy, n->held[add], ACT_NONE, net_output_bytes(n, from, B) / sizeof(real));
}

void net_backward(struct net *n, const real *x0, real *dz, int B, const struct net_pass *pass, const struct net_step *step)
{
	const struct backend *be = n->be;
	const struct netdesc *d = n->d;
	real *dy = dz;
	int dy_delta = -1; /* index of the buffer that holds dy; -1: none, dy is dz */
	assert(step ? n->mode != NET_INFER : n->mode == NET_GRADIENT);
	n->packed_valid = 0;
	for (int i = d->n - 1; i >= 0; i--) {
		const struct layer *l = &d->layer[i];
		if (l->kind == LAYER_SKIP)
			skip_backward(n, i, dy, B);
		if (l->fused)
			continue;
		int from = net_input_layer(d, i), x_maps = net_is_maps(n, from);
		const real *x = n->converted[i] ? n->converted[i] : from >= 0 ? n->y[from] : x0;
		if (n->converted[d->n] && net_last_fused(d, i) == d->n - 1) { /* the net's output was converted to rows */
			const struct layer *last = &d->layer[d->n - 1];
			be->to_maps(be, n->delta[0], dy, B, last->OC, last->OH, last->OW);
			dy = n->delta[0], dy_delta = 0;
		}
		if (l->kind == LAYER_ADD) {
			add_backward(n, i, dy, B);
			continue;
		}
		int dx_delta = net_unused_delta(dy_delta, -1);
		real *dx = n->delta[dx_delta], *w = n->param + l->w, *dw = n->grad + (step ? n->grad_offset[i] : l->w),
		     *db = step ? dw + l->nw : n->grad + l->b;
		switch (l->kind) {
		case LAYER_DENSE:
			dense_backward_step(n, i, dx, dy, x, B, step);
			break;
		case LAYER_CONV: {
			struct conv c = net_conv(d, i, B);
			be->conv_backward(be, from >= 0 ? dx : NULL, dw, db, dy, n->y[i], n->argmax[i], x, w, n->packed[i], &c);
			break;
		}
		case LAYER_POOL:
			be->max_pool_backward(be, dx, dy, n->argmax[i], B, l->C, l->H, l->W, l->KH);
			break;
		case LAYER_UP:
			be->upsample_backward(be, dx, dy, B, l->C, l->H, l->W, l->KH);
			break;
		case LAYER_BN: {
			struct batch_norm s = net_batch_norm(n, i, B, 1);
			be->batch_norm_backward(be, dx, dw, db, dy, n->y[i], x, w, n->save[i], &s);
			break;
		}
		case LAYER_DROPOUT:
			net_dropout(n, i, dx, dy, B, pass);
			break;
		case LAYER_ACT:
			be->act_backward(be, dx, dy, n->y[i], l->act, net_output_bytes(n, i, B) / sizeof(real));
			break;
		case LAYER_SKIP:
		case LAYER_ADD:
			break;
		}
		if (from >= 0 && n->maps_in[i] != x_maps) { /* the backward pass of convert_input */
			const struct layer *f = l->kind == LAYER_CONV && l->upsample > 1 ? l - 1 : l;
			int other = net_unused_delta(dx_delta, dy_delta);
			(x_maps ? be->to_maps : be->to_rows)(be, n->delta[other], dx, B, f->C, f->H, f->W);
			dx = n->delta[other], dx_delta = other;
		}
		dy = dx, dy_delta = dx_delta;
	}
	if (step)
		optimizer_step_rest(n, step);
}
