/* How a GEMM is cut into thread blocks: the size of its tiles, and splits of K. */
#ifndef TILE_PLAN_H
#define TILE_PLAN_H

#include "kernels/cuda/tile_async.h"

enum { TILE_MAX_SPLITS = 512 };

/* Tiles of m x n; splits: how many of K; split_k: the length of one along K; group: how many splits are added first
 * (split_sums, tile.h). */
struct tiling {
	int m, n, splits, split_k, group;
};

static inline int ceil_div(int a, int b)
{
	return (a + b - 1) / b;
}

/* A size of tiles, the precisions that it has, a bit each, and clocks for a slice of TILE_K: the more of shared memory's, for what is
 * copied there and read as fragments, and of instructions of a warp, where A's rows are along K (a convolution's loader), and where they
 * aren't (0: no such tile). Heights of 80 and 160 are there so that waves can be full; in bf16 registers don't hold 128 x 128. */
struct tile_size {
	int m, n, precisions, clocks[2];
};
enum { TILE_FP32 = 1 << PRECISION_FP32, TILE_TF32 = 1 << PRECISION_TF32, TILE_BF16 = 1 << PRECISION_BF16 };
static const struct tile_size tile_sizes[] = {{64, 32, TILE_FP32, {448, 448}}, {128, 64, TILE_FP32, {896, 896}},
	{128, 128, TILE_TF32, {1041, 768}}, {160, 64, TILE_TF32 | TILE_BF16, {0, 672}}, {128, 64, TILE_TF32 | TILE_BF16, {711, 478}},
	{80, 64, TILE_TF32 | TILE_BF16, {0, 368}}, {64, 64, TILE_TF32 | TILE_BF16, {497, 320}}, {128, 32, TILE_TF32 | TILE_BF16, {0, 388}},
	{32, 32, TILE_TF32 | TILE_BF16, {300, 0}}};

static inline int64_t tile_plan_tiles(int m, int n, int M, int N)
{
	return (int64_t)ceil_div(M, m) * ceil_div(N, n);
}

/* Clocks of a slice with tensor cores, as tests/gpu_model.sh has them: of tensor cores, by operations a clock and multiprocessor in tf32,
 * twice as many in bf16 (9.0 and 10.0 by mma.sync: less than two thirds of what instructions of their own do); of L2, by bytes a clock of
 * all multiprocessors; or of the multiprocessor itself. */
static inline int64_t tile_plan_slice(const struct cuda *c, const struct tile_size *s, int k_major)
{
	int major = c->gpu.major, server = major == 9 || major == 10 || (major == 8 && c->gpu.minor == 0);
	int64_t rate = major == 9 || major == 10 ? 1290
		       : server			 ? 1024
						 : 256,
		tensor = (int64_t)2 * s->m * s->n * TILE_K / (c->precision == PRECISION_BF16 ? 2 * rate : rate),
		l2 = (int64_t)(s->m + s->n) * TILE_K * 4 * c->gpu.multiprocessors / (server ? 5120 : 2048), clocks = s->clocks[k_major];
	clocks = clocks > tensor ? clocks : tensor;
	return clocks > l2 ? clocks : l2;
}

/* Clocks of a multiprocessor, as tests/gpu_model.sh has them: for slices; for a tile, to fill the pipeline and for the epilogue; for
 * partial sums 64 bytes a clock to and from L2. */
static inline int64_t tile_plan_clocks(const struct tiling *t, int64_t slice, int64_t tile, int64_t tiles, int64_t multiprocessors, int K)
{
	int64_t slices = ceil_div(t->split_k < K ? t->split_k : K, TILE_K),
		blocks = (tiles * t->splits + multiprocessors - 1) / multiprocessors,
		partial = t->splits == 1 ? 0 : (int64_t)t->m * t->n * 4 / 64;
	int64_t added = t->group == t->splits ? t->splits : t->group + ceil_div(t->splits, t->group) + 1;
	return blocks * (slices * slice + tile + partial) + added * partial;
}

/* The splits of at most so many that K is cut into, in whole slices; more than 4 are added in as many groups as each has splits. */
static inline struct tiling tile_plan_split(int m, int n, int K, int splits)
{
	struct tiling t = {m, n, 1, K, 1};
	if (splits > 1)
		t.split_k = ceil_div(ceil_div(K, splits), TILE_K) * TILE_K, t.group = t.splits = ceil_div(K, t.split_k);
	while (t.splits > 4 && (t.group - 1) * (t.group - 1) >= t.splits)
		t.group--;
	return t;
}

