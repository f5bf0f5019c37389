/* Tiled GEMM: C (M, N) = A (M, K) B (K, N), a thread block a tile of C; the main loop over K is in tile_gemm_kernel. Loaders read A and B
 * from global memory and an epilogue stores C, so that a convolution is an implicit GEMM, whose im2col matrix is never in memory (Chetlur
 * et al., 2014, "cuDNN", section 3), and bias, activation, max pool or optimizer step are fused with the GEMM before them. Loader: K_MAJOR,
 * 1 if four neighbours in memory are four k, 0 if they are four m (n); `struct position`, what is computed once a tile for a row m (n; for
 * four of them) by find(m); load(position, k, end): four values from (m, k) on, zeros from k = end on and outside of the matrix. Epilogue:
 * store(m, n, v, count): the values of (m, n), (m, n + 1), ... of which count are inside of C; n % 4 is 0. One with COLUMN_SUMS gets the
 * sums of B's columns, not rounded to tf32 or bf16, as row M; B's loader must then have K_MAJOR 0. Split-K: where there are fewer tiles
 * than multiprocessors, K is cut into splits, whose partial sums are added in a fixed order by split_k_reduce, a second launch: bits depend
 * on the shapes and on the GPU's number of multiprocessors. */
#ifndef TILE_H
#define TILE_H

#include "kernels/cuda/tile_mma.h"

enum { TILE_MAX_SPLITS = 512 };

/* The epilogue of a tile c (BM, BN; shared memory): float4 by float4 through store(), or, with WHOLE_TILE, by the epilogue's own tile(). */
template <int BM, int BN, class E>
static inline __device__ void tile_epilogue(const E &e, const float *c, int ld, int m0, int n0, int M, int N)
{
	if constexpr (E::WHOLE_TILE)
		e.template tile<BM, BN>(c, ld, m0, n0);
	else
		for (int i = (int)threadIdx.x; i < BM * BN / 4; i += LAUNCH_BLOCK) {
			int m = i / (BN / 4), n = i % (BN / 4) * 4;
			if (m0 + m < M && n0 + n < N)
				e.store(m0 + m, n0 + n, *(const float4 *)(c + m * ld + n), N - n0 - n < 4 ? N - n0 - n : 4);
		}
}

static inline __device__ void float4_add(float4 *sum, float4 v)
{
	sum->x += v.x, sum->y += v.y, sum->z += v.z, sum->w += v.w;
}

/* Sums of B's columns over the block's threads: those BN / 4 apart have loaded the same columns. */
template <int BN, class E> static inline __device__ void tile_column_sums(const E &e, float4 *smem, float4 column_sum, int M, int n0, int N)
{
	int n = n0 + (int)threadIdx.x * 4;
	smem[threadIdx.x] = column_sum;
	__syncthreads();
	for (int i = (int)threadIdx.x + BN / 4; (int)threadIdx.x < BN / 4 && i < LAUNCH_BLOCK; i += BN / 4)
		float4_add(&column_sum, smem[i]);
	if ((int)threadIdx.x < BN / 4 && n < N)
		e.store(M, n, column_sum, N - n < 4 ? N - n : 4);
	__syncthreads();
}

/* The GEMM kernel: tile (blockIdx.x), split of K (blockIdx.y). */
template <int P, int BM, int BN, class A, class B, class E>
static __global__ void __launch_bounds__(LAUNCH_BLOCK, 2) tile_gemm_kernel(A a, B b, E e, int M, int N, int K, int split_k)
{
	typedef tile_stage<P, BM, A> stage_a;
	typedef tile_stage<P, BN, B> stage_b;
	typedef typename tile_element<P>::type element;
	SHARED(unsigned char, smem);
	element *sa = (element *)smem, *sb = sa + stage_a::SIZE;
	int tiles = (M + BM - 1) / BM, m0 = (int)(blockIdx.x % (unsigned)tiles) * BM, n0 = (int)(blockIdx.x / (unsigned)tiles) * BN,
	    k0 = (int)blockIdx.y * split_k, end = K - k0 < split_k ? K : k0 + split_k;
	stage_a ra;
	stage_b rb;
	typename tile_mma<P, BM, BN, stage_a, stage_b>::type acc;
	float4 column_sum = make_float4(0, 0, 0, 0);
	ra.init(a, m0), rb.init(b, n0), acc.clear();
	if (k0 < end)
		ra.load_global(a, k0, end), rb.load_global(b, k0, end);
	for (int k = k0; k < end; k += TILE_K) { /* main loop */
		if constexpr (E::COLUMN_SUMS)
			rb.add_columns(&column_sum);
		ra.store_shared(sa), rb.store_shared(sb);
		__syncthreads();
		if (k + TILE_K < end) /* prefetch into registers during multiply */
			ra.load_global(a, k + TILE_K, end), rb.load_global(b, k + TILE_K, end);
		acc.multiply(sa, sb);
		__syncthreads();
	}
	e.split = (int)blockIdx.y;
	if constexpr (E::COLUMN_SUMS)
		if (!m0)
			tile_column_sums<BN>(e, (float4 *)smem, column_sum, M, n0, N);
	acc.store((float *)smem, BN + 4);
	__syncthreads();
	tile_epilogue<BM, BN>(e, (const float *)smem, BN + 4, m0, n0, M, N);
}

