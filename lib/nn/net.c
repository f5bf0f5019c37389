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
	const struct layer *l = &d->layer[i], *from = l->up > 1 ? l - 1 : l; /* where the input comes from */
	return (struct conv){.B = B,
		.C = l->C,
		.H = from->H,
		.W = from->W,
		.up = l->up,
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
	return n->maps_out[i] ? n->o->maps_size(n->o, B, l->OC, l->OH, l->OW) : values(l) * (size_t)B * sizeof(real);
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
	const struct ops *o = n->o;
	size_t size[3] = {0};
	int dy = -1;
	for (int i = d->n - 1; i >= 0; i--) {
		const struct layer *l = &d->layer[i], *f = l->kind == LAYER_CONV && l->up > 1 ? l - 1 : l;
		if (l->fused)
			continue;
		int from = before(d, i), given = from >= 0 && n->maps_out[from];
		size_t rows = (size_t)n->B * (size_t)f->C * (size_t)f->H * (size_t)f->W * sizeof(real),
		       maps = o->maps_size(o, n->B, f->C, f->H, f->W);
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
		n->delta[k] = size[k] ? o->alloc(o, size[k]) : NULL;
}

struct net *net_new(const struct ops *o, const struct netdesc *d, int B, enum net_mode mode)
{
	struct net *n = xcalloc(1, sizeof *n);
	size_t L = (size_t)d->n, grad = 0;
	if (mode == NET_INFER && d->nstat) {
		n->own = xmalloc(sizeof *n->own);
		*n->own = *d;
		netdesc_fold(n->own);
		d = n->own;
	}
	n->o = o, n->d = d, n->B = B, n->mode = mode;
	n->param = o->alloc(o, d->nparam * sizeof(real));
	n->stat = o->alloc(o, d->nstat * sizeof(real));
	n->y = xcalloc(L, sizeof *n->y), n->at = xcalloc(L, sizeof *n->at), n->save = xcalloc(L, sizeof *n->save);
	n->packed = xcalloc(L, sizeof *n->packed), n->in = xcalloc(L + 1, sizeof *n->in);
	n->moved = xcalloc(L, sizeof *n->moved);
	kinds(n);
	for (int i = 0, given = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		if (l->fused)
			continue;
		struct conv c = conv_of(d, i, B);
		const struct layer *from = l->kind == LAYER_CONV && l->up > 1 ? l - 1 : l;
		size_t rows = (size_t)B * (size_t)from->C * (size_t)from->H * (size_t)from->W * sizeof(real),
		       maps = o->maps_size(o, B, from->C, from->H, from->W);
		if (n->maps_in[i] != given)
			n->in[i] = o->alloc(o, given ? rows : maps);
		n->y[i] = o->alloc(o, left_by(n, i, B));
		if (l->kind == LAYER_POOL || (l->kind == LAYER_CONV && l->pool > 1))
			n->at[i] = o->alloc(o, left_by(n, i, B) / sizeof(real));
		if (l->kind == LAYER_BN)
			n->save[i] = o->alloc(o, 2 * (size_t)l->C * sizeof(real));
		if (l->kind == LAYER_CONV)
			n->packed[i] = o->alloc(o, o->conv_packed(o, &c));
		n->moved[i] = grad, grad += (l->kind == LAYER_DENSE ? 0 : l->nw) + l->nb;
		given = n->maps_out[i];
		if (last_of(d, i) == d->n - 1 && given)
			n->in[d->n] = o->alloc(o, (size_t)B * (size_t)d->outputs * sizeof(real));
	}
	if (mode != NET_INFER) {
		n->grad = o->alloc(o, (mode == NET_GRADIENT ? d->nparam : grad) * sizeof(real));
		gradients(n);
	}
	return n;
}

void net_free(struct net *n)
{
	if (!n)
		return;
	const struct ops *o = n->o;
	for (int i = 0; i < n->d->n; i++)
		o->release(o, n->y[i]), o->release(o, n->at[i]), o->release(o, n->save[i]), o->release(o, n->packed[i]),
			o->release(o, n->in[i]);
	o->release(o, n->in[n->d->n]);
	if (n->borrowed)
		o->unlend(o, n->param), o->unlend(o, n->stat);
	else
		o->release(o, n->param), o->release(o, n->stat);
	o->release(o, n->grad);
	for (int k = 0; k < 3; k++)
		o->release(o, n->delta[k]);
	free(n->moved), free(n->y), free(n->at), free(n->save), free(n->packed), free(n->in), free(n->maps_in), free(n->maps_out),
		free(n->own), free(n);
}

void net_put(struct net *n, const real *param, const real *stat)
{
	if (n->own && param) {
		real *copy = xmalloc(n->d->nparam * sizeof *copy);
		memcpy(copy, param, n->d->nparam * sizeof *copy);
		netdesc_fold_weights(n->d, copy, stat);
		n->o->put(n->o, n->param, copy, n->d->nparam * sizeof(real));
		free(copy);
	} else if (param)
		n->o->put(n->o, n->param, param, n->d->nparam * sizeof(real));
	if (stat)
		n->o->put(n->o, n->stat, stat, n->d->nstat * sizeof(real));
	n->fresh = 0;
}

void net_borrow(struct net *n, const real *param, const real *stat)
{
	const struct ops *o = n->o;
	assert(n->mode == NET_INFER && !n->borrowed);
	if (n->own) { /* folded weights are others */
		net_put(n, param, stat);
		return;
	}
	o->release(o, n->param), o->release(o, n->stat);
	n->param = o->lend(o, param, n->d->nparam * sizeof(real)), n->stat = o->lend(o, stat, n->d->nstat * sizeof(real));
	n->borrowed = 1, n->fresh = 0;
}

void net_get(const struct net *n, real *param, real *stat)
{
	if (param)
		n->o->get(n->o, param, n->param, n->d->nparam * sizeof(real));
	if (stat)
		n->o->get(n->o, stat, n->stat, n->d->nstat * sizeof(real));
}

static struct bn bn_of(const struct net *n, int i, int B, int train)
{
	const struct layer *l = &n->d->layer[i];
	return (struct bn){B, l->C, l->H * l->W, n->maps_in[i], train, l->act, (real)0.1, (real)NETDESC_BN_EPS};
}

static void dropout(struct net *n, int i, real *y, const real *x, int B, const struct net_pass *p)
{
	const struct layer *l = &n->d->layer[i];
	n->o->mask(n->o, y, x, p->rows, B, (int)values(l), l->p, 1 / (1 - l->p), p->seed, PHILOX_DROPOUT | (uint32_t)i << 8, p->epoch);
}

static void pack(struct net *n)
{
	for (int i = 0; i < n->d->n; i++)
		if (n->d->layer[i].kind == LAYER_CONV) {
			struct conv c = conv_of(n->d, i, n->B);
			n->o->conv_pack(n->o, n->packed[i], n->param + n->d->layer[i].w, &c);
		}
	n->fresh = 1;
}

/* x, which layer i is to take, in the kind that it takes; given: x is maps. */
static const real *taken(struct net *n, int i, const real *x, int given, int B)
{
	const struct layer *l = &n->d->layer[i], *from = l->kind == LAYER_CONV && l->up > 1 ? l - 1 : l;
	if (n->maps_in[i] == given)
		return x;
	(given ? n->o->to_rows : n->o->to_maps)(n->o, n->in[i], x, B, from->C, from->H, from->W);
	return n->in[i];
}

real *net_forward(struct net *n, const real *x, int B, const struct net_pass *pass)
{
	const struct ops *o = n->o;
	const struct netdesc *d = n->d;
	int given = 0;
	if (pass->train || !n->fresh)
		pack(n);
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		real *y = n->y[i], *w = n->param + l->w, *b = n->param + l->b;
		if (l->fused)
			continue;
		x = taken(n, i, x, given, B);
		switch (l->kind) {
		case LAYER_DENSE:
			o->dense(o, y, x, w, b, l->act, 0, B, l->C * l->H * l->W, l->OC);
			break;
		case LAYER_CONV: {
			struct conv c = conv_of(d, i, B);
			o->conv(o, y, n->at[i], x, n->packed[i], b, &c);
			break;
		}
		case LAYER_POOL:
			o->pool(o, y, n->at[i], x, B, l->C, l->H, l->W, l->KH);
			break;
		case LAYER_UP:
			o->up(o, y, x, B, l->C, l->H, l->W, l->KH);
			break;
		case LAYER_BN: {
			struct bn s = bn_of(n, i, B, pass->train);
			o->bn(o, y, x, w, b, n->stat + l->run, n->save[i], &s);
			break;
		}
		case LAYER_DROPOUT:
			if (pass->train)
				dropout(n, i, y, x, B, pass);
			else
				o->copy(o, y, x, values(l) * (size_t)B * sizeof(real));
			break;
		case LAYER_ACT:
			o->act(o, y, x, l->act, left_by(n, i, B) / sizeof(real));
			break;
		}
		x = y, given = n->maps_out[i];
	}
	if (given) {
		const struct layer *l = &d->layer[d->n - 1];
		o->to_rows(o, n->in[d->n], x, B, l->OC, l->OH, l->OW);
		x = n->in[d->n];
	}
	return (real *)x;
}

