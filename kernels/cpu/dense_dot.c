/* Dense layers of which one side, the batch or the outputs, has few rows, as dot products of rows of inputs and rows of weights: neither
 * would be used often enough to pay for packing it. And weights packed for inference, in bf16: rows of words, half as many bytes to read.
 */
#include "kernels/cpu/cpu.h"

enum {
	FEW = 8,	    /* most rows of the small side, unless ... */
	FEW_VALUES = 1024,  /* ... the results are as few */
	ROWS = 8,	    /* rows of the large side a task, or a multiple of it ... */
	TASK_MACS = 1 << 14 /* ... so that a task has at least as many products */
};

struct dense_dot {
	struct cpu *c;
	struct dot dot; /* all; w: rows of the large side */
	const float *bias;
	enum act act;
	int rows;    /* a task */
	int swapped; /* the large side is the batch */
	int rounds;  /* values of a row of w that are still to be made words, or 0 */
};

static void epilogue(const struct dense_dot *d, const struct dot *t, int from)
{
	const struct simd *simd = d->c->simd;
	if (!d->swapped) {
		for (int b = 0; b < t->X; b++)
			if (d->bias)
				simd->bias_act(t->y + b * t->yx, d->bias + from, d->act, (size_t)t->W);
			else if (d->act != ACT_NONE)
				simd->act(t->y + b * t->yx, t->y + b * t->yx, d->act, (size_t)t->W);
		return;
	}
	for (int b = 0; b < t->W && d->bias; b++)
		for (int o = 0; o < t->X; o++)
			t->y[b * t->yw + o] += d->bias[o];
	if (d->act != ACT_NONE)
		simd->act(t->y, t->y, d->act, (size_t)t->W * (size_t)t->X);
}

static void dot_task(void *arg, int task, int thread)
{
	const struct dense_dot *d = arg;
	int from = task * d->rows;
	struct dot t = d->dot;
	t.W = t.W - from < d->rows ? t.W - from : d->rows;
	t.w += from * t.ldw, t.y += from * t.yw;
	if (d->rounds) {
		float *words = cpu_scratch(d->c, thread, (size_t)t.W * (size_t)t.K);
		for (int i = 0; i < t.W; i++)
			d->c->simd->pairs_in_row(words + i * t.K, t.w + i * t.ldw, (size_t)d->rounds);
		t.w = words, t.ldw = t.K;
	}
	d->c->products->dot(&t);
	epilogue(d, &t, from);
}

/* Words of a row of n factors; floats in fp32. */
static int row_words(const struct cpu *c, int n)
{
	return c->bf16 ? (n + 1) / 2 : n;
}

int cpu_dense_dot(struct cpu *c, const struct dense *s)
{
	int swapped = s->O < s->B, W = swapped ? s->B : s->O, X = swapped ? s->O : s->B, K = row_words(c, s->I);
	if (s->trans_w || (X > FEW && (long)W * X > FEW_VALUES))
		return 0;
	const float *w = swapped ? s->x : s->w, *x = swapped ? s->w : s->x;
	const int words_w = c->bf16 && s->packed && !swapped, words_x = c->bf16 && s->packed && swapped;
	if (c->bf16 && !words_x) {
		float *words = cpu_workspace(c, (size_t)X * (size_t)K);
		for (int i = 0; i < X; i++)
			c->simd->pairs_in_row(words + (long)i * K, x + (long)i * s->I, (size_t)s->I);
		x = words;
	}
	struct dense_dot d = {
		.c = c, .bias = s->bias, .act = s->act, .rows = ROWS, .swapped = swapped, .rounds = c->bf16 && !words_w ? s->I : 0};
	d.dot = (struct dot){s->y, swapped ? s->O : 1, swapped ? 1 : s->O, w, x, words_w ? K : s->I, K, W, X, K};
	while ((double)d.rows * X * s->I < TASK_MACS)
		d.rows += ROWS;
	thread_pool_run(c->pool, (W + d.rows - 1) / d.rows, dot_task, &d);
	return 1;
}

size_t cpu_dense_packed_size(const struct backend *be, int I, int O)
{
	const struct cpu *c = be->ctx;
	return c->bf16 ? (size_t)O * (size_t)row_words(c, I) * sizeof(float) : 0;
}

struct packing {
	const struct cpu *c;
	float *packed;
	const float *w;
	int I;
};

static void pack(void *arg, size_t from, size_t to)
{
	const struct packing *p = arg;
	size_t I = (size_t)p->I, words = (size_t)row_words(p->c, p->I);
	for (size_t o = from; o < to; o++)
		p->c->simd->pairs_in_row(p->packed + o * words, p->w + o * I, I);
}

void cpu_dense_pack(const struct backend *be, void *packed, const real *w, int I, int O)
{
	cpu_parallel_for(be->ctx, (size_t)O, ROWS, pack, &(struct packing){be->ctx, packed, w, I});
}
