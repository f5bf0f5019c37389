/* One layer of a restricted Boltzmann machine: a training step is 2 + 2 steps products, of which PCD makes two in one, and an outer one. */
#include "lib/train/rbm.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"

struct buffers {
	real *h;		   /* (2 B, H): hidden units' probabilities, of what the chains end with, then of the data */
	real *s;		   /* (B, H): samples of CD's chains */
	real *grad_h;		   /* (2 B, H): gradients of hidden units: h of the chains, and minus that of the data */
	real *grad;		   /* of b and c */
	real *sum, *wanted, *zero; /* (V or H): column sums; (H): the wanted mean; (B, H or V): zeros, as targets */
	uint32_t *chain;	   /* (B): 0, 1, ...: numbers of the chains */
};

/* What the chains of a batch of B rows end with, (B, V): right before the batch. */
static real *chains(const struct pretrain_layer *l, int B)
{
	return l->x - (size_t)B * (size_t)l->V;
}

int rbm_gaussian(const struct pretrain_layer *l)
{
	return l->a->gaussian && !l->layer;
}

static size_t larger(const struct pretrain_layer *l)
{
	return (size_t)(l->V > l->H ? l->V : l->H);
}

static size_t rbm_extra(const struct pretrain_layer *l)
{
	return l->params + (l->a->persistent ? (size_t)l->B * (size_t)l->H : 0);
}

static void rbm_open(struct pretrain_layer *l)
{
	const struct backend *be = l->be;
	struct buffers *d = l->own = xcalloc(1, sizeof *d);
	size_t B = (size_t)l->B, V = (size_t)l->V, H = (size_t)l->H, r = sizeof(real);
	d->h = be->alloc(be, 2 * B * H * r), d->s = be->alloc(be, B * H * r);
	d->grad_h = be->alloc(be, 2 * B * H * r), d->grad = be->alloc(be, (H + V) * r);
	d->sum = be->alloc(be, larger(l) * r), d->wanted = be->alloc(be, H * r), d->zero = be->alloc(be, B * larger(l) * r);
	d->chain = be->alloc(be, B * sizeof *d->chain);
	real *wanted = xcalloc(H, r);
	uint32_t *chain = xcalloc(B, sizeof *chain);
	for (size_t i = 0; i < H; i++)
		wanted[i] = (real)l->a->sparsity;
	for (size_t i = 0; i < B; i++)
		chain[i] = (uint32_t)i;
	be->upload(be, d->wanted, wanted, H * r), be->upload(be, d->chain, chain, B * sizeof *chain);
	free(wanted), free(chain);
}

/* y += a x */
static void add(const struct backend *be, real *y, const real *x, double a, size_t n)
{
	be->optimizer_step(be, y, x, NULL, NULL, n, &(struct optimizer_step){.kind = OPTIMIZER_SGD, .learning_rate = (real)-a});
}

/* Samples of probabilities, in place or not; draw counts those of a step. */
static void sample(struct pretrain_layer *l, real *to, const real *p, const uint32_t *rows, int B, int K, uint32_t draw, uint32_t count)
{
	l->be->bernoulli(l->be, to, p, rows, B, K, l->a->seed, PHILOX_GIBBS | (uint32_t)l->layer << 8 | draw << 16, count);
}

/* Gibbs sampling from hidden samples s: the chains' ends and their probabilities, with the data's, too, where these are not there yet; s
 * goes on where it is a persistent chain. */
static void gibbs(struct pretrain_layer *l, real *s, const uint32_t *rows, int B, uint32_t count)
{
	const struct backend *be = l->be;
	struct buffers *d = l->own;
	real *w = l->param, *b = w + (size_t)l->V * (size_t)l->H, *c = b + l->H, *v = chains(l, B);
	int gaussian = rbm_gaussian(l), persistent = l->a->persistent;
	for (int k = 0; k < l->a->steps; k++) {
		int last = k + 1 == l->a->steps;
		be->dense(be, v, s, w, c, gaussian ? ACT_NONE : ACT_SIGMOID, 1, B, l->H, l->V);
		if (!gaussian)
			sample(l, v, v, rows, B, l->V, 2 * (uint32_t)k + 1, count);
		be->dense(be, d->h, v, w, b, ACT_SIGMOID, 0, last && persistent ? 2 * B : B, l->V, l->H);
		if (!last || persistent)
			sample(l, s, d->h, rows, B, l->H, 2 * (uint32_t)k + 2, count);
	}
}

/* y (B, H) = scale x */
static void scaled(struct pretrain_layer *l, real *y, const real *x, double scale, int B)
{
	struct buffers *d = l->own;
	l->be->gather(l->be, y, x, d->chain, B, l->H); /* a copy */
	if (scale != 1)
		add(l->be, y, x, scale - 1, (size_t)B * (size_t)l->H);
}

