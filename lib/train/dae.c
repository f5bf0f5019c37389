/* One layer of the autoencoder: five products a step. */
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/base/shuffle.h"
#include "lib/train/dae.h"

static size_t count(const struct dae *d)
{
	return (size_t)d->V * (size_t)d->H + (size_t)d->H + (size_t)d->V;
}

struct dae *dae_new(const struct ops *o, int V, int H, uint32_t N, int layer, const struct dae_options *a)
{
	struct dae *d = xcalloc(1, sizeof *d);
	size_t B = (size_t)a->batch < N ? (size_t)a->batch : N, r = sizeof(real);
	d->o = o, d->V = V, d->H = H, d->B = (int)B, d->N = N;
	d->param = o->alloc(o, count(d) * r), d->grad = o->alloc(o, (size_t)(H + V) * r);
	d->x = o->alloc(o, B * (size_t)V * r), d->noisy = o->alloc(o, B * (size_t)V * r), d->z = o->alloc(o, B * (size_t)V * r);
	d->h = o->alloc(o, B * (size_t)H * r), d->dh = o->alloc(o, B * (size_t)H * r);
	d->loss = o->alloc(o, N * sizeof(double)), d->rows = o->alloc(o, N * sizeof(uint32_t));
	d->host_rows = xcalloc(N, sizeof *d->host_rows);
	/* uniform, four times Glorot's range: the sigmoid's slope at 0 is a quarter */
	real *w = xcalloc(count(d), r);
	double range = 4 * sqrt(6.0 / ((double)V + H));
	for (size_t i = 0; i < (size_t)V * (size_t)H; i++) {
		struct philox p =
			philox(a->seed, PHILOX_INIT, 1000u + (uint32_t)layer, (uint32_t)(i / (size_t)V), (uint32_t)(i % (size_t)V) / 4);
		w[i] = (real)(range * (2 * (double)philox_unit(p.v[i % (size_t)V % 4]) - 1));
	}
	o->put(o, d->param, w, count(d) * r);
	free(w);
	return d;
}

static void step(struct dae *d, const uint32_t *rows, double *loss, int B, int layer, uint32_t epoch, const struct dae_options *a)
{
	const struct ops *o = d->o;
	size_t nw = (size_t)d->V * (size_t)d->H;
	real *w = d->param, *b = w + nw, *c = b + d->H;
	struct update u = {.kind = UPDATE_SGD, .rate = (real)a->rate};
	o->mask(o, d->noisy, d->x, rows, B, d->V, a->corruption, 1, a->seed, PHILOX_MASK | (uint32_t)layer << 8, epoch);
	o->dense(o, d->h, d->noisy, w, b, ACT_SIGMOID, 0, B, d->V, d->H);
	o->dense(o, d->z, d->h, w, c, ACT_NONE, 1, B, d->H, d->V);
	o->loss(o, &(struct loss){.kind = LOSS_SIGMOID, .mul = (real)1 / (real)B}, loss, d->z, d->z, d->x, NULL, B, d->V);
	o->dense_dx(o, d->dh, d->z, w, 1, B, d->H, d->V);
	o->act_back(o, d->dh, d->dh, d->h, ACT_SIGMOID, (size_t)B * (size_t)d->H);
	/* w is used twice: its gradient is the sum of both uses */
	o->dense_step(o, w, NULL, NULL, d->h, d->z, d->dh, d->noisy, B, d->V, d->H, &u);
	o->dense_dw(o, NULL, d->grad, d->dh, NULL, 0, B, 0, d->H);
	o->dense_dw(o, NULL, d->grad + d->H, d->z, NULL, 0, B, 0, d->V);
	o->update(o, b, d->grad, NULL, NULL, (size_t)(d->H + d->V), &u);
}

static void load(struct dae *d, const uint8_t *bytes, const real *codes, const uint32_t *rows, int B)
{
	const struct ops *o = d->o;
	if (bytes)
		o->images(o, d->x, bytes, rows, B, 1, 1, d->V, 1.0f / 255, 0, NULL);
	else
		o->gather(o, d->x, codes, rows, B, d->V);
}

double dae_epoch(struct dae *d, const uint8_t *bytes, const real *codes, int layer, uint32_t epoch, const struct dae_options *a)
{
	const struct ops *o = d->o;
	shuffle(d->host_rows, d->N, a->seed, epoch);
	o->put(o, d->rows, d->host_rows, d->N * sizeof(uint32_t));
	for (uint32_t at = 0; at < d->N; at += (uint32_t)d->B) {
		int B = d->N - at < (uint32_t)d->B ? (int)(d->N - at) : d->B;
		load(d, bytes, codes, d->rows + at, B);
		step(d, d->rows + at, d->loss + at, B, layer, epoch, a);
	}
	double *loss = xcalloc(d->N, sizeof *loss), sum = 0;
	o->get(o, loss, d->loss, d->N * sizeof *loss);
	for (uint32_t i = 0; i < d->N; i++)
		sum += loss[i];
	free(loss);
	return sum / d->N;
}

void dae_codes(struct dae *d, const uint8_t *bytes, const real *codes, real *out)
{
	const struct ops *o = d->o;
	real *w = d->param;
	for (uint32_t i = 0; i < d->N; i++)
		d->host_rows[i] = i;
	o->put(o, d->rows, d->host_rows, d->N * sizeof(uint32_t));
	for (uint32_t at = 0; at < d->N; at += (uint32_t)d->B) {
		int B = d->N - at < (uint32_t)d->B ? (int)(d->N - at) : d->B;
		load(d, bytes, codes, d->rows + at, B);
		o->dense(o, out + (size_t)at * (size_t)d->H, d->x, w, w + (size_t)d->V * (size_t)d->H, ACT_SIGMOID, 0, B, d->V, d->H);
	}
}

void dae_free(struct dae *d)
{
	const struct ops *o = d->o;
	o->release(o, d->param), o->release(o, d->grad), o->release(o, d->x), o->release(o, d->noisy), o->release(o, d->h),
		o->release(o, d->z);
	o->release(o, d->dh), o->release(o, d->loss), o->release(o, d->rows);
	free(d->host_rows), free(d);
}
