/* Products by tiles: C (M, N) = A (M, K) B (K, N), where A and B are read by loaders and C is taken by an ending, so that convolutions
 * are products of matrices that nobody ever lays out (implicit GEMM: Chetlur et al., 2014, "cuDNN", section 3), and biases, activations,
 * pools and updates happen to numbers that never were in memory.
 * A loader is a struct with ALONG_K, 1 if four neighbours in memory are four k, 0 if they are four m (or n); `struct at`, what it knows of
 * a row m (or n; of four of them) for the whole tile; find(m), and get(at, k, end): four values from (m, k) on, zeros from k = end on and
 * outside the matrix. An ending has put(m, n, v, count): the values of (m, n), (m, n + 1), ... of which count are inside; n % 4 is 0. One
 * with SUMS is given the sums of B's columns, not rounded, too, as row M; B is then one with ALONG_K 0.
 * Where there are fewer tiles than multiprocessors K is cut in splits whose sums are added in order: bits depend on shapes and the GPU. */
#ifndef TILE_H
#define TILE_H

#include "kernels/cuda/tile_mma.h"

enum { TILE_SPLITS = 512 };

/* What most endings want of a tile: each quad of it. An ending with its own way says so by TILES. */
template <int BM, int BN, class E>
static inline __device__ void tile_epilogue(const E &e, const float *c, int line, int m0, int n0, int M, int N)
{
	if constexpr (E::TILES)
		e.template tile<BM, BN>(c, line, m0, n0);
	else
		for (int i = (int)threadIdx.x; i < BM * BN / 4; i += LAUNCH_BLOCK) {
			int m = i / (BN / 4), n = i % (BN / 4) * 4;
			if (m0 + m < M && n0 + n < N)
				e.put(m0 + m, n0 + n, *(const float4 *)(c + m * line + n), N - n0 - n < 4 ? N - n0 - n : 4);
		}
}

static inline __device__ void tile_add(float4 *sum, float4 v)
{
	sum->x += v.x, sum->y += v.y, sum->z += v.z, sum->w += v.w;
}

/* Sums of B's columns: threads BN / 4 apart have had the same ones. */
template <int BN, class E> static inline __device__ void tile_columns(const E &e, float4 *room, float4 total, int M, int n0, int N)
{
	int n = n0 + (int)threadIdx.x * 4;
	room[threadIdx.x] = total;
	__syncthreads();
	for (int i = (int)threadIdx.x + BN / 4; (int)threadIdx.x < BN / 4 && i < LAUNCH_BLOCK; i += BN / 4)
		tile_add(&total, room[i]);
	if ((int)threadIdx.x < BN / 4 && n < N)
		e.put(M, n, total, N - n < 4 ? N - n : 4);
	__syncthreads();
}

template <int P, int BM, int BN, class A, class B, class E>
static __global__ void __launch_bounds__(LAUNCH_BLOCK, 2) tile_product(A a, B b, E e, int M, int N, int K, int split_k)
{
	typedef tile_stage<P, BM, A> stage_a;
	typedef tile_stage<P, BN, B> stage_b;
	typedef typename tile_number<P>::type number;
	SHARED(unsigned char, room);
	number *sa = (number *)room, *sb = sa + stage_a::SIZE;
	int tiles = (M + BM - 1) / BM, m0 = (int)(blockIdx.x % (unsigned)tiles) * BM, n0 = (int)(blockIdx.x / (unsigned)tiles) * BN,
	    k0 = (int)blockIdx.y * split_k, end = K - k0 < split_k ? K : k0 + split_k;
	stage_a ra;
	stage_b rb;
	typename tile_mma<P, BM, BN, stage_a, stage_b>::type sums;
	float4 total = make_float4(0, 0, 0, 0);
	ra.begin(a, m0), rb.begin(b, n0), sums.begin();
	if (k0 < end)
		ra.read(a, k0, end), rb.read(b, k0, end);
	for (int k = k0; k < end; k += TILE_K) {
		if constexpr (E::SUMS)
			rb.add(&total);
		ra.store(sa), rb.store(sb);
		__syncthreads();
		if (k + TILE_K < end) /* on their way while sums are made */
			ra.read(a, k + TILE_K, end), rb.read(b, k + TILE_K, end);
		sums.add(sa, sb);
		__syncthreads();
	}
	e.split = (int)blockIdx.y;
	if constexpr (E::SUMS)
		if (!m0)
			tile_columns<BN>(e, (float4 *)room, total, M, n0, N);
	sums.store((float *)room, BN + 4);
	__syncthreads();
	tile_epilogue<BM, BN>(e, (const float *)room, BN + 4, m0, n0, M, N);
}

/* What K's splits leave: (splits, M, N4), M one more where there are sums. */
template <int WITH> struct split_k_partial {
	enum { TILES = 0, SUMS = WITH };
	float *p;
	int M, N4, split;
	int none = 0; /* no byte is left over: arguments are compared */
	__device__ void put(int m, int n, float4 v, int) const
	{
		*(float4 *)(p + ((size_t)split * (size_t)M + (size_t)m) * (size_t)N4 + (size_t)n) = v;
	}
};

