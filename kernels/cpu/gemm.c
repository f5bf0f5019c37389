/* Operand B is packed into panels of nr columns, all of K; operand A is read in place. A task is a group of A's row panels (mr rows each)
 * times a group of B's panels, divided by shape alone; the epilogue (bias and activation, or the optimizer step) runs while a tile is in
 * cache. In bf16 both are made words of two factors, A's rows a panel at a time. Where packing B would not pay, since A has few rows or B
 * is small, B is read in place (in fp32, where it is not transposed), and sums that need no epilogue are made in y. */
#include <string.h>

#include "kernels/act.h"
#include "kernels/cpu/gemm.h"

enum {
	GATHER_PANELS = 8,  /* A's rows are copied where a task has at least as many panels of B ... */
	ALIAS_STRIDE = 256, /* ... and lda is a multiple of this: the rows fall on the same cache sets */
	FEW_PANELS = 3,	    /* A's: so few, or so small a B, and B is not packed ... */
	FEW_FLOATS = 1 << 14,
	FEW_ROWS = 3,	      /* ... and with so few rows of A, its panels are four times as wide */
	TASK_MACS = 1 << 16,  /* a task's at least, where B is not packed */
	SERIAL_MACS = 200000, /* below: no threads */
	K_BLOCK = 512,
	CHUNK_BYTES = 256 << 10, /* a task's panels of B, one block of K */
	MAX_M_GROUP = 16,
	TASKS = 32,
	TILE_FLOATS = 14 * 32, /* a tile's at least: of few rows it is wider */
	LOCAL_K_BLOCK = 256,
	MAX_MR = 32
};

static int partition(int n, int i, int parts)
{
	return (int)((long)n * i / parts);
}

static int block_start(const struct gemm *g, int block)
{
	int per_pair = g->k_blocks / g->pairs;
	return partition(g->words, block % per_pair, per_pair);
}

static int block_depth(const struct gemm *g, int block)
{
	int per_pair = g->k_blocks / g->pairs, i = block % per_pair;
	return partition(g->words, i + 1, per_pair) - partition(g->words, i, per_pair);
}

/* Words of n columns of two rows of factors, k and k + 1 of K, and zeros up to `wide`. */
static void pair_rows(const struct gemm *g, float *to, const float *row, long ld, int k, int n, int wide)
{
	g->c->simd->pairs_of(to, row, k + 1 < g->K ? row + ld : NULL, (size_t)n);
	for (int i = n; i < wide; i++)
		to[i] = 0;
}

/* Words of K factors of a row from factor k on, at most n of them. */
static void pair_row(const struct gemm *g, float *to, const float *row, int k, int n)
{
	g->c->simd->pairs_in_row(to, row, (size_t)(g->K - k < 2 * n ? g->K - k : 2 * n));
}

/* Packs panel j of B, one block of K, in words: (words, nr), zeros beyond N. */
static void pack_panel_pairs(const struct gemm *g, float *to, int block, int j)
{
	int nr = g->c->simd->nr, n0 = j * nr, n = g->N - n0 < nr ? g->N - n0 : nr, k0 = 2 * block_start(g, block),
	    words = block_depth(g, block);
	const float *b = g->b[block / (g->k_blocks / g->pairs)] +
			 (g->trans_b ? (long)n0 * g->ldb + (g->words_b ? k0 / 2 : k0) : (long)k0 * g->ldb + n0);
	float rounded[8][K_BLOCK];
	for (int w = 0; w < words && !g->trans_b; w++)
		pair_rows(g, to + w * nr, b + 2 * w * g->ldb, g->ldb, k0 + 2 * w, n, nr);
	for (int i = 0; i < nr && g->trans_b; i += 8) {
		const float *row[8];
		for (int l = i; l < i + 8 && l < n; l++) {
			row[l - i] = g->words_b ? b + (long)l * g->ldb : rounded[l - i];
			if (!g->words_b)
				pair_row(g, rounded[l - i], b + (long)l * g->ldb, k0, words);
		}
		for (int w = 0; w < words; w++)
			for (int l = i; l < i + 8 && l < nr; l++)
				to[w * nr + l] = l < n ? row[l - i][w] : 0;
	}
}

