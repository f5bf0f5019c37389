/* The last block of a sum: blocks write partial sums, count themselves, and the one that comes last adds them up, in a fixed order. So a
 * sum over blocks needs no second launch, and its bits don't depend on which block is last. */
#ifndef CUDA_LAST_BLOCK_H
#define CUDA_LAST_BLOCK_H

#include "kernels/cuda/launch.h"

/* 1, to all threads of the block that comes here last of `blocks`; to those of the others 0. What any of the blocks wrote before can then
 * be read. All threads must call it. counter: 0 before the launch and, as it wraps around, after it, so that graphs can run again. smem: an
 * int of shared memory, not used otherwise meanwhile. */
static inline __device__ int last_block(unsigned *counter, unsigned blocks, int *smem)
{
	__syncthreads();
	if (threadIdx.x == 0) {
		__threadfence(); /* what all threads of the block have written, before it counts */
		*smem = atomicInc(counter, blocks - 1) == blocks - 1;
		__threadfence(); /* nothing of others read before the count */
	}
	__syncthreads();
	int last = *smem;
	__syncthreads();
	return last;
}

#endif
