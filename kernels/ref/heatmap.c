/* Heat maps: softmax, soft-argmax and their loss; target maps drawn as Gaussians. */
#include <math.h>
#include <stdlib.h>

#include "kernels/point_loss.h"
#include "kernels/ref/ref.h"
#include "lib/base/err.h"

struct distribution { /* softmax of one map (H, W) */
	double *p, mean[2], variance[2], log_sum;
};

static void softmax_map(struct distribution *m, const real *z, int H, int W)
{
	double max_z = (double)z[0], sum = 0, square[2] = {0};
	for (int i = 1; i < H * W; i++)
		max_z = (double)z[i] > max_z ? (double)z[i] : max_z;
	for (int i = 0; i < H * W; i++)
		sum += m->p[i] = exp((double)z[i] - max_z);
	m->mean[0] = m->mean[1] = 0;
	m->log_sum = log(sum) + max_z;
	for (int i = 0; i < H * W; i++) {
		m->p[i] /= sum;
		m->mean[0] += m->p[i] * (i % W), m->mean[1] += m->p[i] * (i / W);
	}
	for (int i = 0; i < H * W; i++) {
		double dx = i % W - m->mean[0], dy = i / W - m->mean[1];
		square[0] += m->p[i] * dx * dx, square[1] += m->p[i] * dy * dy;
	}
	m->variance[0] = square[0], m->variance[1] = square[1];
}

/* A Gaussian about t over cells 0 .. n - 1, normalised to sum 1. */
static void gaussian_weights(double *prob, int n, double t, double sigma)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += prob[i] = exp(-(i - t) * (i - t) / (2 * sigma * sigma));
	for (int i = 0; i < n; i++)
		prob[i] /= sum;
}

static int inside(double t, int n)
{
	return t >= -0.5 && t <= n - 0.5;
}

/* The loss of one point; dz (H, W) may be NULL; prob: scratch of W + H. */
static double map_loss(
	const struct heatmap_loss *s, const struct distribution *m, double *prob, real *dz, const real *z, const real *t, const real *w)
{
	const int n[2] = {s->W, s->H};
	double loss = 0, slope[2] = {0}, weight[2] = {w ? (double)w[0] : 1, w ? (double)w[1] : 1}, entropy = 0, *x = prob, *y = prob + s->W;
	int known[2] = {t[0] == t[0], t[1] == t[1]}, out = 0;
	for (int i = 0; i < 2; i++)
		out |= known[i] && !inside((double)t[i], n[i]);
	for (int i = 0; !out && i < 2; i++)
		if (known[i]) {
			loss += weight[i] * point_loss(&s->point, m->mean[i] - (double)t[i], &slope[i]);
			slope[i] *= weight[i];
		}
	if (!out && known[0] && known[1] && s->entropy > 0) {
		entropy = (double)s->entropy * fmin(weight[0], weight[1]);
		gaussian_weights(x, s->W, (double)t[0], (double)s->sigma), gaussian_weights(y, s->H, (double)t[1], (double)s->sigma);
		for (int i = 0; i < s->H * s->W; i++)
			loss += entropy * x[i % s->W] * y[i / s->W] * (m->log_sum - (double)z[i]);
	}
	for (int i = 0; dz && i < s->H * s->W; i++) {
		double d = m->p[i] * (slope[0] * (i % s->W - m->mean[0]) + slope[1] * (i / s->W - m->mean[1]));
		if (entropy > 0)
			d += entropy * (m->p[i] - x[i % s->W] * y[i / s->W]);
		dz[i] = (real)(d * (double)s->point.mul);
	}
	return loss;
}

void ref_heatmap_loss(const struct backend *be, const struct heatmap_loss *s, double *loss, real *dz, real *decoded, const real *z,
	const real *target, const real *weight, int B)
{
	(void)be;
	size_t n = (size_t)s->H * (size_t)s->W;
	struct distribution m = {.p = xmalloc(n * sizeof *m.p)};
	double *prob = xmalloc((size_t)(s->H + s->W) * sizeof *prob);
	for (int b = 0; b < B; b++) {
		double sum = 0;
		for (int p = 0; p < s->P; p++) {
			size_t i = (size_t)b * (size_t)s->P + (size_t)p;
			softmax_map(&m, z + i * n, s->H, s->W);
			if (decoded) {
				real *to = decoded + i * HEATMAP_DECODED;
				to[0] = (real)m.mean[0], to[1] = (real)m.mean[1], to[2] = (real)m.variance[0], to[3] = (real)m.variance[1];
			}
			if (target)
				sum += map_loss(
					s, &m, prob, dz ? dz + i * n : NULL, z + i * n, target + 2 * i, weight ? weight + 2 * i : NULL);
		}
		if (target)
			loss[b] = sum;
	}
	free(m.p), free(prob);
}

void ref_draw_gaussians(const struct backend *be, const struct gaussians *s, real *t, const real *points, const real *prior, int B)
{
	(void)be;
	for (int b = 0; b < B; b++)
		for (int i = 0; i < s->H * s->W; i++) {
			double max = 0;
			int masked = 0;
			for (int p = 0; p < s->P; p++) {
				const real *at = points + ((size_t)b * (size_t)s->P + (size_t)p) * 2, *prior_p = prior + 3 * p;
				int known = at[0] == at[0] && at[1] == at[1];
				double dx = i % s->W - (double)(known ? at[0] : prior_p[0]),
				       dy = i / s->W - (double)(known ? at[1] : prior_p[1]), d = dx * dx + dy * dy;
				if (known)
					max = fmax(max, exp(-d / (2 * (double)s->sigma * (double)s->sigma)));
				else
					masked |= d < (double)s->reach * (double)s->reach * (double)prior_p[2] * (double)prior_p[2];
			}
			t[(size_t)b * (size_t)(s->H * s->W) + (size_t)i] = (real)(masked && max <= 0.5 ? NAN : max);
		}
}
