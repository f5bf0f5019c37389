/* What a block does with its tile of a product (tile.h): parts of A and B on their way through shared memory, and the sums, by tensor cores
 * or without. */
#ifndef TILE_MMA_H
#define TILE_MMA_H

#include "kernels/cuda/cuda.h"

/* Tensor cores know tf32 and bf16 from 8.0 on; the backend asks older ones for fp32 only. */
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
#define TILE_TENSOR 1
#else
#define TILE_TENSOR 0
#endif

enum { TILE_K = 32 };

template <int P> struct tile_number { /* fp32 and tf32 */
	typedef float type;
	enum { K = 8, PAD = 4 };
};
template <> struct tile_number<PRECISION_BF16> {
	typedef __nv_bfloat16 type;
	enum { K = 16, PAD = 8 };
};

template <class T> static inline __device__ T tile_rounded(float v, int precision);
template <> inline __device__ float tile_rounded<float>(float v, int precision)
{
#if TILE_TENSOR
	return precision == PRECISION_TF32 ? nvcuda::wmma::__float_to_tf32(v) : v;
#else
	(void)precision;
	return v;
#endif
}
template <> inline __device__ __nv_bfloat16 tile_rounded<__nv_bfloat16>(float v, int)
{
	return __float2bfloat16(v);
}

/* A tile of A or B in shared memory: MN x TILE_K, as it comes from memory. */
template <int P, int MN, class L> struct tile_stage {
	typedef typename tile_number<P>::type number;
	enum {
		ALONG_K = L::ALONG_K,
		/* numbers from line to line: such that a warp's reads of a fragment meet in no bank */
		LINE = ALONG_K ? TILE_K + tile_number<P>::PAD : MN + 8,
		QUADS = (ALONG_K ? TILE_K : MN) / 4, /* of a line */
		EACH = MN * TILE_K / 4 / LAUNCH_BLOCK,  /* quads a thread */
		ROWS = ALONG_K ? EACH : 1,	     /* whose places a thread knows */
		SIZE = (ALONG_K ? MN : TILE_K) * LINE
	};
	typename L::at at[ROWS];
	float4 v[EACH];
	__device__ void begin(const L &l, int mn0)
	{
		for (int i = 0; i < ROWS; i++)
			at[i] = l.find(mn0 + (ALONG_K ? ((int)threadIdx.x + i * LAUNCH_BLOCK) / QUADS : (int)threadIdx.x % QUADS * 4));
	}
	__device__ void read(const L &l, int k0, int end)
	{
		UNROLL
		for (int i = 0; i < EACH; i++) {
			int e = (int)threadIdx.x + i * LAUNCH_BLOCK;
			v[i] = l.get(at[ALONG_K ? i : 0], k0 + (ALONG_K ? e % QUADS * 4 : e / QUADS), end);
		}
	}
	__device__ void store(number *s) const
	{
		UNROLL
		for (int i = 0; i < EACH; i++) {
			int e = (int)threadIdx.x + i * LAUNCH_BLOCK;
			number *to = s + e / QUADS * LINE + e % QUADS * 4;
			to[0] = tile_rounded<number>(v[i].x, P), to[1] = tile_rounded<number>(v[i].y, P);
			to[2] = tile_rounded<number>(v[i].z, P), to[3] = tile_rounded<number>(v[i].w, P);
		}
	}
	__device__ void add(float4 *total) const
	{
		UNROLL
		for (int i = 0; i < EACH; i++)
			total->x += v[i].x, total->y += v[i].y, total->z += v[i].z, total->w += v[i].w;
	}
	static __device__ float one(const number *s, int mn, int k)
	{
		return (float)s[ALONG_K ? mn * LINE + k : k * LINE + mn];
	}
};

#if TILE_TENSOR
/* A fragment from shared memory. The compiler does not see that it lies there and would read it by the way that fits all memory; tf32's,
 * the usual ones, are told. */
template <class F, class N> static inline __device__ void tile_load(F &f, const N *p, unsigned line)
{
	nvcuda::wmma::load_matrix_sync(f, p, line);
}
#ifdef __CUDA_ARCH__
#define TILE_LOAD(which, order)                                                                                                            \
	static inline __device__ void tile_load(nvcuda::wmma::fragment<nvcuda::wmma::matrix_##which, 16, 16, 8,                            \
							nvcuda::wmma::precision::tf32, nvcuda::wmma::order##_major> &f,                    \
		const float *p, unsigned line)                                                                                             \
	{                                                                                                                                  \
		unsigned r[4];                                                                                                             \
		asm volatile("wmma.load." #which ".sync.aligned." #order ".m16n16k8.shared.tf32 {%0, %1, %2, %3}, [%4], %5;"               \
			     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])                                                              \
			     : "r"((unsigned)__cvta_generic_to_shared(p)), "r"(line)                                                       \
			     : "memory");                                                                                                  \
		for (int i = 0; i < 4; i++)                                                                                                \
			f.x[i] = __uint_as_float(r[i]);                                                                                    \
	}
TILE_LOAD(a, row)
TILE_LOAD(a, col)
TILE_LOAD(b, row)
TILE_LOAD(b, col)
#endif

