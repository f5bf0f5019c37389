/* Batch normalisation: what becomes of a channel's sums, in norm.cu, and in the epilogues of the convolution before it (conv.cu) and, of
 * the gradient, after it (conv_backward.cu). */
#ifndef CUDA_NORM_H
#define CUDA_NORM_H

#include "kernels/cuda/cuda.h"

enum { NORM_COEFFICIENTS = 4 }; /* of each channel, (NORM_COEFFICIENTS, pitch): 0 for channels of padding */

struct norm_params { /* pointers and constants of struct backend's batch_norm */
	const float *gamma, *beta;
	float *run, *save;
	float momentum, eps;
};

static inline __device__ void norm_coefficients(float *coef, int pitch, int channel, double a, double b, double c, double d)
{
	coef[channel] = (float)a, coef[pitch + channel] = (float)b;
	coef[2 * pitch + channel] = (float)c, coef[3 * pitch + channel] = (float)d;
}

static inline __device__ void norm_finalize(
	float *coef, const struct norm_params &s, int C, int pitch, int channel, double mean, double var)
{
	if (channel >= C) {
		norm_coefficients(coef, pitch, channel, 0, 0, 0, 0);
		return;
	}
	double inv = 1 / sqrt(var + (double)s.eps);
	s.save[channel] = (float)mean, s.save[C + channel] = (float)inv;
	/* the mean's rounding error in float is corrected in the additive term */
	double factor = inv * (double)s.gamma[channel], rounding = mean - (double)(float)mean;
	norm_coefficients(coef, pitch, channel, mean, factor, (double)s.beta[channel] - rounding * factor, 0);
}

/* Moves the running statistics by those of n values. */
static inline __device__ void norm_running(const struct norm_params &s, int C, int channel, double n, double mean, double var)
{
	if (channel >= C)
		return;
	s.run[channel] += s.momentum * ((float)mean - s.run[channel]);
	s.run[C + channel] += s.momentum * ((float)(n > 1 ? var * n / (n - 1) : var) - s.run[C + channel]);
}

/* sum: of d, the gradient before the activation, over n values; product: of d (x - mean). */
static inline __device__ void norm_backward_finalize(float *coef, float *dgamma, float *dbeta, const float *gamma, const float *save, int C,
	int pitch, int channel, double n, double sum, double product)
{
	if (channel >= C) {
		norm_coefficients(coef, pitch, channel, 0, 0, 0, 0);
		return;
	}
	double inv = (double)save[C + channel], dot = product * inv;
	dgamma[channel] = (float)dot, dbeta[channel] = (float)sum;
	norm_coefficients(coef, pitch, channel, (double)save[channel], (double)gamma[channel] * inv, sum / n, inv * dot / n);
}

/* What a convolution whose output is normalised is given: its epilogue makes coefficients of it. */
struct norm_forward {
	struct norm_params params;
	float *coef;
	int C, pitch, pixels;
	int unused = 0; /* explicit padding: the bytes of queued arguments are compared */
};

/* What the gradient of a convolution's input is given where that input was normalised: y, the output, and x, the input, of the
 * normalisation (maps), act between. */
struct norm_backward {
	const float *y, *x, *gamma, *save;
	float *dgamma, *dbeta, *coef;
	int C, pitch, pixels;
	enum act act;
};

/* Where the operation that waits (queue.h) is the convolution whose output is y, or the gradient of one whose input's gradient is dx, it is
 * launched with those sums, s->coef set (valid until the next operation's launches); else 0. In conv.cu and conv_backward.cu. */
int cuda_conv_with_norm(struct cuda *c, const float *y, struct norm_forward *s);
int cuda_conv_backward_with_norm(struct cuda *c, const float *dx, struct norm_backward *s);

#endif
