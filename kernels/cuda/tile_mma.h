/* The thread block's part of the tiled GEMM (tile.h): tile_stage copies slices of A and B through registers into shared memory; tile_mma
 * multiplies them and keeps the accumulators in registers: with tensor cores (WMMA, tf32 or bf16) or, fp32, by register tiles. */
#ifndef TILE_MMA_H
#define TILE_MMA_H

#include "kernels/cuda/cuda.h"

/* Tensor cores have tf32 and bf16 from compute capability 8.0 on; on older GPUs the backend runs fp32 only. */
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
#define TILE_TENSOR_CORES 1
#else
#define TILE_TENSOR_CORES 0
#endif

enum { TILE_K = 32 }; /* the slice of K that one step of the main loop has in shared memory */

/* Of shared memory, by precision P. K: of one WMMA instruction; PAD: elements after each row. */
template <int P> struct tile_element { /* fp32 and tf32 */
	typedef float type;
	enum { K = 8, PAD = 4 };
};
template <> struct tile_element<PRECISION_BF16> {
	typedef __nv_bfloat16 type;
	enum { K = 16, PAD = 8 };
};

template <class T> static inline __device__ T tile_round(float v, int precision);
template <> inline __device__ float tile_round<float>(float v, int precision)
{
#if TILE_TENSOR_CORES
	return precision == PRECISION_TF32 ? nvcuda::wmma::__float_to_tf32(v) : v;
#else
	(void)precision;
	return v;
#endif
}
template <> inline __device__ __nv_bfloat16 tile_round<__nv_bfloat16>(float v, int)
{
	return __float2bfloat16(v);
}

/* MN x TILE_K of A or B, by loader L: global memory -> registers (v) -> shared memory, in the loader's order, K-major or not. */
template <int P, int MN, class L> struct tile_stage {
	typedef typename tile_element<P>::type element;
	enum {
		K_MAJOR = L::K_MAJOR,
		/* leading dimension in elements, padded so that a warp reads a fragment without bank conflicts */
		LD = K_MAJOR ? TILE_K + tile_element<P>::PAD : MN + 8,
		ROW_FLOAT4S = (K_MAJOR ? TILE_K : MN) / 4,   /* of a row of shared memory */
		PER_THREAD = MN * TILE_K / 4 / LAUNCH_BLOCK, /* float4s a thread */
		POSITIONS = K_MAJOR ? PER_THREAD : 1,	     /* rows of the matrix that a thread loads from */
		SIZE = (K_MAJOR ? MN : TILE_K) * LD
	};
	typename L::position pos[POSITIONS];
	float4 v[PER_THREAD];
	__device__ void init(const L &l, int mn0)
	{
		for (int i = 0; i < POSITIONS; i++)
			pos[i] = l.find(
				mn0 + (K_MAJOR ? ((int)threadIdx.x + i * LAUNCH_BLOCK) / ROW_FLOAT4S : (int)threadIdx.x % ROW_FLOAT4S * 4));
	}
	__device__ void load_global(const L &l, int k0, int end)
	{
		UNROLL
		for (int i = 0; i < PER_THREAD; i++) {
			int e = (int)threadIdx.x + i * LAUNCH_BLOCK;
			v[i] = l.load(pos[K_MAJOR ? i : 0], k0 + (K_MAJOR ? e % ROW_FLOAT4S * 4 : e / ROW_FLOAT4S), end);
		}
	}
	__device__ void store_shared(element *s) const
	{
		UNROLL
		for (int i = 0; i < PER_THREAD; i++) {
			int e = (int)threadIdx.x + i * LAUNCH_BLOCK;
			element *to = s + e / ROW_FLOAT4S * LD + e % ROW_FLOAT4S * 4;
			to[0] = tile_round<element>(v[i].x, P), to[1] = tile_round<element>(v[i].y, P);
			to[2] = tile_round<element>(v[i].z, P), to[3] = tile_round<element>(v[i].w, P);
		}
	}
	__device__ void add_columns(float4 *sums) const
	{
		UNROLL
		for (int i = 0; i < PER_THREAD; i++)
			sums->x += v[i].x, sums->y += v[i].y, sums->z += v[i].z, sums->w += v[i].w;
	}
	static __device__ float value(const element *s, int mn, int k)
	{
		return (float)s[K_MAJOR ? mn * LD + k : k * LD + mn];
	}
};

#if TILE_TENSOR_CORES
/* A fragment from shared memory. The compiler can't tell that p is shared and emits generic loads; for tf32, the default precision, inline
 * PTX loads from shared memory. */
template <class F, class N> static inline __device__ void tile_load_fragment(F &f, const N *p, unsigned ld)
{
	nvcuda::wmma::load_matrix_sync(f, p, ld);
}
#ifdef __CUDA_ARCH__
#define TILE_LOAD(matrix, layout)                                                                                                          \
	static inline __device__ void tile_load_fragment(nvcuda::wmma::fragment<nvcuda::wmma::matrix_##matrix, 16, 16, 8,                  \
								 nvcuda::wmma::precision::tf32, nvcuda::wmma::layout##_major> &f,          \
		const float *p, unsigned ld)                                                                                               \
	{                                                                                                                                  \
		unsigned r[4];                                                                                                             \
		asm volatile("wmma.load." #matrix ".sync.aligned." #layout ".m16n16k8.shared.tf32 {%0, %1, %2, %3}, [%4], %5;"             \
			     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])                                                              \
			     : "r"((unsigned)__cvta_generic_to_shared(p)), "r"(ld)                                                         \
			     : "memory");                                                                                                  \
		for (int i = 0; i < 4; i++)                                                                                                \
			f.x[i] = __uint_as_float(r[i]);                                                                                    \
	}