/* Sums of a block's tile, by tensor cores: 8 warps, WM of them side by side along m. */
template <int P, int BM, int BN, class SA, class SB> struct tile_tensor {
	typedef typename tile_number<P>::type number;
	enum { WM = BM >= 128 || BN <= 32 ? 4 : 2, WN = 8 / WM, FM = BM / WM / 16, FN = BN / WN / 16, FK = tile_number<P>::K };
	template <bool TF, class N> struct kind {
		typedef N type;
	};
	template <class N> struct kind<true, N> {
		typedef nvcuda::wmma::precision::tf32 type;
	};
	typedef typename kind<P == PRECISION_TF32, number>::type factor;
	template <int ALONG, int B> struct order {
		typedef nvcuda::wmma::row_major type;
	};
	template <int B> struct order<0, B> {
		typedef nvcuda::wmma::col_major type;
	};
	nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, FK, float> c[FM][FN];
	__device__ void begin()
	{
		UNROLL
		for (int i = 0; i < FM * FN; i++)
			nvcuda::wmma::fill_fragment(c[i / FN][i % FN], 0.0f);
	}
	__device__ void add(const number *a, const number *b)
	{
		int w = (int)threadIdx.x / 32, m0 = w / WN * FM * 16, n0 = w % WN * FN * 16;
		nvcuda::wmma::fragment<nvcuda::wmma::matrix_a, 16, 16, FK, factor, typename order<SA::ALONG_K, 0>::type> fa[FM];
		nvcuda::wmma::fragment<nvcuda::wmma::matrix_b, 16, 16, FK, factor, typename order<1 - SB::ALONG_K, 0>::type> fb[FN];
		UNROLL
		for (int k = 0; k < TILE_K; k += FK) {
			UNROLL
			for (int i = 0; i < FM; i++)
				tile_load(fa[i], a + (SA::ALONG_K ? (m0 + 16 * i) * SA::LINE + k : k * SA::LINE + m0 + 16 * i),
					(unsigned)SA::LINE);
			UNROLL
			for (int i = 0; i < FN; i++)
				tile_load(fb[i], b + (SB::ALONG_K ? (n0 + 16 * i) * SB::LINE + k : k * SB::LINE + n0 + 16 * i),
					(unsigned)SB::LINE);
			UNROLL
			for (int i = 0; i < FM * FN; i++)
				nvcuda::wmma::mma_sync(c[i / FN][i % FN], fa[i / FN], fb[i % FN], c[i / FN][i % FN]);
		}
	}
	__device__ void store(float *to, int line) const
	{
		int w = (int)threadIdx.x / 32, m0 = w / WN * FM * 16, n0 = w % WN * FN * 16;
		UNROLL
		for (int i = 0; i < FM * FN; i++)
			nvcuda::wmma::store_matrix_sync(to + (m0 + i / FN * 16) * line + n0 + i % FN * 16, c[i / FN][i % FN],
				(unsigned)line, nvcuda::wmma::mem_row_major);
	}
};
#endif

/* The same without them: a thread has every 16th row and column. */
template <int P, int BM, int BN, class SA, class SB> struct tile_plain {
	typedef typename tile_number<P>::type number;
	float c[BM / 16][BN / 16];
	__device__ void begin()
	{
		UNROLL
		for (int i = 0; i < BM / 16 * (BN / 16); i++)
			c[i / (BN / 16)][i % (BN / 16)] = 0;
	}
	__device__ void add(const number *a, const number *b)
	{
		int m = (int)threadIdx.x / 16, n = (int)threadIdx.x % 16;
		UNROLL_4 /* more would not fit in the registers of two blocks */
			for (int k = 0; k < TILE_K; k++)
		{
			float x[BM / 16], y[BN / 16];
			UNROLL
			for (int i = 0; i < BM / 16; i++)
				x[i] = SA::one(a, m + 16 * i, k);
			UNROLL
			for (int i = 0; i < BN / 16; i++)
				y[i] = SB::one(b, n + 16 * i, k);
			UNROLL
			for (int i = 0; i < BM / 16 * (BN / 16); i++)
				c[i / (BN / 16)][i % (BN / 16)] += x[i / (BN / 16)] * y[i % (BN / 16)];
		}
	}
	__device__ void store(float *to, int line) const
	{
		int m = (int)threadIdx.x / 16, n = (int)threadIdx.x % 16;
		UNROLL
		for (int i = 0; i < BM / 16 * (BN / 16); i++)
			to[(m + i / (BN / 16) * 16) * line + n + i % (BN / 16) * 16] = c[i / (BN / 16)][i % (BN / 16)];
	}
};

template <int P, int BM, int BN, class SA, class SB> struct tile_mma {
#if TILE_TENSOR
	typedef tile_tensor<P, BM, BN, SA, SB> type;
#else
	typedef tile_plain<P, BM, BN, SA, SB> type;
#endif
};
template <int BM, int BN, class SA, class SB> struct tile_mma<PRECISION_FP32, BM, BN, SA, SB> {
	typedef tile_plain<PRECISION_FP32, BM, BN, SA, SB> type;
};

#endif