/* Packs panel j of B, one block of K: (K, nr), zeros beyond N. */
static void pack_panel(const struct gemm *g, float *to, int block, int j)
{
	int nr = g->c->simd->nr, per_pair = g->k_blocks / g->pairs, n0 = j * nr, n = g->N - n0 < nr ? g->N - n0 : nr;
	int k0 = block_start(g, block), K = block_depth(g, block);
	if (g->word == 2) {
		pack_panel_pairs(g, to, block, j);
		return;
	}
	const float *b = g->b[block / per_pair] + (g->trans_b ? (long)n0 * g->ldb + k0 : (long)k0 * g->ldb + n0);
	if (!g->trans_b) {
		for (int k = 0; k < K; k++, to += nr, b += g->ldb) {
			if (n == 32) {
				memcpy(to, b, 32 * sizeof *to);
				continue;
			}
			for (int i = 0; i < nr; i++)
				to[i] = i < n ? b[i] : 0;
		}
		return;
	}
	for (int i = 0; i < nr; i += 8) /* eight rows at a time, so that cache lines read stay in cache until used up */
		for (int k = 0; k < K; k++)
			for (int l = i; l < i + 8 && l < nr; l++)
				to[k * nr + l] = l < n ? b[(long)l * g->ldb + k] : 0;
}

static size_t panel_at(const struct gemm *g, int block, int j)
{
	int per_pair = g->k_blocks / g->pairs, nr = g->c->simd->nr;
	size_t k = (size_t)(block / per_pair) * (size_t)g->words + (size_t)block_start(g, block);
	return (k * (size_t)g->n_panels + (size_t)j * (size_t)block_depth(g, block)) * (size_t)nr;
}

static void pack(void *arg, int task, int thread)
{
	const struct gemm *g = arg;
	(void)thread;
	for (int block = 0; block < g->k_blocks; block++)
		pack_panel(g, (float *)g->packed + panel_at(g, block, task), block, task);
}

static void epilogue(const struct gemm *g, float *tile, int m0, int m, int n0, int n)
{
	const struct simd *simd = g->c->simd;
	int nr = g->nr;
	if (g->opt) {
		size_t at = (size_t)m0 * (size_t)g->ldy + (size_t)n0;
		simd->optimizer_step_tile(g->y + at, g->m ? g->m + at : NULL, g->v ? g->v + at : NULL, g->ldy, tile, nr, m, n, g->opt,
			g->correction1, g->correction2);
		return;
	}
	if (g->trans_y) {
		for (int i = 0; i < m && g->bias; i++)
			for (int j = 0; j < nr; j++)
				tile[i * nr + j] += g->bias[m0 + i];
		if (g->act != ACT_NONE)
			simd->act(tile, tile, g->act, (size_t)(m * nr));
		for (int j = 0; j < n; j++) {
			float *y = g->y + (n0 + j) * g->ldy + m0;
			for (int i = 0; i < m; i++)
				y[i] = tile[i * nr + j];
		}
		return;
	}
	for (int i = 0; i < m; i++) {
		float *y = g->y + (m0 + i) * g->ldy + n0, *t = tile + i * nr;
		if (g->bias)
			simd->bias_act(t, g->bias + n0, g->act, (size_t)n);
		else if (g->act != ACT_NONE)
			simd->act(t, t, g->act, (size_t)n);
		if (g->add)
			for (int j = 0; j < n; j++)
				y[j] += t[j];
		else
			memcpy(y, t, (size_t)n * sizeof *y);
	}
}

/* m rows of A, one block of K, in words: (words, m) where trans_a, else (m, words). */
static const float *pair_panel(const struct gemm *g, float *to, const float *a, int k0, int m, int words, int trans_a)
{
	for (int w = 0; w < words && trans_a; w++)
		pair_rows(g, to + w * m, a + 2 * w * g->lda, g->lda, k0 + 2 * w, m, m);
	for (int w = 0; w < words && g->trans_a && !trans_a; w++) {
		float column[MAX_MR];
		pair_rows(g, column, a + 2 * w * g->lda, g->lda, k0 + 2 * w, m, m);
		for (int i = 0; i < m; i++)
			to[i * words + w] = column[i];
	}
	for (int i = 0; i < m && !g->trans_a; i++)
		pair_row(g, to + i * words, a + i * g->lda, k0, words);
	return to;
}

/* Copies m rows of A to (K, m). */
static const float *gather_rows(const struct gemm *g, float *to, const float *a, int m, int K)
{
	if (g->trans_a)
		for (int k = 0; k < K; k++)
			memcpy(to + k * m, a + (long)k * g->lda, (size_t)m * sizeof *to);
	else
		for (int k = 0; k < K; k++)
			for (int i = 0; i < m; i++)
				to[k * m + i] = a[(long)i * g->lda + k];
	return to;
}

