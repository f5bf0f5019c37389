/* The backward pass, and the optimizer's steps in it. */
#include <assert.h>

#include "lib/nn/net_plan.h"

static void move(struct net *n, const struct net_step *s, size_t at, const real *g, size_t count, int decay)
{
	if (!count)
		return;
	struct optimizer_step opt = s->opt;
	opt.weight_decay = decay ? opt.weight_decay : 0;
	n->be->optimizer_step(n->be, n->param + at, g, s->moment1 ? s->moment1 + at : NULL, s->moment2 ? s->moment2 + at : NULL, count, &opt);
}

static void dense_back(struct net *n, int i, real *dx, real *dy, const real *x, int B, const struct net_step *s)
{
	const struct backend *be = n->be;
	const struct layer *l = &n->d->layer[i];
	int I = l->C * l->H * l->W;
	if (l->act != ACT_NONE)
		be->act_backward(be, dy, dy, n->y[i], l->act, (size_t)B * (size_t)l->OC);
	if (net_before(n->d, i) >= 0)
		be->dense_backward_input(be, dx, dy, n->param + l->w, 0, B, I, l->OC);
	if (!s) {
		be->dense_backward_weight(be, n->grad + l->w, n->grad + l->b, dy, x, 0, B, I, l->OC);
		return;
	}
	be->dense_backward_update(be, n->param + l->w, s->moment1 ? s->moment1 + l->w : NULL, s->moment2 ? s->moment2 + l->w : NULL, dy, x, NULL, NULL, B, I,
		l->OC, &s->opt);
	be->dense_backward_weight(be, NULL, n->grad + n->grad_at[i], dy, x, 0, B, I, l->OC);
}

/* What has not moved yet, in one go, so that a backend may do it at once. */
static void move_rest(struct net *n, const struct net_step *s)
{
	for (int i = n->d->n - 1; i >= 0; i--) {
		const struct layer *l = &n->d->layer[i];
		const real *g = n->grad + n->grad_at[i];
		size_t too = l->kind == LAYER_CONV && s->opt.weight_decay != 0 ? 0 : l->nb; /* biases that move with the weights */
		if (l->kind == LAYER_DENSE)
			move(n, s, l->b, g, l->nb, 0);
		if (l->kind != LAYER_CONV && l->kind != LAYER_BN)
			continue;
		move(n, s, l->w, g, l->nw + too, l->kind == LAYER_CONV);
		move(n, s, l->b, g + l->nw, l->nb - too, 0);
	}
}

void net_backward(struct net *n, const real *x0, real *dz, int B, const struct net_pass *pass, const struct net_step *step)
{
	const struct backend *be = n->be;
	const struct netdesc *d = n->d;
	real *dy = dz;
	int at = -1; /* which buffer dy is; dz is none */
	assert(step ? n->mode != NET_INFER : n->mode == NET_GRADIENT);
	n->packed_valid = 0;
	for (int i = d->n - 1; i >= 0; i--) {
		const struct layer *l = &d->layer[i];
		if (l->fused)
			continue;
		int from = net_before(d, i), given = from >= 0 && n->maps_out[from];
		const real *x = n->in[i] ? n->in[i] : from >= 0 ? n->y[from] : x0;
		if (n->in[d->n] && net_last_fused(d, i) == d->n - 1) { /* the output went out as rows */
			const struct layer *last = &d->layer[d->n - 1];
			be->to_maps(be, n->delta[0], dy, B, last->OC, last->OH, last->OW);
			dy = n->delta[0], at = 0;
		}
		int to = net_spare(at, -1);
		real *dx = n->delta[to], *w = n->param + l->w, *dw = n->grad + (step ? n->grad_at[i] : l->w),
		     *db = step ? dw + l->nw : n->grad + l->b;
		switch (l->kind) {
		case LAYER_DENSE:
			dense_back(n, i, dx, dy, x, B, step);
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
		}
		if (from >= 0 && n->maps_in[i] != given) { /* the way back of `taken` */
			const struct layer *f = l->kind == LAYER_CONV && l->upsample > 1 ? l - 1 : l;
			int turned = net_spare(to, at);
			(given ? be->to_maps : be->to_rows)(be, n->delta[turned], dx, B, f->C, f->H, f->W);
			dx = n->delta[turned], to = turned;
		}
		dy = dx, at = to;
	}
	if (step)
		move_rest(n, step);
}
