/* What several operations do to a value, or to the values of a block of threads. */
#ifndef CUDA_ELEMENTWISE_H
#define CUDA_ELEMENTWISE_H

#include "kernels/act.h"
#include "kernels/cuda/launch.h"
#include "kernels/point_loss.h"

/* One weight moved by its gradient; m, v: where its moments lie, or NULL. See struct optimizer_step. */
static inline __device__ float elementwise_update(float w, float g, float *m, float *v, struct optimizer_step opt, float fix1, float fix2)
{
	if (opt.kind == OPTIMIZER_ADAM) {
		float first = *m = opt.momentum * *m + (1 - opt.momentum) * g, second = *v = opt.beta2 * *v + (1 - opt.beta2) * g * g;
		return w - opt.learning_rate * (first * fix1 / (sqrtf(second * fix2) + opt.eps) + opt.weight_decay * w);
	}
	float d = g + opt.weight_decay * w, step = m ? (*m = opt.momentum * *m + d) : d;
	return w - opt.learning_rate * (m && opt.kind == OPTIMIZER_NESTEROV ? d + opt.momentum * step : step);
}

/* Four of them where they lie; all begin at multiples of 16 bytes. */
static inline __device__ void elementwise_update_four(float *w, float4 g, float *m, float *v, struct optimizer_step opt, float fix1, float fix2)
{
	float4 none = make_float4(0, 0, 0, 0), was = *(const float4 *)w, first = m ? *(const float4 *)m : none,
	       second = v ? *(const float4 *)v : none;
	was.x = elementwise_update(was.x, g.x, m ? &first.x : NULL, &second.x, opt, fix1, fix2);
	was.y = elementwise_update(was.y, g.y, m ? &first.y : NULL, &second.y, opt, fix1, fix2);
	was.z = elementwise_update(was.z, g.z, m ? &first.z : NULL, &second.z, opt, fix1, fix2);
	was.w = elementwise_update(was.w, g.w, m ? &first.w : NULL, &second.w, opt, fix1, fix2);
	*(float4 *)w = was;
	if (m)
		*(float4 *)m = first;
	if (v)
		*(float4 *)v = second;
}

/* The largest of a block's values, but NaN, in all its threads; room as of block_sum. */
static inline __device__ float block_max(float v, float *room)
{
	for (int d = 16; d; d /= 2) {
		float other = __shfl_xor_sync(0xffffffffu, v, d);
		v = other > v ? other : v;
	}
	if (threadIdx.x % 32 == 0)
		room[threadIdx.x / 32] = v;
	__syncthreads();
	for (unsigned w = 0; w < blockDim.x / 32; w++)
		v = room[w] > v ? room[w] : v;
	return v;
}

#endif