/* Epilogue of one split of K: partial sums p (splits, M, N4); M includes the row of column sums. */
template <int WITH_SUMS> struct split_k_partial {
	enum { WHOLE_TILE = 0, COLUMN_SUMS = WITH_SUMS };
	float *p;
	int M, N4, split;
	int unused = 0; /* explicit padding: the bytes of queued arguments are compared */
	__device__ void store(int m, int n, float4 v, int) const
	{
		*(float4 *)(p + ((size_t)split * (size_t)M + (size_t)m) * (size_t)N4 + (size_t)n) = v;
	}
};

/* Split-K reduction and the epilogue proper, for few splits: a thread a float4. */
template <class E> static __global__ void split_k_reduce(E e, const float *partial, int splits, int M, int N, struct divisor row_float4s)
{
	size_t i = launch_index();
	if (i >= (size_t)M * row_float4s.d)
		return;
	int m = fast_div(row_float4s, (int)i), n = ((int)i - m * (int)row_float4s.d) * 4;
	float4 sum = make_float4(0, 0, 0, 0);
	for (int s = 0; s < splits; s++)
		float4_add(&sum, *(const float4 *)(partial + (((size_t)s * (size_t)M + (size_t)m) * row_float4s.d + (size_t)n / 4) * 4));
	e.store(m, n, sum, N - n < 4 ? N - n : 4);
}

/* For many splits: a warp a float4. */
template <class E>
static __global__ void split_k_reduce_wide(E e, const float *partial, int splits, int M, int N, struct divisor row_float4s)
{
	int i = (int)(blockIdx.x * (LAUNCH_BLOCK / 32) + threadIdx.x / 32), lane = (int)threadIdx.x % 32,
	    inside = i < M * (int)row_float4s.d;
	int m = inside ? fast_div(row_float4s, i) : 0, n = inside ? (i - m * (int)row_float4s.d) * 4 : 0;
	float4 sum = make_float4(0, 0, 0, 0);
	for (int s = lane; s < splits; s += 32)
		float4_add(&sum, *(const float4 *)(partial + (((size_t)s * (size_t)M + (size_t)m) * row_float4s.d + (size_t)n / 4) * 4));
	for (int d = 16; d; d /= 2) {
		sum.x += __shfl_xor_sync(0xffffffffu, sum.x, d);
		sum.y += __shfl_xor_sync(0xffffffffu, sum.y, d);
		sum.z += __shfl_xor_sync(0xffffffffu, sum.z, d);
		sum.w += __shfl_xor_sync(0xffffffffu, sum.w, d);
	}
	if (inside && !lane)
		e.store(m, n, sum, N - n < 4 ? N - n : 4);
}

/* How a GEMM is cut into thread blocks. large: tiles of 128 x 64, else 64 x 32; splits: how many of K; split_k: the length of one along K.
 */
struct tiling {
	int large, splits, split_k;
};

static inline int ceil_div(int a, int b)
{
	return (a + b - 1) / b;
}

/* A large tile loads half as many values per multiply-add as a small one: chosen where large tiles, or their splits, are enough for all
 * multiprocessors, and M N padded to whole tiles is at most 1.5 times as large as with small ones. Split-K aims at two blocks a
 * multiprocessor, with at most one split per 4 TILE_K of K. whole_tile: the epilogue needs complete sums, so there is no split-K. */
