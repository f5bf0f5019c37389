/* Layers in order, and back. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/nn/net.h"

static size_t values(const struct layer *l)
{
	return (size_t)l->OC * (size_t)l->OH * (size_t)l->OW;
}

static struct conv conv_of(const struct netdesc *d, int i, int B)
{
	const struct layer *l = &d->layer[i], *from = l->upsample > 1 ? l - 1 : l; /* where the input comes from */
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
		.OH = l->OH,
		.OW = l->OW,
		.pool = l->pool,
		.act = l->act,
		.image = i == 0};
}

/* The last of the layers that i does with itself: its output is what the next one sees. */
static int last_of(const struct netdesc *d, int i)
{
	while (i + 1 < d->n && d->layer[i + 1].fused && d->layer[i + 1].kind != LAYER_UP)
		i++;
	return i;
}

/* The layer whose output i's is computed from, or -1. */
static int before(const struct netdesc *d, int i)
{
	for (i--; i >= 0 && d->layer[i].fused; i--)
		;
	return i;
}

/* Bytes of what a layer leaves, fused ones included. */
static size_t left_by(const struct net *n, int i, int B)
{
	const struct layer *l = &n->d->layer[last_of(n->d, i)];
	return n->maps_out[i] ? n->be->maps_size(n->be, B, l->OC, l->OH, l->OW) : values(l) * (size_t)B * sizeof(real);
}

/* Spatial layers take maps, but for a convolution that reads the input as it comes; dense ones and dropout take rows. */
static void kinds(struct net *n)
{
	const struct netdesc *d = n->d;
	n->maps_in = xcalloc((size_t)d->n, 1), n->maps_out = xcalloc((size_t)d->n, 1);
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		int from = before(d, i), given = from >= 0 && n->maps_out[from];
		n->maps_in[i] = l->kind == LAYER_CONV			       ? i > 0
				: l->kind == LAYER_POOL || l->kind == LAYER_UP ? 1
				: l->kind == LAYER_BN			       ? l->H * l->W > 1
				: l->kind == LAYER_ACT			       ? given
									       : 0;
		n->maps_out[i] = l->kind == LAYER_CONV || n->maps_in[i];
	}
}

static size_t bigger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* The first of the gradients' buffers that is neither. */
static int spare(int a, int b)
{
	for (int k = 0; k < 2; k++)
		if (k != a && k != b)
			return k;
	return 2;
}

/* Buffers as large as the way back needs them, which is gone through as net_backward does. */
static void gradients(struct net *n)
{
	const struct netdesc *d = n->d;
	const struct backend *be = n->be;
	size_t size[3] = {0};
	int dy = -1;
	for (int i = d->n - 1; i >= 0; i--) {
		const struct layer *l = &d->layer[i], *f = l->kind == LAYER_CONV && l->upsample > 1 ? l - 1 : l;
		if (l->fused)
			continue;
		int from = before(d, i), given = from >= 0 && n->maps_out[from];
		size_t rows = (size_t)n->B * (size_t)f->C * (size_t)f->H * (size_t)f->W * sizeof(real),
		       maps = be->maps_size(be, n->B, f->C, f->H, f->W);
		if (n->in[d->n] && last_of(d, i) == d->n - 1)
			dy = 0, size[0] = bigger(size[0], left_by(n, i, n->B));
		int dx = spare(dy, -1);
		if (from >= 0 || (l->kind != LAYER_CONV && l->kind != LAYER_DENSE))
			size[dx] = bigger(size[dx], n->maps_in[i] ? maps : rows);
		if (from >= 0 && n->maps_in[i] != given) {
			dx = spare(dx, dy);
			size[dx] = bigger(size[dx], given ? maps : rows);
		}
		dy = dx;
	}
	for (int k = 0; k < 3; k++)
		n->delta[k] = size[k] ? be->alloc(be, size[k]) : NULL;
}