TILE_LOAD(a, row)
TILE_LOAD(a, col)
TILE_LOAD(b, row)
TILE_LOAD(b, col)
#endif

/* Accumulators of a block's BM x BN tile, by tensor cores: 8 warps, WM along m by WN along n, each with FM x FN fragments of 16 x 16. */
template <int P, int BM, int BN, class SA, class SB> struct tile_mma_tensor_cores {
	typedef typename tile_element<P>::type element;
	enum { WM = BM >= 128 || BN <= 32 ? 4 : 2, WN = 8 / WM, FM = BM / WM / 16, FN = BN / WN / 16, FK = tile_element<P>::K };
	template <bool TF, class N> struct operand_type {
		typedef N type;
	};
	template <class N> struct operand_type<true, N> {
		typedef nvcuda::wmma::precision::tf32 type;
	};
	typedef typename operand_type<P == PRECISION_TF32, element>::type operand;
	template <int ROW_MAJOR, int B> struct layout {
		typedef nvcuda::wmma::row_major type;
	};
	template <int B> struct layout<0, B> {
		typedef nvcuda::wmma::col_major type;
	};
	nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, FK, float> c[FM][FN];
	__device__ void clear()
	{
		UNROLL
		for (int i = 0; i < FM * FN; i++)
			nvcuda::wmma::fill_fragment(c[i / FN][i % FN], 0.0f);
	}
	__device__ void multiply(const element *a, const element *b)
	{
		int w = (int)threadIdx.x / 32, m0 = w / WN * FM * 16, n0 = w % WN * FN * 16;
		nvcuda::wmma::fragment<nvcuda::wmma::matrix_a, 16, 16, FK, operand, typename layout<SA::K_MAJOR, 0>::type> fa[FM];
		nvcuda::wmma::fragment<nvcuda::wmma::matrix_b, 16, 16, FK, operand, typename layout<1 - SB::K_MAJOR, 0>::type> fb[FN];
		UNROLL
		for (int k = 0; k < TILE_K; k += FK) {
			UNROLL
			for (int i = 0; i < FM; i++)
				tile_load_fragment(
					fa[i], a + (SA::K_MAJOR ? (m0 + 16 * i) * SA::LD + k : k * SA::LD + m0 + 16 * i), (unsigned)SA::LD);
			UNROLL
			for (int i = 0; i < FN; i++)
				tile_load_fragment(
					fb[i], b + (SB::K_MAJOR ? (n0 + 16 * i) * SB::LD + k : k * SB::LD + n0 + 16 * i), (unsigned)SB::LD);
			UNROLL
			for (int i = 0; i < FM * FN; i++)
				nvcuda::wmma::mma_sync(c[i / FN][i % FN], fa[i / FN], fb[i % FN], c[i / FN][i % FN]);
		}
	}
	__device__ void store(float *to, int ld) const
	{
		int w = (int)threadIdx.x / 32, m0 = w / WN * FM * 16, n0 = w % WN * FN * 16;
		UNROLL
		for (int i = 0; i < FM * FN; i++)
			nvcuda::wmma::store_matrix_sync(to + (m0 + i / FN * 16) * ld + n0 + i % FN * 16, c[i / FN][i % FN], (unsigned)ld,
				nvcuda::wmma::mem_row_major);
	}
};
#endif

/* The same in fp32 without tensor cores: a thread's register tile is every 16th row and column of the block's tile. */
template <int P, int BM, int BN, class SA, class SB> struct tile_mma_fp32 {
	typedef typename tile_element<P>::type element;
	float c[BM / 16][BN / 16];
	__device__ void clear()
	{
		UNROLL
		for (int i = 0; i < BM / 16 * (BN / 16); i++)
			c[i / (BN / 16)][i % (BN / 16)] = 0;
	}
	__device__ void multiply(const element *a, const element *b)
	{
		int m = (int)threadIdx.x / 16, n = (int)threadIdx.x % 16;
		UNROLL_4 /* unrolled further, two blocks would not fit in a multiprocessor's registers */
			for (int k = 0; k < TILE_K; k++)
		{
			float x[BM / 16], y[BN / 16];
			UNROLL
			for (int i = 0; i < BM / 16; i++)
				x[i] = SA::value(a, m + 16 * i, k);
			UNROLL
			for (int i = 0; i < BN / 16; i++)
				y[i] = SB::value(b, n + 16 * i, k);
			UNROLL
			for (int i = 0; i < BM / 16 * (BN / 16); i++)
				c[i / (BN / 16)][i % (BN / 16)] += x[i / (BN / 16)] * y[i % (BN / 16)];
		}
	}
	__device__ void store(float *to, int ld) const
	{
		int m = (int)threadIdx.x / 16, n = (int)threadIdx.x % 16;
		UNROLL
		for (int i = 0; i < BM / 16 * (BN / 16); i++)
			to[(m + i / (BN / 16) * 16) * ld + n + i % (BN / 16) * 16] = c[i / (BN / 16)][i % (BN / 16)];
	}
};

template <int P, int BM, int BN, class SA, class SB> struct tile_mma {
#if TILE_TENSOR_CORES
	typedef tile_mma_tensor_cores<P, BM, BN, SA, SB> type;
#else
	typedef tile_mma_fp32<P, BM, BN, SA, SB> type;
#endif
};
template <int BM, int BN, class SA, class SB> struct tile_mma<PRECISION_FP32, BM, BN, SA, SB> {
	typedef tile_mma_fp32<PRECISION_FP32, BM, BN, SA, SB> type;
};

#endif
