/* Layers in order, and back. */
#include <math.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/net.h"
#include "lib/philox.h"

static size_t values(const struct layer *l)
{
	return (size_t)l->OC * (size_t)l->OH * (size_t)l->OW;
}

struct net *net_new(const struct ops *o, const struct netdesc *d, int B, int train)
{
	struct net *n = xcalloc(1, sizeof *n);
	size_t row = (size_t)B * sizeof(real);
	n->o = o, n->d = d, n->B = B;
	n->param = o->alloc(o, d->nparam * sizeof(real));
	n->stat = o->alloc(o, d->nstat * sizeof(real));
	n->y = xcalloc((size_t)d->n, sizeof *n->y);
	n->at = xcalloc((size_t)d->n, sizeof *n->at);
	n->save = xcalloc((size_t)d->n, sizeof *n->save);
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		n->y[i] = l->fused ? n->y[i - 1] : o->alloc(o, values(l) * row);
		if (l->kind == LAYER_POOL)
			n->at[i] = o->alloc(o, values(l) * (size_t)B);
		if (l->kind == LAYER_BN)
			n->save[i] = o->alloc(o, 2 * (size_t)l->C * sizeof(real));
	}
	if (train) {
		n->grad = o->alloc(o, d->nparam * sizeof(real));
		n->delta[0] = o->alloc(o, d->widest * row);
		n->delta[1] = o->alloc(o, d->widest * row);
	}
	return n;
}

void net_free(struct net *n)
{
	if (!n)
		return;
	for (int i = 0; i < n->d->n; i++) {
		if (!n->d->layer[i].fused)
			n->o->release(n->o, n->y[i]);
		n->o->release(n->o, n->at[i]);
		n->o->release(n->o, n->save[i]);
	}
	n->o->release(n->o, n->param), n->o->release(n->o, n->stat), n->o->release(n->o, n->grad);
	n->o->release(n->o, n->delta[0]), n->o->release(n->o, n->delta[1]);
	free(n->y), free(n->at), free(n->save), free(n);
}

/* The activation that a layer's output meets next, through batch norm and pooling. */
static enum act act_after(const struct netdesc *d, int i)
{
	for (i++; i < d->n; i++)
		if (d->layer[i].kind == LAYER_ACT)
			return d->layer[i].act;
		else if (d->layer[i].kind != LAYER_BN && d->layer[i].kind != LAYER_POOL)
			break;
	return ACT_NONE;
}

void net_first(const struct netdesc *d, uint64_t seed, real *param, real *stat)
{
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		for (size_t k = 0; k < l->nb; k++)
			param[l->b + k] = 0;
		if (l->kind == LAYER_BN) {
			for (int k = 0; k < l->C; k++)
				param[l->w + (size_t)k] = 1, stat[l->run + (size_t)k] = 0, stat[l->run + (size_t)(l->C + k)] = 1;
			continue;
		}
		if (!l->nw)
			continue;
		size_t in = l->nw / (size_t)l->OC, area = l->kind == LAYER_CONV ? (size_t)l->KH * (size_t)l->KW : 1;
		enum act act = act_after(d, i);
		double normal = sqrt(2.0 / (double)in),
		       range = sqrt(6.0 / ((double)in + (double)area * l->OC)) * (act == ACT_SIGMOID ? 4 : 1);
		for (size_t k = 0; k < l->nw; k++) {
			struct philox p = philox(seed, PHILOX_INIT, (uint32_t)i, (uint32_t)(k / in), (uint32_t)(k % in) / 2);
			uint32_t a = p.v[k % in % 2 * 2], b = p.v[k % in % 2 * 2 + 1];
			param[l->w + k] = act == ACT_RELU ? (real)(normal * (double)philox_normal(a, b))
							  : (real)(range * (2 * (double)philox_unit(a) - 1));
		}
	}
}

