/* Dense layers: y = act(x w' + b), w' the transpose of w. */
#include <stdlib.h>

#include "kernels/act.h"
#include "kernels/ref/ref.h"
#include "lib/base/err.h"

void ref_dense(
	const struct backend *be, real *y, const real *x, const real *w, const real *b, enum act act, int trans_w, int B, int I, int O)
{
	(void)be;
	for (int r = 0; r < B; r++)
		for (int o = 0; o < O; o++) {
			double s = b ? (double)b[o] : 0;
			for (int i = 0; i < I; i++)
				s += (double)x[(size_t)r * I + i] * (double)(trans_w ? w[(size_t)i * O + o] : w[(size_t)o * I + i]);
			y[(size_t)r * O + o] = act_value((real)s, act);
		}
}

void ref_dense_backward_input(const struct backend *be, real *dx, const real *dy, const real *w, int trans_w, int B, int I, int O)
{
	(void)be;
	for (int r = 0; r < B; r++)
		for (int i = 0; i < I; i++) {
			double s = 0;
			for (int o = 0; o < O; o++)
				s += (double)dy[(size_t)r * O + o] * (double)(trans_w ? w[(size_t)i * O + o] : w[(size_t)o * I + i]);
			dx[(size_t)r * I + i] = (real)s;
		}
}

void ref_dense_backward_weight(const struct backend *be, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O)
{
	(void)be;
	for (int o = 0; o < O; o++) {
		for (int i = 0; dw && i < I; i++) {
			double s = add ? (double)dw[(size_t)o * I + i] : 0;
			for (int r = 0; r < B; r++)
				s += (double)dy[(size_t)r * O + o] * (double)x[(size_t)r * I + i];
			dw[(size_t)o * I + i] = (real)s;
		}
		double s = 0;
		for (int r = 0; db && r < B; r++)
			s += (double)dy[(size_t)r * O + o];
		if (db)
			db[o] = (real)s;
	}
}

void ref_dense_backward_update(const struct backend *be, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2,
	const real *x2, int B, int I, int O, const struct optimizer_step *opt)
{
	real *g = xmalloc((size_t)I * sizeof *g); /* gradient of one output's weights */
	for (int o = 0; o < O; o++) {
		size_t at = (size_t)o * I;
		for (int i = 0; i < I; i++) {
			double s = 0;
			for (int r = 0; r < B; r++)
				s += (double)dy[(size_t)r * O + o] * (double)x[(size_t)r * I + i];
			for (int r = 0; dy2 && r < B; r++)
				s += (double)dy2[(size_t)r * O + o] * (double)x2[(size_t)r * I + i];
			g[i] = (real)s;
		}
		ref_optimizer_step(be, w + at, g, m ? m + at : NULL, v ? v + at : NULL, (size_t)I, opt);
	}
	free(g);
}
