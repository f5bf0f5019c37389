/* Losses, a block a row. */
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/elementwise.h"

/* One value's loss; *dz: its derivative. A target that is NaN asks for nothing. */
static __device__ double distance(const struct loss &s, float *dz, float z, float t, double weight)
{
	double slope, loss = point_loss(&s, t == t ? (double)z - (double)t : 0, &slope);
	*dz = (float)(weight * slope * (double)s.mul);
	return weight * loss;
}

/* Exponentials in float, and what may cancel in double: -t log y - (1 - t) log(1 - y) is max(z, 0) - z t + log(1 + e), e = exp(-|z|). */
static __device__ double sigmoid_entropy(const struct loss &s, float *dz, float z, float t, double weight)
{
	float e = expf(-fabsf(z)), small = e / (1 + e); /* of y and 1 - y */
	double v = (double)z, slope = v >= 0 ? 1 - (double)t - (double)small : (double)small - (double)t;
	*dz = t == t ? (float)(slope * weight * (double)s.mul) : 0;
	return t == t ? weight * ((v > 0 ? v : v != v ? v : 0) - v * (double)t + (double)log1pf(e)) : 0;
}

/* dz may be z. */
static __global__ void loss_values(double *loss, float *dz, const float *z, const float *target, const float *weight, int K, struct loss s)
{
	SHARED(double, room);
	size_t at = (size_t)blockIdx.x * (size_t)K;
	double sum = 0;
	for (int k = (int)threadIdx.x; k < K; k += (int)blockDim.x) {
		float d;
		double w = weight ? (double)weight[at + (size_t)k] : 1;
		float v = z[at + (size_t)k], t = target[at + (size_t)k];
		sum += s.kind == LOSS_SIGMOID ? sigmoid_entropy(s, &d, v, t, w) : distance(s, &d, v, t, w);
		if (dz)
			dz[at + (size_t)k] = d;
	}
	sum = block_sum(sum, room);
	if (!threadIdx.x)
		loss[blockIdx.x] = sum;
}

static __global__ void loss_softmax(double *loss, float *dz, const float *z, const float *target, int K, float mul)
{
	SHARED(double, room); /* 32 sums, 32 floats */
	const float *v = z + (size_t)blockIdx.x * (size_t)K;
	float *to = dz ? dz + (size_t)blockIdx.x * (size_t)K : NULL, most = -INFINITY;
	int chosen = (int)target[blockIdx.x];
	double right = (double)v[chosen], sum = 0;
	for (int k = (int)threadIdx.x; k < K; k += (int)blockDim.x)
		most = v[k] > most ? v[k] : most;
	most = block_max(most, (float *)(void *)(room + 32));
	for (int k = (int)threadIdx.x; k < K; k += (int)blockDim.x)
		sum += exp((double)v[k] - (double)most);
	sum = block_sum(sum, room);
	for (int k = (int)threadIdx.x; to && k < K; k += (int)blockDim.x)
		to[k] = (float)((exp((double)v[k] - (double)most) / sum - (k == chosen)) * (double)mul);
	if (!threadIdx.x)
		loss[blockIdx.x] = (double)most + log(sum) - right;
}

void cuda_loss(const struct backend *be, const struct loss *s, double *loss, real *dz, const real *z, const real *target, const real *weight,
	int B, int K)
{
	unsigned threads = K < 2 * LAUNCH_BLOCK ? 32 : LAUNCH_BLOCK;
	if (s->kind == LOSS_SOFTMAX)
		launch(queue_of(be), dim3((unsigned)B), threads, 32 * (sizeof(double) + sizeof(float)), loss_softmax, loss, dz, z, target, K,
			s->mul);
	else
		launch(queue_of(be), dim3((unsigned)B), threads, 32 * sizeof(double), loss_values, loss, dz, z, target, weight, K, *s);
}