/* Few splits: a thread a quad. */
template <class E> static __global__ void split_k_reduce(E e, const float *part, int splits, int M, int N, struct divisor quads)
{
	size_t i = launch_index();
	if (i >= (size_t)M * quads.d)
		return;
	int m = fast_div(quads, (int)i), n = ((int)i - m * (int)quads.d) * 4;
	float4 sum = make_float4(0, 0, 0, 0);
	for (int s = 0; s < splits; s++)
		tile_add(&sum, *(const float4 *)(part + (((size_t)s * (size_t)M + (size_t)m) * quads.d + (size_t)n / 4) * 4));
	e.put(m, n, sum, N - n < 4 ? N - n : 4);
}

/* Many: a warp a quad. */
template <class E> static __global__ void split_k_reduce_wide(E e, const float *part, int splits, int M, int N, struct divisor quads)
{
	int i = (int)(blockIdx.x * (LAUNCH_BLOCK / 32) + threadIdx.x / 32), lane = (int)threadIdx.x % 32, inside = i < M * (int)quads.d;
	int m = inside ? fast_div(quads, i) : 0, n = inside ? (i - m * (int)quads.d) * 4 : 0;
	float4 sum = make_float4(0, 0, 0, 0);
	for (int s = lane; s < splits; s += 32)
		tile_add(&sum, *(const float4 *)(part + (((size_t)s * (size_t)M + (size_t)m) * quads.d + (size_t)n / 4) * 4));
	for (int d = 16; d; d /= 2) {
		sum.x += __shfl_xor_sync(0xffffffffu, sum.x, d), sum.y += __shfl_xor_sync(0xffffffffu, sum.y, d);
		sum.z += __shfl_xor_sync(0xffffffffu, sum.z, d), sum.w += __shfl_xor_sync(0xffffffffu, sum.w, d);
	}
	if (inside && !lane)
		e.put(m, n, sum, N - n < 4 ? N - n : 4);
}

struct tiling { /* how a product is cut */
	int large, splits, split_k;
};

static inline int tile_over(int a, int b)
{
	return (a + b - 1) / b;
}

/* A large tile reads half as much for its products as a small one: taken where such tiles, or their splits, are enough to go round and are
 * not filled up with much more. tiles: the ending wants whole sums, so K is not cut. */
static inline struct tiling tile_plan(const struct cuda *c, int M, int N, int K, int tiles)
{
	int64_t units = c->gpu.multiprocessors, most = tile_over(K, 4 * TILE_K), large = (int64_t)tile_over(M, 128) * tile_over(N, 64),
		small = (int64_t)tile_over(M, 64) * tile_over(N, 32);
	most = tiles ? 1 : most < (int64_t)TILE_SPLITS ? most : (int64_t)TILE_SPLITS;
	struct tiling cut = {large >= units || (small < units && large * most >= 2 * units), 1, K};
	if (large * 8 > small * 3)
		cut.large = 0;
	int64_t blocks = cut.large ? large : small, wanted = blocks < units ? (2 * units + blocks - 1) / blocks : 1;
	wanted = wanted < most ? wanted : most;
	if (wanted < 2)
		return cut;
	cut.split_k = tile_over(tile_over(K, (int)wanted), TILE_K) * TILE_K;
	cut.splits = tile_over(K, cut.split_k);
	return cut;
}

/* Bytes that tile_run wants of cuda_work; a multiple of 16. sums: 1 where the ending has SUMS. */
static inline size_t tile_work(const struct cuda *c, int M, int N, int K, int sums)
{
	struct tiling cut = tile_plan(c, M, N, K, 0);
	return cut.splits > 1 ? (size_t)cut.splits * (size_t)(M + sums) * (size_t)cuda_c4(N) * sizeof(float) : 0;
}

template <int P, int BM, int BN, class A, class B, class E>
static void tile_queue(struct cuda *c, const A &a, const B &b, const E &e, int M, int N, int K, struct tiling cut)
{
	size_t stages = (size_t)((int)tile_stage<P, BM, A>::SIZE + (int)tile_stage<P, BN, B>::SIZE) * sizeof(typename tile_number<P>::type),
	       sums = (size_t)BM * (BN + 4) * sizeof(float);
	dim3 grid((unsigned)tile_over(M, BM) * (unsigned)tile_over(N, BN), (unsigned)cut.splits);
	static const char *const name[][2] = {{"tile_product fp32 64x32", "tile_product fp32 128x64"},
		{"tile_product tf32 64x32", "tile_product tf32 128x64"}, {"tile_product bf16 64x32", "tile_product bf16 128x64"}};
	void (*kernel)(A, B, E, int, int, int, int) = tile_product<P, BM, BN, A, B, E>;
	launch_add(&c->q, name[P][BM == 128], 0, grid, dim3(LAUNCH_BLOCK), stages > sums ? stages : sums, kernel, a, b, e, M, N, K, cut.split_k);
}

