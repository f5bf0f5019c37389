/* Losses of a row and their gradients: regression losses, binary cross-entropy and cross-entropy with logits. */
#include <math.h>

#include "kernels/point_loss.h"
#include "kernels/ref/ref.h"

static double regression_loss(const struct loss *s, real *dz, const real *z, const real *t, const real *w, int K)
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

static double binary_cross_entropy(real *dz, const real *z, const real *t, const real *w, real mul, int K)
{
	double sum = 0;
	for (int k = 0; k < K; k++) {
		int known = t[k] == t[k];
		double v = (double)z[k], e = exp(-fabs(v)), y = v >= 0 ? 1 / (1 + e) : e / (1 + e), weight = w ? (double)w[k] : 1;
		if (known) /* -t log y - (1 - t) log(1 - y), rewritten without cancellation */
			sum += weight * ((v > 0 ? v : v != v ? v : 0) - v * (double)t[k] + log1p(e));
		if (dz)
			dz[k] = known ? (real)((y - (double)t[k]) * weight * (double)mul) : 0;
	}
	return sum;
}

static double cross_entropy(real *dz, const real *z, int class, real mul, int K)
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
		loss[b] = s->kind == LOSS_SOFTMAX   ? cross_entropy(d, v, (int)target[b], s->mul, K)
			  : s->kind == LOSS_SIGMOID ? binary_cross_entropy(d, v, target + at, w, s->mul, K)
						    : regression_loss(s, d, v, target + at, w, K);
	}
}
