/* Device functions that several operations share: an optimizer step on one weight or four, the maximum over a thread block. */
#ifndef CUDA_ELEMENTWISE_H
#define CUDA_ELEMENTWISE_H

#include "kernels/act.h"
#include "kernels/cuda/launch.h"
#include "kernels/point_loss.h"

/* Returns weight w after one step by its gradient g (struct optimizer_step) and updates its moments *m and, of Adam, *v; moments: 0, it has
 * none, and both stay. The pointers are never NULL or chosen among: registers have no addresses, and moments in them stay there. */
static inline __device__ float elementwise_optimizer_value(
	float w, float g, float *m, float *v, int moments, struct optimizer_step opt, float correction1, float correction2)
{
	if (opt.kind == OPTIMIZER_ADAM) {
		float first = *m = opt.momentum * *m + (1 - opt.momentum) * g, second = *v = opt.beta2 * *v + (1 - opt.beta2) * g * g;
		return w - opt.learning_rate * (first * correction1 / (sqrtf(second * correction2) + opt.eps) + opt.weight_decay * w);
	}
	float d = g + opt.weight_decay * w, step = moments ? (*m = opt.momentum * *m + d) : d;
	return w - opt.learning_rate * (moments && opt.kind == OPTIMIZER_NESTEROV ? d + opt.momentum * step : step);
}

/* The same on memory; m, v: NULL where the weight has none. correction1, correction2: of optimizer_bias_correction. */
static inline __device__ float elementwise_optimizer_step(
	float w, float g, float *m, float *v, struct optimizer_step opt, float correction1, float correction2)
{
	return elementwise_optimizer_value(w, g, m, v, m != NULL, opt, correction1, correction2);
}

/* Four weights in place; all pointers are at multiples of 16 bytes. */
static inline __device__ void elementwise_optimizer_step_four(
	float *w, float4 g, float *m, float *v, struct optimizer_step opt, float correction1, float correction2)
{
	float4 zero = make_float4(0, 0, 0, 0), old = *(const float4 *)w, first = m ? *(const float4 *)m : zero,
	       second = v ? *(const float4 *)v : zero;
	int moments = m != NULL;
	old.x = elementwise_optimizer_value(old.x, g.x, &first.x, &second.x, moments, opt, correction1, correction2);
	old.y = elementwise_optimizer_value(old.y, g.y, &first.y, &second.y, moments, opt, correction1, correction2);
	old.z = elementwise_optimizer_value(old.z, g.z, &first.z, &second.z, moments, opt, correction1, correction2);
	old.w = elementwise_optimizer_value(old.w, g.w, &first.w, &second.w, moments, opt, correction1, correction2);
	*(float4 *)w = old;
	if (m)
		*(float4 *)m = first;
	if (v)
		*(float4 *)v = second;
}

/* The maximum of v, which must not be NaN, over a block's threads, returned to all of them; smem as in block_sum. */
static inline __device__ float block_max(float v, float *smem)
{
	for (int d = 16; d; d /= 2) {
		float other = __shfl_xor_sync(0xffffffffu, v, d);
		v = other > v ? other : v;
	}
	if (threadIdx.x % 32 == 0)
		smem[threadIdx.x / 32] = v;
	__syncthreads();
	for (unsigned w = 0; w < blockDim.x / 32; w++)
		v = smem[w] > v ? smem[w] : v;
	return v;
}

#endif
