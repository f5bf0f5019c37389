/* What several operations do to a value, or to the values of a block of threads. */
#ifndef CUDA_VALUE_H
#define CUDA_VALUE_H

#include "kernels/act.h"
#include "kernels/cuda/run.h"
#include "kernels/distance.h"

/* One weight moved by its gradient; m, v: where its moments lie, or NULL. See struct update. */
static inline __device__ float value_update(float w, float g, float *m, float *v, struct update u, float fix1, float fix2)
{
	if (u.kind == UPDATE_ADAM) {
		float first = *m = u.momentum * *m + (1 - u.momentum) * g, second = *v = u.beta2 * *v + (1 - u.beta2) * g * g;
		return w - u.rate * (first * fix1 / (sqrtf(second * fix2) + u.eps) + u.decay * w);
	}
	float d = g + u.decay * w, step = m ? (*m = u.momentum * *m + d) : d;
	return w - u.rate * (m && u.kind == UPDATE_NESTEROV ? d + u.momentum * step : step);
}

/* Four of them where they lie; all begin at multiples of 16 bytes. */
static inline __device__ void value_update_four(float *w, float4 g, float *m, float *v, struct update u, float fix1, float fix2)
{
	float4 none = make_float4(0, 0, 0, 0), was = *(const float4 *)w, first = m ? *(const float4 *)m : none,
	       second = v ? *(const float4 *)v : none;
	was.x = value_update(was.x, g.x, m ? &first.x : NULL, &second.x, u, fix1, fix2);
	was.y = value_update(was.y, g.y, m ? &first.y : NULL, &second.y, u, fix1, fix2);
	was.z = value_update(was.z, g.z, m ? &first.z : NULL, &second.z, u, fix1, fix2);
	was.w = value_update(was.w, g.w, m ? &first.w : NULL, &second.w, u, fix1, fix2);
	*(float4 *)w = was;
	if (m)
		*(float4 *)m = first;
	if (v)
		*(float4 *)v = second;
}

/* The largest of a block's values, but NaN, in all its threads; room as of run_sum. */
static inline __device__ float value_max(float v, float *room)
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
