/* bench --tasks: into how many parallel tasks each operation of a step divides its work on the cpu backend, what is left to one thread, and
 * what that would make of a step on more processors. The bench's backend is a copy whose operations are counted on their way. */
#ifndef BENCH_TASKS_H
#define BENCH_TASKS_H

#include "kernels/cpu/cpu.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

enum { TASKS_OPS = 4096 };

struct tasks_operation {
	const char *name;
	int loop, loops;	  /* the first, and how many */
	double flop, bytes, took; /* of a step: arithmetic as written; arrays read and written once; seconds, of all steps */
};

struct tasks_loop {
	int tasks;
	double took;
};

static struct {
	struct backend own;
	struct tasks_operation op[TASKS_OPS];
	struct tasks_loop *loop;
	int ops, loops, steps, capacity; /* of a step; steps so far; of loop */
	double began, step_began, all;
} tasks;

static inline void tasks_seen(int n, int done)
{
	if (!done) {
		tasks.began = log_seconds();
		return;
	}
	if (tasks.loops == tasks.capacity) {
		int more = tasks.capacity ? tasks.capacity : 64;
		tasks.loop = xrealloc(tasks.loop, ((size_t)tasks.capacity + (size_t)more) * sizeof *tasks.loop);
		memset(tasks.loop + tasks.capacity, 0, (size_t)more * sizeof *tasks.loop);
		tasks.capacity += more;
	}
	struct tasks_loop *l = &tasks.loop[tasks.loops++];
	l->tasks = n, l->took += log_seconds() - tasks.began;
}

static inline double tasks_op_begin(const char *name, double flop, double floats)
{
	if (tasks.ops == TASKS_OPS)
		die("more than %d operations in a step", TASKS_OPS);
	struct tasks_operation *o = &tasks.op[tasks.ops];
	o->name = name, o->loop = tasks.loops, o->flop = flop, o->bytes = floats * sizeof(real);
	return log_seconds();
}

static inline void tasks_op_end(double began)
{
	struct tasks_operation *o = &tasks.op[tasks.ops++];
	o->took += log_seconds() - began, o->loops = tasks.loops - o->loop;
}

static inline void tasks_step_begin(void)
{
	tasks.ops = tasks.loops = 0, tasks.step_began = log_seconds();
}

static inline void tasks_step_end(void)
{
	tasks.steps++, tasks.all += log_seconds() - tasks.step_began;
}

static inline double tasks_dense_flop(int B, int I, int O)
{
	return 2.0 * B * I * O;
}

static inline double tasks_dense_floats(int B, int I, int O)
{
	return (double)B * I + (double)B * O + (double)I * O;
}

static inline double tasks_conv_weights(const struct conv *s)
{
	return (double)s->F * s->C * s->KH * s->KW;
}

static inline double tasks_conv_flop(const struct conv *s)
{
	return 2.0 * s->B * s->OH * s->OW * tasks_conv_weights(s);
}

static inline double tasks_conv_input(const struct conv *s)
{
	return (double)s->B * s->C * s->H * s->W;
}

static inline double tasks_conv_output(const struct conv *s)
{
	return (double)s->B * s->F * (s->OH / s->pool) * (s->OW / s->pool);
}

