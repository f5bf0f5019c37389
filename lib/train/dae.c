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

static void dae_step(struct pretrain_layer *l, uint32_t at, int B, uint32_t epoch, uint32_t count)
{
	const struct backend *be = l->be;
	const struct pretrain_options *a = l->a;
	struct buffers *d = l->own;
	int V = l->V, H = l->H;
	real *w = l->param, *b = w + (size_t)V * (size_t)H, *c = b + H;
	struct optimizer_step opt = {.kind = OPTIMIZER_SGD, .learning_rate = (real)a->learning_rate}, decayed = opt;
	(void)count;
	decayed.weight_decay = (real)a->weight_decay;
	be->dropout(be, d->noisy, l->x, l->rows + at, B, V, a->corruption, 1, a->seed, PHILOX_MASK | (uint32_t)l->layer << 8, epoch);
	be->dense(be, d->h, d->noisy, w, b, ACT_SIGMOID, 0, B, V, H);
	be->dense(be, d->z, d->h, w, c, ACT_NONE, 1, B, H, V);
	be->loss(be, &(struct loss){.kind = LOSS_SIGMOID, .mul = (real)1 / (real)B}, l->loss + at, d->z, d->z, l->x, NULL, B, V);
	be->dense_backward_input(be, d->dh, d->z, w, 1, B, H, V);
	be->act_backward(be, d->dh, d->dh, d->h, ACT_SIGMOID, (size_t)B * (size_t)H);
	/* tied weights: the gradient of w is the sum of the encoder's and the decoder's */
	be->dense_backward_update(be, w, NULL, NULL, d->h, d->z, d->dh, d->noisy, B, V, H, &decayed);
	be->dense_backward_weight(be, NULL, d->grad, d->dh, NULL, 0, B, 0, H);
	be->dense_backward_weight(be, NULL, d->grad + H, d->z, NULL, 0, B, 0, V);
	be->optimizer_step(be, b, d->grad, NULL, NULL, (size_t)(H + V), &opt);
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

const struct pretrain_kind dae = {
	.figure = {"loss"}, .range = 0.25, .losses = 1, .open = dae_open, .step = dae_step, .measure = dae_measure, .close = dae_close};
