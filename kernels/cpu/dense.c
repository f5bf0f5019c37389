/* Dense layers as GEMM, whose smaller operand is packed: for a small batch the weights are read once, in place; or as dot products
 * (dense_dot.c). */
#include "kernels/cpu/gemm.h"
#include "kernels/optimizer.h"

static void dense(struct cpu *c, const struct dense *s)
{
	int ldw = s->packed ? (s->I + 1) / 2 : s->trans_w ? s->O : s->I;
	if (cpu_dense_dot(c, s))
		return;
	if (s->B <= s->O)
		cpu_gemm(c,
			&(struct gemm){.M = s->O,
				.N = s->B,
				.K = s->I,
				.a = {s->w},
				.lda = ldw,
				.trans_a = s->trans_w,
				.words_a = s->packed,
				.b = {s->x},
				.ldb = s->I,
				.trans_b = 1,
				.y = s->y,
				.ldy = s->O,
				.trans_y = 1,
				.bias = s->bias,
				.act = s->act},
			0);
	else
		cpu_gemm(c,
			&(struct gemm){.M = s->B,
				.N = s->O,
				.K = s->I,
				.a = {s->x},
				.lda = s->I,
				.b = {s->w},
				.ldb = ldw,
				.trans_b = !s->trans_w,
				.words_b = s->packed,
				.y = s->y,
				.ldy = s->O,
				.bias = s->bias,
				.act = s->act},
			0);
}

void cpu_dense(
	const struct backend *be, real *y, const real *x, const real *w, const real *b, enum act act, int trans_w, int B, int I, int O)
{
	dense(be->ctx, &(struct dense){y, x, w, b, act, trans_w, 0, B, I, O});
}

void cpu_dense_packed(
	const struct backend *be, real *y, const real *x, const void *packed, const real *b, enum act act, int B, int I, int O)
{
	dense(be->ctx, &(struct dense){y, x, packed, b, act, 0, 1, B, I, O});
}

void cpu_dense_backward_input(const struct backend *be, real *dx, const real *dy, const real *w, int trans_w, int B, int I, int O)
{
	struct cpu *c = be->ctx;
	if (B <= I && trans_w)
		cpu_gemm(c,
			&(struct gemm){.M = I,
				.N = B,
				.K = O,
				.a = {w},
				.lda = O,
				.b = {dy},
				.ldb = O,
				.trans_b = 1,
				.y = dx,
				.ldy = I,
				.trans_y = 1},
			0);
	else
		cpu_gemm(c,
			&(struct gemm){.M = B,
				.N = I,
				.K = O,
				.a = {dy},
				.lda = O,
				.b = {w},
				.ldb = trans_w ? O : I,
				.trans_b = trans_w,
				.y = dx,
				.ldy = I},
			!trans_w && I >= 8 * GEMM_LOCAL_COLUMNS && B <= 512);
}

struct bias {
	float *db;
	const float *dy;
	int B, O;
};

enum { BIAS_COLUMNS = 64 };

static void bias_sums(void *arg, size_t from, size_t to)
{
	const struct bias *s = arg;
	double sum[BIAS_COLUMNS] = {0};
	for (int b = 0; b < s->B; b++)
		for (size_t k = from; k < to; k++)
			sum[k - from] += (double)s->dy[(size_t)b * (size_t)s->O + k];
	for (size_t k = from; k < to; k++)
		s->db[k] = (float)sum[k - from];
}

void cpu_dense_backward_weight(const struct backend *be, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O)
{
	if (dw)
		cpu_gemm(be->ctx,
			&(struct gemm){.M = O,
				.N = I,
				.K = B,
				.a = {dy},
				.lda = O,
				.trans_a = 1,
				.b = {x},
				.ldb = I,
				.y = dw,
				.ldy = I,
				.add = add},
			0);
	if (db)
		cpu_parallel_for(be->ctx, (size_t)O, BIAS_COLUMNS, bias_sums, &(struct bias){db, dy, B, O});
}

void cpu_dense_backward_update(const struct backend *be, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2,
	const real *x2, int B, int I, int O, const struct optimizer_step *opt)
{
	struct gemm g = {.M = O,
		.N = I,
		.K = B,
		.a = {dy, dy2},
		.lda = O,
		.trans_a = 1,
		.b = {x, x2},
		.ldb = I,
		.y = w,
		.ldy = I,
		.opt = opt,
		.m = m,
		.v = v};
	optimizer_bias_correction(opt, &g.correction1, &g.correction2);
	cpu_gemm(be->ctx, &g, 0);
}
