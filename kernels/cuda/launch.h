/* One kernel source for the GPU and for the host. Under nvcc a kernel runs on the GPU; under a host C++ compiler host_cuda.h stands in for
 * what CUDA declares and fiber.cc runs the grid block by block, each thread a fiber that yields at barriers and warp operations.
 * A kernel is `static __global__ void k(...)`; it takes what it needs by value and pointers to device memory. All its shared memory is
 * dynamic: `SHARED(float, s);` names it, at most LAUNCH_SHARED bytes, with no meaning before it is written. Barriers and warp operations
 * are reached by all threads of a block or warp; a block is a multiple of 32 threads, at most 1024. No atomics on floats: results have
 * one order of sums. A launch is queued by launch() or launch_flat() and happens, in order, when the queue is flushed (queue.h). */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <mma.h>
#define SHARED(type, name)                                                                                                                 \
	extern __shared__ __align__(128) unsigned char launch_shared[];                                                                       \
	type *name = (type *)launch_shared
#define UNROLL _Pragma("unroll")
#define UNROLL_4 _Pragma("unroll 4")
#else
#define UNROLL
#define UNROLL_4
#include "kernels/cuda/host_cuda.h"
#endif

enum { LAUNCH_ARGS = 16, LAUNCH_BYTES = 1536, LAUNCH_SHARED = 48 << 10, LAUNCH_BLOCK = 256 };

/* A launch: all that is needed to run it later, or again. */
struct launch {
	const void *kernel; /* NULL: a product by the library (struct product in args) */
	const char *name;   /* for messages; not compared */
	void (*host)(const struct launch *c);
	dim3 grid, block;
	unsigned shared;
	int flat; /* no barriers, no shared memory */
	int n;	  /* arguments */
	uint16_t at[LAUNCH_ARGS];
	int bytes; /* of args that are used */
	alignas(16) unsigned char args[LAUNCH_BYTES];
};

struct queue;
/* The next call to fill in. */
struct launch *queue_next(struct queue *q);

template <class T> struct launch_same {
	typedef T type;
};

template <class T> static inline void launch_pack(struct launch *c, const T &v)
{
	static_assert(sizeof(T) <= LAUNCH_BYTES, "an argument too large");
	int at = (c->bytes + (int)alignof(T) - 1) / (int)alignof(T) * (int)alignof(T);
	memset(c->args + c->bytes, 0, (size_t)(at - c->bytes)); /* calls are compared */
	c->at[c->n++] = (uint16_t)at;
	assert(at + (int)sizeof v <= LAUNCH_BYTES);
	memcpy(c->args + at, &v, sizeof v);
	c->bytes = at + (int)sizeof v;
}

#ifdef __CUDACC__
#define LAUNCH_HOST(A) 0
#else
#include <utility>
namespace
{ /* each file's own: structs of one name may differ from file to file */
template <class... A> struct launch_host {
	template <size_t... I> static void unpack(const struct launch *c, std::index_sequence<I...>)
	{
		void (*kernel)(A...);
		memcpy(&kernel, &c->kernel, sizeof kernel);
		kernel(*(typename std::remove_const<A>::type *)(void *)(c->args + c->at[I])...);
	}
	static void go(const struct launch *c)
	{
		unpack(c, std::index_sequence_for<A...>());
	}
};
} // namespace
#define LAUNCH_HOST(A) launch_host<A...>::go
#endif

template <class... A>
static inline void launch_add(struct queue *q, const char *name, int flat, dim3 grid, dim3 block, size_t shared, void (*kernel)(A...),
	typename launch_same<A>::type... a)
{
	static_assert(sizeof...(A) <= LAUNCH_ARGS, "too many arguments");
	if (!grid.x || !grid.y || !grid.z)
		return;
	struct launch *c = queue_next(q);
	c->kernel = (const void *)kernel, c->name = name, c->host = LAUNCH_HOST(A);
	c->grid = grid, c->block = block, c->shared = (unsigned)shared, c->flat = flat;
	c->n = c->bytes = 0;
	int each[] = {0, (launch_pack(c, a), 0)...};
	(void)each;
}

/* launch(queue, grid, block, bytes of shared memory, kernel, arguments...); threads as many as block says. */
#define launch(q, grid, block, shared, kernel, ...) launch_add(q, #kernel, 0, grid, block, shared, kernel, __VA_ARGS__)
/* For kernels without barriers, warp operations and shared memory: launch_flat(queue, n, kernel, arguments...) starts at least n threads, in
 * blocks of LAUNCH_BLOCK; the kernel's index is launch_index(), which it compares with n itself. n up to 2^39. */
#define launch_flat(q, n, kernel, ...) launch_add(q, #kernel, 1, dim3(launch_blocks((size_t)(n))), dim3(LAUNCH_BLOCK), 0, kernel, __VA_ARGS__)

static inline unsigned launch_blocks(size_t n)
{
	return (unsigned)((n + LAUNCH_BLOCK - 1) / LAUNCH_BLOCK);
}

static inline __device__ size_t launch_index(void)
{
	return (size_t)blockIdx.x * LAUNCH_BLOCK + threadIdx.x;
}

/* Sums over a block's 1-D threads, the same in all of them and in one order; room: shared, one value a warp (32). All threads take part;
 * room is free again after the next barrier. */
template <class T> static inline __device__ T block_sum(T v, T *room)
{
	for (int d = 16; d; d /= 2)
		v += __shfl_xor_sync(0xffffffffu, v, d);
	if (threadIdx.x % 32 == 0)
		room[threadIdx.x / 32] = v;
	__syncthreads();
	v = 0;
	for (unsigned w = 0; w < blockDim.x / 32; w++)
		v += room[w];
	return v;
}

/* Division of numbers below 2^31 by a number known before the launch (Granlund and Montgomery, 1994). */
struct divisor {
	uint32_t d, mul, shift;
};

static inline struct divisor divisor(int d)
{
	struct divisor q = {(uint32_t)d, 0, 0};
	while (q.shift < 31 && (1u << q.shift) < q.d)
		q.shift++;
	q.mul = (uint32_t)((((uint64_t)1 << 32) * (((uint64_t)1 << q.shift) - q.d)) / q.d + 1);
	return q;
}

static inline __device__ int fast_div(struct divisor q, int n)
{
	return (int)((__umulhi((uint32_t)n, q.mul) + (uint32_t)n) >> q.shift);
}

#endif
