/* Per-plane operations on maps: layout conversion, max pooling, upsampling, batch normalisation. A plane is one block of 16 channels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/ref/ref.h"
#include "lib/base/err.h"

struct args {
	struct cpu *c;
	float *y, *u, *v;
	const float *x, *w, *t, *m;
	uint8_t *argmax;
	const uint8_t *from;
	const void *s;
	int C, H, W, K;
};

static size_t blocks_of(int C)
{
	return (size_t)channel_blocks(C);
}

size_t cpu_maps_size(const struct backend *be, int B, int C, int H, int W)
{
	(void)be;
	return (size_t)B * blocks_of(C) * BLOCK * (size_t)H * (size_t)W * sizeof(float);
}

static void to_maps(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t P = (size_t)a->H * (size_t)a->W, blocks = blocks_of(a->C);
	for (size_t i = from; i < to; i++) {
		int c0 = (int)(i % blocks) * BLOCK, n = a->C - c0 < BLOCK ? a->C - c0 : BLOCK;
		const float *x = a->x + (i / blocks * (size_t)a->C + (size_t)c0) * P;
		float *y = a->y + i * P * BLOCK;
		for (size_t p = 0; p < P; p++, y += BLOCK)
			for (int c = 0; c < BLOCK; c++)
				y[c] = c < n ? x[(size_t)c * P + p] : 0;
	}
}

void cpu_to_maps(const struct backend *be, real *maps, const real *rows, int B, int C, int H, int W)
{
	cpu_parallel_for(be->ctx, (size_t)B * blocks_of(C), 4, to_maps, &(struct args){.y = maps, .x = rows, .C = C, .H = H, .W = W});
}

static void to_rows(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t P = (size_t)a->H * (size_t)a->W, blocks = blocks_of(a->C);
	for (size_t i = from; i < to; i++) {
		int c0 = (int)(i % blocks) * BLOCK, n = a->C - c0 < BLOCK ? a->C - c0 : BLOCK;
		float *y = a->y + (i / blocks * (size_t)a->C + (size_t)c0) * P;
		const float *x = a->x + i * P * BLOCK;
		for (size_t p0 = 0; p0 < P; p0 += 16) { /* few enough cache lines to stay in cache */
			size_t p1 = p0 + 16 < P ? p0 + 16 : P;
			for (int c = 0; c < n; c++)
				for (size_t p = p0; p < p1; p++)
					y[(size_t)c * P + p] = x[p * BLOCK + (size_t)c];
		}
	}
}

void cpu_to_rows(const struct backend *be, real *rows, const real *maps, int B, int C, int H, int W)
{
	cpu_parallel_for(be->ctx, (size_t)B * blocks_of(C), 4, to_rows, &(struct args){.y = rows, .x = maps, .C = C, .H = H, .W = W});
}

static void max_pool(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t in = (size_t)a->W * BLOCK, out = (size_t)(a->W / a->K) * BLOCK, rows = (size_t)(a->H / a->K);
	for (size_t i = from * rows; i < to * rows; i++)
		a->c->simd->max_pool_row(a->y + i * out, a->argmax + i * out,
			a->x + (i / rows * (size_t)a->H + i % rows * (size_t)a->K) * in, (long)in, a->K, a->W / a->K, ACT_NONE);
}

void cpu_max_pool(const struct backend *be, real *y, uint8_t *argmax, const real *x, int B, int C, int H, int W, int K)
{
	cpu_parallel_for(be->ctx, (size_t)B * blocks_of(C), 2, max_pool,
		&(struct args){.c = be->ctx, .y = y, .argmax = argmax, .x = x, .H = H, .W = W, .K = K});
}

static void max_pool_backward(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t in = (size_t)a->W * BLOCK, out = (size_t)(a->W / a->K) * BLOCK, rows = (size_t)(a->H / a->K);
	memset(a->y + from * (size_t)a->H * in, 0, (to - from) * (size_t)a->H * in * sizeof *a->y);
	for (size_t i = from * rows; i < to * rows; i++)
		a->c->simd->max_pool_row_backward(a->y + (i / rows * (size_t)a->H + i % rows * (size_t)a->K) * in, (long)in, a->x + i * out,
			NULL, a->from + i * out, a->K, a->W / a->K, ACT_NONE);
}

