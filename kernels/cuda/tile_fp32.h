/* The main loop of the GEMM (tile.h) in fp32, without tensor cores: slices of A and B go through registers into shared memory, loaded while
 * the slice before is multiplied; a thread's register tile is every 16th row and column of the block's tile. */
#ifndef TILE_FP32_H
#define TILE_FP32_H

#include "kernels/cuda/cuda.h"

enum { TILE_K = 32 }; /* the slice of K that one step of the main loop has in shared memory */

/* Where a loader's four values go: registers in fp32, shared memory with tensor cores (tile_async.h). four(p, inside): those at p, aligned
 * to 16 bytes, or zeros; p can be read in any case, so that it needs no choice. four(p): NULL: zeros; one(i, p): value i. */
struct to_registers {
	float4 v;
	__device__ void four(const float *p, int inside)
	{
		v = inside ? *(const float4 *)p : make_float4(0, 0, 0, 0);
	}
	__device__ void four(const float *p)
	{
		four(p, p != NULL);
	}
	__device__ void one(int i, const float *p)
	{
		(i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w) = p ? *p : 0;
	}
};

static inline __device__ void float4_add(float4 *sum, float4 v)
{
	sum->x += v.x, sum->y += v.y, sum->z += v.z, sum->w += v.w;
}

/* Row `row` of a matrix of leading dimension ld: one multiply-add, where 64 bits of ld would take five instructions. */
static inline __device__ const float *tile_row(const float *p, int row, unsigned ld)
{
	return (const float *)((const char *)p + (uint64_t)(unsigned)row * (ld * (unsigned)sizeof *p));
}

/* MN x TILE_K of A or B, by loader L: global memory -> registers (v) -> shared memory, in the loader's order, K-major or not. */
template <int MN, class L> struct fp32_operand {
	enum {
		K_MAJOR = L::K_MAJOR,
		LD = K_MAJOR ? TILE_K + 4 : MN + 8,	     /* leading dimension, padded against bank conflicts */
		ROW_FLOAT4S = (K_MAJOR ? TILE_K : MN) / 4,   /* of a row of shared memory */
		PER_THREAD = MN * TILE_K / 4 / LAUNCH_BLOCK, /* float4s a thread */
		POSITIONS = K_MAJOR ? PER_THREAD : 1,	     /* rows of the matrix that a thread loads from */
		FLOATS = (K_MAJOR ? MN : TILE_K) * LD
	};
	typename L::position pos[POSITIONS];
	float4 v[PER_THREAD];
	__device__ void init(const L &l, int mn0)
	{
		for (int i = 0; i < POSITIONS; i++)
			pos[i] = l.find(
				mn0 + (K_MAJOR ? ((int)threadIdx.x + i * LAUNCH_BLOCK) / ROW_FLOAT4S : (int)threadIdx.x % ROW_FLOAT4S * 4));
	}
	__device__ void load(const L &l, int k0, int end)
	{
		UNROLL
		for (int i = 0; i < PER_THREAD; i++) {
			int e = (int)threadIdx.x + i * LAUNCH_BLOCK, k = k0 + (K_MAJOR ? e % ROW_FLOAT4S * 4 : e / ROW_FLOAT4S);
			if constexpr (L::COMPUTES) {
				v[i] = l.compute(pos[K_MAJOR ? i : 0], k, end);
			} else {
				struct to_registers to;
				l.load(to, pos[K_MAJOR ? i : 0], k, end);
				v[i] = to.v;
			}
		}
	}
	__device__ void store(float *s) const
	{
		UNROLL
		for (int i = 0; i < PER_THREAD; i++) {
			int e = (int)threadIdx.x + i * LAUNCH_BLOCK;
			*(float4 *)(s + e / ROW_FLOAT4S * LD + e % ROW_FLOAT4S * 4) = v[i];
		}
	}
	static __device__ float value(const float *s, int mn, int k)
	{
		return s[K_MAJOR ? mn * LD + k : k * LD + mn];
	}
};

template <int BM, int BN, class A, class B> struct tile_fp32 {
	enum { THREADS = LAUNCH_BLOCK, LD = BN + 4 };
	typedef fp32_operand<BM, A> operand_a;
	typedef fp32_operand<BN, B> operand_b;
	enum {
		SLICES = operand_a::FLOATS + operand_b::FLOATS,
		TILE = (BM + 1) * LD,
		FLOATS = SLICES > (int)TILE ? (int)SLICES : (int)TILE
	};
	float c[BM / 16][BN / 16];

	__device__ void multiply(const float *sa, const float *sb)
	{
		int m = (int)threadIdx.x / 16, n = (int)threadIdx.x % 16;
		UNROLL_4 /* unrolled further, two blocks would not fit in a multiprocessor's registers */
			for (int k = 0; k < TILE_K; k++)
		{
			float x[BM / 16], y[BN / 16];
			UNROLL
			for (int i = 0; i < BM / 16; i++)
				x[i] = operand_a::value(sa, m + 16 * i, k);
			UNROLL
			for (int i = 0; i < BN / 16; i++)
				y[i] = operand_b::value(sb, n + 16 * i, k);
			UNROLL
			for (int i = 0; i < BM / 16 * (BN / 16); i++)
				c[i / (BN / 16)][i % (BN / 16)] += x[i / (BN / 16)] * y[i % (BN / 16)];
		}
	}

	/* k from k0 up to end. sums: whether the sums of B's columns are added to column_sum. */
	template <int SUMS>
	__device__ void run(const A &a, const B &b, float *smem, int m0, int n0, int k0, int end, int sums, float4 &column_sum)
	{
		operand_a ra;
		operand_b rb;
		float *sa = smem, *sb = smem + operand_a::FLOATS;
		ra.init(a, m0), rb.init(b, n0);
		UNROLL
		for (int i = 0; i < BM / 16 * (BN / 16); i++)
			c[i / (BN / 16)][i % (BN / 16)] = 0;
		if (k0 < end)
			ra.load(a, k0, end), rb.load(b, k0, end);
		for (int k = k0; k < end; k += TILE_K) { /* main loop */
			UNROLL
			for (int i = 0; SUMS && sums && i < operand_b::PER_THREAD; i++)
				float4_add(&column_sum, rb.v[i]);
			ra.store(sa), rb.store(sb);
			__syncthreads();
			if (k + TILE_K < end)
				ra.load(a, k + TILE_K, end), rb.load(b, k + TILE_K, end);
			multiply(sa, sb);
			__syncthreads();
		}
	}

	/* The tile to shared memory, of leading dimension LD. A barrier must follow. */
	__device__ void store(float *to) const
	{
		int m = (int)threadIdx.x / 16, n = (int)threadIdx.x % 16;
		UNROLL
		for (int i = 0; i < BM / 16 * (BN / 16); i++)
			to[(m + i / (BN / 16) * 16) * LD + n + i % (BN / 16) * 16] = c[i / (BN / 16)][i % (BN / 16)];
	}
};

#endif
