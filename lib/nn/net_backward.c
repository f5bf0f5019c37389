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

static void dense_backward_step(
	struct net *n, int i, real *dx, real *dy, const real *x, int B, const struct net_step *s, real *dw, real *db)
{
	const struct backend *be = n->be;
	const struct layer *l = &n->d->layer[i];
	int I = l->C * l->H * l->W;
	if (l->act != ACT_NONE)
		be->act_backward(be, dy, dy, n->y[i], l->act, (size_t)B * (size_t)l->OC);
	if (net_input_layer(n->d, i) >= 0)
		be->dense_backward_input(be, dx, dy, n->param + l->w, 0, B, I, l->OC);
	if (!s) {
		be->dense_backward_weight(be, dw, db, dy, x, 0, B, I, l->OC);
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

void net_step(struct net *n, const struct net_step *s)
{
	n->packed_valid = 0;
	for (int i = 0; i < n->d->n; i++) {
		const struct layer *l = &n->d->layer[i];
		optimizer_step(n, s, l->w, n->grad + l->w, l->nw, l->kind != LAYER_BN);
		optimizer_step(n, s, l->b, n->grad + l->b, l->nb, 0);
	}
}

const real *net_layer_input(const struct net *n, int i, const struct net_flow *f)
{
	int from = net_input_layer(n->d, i);
	return n->converted[i] ? n->converted[i] : from >= 0 ? n->y[from] : f->x0;
}

void net_backward_begin(struct net *n, int i, struct net_flow *f, int B)
{
	const struct netdesc *d = n->d;
	const struct layer *last = &d->layer[d->n - 1];
	if (d->layer[i].kind == LAYER_SKIP)
		skip_backward(n, i, f->dy, B);
	if (d->layer[i].fused)
		return;
	if (n->converted[d->n] && net_last_fused(d, i) == d->n - 1) { /* the net's output was converted to rows */
		n->be->to_maps(n->be, n->delta[0], f->dy, B, last->OC, last->OH, last->OW);
		f->dy = n->delta[0], f->dy_delta = 0;
	}
	if (d->layer[i].kind == LAYER_ADD)
		add_backward(n, i, f->dy, B);
}

void net_backward_layer(struct net *n, int i, struct net_flow *f, int B, const struct net_pass *pass, const struct net_step *step, real *dw,
	real *db, const struct net_totals *totals)
{
	const struct backend *be = n->be;
	const struct layer *l = &n->d->layer[i];
	int from = net_input_layer(n->d, i), x_maps = net_is_maps(n, from), dx_delta = net_unused_delta(f->dy_delta, -1);
	const real *x = net_layer_input(n, i, f);
	real *dx = n->delta[dx_delta], *dy = f->dy, *w = n->param + l->w;
	switch (l->kind) {
	case LAYER_DENSE:
		dense_backward_step(n, i, dx, dy, x, B, step, dw, db);
		break;
	case LAYER_CONV: {
		struct conv c = net_conv(n->d, i, B);
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
		if (totals)
			be->batch_norm_backward_apply(be, dx, dy, n->y[i], x, w, n->save[i], totals->sums, totals->N, &s);
		else
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
		const struct layer *in = l->kind == LAYER_CONV && l->upsample > 1 ? l - 1 : l;
		int other = net_unused_delta(dx_delta, f->dy_delta);
		(x_maps ? be->to_maps : be->to_rows)(be, n->delta[other], dx, B, in->C, in->H, in->W);
		dx = n->delta[other], dx_delta = other;
	}
	f->dy = dx, f->dy_delta = dx_delta;
}

void net_backward(struct net *n, const real *x, real *dz, int B, const struct net_pass *pass, const struct net_step *step)
{
	struct net_flow f = {.x0 = x, .dy = dz, .dy_delta = -1};
	assert(step ? n->mode != NET_INFER : n->mode == NET_GRADIENT);
	n->packed_valid = 0;
	for (int i = n->d->n - 1; i >= 0; i--) {
		const struct layer *l = &n->d->layer[i];
		net_backward_begin(n, i, &f, B);
		if (l->fused || l->kind == LAYER_ADD)
			continue;
		real *dw = n->grad + (step ? n->grad_offset[i] : l->w);
		net_backward_layer(n, i, &f, B, pass, step, dw, step ? dw + l->nw : n->grad + l->b, NULL);
	}
	if (step)
		optimizer_step_rest(n, step);
}
