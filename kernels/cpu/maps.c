/* What works on maps plane by plane: their order, pooling, upsampling, batch normalisation. A block of 16 channels is a plane. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/ref/ref.h"
#include "lib/err.h"

struct args {
	struct cpu *c;
	float *y, *u, *v;
	const float *x, *w, *t, *m;
	uint8_t *at;
	const uint8_t *from;
	const void *s;
	int C, H, W, K;
};

static size_t blocks_of(int C)
{
	return (size_t)(C + BLOCK - 1) / BLOCK;
}

size_t cpu_maps_size(const struct ops *o, int B, int C, int H, int W)
{
	(void)o;
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

void cpu_to_maps(const struct ops *o, real *maps, const real *rows, int B, int C, int H, int W)
{
	cpu_slices(o->ctx, (size_t)B * blocks_of(C), 4, to_maps, &(struct args){.y = maps, .x = rows, .C = C, .H = H, .W = W});
}

static void to_rows(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t P = (size_t)a->H * (size_t)a->W, blocks = blocks_of(a->C);
	for (size_t i = from; i < to; i++) {
		int c0 = (int)(i % blocks) * BLOCK, n = a->C - c0 < BLOCK ? a->C - c0 : BLOCK;
		float *y = a->y + (i / blocks * (size_t)a->C + (size_t)c0) * P;
		const float *x = a->x + i * P * BLOCK;
		for (size_t p0 = 0; p0 < P; p0 += 16) { /* few enough lines to stay in cache */
			size_t p1 = p0 + 16 < P ? p0 + 16 : P;
			for (int c = 0; c < n; c++)
				for (size_t p = p0; p < p1; p++)
					y[(size_t)c * P + p] = x[p * BLOCK + (size_t)c];
		}
	}
}

void cpu_to_rows(const struct ops *o, real *rows, const real *maps, int B, int C, int H, int W)
{
	cpu_slices(o->ctx, (size_t)B * blocks_of(C), 4, to_rows, &(struct args){.y = rows, .x = maps, .C = C, .H = H, .W = W});
}

static void pool(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t in = (size_t)a->W * BLOCK, out = (size_t)(a->W / a->K) * BLOCK, rows = (size_t)(a->H / a->K);
	for (size_t i = from * rows; i < to * rows; i++)
		a->c->micro->pool_row(a->y + i * out, a->at + i * out, a->x + (i / rows * (size_t)a->H + i % rows * (size_t)a->K) * in,
			(long)in, a->K, a->W / a->K, ACT_NONE);
}

void cpu_pool(const struct ops *o, real *y, uint8_t *at, const real *x, int B, int C, int H, int W, int K)
{
	cpu_slices(
		o->ctx, (size_t)B * blocks_of(C), 2, pool, &(struct args){.c = o->ctx, .y = y, .at = at, .x = x, .H = H, .W = W, .K = K});
}

static void pool_back(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	size_t in = (size_t)a->W * BLOCK, out = (size_t)(a->W / a->K) * BLOCK, rows = (size_t)(a->H / a->K);
	memset(a->y + from * (size_t)a->H * in, 0, (to - from) * (size_t)a->H * in * sizeof *a->y);
	for (size_t i = from * rows; i < to * rows; i++)
		a->c->micro->pool_row_back(a->y + (i / rows * (size_t)a->H + i % rows * (size_t)a->K) * in, (long)in, a->x + i * out, NULL,
			a->from + i * out, a->K, a->W / a->K, ACT_NONE);
}

void cpu_pool_back(const struct ops *o, real *dx, const real *dy, const uint8_t *at, int B, int C, int H, int W, int K)
{
	cpu_slices(o->ctx, (size_t)B * blocks_of(C), 2, pool_back,
		&(struct args){.c = o->ctx, .y = dx, .x = dy, .from = at, .H = H, .W = W, .K = K});
}

static void up(void *arg, size_t from, size_t to)
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

void cpu_up(const struct ops *o, real *y, const real *x, int B, int C, int H, int W, int K)
{
	cpu_slices(o->ctx, (size_t)B * blocks_of(C), 2, up, &(struct args){.y = y, .x = x, .H = H, .W = W, .K = K});
}

static void up_back(void *arg, size_t from, size_t to)
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