static struct conv conv_of(const struct layer *l, int B)
{
	return (struct conv){B, l->C, l->H, l->W, l->OC, l->KH, l->KW, l->S, l->P, l->OH, l->OW};
}

static struct bn bn_of(const struct layer *l, int B, int train)
{
	return (struct bn){B, l->C, l->H * l->W, train, (real)0.1, (real)1e-5};
}

static void dropout(struct net *n, int i, real *y, const real *x, int B, const struct net_pass *p)
{
	const struct layer *l = &n->d->layer[i];
	n->o->mask(n->o, y, x, p->rows, B, (int)values(l), l->p, 1 / (1 - l->p), p->seed, PHILOX_DROPOUT | (uint32_t)i << 8, p->epoch);
}

real *net_forward(struct net *n, const real *x, int B, const struct net_pass *pass)
{
	const struct ops *o = n->o;
	for (int i = 0; i < n->d->n; i++) {
		const struct layer *l = &n->d->layer[i];
		real *y = n->y[i], *w = n->param + l->w, *b = n->param + l->b;
		struct conv c = conv_of(l, B);
		switch (l->kind) {
		case LAYER_DENSE:
			o->dense(o, y, x, w, b, l->act, 0, B, l->C * l->H * l->W, l->OC);
			break;
		case LAYER_CONV:
			o->conv(o, y, x, w, b, l->act, &c);
			break;
		case LAYER_POOL:
			o->pool(o, y, n->at[i], x, B * l->C, l->H, l->W, l->KH);
			break;
		case LAYER_UP:
			o->up(o, y, x, B * l->C, l->H, l->W, l->KH);
			break;
		case LAYER_BN: {
			struct bn s = bn_of(l, B, pass->train);
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
			if (!l->fused)
				o->act(o, y, x, l->act, values(l) * (size_t)B);
			break;
		}
		x = y;
	}
	return n->y[n->d->n - 1];
}

void net_backward(struct net *n, const real *x0, real *dz, int B, const struct net_pass *pass)
{
	const struct ops *o = n->o;
	real *dy = dz;
	for (int i = n->d->n - 1; i >= 0; i--) {
		const struct layer *l = &n->d->layer[i];
		const real *x = i ? n->y[i - 1] : x0;
		real *dx = dy == n->delta[0] ? n->delta[1] : n->delta[0], *w = n->param + l->w, *dw = n->grad + l->w, *db = n->grad + l->b;
		struct conv c = conv_of(l, B);
		if (l->fused)
			continue;
		if ((l->kind == LAYER_DENSE || l->kind == LAYER_CONV) && l->act != ACT_NONE)
			o->act_back(o, dy, dy, n->y[i], l->act, values(l) * (size_t)B);
		switch (l->kind) {
		case LAYER_DENSE:
			o->dense_dw(o, dw, db, dy, x, 0, B, l->C * l->H * l->W, l->OC);
			if (i)
				o->dense_dx(o, dx, dy, w, 0, B, l->C * l->H * l->W, l->OC);
			break;
		case LAYER_CONV:
			o->conv_dw(o, dw, db, dy, x, &c);
			if (i)
				o->conv_dx(o, dx, dy, w, &c);
			break;
		case LAYER_POOL:
			o->pool_back(o, dx, dy, n->at[i], B * l->C, l->H, l->W, l->KH);
			break;
		case LAYER_UP:
			o->up_back(o, dx, dy, B * l->C, l->H, l->W, l->KH);
			break;
		case LAYER_BN: {
			struct bn s = bn_of(l, B, 1);
			o->bn_back(o, dx, dw, db, dy, x, w, n->save[i], &s);
			break;
		}
		case LAYER_DROPOUT:
			dropout(n, i, dx, dy, B, pass);
			break;
		case LAYER_ACT:
			o->act_back(o, dx, dy, n->y[i], l->act, values(l) * (size_t)B);
			break;
		}
		dy = dx;
	}
}