void cpu_max_pool_backward(const struct backend *be, real *dx, const real *dy, const uint8_t *argmax, int B, int C, int H, int W, int K)
{
	cpu_parallel_for(be->ctx, (size_t)B * blocks_of(C), 2, max_pool_backward,
		&(struct args){.c = be->ctx, .y = dx, .x = dy, .from = argmax, .H = H, .W = W, .K = K});
}

static void upsample(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t in = (size_t)a->W * BLOCK, out = in * (size_t)a->K;
	for (size_t r = from * (size_t)a->H; r < to * (size_t)a->H; r++) {
		const float *x = a->x + r * in;
		float *y = a->y + r * (size_t)a->K * out;
		for (int i = 0; i < a->W * a->K; i++)
			memcpy(y + i * BLOCK, x + i / a->K * BLOCK, BLOCK * sizeof *y);
		for (int k = 1; k < a->K; k++)
			memcpy(y + (size_t)k * out, y, out * sizeof *y);
	}
}

void cpu_upsample(const struct backend *be, real *y, const real *x, int B, int C, int H, int W, int K)
{
	cpu_parallel_for(be->ctx, (size_t)B * blocks_of(C), 2, upsample, &(struct args){.y = y, .x = x, .H = H, .W = W, .K = K});
}

static void upsample_backward(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t in = (size_t)a->W * BLOCK, out = in * (size_t)a->K;
	for (size_t r = from * (size_t)a->H; r < to * (size_t)a->H; r++) {
		float *dx = a->y + r * in;
		const float *dy = a->x + r * (size_t)a->K * out;
		for (int i = 0; i < a->W; i++, dx += BLOCK) {
			float sum[BLOCK] = {0};
			for (int k = 0; k < a->K * a->K; k++)
				for (int c = 0; c < BLOCK; c++)
					sum[c] += dy[(size_t)(k / a->K) * out + (size_t)((i * a->K + k % a->K) * BLOCK + c)];
			memcpy(dx, sum, sizeof sum);
		}
	}
}

void cpu_upsample_backward(const struct backend *be, real *dx, const real *dy, int B, int C, int H, int W, int K)
{
	cpu_parallel_for(be->ctx, (size_t)B * blocks_of(C), 2, upsample_backward, &(struct args){.y = dx, .x = dy, .H = H, .W = W, .K = K});
}

/* Batch normalisation: a task sums one channel block of one image; the sums are reduced in order. The variance is computed in one pass
 * over x - first, `first` the channel's first value. */
struct channel_sums {
	double sum[BLOCK], dot[BLOCK]; /* of d and d^2, d = x - first; backward: of dy and dy xhat */
};

struct batch_norm_args {
	const struct simd *simd;
	const struct batch_norm *s;
	const float *x, *y, *dy; /* y NULL: no activation */
	float *out;
	struct channel_sums *part;			 /* (B, blocks) */
	const float *first, *mean, *scale, *shift, *inv; /* (16 x blocks): y = x scale + shift */
	const float *factor, *mean_dy, *slope;		 /* factor: gamma inv; slope: inv times the mean of dy xhat */
};

static void batch_norm_sums(void *arg, size_t from, size_t to)
{
	const struct batch_norm_args *a = arg;
	size_t blocks = blocks_of(a->s->C), n = (size_t)a->s->HW;
	for (size_t i = from; i < to; i++) {
		struct channel_sums sum = {0};
		a->simd->batch_norm_sums(sum.sum, sum.dot, a->x + i * n * BLOCK, a->first + i % blocks * BLOCK, n);
		a->part[i] = sum;
	}
}

static void batch_norm_apply(void *arg, size_t from, size_t to)
{
	const struct batch_norm_args *a = arg;
	size_t blocks = blocks_of(a->s->C), n = (size_t)a->s->HW;
	for (size_t i = from; i < to; i++) {
		size_t at = i % blocks * BLOCK;
		a->simd->batch_norm_apply(
			a->out + i * n * BLOCK, a->x + i * n * BLOCK, a->scale + at, a->shift + at, a->s->act == ACT_RELU, n);
	}
}

