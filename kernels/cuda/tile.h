/* Tiled GEMM: C (M, N) = A (M, K) B (K, N), a thread block a tile of C; the main loop over K is in tile_gemm_kernel. Loaders read A and B
 * from global memory and an epilogue stores C, so that a convolution is an implicit GEMM, whose im2col matrix is never in memory (Chetlur
 * et al., 2014, "cuDNN", section 3), and bias, activation, max pool or optimizer step are fused with the GEMM before them. Loader: K_MAJOR,
 * 1 if four neighbours in memory are four k, 0 if they are four m (n); `struct position`, what is computed once a tile for a row m (n; for
 * four of them) by find(m); load(to, position, k, end): says where the four values from (m, k) on are (to.four, to.one), zeros from k = end
 * on and outside of the matrix, so that they can be copied past registers; base(): any address that can be read; or, where values must be
 * computed, COMPUTES 1 and compute(position, k, end), which returns them. Of A with PHASES 1, blockIdx.z is one of several GEMMs in
 * one launch, of rows() M and depth() K. Epilogue: store(m, n, v, count): the values of (m, n), (m, n + 1), ... of which count are inside
 * of C; n % 4 is 0. One with COLUMN_SUMS gets the sums of B's columns, not rounded to tf32 or bf16, as row M; B's loader must then have
 * K_MAJOR 0. One with TILE_SUMS gets two sums of each column of C (tile_sum_columns). Split-K: where tiles alone keep multiprocessors less
 * busy, K is cut into splits, whose partial sums the last of a tile's blocks (last_block.h) adds in a fixed order: bits depend on the
 * shapes and on the GPU's number of multiprocessors. */
#ifndef TILE_H
#define TILE_H

#include "kernels/cuda/last_block.h"
#include "kernels/cuda/tile_plan.h"

/* The epilogue of a tile c (BM, BN; shared memory), whose row BM are the sums of B's columns: float4 by float4 through store(), or, with
 * WHOLE_TILE, by the epilogue's own tile(). */
template <int BM, int BN, class E>
static inline __device__ void tile_epilogue(const E &e, const float *c, int ld, int m0, int n0, int M, int N)
{
	if constexpr (E::WHOLE_TILE)
		e.template tile<BM, BN>(c, ld, m0, n0);
	else
		for (int i = (int)threadIdx.x; i < BM * BN / 4; i += (int)blockDim.x) {
			int m = i / (BN / 4), n = i % (BN / 4) * 4;
			if (m0 + m < M && n0 + n < N)
				e.store(m0 + m, n0 + n, *(const float4 *)(c + m * ld + n), N - n0 - n < 4 ? N - n0 - n : 4);
		}
	int n = n0 + (int)threadIdx.x * 4;
	if constexpr (E::COLUMN_SUMS)
		if (!m0 && (int)threadIdx.x < BN / 4 && n < N)
			e.store(M, n, *(const float4 *)(c + BM * ld + (int)threadIdx.x * 4), N - n < 4 ? N - n : 4);
}

/* Sums of B's columns over the block's threads, to its first BN / 4: those BN / 4 apart have loaded the same columns. */
template <int BN> static inline __device__ float4 tile_column_sums(float4 *smem, float4 column_sum)
{
	smem[threadIdx.x] = column_sum;
	__syncthreads();
	for (int i = (int)threadIdx.x + BN / 4; (int)threadIdx.x < BN / 4 && i < (int)blockDim.x; i += BN / 4)
		float4_add(&column_sum, smem[i]);
	__syncthreads();
	return column_sum;
}

/* Of an epilogue with TILE_SUMS: each tile's sums (row tiles of all phases, 2, N4), and a counter for each column of tiles. */
struct tile_sums {
	float *p;
	unsigned *counters;
	int N4;
	int unused = 0; /* explicit padding: the bytes of queued arguments are compared */
};

struct tile_totals { /* of one column */
	double first, second;
};

/* Sums of columns over all rows: those of tile t of `tiles` along M, phase blockIdx.z, are stored (partial() may change them before), and
 * the last block of a column of tiles adds them up by add(), in their order, and calls finish() with each column's totals. */
