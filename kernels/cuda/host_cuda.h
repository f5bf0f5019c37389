/* CUDA's declarations for a host C++ compiler, for the emulation of a GPU on the host: fiber.cc runs the kernels, each thread a fiber that
 * yields at barriers and warp operations. Stricter than a GPU: undefined behaviour that it detects, as divergent barriers, ends the program
 * with a line that names kernel, block and thread. A barrier or warp operation is identified by its source line: return addresses would
 * differ where compilers duplicate code. */
#ifndef HOST_CUDA_H
#define HOST_CUDA_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
/* Not watched for races by the compiler's instrumentation: what the emulation itself accesses. Functions of values alone are inlined
 * there, and in kernels. */
#define FIBER_UNWATCHED __attribute__((no_sanitize("thread")))
#define SHARED(type, name) type *name = (type *)fiber_shared(__LINE__)

#define FIBER_VECTORS(T, of, align2, align4)                                                                                               \
	struct alignas(align2) T##2                                                                                                        \
	{                                                                                                                                  \
		of x, y;                                                                                                                   \
	};                                                                                                                                 \
	struct T##3                                                                                                                        \
	{                                                                                                                                  \
		of x, y, z;                                                                                                                \
	};                                                                                                                                 \
	struct alignas(align4) T##4                                                                                                        \
	{                                                                                                                                  \
		of x, y, z, w;                                                                                                             \
	};                                                                                                                                 \
	static inline T##2 make_##T##2(of x, of y)                                                                                         \
	{                                                                                                                                  \
		return {x, y};                                                                                                             \
	}                                                                                                                                  \
	static inline T##3 make_##T##3(of x, of y, of z)                                                                                   \
	{                                                                                                                                  \
		return {x, y, z};                                                                                                          \
	}                                                                                                                                  \
	static inline T##4 make_##T##4(of x, of y, of z, of w)                                                                             \
	{                                                                                                                                  \
		return {x, y, z, w};                                                                                                       \
	}
FIBER_VECTORS(uchar, unsigned char, 2, 4)
FIBER_VECTORS(int, int, 8, 16)
FIBER_VECTORS(uint, unsigned, 8, 16)
FIBER_VECTORS(float, float, 8, 16)

struct dim3 {
	unsigned x, y, z;
	constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z)
	{
	}
};

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

enum fiber_op { FIBER_END, FIBER_BARRIER, FIBER_SYNCWARP, FIBER_SHUFFLE, FIBER_VOTE, FIBER_LDMATRIX, FIBER_MMA };

struct fiber_lane {
	unsigned lane, thread; /* thread: its index in the block */
};
extern struct fiber_lane *fiber_now; /* NULL in a flat launch, and outside of kernels */

