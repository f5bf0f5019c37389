/* Losses and their gradients by the logits or outputs z: a thread block a row. */
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/elementwise.h"

/* One value's squared, smooth L1 or wing loss; *dz: its gradient. A NaN target is masked: loss and gradient 0. */
static __device__ double regression_loss(const struct loss &s, float *dz, float z, float t, double weight)
{
	double slope, loss = point_loss(&s, t == t ? (double)z - (double)t : 0, &slope);
	*dz = (float)(weight * slope * (double)s.mul);
	return weight * loss;
}

/* Binary cross-entropy with logits, y = sigmoid(z): -t log y - (1 - t) log(1 - y) = max(z, 0) - z t + log(1 + e), e = exp(-|z|). The
 * exponential in float, what may cancel in double. */
static __device__ double bce_with_logits(const struct loss &s, float *dz, float z, float t, double weight)
{
	float e = expf(-fabsf(z)), smaller = e / (1 + e); /* min(y, 1 - y) */
	double v = (double)z, slope = v >= 0 ? 1 - (double)t - (double)smaller : (double)smaller - (double)t;
	*dz = t == t ? (float)(slope * weight * (double)s.mul) : 0;
	return t == t ? weight * ((v > 0 ? v : v != v ? v : 0) - v * (double)t + (double)log1pf(e)) : 0;
}

/* All losses but LOSS_SOFTMAX; dz may be z. */
static __global__ void loss_values(double *loss, float *dz, const float *z, const float *target, const float *weight, int K, struct loss s)
{
	SHARED(double, smem);
	size_t at = (size_t)blockIdx.x * (size_t)K;
	double sum = 0;
	for (int k = (int)threadIdx.x; k < K; k += (int)blockDim.x) {
		float d;
		double w = weight ? (double)weight[at + (size_t)k] : 1;
		float v = z[at + (size_t)k], t = target[at + (size_t)k];
		sum += s.kind == LOSS_SIGMOID ? bce_with_logits(s, &d, v, t, w) : regression_loss(s, &d, v, t, w);
		if (dz)
			dz[at + (size_t)k] = d;
	}
	sum = block_sum(sum, smem);
	if (!threadIdx.x)
		loss[blockIdx.x] = sum;
}

/* Cross-entropy with logits: log-sum-exp(z) - z of the target's class. */
static __global__ void loss_softmax(double *loss, float *dz, const float *z, const float *target, int K, float mul)
{
	SHARED(double, smem); /* 32 doubles for block_sum, 32 floats for block_max */
	const float *v = z + (size_t)blockIdx.x * (size_t)K;
	float *to = dz ? dz + (size_t)blockIdx.x * (size_t)K : NULL, max_z = -INFINITY;
	int label = (int)target[blockIdx.x];
	double label_z = (double)v[label], sum = 0;
	for (int k = (int)threadIdx.x; k < K; k += (int)blockDim.x)
		max_z = v[k] > max_z ? v[k] : max_z;
	max_z = block_max(max_z, (float *)(void *)(smem + 32));
	for (int k = (int)threadIdx.x; k < K; k += (int)blockDim.x)
		sum += exp((double)v[k] - (double)max_z);
	sum = block_sum(sum, smem);
	for (int k = (int)threadIdx.x; to && k < K; k += (int)blockDim.x)
		to[k] = (float)((exp((double)v[k] - (double)max_z) / sum - (k == label)) * (double)mul);
	if (!threadIdx.x)
		loss[blockIdx.x] = (double)max_z + log(sum) - label_z;
}

void cuda_loss(const struct backend *be, const struct loss *s, double *loss, real *dz, const real *z, const real *target,
	const real *weight, int B, int K)
{
	unsigned threads = K < 2 * LAUNCH_BLOCK ? 32 : LAUNCH_BLOCK;
	if (s->kind == LOSS_SOFTMAX)
		launch(queue_of(be), dim3((unsigned)B), threads, 32 * (sizeof(double) + sizeof(float)), loss_softmax, loss, dz, z, target,
			K, s->mul);
	else
		launch(queue_of(be), dim3((unsigned)B), threads, 32 * sizeof(double), loss_values, loss, dz, z, target, weight, K, *s);
}
