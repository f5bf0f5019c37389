/* Kernel launches, from one kernel source for the GPU and for the host. Under nvcc a kernel runs on the GPU; under a host C++ compiler
 * host_cuda.h declares what CUDA would and fiber.cc emulates the GPU: block by block, each thread a fiber that yields at barriers and warp
 * operations.
 * A kernel is `static __global__ void k(...)`; its parameters are values and pointers to device memory. All its shared memory is dynamic:
 * `SHARED(float, s);` declares it, at most LAUNCH_SHARED bytes, undefined before it is written. Barriers and warp operations must be
 * reached by all threads of a block or warp; a block is a multiple of 32 threads, at most 1024. No atomics on floats: sums have a fixed
 * order. launch() and launch_flat() append a launch to the queue; it runs, in order, when the queue is flushed (queue.h). */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <type_traits>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <mma.h>
#define SHARED(type, name)                                                                                                                 \
	extern __shared__ __align__(128) unsigned char launch_shared[];                                                                    \
	type *name = (type *)launch_shared
#define UNROLL _Pragma("unroll")
#define UNROLL_4 _Pragma("unroll 4")
#else
#define UNROLL
#define UNROLL_4
#include "kernels/cuda/host_cuda.h"
#endif

/* Limits of a launch: arguments, their bytes, bytes of shared memory (as much as all GPUs from 8.0 on have for a block; 7.5 has 64 KiB).
 * More than LAUNCH_SHARED_UNTOLD of these CUDA wants to be told of (gpu.cu). LAUNCH_BLOCK: threads of the usual block. */
enum { LAUNCH_ARGS = 16, LAUNCH_BYTES = 1536, LAUNCH_SHARED = 99 << 10, LAUNCH_SHARED_UNTOLD = 48 << 10, LAUNCH_BLOCK = 256 };

enum { LAUNCH_POINTER, LAUNCH_INTEGER, LAUNCH_REAL, LAUNCH_STRUCT }; /* kinds of arguments, for messages */

/* A launch with copies of its arguments, to be run later, once or several times. */
struct launch {
	const void *kernel;		      /* NULL: a GEMM by cuBLAS (struct cublas_gemm in args) */
	const char *name;		      /* for messages; not compared */
	void (*host)(const struct launch *c); /* runs the current thread of the kernel on the host; not under nvcc */
	dim3 grid, block;
	unsigned shared;	      /* bytes */
	int flat;		      /* no barriers, no warp operations, no shared memory */
	int n;			      /* arguments */
	uint16_t offset[LAUNCH_ARGS]; /* of each in args */
	uint16_t size[LAUNCH_ARGS];   /* of each, bytes */
	char kind[LAUNCH_ARGS];	      /* of each */
	int bytes;		      /* of args that are used */
	alignas(16) unsigned char args[LAUNCH_BYTES];
};

struct queue;
/* Appends a launch, for the caller to fill in; flushes a full queue first. */
struct launch *queue_next(struct queue *q);

template <class T> struct launch_same {
	typedef T type;
};

template <class T> static inline void launch_pack(struct launch *c, const T &v)
{
	static_assert(sizeof(T) <= LAUNCH_BYTES, "an argument too large");
	int at = (c->bytes + (int)alignof(T) - 1) / (int)alignof(T) * (int)alignof(T);
	memset(c->args + c->bytes, 0, (size_t)(at - c->bytes)); /* padding bytes are compared too */
	c->kind[c->n] = std::is_pointer<T>::value	   ? LAUNCH_POINTER
			: std::is_floating_point<T>::value ? LAUNCH_REAL
			: std::is_class<T>::value	   ? LAUNCH_STRUCT
							   : LAUNCH_INTEGER;
	c->size[c->n] = sizeof(T);
	c->offset[c->n++] = (uint16_t)at;
	assert(at + (int)sizeof v <= LAUNCH_BYTES);
	memcpy(c->args + at, &v, sizeof v);
	c->bytes = at + (int)sizeof v;
}

#ifdef __CUDACC__
#define LAUNCH_HOST(A) 0
#define LAUNCH_LEARN(c)
#else
#include <utility>
/* What nvcc tells CUDA of kernels before main, CUDA on the host (host_runtime.h) learns from their launches. */
void host_kernel_learn(const struct launch *c) __attribute__((weak));
#define LAUNCH_LEARN(c) (host_kernel_learn ? host_kernel_learn(c) : (void)0)
namespace
{ /* unnamed, as structs of one name may differ from file to file */
template <class... A> struct launch_host {
	template <size_t... I> static void unpack(const struct launch *c, std::index_sequence<I...>)
	{
		void (*kernel)(A...);
		memcpy(&kernel, &c->kernel, sizeof kernel);
		kernel(*(typename std::remove_const<A>::type *)(void *)(c->args + c->offset[I])...);
	}
	static void run_thread(const struct launch *c)
	{
		unpack(c, std::index_sequence_for<A...>());
	}
};
} // namespace
#define LAUNCH_HOST(A) launch_host<A...>::run_thread
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
	LAUNCH_LEARN(c);
}

/* launch(queue, grid, block, bytes of shared memory, kernel, arguments...) */
#define launch(q, grid, block, shared, kernel, ...) launch_add(q, #kernel, 0, grid, block, shared, kernel, __VA_ARGS__)
/* For kernels without barriers, warp operations and shared memory: launch_flat(queue, n, kernel, arguments...) starts at least n threads
 * in blocks of LAUNCH_BLOCK; the kernel's index is launch_index(), and the kernel must compare it with n. n up to 2^39. */
#define launch_flat(q, n, kernel, ...)                                                                                                     \
	launch_add(q, #kernel, 1, dim3(launch_blocks((size_t)(n))), dim3(LAUNCH_BLOCK), 0, kernel, __VA_ARGS__)

static inline unsigned launch_blocks(size_t n)
{
	return (unsigned)((n + LAUNCH_BLOCK - 1) / LAUNCH_BLOCK);
}

static inline __device__ size_t launch_index(void)
{
	return (size_t)blockIdx.x * LAUNCH_BLOCK + threadIdx.x;
}

/* The sum over the threads of a 1-D block, in a fixed order, returned to all of them; smem: shared memory, one value a warp (32). All
 * threads must call it; smem may be reused after the next barrier. */
template <class T> static inline __device__ T block_sum(T v, T *smem)
{
	for (int d = 16; d; d /= 2)
		v += __shfl_xor_sync(0xffffffffu, v, d);
	if (threadIdx.x % 32 == 0)
		smem[threadIdx.x / 32] = v;
	__syncthreads();
	v = 0;
	for (unsigned w = 0; w < blockDim.x / 32; w++)
		v += smem[w];
	return v;
}

/* Integer division without a divide instruction: fast_div(divisor(d), n) = n / d for 0 <= n < 2^31, d > 0, by multiplication with a
 * reciprocal that the host computes before the launch (Granlund and Montgomery, 1994). */
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