void fiber_fault(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void fiber_barrier(int line, const char *file);
/* Waits for all lanes of the warp; returns the v of each, valid until the lane's next warp operation. */
const uint64_t *fiber_warp_sync(enum fiber_op op, unsigned mask, int line, const char *file, uint64_t v);
void *fiber_shared(int line);
void fiber_fence(int line, const char *file);
int fiber_skips(int line, const char *file);	 /* whether KEYPIPE_GPU_SKIP leaves out what is there */
unsigned atomicInc(unsigned *p, unsigned limit); /* atomic.cc */
/* d (M, N) = a (M, K) b (K, N) + c; N is at most 32. */
void fiber_mma(float *d, const float *a, const float *b, const float *c, int M, int N, int K);

static inline void __syncthreads(int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	fiber_barrier(line, file);
}

static inline void __threadfence(int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	fiber_fence(line, file);
}

static inline void __syncwarp(unsigned mask = 0xffffffffu, int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	fiber_warp_sync(FIBER_SYNCWARP, mask, line, file, 0);
}

/* v of lane `from`, or, unless inside (from is in the lane's group of `width` lanes), the lane's own. */
template <class T> static inline T fiber_shuffle(unsigned mask, T v, unsigned from, int inside, int line, const char *file)
{
	static_assert(std::is_arithmetic<T>::value && (sizeof v == 4 || sizeof v == 8), "no type for a shuffle");
	uint64_t bits = 0;
	memcpy(&bits, &v, sizeof v);
	const uint64_t *all = fiber_warp_sync(FIBER_SHUFFLE, mask, line, file, bits);
	if (inside)
		memcpy(&v, &all[from % 32], sizeof v);
	return v;
}

static __forceinline__ unsigned fiber_lane_of(int line)
{
	if (!fiber_now)
		fiber_fault("a warp operation in a flat launch (line %d)", line);
	return fiber_now->lane;
}

template <class T>
static inline T __shfl_sync(unsigned mask, T v, int from, int width = 32, int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	unsigned lane = fiber_lane_of(line), w = (unsigned)width;
	return fiber_shuffle(mask, v, lane / w * w + (unsigned)from % w, 1, line, file);
}

template <class T>
static inline T __shfl_xor_sync(
	unsigned mask, T v, int flip, int width = 32, int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	unsigned lane = fiber_lane_of(line), w = (unsigned)width, from = lane ^ (unsigned)flip;
	return fiber_shuffle(mask, v, from, from / w <= lane / w, line, file);
}

template <class T>
static inline T __shfl_down_sync(
	unsigned mask, T v, unsigned by, int width = 32, int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	unsigned lane = fiber_lane_of(line), w = (unsigned)width;
	return fiber_shuffle(mask, v, lane + by, lane % w + by < w, line, file);
}

template <class T>
static inline T __shfl_up_sync(
	unsigned mask, T v, unsigned by, int width = 32, int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	unsigned lane = fiber_lane_of(line), w = (unsigned)width;
	return fiber_shuffle(mask, v, lane - by, lane % w >= by, line, file);
}

static inline unsigned __ballot_sync(unsigned mask, int is, int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	const uint64_t *all = fiber_warp_sync(FIBER_VOTE, mask, line, file, is != 0);
	unsigned votes = 0;
	for (int i = 0; i < 32; i++)
		votes |= (unsigned)all[i] << i;
	return votes;
}

static inline int __any_sync(unsigned mask, int is, int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	return __ballot_sync(mask, is, line, file) != 0;
}

static inline int __all_sync(unsigned mask, int is, int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	return __ballot_sync(mask, is, line, file) == 0xffffffffu;
}

static __forceinline__ uint32_t __umulhi(uint32_t a, uint32_t b)
{
	return (uint32_t)((uint64_t)a * b >> 32);
}

static __forceinline__ uint32_t __float_as_uint(float v)
{
	uint32_t bits;
	memcpy(&bits, &v, sizeof bits);
	return bits;
}

static __forceinline__ float __uint_as_float(uint32_t bits)
{
	float v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

template <class T> static inline T __ldg(const T *p)
{
	return *p;
}

struct __nv_bfloat16 {
	uint16_t bits;
};
struct alignas(4) __nv_bfloat162 {
	__nv_bfloat16 x, y;
};

static __forceinline__ __nv_bfloat16 __float2bfloat16(float v) /* to nearest, ties to even */
{
	uint32_t bits = __float_as_uint(v);
	return {(uint16_t)(v != v ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

static __forceinline__ float __bfloat162float(__nv_bfloat16 v)
{
	return __uint_as_float((uint32_t)v.bits << 16);
}

static __forceinline__ __nv_bfloat162 __floats2bfloat162_rn(float x, float y)
{
	return {__float2bfloat16(x), __float2bfloat16(y)};
}

static __forceinline__ float __float_to_tf32(float v) /* as cvt.rna.tf32.f32: to nearest, ties away from zero */
{
	return isfinite(v) ? __uint_as_float((__float_as_uint(v) + 0x1000) & ~0x1fffu) : v;
}

/* Instructions by inline PTX (ptx.h, in copy.cc and mma.cc). cp.async: its destination is NaN from then on and gets its bytes when the
 * thread waits for its group, not earlier. */
void fiber_cp_async(float *to, const float *from, int size, int bytes, int line);
void fiber_cp_async_commit(void);
void fiber_cp_async_wait(int groups, int line, const char *file);
void fiber_ldmatrix(unsigned (*r)[4], const float *row, int stride, int n, int line, const char *file);
/* c (FM, FN, 4) += fragments a (FM, 4) and b (FN, 2), of tf32 or bf16. */
void fiber_mma_fragments(float *c, const unsigned *a, const unsigned *b, int FM, int FN, int bf16, int line, const char *file);
/* An access of shared memory by one lane, whose bank conflicts with those of other lanes in the same instruction are counted: the n-th of
 * one lane is in an instruction with the n-th of the others. */
void fiber_banks(const void *p, int bytes);
struct fiber_conflicts { /* instructions, the clocks that they need at 128 bytes a clock, and those that conflicts add; by bytes of a lane
			  */
	size_t accesses, clocks, conflicts;
};
extern struct fiber_conflicts fiber_conflicts[17];

#endif
