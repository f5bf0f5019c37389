/* What is not a product: the readable hand's loops over slices of the batch, with their own form where that is too slow. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/act.h"
#include "kernels/cpu/cpu.h"
#include "kernels/ref/ref.h"
#include "lib/philox.h"

struct args { /* one for all: what an operation was called with */
	const struct ops *o;
	real *y, *u, *v, *m;
	const real *x, *w, *t;
	const uint8_t *bytes;
	uint8_t *at;
	const uint32_t *rows;
	const void *s;
	double *loss;
	int C, H, W, K, act, flag, step;
	float p, mul;
	uint64_t seed;
	uint32_t purpose, epoch;
	real rate, momentum, beta, eps, decay;
};

static void images(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	ref_images(a->o, a->y + from * (size_t)(a->C * a->H * a->W), a->bytes, a->rows + from, (int)(to - from), a->C, a->H, a->W, a->mul,
		a->p, a->s);
}

void cpu_images(const struct ops *o, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul, float add,
	const struct augment *s)
{
	cpu_slices(o->ctx, (size_t)B, 4, images,
		&(struct args){.o = o, .y = x, .bytes = bytes, .rows = rows, .C = C, .H = H, .W = W, .mul = mul, .p = add, .s = s});
}

void cpu_gather(const struct ops *o, real *y, const real *x, const uint32_t *rows, int B, int K)
{
	ref_gather(o, y, x, rows, B, K);
}

static void mask(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	for (size_t b = from; b < to; b++) {
		const real *x = a->x + b * (size_t)a->K;
		real *y = a->y + b * (size_t)a->K;
		for (int k = 0; k < a->K; k += 4) {
			struct philox r = philox(a->seed, a->purpose, a->epoch, a->rows[b], (uint32_t)k / 4);
			for (int i = 0; i < 4 && k + i < a->K; i++)
				y[k + i] = philox_unit(r.v[i]) < a->p ? 0 : x[k + i] * a->mul;
		}
	}
}

void cpu_mask(const struct ops *o, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch)
{
	cpu_slices(o->ctx, (size_t)B, 16, mask,
		&(struct args){.y = y, .x = x, .rows = rows, .K = K, .p = p, .mul = mul, .seed = seed, .purpose = purpose, .epoch = epoch});
}

static void act(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	ref_act(a->o, a->y + from, a->x + from, (enum act)a->act, to - from);
}

void cpu_act(const struct ops *o, real *y, const real *x, enum act kind, size_t n)
{
	cpu_slices(o->ctx, n, 1 << 14, act, &(struct args){.y = y, .x = x, .act = (int)kind});
}

static void act_back(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	ref_act_back(a->o, a->y + from, a->x + from, a->t + from, (enum act)a->act, to - from);
}

void cpu_act_back(const struct ops *o, real *dx, const real *dy, const real *y, enum act kind, size_t n)
{
	cpu_slices(o->ctx, n, 1 << 14, act_back, &(struct args){.y = dx, .x = dy, .t = y, .act = (int)kind});
}

static void pool(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t in = from * (size_t)(a->H * a->W), out = from * (size_t)((a->H / a->K) * (a->W / a->K));
	ref_pool(a->o, a->y + out, a->at + out, a->x + in, (int)(to - from), a->H, a->W, a->K);
}

void cpu_pool(const struct ops *o, real *y, uint8_t *at, const real *x, int planes, int H, int W, int K)
{
	cpu_slices(o->ctx, (size_t)planes, 32, pool, &(struct args){.y = y, .at = at, .x = x, .H = H, .W = W, .K = K});
}

static void pool_back(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t in = from * (size_t)(a->H * a->W), out = from * (size_t)((a->H / a->K) * (a->W / a->K));
	ref_pool_back(a->o, a->y + in, a->x + out, a->bytes + out, (int)(to - from), a->H, a->W, a->K);
}

void cpu_pool_back(const struct ops *o, real *dx, const real *dy, const uint8_t *at, int planes, int H, int W, int K)
{
	cpu_slices(o->ctx, (size_t)planes, 32, pool_back, &(struct args){.y = dx, .x = dy, .bytes = at, .H = H, .W = W, .K = K});
}

static void up(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t in = from * (size_t)(a->H * a->W);
	ref_up(a->o, a->y + in * (size_t)(a->K * a->K), a->x + in, (int)(to - from), a->H, a->W, a->K);
}

void cpu_up(const struct ops *o, real *y, const real *x, int planes, int H, int W, int K)
{
	cpu_slices(o->ctx, (size_t)planes, 32, up, &(struct args){.y = y, .x = x, .H = H, .W = W, .K = K});
}

static void up_back(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t in = from * (size_t)(a->H * a->W);
	ref_up_back(a->o, a->y + in, a->x + in * (size_t)(a->K * a->K), (int)(to - from), a->H, a->W, a->K);
}

void cpu_up_back(const struct ops *o, real *dx, const real *dy, int planes, int H, int W, int K)
{
	cpu_slices(o->ctx, (size_t)planes, 32, up_back, &(struct args){.y = dx, .x = dy, .H = H, .W = W, .K = K});
}