/* sums (2, C) over the images, in order, of what fn puts into parts. */
static void sum_channels(const struct backend *be, struct batch_norm_args *a, void (*fn)(void *arg, size_t from, size_t to), double *sums)
{
	size_t blocks = blocks_of(a->s->C), all = (size_t)a->s->B * blocks;
	a->part = xmalloc(all * sizeof *a->part);
	cpu_parallel_for(be->ctx, all, 1, fn, a);
	for (int c = 0; c < a->s->C; c++) {
		double sum = 0, dot = 0;
		for (size_t b = 0; b < (size_t)a->s->B; b++) {
			const struct channel_sums *p = &a->part[b * blocks + (size_t)c / BLOCK];
			sum += p->sum[c % BLOCK], dot += p->dot[c % BLOCK];
		}
		sums[c] = sum, sums[a->s->C + c] = dot;
	}
	free(a->part);
}

void cpu_batch_norm(const struct backend *be, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save,
	const struct batch_norm *s)
{
	if (!s->maps) {
		ref_batch_norm(be, y, x, gamma, beta, run, save, s);
		return;
	}
	size_t blocks = blocks_of(s->C), wide = blocks * BLOCK, all = (size_t)s->B * blocks;
	float *first = xcalloc(3 * wide, sizeof *first), *scale = first + wide, *shift = scale + wide;
	double *sums = s->train ? xcalloc(2 * (size_t)s->C, sizeof *sums) : NULL;
	struct batch_norm_args a = {
		.simd = ((const struct cpu *)be->ctx)->simd, .s = s, .x = x, .out = y, .first = first, .scale = scale, .shift = shift};
	double N = (double)s->B * s->HW;
	for (size_t k = 0; s->train && k < blocks; k++)
		memcpy(first + k * BLOCK, x + k * (size_t)s->HW * BLOCK, BLOCK * sizeof *first);
	if (s->train)
		sum_channels(be, &a, batch_norm_sums, sums);
	for (int c = 0; c < s->C; c++) {
		double mean = (double)run[c], var = (double)run[s->C + c];
		if (s->train) {
			double sum = sums[c], dot = sums[s->C + c];
			mean = (double)first[c] + sum / N, var = dot / N - sum / N * (sum / N);
			var = var < 0 ? 0 : var;
			run[c] += s->momentum * ((float)mean - run[c]);
			run[s->C + c] += s->momentum * ((float)(N > 1 ? var * N / (N - 1) : var) - run[s->C + c]);
		}
		float inv = (float)(1 / sqrt(var + (double)s->eps));
		save[c] = (float)mean, save[s->C + c] = inv;
		scale[c] = inv * gamma[c], shift[c] = beta[c] - (float)mean * scale[c];
	}
	cpu_parallel_for(be->ctx, all, 1, batch_norm_apply, &a);
	free(first), free(sums);
}

void cpu_batch_norm_sums(const struct backend *be, double *sums, const real *x, const real *mean, const struct batch_norm *s)
{
	if (!s->maps) {
		ref_batch_norm_sums(be, sums, x, mean, s);
		return;
	}
	float *first = xcalloc(blocks_of(s->C) * BLOCK, sizeof *first);
	struct batch_norm_args a = {.simd = ((const struct cpu *)be->ctx)->simd, .s = s, .x = x, .first = first};
	memcpy(first, mean, (size_t)s->C * sizeof *first);
	sum_channels(be, &a, batch_norm_sums, sums);
	free(first);
}

static void batch_norm_backward_sums(void *arg, size_t from, size_t to)
{
	const struct batch_norm_args *a = arg;
	size_t blocks = blocks_of(a->s->C), n = (size_t)a->s->HW;
	for (size_t i = from; i < to; i++) {
		size_t at = i % blocks * BLOCK, plane = i * n * BLOCK;
		struct channel_sums sum = {0};
		a->simd->batch_norm_backward_sums(
			sum.sum, sum.dot, a->dy + plane, a->y ? a->y + plane : NULL, a->x + plane, a->mean + at, a->inv + at, n);
		a->part[i] = sum;
	}
}