template <int BM, int BN, int THREADS, class E>
static inline __device__ void tile_sum_columns(
	const E &e, float4 first, float4 second, float4 origin, float *smem, int t, int tiles, int rows, int n0, int N)
{
	enum { QUADS = BN / 4, LANES = THREADS / QUADS, LOADS = THREADS > 128 ? 4 : 8 };
	int quad = (int)threadIdx.x % QUADS, lane = (int)threadIdx.x / QUADS, n = n0 + quad * 4, all = tiles * (int)gridDim.z;
	size_t N4 = (size_t)e.sums.N4;
	float4 *s = (float4 *)(void *)smem;
	__syncthreads(); /* the tile has been read */
	s[threadIdx.x] = first, s[THREADS + (int)threadIdx.x] = second;
	__syncthreads();
	if (!lane && n < N && rows > 0) {
		for (int i = QUADS + quad; i < THREADS; i += QUADS)
			float4_add(&first, s[i]), float4_add(&second, s[THREADS + i]);
		e.partial(&first, &second, origin, n, rows);
		float *to = e.sums.p + (size_t)(t + (int)blockIdx.z * tiles) * 2 * N4 + (size_t)n;
		*(float4 *)(void *)to = first, *(float4 *)(void *)(to + N4) = second;
	}
	if (!last_block(e.sums.counters + n0 / BN, (unsigned)all, (int *)(void *)smem))
		return;
	struct tile_totals total[4] = {};
	const float *p = e.sums.p + (n < N ? n : n0); /* of columns that these blocks have summed */
	float4 zero = make_float4(0, 0, 0, 0), begin = *(const float4 *)(const void *)p;
	for (int i = lane; i < all; i += LANES * LOADS) {
		float4 v[LOADS], w[LOADS];
		UNROLL
		for (int k = 0; k < LOADS; k++) { /* under way together */
			int at = i + k * LANES, some = at < all && e.template tile_rows<BM>(at, tiles) > 0;
			const float *from = p + (size_t)at * 2 * N4;
			v[k] = some ? *(const float4 *)(const void *)from : zero,
			w[k] = some ? *(const float4 *)(const void *)(from + N4) : zero;
		}
		UNROLL
		for (int k = 0; k < LOADS; k++) {
			int at = i + k * LANES, height = at < all ? e.template tile_rows<BM>(at, tiles) : 0;
			if (height <= 0)
				continue;
			e.add(&total[0], v[k].x, w[k].x, begin.x, height), e.add(&total[1], v[k].y, w[k].y, begin.y, height);
			e.add(&total[2], v[k].z, w[k].z, begin.z, height), e.add(&total[3], v[k].w, w[k].w, begin.w, height);
		}
	}
	struct tile_totals *each = (struct tile_totals *)(void *)smem;
	float begins[4] = {begin.x, begin.y, begin.z, begin.w};
	UNROLL
	for (int k = 0; k < 4; k++) {
		each[threadIdx.x] = total[k];
		__syncthreads();
		for (int i = QUADS + quad; !lane && i < THREADS; i += QUADS)
			total[k].first += each[i].first, total[k].second += each[i].second;
		if (!lane && n + k < N)
			e.finish(n + k, total[k], begins[k]);
		__syncthreads();
	}
}

/* tile_epilogue with sums: store() adds to them; a thread has four columns. */
template <int BM, int BN, int THREADS, class E>
static inline __device__ void tile_epilogue_sums(const E &e, float *c, int ld, int m0, int n0, int M, int N, int tiles)
{
	int n = n0 + (int)threadIdx.x % (BN / 4) * 4, rows = M - m0 < BM ? M - m0 : BM;
	float4 first = make_float4(0, 0, 0, 0), second = first, origin = n < N ? e.origin(c + n - n0, n) : first;
	for (int m = (int)threadIdx.x / (BN / 4); n < N && m < rows; m += THREADS / (BN / 4))
		e.store(m0 + m, n, *(const float4 *)(c + m * ld + n - n0), origin, &first, &second);
	tile_sum_columns<BM, BN, THREADS>(e, first, second, origin, c, m0 / BM, tiles, rows, n0, N);
}

