/* Batch loading, dropout, activations, sums, losses and optimizer steps: parallel loops over slices, by SIMD kernels or, where speed does
 * not matter, the reference backend. */
#include "kernels/cpu/cpu.h"
#include "kernels/ref/ref.h"
#include "kernels/optimizer.h"

struct args { /* the arguments of any of the operations; load_batch's add is p; optimizer_step's m, v are u, v, its correction1, correction2
		 are p, mul */
	const struct backend *be;
	real *y, *u, *v;
	const real *x, *t;
	const uint8_t *bytes, *const *images;
	const uint32_t *rows;
	const void *s;
	double *loss;
	int C, H, W, K, act;
	float p, mul;
	uint64_t seed;
	uint32_t purpose, epoch;
};

static void load_batch(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	ref_load_batch(a->be, a->y + from * (size_t)(a->C * a->H * a->W), a->bytes, a->rows + from, (int)(to - from), a->C, a->H, a->W,
		a->mul, a->p, a->s);
}

void cpu_load_batch(const struct backend *be, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul,
	float add, const struct augment *s)
{
	cpu_parallel_for(be->ctx, (size_t)B, 4, load_batch,
		&(struct args){.be = be, .y = x, .bytes = bytes, .rows = rows, .C = C, .H = H, .W = W, .mul = mul, .p = add, .s = s});
}

static void load_images(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	ref_load_images(a->be, a->y + from * (size_t)(a->C * a->H * a->W), a->images + from, a->rows + from, (int)(to - from), a->C, a->H,
		a->W, a->mul, a->p, a->s);
}

void cpu_load_images(const struct backend *be, real *x, const uint8_t *const *images, const uint32_t *rows, int B, int C, int H, int W,
	float mul, float add, const struct augment *s)
{
	cpu_parallel_for(be->ctx, (size_t)B, 4, load_images,
		&(struct args){.be = be, .y = x, .images = images, .rows = rows, .C = C, .H = H, .W = W, .mul = mul, .p = add, .s = s});
}

static void gather(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	ref_gather(a->be, a->y + from * (size_t)a->K, a->x, a->rows + from, (int)(to - from), a->K);
}

void cpu_gather(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K)
{
	cpu_parallel_for(be->ctx, (size_t)B, K < 256 ? 256 : 16, gather, &(struct args){.be = be, .y = y, .x = x, .rows = rows, .K = K});
}

static void dropout(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct cpu *c = a->be->ctx;
	for (size_t b = from; b < to; b++)
		c->simd->dropout(a->y + b * (size_t)a->K, a->x + b * (size_t)a->K, (size_t)a->K, a->p, a->mul, a->seed, a->purpose,
			a->epoch, a->rows[b]);
}

void cpu_dropout(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
	uint32_t purpose, uint32_t epoch)
{
	cpu_parallel_for(be->ctx, (size_t)B, 8, dropout,
		&(struct args){.be = be,
			.y = y,
			.x = x,
			.rows = rows,
			.K = K,
			.p = p,
			.mul = mul,
			.seed = seed,
			.purpose = purpose,
			.epoch = epoch});
}

static void bernoulli(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct cpu *c = a->be->ctx;
	for (size_t b = from; b < to; b++)
		c->simd->bernoulli(
			a->y + b * (size_t)a->K, a->x + b * (size_t)a->K, (size_t)a->K, a->seed, a->purpose, a->epoch, a->rows[b]);
}

void cpu_bernoulli(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, uint64_t seed, uint32_t purpose,
	uint32_t epoch)
{
	cpu_parallel_for(be->ctx, (size_t)B, 8, bernoulli,
		&(struct args){.be = be, .y = y, .x = x, .rows = rows, .K = K, .seed = seed, .purpose = purpose, .epoch = epoch});
}

static void act(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct cpu *c = a->be->ctx;
	c->simd->act(a->y + from, a->x + from, (enum act)a->act, to - from);
}

void cpu_act(const struct backend *be, real *y, const real *x, enum act kind, size_t n)
{
	cpu_parallel_for(be->ctx, n, 1 << 14, act, &(struct args){.be = be, .y = y, .x = x, .act = (int)kind});
}

static void act_backward(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct cpu *c = a->be->ctx;
	c->simd->act_backward(a->y + from, a->x + from, a->t + from, (enum act)a->act, to - from);
}

void cpu_act_backward(const struct backend *be, real *dx, const real *dy, const real *y, enum act kind, size_t n)
{
	cpu_parallel_for(be->ctx, n, 1 << 14, act_backward, &(struct args){.be = be, .y = dx, .x = dy, .t = y, .act = (int)kind});
}

static void add(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct cpu *c = a->be->ctx;
	float *y = a->y;
	const float *x = a->x, *t = a->t;
	for (size_t i = from; i < to; i++)
		y[i] = x[i] + t[i];
	if (a->act != ACT_NONE)
		c->simd->act(y + from, y + from, (enum act)a->act, to - from);
}

void cpu_add(const struct backend *be, real *y, const real *a, const real *b, enum act kind, size_t n)
{
	cpu_parallel_for(be->ctx, n, 1 << 12, add, &(struct args){.be = be, .y = y, .x = a, .t = b, .act = (int)kind});
}

static void loss(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct cpu *c = a->be->ctx;
	const struct loss *s = a->s;
	size_t K = (size_t)a->K, at = from * K;
	if (a->u || (s->kind != LOSS_SIGMOID && s->kind != LOSS_SQUARED))
		ref_loss(a->be, s, a->loss + from, a->y ? a->y + at : NULL, a->x + at, a->t + (s->kind == LOSS_SOFTMAX ? from : at),
			a->u ? a->u + at : NULL, (int)(to - from), a->K);
	else
		for (size_t b = from; b < to; b++)
			a->loss[b] = (s->kind == LOSS_SIGMOID ? c->simd->sigmoid_loss : c->simd->squared_loss)(
				a->y ? a->y + b * K : NULL, a->x + b * K, a->t + b * K, s->mul, a->K);
}

void cpu_loss(const struct backend *be, const struct loss *s, double *out, real *dz, const real *z, const real *target, const real *weight,
	int B, int K)
{
	cpu_parallel_for(be->ctx, (size_t)B, K > 4096 ? 1 : 8, loss,
		&(struct args){.be = be, .s = s, .loss = out, .y = dz, .x = z, .t = target, .u = (float *)weight, .K = K});
}

static void optimizer_step(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct cpu *c = a->be->ctx;
	c->simd->optimizer_step(
		a->y + from, a->x + from, a->u ? a->u + from : NULL, a->v ? a->v + from : NULL, to - from, a->s, a->p, a->mul);
}

void cpu_optimizer_step(const struct backend *be, real *w, const real *g, real *m, real *v, size_t n, const struct optimizer_step *opt)
{
	struct args a = {.be = be, .y = w, .x = g, .u = m, .v = v, .s = opt};
	optimizer_bias_correction(opt, &a.p, &a.mul);
	cpu_parallel_for(be->ctx, n, 1 << 16, optimizer_step, &a);
}

static void lerp(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct cpu *c = a->be->ctx;
	c->simd->lerp(a->y + from, a->x + from, a->mul, to - from);
}

void cpu_lerp(const struct backend *be, real *y, const real *x, real weight, size_t n)
{
	cpu_parallel_for(be->ctx, n, 1 << 16, lerp, &(struct args){.be = be, .y = y, .x = x, .mul = weight});
}