/* Chains and probabilities of B rows of x, from row `from` of the batch at `at` on; returns those of the data's hidden units. */
static real *rbm_pass(struct pretrain_layer *l, uint32_t at, int from, int B, uint32_t count)
{
	const struct backend *be = l->be;
	const struct pretrain_options *a = l->a;
	struct buffers *d = l->own;
	real *w = l->param, *b = w + (size_t)l->V * (size_t)l->H, *h = d->h + (size_t)B * (size_t)l->H;
	real *s = a->persistent ? l->param + 2 * l->params + (size_t)from * (size_t)l->H : d->s;
	const uint32_t *rows = l->rows + at + from;
	if (!a->persistent) {
		be->dense(be, h, l->x, w, b, ACT_SIGMOID, 0, B, l->V, l->H);
		sample(l, s, h, rows, B, l->H, 0, count);
	}
	gibbs(l, s, a->persistent ? d->chain + from : rows, B, count);
	return h;
}

static struct optimizer_step rbm_opt(const struct pretrain_layer *l, double decay)
{
	const struct pretrain_options *a = l->a;
	return (struct optimizer_step){.kind = OPTIMIZER_SGD,
		.learning_rate = (real)((double)a->learning_rate / l->B),
		.momentum = (real)a->momentum,
		.weight_decay = (real)decay};
}

/* b moves towards the wanted mean, by the sum (H) of the hidden units' probabilities over a batch of B rows. */
static void sparsify(struct pretrain_layer *l, const real *sum, int B)
{
	const struct pretrain_options *a = l->a;
	struct buffers *d = l->own;
	real *b = l->param + (size_t)l->V * (size_t)l->H;
	double rate = (double)a->learning_rate;
	add(l->be, b, sum, -rate * (double)a->sparsity_cost / B, (size_t)l->H);
	add(l->be, b, d->wanted, rate * (double)a->sparsity_cost, (size_t)l->H);
}

/* c (V) = scale (sums of v - of x) */
static void visible_gradient(struct pretrain_layer *l, real *c, const real *v, double scale, int B)
{
	const struct backend *be = l->be;
	struct buffers *d = l->own;
	size_t V = (size_t)l->V;
	be->zero(be, c, V * sizeof(real));
	be->dense_backward_weight(be, NULL, d->sum, v, NULL, 0, B, 0, l->V);
	add(be, c, d->sum, scale, V);
	be->dense_backward_weight(be, NULL, d->sum, l->x, NULL, 0, B, 0, l->V);
	add(be, c, d->sum, -scale, V);
}

/* Gradients are of minus the log-likelihood, means over the batch times l->B: as sums, which need no scaling, but of an epoch's last batch.
 */
static void rbm_step(struct pretrain_layer *l, uint32_t at, int B, uint32_t epoch, uint32_t count)
{
	const struct backend *be = l->be;
	const struct pretrain_options *a = l->a;
	struct buffers *d = l->own;
	int V = l->V, H = l->H;
	size_t nw = (size_t)V * (size_t)H, n = (size_t)B * (size_t)H;
	double scale = (double)l->B / B;
	real *w = l->param, *b = w + nw, *m = a->momentum > 0 ? l->param + l->params : NULL, *v = chains(l, B);
	struct optimizer_step opt = rbm_opt(l, 0), decayed = rbm_opt(l, (double)(a->weight_decay * (float)l->B));
	(void)epoch;
	real *h = rbm_pass(l, at, 0, B, count);
	if (a->sparsity_cost > 0) {
		be->dense_backward_weight(be, NULL, d->sum, h, NULL, 0, B, 0, H);
		sparsify(l, d->sum, B);
	}
	scaled(l, d->grad_h, d->h, scale, B), scaled(l, d->grad_h + n, h, -scale, B);
	be->dense_backward_weight(be, NULL, d->grad, d->grad_h, NULL, 0, 2 * B, 0, H);
	be->dense_backward_update(be, w, m, NULL, d->grad_h, v, d->grad_h + n, l->x, B, V, H, &decayed);
	visible_gradient(l, d->grad + H, v, scale, B);
	be->optimizer_step(be, b, d->grad, m ? m + nw : NULL, NULL, (size_t)(H + V), &opt);
}

/* w, b, c; then the sums of hidden units. */
static size_t rbm_gradients(const struct pretrain_layer *l)
{
	return l->params + (l->a->sparsity_cost > 0 ? (size_t)l->H : 0);
}

static void rbm_gradient(struct pretrain_layer *l, const struct pretrain_shard *s, real *to)
{
	const struct backend *be = l->be;
	struct buffers *d = l->own;
	int V = l->V, H = l->H, B = s->B;
	size_t nw = (size_t)V * (size_t)H, n = (size_t)B * (size_t)H;
	double scale = (double)l->B / s->whole;
	real *h = rbm_pass(l, s->at, s->from, B, s->count), *v = chains(l, B);
	if (l->a->sparsity_cost > 0)
		be->dense_backward_weight(be, NULL, to + l->params, h, NULL, 0, B, 0, H);
	scaled(l, d->grad_h, d->h, scale, B), scaled(l, d->grad_h + n, h, -scale, B);
	be->dense_backward_weight(be, to, NULL, d->grad_h, v, 0, B, V, H);
	be->dense_backward_weight(be, to, NULL, d->grad_h + n, l->x, 1, B, V, H);
	be->dense_backward_weight(be, NULL, to + nw, d->grad_h, NULL, 0, 2 * B, 0, H);
	visible_gradient(l, to + nw + H, v, scale, B);
}

