/* One layer of the denoising autoencoder: a training step is five matrix products. */
#include "lib/train/dae.h"

#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"

struct buffers {
	real *grad;		  /* of b and c; w's is fused with its step, not stored */
	real *noisy, *h, *z, *dh; /* corrupted input, codes, logits of the output, gradient of the codes */
};

static void dae_open(struct pretrain_layer *l)
{
	const struct backend *be = l->be;
	struct buffers *d = l->own = xcalloc(1, sizeof *d);
	size_t B = (size_t)l->B, V = (size_t)l->V, H = (size_t)l->H;
	d->grad = be->alloc(be, (H + V) * sizeof(real));
	d->noisy = be->alloc(be, B * V * sizeof(real)), d->z = be->alloc(be, B * V * sizeof(real));
	d->h = be->alloc(be, B * H * sizeof(real)), d->dh = be->alloc(be, B * H * sizeof(real));
}

/* Codes, outputs and gradients of B rows of x, whose numbers are rows; mul: of the loss's gradient. */
static void dae_pass(struct pretrain_layer *l, const uint32_t *rows, double *loss, int B, double mul, uint32_t epoch)
{
	const struct backend *be = l->be;
	const struct pretrain_options *a = l->a;
	struct buffers *d = l->own;
	int V = l->V, H = l->H;
	real *w = l->param, *b = w + (size_t)V * (size_t)H, *c = b + H;
	be->dropout(be, d->noisy, l->x, rows, B, V, a->corruption, 1, a->seed, PHILOX_MASK | (uint32_t)l->layer << 8, epoch);
	be->dense(be, d->h, d->noisy, w, b, ACT_SIGMOID, 0, B, V, H);
	be->dense(be, d->z, d->h, w, c, ACT_NONE, 1, B, H, V);
	be->loss(be, &(struct loss){.kind = LOSS_SIGMOID, .mul = (real)mul}, loss, d->z, d->z, l->x, NULL, B, V);
	be->dense_backward_input(be, d->dh, d->z, w, 1, B, H, V);
	be->act_backward(be, d->dh, d->dh, d->h, ACT_SIGMOID, (size_t)B * (size_t)H);
}

static struct optimizer_step sgd(const struct pretrain_options *a, double decay)
{
	return (struct optimizer_step){.kind = OPTIMIZER_SGD, .learning_rate = (real)a->learning_rate, .weight_decay = (real)decay};
}

static void dae_step(struct pretrain_layer *l, uint32_t at, int B, uint32_t epoch, uint32_t count)
{
	const struct backend *be = l->be;
	struct buffers *d = l->own;
	int V = l->V, H = l->H;
	real *w = l->param, *b = w + (size_t)V * (size_t)H;
	struct optimizer_step opt = sgd(l->a, 0), decayed = sgd(l->a, (double)l->a->weight_decay);
	(void)count;
	dae_pass(l, l->rows + at, l->loss + at, B, 1.0 / B, epoch);
	/* tied weights: the gradient of w is the sum of the encoder's and the decoder's */
	be->dense_backward_update(be, w, NULL, NULL, d->h, d->z, d->dh, d->noisy, B, V, H, &decayed);
	be->dense_backward_weight(be, NULL, d->grad, d->dh, NULL, 0, B, 0, H);
	be->dense_backward_weight(be, NULL, d->grad + H, d->z, NULL, 0, B, 0, V);
	be->optimizer_step(be, b, d->grad, NULL, NULL, (size_t)(H + V), &opt);
}

static size_t dae_gradients(const struct pretrain_layer *l)
{
	return l->params;
}

static void dae_gradient(struct pretrain_layer *l, const struct pretrain_shard *s, real *to)
{
	const struct backend *be = l->be;
	struct buffers *d = l->own;
	size_t nw = (size_t)l->V * (size_t)l->H;
	uint32_t at = s->at + (uint32_t)s->from;
	dae_pass(l, l->rows + at, l->loss + at, s->B, 1.0 / s->whole, s->epoch);
	be->dense_backward_weight(be, to, NULL, d->h, d->z, 0, s->B, l->V, l->H);
	be->dense_backward_weight(be, to, to + nw, d->dh, d->noisy, 1, s->B, l->V, l->H);
	be->dense_backward_weight(be, NULL, to + nw + l->H, d->z, NULL, 0, s->B, 0, l->V);
}

static void dae_update(struct pretrain_layer *l, const real *sum, int whole)
{
	size_t nw = (size_t)l->V * (size_t)l->H;
	struct optimizer_step opt = sgd(l->a, 0), decayed = sgd(l->a, (double)l->a->weight_decay);
	(void)whole;
	l->be->optimizer_step(l->be, l->param, sum, NULL, NULL, nw, &decayed);
	l->be->optimizer_step(l->be, l->param + nw, sum + nw, NULL, NULL, l->params - nw, &opt);
}

static void dae_measure(struct pretrain_layer *l, const real *host, int B, uint32_t first, uint32_t epoch, double figure[PRETRAIN_FIGURES])
{
	const struct backend *be = l->be;
	struct buffers *d = l->own;
	real *w = l->param, *b = w + (size_t)l->V * (size_t)l->H;
	double *loss = xcalloc((size_t)B, sizeof *loss);
	(void)host, (void)first, (void)epoch;
	pretrain_whole(l, d->noisy, B);
	be->dense(be, d->h, d->noisy, w, b, ACT_SIGMOID, 0, B, l->V, l->H);
	be->dense(be, d->z, d->h, w, b + l->H, ACT_NONE, 1, B, l->H, l->V);
	be->loss(be, &(struct loss){.kind = LOSS_SIGMOID, .mul = 1}, l->loss, NULL, d->z, l->x, NULL, B, l->V);
	be->download(be, loss, l->loss, (size_t)B * sizeof *loss);
	for (int i = 0; i < B; i++)
		figure[0] += loss[i];
	free(loss);
}

static void dae_close(struct pretrain_layer *l)
{
	const struct backend *be = l->be;
	struct buffers *d = l->own;
	be->release(be, d->grad), be->release(be, d->noisy), be->release(be, d->h), be->release(be, d->z), be->release(be, d->dh);
	free(d);
}

const struct pretrain_kind dae = {.figure = {"loss"},
	.range = 0.25,
	.losses = 1,
	.open = dae_open,
	.step = dae_step,
	.gradients = dae_gradients,
	.gradient = dae_gradient,
	.update = dae_update,
	.measure = dae_measure,
	.close = dae_close};