void cpu_up_back(const struct ops *o, real *dx, const real *dy, int B, int C, int H, int W, int K)
{
	cpu_slices(o->ctx, (size_t)B * blocks_of(C), 2, up_back, &(struct args){.y = dx, .x = dy, .H = H, .W = W, .K = K});
}

/* Where pixel i of image b of the channels from c0 on stands, and how many there are: rows and maps alike. */
static const float *channels(const struct bn *s, const float *x, int b, int c0, int i)
{
	return s->maps ? x + (((size_t)b * blocks_of(s->C) + (size_t)c0 / BLOCK) * (size_t)s->HW + (size_t)i) * BLOCK
		       : x + (size_t)b * (size_t)s->C + (size_t)c0;
}

static void bn(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct bn *s = a->s;
	(void)to;
	int c0 = (int)from * BLOCK, n = s->C - c0 < BLOCK ? s->C - c0 : BLOCK, wide = s->maps ? BLOCK : n;
	double N = (double)s->B * s->HW, mean[BLOCK] = {0}, var[BLOCK] = {0};
	float scale[BLOCK] = {0}, base[BLOCK] = {0}, *run = a->u + c0, *save = a->v + c0;
	for (int b = 0; s->train && b < s->B; b++)
		for (int i = 0; i < s->HW; i++) {
			const float *x = channels(s, a->x, b, c0, i);
			for (int c = 0; c < wide; c++)
				mean[c] += (double)x[c];
		}
	for (int c = 0; c < n; c++)
		mean[c] = s->train ? mean[c] / N : (double)run[c];
	for (int b = 0; s->train && b < s->B; b++)
		for (int i = 0; i < s->HW; i++) {
			const float *x = channels(s, a->x, b, c0, i);
			for (int c = 0; c < wide; c++)
				var[c] += ((double)x[c] - mean[c]) * ((double)x[c] - mean[c]);
		}
	for (int c = 0; c < n; c++) {
		var[c] = s->train ? var[c] / N : (double)run[s->C + c];
		if (s->train) {
			run[c] += s->momentum * ((float)mean[c] - run[c]);
			run[s->C + c] += s->momentum * ((float)(N > 1 ? var[c] * N / (N - 1) : var[c]) - run[s->C + c]);
		}
		float inv = (float)(1 / sqrt(var[c] + (double)s->eps));
		save[c] = (float)mean[c], save[s->C + c] = inv;
		scale[c] = inv * a->w[c0 + c], base[c] = a->t[c0 + c] - (float)mean[c] * scale[c];
	}
	for (int b = 0; b < s->B; b++)
		for (int i = 0; i < s->HW; i++) {
			const float *x = channels(s, a->x, b, c0, i);
			float *y = (float *)channels(s, a->y, b, c0, i);
			for (int c = 0; c < wide; c++)
				y[c] = x[c] * scale[c] + base[c];
		}
}

void cpu_bn(const struct ops *o, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save, const struct bn *s)
{
	cpu_slices(o->ctx, blocks_of(s->C), 1, bn, &(struct args){.y = y, .x = x, .w = gamma, .t = beta, .u = run, .v = save, .s = s});
}

static void bn_back(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct bn *s = a->s;
	(void)to;
	int c0 = (int)from * BLOCK, n = s->C - c0 < BLOCK ? s->C - c0 : BLOCK, wide = s->maps ? BLOCK : n;
	double N = (double)s->B * s->HW, sum[BLOCK] = {0}, dot[BLOCK] = {0};
	float mean[BLOCK] = {0}, inv[BLOCK] = {0}, k[BLOCK] = {0}, ms[BLOCK] = {0}, md[BLOCK] = {0};
	for (int c = 0; c < n; c++)
		mean[c] = a->m[c0 + c], inv[c] = a->m[s->C + c0 + c];
	for (int b = 0; b < s->B; b++)
		for (int i = 0; i < s->HW; i++) {
			const float *x = channels(s, a->x, b, c0, i), *dy = channels(s, a->t, b, c0, i);
			for (int c = 0; c < wide; c++) {
				sum[c] += (double)dy[c];
				dot[c] += (double)(dy[c] * ((x[c] - mean[c]) * inv[c]));
			}
		}
	for (int c = 0; c < n; c++) {
		a->u[c0 + c] = (float)dot[c], a->v[c0 + c] = (float)sum[c];
		k[c] = a->w[c0 + c] * inv[c], ms[c] = (float)(sum[c] / N), md[c] = (float)(dot[c] / N);
	}
	for (int b = 0; b < s->B; b++)
		for (int i = 0; i < s->HW; i++) {
			const float *x = channels(s, a->x, b, c0, i), *dy = channels(s, a->t, b, c0, i);
			float *dx = (float *)channels(s, a->y, b, c0, i);
			for (int c = 0; c < wide; c++)
				dx[c] = k[c] * (dy[c] - ms[c] - (x[c] - mean[c]) * inv[c] * md[c]);
		}
}