static void rbm_update(struct pretrain_layer *l, const real *sum, int whole)
{
	const struct pretrain_options *a = l->a;
	size_t nw = (size_t)l->V * (size_t)l->H;
	real *m = a->momentum > 0 ? l->param + l->params : NULL;
	struct optimizer_step opt = rbm_opt(l, 0), decayed = rbm_opt(l, (double)(a->weight_decay * (float)l->B));
	if (a->sparsity_cost > 0)
		sparsify(l, sum + l->params, whole);
	l->be->optimizer_step(l->be, l->param, sum, m, NULL, nw, &decayed);
	l->be->optimizer_step(l->be, l->param + nw, sum + nw, m ? m + nw : NULL, NULL, l->params - nw, &opt);
}

static void losses(struct pretrain_layer *l, enum loss_kind kind, const real *z, const real *target, int B, int K, double *to)
{
	l->be->loss(l->be, &(struct loss){.kind = kind, .mul = 1}, l->loss, NULL, z, target, NULL, B, K);
	l->be->download(l->be, to, l->loss, (size_t)B * sizeof *to);
}

/* energy (B): the free energies of the rows v (B, V), host, which x holds; c (V), host. */
static void free_energies(struct pretrain_layer *l, const real *v, const real *c, int B, double *energy)
{
	struct buffers *d = l->own;
	const real *w = l->param, *b = w + (size_t)l->V * (size_t)l->H;
	l->be->dense(l->be, d->h, l->x, w, b, ACT_NONE, 0, B, l->V, l->H);
	losses(l, LOSS_SIGMOID, d->h, d->zero, B, l->H, energy); /* cross-entropy with 0 is softplus */
	for (int r = 0; r < B; r++, v += l->V) {
		double sum = 0;
		for (int i = 0; i < l->V; i++) {
			double x = (double)v[i], bias = (double)c[i];
			sum += rbm_gaussian(l) ? (x - bias) * (x - bias) / 2 : -bias * x;
		}
		energy[r] = sum - energy[r];
	}
}

static double log_sigmoid(double x)
{
	return x > 0 ? -log1p(exp(-x)) : x - log1p(exp(x));
}

static void rbm_measure(struct pretrain_layer *l, const real *host, int B, uint32_t first, uint32_t epoch, double figure[PRETRAIN_FIGURES])
{
	const struct backend *be = l->be;
	struct buffers *d = l->own;
	size_t V = (size_t)l->V, rows = (size_t)B;
	real *w = l->param, *b = w + V * (size_t)l->H, *bias = xcalloc(V, sizeof *bias), *flipped = xcalloc(rows * V, sizeof *flipped);
	double *loss = xcalloc(rows, sizeof *loss), *energy = xcalloc(rows, sizeof *energy), *other = xcalloc(rows, sizeof *other);
	be->download(be, bias, b + l->H, V * sizeof *bias);
	be->dense(be, d->h, l->x, w, b, ACT_SIGMOID, 0, B, l->V, l->H);
	be->dense(be, chains(l, B), d->h, w, b + l->H, ACT_NONE, 1, B, l->H, l->V);
	losses(l, rbm_gaussian(l) ? LOSS_SQUARED : LOSS_SIGMOID, chains(l, B), l->x, B, l->V, loss);
	free_energies(l, host, bias, B, energy);
	for (size_t i = 0; i < rows * V; i++)
		flipped[i] = host[i];
	for (size_t r = 0; r < rows; r++) {
		size_t i = r * V + philox_below(philox(l->a->seed, PHILOX_FLIP, epoch, first + (uint32_t)r, 0).v[0], (uint32_t)V);
		flipped[i] = 1 - flipped[i];
	}
	be->upload(be, l->x, flipped, rows * V * sizeof *flipped);
	free_energies(l, flipped, bias, B, other);
	for (size_t r = 0; r < rows; r++) {
		figure[0] += rbm_gaussian(l) ? loss[r] / 2 : loss[r];
		figure[1] += energy[r];
		figure[2] += rbm_gaussian(l) ? NAN : (double)V * log_sigmoid(other[r] - energy[r]);
	}
	free(bias), free(flipped), free(loss), free(energy), free(other);
}

static void rbm_close(struct pretrain_layer *l)
{
	const struct backend *be = l->be;
	struct buffers *d = l->own;
	be->release(be, d->h), be->release(be, d->s), be->release(be, d->grad_h), be->release(be, d->grad), be->release(be, d->sum),
		be->release(be, d->wanted), be->release(be, d->zero), be->release(be, d->chain);
	free(d);
}

const struct pretrain_kind rbm = {.figure = {"loss", "free_energy", "pseudo_likelihood"},
	.likelihood = 1,
	.range = 0.1,
	.before = 1,
	.extra = rbm_extra,
	.open = rbm_open,
	.step = rbm_step,
	.gradients = rbm_gradients,
	.gradient = rbm_gradient,
	.update = rbm_update,
	.measure = rbm_measure,
	.close = rbm_close};