/* Columns of panels [j0, j1) of B. */
static int columns(const struct gemm *g, int j0, int j1)
{
	return (j1 * g->nr < g->N ? j1 * g->nr : g->N) - j0 * g->nr;
}

/* m rows of A times B's panels [j0, j1), in place, for one block of K, into c. */
static void place(const struct gemm *g, float *c, long ldc, const float *a, long lda, int trans_a, int block, int j0, int j1, int m)
{
	g->c->simd->place(&(struct place){.c = c,
		.ldc = ldc,
		.a = a,
		.b = g->b[block / (g->k_blocks / g->pairs)] + (long)block_start(g, block) * g->ldb + j0 * g->nr,
		.a_row = trans_a ? 1 : lda,
		.a_term = trans_a ? lda : 1,
		.ldb = g->ldb,
		.m = m,
		.n = columns(g, j0, j1),
		.K = block_depth(g, block),
		.add = block > 0});
}

static int tile_floats(const struct gemm *g)
{
	int floats = g->c->simd->mr * g->c->simd->nr;
	return floats > TILE_FLOATS ? floats : TILE_FLOATS;
}

/* A's panels [p0, p1) times B's panels [j0, j1) for one block of K; tiles accumulate in scratch from block to block, or in y. */
static void macro_kernel(const struct gemm *g, float *scratch, int p0, int p1, int j0, int j1, int block, const float *b, size_t step)
{
	int per_pair = g->k_blocks / g->pairs, k0 = g->word * block_start(g, block), K = block_depth(g, block),
	    last = block == g->k_blocks - 1;
	float *rows = scratch, *sums = scratch + g->c->simd->mr * K_BLOCK;
	for (int p = p0; p < p1; p++) {
		int m0 = partition(g->M, p, g->m_panels), m = partition(g->M, p + 1, g->m_panels) - m0, trans_a = g->trans_a;
		const float *a = g->a[block / per_pair] + (g->trans_a ? m0 + (long)k0 * g->lda : (long)m0 * g->lda + k0);
		long lda = g->lda;
		if (g->words_a)
			a -= k0 - block_start(g, block);
		if (g->word == 2 && !g->words_a)
			trans_a = trans_a && !g->c->simd->words_along_k, a = pair_panel(g, rows, a, k0, m, K, trans_a),
			lda = trans_a ? m : K;
		else if (j1 - j0 >= GATHER_PANELS && g->lda % ALIAS_STRIDE == 0) /* rows that would evict each other from the cache */
			a = gather_rows(g, rows, a, m, K), lda = m, trans_a = 1;
		if (g->direct)
			place(g, g->y + (long)m0 * g->ldy + j0 * g->nr, g->ldy, a, lda, trans_a, block, j0, j1, m);
		for (int j = j0; j < j1 && !g->direct; j++) {
			int n0 = j * g->nr, n = columns(g, j, j + 1);
			float *tile = sums + (g->k_blocks == 1 ? 0 : ((p - p0) * (j1 - j0) + j - j0) * tile_floats(g));
			if (g->in_place)
				place(g, tile, g->nr, a, lda, trans_a, block, j, j + 1, m);
			else
				g->c->products->gemm_tile(tile, a, lda, trans_a, b + (size_t)(j - j0) * step, m, n, K, block > 0);
			if (last)
				epilogue(g, tile, m0, m, n0, n);
		}
	}
}

/* Floats of scratch of a task of these numbers of panels: one tile is enough where there is one block of K. */
static size_t scratch_size(const struct gemm *g, int m_panels, int n_panels)
{
	return (size_t)(g->c->simd->mr * K_BLOCK) + (g->k_blocks == 1 ? 1 : (size_t)m_panels * (size_t)n_panels) * (size_t)tile_floats(g);
}

static void gemm_task(void *arg, int task, int thread)
{
	const struct gemm *g = arg;
	int q = task / g->m_groups, p0 = task % g->m_groups * g->m_group,
	    p1 = p0 + g->m_group < g->m_panels ? p0 + g->m_group : g->m_panels;
	int j0 = q * g->n_group, j1 = j0 + g->n_group < g->n_panels ? j0 + g->n_group : g->n_panels;
	float *scratch = cpu_scratch(g->c, thread, scratch_size(g, g->m_group, g->n_group));
	for (int block = 0; block < g->k_blocks; block++)
		macro_kernel(g, scratch, p0, p1, j0, j1, block, g->in_place ? NULL : g->packed + panel_at(g, block, j0),
			(size_t)(block_depth(g, block) * g->nr));
}

