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

/* Gradients are of minus the log-likelihood, means over the batch times l->B: as sums, which need no scaling, but of an epoch's last batch.
 */
static void rbm_step(struct pretrain_layer *l, uint32_t at, int B, uint32_t epoch, uint32_t count)
{
	const struct backend *be = l->be;
	const struct pretrain_options *a = l->a;
	struct buffers *d = l->own;
	int V = l->V, H = l->H;
	size_t nw = (size_t)V * (size_t)H, n = (size_t)B * (size_t)H;
	double scale = (double)l->B / B, rate = (double)a->learning_rate;
	real *w = l->param, *b = w + nw, *m = a->momentum > 0 ? l->param + l->params : NULL, *c = d->grad + H;
	real *s = a->persistent ? l->param + 2 * l->params : d->s, *h = d->h + n, *v = chains(l, B);
	struct optimizer_step opt = {.kind = OPTIMIZER_SGD, .learning_rate = (real)(rate / l->B), .momentum = (real)a->momentum};
	struct optimizer_step decayed = opt;
	(void)epoch;
	decayed.weight_decay = (real)(a->weight_decay * (float)l->B);
	if (!a->persistent) {
		be->dense(be, h, l->x, w, b, ACT_SIGMOID, 0, B, V, H);
		sample(l, s, h, l->rows + at, B, H, 0, count);
	}
	gibbs(l, s, a->persistent ? d->chain : l->rows + at, B, count);
	if (a->sparsity_cost > 0) {
		be->dense_backward_weight(be, NULL, d->sum, h, NULL, 0, B, 0, H);
		add(be, b, d->sum, -rate * (double)a->sparsity_cost / B, (size_t)H);
		add(be, b, d->wanted, rate * (double)a->sparsity_cost, (size_t)H);
	}
	scaled(l, d->grad_h, d->h, scale, B), scaled(l, d->grad_h + n, h, -scale, B);
	be->dense_backward_weight(be, NULL, d->grad, d->grad_h, NULL, 0, 2 * B, 0, H);
	be->dense_backward_update(be, w, m, NULL, d->grad_h, v, d->grad_h + n, l->x, B, V, H, &decayed);
	be->zero(be, c, (size_t)V * sizeof(real));
	be->dense_backward_weight(be, NULL, d->sum, v, NULL, 0, B, 0, V);
	add(be, c, d->sum, scale, (size_t)V);
	be->dense_backward_weight(be, NULL, d->sum, l->x, NULL, 0, B, 0, V);
	add(be, c, d->sum, -scale, (size_t)V);
	be->optimizer_step(be, b, d->grad, m ? m + nw : NULL, NULL, (size_t)(H + V), &opt);
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
	.measure = rbm_measure,
	.close = rbm_close};