struct net *net_new(const struct backend *be, const struct netdesc *d, int B, enum net_mode mode)
{
	struct net *n = xcalloc(1, sizeof *n);
	size_t L = (size_t)d->n, grad = 0;
	if (mode == NET_INFER && d->nstat) {
		n->own = xmalloc(sizeof *n->own);
		*n->own = *d;
		netdesc_fold(n->own);
		d = n->own;
	}
	n->be = be, n->d = d, n->B = B, n->mode = mode;
	n->param = be->alloc(be, d->nparam * sizeof(real));
	n->stat = be->alloc(be, d->nstat * sizeof(real));
	n->y = xcalloc(L, sizeof *n->y), n->argmax = xcalloc(L, sizeof *n->argmax), n->save = xcalloc(L, sizeof *n->save);
	n->packed = xcalloc(L, sizeof *n->packed), n->in = xcalloc(L + 1, sizeof *n->in);
	n->grad_at = xcalloc(L, sizeof *n->grad_at);
	kinds(n);
	for (int i = 0, given = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		if (l->fused)
			continue;
		struct conv c = conv_of(d, i, B);
		const struct layer *from = l->kind == LAYER_CONV && l->upsample > 1 ? l - 1 : l;
		size_t rows = (size_t)B * (size_t)from->C * (size_t)from->H * (size_t)from->W * sizeof(real),
		       maps = be->maps_size(be, B, from->C, from->H, from->W);
		if (n->maps_in[i] != given)
			n->in[i] = be->alloc(be, given ? rows : maps);
		n->y[i] = be->alloc(be, left_by(n, i, B));
		if (l->kind == LAYER_POOL || (l->kind == LAYER_CONV && l->pool > 1))
			n->argmax[i] = be->alloc(be, left_by(n, i, B) / sizeof(real));
		if (l->kind == LAYER_BN)
			n->save[i] = be->alloc(be, 2 * (size_t)l->C * sizeof(real));
		if (l->kind == LAYER_CONV)
			n->packed[i] = be->alloc(be, be->conv_packed_size(be, &c));
		n->grad_at[i] = grad, grad += (l->kind == LAYER_DENSE ? 0 : l->nw) + l->nb;
		given = n->maps_out[i];
		if (last_of(d, i) == d->n - 1 && given)
			n->in[d->n] = be->alloc(be, (size_t)B * (size_t)d->outputs * sizeof(real));
	}
	if (mode != NET_INFER) {
		n->grad = be->alloc(be, (mode == NET_GRADIENT ? d->nparam : grad) * sizeof(real));
		gradients(n);
	}
	return n;
}

void net_free(struct net *n)
{
	if (!n)
		return;
	const struct backend *be = n->be;
	for (int i = 0; i < n->d->n; i++)
		be->release(be, n->y[i]), be->release(be, n->argmax[i]), be->release(be, n->save[i]), be->release(be, n->packed[i]),
			be->release(be, n->in[i]);
	be->release(be, n->in[n->d->n]);
	if (n->borrowed)
		be->unmap_host(be, n->param), be->unmap_host(be, n->stat);
	else
		be->release(be, n->param), be->release(be, n->stat);
	be->release(be, n->grad);
	for (int k = 0; k < 3; k++)
		be->release(be, n->delta[k]);
	free(n->grad_at), free(n->y), free(n->argmax), free(n->save), free(n->packed), free(n->in), free(n->maps_in), free(n->maps_out),
		free(n->own), free(n);
}