/* A task that packs its panels of B itself: for large weights that a small batch uses once. */
static void gemm_task_local_pack(void *arg, int task, int thread)
{
	const struct gemm *g = arg;
	int nr = g->c->simd->nr, j0 = task * g->n_group, j1 = j0 + g->n_group < g->n_panels ? j0 + g->n_group : g->n_panels;
	size_t sums = scratch_size(g, g->m_panels, g->n_group);
	float *scratch = cpu_scratch(g->c, thread, sums + (size_t)(g->n_group * nr * (LOCAL_K_BLOCK + 1))), *b = scratch + sums;
	for (int block = 0; block < g->k_blocks; block++) {
		size_t step = (size_t)(block_depth(g, block) * nr);
		for (int j = j0; j < j1; j++)
			pack_panel(g, b + (size_t)(j - j0) * step, block, j);
		macro_kernel(g, scratch, 0, g->m_panels, j0, j1, block, b, step);
	}
}

/* Groups of n_group panels of B times groups of A's. */
static void run_tasks(struct gemm *g)
{
	int n_groups = (g->n_panels + g->n_group - 1) / g->n_group;
	g->m_group = (int)((long)g->m_panels * n_groups / TASKS);
	g->m_group = g->m_group < 1 ? 1 : g->m_group > MAX_M_GROUP ? MAX_M_GROUP : g->m_group;
	g->m_groups = (g->m_panels + g->m_group - 1) / g->m_group;
	if ((double)g->M * g->N * g->K * g->pairs < SERIAL_MACS) /* waking the threads would cost more */
		for (int t = 0; t < g->m_groups * n_groups; t++)
			gemm_task(g, t, 0);
	else
		thread_pool_run(g->c->pool, g->m_groups * n_groups, gemm_task, g);
}

void cpu_gemm(struct cpu *c, struct gemm *g, int local_pack)
{
	const struct simd *simd = c->simd;
	int k_block = local_pack ? LOCAL_K_BLOCK : K_BLOCK;
	g->c = c;
	g->pairs = g->a[1] ? 2 : 1;
	g->word = c->bf16 ? 2 : 1, g->words = (g->K + g->word - 1) / g->word;
	g->k_blocks = (g->words + k_block - 1) / k_block * g->pairs;
	g->m_panels = (g->M + simd->mr - 1) / simd->mr;
	g->in_place = g->word == 1 && !g->trans_b && (g->m_panels <= FEW_PANELS || (double)g->K * g->ldb <= FEW_FLOATS);
	g->direct = g->in_place && !g->bias && !g->opt && !g->add && g->act == ACT_NONE;
	g->nr = g->in_place && g->M <= FEW_ROWS ? 4 * simd->nr : simd->nr;
	g->n_panels = (g->N + g->nr - 1) / g->nr;
	if (g->in_place) {
		g->n_group = (int)(TASK_MACS / ((double)g->M * g->nr * g->K * g->pairs)) + 1;
		g->n_group = g->n_group > g->n_panels || g->m_panels >= TASKS ? g->n_panels : g->n_group;
		run_tasks(g);
		return;
	}
	if (local_pack) {
		g->n_group = GEMM_LOCAL_COLUMNS / simd->nr;
		thread_pool_run(c->pool, (g->n_panels + g->n_group - 1) / g->n_group, gemm_task_local_pack, g);
		return;
	}
	int kc = g->words < K_BLOCK ? g->words : K_BLOCK;
	g->n_group = CHUNK_BYTES / (kc * simd->nr * (int)sizeof(float));
	g->n_group = g->n_group < 8 ? 8 : g->n_group > g->n_panels ? g->n_panels : g->n_group;
	g->packed = cpu_workspace(c, (size_t)g->words * (size_t)g->pairs * (size_t)g->n_panels * (size_t)simd->nr);
	if ((double)g->M * g->N * g->K * g->pairs < SERIAL_MACS)
		for (int j = 0; j < g->n_panels; j++)
			pack(g, j, 0);
	else
		thread_pool_run(c->pool, g->n_panels, pack, g);
	run_tasks(g);
}
