/* Passes in shards: the layers' loops, sums in tree order. */
#include "lib/nn/net_shards.h"

#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/nn/net_plan.h"

void tree_open(struct tree *t, const struct backend *be, int shards, size_t most)
{
	*t = (struct tree){.be = be, .most = most};
	for (int i = 1, n = 1; n < shards; i++, n *= 2)
		t->level[i] = be->alloc(be, most * sizeof(real));
}

void tree_begin(struct tree *t, real *total, size_t n)
{
	t->level[0] = total, t->n = n;
}

/* As many partial sums wait as i has bits set. */
real *tree_place(const struct tree *t, int i)
{
	return t->level[__builtin_popcount((unsigned)i)];
}

void tree_add(struct tree *t, int i)
{
	for (int top = __builtin_popcount((unsigned)i), bit = 1; i & bit; bit *= 2, top--)
		t->be->add(t->be, t->level[top - 1], t->level[top - 1], t->level[top], ACT_NONE, t->n);
}

void tree_close(struct tree *t)
{
	for (int i = 1; i < (int)(sizeof t->level / sizeof *t->level); i++)
		t->be->release(t->be, t->level[i]);
}

struct net_shards {
	int n;
	struct net **net; /* (n); the first is the caller's */
	const struct net_exchange *exchange;
	struct net_flow *flow; /* (n) */
	struct tree tree;
	double *sums, *device_sums; /* (n, 2 most channels), host and device */
	real *stat, *device_stat;   /* (n + 1, 2 most channels), host: each shard's gradients, or, on the device, too, (3 most channels):
					mean, variance, and the unbiased one */
};

struct net_shards *net_shards_new(struct net *net, int n, const struct net_exchange *exchange)
{
	struct net_shards *s = xcalloc(1, sizeof *s);
	const struct backend *be = net->be;
	size_t most = 1, channels = 1;
	s->n = n, s->exchange = exchange;
	s->net = xcalloc((size_t)n, sizeof *s->net), s->flow = xcalloc((size_t)n, sizeof *s->flow);
	s->net[0] = net;
	for (int i = 1; i < n; i++)
		s->net[i] = net_beside(net, net->B);
	for (int i = 0; i < net->d->n; i++) {
		const struct layer *l = &net->d->layer[i];
		most = l->nw + l->nb > most ? l->nw + l->nb : most;
		channels = l->kind == LAYER_BN && (size_t)l->C > channels ? (size_t)l->C : channels;
	}
	tree_open(&s->tree, be, n, most);
	s->sums = xcalloc((size_t)n * 2 * channels, sizeof *s->sums);
	s->stat = xcalloc(((size_t)n + 1) * 2 * channels, sizeof *s->stat);
	s->device_sums = be->alloc(be, (size_t)n * 2 * channels * sizeof *s->sums);
	s->device_stat = be->alloc(be, 3 * channels * sizeof *s->stat);
	return s;
}

void net_shards_free(struct net_shards *s)
{
	if (!s)
		return;
	const struct backend *be = s->net[0]->be;
	for (int i = 1; i < s->n; i++)
		net_free(s->net[i]);
	tree_close(&s->tree);
	be->release(be, s->device_sums), be->release(be, s->device_stat);
	free(s->sums), free(s->stat), free(s->net), free(s->flow), free(s);
}

static void poll(const struct net_shards *s)
{
	if (s->exchange)
		s->exchange->poll(s->exchange->arg);
}

/* sums (n shards, n values) to their total in the first row, over all processes. */
static void total(const struct net_shards *s, double *sums, size_t values)
{
	for (int d = 1; d < s->n; d *= 2)
		for (int i = 0; i < s->n; i += 2 * d)
			for (size_t k = 0; k < values; k++)
				sums[(size_t)i * values + k] += sums[(size_t)(i + d) * values + k];
	if (s->exchange)
		s->exchange->sum(s->exchange->arg, sums, values);
}

/* All shards' sums at once: the host waits for the device but once a layer. */
static void download_sums(const struct net_shards *s, size_t values)
{
	const struct backend *be = s->net[0]->be;
	be->download(be, s->sums, s->device_sums, (size_t)s->n * values * sizeof *s->sums);
}

/* By the statistics of all shards; the running ones move by them. */
static void batch_norm_forward(struct net_shards *s, int i, const struct net_shard *shard, int rows)
{
	const struct net *first = s->net[0];
	const struct backend *be = first->be;
	const struct layer *l = &first->d->layer[i];
	struct batch_norm b = net_batch_norm(first, i, 0, 0);
	real *run = first->stat + l->run, *stat = s->stat;
	size_t C = (size_t)l->C;
	double N = (double)rows * b.HW;
	for (int k = 0; k < s->n; k++) {
		b.B = shard[k].B;
		s->flow[k].x = b.B ? net_convert_input(s->net[k], i, &s->flow[k], b.B) : NULL;
		if (b.B)
			be->batch_norm_sums(be, s->device_sums + (size_t)k * 2 * C, s->flow[k].x, run, &b);
		else
			be->zero(be, s->device_sums + (size_t)k * 2 * C, 2 * C * sizeof *s->sums);
	}
	download_sums(s, 2 * C), total(s, s->sums, 2 * C);
	be->download(be, stat, run, C * sizeof *stat); /* the origin of the sums */
	for (size_t c = 0; c < C; c++) {
		double mean = s->sums[c] / N, var = s->sums[C + c] / N - mean * mean;
		var = var > 0 ? var : 0;
		stat[c] = (real)((double)stat[c] + mean), stat[C + c] = (real)var,
		stat[2 * C + c] = (real)(N > 1 ? var * N / (N - 1) : var);
	}
	be->upload(be, s->device_stat, stat, 3 * C * sizeof *stat);
	be->lerp(be, run, s->device_stat, b.momentum, C), be->lerp(be, run + C, s->device_stat + 2 * C, b.momentum, C);
	for (int k = 0; k < s->n; k++) {
		struct net *n = s->net[k];
		b.B = shard[k].B;
		if (b.B)
			be->batch_norm(be, n->y[i], s->flow[k].x, n->param + l->w, n->param + l->b, s->device_stat, n->save[i], &b);
		s->flow[k].x = n->y[i], s->flow[k].x_maps = n->maps_out[i];
	}
}

