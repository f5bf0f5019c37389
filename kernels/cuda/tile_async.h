/* The main loop of the GEMM (tile.h) by tensor cores, tf32 and bf16, for compute capability 8.0 and later: a pipeline of STAGES slices of
 * TILE_K k in shared memory. While warps multiply one slice, cp.async copies the next ones from global memory; one barrier a slice.
 * Slices are fp32 as in memory; fragments are rounded in registers. Four warps, each a WARP_M x WARP_N part of the block's tile; where
 * those are two, a slice's k are shared by pairs of warps (WK), whose sums are added at the end. Chunks of 16 bytes lie where their index
 * XOR the row's says, so that no access has bank conflicts: copies 8 chunks of a row at once, ldmatrix 8 rows of a chunk, and where
 * four neighbours in memory are four m (n), lds 4 k of 8 m. */
#ifndef TILE_ASYNC_H
#define TILE_ASYNC_H

#include "kernels/cuda/ptx.h"
#include "kernels/cuda/tile_fp32.h"

enum { ASYNC_THREADS = 128 };

#if TENSOR_CORES
/* Where a loader's four values go, see to_registers in tile_fp32.h. */
struct to_shared {
	float *s;
	const float *any; /* an address that can be read: nothing is read of it, where zeros are copied */
	__device__ void four(const float *p, int inside)
	{
		cp_async<16>(s, p, inside ? 16 : 0);
	}
	__device__ void four(const float *p)
	{
		four(p ? p : any, p != NULL);
	}
	__device__ void one(int i, const float *p)
	{
		cp_async<4>(s + i, p ? p : any, p ? 4 : 0);
	}
};

/* MN x TILE_K of A or B by loader L: its copies to shared memory and its fragments. What a loader COMPUTES can't be copied: it goes through
 * registers, loaded before the multiplication of a slice and stored after it. */
template <int MN, class L> struct async_operand {
	enum {
		LD = L::K_MAJOR ? TILE_K : (MN + 31) / 32 * 32, /* floats of a row of shared memory */
		ROW_CHUNKS = (L::K_MAJOR ? TILE_K : MN) / 4,
		PER_THREAD = MN * TILE_K / 4 / ASYNC_THREADS, /* chunks a thread */
		/* rows (columns) of the matrix that a thread copies from */
		POSITIONS = L::K_MAJOR || ASYNC_THREADS % ROW_CHUNKS ? PER_THREAD : 1,
		FLOATS = (L::K_MAJOR ? MN : TILE_K) * LD
	};
	typename L::position pos[POSITIONS];
	float4 v[L::COMPUTES ? PER_THREAD : 1];
	__device__ void init(const L &l, int mn0)
	{
		UNROLL
		for (int i = 0; i < POSITIONS; i++) {
			int e = (int)threadIdx.x + i * ASYNC_THREADS;
			pos[i] = l.find(mn0 + (L::K_MAJOR ? e / ROW_CHUNKS : e % ROW_CHUNKS * 4));
		}
	}
	static __device__ int chunk_at(int row, int chunk) /* in floats */
	{
		return row * LD + (chunk ^ (L::K_MAJOR ? row % 8 : row % 4 * 2)) * 4;
	}
	__device__ void copy(const L &l, float *s, int k0, int end)
	{
		UNROLL
		for (int i = 0; i < PER_THREAD; i++) {
			int e = (int)threadIdx.x + i * ASYNC_THREADS, row = e / ROW_CHUNKS, chunk = e % ROW_CHUNKS;
			typename L::position p = pos[POSITIONS > 1 ? i : 0];
			int k = k0 + (L::K_MAJOR ? chunk * 4 : row);
			if constexpr (L::COMPUTES) {
				v[i] = l.compute(p, k, end);
			} else {
				struct to_shared to = {s + chunk_at(row, chunk), l.base()};
				l.load(to, p, k, end);
			}
		}
	}
	__device__ void store(float *s) const
	{
		UNROLL
		for (int i = 0; L::COMPUTES && i < PER_THREAD; i++) {
			int e = (int)threadIdx.x + i * ASYNC_THREADS;
			*(float4 *)(s + chunk_at(e / ROW_CHUNKS, e % ROW_CHUNKS)) = v[i];
		}
	}
	/* N fragments (of A, m16 k8, or of B, two of n8 k8) from row mn on, at k: register i is (mn + g + 8 (i % 2), k + t + 4 (i / 2)) of
	 * A, (mn + g + 8 (i / 2), k + t + 4 (i % 2)) of B. */
	template <int N, int B> static __device__ void fragments(unsigned (*r)[4], const float *s, int mn, int k)
	{
		int lane = (int)threadIdx.x % 32, up = B ? lane / 16 : lane / 8 % 2, right = B ? lane / 8 % 2 : lane / 16;
		if constexpr (L::K_MAJOR) {
			ldmatrix<N>(r, s + chunk_at(mn + up * 8 + lane % 8, k / 4 + right), 16 * LD);
		} else {
			/* chunk_at(...) + g % 4: of the sum only what is XORed differs between lanes, mn being a multiple of 32, or 16
			 * where N is 1 */
			int flip = lane % 4 * 2 ^ mn % 32 / 4;
			UNROLL
			for (int i = 0; i < N * 4; i++) {
				int chunk = i / 4 * 4 + 2 * (B ? i % 4 / 2 : i % 2), row = k + lane % 4 + 4 * (B ? i % 2 : i % 4 / 2);
				r[i / 4][i % 4] = lds(s + row * LD + mn / 32 * 32 + chunk / 8 * 32 + (chunk % 8 ^ flip) * 4 + lane / 4);
			}
		}
	}
};

