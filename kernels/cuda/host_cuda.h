/* CUDA's declarations for a host C++ compiler, for the emulation of a GPU on the host: fiber.cc runs the kernels, each thread a fiber that
 * yields at barriers and warp operations. Stricter than a GPU: undefined behaviour that it detects, as divergent barriers, ends the program
 * with a line that names kernel, block and thread. A barrier or warp operation is identified by its source line: return addresses would
 * differ where compilers duplicate code. Tensor core fragments are stored, and computed with, in a warp's first lane alone, so kernels
 * can't access single elements of them. */
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

enum fiber_op { FIBER_END, FIBER_BARRIER, FIBER_SYNCWARP, FIBER_SHUFFLE, FIBER_VOTE, FIBER_FILL, FIBER_LOAD, FIBER_MMA, FIBER_STORE };

struct fiber_lane {
	unsigned lane;
	uint32_t op_hash; /* of matrix operations, at which lanes don't wait: must be equal in all lanes at the next one at which they do */
};
extern struct fiber_lane *fiber_now; /* NULL in a flat launch, and outside of kernels */

void fiber_fault(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void fiber_barrier(int line, const char *file);
/* Waits for all lanes of the warp; returns the v of each, valid until the lane's next warp operation. */
const uint64_t *fiber_warp_sync(enum fiber_op op, unsigned mask, int line, const char *file, uint64_t v);
void *fiber_shared(int line);
void fiber_fence(int line, const char *file);
unsigned atomicInc(unsigned *p, unsigned limit); /* atomic.cc */
/* d (M, N) = a (M, K) b (K, N) + c; N is at most 32. */
void fiber_mma(float *d, const float *a, const float *b, const float *c, int M, int N, int K);
/* A warp's matrix operation accesses so many lines of bytes, pitch bytes apart, at code (race.h). */
void race_matrix(const void *p, int lines, size_t bytes, size_t pitch, int write, const void *code);

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

/* WMMA, warp matrix operations: m16n16k8 of tf32; m16n16k16, m32n8k16 and m8n32k16 of bf16. */
namespace nvcuda
{
namespace wmma
{
struct matrix_a;
struct matrix_b;
struct accumulator;
struct row_major;
struct col_major;
namespace precision
{
struct tf32;
}
enum layout_t { mem_row_major, mem_col_major };

static __forceinline__ float __float_to_tf32(float v) /* as cvt.rna.tf32.f32: to nearest, ties away from zero */
{
	return isfinite(v) ? __uint_as_float((__float_as_uint(v) + 0x1000) & ~0x1fffu) : v;
}

/* For a matrix operation, which the first lane computes: 1 in that lane. Hashes the arguments, which must be equal in all lanes. */
static __forceinline__ int is_first_lane(enum fiber_op op, int line, const void *p = NULL, unsigned ld = 0)
{
	const uint64_t what[] = {(uint64_t)op, (uint64_t)line, (uintptr_t)p, ld};
	unsigned lane = fiber_lane_of(line);
	for (uint64_t w : what)
		fiber_now->op_hash = (uint32_t)((fiber_now->op_hash + w) * 0x9e3779b97f4a7c15u >> 32);
	return !lane;
}

template <class T> struct memory { /* a fragment's type of values in memory, and their conversion to float */
	typedef T type;
	static __forceinline__ float value(T v, int)
	{
		return v;
	}
};
template <> struct memory<__nv_bfloat16> {
	typedef __nv_bfloat16 type;
	static __forceinline__ float value(__nv_bfloat16 v, int)
	{
		return __bfloat162float(v);
	}
};
template <> struct memory<precision::tf32> {
	typedef float type;
	static __forceinline__ float value(float v, int line)
	{
		if (__float_as_uint(v) & 0x1fff && v == v)
			fiber_fault("a factor not rounded by __float_to_tf32 (line %d)", line);
		return v;
	}
};

template <class Use, int M, int N, int K, class T, class Layout = void> struct fragment {
	static_assert(std::is_same<T, float>::value || (std::is_same<T, precision::tf32>::value && M == 16 && N == 16 && K == 8) ||
			      (std::is_same<T, __nv_bfloat16>::value && M * N == 256 && M % 8 == 0 && N % 8 == 0 && K == 16),
		"no such fragment");
	static_assert(std::is_same<Use, accumulator>::value == std::is_same<T, float>::value, "sums are of float, factors are not");
	enum { ROWS = std::is_same<Use, matrix_b>::value ? K : M, COLUMNS = std::is_same<Use, matrix_a>::value ? K : N };
	float tile[ROWS][COLUMNS];
	fragment() /* NaN until filled or loaded */
	{
		if (fiber_now && !fiber_now->lane)
			memset(tile, 0xff, sizeof tile);
	}
};

template <class T> static __forceinline__ void check_matrix(const T *p, unsigned ld, int line)
{
	if ((uintptr_t)p % 32 || ld * sizeof(T) % 16)
		fiber_fault("a matrix at %p, %u numbers a line, isn't aligned to 32 and 16 bytes (line %d)", (const void *)p, ld, line);
}

template <class F> static inline FIBER_UNWATCHED void fill_fragment(F &f, float v, int line = __builtin_LINE())
{
	if (!is_first_lane(FIBER_FILL, line))
		return;
	for (int r = 0; r < F::ROWS; r++)
		for (int c = 0; c < F::COLUMNS; c++)
			f.tile[r][c] = v;
}

template <class F, class T>
static inline FIBER_UNWATCHED void load_tile(F &f, const typename memory<T>::type *p, unsigned ld, int column_major, int line)
{
	if (!is_first_lane(FIBER_LOAD, line, p, ld))
		return;
	check_matrix(p, ld, line);
	int lines = column_major ? F::COLUMNS : F::ROWS;
	race_matrix(p, lines, sizeof *p * (size_t)(F::ROWS * F::COLUMNS / lines), ld * sizeof *p, 0, __builtin_return_address(0));
	for (int r = 0; r < F::ROWS; r++)
		for (int c = 0; c < F::COLUMNS; c++)
			f.tile[r][c] = memory<T>::value(p[column_major ? (size_t)c * ld + r : (size_t)r * ld + c], line);
}

template <class U, int M, int N, int K, class T, class L>
static inline void load_matrix_sync(
	fragment<U, M, N, K, T, L> &f, const typename memory<T>::type *p, unsigned ld, int line = __builtin_LINE())
{
	static_assert(!std::is_same<L, void>::value, "sums need a layout");
	load_tile<fragment<U, M, N, K, T, L>, T>(f, p, ld, std::is_same<L, col_major>::value, line);
}

template <int M, int N, int K>
static inline void load_matrix_sync(
	fragment<accumulator, M, N, K, float> &f, const float *p, unsigned ld, layout_t layout, int line = __builtin_LINE())
{
	load_tile<fragment<accumulator, M, N, K, float>, float>(f, p, ld, layout == mem_col_major, line);
}

template <int M, int N, int K>
static inline FIBER_UNWATCHED void store_matrix_sync(
	float *p, const fragment<accumulator, M, N, K, float> &f, unsigned ld, layout_t layout, int line = __builtin_LINE())
{
	if (!is_first_lane(FIBER_STORE, line, p, ld))
		return;
	check_matrix(p, ld, line);
	int lines = layout == mem_col_major ? N : M;
	race_matrix(p, lines, sizeof *p * (size_t)(M * N / lines), ld * sizeof *p, 1, __builtin_return_address(0));
	for (int r = 0; r < M; r++)
		for (int c = 0; c < N; c++)
			p[layout == mem_col_major ? (size_t)c * ld + r : (size_t)r * ld + c] = f.tile[r][c];
}

template <int M, int N, int K, class T, class LA, class LB>
static inline FIBER_UNWATCHED void mma_sync(fragment<accumulator, M, N, K, float> &d, const fragment<matrix_a, M, N, K, T, LA> &a,
	const fragment<matrix_b, M, N, K, T, LB> &b, const fragment<accumulator, M, N, K, float> &c, int line = __builtin_LINE())
{
	if (is_first_lane(FIBER_MMA, line))
		fiber_mma(d.tile[0], a.tile[0], b.tile[0], c.tile[0], M, N, K);
}
} // namespace wmma
} // namespace nvcuda

#endif
