/* Optimizer steps: SGD, with momentum or Nesterov momentum, and AdamW; averages of weights. */
#include <math.h>

#include "kernels/optimizer.h"
#include "kernels/ref/ref.h"

static void sgd(real *w, const real *g, real *m, size_t n, const struct optimizer_step *opt)
{
	for (size_t i = 0; i < n; i++) {
		real d = g[i] + opt->weight_decay * w[i];
		real step = m ? (m[i] = opt->momentum * m[i] + d) : d;
		w[i] -= opt->learning_rate * (m && opt->kind == OPTIMIZER_NESTEROV ? d + opt->momentum * step : step);
	}
}

static void adam(real *w, const real *g, real *m, real *v, size_t n, const struct optimizer_step *opt)
{
	real b1 = opt->momentum, b2 = opt->beta2;
	real correction1, correction2;
	optimizer_bias_correction(opt, &correction1, &correction2);
	for (size_t i = 0; i < n; i++) {
		m[i] = b1 * m[i] + (1 - b1) * g[i];
		v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
		w[i] -= opt->learning_rate *
			(m[i] * correction1 / ((real)sqrt((double)(v[i] * correction2)) + opt->eps) + opt->weight_decay * w[i]);
	}
}

void ref_optimizer_step(const struct backend *be, real *w, const real *g, real *m, real *v, size_t n, const struct optimizer_step *opt)
{
	(void)be;
	if (opt->kind == OPTIMIZER_ADAM)
		adam(w, g, m, v, n, opt);
	else
		sgd(w, g, m, n, opt);
}

void ref_lerp(const struct backend *be, real *y, const real *x, real weight, size_t n)
{
	(void)be;
	for (size_t i = 0; i < n; i++)
		y[i] += weight * (x[i] - y[i]);
}