template <int P, class A, class B, class E>
static void tile_sized(struct cuda *c, const A &a, const B &b, const E &e, int M, int N, int K, struct tiling cut)
{
	if (cut.large)
		tile_queue<P, 128, 64>(c, a, b, e, M, N, K, cut);
	else
		tile_queue<P, 64, 32>(c, a, b, e, M, N, K, cut);
}

template <class A, class B, class E>
static void tile_precise(struct cuda *c, const A &a, const B &b, const E &e, int M, int N, int K, struct tiling cut)
{
	if (c->precision == PRECISION_TF32)
		tile_sized<PRECISION_TF32>(c, a, b, e, M, N, K, cut);
	else if (c->precision == PRECISION_BF16)
		tile_sized<PRECISION_BF16>(c, a, b, e, M, N, K, cut);
	else
		tile_sized<PRECISION_FP32>(c, a, b, e, M, N, K, cut);
}

/* part: tile_work bytes. */
template <class A, class B, class E>
static void tile_run(struct cuda *c, const A &a, const B &b, const E &e, int M, int N, int K, float *part)
{
	struct tiling cut = tile_plan(c, M, N, K, 0);
	if (cut.splits == 1) {
		tile_precise(c, a, b, e, M, N, K, cut);
		return;
	}
	int quads = cuda_c4(N) / 4, rows = M + E::SUMS;
	struct split_k_partial<E::SUMS> p = {
		part, rows, cuda_c4(N), 0
	};
	tile_precise(c, a, b, p, M, N, K, cut);
	void (*few)(E, const float *, int, int, int, struct divisor) = split_k_reduce<E>;
	void (*many)(E, const float *, int, int, int, struct divisor) = split_k_reduce_wide<E>;
	if (cut.splits <= 16)
		launch_add(&c->q, "split_k_reduce", 1, dim3(launch_blocks((size_t)rows * (size_t)quads)), dim3(LAUNCH_BLOCK), 0, few, e, part,
			cut.splits, rows, N, divisor(quads));
	else
		launch_add(&c->q, "split_k_reduce_wide", 0, dim3((unsigned)tile_over(rows * quads, LAUNCH_BLOCK / 32)), dim3(LAUNCH_BLOCK), 0, many, e,
			part, cut.splits, rows, N, divisor(quads));
}

/* Rows (MN, K) of a matrix, ld numbers from one to the next. */
struct tile_rows {
	enum { ALONG_K = 1 };
	struct at {
		int row; /* -1: outside */
	};
	const float *p;
	size_t ld;
	int MN, quads; /* quads: rows begin at multiples of 16 bytes */
	__device__ at find(int mn) const
	{
		at a = {mn < MN ? mn : -1};
		return a;
	}
	__device__ float4 get(at a, int k, int end) const
	{
		float4 v = make_float4(0, 0, 0, 0);
		if (a.row < 0 || k >= end)
			return v;
		const float *from = p + (size_t)a.row * ld + k;
		if (quads && k + 4 <= end)
			return *(const float4 *)from;
		v.x = from[0];
		v.y = k + 1 < end ? from[1] : 0;
		v.z = k + 2 < end ? from[2] : 0;
		v.w = k + 3 < end ? from[3] : 0;
		return v;
	}
};

/* Lines (K, MN); from line `first` on they are another matrix's. */
struct tile_lines {
	enum { ALONG_K = 0 };
	struct at {
		int mn;
	};
	const float *p, *more;
	size_t ld;
	int first, MN, quads;
	int none = 0; /* no byte is left over: arguments are compared */
	__device__ at find(int mn) const
	{
		at a = {mn};
		return a;
	}
	__device__ float4 get(at a, int k, int end) const
	{
		float4 v = make_float4(0, 0, 0, 0);
		if (k >= end || a.mn >= MN)
			return v;
		const float *from = (k < first ? p + (size_t)k * ld : more + (size_t)(k - first) * ld) + a.mn;
		if (quads && a.mn + 4 <= MN)
			return *(const float4 *)from;
		v.x = from[0];
		v.y = a.mn + 1 < MN ? from[1] : 0;
		v.z = a.mn + 2 < MN ? from[2] : 0;
		v.w = a.mn + 3 < MN ? from[3] : 0;
		return v;
	}
};

static inline int tile_quads(const float *p, size_t ld)
{
	return ld % 4 == 0 && cuda_by_four(p, NULL, NULL, NULL);
}

static inline struct tile_rows rows_of(const float *p, size_t ld, int MN)
{
	struct tile_rows r = {p, ld, MN, tile_quads(p, ld)};
	return r;
}

static inline struct tile_lines lines_of(const float *p, const float *more, int first, size_t ld, int MN)
{
	struct tile_lines l = {p, more, ld, first, MN, tile_quads(p, ld) && (!more || tile_quads(more, ld))};
	return l;
}

/* out (N) = sums of columns of x (rows, ld); part: cuda_columns_work bytes. */
size_t cuda_columns_work(size_t rows, int N);
void cuda_columns(struct cuda *c, float *out, const float *x, size_t rows, size_t ld, int N, float *part);

#endif
