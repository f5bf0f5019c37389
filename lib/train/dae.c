/* One layer of the denoising autoencoder: a training step is five matrix products. */
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/base/shuffle.h"
#include "lib/train/dae.h"

static size_t param_count(const struct dae *d)
{
	return (size_t)d->V * (size_t)d->H + (size_t)d->H + (size_t)d->V;
}

struct dae *dae_new(const struct backend *be, int V, int H, uint32_t N, int layer, const struct dae_options *a)
{
	struct dae *d = xcalloc(1, sizeof *d);
	size_t B = (size_t)a->batch < N ? (size_t)a->batch : N, r = sizeof(real);
	d->be = be, d->V = V, d->H = H, d->B = (int)B, d->N = N;
	d->param = be->alloc(be, param_count(d) * r), d->grad = be->alloc(be, (size_t)(H + V) * r);
	d->x = be->alloc(be, B * (size_t)V * r), d->noisy = be->alloc(be, B * (size_t)V * r), d->z = be->alloc(be, B * (size_t)V * r);
	d->h = be->alloc(be, B * (size_t)H * r), d->dh = be->alloc(be, B * (size_t)H * r);
	d->loss = be->alloc(be, N * sizeof(double)), d->rows = be->alloc(be, N * sizeof(uint32_t));
	d->host_rows = xcalloc(N, sizeof *d->host_rows);
	/* uniform, four times Glorot's range: the sigmoid's slope at 0 is a quarter */
	real *w = xcalloc(param_count(d), r);
	double range = 4 * sqrt(6.0 / ((double)V + H));
	for (size_t i = 0; i < (size_t)V * (size_t)H; i++) {
		struct philox p =
			philox(a->seed, PHILOX_INIT, 1000u + (uint32_t)layer, (uint32_t)(i / (size_t)V), (uint32_t)(i % (size_t)V) / 4);
		w[i] = (real)(range * (2 * (double)philox_uniform(p.v[i % (size_t)V % 4]) - 1));
	}
	be->upload(be, d->param, w, param_count(d) * r);
	free(w);
	return d;
}

static void step(struct dae *d, const uint32_t *rows, double *loss, int B, int layer, uint32_t epoch, const struct dae_options *a)
{
	const struct backend *be = d->be;
	size_t nw = (size_t)d->V * (size_t)d->H;
	real *w = d->param, *b = w + nw, *c = b + d->H;
	struct optimizer_step opt = {.kind = OPTIMIZER_SGD, .learning_rate = (real)a->learning_rate};
	be->dropout(be, d->noisy, d->x, rows, B, d->V, a->corruption, 1, a->seed, PHILOX_MASK | (uint32_t)layer << 8, epoch);
	be->dense(be, d->h, d->noisy, w, b, ACT_SIGMOID, 0, B, d->V, d->H);
	be->dense(be, d->z, d->h, w, c, ACT_NONE, 1, B, d->H, d->V);
	be->loss(be, &(struct loss){.kind = LOSS_SIGMOID, .mul = (real)1 / (real)B}, loss, d->z, d->z, d->x, NULL, B, d->V);
	be->dense_backward_input(be, d->dh, d->z, w, 1, B, d->H, d->V);
	be->act_backward(be, d->dh, d->dh, d->h, ACT_SIGMOID, (size_t)B * (size_t)d->H);
	/* tied weights: the gradient of w is the sum of the encoder's and the decoder's */
	be->dense_backward_update(be, w, NULL, NULL, d->h, d->z, d->dh, d->noisy, B, d->V, d->H, &opt);
	be->dense_backward_weight(be, NULL, d->grad, d->dh, NULL, 0, B, 0, d->H);
	be->dense_backward_weight(be, NULL, d->grad + d->H, d->z, NULL, 0, B, 0, d->V);
	be->optimizer_step(be, b, d->grad, NULL, NULL, (size_t)(d->H + d->V), &opt);
}

static void load(struct dae *d, const uint8_t *bytes, const real *codes, const uint32_t *rows, int B)
{
	const struct backend *be = d->be;
	if (bytes)
		be->load_batch(be, d->x, bytes, rows, B, 1, 1, d->V, 1.0f / 255, 0, NULL);
	else
		be->gather(be, d->x, codes, rows, B, d->V);
}

double dae_epoch(struct dae *d, const uint8_t *bytes, const real *codes, int layer, uint32_t epoch, const struct dae_options *a)
{
	const struct backend *be = d->be;
	shuffle(d->host_rows, d->N, a->seed, epoch);
	be->upload(be, d->rows, d->host_rows, d->N * sizeof(uint32_t));
	for (uint32_t at = 0; at < d->N; at += (uint32_t)d->B) {
		int B = d->N - at < (uint32_t)d->B ? (int)(d->N - at) : d->B;
		load(d, bytes, codes, d->rows + at, B);
		step(d, d->rows + at, d->loss + at, B, layer, epoch, a);
	}
	double *loss = xcalloc(d->N, sizeof *loss), sum = 0;
	be->download(be, loss, d->loss, d->N * sizeof *loss);
	for (uint32_t i = 0; i < d->N; i++)
		sum += loss[i];
	free(loss);
	return sum / d->N;
}

void dae_encode(struct dae *d, const uint8_t *bytes, const real *codes, real *out)
{
	const struct backend *be = d->be;
	real *w = d->param;
	for (uint32_t i = 0; i < d->N; i++)
		d->host_rows[i] = i;
	be->upload(be, d->rows, d->host_rows, d->N * sizeof(uint32_t));
	for (uint32_t at = 0; at < d->N; at += (uint32_t)d->B) {
		int B = d->N - at < (uint32_t)d->B ? (int)(d->N - at) : d->B;
		load(d, bytes, codes, d->rows + at, B);
		be->dense(be, out + (size_t)at * (size_t)d->H, d->x, w, w + (size_t)d->V * (size_t)d->H, ACT_SIGMOID, 0, B, d->V, d->H);
	}
}

void dae_free(struct dae *d)
{
	const struct backend *be = d->be;
	be->release(be, d->param), be->release(be, d->grad), be->release(be, d->x), be->release(be, d->noisy), be->release(be, d->h),
		be->release(be, d->z);
	be->release(be, d->dh), be->release(be, d->loss), be->release(be, d->rows);
	free(d->host_rows), free(d);
}