static void batch_norm_backward_apply(void *arg, size_t from, size_t to)
{
	const struct batch_norm_args *a = arg;
	size_t blocks = blocks_of(a->s->C), n = (size_t)a->s->HW;
	for (size_t i = from; i < to; i++) {
		size_t at = i % blocks * BLOCK, plane = i * n * BLOCK;
		a->simd->batch_norm_backward_apply(a->out + plane, a->dy + plane, a->y ? a->y + plane : NULL, a->x + plane, a->mean + at,
			a->factor + at, a->mean_dy + at, a->slope + at, n);
	}
}

void cpu_batch_norm_backward_sums(
	const struct backend *be, double *sums, const real *dy, const real *y, const real *x, const real *save, const struct batch_norm *s)
{
	if (!s->maps) {
		ref_batch_norm_backward_sums(be, sums, dy, y, x, save, s);
		return;
	}
	size_t wide = blocks_of(s->C) * BLOCK;
	float *mean = xcalloc(2 * wide, sizeof *mean), *inv = mean + wide;
	struct batch_norm_args a = {.simd = ((const struct cpu *)be->ctx)->simd,
		.s = s,
		.x = x,
		.y = s->act == ACT_RELU ? y : NULL,
		.dy = dy,
		.mean = mean,
		.inv = inv};
	memcpy(mean, save, (size_t)s->C * sizeof *mean), memcpy(inv, save + s->C, (size_t)s->C * sizeof *inv);
	sum_channels(be, &a, batch_norm_backward_sums, sums);
	free(mean);
}

void cpu_batch_norm_backward_apply(const struct backend *be, real *dx, const real *dy, const real *y, const real *x, const real *gamma,
	const real *save, const double *sums, double N, const struct batch_norm *s)
{
	if (!s->maps) {
		ref_batch_norm_backward_apply(be, dx, dy, y, x, gamma, save, sums, N, s);
		return;
	}
	size_t blocks = blocks_of(s->C), wide = blocks * BLOCK;
	float *mean = xcalloc(4 * wide, sizeof *mean), *factor = mean + wide, *mean_dy = factor + wide, *slope = mean_dy + wide;
	struct batch_norm_args a = {.simd = ((const struct cpu *)be->ctx)->simd,
		.s = s,
		.x = x,
		.y = s->act == ACT_RELU ? y : NULL,
		.dy = dy,
		.out = dx,
		.mean = mean,
		.factor = factor,
		.mean_dy = mean_dy,
		.slope = slope};
	for (int c = 0; c < s->C; c++) {
		float inv = save[s->C + c];
		mean[c] = save[c];
		factor[c] = gamma[c] * inv, mean_dy[c] = (float)(sums[c] / N), slope[c] = inv * (float)(sums[s->C + c] / N);
	}
	cpu_parallel_for(be->ctx, (size_t)s->B * blocks, 1, batch_norm_backward_apply, &a);
	free(mean);
}

void cpu_batch_norm_backward(const struct backend *be, real *dx, real *dgamma, real *dbeta, const real *dy, const real *y, const real *x,
	const real *gamma, const real *save, const struct batch_norm *s)
{
	double *sums = xcalloc(2 * (size_t)s->C, sizeof *sums);
	cpu_batch_norm_backward_sums(be, sums, dy, y, x, save, s);
	cpu_batch_norm_backward_apply(be, dx, dy, y, x, gamma, save, sums, (double)s->B * s->HW, s);
	for (int c = 0; c < s->C; c++)
		dgamma[c] = (float)sums[s->C + c], dbeta[c] = (float)sums[c];
	free(sums);
}

struct reference_buffers { /* row-major copies for the reference backend */
	float *x, *y, *dx, *dy;
	uint8_t *argmax;
	float *argmax_real;
};

/* In bf16: x (n) rounded, as its words' halves are. */
static void round_factors(const struct cpu *c, float *x, size_t n)
{
	if (!c->bf16)
		return;
	c->simd->pairs_of(x, x, NULL, n);
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;
		memcpy(&bits, &x[i], sizeof bits);
		bits <<= 16;
		memcpy(&x[i], &bits, sizeof bits);
	}
}

void cpu_conv_pack_reference(const struct backend *be, void *packed, const real *w, const struct conv *s)
{
	ref_conv_pack(be, packed, w, s);
	round_factors(be->ctx, packed, ref_conv_packed_size(be, s) / sizeof(float));
}