static void move(struct net *n, const struct net_step *s, size_t at, const real *g, size_t count, int decay)
{
	if (!count)
		return;
	struct update u = s->u;
	u.decay = decay ? u.decay : 0;
	n->o->update(n->o, n->param + at, g, s->first ? s->first + at : NULL, s->second ? s->second + at : NULL, count, &u);
}

static void dense_back(struct net *n, int i, real *dx, real *dy, const real *x, int B, const struct net_step *s)
{
	const struct ops *o = n->o;
	const struct layer *l = &n->d->layer[i];
	int I = l->C * l->H * l->W;
	if (l->act != ACT_NONE)
		o->act_back(o, dy, dy, n->y[i], l->act, (size_t)B * (size_t)l->OC);
	if (before(n->d, i) >= 0)
		o->dense_dx(o, dx, dy, n->param + l->w, 0, B, I, l->OC);
	if (!s) {
		o->dense_dw(o, n->grad + l->w, n->grad + l->b, dy, x, 0, B, I, l->OC);
		return;
	}
	o->dense_step(o, n->param + l->w, s->first ? s->first + l->w : NULL, s->second ? s->second + l->w : NULL, dy, x, NULL, NULL, B, I,
		l->OC, &s->u);
	o->dense_dw(o, NULL, n->grad + n->moved[i], dy, x, 0, B, I, l->OC);
}