void net_shards_forward(struct net_shards *s, struct net_shard *shard, int rows)
{
	const struct netdesc *d = s->net[0]->d;
	net_pack(s->net[0]);
	for (int k = 0; k < s->n; k++) {
		s->net[k]->param = s->net[0]->param, s->net[k]->stat = s->net[0]->stat;
		s->flow[k] = (struct net_flow){.x0 = shard[k].x, .x = shard[k].x};
	}
	for (int i = 0; i < d->n; i++) {
		if (d->layer[i].fused)
			continue;
		if (d->layer[i].kind == LAYER_BN) {
			batch_norm_forward(s, i, shard, rows);
			continue;
		}
		for (int k = 0; k < s->n; k++)
			if (shard[k].B)
				net_forward_layer(s->net[k], i, &s->flow[k], shard[k].B, &shard[k].pass);
	}
	for (int k = 0; k < s->n; k++)
		shard[k].z = shard[k].B ? net_forward_end(s->net[k], &s->flow[k], shard[k].B) : NULL;
}

/* Totals of the gradients' sums, on the device; those of each shard are dgamma and dbeta, added in the same tree, in their own precision.
 */
static struct net_totals batch_norm_totals(struct net_shards *s, int i, const struct net_shard *shard, int rows)
{
	const struct backend *be = s->net[0]->be;
	const struct layer *l = &s->net[0]->d->layer[i];
	size_t C = (size_t)l->C, row = 2 * C;
	struct batch_norm b = net_batch_norm(s->net[0], i, 0, 1);
	for (int k = 0; k < s->n; k++) {
		const struct net *n = s->net[k];
		double *to = s->device_sums + (size_t)k * row;
		b.B = shard[k].B;
		if (b.B)
			be->batch_norm_backward_sums(be, to, s->flow[k].dy, n->y[i], net_layer_input(n, i, &s->flow[k]), n->save[i], &b);
		else
			be->zero(be, to, row * sizeof *to);
	}
	download_sums(s, row);
	for (size_t k = 0; k < (size_t)s->n; k++)
		for (size_t c = 0; c < C; c++)
			s->stat[k * row + c] = (real)s->sums[k * row + C + c], s->stat[k * row + C + c] = (real)s->sums[k * row + c];
	for (size_t d = 1; d < (size_t)s->n; d *= 2)
		for (size_t k = 0; k < (size_t)s->n; k += 2 * d)
			for (size_t c = 0; c < row; c++)
				s->stat[k * row + c] += s->stat[(k + d) * row + c];
	be->upload(be, s->net[0]->grad + l->w, s->stat, row * sizeof *s->stat);
	total(s, s->sums, row);
	be->upload(be, s->device_sums, s->sums, 2 * C * sizeof *s->sums);
	return (struct net_totals){s->device_sums, (double)rows * b.HW};
}

/* Layer i's backward pass of all shards; its gradients' sum in the first net's grad. */
static void layer_backward(struct net_shards *s, int i, struct net_shard *shard, int rows)
{
	const struct net *first = s->net[0];
	const struct layer *l = &first->d->layer[i];
	struct net_totals totals;
	int norm = l->kind == LAYER_BN;
	tree_begin(&s->tree, first->grad + l->w, l->nw + l->nb);
	if (norm)
		totals = batch_norm_totals(s, i, shard, rows);
	for (int k = 0; k < s->n; k++) {
		real *dw = norm || !s->tree.n ? NULL : tree_place(&s->tree, k);
		if (shard[k].B)
			net_backward_layer(s->net[k], i, &s->flow[k], shard[k].B, &shard[k].pass, NULL, dw, dw ? dw + l->nw : NULL,
				norm ? &totals : NULL);
		else if (dw)
			first->be->zero(first->be, dw, s->tree.n * sizeof *dw);
		if (dw)
			tree_add(&s->tree, k);
		poll(s);
	}
}

void net_shards_backward(struct net_shards *s, struct net_shard *shard, int rows)
{
	const struct netdesc *d = s->net[0]->d;
	s->net[0]->packed_valid = 0;
	for (int k = 0; k < s->n; k++)
		s->flow[k] = (struct net_flow){.x0 = shard[k].x, .dy = shard[k].dz, .dy_delta = -1};
	for (int i = d->n - 1; i >= 0; i--) {
		const struct layer *l = &d->layer[i];
		for (int k = 0; k < s->n; k++)
			if (shard[k].B)
				net_backward_begin(s->net[k], i, &s->flow[k], shard[k].B);
		if (l->fused || l->kind == LAYER_ADD)
			continue;
		layer_backward(s, i, shard, rows);
		if (s->exchange && l->nw + l->nb)
			s->exchange->ready(s->exchange->arg, l->w);
	}
}
