/* Elementwise and per-plane operations: map layout, activations, sums, max pooling, upsampling, batch normalisation. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/act.h"
#include "kernels/ref/ref.h"
#include "lib/base/err.h"

/* In this backend maps are (B, C, H, W), the same as rows. */
size_t ref_maps_size(const struct backend *be, int B, int C, int H, int W)
{
	(void)be;
	return (size_t)B * C * H * W * sizeof(real);
}

void ref_to_maps(const struct backend *be, real *maps, const real *rows, int B, int C, int H, int W)
{
	memcpy(maps, rows, ref_maps_size(be, B, C, H, W));
}

void ref_to_rows(const struct backend *be, real *rows, const real *maps, int B, int C, int H, int W)
{
	memcpy(rows, maps, ref_maps_size(be, B, C, H, W));
}

void ref_act(const struct backend *be, real *y, const real *x, enum act act, size_t n)
{
	(void)be;
	for (size_t i = 0; i < n; i++)
		y[i] = act_value(x[i], act);
}

void ref_act_backward(const struct backend *be, real *dx, const real *dy, const real *y, enum act act, size_t n)
{
	(void)be;
	for (size_t i = 0; i < n; i++)
		dx[i] = dy[i] * act_slope(y[i], act);
}

void ref_add(const struct backend *be, real *y, const real *a, const real *b, enum act act, size_t n)
{
	(void)be;
	for (size_t i = 0; i < n; i++)
		y[i] = act_value(a[i] + b[i], act);
}

void ref_max_pool(const struct backend *be, real *y, uint8_t *argmax, const real *x, int B, int C, int H, int W, int K)
{
	(void)be;
	int OH = H / K, OW = W / K;
	for (int p = 0; p < B * C; p++)
		for (int oy = 0; oy < OH; oy++)
			for (int ox = 0; ox < OW; ox++) {
				const real *in = x + ((size_t)p * H + (size_t)oy * K) * W + (size_t)ox * K;
				int best = 0;
				for (int k = 1; k < K * K; k++) /* NaN is the maximum, so that it propagates */
					if (in[k / K * W + k % K] > in[best / K * W + best % K] ||
						in[k / K * W + k % K] != in[k / K * W + k % K])
						best = k;
				size_t i = ((size_t)p * OH + oy) * OW + ox;
				y[i] = in[best / K * W + best % K];
				argmax[i] = (uint8_t)best;
			}
}

void ref_max_pool_backward(const struct backend *be, real *dx, const real *dy, const uint8_t *argmax, int B, int C, int H, int W, int K)
{
	int OH = H / K, OW = W / K;
	memset(dx, 0, ref_maps_size(be, B, C, H, W));
	for (int p = 0; p < B * C; p++)
		for (int oy = 0; oy < OH; oy++)
			for (int ox = 0; ox < OW; ox++) {
				size_t i = ((size_t)p * OH + oy) * OW + ox;
				dx[((size_t)p * H + (size_t)oy * K + argmax[i] / K) * W + (size_t)ox * K + argmax[i] % K] = dy[i];
			}
}

void ref_upsample(const struct backend *be, real *y, const real *x, int B, int C, int H, int W, int K)
{
	(void)be;
	for (int p = 0; p < B * C; p++)
		for (int oy = 0; oy < H * K; oy++)
			for (int ox = 0; ox < W * K; ox++)
				y[((size_t)p * H * K + oy) * W * K + ox] = x[((size_t)p * H + oy / K) * W + ox / K];
}

void ref_upsample_backward(const struct backend *be, real *dx, const real *dy, int B, int C, int H, int W, int K)
{
	(void)be;
	for (int p = 0; p < B * C; p++)
		for (int iy = 0; iy < H; iy++)
			for (int ix = 0; ix < W; ix++) {
				double s = 0;
				for (int k = 0; k < K * K; k++)
					s += (double)dy[((size_t)p * H * K + (size_t)iy * K + k / K) * W * K + (size_t)ix * K + k % K];
				dx[((size_t)p * H + iy) * W + ix] = (real)s;
			}
}

