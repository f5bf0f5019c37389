/* How a GEMM is cut into thread blocks: the size of its tiles, and splits of K. */
#ifndef TILE_PLAN_H
#define TILE_PLAN_H

#include "kernels/cuda/tile_mma.h"

enum { TILE_MAX_SPLITS = 512 };

/* large: tiles of 128 x 64, else 64 x 32; splits: how many of K; split_k: the length of one along K; group: how many splits are added first
 * (split_sums, tile.h). */
struct tiling {
	int large, splits, split_k, group;
};

static inline int ceil_div(int a, int b)
{
	return (a + b - 1) / b;
}

static inline int64_t tile_plan_tiles(int large, int M, int N)
{
	return large ? (int64_t)ceil_div(M, 128) * ceil_div(N, 64) : (int64_t)ceil_div(M, 64) * ceil_div(N, 32);
}

/* Clocks of a multiprocessor, as tests/gpu_model.sh has them, and relative to each other on any GPU: for a slice of TILE_K, a large tile
 * needs twice what a small one does, as shared memory is what limits both; for partial sums, 64 bytes a clock to and from L2. */
static inline int64_t tile_plan_clocks(const struct tiling *t, int64_t tiles, int64_t multiprocessors, int K)
{
	int64_t slices = ceil_div(t->split_k < K ? t->split_k : K, TILE_K),
		blocks = (tiles * t->splits + multiprocessors - 1) / multiprocessors, slice = t->large ? 896 : 448,
		partial = t->splits == 1 ? 0 : (t->large ? 128 * 64 : 64 * 32) * 4 / 64;
	int64_t added = t->group == t->splits ? t->splits : t->group + ceil_div(t->splits, t->group) + 1;
	return blocks * (slices * slice + partial) + added * partial;
}

/* The splits of at most so many that K is cut into, in whole slices; more than 4 are added in as many groups as each has splits. */
static inline struct tiling tile_plan_split(int large, int K, int splits)
{
	struct tiling t = {large, 1, K, 1};
	if (splits > 1)
		t.split_k = ceil_div(ceil_div(K, splits), TILE_K) * TILE_K, t.group = t.splits = ceil_div(K, t.split_k);
	while (t.splits > 4 && (t.group - 1) * (t.group - 1) >= t.splits)
		t.group--;
	return t;
}

/* Which tile and how many splits take the fewest clocks, of splits of at least 4 TILE_K, where there are counters for the tiles. Of large
 * tiles M N padded to whole ones is at most 1.5 times as large as with small ones. whole_tile: not split. phases: GEMMs of this shape in
 * one launch. */
static inline struct tiling tile_plan_find(int multiprocessors, int M, int N, int K, int phases, int whole_tile)
{
	struct tiling best = {0, 1, K, 1};
	int64_t fewest = INT64_MAX, most = whole_tile || !K ? 1 : ceil_div(K, 4 * TILE_K);
	most = most < TILE_MAX_SPLITS ? most : (int64_t)TILE_MAX_SPLITS;
	for (int large = tile_plan_tiles(1, M, N) * 8 <= tile_plan_tiles(0, M, N) * 3; large >= 0; large--) {
		int64_t tiles = tile_plan_tiles(large, M, N) * phases;
		for (int splits = 1; splits <= most && (splits == 1 || tiles * splits <= (int64_t)8 * multiprocessors);) {
			struct tiling t = tile_plan_split(large, K, splits);
			int slices = ceil_div(t.split_k, TILE_K);
			if (t.splits > 1 && tiles * (ceil_div(t.splits, t.group) + 1) > CUDA_SPLIT_COUNTERS)
				break;
			int64_t clocks = tile_plan_clocks(&t, tiles, multiprocessors, K);
			if (clocks < fewest)
				fewest = clocks, best = t;
			splits = slices > 1 ? ceil_div(ceil_div(K, TILE_K), slices - 1) : INT32_MAX; /* the next that are shorter */
		}
	}
	return best;
}

/* The same, remembered from call to call. */
static inline struct tiling tile_plan(struct cuda *c, int M, int N, int K, int phases, int whole_tile)
{
	int key[] = {M, N, K, phases, whole_tile};
	unsigned hash = 0;
	for (int k : key)
		hash = (hash + (unsigned)k) * 0x9e3779b1u;
	struct cuda_plan *p = &c->plan[hash >> 24];
	struct tiling t;
	static_assert(
		sizeof key == sizeof p->key && sizeof t == sizeof p->tiling && sizeof c->plan / sizeof *c->plan == 256, "struct cuda_plan");
	if (!p->used || memcmp(p->key, key, sizeof key)) {
		t = tile_plan_find(c->gpu.multiprocessors, M, N, K, phases, whole_tile);
		p->used = 1, memcpy(p->key, key, sizeof key), memcpy(p->tiling, &t, sizeof t);
	}
	memcpy(&t, p->tiling, sizeof t);
	return t;
}

/* Bytes of cuda_workspace that a GEMM needs for partial sums; a multiple of 16. column_sums: 1 where the epilogue has COLUMN_SUMS. */
static inline size_t tile_workspace_size(struct cuda *c, int M, int N, int K, int phases, int column_sums)
{
	struct tiling t = tile_plan(c, M, N, K, phases, 0);
	size_t tiles = (size_t)tile_plan_tiles(t.large, M, N) * (size_t)phases,
	       floats = t.large ? (size_t)(128 + column_sums) * 64 : (size_t)(64 + column_sums) * 32;
	return t.splits > 1 ? tiles * (size_t)t.splits * floats * sizeof(float) : 0;
}

#endif