/* Partial sums of splits of K: of each tile, of each split, (ROWS, BN). Splits are added in groups of `group`, by the last block of each,
 * and the groups by the last of those. */
struct split_sums {
	float *p;
	unsigned *counters; /* of a tile: one a group, one of all groups */
	int group, groups;
};

/* The sum of `count` partial sums, `stride` float4s apart, to c: those of row BM only where m0 is 0. */
template <int BM, int BN, int ROWS>
static inline __device__ void tile_add_partials(
	float *c, int ld, const float4 *from, int count, size_t stride, int m0, int rows, int columns)
{
	enum { LOADS = 8 };
	for (int i = (int)threadIdx.x; i < ROWS * BN / 4; i += (int)blockDim.x) {
		int m = i / (BN / 4), n = i % (BN / 4) * 4;
		if (n >= columns || (m == BM ? m0 : m >= rows))
			continue;
		float4 sum = make_float4(0, 0, 0, 0), v[LOADS];
		for (int at = 0; at < count; at += LOADS) { /* so many loads of a thread are under way */
			UNROLL
			for (int k = 0; k < LOADS; k++)
				v[k] = at + k < count ? from[(size_t)(at + k) * stride + (size_t)i] : make_float4(0, 0, 0, 0);
			UNROLL
			for (int k = 0; k < LOADS; k++)
				float4_add(&sum, v[k]);
		}
		*(float4 *)(c + m * ld + n) = sum;
	}
	__syncthreads();
}

template <int BM, int BN, int ROWS>
static inline __device__ void tile_store_partial(float4 *to, const float *c, int ld, int m0, int rows, int columns)
{
	for (int i = (int)threadIdx.x; i < ROWS * BN / 4; i += (int)blockDim.x) {
		int m = i / (BN / 4), n = i % (BN / 4) * 4;
		if (n < columns && (m == BM ? !m0 : m < rows))
			to[i] = *(const float4 *)(c + m * ld + n);
	}
}

/* The tile c of one split becomes that of all of them, in one of its blocks, which returns 1. rows, columns: of the tile inside of C. */
template <int BM, int BN, int ROWS>
static inline __device__ int tile_add_splits(struct split_sums s, float *c, int ld, int m0, int rows, int columns)
{
	enum { FLOAT4S = ROWS * BN / 4 };
	int tile = (int)(blockIdx.x + gridDim.x * blockIdx.z), splits = (int)gridDim.y, group = (int)blockIdx.y / s.group,
	    first = group * s.group, members = splits - first < s.group ? splits - first : s.group;
	float4 *all = (float4 *)(void *)s.p + (size_t)tile * (size_t)splits * FLOAT4S;
	unsigned *counters = s.counters + tile * (s.groups + 1);
	int *flag = (int *)(void *)c;
	tile_store_partial<BM, BN, ROWS>(all + (size_t)blockIdx.y * FLOAT4S, c, ld, m0, rows, columns);
	if (!last_block(counters + group, (unsigned)members, flag))
		return 0;
	tile_add_partials<BM, BN, ROWS>(c, ld, all + (size_t)first * FLOAT4S, members, FLOAT4S, m0, rows, columns);
	if (s.groups == 1)
		return 1;
	tile_store_partial<BM, BN, ROWS>(all + (size_t)first * FLOAT4S, c, ld, m0, rows, columns);
	if (!last_block(counters + s.groups, (unsigned)s.groups, flag))
		return 0;
	tile_add_partials<BM, BN, ROWS>(c, ld, all, s.groups, (size_t)s.group * FLOAT4S, m0, rows, columns);
	return 1;
}

/* Which main loop; before 8.0 that of tensor cores is only a name. */
template <int P, int BM, int BN, class A, class B> struct tile_loop {
#if TENSOR_CORES
	typedef tile_async<P, BM, BN, A, B> type;
#else
	typedef tile_fp32<64, 32, A, B> type;
#endif
};
template <int BM, int BN, class A, class B> struct tile_loop<PRECISION_FP32, BM, BN, A, B> {
	typedef tile_fp32<BM, BN, A, B> type;
};