void ref_batch_norm(const struct backend *be, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save,
	const struct batch_norm *s)
{
	(void)be;
	int n = s->B * s->HW;
	for (int c = 0; c < s->C; c++) {
		double mean = (double)run[c], var = (double)run[s->C + c];
		if (s->train) {
			mean = var = 0;
			for (int i = 0; i < n; i++)
				mean += (double)x[((size_t)(i / s->HW) * s->C + c) * s->HW + i % s->HW];
			mean /= n;
			for (int i = 0; i < n; i++) {
				double d = (double)x[((size_t)(i / s->HW) * s->C + c) * s->HW + i % s->HW] - mean;
				var += d * d;
			}
			var /= n;
			run[c] += s->momentum * ((real)mean - run[c]);
			run[s->C + c] += s->momentum * ((real)(n > 1 ? var * n / (n - 1) : var) - run[s->C + c]);
		}
		double inv = 1 / sqrt(var + (double)s->eps);
		save[c] = (real)mean, save[s->C + c] = (real)inv;
		for (int i = 0; i < n; i++) {
			size_t at = ((size_t)(i / s->HW) * s->C + c) * s->HW + i % s->HW;
			y[at] = act_value((real)(((double)x[at] - mean) * inv * (double)gamma[c] + (double)beta[c]), s->act);
		}
	}
}

void ref_batch_norm_sums(const struct backend *be, double *sums, const real *x, const real *mean, const struct batch_norm *s)
{
	(void)be;
	for (int c = 0; c < s->C; c++) {
		sums[c] = sums[s->C + c] = 0;
		for (int i = 0; i < s->B * s->HW; i++) {
			double d = (double)x[((size_t)(i / s->HW) * s->C + c) * s->HW + i % s->HW] - (double)mean[c];
			sums[c] += d, sums[s->C + c] += d * d;
		}
	}
}

void ref_batch_norm_backward_sums(
	const struct backend *be, double *sums, const real *dy, const real *y, const real *x, const real *save, const struct batch_norm *s)
{
	(void)be;
	for (int c = 0; c < s->C; c++) {
		double sum = 0, dot = 0, mean = (double)save[c], inv = (double)save[s->C + c];
		for (int i = 0; i < s->B * s->HW; i++) {
			size_t at = ((size_t)(i / s->HW) * s->C + c) * s->HW + i % s->HW;
			double d = (double)(dy[at] * act_slope(y[at], s->act));
			sum += d;
			dot += d * ((double)x[at] - mean) * inv;
		}
		sums[c] = sum, sums[s->C + c] = dot;
	}
}

void ref_batch_norm_backward_apply(const struct backend *be, real *dx, const real *dy, const real *y, const real *x, const real *gamma,
	const real *save, const double *sums, double N, const struct batch_norm *s)
{
	(void)be;
	for (int c = 0; c < s->C; c++) {
		double sum = sums[c], dot = sums[s->C + c], mean = (double)save[c], inv = (double)save[s->C + c];
		for (int i = 0; i < s->B * s->HW; i++) {
			size_t at = ((size_t)(i / s->HW) * s->C + c) * s->HW + i % s->HW;
			double d = (double)(dy[at] * act_slope(y[at], s->act));
			dx[at] = (real)((double)gamma[c] * inv * (d - sum / N - ((double)x[at] - mean) * inv * dot / N));
		}
	}
}

void ref_batch_norm_backward(const struct backend *be, real *dx, real *dgamma, real *dbeta, const real *dy, const real *y, const real *x,
	const real *gamma, const real *save, const struct batch_norm *s)
{
	double *sums = xcalloc(2 * (size_t)s->C, sizeof *sums);
	ref_batch_norm_backward_sums(be, sums, dy, y, x, save, s);
	ref_batch_norm_backward_apply(be, dx, dy, y, x, gamma, save, sums, (double)s->B * s->HW, s);
	for (int c = 0; c < s->C; c++)
		dgamma[c] = (real)sums[s->C + c], dbeta[c] = (real)sums[c];
	free(sums);
}