void net_upload(struct net *n, const real *param, const real *stat)
{
	if (n->own && param) {
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

void net_borrow(struct net *n, const real *param, const real *stat)
{
	const struct backend *be = n->be;
	assert(n->mode == NET_INFER && !n->borrowed);
	if (n->own) { /* folded weights are others */
		net_upload(n, param, stat);
		return;
	}
	be->release(be, n->param), be->release(be, n->stat);
	n->param = be->map_host(be, param, n->d->nparam * sizeof(real)), n->stat = be->map_host(be, stat, n->d->nstat * sizeof(real));
	n->borrowed = 1, n->packed_valid = 0;
}

void net_download(const struct net *n, real *param, real *stat)
{
	if (param)
		n->be->download(n->be, param, n->param, n->d->nparam * sizeof(real));
	if (stat)
		n->be->download(n->be, stat, n->stat, n->d->nstat * sizeof(real));
}

static struct batch_norm bn_of(const struct net *n, int i, int B, int train)
{
	const struct layer *l = &n->d->layer[i];
	return (struct batch_norm){B, l->C, l->H * l->W, n->maps_in[i], train, l->act, (real)0.1, (real)NETDESC_BN_EPS};
}

static void dropout(struct net *n, int i, real *y, const real *x, int B, const struct net_pass *p)
{
	const struct layer *l = &n->d->layer[i];
	n->be->dropout(n->be, y, x, p->rows, B, (int)values(l), l->p, 1 / (1 - l->p), p->seed, PHILOX_DROPOUT | (uint32_t)i << 8, p->epoch);
}

static void pack(struct net *n)
{
	for (int i = 0; i < n->d->n; i++)
		if (n->d->layer[i].kind == LAYER_CONV) {
			struct conv c = conv_of(n->d, i, n->B);
			n->be->conv_pack(n->be, n->packed[i], n->param + n->d->layer[i].w, &c);
		}
	n->packed_valid = 1;
}

/* x, which layer i is to take, in the kind that it takes; given: x is maps. */
static const real *taken(struct net *n, int i, const real *x, int given, int B)
{
	const struct layer *l = &n->d->layer[i], *from = l->kind == LAYER_CONV && l->upsample > 1 ? l - 1 : l;
	if (n->maps_in[i] == given)
		return x;
	(given ? n->be->to_rows : n->be->to_maps)(n->be, n->in[i], x, B, from->C, from->H, from->W);
	return n->in[i];
}

real *net_forward(struct net *n, const real *x, int B, const struct net_pass *pass)
{
	const struct backend *be = n->be;
	const struct netdesc *d = n->d;
	int given = 0;
	if (pass->train || !n->packed_valid)
		pack(n);
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		real *y = n->y[i], *w = n->param + l->w, *b = n->param + l->b;
		if (l->fused)
			continue;
		x = taken(n, i, x, given, B);
		switch (l->kind) {
		case LAYER_DENSE:
			be->dense(be, y, x, w, b, l->act, 0, B, l->C * l->H * l->W, l->OC);
			break;
		case LAYER_CONV: {
			struct conv c = conv_of(d, i, B);
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
			struct batch_norm s = bn_of(n, i, B, pass->train);
			be->batch_norm(be, y, x, w, b, n->stat + l->run, n->save[i], &s);
			break;
		}
		case LAYER_DROPOUT:
			if (pass->train)
				dropout(n, i, y, x, B, pass);
			else
				be->copy(be, y, x, values(l) * (size_t)B * sizeof(real));
			break;
		case LAYER_ACT:
			be->act(be, y, x, l->act, left_by(n, i, B) / sizeof(real));
			break;
		}
		x = y, given = n->maps_out[i];
	}
	if (given) {
		const struct layer *l = &d->layer[d->n - 1];
		be->to_rows(be, n->in[d->n], x, B, l->OC, l->OH, l->OW);
		x = n->in[d->n];
	}
	return (real *)x;
}

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
	if (before(n->d, i) >= 0)
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
		int from = before(d, i), given = from >= 0 && n->maps_out[from];
		const real *x = n->in[i] ? n->in[i] : from >= 0 ? n->y[from] : x0;
		if (n->in[d->n] && last_of(d, i) == d->n - 1) { /* the output went out as rows */
			const struct layer *last = &d->layer[d->n - 1];
			be->to_maps(be, n->delta[0], dy, B, last->OC, last->OH, last->OW);
			dy = n->delta[0], at = 0;
		}
		int to = spare(at, -1);
		real *dx = n->delta[to], *w = n->param + l->w, *dw = n->grad + (step ? n->grad_at[i] : l->w),
		     *db = step ? dw + l->nw : n->grad + l->b;
		switch (l->kind) {
		case LAYER_DENSE:
			dense_back(n, i, dx, dy, x, B, step);
			break;
		case LAYER_CONV: {
			struct conv c = conv_of(d, i, B);
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
			struct batch_norm s = bn_of(n, i, B, 1);
			be->batch_norm_backward(be, dx, dw, db, dy, n->y[i], x, w, n->save[i], &s);
			break;
		}
		case LAYER_DROPOUT:
			dropout(n, i, dx, dy, B, pass);
			break;
		case LAYER_ACT:
			be->act_backward(be, dx, dy, n->y[i], l->act, left_by(n, i, B) / sizeof(real));
			break;
		}
		if (from >= 0 && n->maps_in[i] != given) { /* the way back of `taken` */
			const struct layer *f = l->kind == LAYER_CONV && l->upsample > 1 ? l - 1 : l;
			int turned = spare(to, at);
			(given ? be->to_maps : be->to_rows)(be, n->delta[turned], dx, B, f->C, f->H, f->W);
			dx = n->delta[turned], to = turned;
		}
		dy = dx, at = to;
	}
	if (step)
		move_rest(n, step);
}

static int broken(const struct net *n, const real *device, size_t count)
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
		if (broken(n, n->param + n->d->layer[i].w, n->d->layer[i].nw + n->d->layer[i].nb))
			return i;
	for (int i = 0; i < n->d->n; i++)
		if (!n->d->layer[i].fused && !n->maps_out[i] && broken(n, n->y[i], values(&n->d->layer[i])))
			return i;
	return -1;
}
