/* Convolution as a product with the unrolled image, an image a task; gradients of weights in shards of the batch, added in a fixed tree. */
#include <string.h>

#include "kernels/act.h"
#include "kernels/cpu/cpu.h"

enum { SHARDS = 16 };

struct job {
	struct cpu *c;
	const struct conv *s;
	float *y, *sums;
	const float *x, *w, *b;
	enum act act;
	size_t shard; /* floats of a shard */
	int shards, step;
};

static int direct(const struct conv *s)
{
	return s->KH == 1 && s->KW == 1 && s->S == 1 && s->P == 0;
}

static size_t unrolled(const struct conv *s)
{
	return (size_t)s->C * s->KH * s->KW * s->OH * s->OW;
}

/* col (C KH KW, OH OW) of one image. */
static void unroll(float *col, const float *x, const struct conv *s)
{
	for (int c = 0; c < s->C; c++)
		for (int ky = 0; ky < s->KH; ky++)
			for (int kx = 0; kx < s->KW; kx++)
				for (int oy = 0; oy < s->OH; oy++, col += s->OW) {
					int iy = oy * s->S + ky - s->P;
					if (iy < 0 || iy >= s->H) {
						memset(col, 0, (size_t)s->OW * sizeof *col);
						continue;
					}
					const float *row = x + ((size_t)c * s->H + iy) * s->W;
					if (s->S == 1 && s->P == 0) {
						memcpy(col, row + kx, (size_t)s->OW * sizeof *col);
						continue;
					}
					for (int ox = 0; ox < s->OW; ox++) {
						int ix = ox * s->S + kx - s->P;
						col[ox] = ix >= 0 && ix < s->W ? row[ix] : 0;
					}
				}
}

/* The reverse: adds every element of col to where it came from. */
static void fold(float *x, const float *col, const struct conv *s)
{
	memset(x, 0, (size_t)s->C * s->H * s->W * sizeof *x);
	for (int c = 0; c < s->C; c++)
		for (int ky = 0; ky < s->KH; ky++)
			for (int kx = 0; kx < s->KW; kx++)
				for (int oy = 0; oy < s->OH; oy++, col += s->OW) {
					int iy = oy * s->S + ky - s->P;
					if (iy < 0 || iy >= s->H)
						continue;
					float *row = x + ((size_t)c * s->H + iy) * s->W;
					if (s->S == 1 && s->P == 0) {
						for (int ox = 0; ox < s->OW; ox++)
							row[ox + kx] += col[ox];
						continue;
					}
					for (int ox = 0; ox < s->OW; ox++) {
						int ix = ox * s->S + kx - s->P;
						if (ix >= 0 && ix < s->W)
							row[ix] += col[ox];
					}
				}
}

static void forward(void *arg, int n, int thread)
{
	const struct job *j = arg;
	const struct conv *s = j->s;
	int P = s->OH * s->OW, K = s->C * s->KH * s->KW;
	const float *x = j->x + (size_t)n * s->C * s->H * s->W;
	float *y = j->y + (size_t)n * s->F * P, *col = (float *)x;
	if (!direct(s)) {
		col = cpu_scratch(j->c, thread, unrolled(s));
		unroll(col, x, s);
	}
	for (int f = 0; f < s->F; f++)
		for (int i = 0; i < P; i++)
			y[(size_t)f * P + i] = j->b ? j->b[f] : 0;
	cpu_sgemm(0, 0, s->F, P, K, j->w, K, col, P, 1, y, P);
	for (size_t i = 0; j->act != ACT_NONE && i < (size_t)s->F * P; i++)
		y[i] = act_value(y[i], j->act);
}

static void back_x(void *arg, int n, int thread)
{
	const struct job *j = arg;
	const struct conv *s = j->s;
	int P = s->OH * s->OW, K = s->C * s->KH * s->KW;
	const float *dy = j->x + (size_t)n * s->F * P;
	float *dx = j->y + (size_t)n * s->C * s->H * s->W;
	float *col = direct(s) ? dx : cpu_scratch(j->c, thread, unrolled(s));
	cpu_sgemm(1, 0, K, P, s->F, j->w, K, dy, P, 0, col, P);
	if (!direct(s))
		fold(dx, col, s);
}

/* A shard: weights' and biases' gradients of the images [from, to). */
static void back_w(void *arg, int shard, int thread)
{
	const struct job *j = arg;
	const struct conv *s = j->s;
	int P = s->OH * s->OW, K = s->C * s->KH * s->KW;
	int from = (int)((long)s->B * shard / j->shards), to = (int)((long)s->B * (shard + 1) / j->shards);
	float *dw = j->sums + (size_t)shard * j->shard, *db = dw + (size_t)s->F * K;
	float *own = direct(s) ? NULL : cpu_scratch(j->c, thread, unrolled(s));
	for (int f = 0; f < s->F; f++)
		db[f] = 0;
	for (int n = from; n < to; n++) {
		const float *x = j->x + (size_t)n * s->C * s->H * s->W, *dy = j->w + (size_t)n * s->F * P;
		if (own)
			unroll(own, x, s);
		cpu_sgemm(0, 1, s->F, K, P, dy, P, own ? own : x, P, n == from ? 0 : 1, dw, K);
		for (int f = 0; f < s->F; f++) {
			double sum = 0;
			for (int i = 0; i < P; i++)
				sum += (double)dy[(size_t)f * P + i];
			db[f] += (float)sum;
		}
	}
}

static void add_pair(void *arg, int task, int thread)
{
	const struct job *j = arg;
	float *a = j->sums + (size_t)(2 * task * j->step) * j->shard, *b = a + (size_t)j->step * j->shard;
	(void)thread;
	if (2 * task * j->step + j->step < j->shards)
		for (size_t i = 0; i < j->shard; i++)
			a[i] += b[i];
}

void cpu_conv(const struct ops *o, real *y, const real *x, const real *w, const real *b, enum act act, const struct conv *s)
{
	struct cpu *c = o->ctx;
	pool_run(c->pool, s->B, forward, &(struct job){.c = c, .s = s, .y = y, .x = x, .w = w, .b = b, .act = act});
}

void cpu_conv_dx(const struct ops *o, real *dx, const real *dy, const real *w, const struct conv *s)
{
	struct cpu *c = o->ctx;
	pool_run(c->pool, s->B, back_x, &(struct job){.c = c, .s = s, .y = dx, .x = dy, .w = w});
}

void cpu_conv_dw(const struct ops *o, real *dw, real *db, const real *dy, const real *x, const struct conv *s)
{
	struct cpu *c = o->ctx;
	size_t K = (size_t)s->C * s->KH * s->KW, shard = (size_t)s->F * (K + 1);
	struct job j = {.c = c, .s = s, .x = x, .w = dy, .shard = shard, .shards = s->B < SHARDS ? s->B : SHARDS};
	j.sums = cpu_shards(c, shard * (size_t)j.shards);
	pool_run(c->pool, j.shards, back_w, &j);
	for (j.step = 1; j.step < j.shards; j.step *= 2)
		pool_run(c->pool, (j.shards + 2 * j.step - 1) / (2 * j.step), add_pair, &j);
	memcpy(dw, j.sums, s->F * K * sizeof *dw);
	if (db)
		memcpy(db, j.sums + s->F * K, (size_t)s->F * sizeof *db);
}