void cpu_bn_back(const struct ops *o, real *dx, real *dgamma, real *dbeta, const real *dy, const real *x, const real *gamma,
	const real *save, const struct bn *s)
{
	cpu_slices(o->ctx, blocks_of(s->C), 1, bn_back,
		&(struct args){.y = dx, .u = dgamma, .v = dbeta, .t = dy, .x = x, .w = gamma, .m = save, .s = s});
}

struct rows { /* what the readable hand is given: x, y, their places */
	float *x, *y, *dx, *dy;
	uint8_t *at;
	float *at_rows;
};

static struct rows rows_of(const struct ops *o, const float *x, const struct conv *s)
{
	size_t nx = (size_t)s->B * (size_t)s->C * (size_t)s->H * (size_t)s->W;
	size_t ny = (size_t)s->B * (size_t)s->F * (size_t)(s->OH / s->pool) * (size_t)(s->OW / s->pool);
	struct rows r = {xmalloc(nx * sizeof(float)), xmalloc(ny * sizeof(float)), xmalloc(nx * sizeof(float)), xmalloc(ny * sizeof(float)),
		xmalloc(ny), xmalloc(ny * sizeof(float))};
	if (s->image)
		memcpy(r.x, x, nx * sizeof(float));
	else
		cpu_to_rows(o, r.x, x, s->B, s->C, s->H, s->W);
	return r;
}

static void free_rows(struct rows *r)
{
	free(r->x), free(r->y), free(r->dx), free(r->dy), free(r->at), free(r->at_rows);
}

void cpu_conv_plain(const struct ops *o, real *y, uint8_t *at, const real *x, const void *packed, const real *b, const struct conv *s)
{
	struct rows r = rows_of(o, x, s);
	int PH = s->OH / s->pool, PW = s->OW / s->pool;
	size_t ny = (size_t)s->B * (size_t)s->F * (size_t)(PH * PW), nm = cpu_maps_size(o, s->B, s->F, PH, PW) / sizeof(float);
	ref_conv(o, r.y, r.at, r.x, packed, b, s);
	if (s->pool > 1) {
		float *maps = xmalloc(nm * sizeof *maps);
		for (size_t i = 0; i < ny; i++)
			r.at_rows[i] = r.at[i];
		cpu_to_maps(o, maps, r.at_rows, s->B, s->F, PH, PW);
		for (size_t i = 0; i < nm; i++)
			at[i] = (uint8_t)maps[i];
		free(maps);
	}
	cpu_to_maps(o, y, r.y, s->B, s->F, PH, PW);
	free_rows(&r);
}

void cpu_conv_back_plain(const struct ops *o, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *at, const real *x,
	const real *w, const struct conv *s)
{
	struct rows r = rows_of(o, x, s);
	int PH = s->OH / s->pool, PW = s->OW / s->pool;
	size_t ny = (size_t)s->B * (size_t)s->F * (size_t)(PH * PW), nm = cpu_maps_size(o, s->B, s->F, PH, PW) / sizeof(float);
	cpu_to_rows(o, r.dy, dy, s->B, s->F, PH, PW), cpu_to_rows(o, r.y, y, s->B, s->F, PH, PW);
	if (s->pool > 1) {
		float *maps = xmalloc(nm * sizeof *maps);
		for (size_t i = 0; i < nm; i++)
			maps[i] = at[i];
		cpu_to_rows(o, r.at_rows, maps, s->B, s->F, PH, PW);
		for (size_t i = 0; i < ny; i++)
			r.at[i] = (uint8_t)r.at_rows[i];
		free(maps);
	}
	ref_conv_back(o, dx ? r.dx : NULL, dw, db, r.dy, r.y, r.at, r.x, w, s);
	if (dx)
		cpu_to_maps(o, dx, r.dx, s->B, s->C, s->H, s->W);
	free_rows(&r);
}