static struct reference_buffers reference_buffers_of(const struct backend *be, const float *x, const struct conv *s)
{
	size_t nx = (size_t)s->B * (size_t)s->C * (size_t)s->H * (size_t)s->W;
	size_t ny = (size_t)s->B * (size_t)s->F * (size_t)(s->OH / s->pool) * (size_t)(s->OW / s->pool);
	struct reference_buffers r = {xmalloc(nx * sizeof(float)), xmalloc(ny * sizeof(float)), xmalloc(nx * sizeof(float)),
		xmalloc(ny * sizeof(float)), xmalloc(ny), xmalloc(ny * sizeof(float))};
	if (s->image)
		memcpy(r.x, x, nx * sizeof(float));
	else
		cpu_to_rows(be, r.x, x, s->B, s->C, s->H, s->W);
	round_factors(be->ctx, r.x, nx);
	return r;
}

static void free_reference_buffers(struct reference_buffers *r)
{
	free(r->x), free(r->y), free(r->dx), free(r->dy), free(r->argmax), free(r->argmax_real);
}

void cpu_conv_reference(
	const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s)
{
	struct reference_buffers r = reference_buffers_of(be, x, s);
	int PH = s->OH / s->pool, PW = s->OW / s->pool;
	size_t ny = (size_t)s->B * (size_t)s->F * (size_t)(PH * PW), nm = cpu_maps_size(be, s->B, s->F, PH, PW) / sizeof(float);
	ref_conv(be, r.y, r.argmax, r.x, packed, b, s);
	if (s->pool > 1) {
		float *maps = xmalloc(nm * sizeof *maps);
		for (size_t i = 0; i < ny; i++)
			r.argmax_real[i] = r.argmax[i];
		cpu_to_maps(be, maps, r.argmax_real, s->B, s->F, PH, PW);
		for (size_t i = 0; i < nm; i++)
			argmax[i] = (uint8_t)maps[i];
		free(maps);
	}
	cpu_to_maps(be, y, r.y, s->B, s->F, PH, PW);
	free_reference_buffers(&r);
}

static void bias_gradient(float *db, const float *dy, int B, int F, int n)
{
	for (int f = 0; f < F; f++) {
		double sum = 0;
		for (int b = 0; b < B; b++)
			for (int i = 0; i < n; i++)
				sum += (double)dy[((size_t)b * (size_t)F + (size_t)f) * (size_t)n + (size_t)i];
		db[f] = (float)sum;
	}
}

void cpu_conv_backward_reference(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y,
	const uint8_t *argmax, const real *x, const void *packed, const struct conv *s)
{
	struct reference_buffers r = reference_buffers_of(be, x, s);
	int PH = s->OH / s->pool, PW = s->OW / s->pool;
	size_t ny = (size_t)s->B * (size_t)s->F * (size_t)(PH * PW), nm = cpu_maps_size(be, s->B, s->F, PH, PW) / sizeof(float);
	cpu_to_rows(be, r.dy, dy, s->B, s->F, PH, PW), cpu_to_rows(be, r.y, y, s->B, s->F, PH, PW);
	if (s->pool > 1) {
		float *maps = xmalloc(nm * sizeof *maps);
		for (size_t i = 0; i < nm; i++)
			maps[i] = argmax[i];
		cpu_to_rows(be, r.argmax_real, maps, s->B, s->F, PH, PW);
		for (size_t i = 0; i < ny; i++)
			r.argmax[i] = (uint8_t)r.argmax_real[i];
		free(maps);
	}
	/* the gradient before the activation is a factor, too; the biases' is its sum as it is */
	struct conv linear = *s;
	linear.act = ACT_NONE;
	ref_act_backward(be, r.dy, r.dy, r.y, s->act, ny);
	memcpy(r.y, r.dy, ny * sizeof *r.y);
	round_factors(be->ctx, r.dy, ny);
	ref_conv_backward(be, dx ? r.dx : NULL, dw, db, r.dy, r.y, r.argmax, r.x, packed, packed, &linear);
	bias_gradient(db, r.y, s->B, s->F, PH * PW);
	if (dx)
		cpu_to_maps(be, dx, r.dx, s->B, s->C, s->H, s->W);
	free_reference_buffers(&r);
}
