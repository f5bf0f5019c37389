/* Losses and updates. */
#include <math.h>

#include "kernels/point_loss.h"
#include "kernels/ref/ref.h"
#include "kernels/optimizer.h"

static double distance(const struct loss *s, real *dz, const real *z, const real *t, const real *w, int K)
{
	double sum = 0;
	for (int k = 0; k < K; k++) {
		int known = t[k] == t[k];
		double slope, weight = w ? (double)w[k] : 1, loss = point_loss(s, known ? (double)z[k] - (double)t[k] : 0, &slope);
		sum += weight * loss;
		if (dz)
			dz[k] = (real)(weight * slope * (double)s->mul);
	}
	return sum;
}

static double sigmoid_entropy(real *dz, const real *z, const real *t, const real *w, real mul, int K)
{
	double sum = 0;
	for (int k = 0; k < K; k++) {
		int known = t[k] == t[k];
		double v = (double)z[k], e = exp(-fabs(v)), y = v >= 0 ? 1 / (1 + e) : e / (1 + e), weight = w ? (double)w[k] : 1;
		if (known) /* -t log y - (1 - t) log(1 - y), without the cancellation */
			sum += weight * ((v > 0 ? v : v != v ? v : 0) - v * (double)t[k] + log1p(e));
		if (dz)
			dz[k] = known ? (real)((y - (double)t[k]) * weight * (double)mul) : 0;
	}
	return sum;
}

static double softmax_entropy(real *dz, const real *z, int class, real mul, int K)
{
	double max = (double)z[0], sum = 0;
	for (int k = 1; k < K; k++)
		max = (double)z[k] > max ? (double)z[k] : max;
	for (int k = 0; k < K; k++)
		sum += exp((double)z[k] - max);
	for (int k = 0; dz && k < K; k++)
		dz[k] = (real)((exp((double)z[k] - max) / sum - (k == class)) * (double)mul);
	return max + log(sum) - (double)z[class];
}

void ref_loss(const struct backend *be, const struct loss *s, double *loss, real *dz, const real *z, const real *target, const real *weight,
	int B, int K)
{
	(void)be;
	for (int b = 0; b < B; b++) {
		size_t at = (size_t)b * (size_t)K;
		real *d = dz ? dz + at : NULL;
		const real *v = z + at, *w = weight ? weight + at : NULL;
		loss[b] = s->kind == LOSS_SOFTMAX   ? softmax_entropy(d, v, (int)target[b], s->mul, K)
			  : s->kind == LOSS_SIGMOID ? sigmoid_entropy(d, v, target + at, w, s->mul, K)
						    : distance(s, d, v, target + at, w, K);
	}
}

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
	real fix1, fix2;
	optimizer_bias_correction(opt, &fix1, &fix2);
	for (size_t i = 0; i < n; i++) {
		m[i] = b1 * m[i] + (1 - b1) * g[i];
		v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
		w[i] -= opt->learning_rate * (m[i] * fix1 / ((real)sqrt((double)(v[i] * fix2)) + opt->eps) + opt->weight_decay * w[i]);
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