template <int P, int BM, int BN, class A, class B, class E>
static inline __device__ void tile_of_block(
	const A &a, const B &b, const E &e, int M, int N, int K, int split_k, const struct split_sums &splits)
{
	typedef typename tile_loop<P, BM, BN, A, B>::type loop;
	enum { LD = loop::LD };
	SHARED(float, c);
	int tiles = (M + BM - 1) / BM, m0 = (int)(blockIdx.x % (unsigned)tiles) * BM, n0 = (int)(blockIdx.x / (unsigned)tiles) * BN;
	if constexpr (A::PHASES) {
		M = a.rows(), K = a.depth();
		split_k = (K + (int)gridDim.y * TILE_K - 1) / ((int)gridDim.y * TILE_K) * TILE_K;
	}
	int k0 = (int)blockIdx.y * split_k, end = K - k0 < split_k ? K : k0 + split_k;
	float4 column_sum = make_float4(0, 0, 0, 0);
	loop acc;
	acc.template run<E::COLUMN_SUMS>(a, b, c, m0, n0, k0, end, !m0, column_sum);
	if constexpr (E::COLUMN_SUMS)
		if (!m0)
			column_sum = tile_column_sums<BN>((float4 *)c, column_sum);
	acc.store(c);
	if constexpr (E::COLUMN_SUMS)
		if (!m0 && (int)threadIdx.x < BN / 4)
			*(float4 *)(c + BM * LD + (int)threadIdx.x * 4) = column_sum;
	__syncthreads();
	if (gridDim.y > 1 && !tile_add_splits<BM, BN, BM + E::COLUMN_SUMS>(splits, c, LD, m0, M - m0, N - n0))
		return;
	if constexpr (E::TILE_SUMS)
		tile_epilogue_sums<BM, BN, loop::THREADS>(e, c, LD, m0, n0, M, N, tiles);
	else
		tile_epilogue<BM, BN>(e, c, LD, m0, n0, M, N);
}

/* The GEMM kernel: tile (blockIdx.x), split of K (blockIdx.y), phase (blockIdx.z): M is the largest of them. It is empty for GPUs before
 * 8.0 where it needs tensor cores: the backend does not launch it there. */
template <int P, int BM, int BN, class A, class B, class E>
static __global__ void __launch_bounds__(P == PRECISION_FP32 ? LAUNCH_BLOCK : ASYNC_THREADS, 2)
	tile_gemm_kernel(A a, B b, E e, int M, int N, int K, int split_k, struct split_sums splits)
{
	if constexpr (P == PRECISION_FP32 || TENSOR_CORES)
		tile_of_block<P, BM, BN>(a, b, e, M, N, K, split_k, splits);
}

template <int P, int BM, int BN, class A, class B, class E>
static void tile_launch(struct cuda *c, const char *name, const A &a, const B &b, const E &e, int M, int N, int K, struct tiling tiling,
	float *partial, int phases)
{
	typedef typename tile_loop<P, BM, BN, A, B>::type loop;
	dim3 grid((unsigned)ceil_div(M, BM) * (unsigned)ceil_div(N, BN), (unsigned)tiling.splits, (unsigned)phases);
	void (*kernel)(A, B, E, int, int, int, int, struct split_sums) = tile_gemm_kernel<P, BM, BN, A, B, E>;
	struct split_sums splits = {tiling.splits > 1 ? partial : NULL, c->counters, tiling.group, ceil_div(tiling.splits, tiling.group)};
	launch_add(&c->q, name, 0, grid, dim3(loop::THREADS), (int)loop::FLOATS * sizeof(float), kernel, a, b, e, M, N, K, tiling.split_k,
		splits);
}

