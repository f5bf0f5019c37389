/* mma.sync on the host (ptx.h), and the sums of matrix operations: in fp32 rounded to nearest, or, KEYPIPE_GPU_SUMS=truncated, as tensor cores form them. As found
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

struct fragments { /* of one lane */
	float *c;
	const unsigned *a, *b;
	int done;
};

/* Value h of a register. */
static float value(unsigned bits, int bf16, int h, int line)
{
	float v = __uint_as_float(bf16 ? (h ? bits & 0xffff0000u : bits << 16) : bits);
	if (!bf16 && bits & 0x1fff && v == v)
		fiber_fault("a factor not rounded to tf32 (line %d)", line);
	return v;
}

/* Of row (column) g + up of a 16 x K (K x 8) matrix: register q of lane 4 g + t holds k = t + 4 q of tf32, 2 t + 8 q and the next of bf16. */
static int k_of(int lane, int q, int bf16, int h)
{
	return bf16 ? lane % 4 * 2 + 8 * q + h : lane % 4 + 4 * q;
}

void fiber_mma_fragments(float *c, const unsigned *a, const unsigned *b, int FM, int FN, int bf16, int line, const char *file)
{
	enum { AT_ONCE_N = 4, MAX_K = 16 };
	struct fragments mine = {c, a, b, 0}, *lane[LANES];
	const uint64_t *all = fiber_warp_sync(FIBER_MMA, 0xffffffffu, line, file, (uint64_t)(uintptr_t)&mine);
	int K = bf16 ? 16 : 8, halves = bf16 ? 2 : 1;
	float A[16 * MAX_K], B[MAX_K * 8 * AT_ONCE_N], C[16 * 8 * AT_ONCE_N];
	if (mine.done) /* by the first lane that went on */
		return;
	for (int l = 0; l < LANES; l++)
		lane[l] = (struct fragments *)(uintptr_t)all[l], lane[l]->done = 1;
	for (int j0 = 0; j0 < FN; j0 += AT_ONCE_N) {
		int n = FN - j0 < AT_ONCE_N ? FN - j0 : AT_ONCE_N, N = 8 * n;
		for (int i = 0; i < LANES * n * 2 * halves; i++) {
			int h = i % halves, q = i / halves % 2, j = i / halves / 2 % n, l = i / halves / 2 / n;
			B[k_of(l, q, bf16, h) * N + 8 * j + l / 4] = value(lane[l]->b[(j0 + j) * 2 + q], bf16, h, line);
		}
		for (int f = 0; f < FM; f++) {
			for (int i = 0; i < LANES * 4 * halves; i++) {
				int h = i % halves, q = i / halves % 4, l = i / halves / 4;
				A[(l / 4 + q % 2 * 8) * K + k_of(l, q / 2, bf16, h)] = value(lane[l]->a[f * 4 + q], bf16, h, line);
			}
			for (int back = 0; back < 2; back++) {
				for (int i = 0; i < LANES * n * 4; i++) {
					int q = i % 4, j = i / 4 % n, l = i / 4 / n;
					float *v = &lane[l]->c[(f * FN + j0 + j) * 4 + q], *w = &C[(l / 4 + q / 2 * 8) * N + 8 * j + l % 4 * 2 + q % 2];
					*(back ? v : w) = *(back ? w : v);
				}
				if (!back)
					fiber_mma(C, A, B, C, 16, N, K);
			}
		}
	}
}