template <int P, int BM, int BN, class A, class B> struct tile_async {
	enum { THREADS = ASYNC_THREADS, LD = BN + 8 };
	enum { BF16 = P == PRECISION_BF16, WARP_M = BM < 128 ? BM : BM / 2, WM = BM / WARP_M };
	enum { WARP_N = BM < 64 ? 16 : !BF16 && BM <= 128 && WM * BN >= 128 ? 64 : 32 }; /* as registers hold sums and fragments */
	enum { WN = BN / WARP_N, WK = 4 / (WM * WN), FM = WARP_M / 16, FN = WARP_N / 8 };
	enum { STEP = BF16 ? 16 : 8, STEPS = TILE_K / WK / STEP };
	typedef async_operand<BM, A> operand_a;
	typedef async_operand<BN, B> operand_b;
	enum { SLICE = operand_a::FLOATS + operand_b::FLOATS, STAGES = SLICE * 16 <= (64 << 10) ? 4 : 3 };
	enum { TILE = (BM + 1) * LD, FLOATS = SLICE * STAGES > (int)TILE ? SLICE *STAGES : (int)TILE };
	static_assert(WM * WN * WK == 4 && STEPS > 0 && (A::K_MAJOR || WARP_M % 32 == 0), "no such tile");

	float c[FM][FN][4];

	/* Copies the slice from k on to a stage. */
	static __device__ void copy(operand_a &ra, operand_b &rb, const A &a, const B &b, float *stage, int k, int end)
	{
		ra.copy(a, stage, k, end), rb.copy(b, stage + operand_a::FLOATS, k, end);
	}

	struct raw { /* fragments of 8 k, as they are in shared memory */
		unsigned a[FM][4], b[FN / 2][4];
		__device__ void load(const float *stage, int m, int n, int k)
		{
			operand_a::template fragments<FM, 0>(a, stage, m, k);
			operand_b::template fragments<FN / 2, 1>(b, stage + operand_a::FLOATS, n, k);
		}
		/* To factors of an instruction: of its k all in tf32, half h in bf16, where k and k + 4 share a register: which k are where
		 * doesn't matter, if it is the same in A and B. */
		__device__ void round(unsigned (*fa)[4], unsigned (*fb)[2], int h) const
		{
			UNROLL
			for (int i = 0; i < FM * (BF16 ? 2 : 4); i++) {
				int f = BF16 ? i / 2 : i / 4, q = BF16 ? i % 2 : i % 4;
				fa[f][2 * h + q] = BF16 ? pack_bf16(a[f][q], a[f][(q + 2) % 4]) : round_tf32(a[f][q]);
			}
			UNROLL
			for (int i = 0; i < FN * (BF16 ? 1 : 2); i++) {
				int f = BF16 ? i : i / 2, q = BF16 ? 0 : i % 2, up = f % 2 * 2;
				fb[f][h + q] = BF16 ? pack_bf16(b[f / 2][up], b[f / 2][up + 1]) : round_tf32(b[f / 2][up + q]);
			}
		}
	};

	__device__ void multiply_slice(const float *stage)
	{
		/* a step's fragments are loaded before the step before it is multiplied, where registers hold both and sums */
		enum { AHEAD = A::K_MAJOR && B::K_MAJOR && !BF16 && 4 * FM * FN + 2 * (4 * FM + 2 * FN) <= 192 };
		int w = (int)threadIdx.x / 32, m = w / WN % WM * WARP_M, n = w % WN * WARP_N, k = w / (WN * WM) * (TILE_K / WK);
		struct raw r[1 + AHEAD];
		if (AHEAD)
			r[0].load(stage, m, n, k);
		UNROLL
		for (int s = 0; s < STEPS; s++) {
			unsigned fa[FM][4], fb[FN][2];
			UNROLL
			for (int h = 0; h < STEP / 8; h++) {
				if (!AHEAD)
					r[0].load(stage, m, n, k + s * STEP + 8 * h);
				else if (s + 1 < STEPS)
					r[(s + 1) % 2 * AHEAD].load(stage, m, n, k + (s + 1) * STEP);
				r[s % 2 * AHEAD].round(fa, fb, h);
			}
			mma<BF16, FM, FN>(c, fa, fb);
		}
	}

	/* Adds a slice of B to the sums of its columns: a thread four columns, of every THREADS / (BN / 4)th k. */
	static __device__ void add_columns(float4 &sum, const float *sb)
	{
		UNROLL
		for (int k = (int)threadIdx.x / (BN / 4); k < TILE_K; k += THREADS / (BN / 4)) {
			float4 v = *(const float4 *)(sb + operand_b::chunk_at(k, (int)threadIdx.x % (BN / 4)));
			sum.x += v.x, sum.y += v.y, sum.z += v.z, sum.w += v.w;
		}
	}

	/* k from k0 up to end. sums: whether the sums of B's columns are added to column_sum. */
	template <int SUMS>
	__device__ void run(const A &a, const B &b, float *smem, int m0, int n0, int k0, int end, int sums, float4 &column_sum)
	{
		operand_a ra;
		operand_b rb;
		int slices = end > k0 ? (end - k0 + TILE_K - 1) / TILE_K : 0;
		ra.init(a, m0), rb.init(b, n0);
		UNROLL
		for (int i = 0; i < FM * FN * 4; i++)
			c[i / (FN * 4)][i / 4 % FN][i % 4] = 0;
		for (int i = 0; i < STAGES - 1; i++) {
			if (i < slices) {
				copy(ra, rb, a, b, smem + i * SLICE, k0 + i * TILE_K, end);
				ra.store(smem + i * SLICE), rb.store(smem + i * SLICE + operand_a::FLOATS);
			}
			cp_async_commit();
		}
		float *now = smem, *next = smem + (STAGES - 1) * SLICE; /* the stages that are multiplied and filled */
		for (int i = 0; i < slices; i++) {			/* main loop */
			cp_async_wait<STAGES - 2>();
			__syncthreads(); /* slice i is there for all, and all have read `next`, slice i - 1 */
			int more = i + STAGES - 1 < slices;
			if (more)
				copy(ra, rb, a, b, next, k0 + (i + STAGES - 1) * TILE_K, end);
			cp_async_commit(); /* at the end an empty group, so that groups are counted alike */
			if (SUMS && sums)
				add_columns(column_sum, now + operand_a::FLOATS);
			multiply_slice(now);
			if (more)
				ra.store(next), rb.store(next + operand_a::FLOATS);
			next = now, now = now + SLICE == smem + STAGES * SLICE ? smem : now + SLICE;
		}
		__syncthreads(); /* the last slice has been read; groups still under way are empty */
	}

	/* The tile to shared memory, of leading dimension LD; of warps that share a part, one after the other. A barrier must follow. */
	__device__ void store(float *to) const
	{
		int w = (int)threadIdx.x / 32, lane = (int)threadIdx.x % 32, m = w / WN % WM * WARP_M + lane / 4,
		    n = w % WN * WARP_N + lane % 4 * 2;
		for (int part = 0; part < WK; part++) {
			if (part)
				__syncthreads();
			UNROLL
			for (int i = 0; i < FM * FN * 2; i++) {
				const float *v = &c[i / (FN * 2)][i / 2 % FN][i % 2 * 2];
				float2 *p = (float2 *)(to + (m + i / (FN * 2) * 16 + i % 2 * 8) * LD + n + i / 2 % FN * 8);
				if (part == w / (WN * WM))
					*p = part ? make_float2(p->x + v[0], p->y + v[1]) : make_float2(v[0], v[1]);
			}
		}
	}
};
#endif

#endif
