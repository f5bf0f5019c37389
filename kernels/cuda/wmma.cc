/* The sums of matrix operations on the host: in fp32 rounded to nearest, or, KEYPIPE_GPU_SUMS=truncated, as tensor cores form them. As found
 * by experiment (Fasi, Higham, Mikaitis and Pranesh, 2021, "Numerical behavior of NVIDIA tensor cores"; Khattak and Mikaitis, 2025, "Accurate
 * models of NVIDIA tensor cores", up to the B200): products are exact; those of a few k and the sum so far are shifted to the exponent of the
 * largest of them, what is below its last kept bit is cut off, they are added, and the result is cut off to a float. GPUs differ in how many k
 * are added at once and in how many bits more than a float's 24 are kept. Here it is the least of both, four and none, as of a V100, so that
 * errors are no smaller than a GPU's. */
#include <math.h>
#include <string.h>

#include "kernels/cuda/fiber.h"

enum { AT_ONCE = 4, BITS = 24, EXPONENT = 52, BIAS = 1023 };

/* 2^e. */
static double power(int e)
{
	uint64_t bits = (uint64_t)(e + BIAS) << EXPONENT;
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

/* The sum of n finite numbers, at most AT_ONCE + 1, the largest of which has the magnitude `largest` > 0. */
static float truncated_sum(const double *v, int n, double largest)
{
	uint64_t bits;
	memcpy(&bits, &largest, sizeof bits);
	int e = (int)(bits >> EXPONENT) - BIAS - (BITS - 1); /* of the last bit kept */
	double scale = power(-e);
	int sum = 0;
	for (int i = 0; i < n; i++)
		sum += (int)(v[i] * scale);
	for (; sum >= 1 << BITS || sum <= -(1 << BITS); e++)
		sum /= 2;
	return (float)(sum * power(e));
}

static float truncated(float c, const float *a, const float *b, int K, int ldb)
{
	for (int k = 0; k < K; k += AT_ONCE) {
		double v[AT_ONCE + 1] = {(double)c}, largest = fabs((double)c);
		for (int i = 0; i < AT_ONCE; i++) {
			v[i + 1] = (double)a[k + i] * (double)b[(k + i) * ldb];
			largest = fabs(v[i + 1]) > largest || v[i + 1] != v[i + 1] ? fabs(v[i + 1]) : largest;
		}
		if (largest <= 0)
			c = 0;
		else if (largest < INFINITY)
			c = truncated_sum(v, AT_ONCE + 1, largest);
		else
			c = (float)(v[0] + v[1] + v[2] + v[3] + v[4]);
	}
	return c;
}

void fiber_mma(float *d, const float *a, const float *b, const float *c, int M, int N, int K)
{
	for (int m = 0; m < M; m++) {
		float sum[32];
		memcpy(sum, c + m * N, (size_t)N * sizeof *sum);
		for (int n = 0; fiber_truncates && n < N; n++)
			sum[n] = truncated(sum[n], a + m * K, b + n, K, N);
		for (int k = 0; !fiber_truncates && k < K; k++)
			for (int n = 0; n < N; n++)
				sum[n] += a[m * K + k] * b[k * N + n];
		memcpy(d + m * N, sum, (size_t)N * sizeof *sum);
	}
}