/* Which tile and how many splits take the fewest clocks, of splits of at least 4 TILE_K, where there are counters for the tiles.
 * whole_tile: not split. phases: GEMMs of this shape in one launch. k_major: of A's loader. */
static inline struct tiling tile_plan_find(const struct cuda *c, int M, int N, int K, int phases, int whole_tile, int k_major)
{
	enum { LATENCY = 700 };
	struct tiling best = {64, 32, 1, K, 1};
	int64_t fewest = INT64_MAX, most = whole_tile || !K ? 1 : ceil_div(K, 4 * TILE_K), multiprocessors = c->gpu.multiprocessors;
	most = most < TILE_MAX_SPLITS ? most : (int64_t)TILE_MAX_SPLITS;
	for (const struct tile_size &s : tile_sizes) {
		if (!(s.precisions >> c->precision & 1) || !s.clocks[k_major])
			continue;
		int async = c->precision != PRECISION_FP32;
		int64_t tiles = tile_plan_tiles(s.m, s.n, M, N) * phases,
			slice = async ? tile_plan_slice(c, &s, k_major) : s.clocks[k_major], tile = async ? LATENCY + s.m * s.n / 8 : 0;
		for (int splits = 1; splits <= most && (splits == 1 || tiles * splits <= (int64_t)8 * multiprocessors);) {
			struct tiling t = tile_plan_split(s.m, s.n, K, splits);
			int slices = ceil_div(t.split_k, TILE_K);
			if (t.splits > 1 && tiles * (ceil_div(t.splits, t.group) + 1) > CUDA_SPLIT_COUNTERS)
				break;
			int64_t clocks = tile_plan_clocks(&t, slice, tile, tiles, multiprocessors, K);
			if (clocks < fewest)
				fewest = clocks, best = t;
			splits = slices > 1 ? ceil_div(ceil_div(K, TILE_K), slices - 1) : INT32_MAX; /* the next that are shorter */
		}
	}
	return best;
}

/* The same, remembered from call to call. */
static inline struct tiling tile_plan(struct cuda *c, int M, int N, int K, int phases, int whole_tile, int k_major = 1)
{
	int key[] = {M, N, K, phases, whole_tile * 2 + k_major};
	unsigned hash = 0;
	for (int k : key)
		hash = (hash + (unsigned)k) * 0x9e3779b1u;
	struct cuda_plan *p = &c->plan[hash >> 24];
	struct tiling t;
	static_assert(
		sizeof key == sizeof p->key && sizeof t == sizeof p->tiling && sizeof c->plan / sizeof *c->plan == 256, "struct cuda_plan");
	if (!p->used || memcmp(p->key, key, sizeof key)) {
		t = tile_plan_find(c, M, N, K, phases, whole_tile, k_major);
		p->used = 1, memcpy(p->key, key, sizeof key), memcpy(p->tiling, &t, sizeof t);
	}
	memcpy(&t, p->tiling, sizeof t);
	return t;
}

/* Bytes of cuda_workspace that a GEMM needs for partial sums; a multiple of 16. column_sums: 1 where the epilogue has COLUMN_SUMS. */
static inline size_t tile_workspace_size(struct cuda *c, int M, int N, int K, int phases, int column_sums)
{
	size_t floats = 0; /* of the larger of both plans */
	for (int k_major = 0; k_major < 2; k_major++) {
		struct tiling t = tile_plan(c, M, N, K, phases, 0, k_major);
		size_t tiles = (size_t)tile_plan_tiles(t.m, t.n, M, N) * (size_t)phases,
		       n = t.splits > 1 ? tiles * (size_t)t.splits * (size_t)((t.m + column_sums) * t.n) : 0;
		floats = n > floats ? n : floats;
	}
	return floats * sizeof(float);
}

/* Bytes of an epilogue's sums p (tile_sums, tile.h), of an A whose rows are along K. */
static inline size_t tile_sums_size(struct cuda *c, int M, int N, int K, int phases)
{
	return (size_t)ceil_div(M, tile_plan(c, M, N, K, phases, 0).m) * (size_t)phases * 2 * (size_t)cuda_c4(N) * sizeof(float);
}

#endif