static void bn(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct bn *s = a->s;
	for (size_t c = from; c < to; c++) {
		double mean = (double)a->u[c], var = (double)a->u[(size_t)s->C + c], n = (double)s->B * s->HW;
		if (s->train) {
			double sum = 0, square = 0;
			for (int b = 0; b < s->B; b++)
				for (int i = 0; i < s->HW; i++)
					sum += (double)a->x[((size_t)b * s->C + c) * s->HW + i];
			mean = sum / n;
			for (int b = 0; b < s->B; b++)
				for (int i = 0; i < s->HW; i++) {
					double d = (double)a->x[((size_t)b * s->C + c) * s->HW + i] - mean;
					square += d * d;
				}
			var = square / n;
			a->u[c] += s->momentum * ((real)mean - a->u[c]);
			a->u[(size_t)s->C + c] += s->momentum * ((real)(n > 1 ? var * n / (n - 1) : var) - a->u[(size_t)s->C + c]);
		}
		real inv = (real)(1 / sqrt(var + (double)s->eps)), scale = inv * a->w[c], base = a->t[c] - (real)mean * scale;
		a->v[c] = (real)mean, a->v[(size_t)s->C + c] = inv;
		for (int b = 0; b < s->B; b++)
			for (int i = 0; i < s->HW; i++)
				a->y[((size_t)b * s->C + c) * s->HW + i] = a->x[((size_t)b * s->C + c) * s->HW + i] * scale + base;
	}
}

void cpu_bn(const struct ops *o, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save, const struct bn *s)
{
	cpu_slices(o->ctx, (size_t)s->C, 1, bn, &(struct args){.y = y, .x = x, .w = gamma, .t = beta, .u = run, .v = save, .s = s});
}

static void bn_back(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct bn *s = a->s;
	for (size_t c = from; c < to; c++) {
		real mean = a->m[c], inv = a->m[(size_t)s->C + c];
		double sum = 0, dot = 0, n = (double)s->B * s->HW;
		for (int b = 0; b < s->B; b++)
			for (int i = 0; i < s->HW; i++) {
				size_t at = ((size_t)b * s->C + c) * s->HW + i;
				sum += (double)a->t[at];
				dot += (double)(a->t[at] * ((a->x[at] - mean) * inv));
			}
		a->u[c] = (real)dot, a->v[c] = (real)sum;
		real k = a->w[c] * inv, ms = (real)(sum / n), md = (real)(dot / n);
		for (int b = 0; b < s->B; b++)
			for (int i = 0; i < s->HW; i++) {
				size_t at = ((size_t)b * s->C + c) * s->HW + i;
				a->y[at] = k * (a->t[at] - ms - (a->x[at] - mean) * inv * md);
			}
	}
}

void cpu_bn_back(const struct ops *o, real *dx, real *dgamma, real *dbeta, const real *dy, const real *x, const real *gamma,
	const real *save, const struct bn *s)
{
	cpu_slices(o->ctx, (size_t)s->C, 1, bn_back,
		&(struct args){.y = dx, .u = dgamma, .v = dbeta, .t = dy, .x = x, .w = gamma, .m = (real *)save, .s = s});
}

static void loss(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t at = from * (size_t)a->K;
	ref_loss(a->o, (enum loss)a->act, a->loss + from, a->y ? a->y + at : NULL, a->x + at, a->t + (a->act == LOSS_SOFTMAX ? from : at),
		a->mul, (int)(to - from), a->K);
}

void cpu_loss(const struct ops *o, enum loss kind, double *out, real *dz, const real *z, const real *target, real mul, int B, int K)
{
	cpu_slices(o->ctx, (size_t)B, 16, loss,
		&(struct args){.o = o, .act = (int)kind, .loss = out, .y = dz, .x = z, .t = target, .mul = mul, .K = K});
}

static void sgd(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	ref_sgd(a->o, a->y + from, a->x + from, a->m ? a->m + from : NULL, to - from, a->rate, a->momentum, a->flag, a->decay);
}

void cpu_sgd(const struct ops *o, real *w, const real *g, real *m, size_t n, real rate, real momentum, int nesterov, real decay)
{
	cpu_slices(o->ctx, n, 1 << 16, sgd,
		&(struct args){.y = w, .x = g, .m = m, .rate = rate, .momentum = momentum, .flag = nesterov, .decay = decay});
}

static void adam(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	ref_adam(a->o, a->y + from, a->x + from, a->m + from, a->v + from, to - from, a->rate, a->momentum, a->beta, a->eps, a->decay,
		a->step);
}

void cpu_adam(const struct ops *o, real *w, const real *g, real *m, real *v, size_t n, real rate, real beta1, real beta2, real eps,
	real decay, int step)
{
	cpu_slices(o->ctx, n, 1 << 16, adam,
		&(struct args){.y = w,
			.x = g,
			.m = m,
			.v = v,
			.rate = rate,
			.momentum = beta1,
			.beta = beta2,
			.eps = eps,
			.decay = decay,
			.step = step});
}