static inline struct tiling tile_plan(const struct cuda *c, int M, int N, int K, int whole_tile)
{
	int64_t multiprocessors = c->gpu.multiprocessors, max_splits = ceil_div(K, 4 * TILE_K),
		large = (int64_t)ceil_div(M, 128) * ceil_div(N, 64), small = (int64_t)ceil_div(M, 64) * ceil_div(N, 32);
	max_splits = whole_tile ? 1 : max_splits < (int64_t)TILE_MAX_SPLITS ? max_splits : (int64_t)TILE_MAX_SPLITS;
	struct tiling tiling = {large >= multiprocessors || (small < multiprocessors && large * max_splits >= 2 * multiprocessors), 1, K};
	if (large * 8 > small * 3)
		tiling.large = 0;
	int64_t blocks = tiling.large ? large : small;
	if (!blocks) /* M 0: a phase of a gradient whose stride is beyond the image */
		return tiling;
	int64_t wanted = blocks < multiprocessors ? (2 * multiprocessors + blocks - 1) / blocks : 1;
	wanted = wanted < max_splits ? wanted : max_splits;
	if (wanted < 2)
		return tiling;
	tiling.split_k = ceil_div(ceil_div(K, (int)wanted), TILE_K) * TILE_K;
	tiling.splits = ceil_div(K, tiling.split_k);
	return tiling;
}

/* Bytes of cuda_workspace that tile_gemm needs for partial sums; a multiple of 16. column_sums: 1 where the epilogue has COLUMN_SUMS. */
static inline size_t tile_workspace_size(const struct cuda *c, int M, int N, int K, int column_sums)
{
	struct tiling tiling = tile_plan(c, M, N, K, 0);
	return tiling.splits > 1 ? (size_t)tiling.splits * (size_t)(M + column_sums) * (size_t)cuda_c4(N) * sizeof(float) : 0;
}

template <int P, int BM, int BN, class A, class B, class E>
static void tile_launch(struct cuda *c, const A &a, const B &b, const E &e, int M, int N, int K, struct tiling tiling)
{
	size_t operand_bytes =
		       (size_t)((int)tile_stage<P, BM, A>::SIZE + (int)tile_stage<P, BN, B>::SIZE) * sizeof(typename tile_element<P>::type),
	       result_bytes = (size_t)BM * (BN + 4) * sizeof(float);
	dim3 grid((unsigned)ceil_div(M, BM) * (unsigned)ceil_div(N, BN), (unsigned)tiling.splits);
	static const char *const name[][2] = {{"tile_gemm_kernel fp32 64x32", "tile_gemm_kernel fp32 128x64"},
		{"tile_gemm_kernel tf32 64x32", "tile_gemm_kernel tf32 128x64"},
		{"tile_gemm_kernel bf16 64x32", "tile_gemm_kernel bf16 128x64"}};
	void (*kernel)(A, B, E, int, int, int, int) = tile_gemm_kernel<P, BM, BN, A, B, E>;
	launch_add(&c->q, name[P][BM == 128], 0, grid, dim3(LAUNCH_BLOCK), operand_bytes > result_bytes ? operand_bytes : result_bytes,
		kernel, a, b, e, M, N, K, tiling.split_k);
}

template <int P, class A, class B, class E>
static void tile_launch_by_size(struct cuda *c, const A &a, const B &b, const E &e, int M, int N, int K, struct tiling tiling)
{
	if (tiling.large)
		tile_launch<P, 128, 64>(c, a, b, e, M, N, K, tiling);
	else
		tile_launch<P, 64, 32>(c, a, b, e, M, N, K, tiling);
}

template <class A, class B, class E>
static void tile_launch_by_precision(struct cuda *c, const A &a, const B &b, const E &e, int M, int N, int K, struct tiling tiling)
{
	if (c->precision == PRECISION_TF32)
		tile_launch_by_size<PRECISION_TF32>(c, a, b, e, M, N, K, tiling);
	else if (c->precision == PRECISION_BF16)
		tile_launch_by_size<PRECISION_BF16>(c, a, b, e, M, N, K, tiling);
	else
		tile_launch_by_size<PRECISION_FP32>(c, a, b, e, M, N, K, tiling);
}

