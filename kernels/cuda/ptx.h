/* Instructions of compute capability 8.0 and later that CUDA C++ has no functions for, by inline PTX: asynchronous copies from global to
 * shared memory, fragments from shared memory, and tensor cores. On the host, those of host_cuda.h. Layouts of fragments are those of
 * the PTX ISA, "Warp-level matrix instructions"; g is lane / 4, t is lane % 4. */
#ifndef PTX_H
#define PTX_H

#include "kernels/cuda/launch.h"

/* Tensor cores have tf32 and bf16 from compute capability 8.0 on; on older GPUs the backend runs fp32 only. */
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
#define TENSOR_CORES 1
#else
#define TENSOR_CORES 0
#endif

#ifdef __CUDACC__
#if TENSOR_CORES
static inline __device__ unsigned shared_address(const void *p)
{
	return (unsigned)__cvta_generic_to_shared(p);
}

/* SIZE (4 or 16) bytes to shared memory, of which the first `bytes` are read and the others are zeros. The write is seen after
 * cp_async_wait by the thread itself, and by others after a barrier more. 16 bytes go by L1 as well: the kernel positions of a convolution
 * read a pixel nine times. */
template <int SIZE> static inline __device__ void cp_async(float *to, const float *from, int bytes)
{
	asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(to)), "l"(from), "n"(SIZE), "r"(bytes)
		     : "memory");
}

/* The copies of this thread since the last commit become a group. */
static inline __device__ void cp_async_commit()
{
	asm volatile("cp.async.commit_group;" ::: "memory");
}

/* Waits until at most N groups of this thread, the last ones, are under way. */
template <int N> static inline __device__ void cp_async_wait()
{
	asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

/* N times four matrices of 8 rows of 16 bytes, those of the next time `stride` floats further: lane i gives the address of row i % 8 of
 * matrix i / 8 and gets word t of row g of each. */
template <int N> static inline __device__ void ldmatrix(unsigned (*r)[4], const float *row, int stride)
{
	UNROLL
	for (int i = 0; i < N; i++)
		asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
			     : "=r"(r[i][0]), "=r"(r[i][1]), "=r"(r[i][2]), "=r"(r[i][3])
			     : "r"(shared_address(row + i * stride))
			     : "memory");
}

/* A word of shared memory. */
static inline __device__ unsigned lds(const float *p)
{
	return __float_as_uint(*p);
}

/* c (16, 8) += a (16, 8) b (8, 8) in tf32: a[0] to a[3] are (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4), b[0] and b[1] (t, g), (t + 4,
 * g), c (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1). */
static inline __device__ void mma_tf32(float c[4], const unsigned a[4], const unsigned b[2])
{
	asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
		: "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
		: "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/* c (16, 8) += a (16, 16) b (16, 8) in bf16, two k in a register: as before, with (g, 2t) and (g, 2t + 1) for (g, t), (g, 2t + 8) and
 * (g, 2t + 9) for (g, t + 4). */
static inline __device__ void mma_bf16(float c[4], const unsigned a[4], const unsigned b[2])
{
	asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
		: "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
		: "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/* FM x FN fragments of c by the FM of a and the FN of b. */
template <bool BF16, int FM, int FN> static inline __device__ void mma(float (*c)[FN][4], const unsigned (*a)[4], const unsigned (*b)[2])
{
	UNROLL
	for (int i = 0; i < FM * FN; i++)
		if (BF16)
			mma_bf16(c[i / FN][i % FN], a[i / FN], b[i % FN]);
		else
			mma_tf32(c[i / FN][i % FN], a[i / FN], b[i % FN]);
}

/* v rounded to tf32, to nearest, ties away from zero; infinity and NaN stay. The 13 bits below are left: tensor cores don't read them. */
static inline __device__ unsigned round_tf32(unsigned v)
{
	return fabsf(__uint_as_float(v)) < INFINITY ? v + 0x1000 : v;
}

/* Two values as bf16, low in the lower half, to nearest, ties to even. */
static inline __device__ unsigned pack_bf16(unsigned low, unsigned high)
{
	unsigned v;
	asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(v) : "f"(__uint_as_float(high)), "f"(__uint_as_float(low)));
	return v;
}
#endif
#else /* the host */
template <int SIZE> static inline void cp_async(float *to, const float *from, int bytes, int line = __builtin_LINE())
{
	fiber_cp_async(to, from, SIZE, bytes, line);
}

static inline void cp_async_commit()
{
	fiber_cp_async_commit();
}

template <int N> static inline void cp_async_wait(int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	fiber_cp_async_wait(N, line, file);
}

template <int N>
static inline void ldmatrix(
	unsigned (*r)[4], const float *row, int stride, int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	fiber_ldmatrix(r, row, stride, N, line, file);
}

static inline unsigned lds(const float *p)
{
	fiber_banks(p, sizeof *p);
	return __float_as_uint(*p);
}

template <bool BF16, int FM, int FN>
static inline void mma(
	float (*c)[FN][4], const unsigned (*a)[4], const unsigned (*b)[2], int line = __builtin_LINE(), const char *file = __builtin_FILE())
{
	fiber_mma_fragments(c[0][0], a[0], b[0], FM, FN, BF16, line, file);
}

static inline unsigned round_tf32(unsigned v)
{
	return __float_as_uint(__float_to_tf32(__uint_as_float(v)));
}

static inline unsigned pack_bf16(unsigned low, unsigned high)
{
	return __float2bfloat16(__uint_as_float(low)).bits | (unsigned)__float2bfloat16(__uint_as_float(high)).bits << 16;
}
#endif

#endif