template <class A, class B, class E>
static void tile_launch_by_size(
	struct cuda *c, const A &a, const B &b, const E &e, int M, int N, int K, struct tiling tiling, float *partial, int phases = 1)
{
#define TILE_LAUNCH(P, p, BM, BN)                                                                                                          \
	if (c->precision == P && tiling.m == BM && tiling.n == BN)                                                                         \
	tile_launch<P, BM, BN>(c, "tile_gemm_kernel " p " " #BM "x" #BN, a, b, e, M, N, K, tiling, partial, phases)
#define TILE_LAUNCH_ASYNC(BM, BN)                                                                                                          \
	TILE_LAUNCH(PRECISION_TF32, "tf32", BM, BN);                                                                                       \
	TILE_LAUNCH(PRECISION_BF16, "bf16", BM, BN)
	TILE_LAUNCH(PRECISION_FP32, "fp32", 128, 64);
	TILE_LAUNCH(PRECISION_FP32, "fp32", 64, 32);
	TILE_LAUNCH(PRECISION_TF32, "tf32", 128, 128);
	TILE_LAUNCH_ASYNC(128, 64);
	TILE_LAUNCH_ASYNC(64, 64);
	if constexpr (A::K_MAJOR) {
		TILE_LAUNCH_ASYNC(160, 64);
		TILE_LAUNCH_ASYNC(80, 64);
		TILE_LAUNCH_ASYNC(128, 32);
	} else {
		TILE_LAUNCH_ASYNC(32, 32);
	}
#undef TILE_LAUNCH_ASYNC
#undef TILE_LAUNCH
}

/* C = A B by loaders a and b, C to epilogue e. partial: tile_workspace_size bytes. */
template <class A, class B, class E>
static void tile_gemm(struct cuda *c, const A &a, const B &b, const E &e, int M, int N, int K, float *partial, int phases = 1)
{
	tile_launch_by_size(c, a, b, e, M, N, K, tile_plan(c, M, N, K, phases, 0, A::K_MAJOR), partial, phases);
}

/* Four values from `from` on (NULL: zeros), of which those up to count are inside. */
template <class TO> static inline __device__ void load_each(TO &to, const float *from, int count)
{
	UNROLL
	for (int i = 0; i < 4; i++)
		to.one(i, from && i < count ? from + i : NULL);
}

/* Loader of a plain matrix (MN, K), leading dimension ld. */
struct loader_k_major {
	enum { K_MAJOR = 1, COMPUTES = 0, PHASES = 0 };
	struct position {
		int row; /* -1: outside */
	};
	const float *p;
	size_t ld;
	int MN, aligned; /* aligned: rows begin at multiples of 16 bytes */
	__device__ const float *base() const
	{
		return p;
	}
	__device__ position find(int mn) const
	{
		position a = {mn < MN ? mn : -1};
		return a;
	}
	template <class TO> __device__ void load(TO &to, position a, int k, int end) const
	{
		int inside = a.row >= 0 && k < end;
		const float *from = tile_row(p + (k < end ? k : 0), inside ? a.row : 0, (unsigned)ld);
		if (aligned && (k + 4 <= end || !inside))
			to.four(from, inside);
		else
			load_each(to, inside ? from : NULL, end - k);
	}
};

/* Loader of a plain matrix (K, MN), leading dimension ld; its rows from k = second_k on are those of a second matrix (or NULL). */
struct loader_mn_major {
	enum { K_MAJOR = 0, COMPUTES = 0, PHASES = 0 };
	struct position {
		int mn;
	};
	const float *p, *second;
	size_t ld;
	int second_k, MN, aligned;
	int unused = 0; /* explicit padding, the bytes of queued arguments are compared */
	__device__ const float *base() const
	{
		return p;
	}
	__device__ position find(int mn) const
	{
		position a = {mn};
		return a;
	}
	template <class TO> __device__ void load(TO &to, position a, int k, int end) const
	{
		int inside = k < end && a.mn < MN, first = k < second_k;
		const float *from = tile_row((first || !inside ? p : second) + (inside ? a.mn : 0),
			!inside ? 0
			: first ? k
				: k - second_k,
			(unsigned)ld);
		if (aligned && (a.mn + 4 <= MN || !inside))
			to.four(from, inside);
		else
			load_each(to, inside ? from : NULL, MN - a.mn);
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