/* C = A B by loaders a and b, C to epilogue e. partial: tile_workspace_size bytes. */
template <class A, class B, class E>
static void tile_gemm(struct cuda *c, const A &a, const B &b, const E &e, int M, int N, int K, float *partial)
{
	struct tiling tiling = tile_plan(c, M, N, K, 0);
	if (tiling.splits == 1) {
		tile_launch_by_precision(c, a, b, e, M, N, K, tiling);
		return;
	}
	int row_float4s = cuda_c4(N) / 4, rows = M + E::COLUMN_SUMS;
	struct split_k_partial<E::COLUMN_SUMS> p = {
		partial, rows, cuda_c4(N), 0
	};
	tile_launch_by_precision(c, a, b, p, M, N, K, tiling);
	void (*reduce)(E, const float *, int, int, int, struct divisor) = split_k_reduce<E>;
	void (*reduce_wide)(E, const float *, int, int, int, struct divisor) = split_k_reduce_wide<E>;
	if (tiling.splits <= 16)
		launch_add(&c->q, "split_k_reduce", 1, dim3(launch_blocks((size_t)rows * (size_t)row_float4s)), dim3(LAUNCH_BLOCK), 0,
			reduce, e, partial, tiling.splits, rows, N, divisor(row_float4s));
	else
		launch_add(&c->q, "split_k_reduce_wide", 0, dim3((unsigned)ceil_div(rows * row_float4s, LAUNCH_BLOCK / 32)),
			dim3(LAUNCH_BLOCK), 0, reduce_wide, e, partial, tiling.splits, rows, N, divisor(row_float4s));
}

/* Loader of a plain matrix (MN, K), leading dimension ld. */
struct loader_k_major {
	enum { K_MAJOR = 1 };
	struct position {
		int row; /* -1: outside */
	};
	const float *p;
	size_t ld;
	int MN, aligned; /* aligned: rows begin at multiples of 16 bytes */
	__device__ position find(int mn) const
	{
		position a = {mn < MN ? mn : -1};
		return a;
	}
	__device__ float4 load(position a, int k, int end) const
	{
		float4 v = make_float4(0, 0, 0, 0);
		if (a.row < 0 || k >= end)
			return v;
		const float *from = p + (size_t)a.row * ld + k;
		if (aligned && k + 4 <= end)
			return *(const float4 *)from;
		v.x = from[0];
		v.y = k + 1 < end ? from[1] : 0;
		v.z = k + 2 < end ? from[2] : 0;
		v.w = k + 3 < end ? from[3] : 0;
		return v;
	}
};

/* Loader of a plain matrix (K, MN), leading dimension ld; its rows from k = second_k on are those of a second matrix (or NULL). */
struct loader_mn_major {
	enum { K_MAJOR = 0 };
	struct position {
		int mn;
	};
	const float *p, *second;
	size_t ld;
	int second_k, MN, aligned;
	int unused = 0; /* explicit padding, see split_k_partial */
	__device__ position find(int mn) const
	{
		position a = {mn};
		return a;
	}
	__device__ float4 load(position a, int k, int end) const
	{
		float4 v = make_float4(0, 0, 0, 0);
		if (k >= end || a.mn >= MN)
			return v;
		const float *from = (k < second_k ? p + (size_t)k * ld : second + (size_t)(k - second_k) * ld) + a.mn;
		if (aligned && a.mn + 4 <= MN)
			return *(const float4 *)from;
		v.x = from[0];
		v.y = a.mn + 1 < MN ? from[1] : 0;
		v.z = a.mn + 2 < MN ? from[2] : 0;
		v.w = a.mn + 3 < MN ? from[3] : 0;
		return v;
	}
};

static inline int tile_aligned(const float *p, size_t ld)
{
	return ld % 4 == 0 && cuda_float4_aligned(p, NULL, NULL, NULL);
}

static inline struct loader_k_major k_major(const float *p, size_t ld, int MN)
{
	struct loader_k_major r = {p, ld, MN, tile_aligned(p, ld)};
	return r;
}

static inline struct loader_mn_major mn_major(const float *p, const float *second, int second_k, size_t ld, int MN)
{
	struct loader_mn_major l = {p, second, ld, second_k, MN, tile_aligned(p, ld) && (!second || tile_aligned(second, ld))};
	return l;
}

/* out (N) = sums of columns of x (rows, N), leading dimension ld; partial: cuda_column_sums_size bytes. In dense.cu. */
size_t cuda_column_sums_size(size_t rows, int N);
void cuda_column_sums(struct cuda *c, float *out, const float *x, size_t rows, size_t ld, int N, float *partial);

#endif