/* What has not moved yet, in one go, so that a hand may do it at once. */
static void move_rest(struct net *n, const struct net_step *s)
{
	for (int i = n->d->n - 1; i >= 0; i--) {
		const struct layer *l = &n->d->layer[i];
		const real *g = n->grad + n->moved[i];
		size_t too = l->kind == LAYER_CONV && s->u.decay != 0 ? 0 : l->nb; /* biases that move with the weights */
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
	const struct ops *o = n->o;
	const struct netdesc *d = n->d;
	real *dy = dz;
	int at = -1; /* which buffer dy is; dz is none */
	assert(step ? n->mode != NET_INFER : n->mode == NET_GRADIENT);
	n->fresh = 0;
	for (int i = d->n - 1; i >= 0; i--) {
		const struct layer *l = &d->layer[i];
		if (l->fused)
			continue;
		int from = before(d, i), given = from >= 0 && n->maps_out[from];
		const real *x = n->in[i] ? n->in[i] : from >= 0 ? n->y[from] : x0;
		if (n->in[d->n] && last_of(d, i) == d->n - 1) { /* the output went out as rows */
			const struct layer *last = &d->layer[d->n - 1];
			o->to_maps(o, n->delta[0], dy, B, last->OC, last->OH, last->OW);
			dy = n->delta[0], at = 0;
		}
		int to = spare(at, -1);
		real *dx = n->delta[to], *w = n->param + l->w, *dw = n->grad + (step ? n->moved[i] : l->w),
		     *db = step ? dw + l->nw : n->grad + l->b;
		switch (l->kind) {
		case LAYER_DENSE:
			dense_back(n, i, dx, dy, x, B, step);
			break;
		case LAYER_CONV: {
			struct conv c = conv_of(d, i, B);
			o->conv_back(o, from >= 0 ? dx : NULL, dw, db, dy, n->y[i], n->at[i], x, w, n->packed[i], &c);
			break;
		}
		case LAYER_POOL:
			o->pool_back(o, dx, dy, n->at[i], B, l->C, l->H, l->W, l->KH);
			break;
		case LAYER_UP:
			o->up_back(o, dx, dy, B, l->C, l->H, l->W, l->KH);
			break;
		case LAYER_BN: {
			struct bn s = bn_of(n, i, B, 1);
			o->bn_back(o, dx, dw, db, dy, n->y[i], x, w, n->save[i], &s);
			break;
		}
		case LAYER_DROPOUT:
			dropout(n, i, dx, dy, B, pass);
			break;
		case LAYER_ACT:
			o->act_back(o, dx, dy, n->y[i], l->act, left_by(n, i, B) / sizeof(real));
			break;
		}
		if (from >= 0 && n->maps_in[i] != given) { /* the way back of `taken` */
			const struct layer *f = l->kind == LAYER_CONV && l->up > 1 ? l - 1 : l;
			int turned = spare(to, at);
			(given ? o->to_maps : o->to_rows)(o, n->delta[turned], dx, B, f->C, f->H, f->W);
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
	const real *host = count ? n->o->view(n->o, device, count * sizeof *host) : NULL;
	for (size_t i = 0; i < count && !bad; i++)
		bad = !isfinite(host[i]);
	if (host)
		n->o->unview(n->o, host);
	return bad;
}

int net_suspect(const struct net *n)
{
	for (int i = 0; i < n->d->n; i++)
		if (broken(n, n->param + n->d->layer[i].w, n->d->layer[i].nw + n->d->layer[i].nb))
			return i;
	for (int i = 0; i < n->d->n; i++)
		if (!n->d->layer[i].fused && !n->maps_out[i] && broken(n, n->y[i], values(&n->d->layer[i])))
			return i;
	return -1;
}