#define TASKS_OP(name, flop, floats, params, ...)                                                                                          \
	static void tasks_##name params                                                                                                    \
	{                                                                                                                                  \
		double began = tasks_op_begin(#name, flop, floats);                                                                        \
		tasks.own.name(__VA_ARGS__);                                                                                               \
		tasks_op_end(began);                                                                                                       \
	}

TASKS_OP(gather, 0, 2.0 * B * K, (const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K), be, y, x, rows, B,
	K)
TASKS_OP(dropout, (double)B *K, 2.0 * B * K,
	(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
		uint32_t purpose, uint32_t epoch),
	be, y, x, rows, B, K, p, mul, seed, purpose, epoch)
TASKS_OP(to_maps, 0, 2.0 * B * C * H * W, (const struct backend *be, real *maps, const real *rows, int B, int C, int H, int W), be, maps,
	rows, B, C, H, W)
TASKS_OP(to_rows, 0, 2.0 * B * C * H * W, (const struct backend *be, real *rows, const real *maps, int B, int C, int H, int W), be, rows,
	maps, B, C, H, W)
TASKS_OP(dense, tasks_dense_flop(B, I, O), tasks_dense_floats(B, I, O),
	(const struct backend *be, real *y, const real *x, const real *w, const real *b, enum act act, int trans_w, int B, int I, int O),
	be, y, x, w, b, act, trans_w, B, I, O)
TASKS_OP(dense_packed, tasks_dense_flop(B, I, O), tasks_dense_floats(B, I, O),
	(const struct backend *be, real *y, const real *x, const void *w, const real *b, enum act act, int B, int I, int O), be, y, x, w, b,
	act, B, I, O)
TASKS_OP(dense_backward_input, tasks_dense_flop(B, I, O), tasks_dense_floats(B, I, O),
	(const struct backend *be, real *dx, const real *dy, const real *w, int trans_w, int B, int I, int O), be, dx, dy, w, trans_w, B, I,
	O)
TASKS_OP(dense_backward_weight, dw ? tasks_dense_flop(B, I, O) : (double)B *O,
	dw ? tasks_dense_floats(B, I, O) + (add ? (double)I * O : 0) : (double)B *O,
	(const struct backend *be, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O), be, dw, db, dy, x, add,
	B, I, O)
/* the weights and their moments read and written */
TASKS_OP(dense_backward_update, (x2 ? 2 : 1) * tasks_dense_flop(B, I, O),
	(x2 ? 2.0 : 1.0) * ((double)B * I + (double)B * O) + 2.0 * (1 + !!m + !!v) * I * O,
	(const struct backend *be, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2, const real *x2, int B, int I,
		int O, const struct optimizer_step *opt),
	be, w, m, v, dy, x, dy2, x2, B, I, O, opt)
TASKS_OP(conv_pack, 0, 2 * tasks_conv_weights(s), (const struct backend *be, void *packed, const real *w, const struct conv *s), be, packed,
	w, s)
TASKS_OP(conv, tasks_conv_flop(s), tasks_conv_input(s) + tasks_conv_output(s) + tasks_conv_weights(s),
	(const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s), be, y,
	argmax, x, packed, b, s)
TASKS_OP(conv_backward, (dx ? 2 : 1) * tasks_conv_flop(s),
	(dx ? 2 : 1) * (tasks_conv_input(s) + tasks_conv_weights(s)) + (s->act ? 2 : 1) * tasks_conv_output(s),
	(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax, const real *x,
		const real *w, const void *packed, const struct conv *s),
	be, dx, dw, db, dy, y, argmax, x, w, packed, s)
TASKS_OP(act_backward, (double)n, 3.0 * (double)n,
	(const struct backend *be, real *dx, const real *dy, const real *y, enum act act, size_t n), be, dx, dy, y, act, n)
TASKS_OP(loss, 3.0 * B * K, 3.0 * B * K,
	(const struct backend *be, const struct loss *s, double *loss, real *dz, const real *z, const real *target, const real *weight,
		int B, int K),
	be, s, loss, dz, z, target, weight, B, K)
TASKS_OP(optimizer_step, 4.0 * (double)n, (1 + 2.0 * (1 + !!m + !!v)) * (double)n,
	(const struct backend *be, real *w, const real *g, real *m, real *v, size_t n, const struct optimizer_step *opt), be, w, g, m, v, n,
	opt)

/* Counts be's operations from now on. */
static inline void tasks_watch(struct backend *be)
{
	tasks.own = *be;
#define TASKS_SET(name) be->name = tasks_##name
	TASKS_SET(gather), TASKS_SET(dropout), TASKS_SET(to_maps), TASKS_SET(to_rows), TASKS_SET(dense), TASKS_SET(dense_packed);
	TASKS_SET(dense_backward_input), TASKS_SET(dense_backward_weight), TASKS_SET(dense_backward_update), TASKS_SET(conv_pack);
	TASKS_SET(conv), TASKS_SET(conv_backward), TASKS_SET(act_backward), TASKS_SET(loss), TASKS_SET(optimizer_step);
	thread_pool_watch(((struct cpu *)be->ctx)->pool, tasks_seen);
}

/* Seconds of a loop on n processors, if each task took as long as the others and no longer than now. */
static inline double tasks_on(const struct tasks_loop *l, int n)
{
	return l->took * ((l->tasks + n - 1) / n) / l->tasks;
}

/* Tasks of loops from to to, of a pair that repeats once: "36 16 x144". */
static inline void tasks_print_loops(int from, int to)
{
	for (int k = from; k < to;) {
		int pairs = 1, a = tasks.loop[k].tasks, b = k + 1 < to ? tasks.loop[k + 1].tasks : 0;
		while (k + 2 * pairs + 1 < to && tasks.loop[k + 2 * pairs].tasks == a && tasks.loop[k + 2 * pairs + 1].tasks == b)
			pairs++;
		if (pairs > 1)
			printf(" %d %d x%d", a, b, pairs), k += 2 * pairs;
		else
			printf(" %d", a), k++;
	}
}

/* Of each operation also the arithmetic and the bytes of one of its tasks, of its longest loop. */
static inline void tasks_print(void)
{
	double loops = 0, all = tasks.all / tasks.steps, bytes = 0, flop = 0;
	printf("%-22s %9s %7s %9s %9s %9s %11s %9s  %s\n", "operation", "us", "% step", "% serial", "MFLOP", "KiB", "kFLOP/task",
		"KiB/task", "tasks of its loops");
	for (int i = 0; i < tasks.ops; i++) {
		const struct tasks_operation *o = &tasks.op[i];
		double parallel = 0, longest = 0;
		int cut = 1;
		for (int k = o->loop; k < o->loop + o->loops; k++) {
			const struct tasks_loop *l = &tasks.loop[k];
			parallel += l->tasks > 1 ? l->took : 0;
			if (l->took > longest)
				longest = l->took, cut = l->tasks;
		}
		printf("%-22s %9.1f %7.2f %9.2f %9.3f %9.1f %11.1f %9.1f ", o->name, o->took / tasks.steps * 1e6, 100 * o->took / tasks.all,
			100 * (o->took - parallel) / tasks.all, o->flop / 1e6, o->bytes / 1024, o->flop / 1e3 / cut, o->bytes / 1024 / cut);
		tasks_print_loops(o->loop, o->loop + o->loops);
		printf("\n");
		loops += parallel / tasks.steps, bytes += o->bytes, flop += o->flop;
	}
	printf("%-22s %9.1f %7.2f %9.2f %9.3f %9.1f\n", "all", all * 1e6, 100.0, 100 * (1 - loops / all), flop / 1e6, bytes / 1024);
	printf("processors, speed, GB/s:");
	for (int n = 1; n <= 64; n *= 2) {
		double took = all;
		for (int k = 0; k < tasks.loops; k++)
			took += (tasks_on(&tasks.loop[k], n) - tasks.loop[k].took) / tasks.steps;
		printf(" %d %.1f %.1f%s", n, all / took, bytes / took / 1e9, n < 64 ? "," : "\n");
	}
}

#endif
