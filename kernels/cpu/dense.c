/* Dense layers as GEMM. Operand B is packed into panels of nr columns, all of K; operand A is read in place. A task is a group of A's row
 * panels (mr rows each) times a group of B's panels, divided by shape alone; the epilogue (bias and activation, or the optimizer step)
 * runs while a tile is in cache. The smaller operand is packed: for a small batch the weights are read once, in place. In bf16 both are
 * made words of two factors, A's rows a panel at a time. */
#include <string.h>

#include "kernels/act.h"
#include "kernels/cpu/cpu.h"
#include "kernels/optimizer.h"

enum {
	GATHER_PANELS = 8,    /* A's rows are copied where a task has at least as many panels of B ... */
	ALIAS_STRIDE = 256,   /* ... and lda is a multiple of this: the rows fall on the same cache sets */
	SERIAL_MACS = 200000, /* below: no threads */
	K_BLOCK = 512,
	CHUNK_BYTES = 256 << 10, /* a task's panels of B, one block of K */
	MAX_M_GROUP = 16,
	TASKS = 32,
	TILE_FLOATS = 14 * 32,
	MAX_MR = 14,
	LOCAL_COLUMNS = 256, /* a task's columns of B where it packs them itself */
	LOCAL_K_BLOCK = 256
};

struct gemm {
	struct cpu *c;
	int M, N, K, pairs;	  /* K of each pair (a[i], b[i]); the result is the sum over pairs */
	const float *a[2], *b[2]; /* (M, K), (K, N) before transposition */
	long lda, ldb;
	int trans_a, trans_b; /* transposed: a[i][k] at a + i + k lda; b[k][j] at b + j ldb + k */
	int words_a, words_b; /* in bf16: rows along K of words, not of factors: a not transposed, b transposed */
	/* epilogue */
	float *y; /* y[i ldy + j], or y[j ldy + i] where trans_y */
	long ldy;
	int trans_y, add;  /* add: y accumulates */
	const float *bias; /* of j, of i where trans_y */
	enum act act;
	const struct optimizer_step *opt; /* not NULL: the result is the gradient of weights y, with moments m, v */
	float *m, *v, correction1, correction2;
	/* tiling; blocks of K and their depths are in words of `word` factors: 1, or in bf16 2 */
	int word, words, k_blocks, m_panels, n_panels, /* blocks of K, over all pairs; panels of A, of B */
		m_group, m_groups, n_group;	       /* A's panels a task, groups of them; B's panels a task */
	const float *packed;
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
	int nr = simd->nr;
	if (g->opt) {
		size_t at = (size_t)m0 * (size_t)g->ldy + (size_t)n0;
		simd->optimizer_step_tile(g->y + at, g->m ? g->m + at : NULL, g->v ? g->v + at : NULL, g->ldy, tile, m, n, g->opt,
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
		for (int j = 0; j < n; j++)
			y[j] = g->add ? y[j] + t[j] : t[j];
	}
}

/* m rows of A, one block of K, in words: (words, m) where A is transposed, else (m, words). */
static const float *pair_panel(const struct gemm *g, float *to, const float *a, int k0, int m, int words)
{
	for (int w = 0; w < words && g->trans_a; w++)
		pair_rows(g, to + w * m, a + 2 * w * g->lda, g->lda, k0 + 2 * w, m, m);
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

/* A's panels [p0, p1) times B's panels [j0, j1) for one block of K; tiles accumulate in scratch from block to block. */
static void macro_kernel(const struct gemm *g, float *scratch, int p0, int p1, int j0, int j1, int block, const float *b, size_t step)
{
	const struct simd *simd = g->c->simd;
	int per_pair = g->k_blocks / g->pairs, k0 = g->word * block_start(g, block), K = block_depth(g, block),
	    last = block == g->k_blocks - 1;
	float *rows = scratch, *sums = scratch + MAX_MR * K_BLOCK;
	for (int p = p0; p < p1; p++) {
		int m0 = partition(g->M, p, g->m_panels), m = partition(g->M, p + 1, g->m_panels) - m0, trans_a = g->trans_a;
		const float *a = g->a[block / per_pair] + (g->trans_a ? m0 + (long)k0 * g->lda : (long)m0 * g->lda + k0);
		long lda = g->lda;
		if (g->words_a)
			a -= k0 - block_start(g, block);
		if (g->word == 2 && !g->words_a)
			a = pair_panel(g, rows, a, k0, m, K), lda = trans_a ? m : K;
		else if (j1 - j0 >= GATHER_PANELS && g->lda % ALIAS_STRIDE == 0) /* rows that would evict each other from the cache */
			a = gather_rows(g, rows, a, m, K), lda = m, trans_a = 1;
		for (int j = j0; j < j1; j++) {
			int n0 = j * simd->nr, n = g->N - n0 < simd->nr ? g->N - n0 : simd->nr;
			float *tile = sums + (g->k_blocks == 1 ? 0 : ((p - p0) * (j1 - j0) + j - j0) * TILE_FLOATS);
			g->c->products->gemm_tile(tile, a, lda, trans_a, b + (size_t)(j - j0) * step, m, n, K, block > 0);
			if (last)
				epilogue(g, tile, m0, m, n0, n);
		}
	}
}

/* Floats of scratch of a task of these numbers of panels: one tile is enough where there is one block of K. */
static size_t scratch_size(const struct gemm *g, int m_panels, int n_panels)
{
	return (size_t)(MAX_MR * K_BLOCK) + (g->k_blocks == 1 ? 1 : (size_t)m_panels * (size_t)n_panels) * TILE_FLOATS;
}

static void gemm_task(void *arg, int task, int thread)
{
	const struct gemm *g = arg;
	int q = task / g->m_groups, p0 = task % g->m_groups * g->m_group,
	    p1 = p0 + g->m_group < g->m_panels ? p0 + g->m_group : g->m_panels;
	int j0 = q * g->n_group, j1 = j0 + g->n_group < g->n_panels ? j0 + g->n_group : g->n_panels;
	float *scratch = cpu_scratch(g->c, thread, scratch_size(g, g->m_group, g->n_group));
	for (int block = 0; block < g->k_blocks; block++)
		macro_kernel(g, scratch, p0, p1, j0, j1, block, g->packed + panel_at(g, block, j0),
			(size_t)(block_depth(g, block) * g->c->simd->nr));
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

static void gemm(struct cpu *c, struct gemm *g, int local_pack)
{
	const struct simd *simd = c->simd;
	int k_block = local_pack ? LOCAL_K_BLOCK : K_BLOCK;
	g->c = c;
	g->pairs = g->a[1] ? 2 : 1;
	g->word = c->bf16 ? 2 : 1, g->words = (g->K + g->word - 1) / g->word;
	g->k_blocks = (g->words + k_block - 1) / k_block * g->pairs;
	g->m_panels = (g->M + simd->mr - 1) / simd->mr, g->n_panels = (g->N + simd->nr - 1) / simd->nr;
	if (local_pack) {
		g->n_group = LOCAL_COLUMNS / simd->nr;
		thread_pool_run(c->pool, (g->n_panels + g->n_group - 1) / g->n_group, gemm_task_local_pack, g);
		return;
	}
	int kc = g->words < K_BLOCK ? g->words : K_BLOCK;
	g->n_group = CHUNK_BYTES / (kc * simd->nr * (int)sizeof(float));
	g->n_group = g->n_group < 8 ? 8 : g->n_group > g->n_panels ? g->n_panels : g->n_group;
	int n_groups = (g->n_panels + g->n_group - 1) / g->n_group;
	g->m_group = (int)((long)g->m_panels * n_groups / TASKS);
	g->m_group = g->m_group < 1 ? 1 : g->m_group > MAX_M_GROUP ? MAX_M_GROUP : g->m_group;
	g->m_groups = (g->m_panels + g->m_group - 1) / g->m_group;
	g->packed = cpu_workspace(c, (size_t)g->words * (size_t)g->pairs * (size_t)g->n_panels * (size_t)simd->nr);
	if ((double)g->M * g->N * g->K * g->pairs < SERIAL_MACS) { /* waking the threads would cost more */
		for (int j = 0; j < g->n_panels; j++)
			pack(g, j, 0);
		for (int t = 0; t < g->m_groups * n_groups; t++)
			gemm_task(g, t, 0);
		return;
	}
	thread_pool_run(c->pool, g->n_panels, pack, g);
	thread_pool_run(c->pool, g->m_groups * n_groups, gemm_task, g);
}

static void dense(struct cpu *c, const struct dense *s)
{
	int ldw = s->packed ? (s->I + 1) / 2 : s->trans_w ? s->O : s->I;
	if (cpu_dense_dot(c, s))
		return;
	if (s->B <= s->O)
		gemm(c,
			&(struct gemm){.M = s->O,
				.N = s->B,
				.K = s->I,
				.a = {s->w},
				.lda = ldw,
				.trans_a = s->trans_w,
				.words_a = s->packed,
				.b = {s->x},
				.ldb = s->I,
				.trans_b = 1,
				.y = s->y,
				.ldy = s->O,
				.trans_y = 1,
				.bias = s->bias,
				.act = s->act},
			0);
	else
		gemm(c,
			&(struct gemm){.M = s->B,
				.N = s->O,
				.K = s->I,
				.a = {s->x},
				.lda = s->I,
				.b = {s->w},
				.ldb = ldw,
				.trans_b = !s->trans_w,
				.words_b = s->packed,
				.y = s->y,
				.ldy = s->O,
				.bias = s->bias,
				.act = s->act},
			0);
}

void cpu_dense(
	const struct backend *be, real *y, const real *x, const real *w, const real *b, enum act act, int trans_w, int B, int I, int O)
{
	dense(be->ctx, &(struct dense){y, x, w, b, act, trans_w, 0, B, I, O});
}

void cpu_dense_packed(
	const struct backend *be, real *y, const real *x, const void *packed, const real *b, enum act act, int B, int I, int O)
{
	dense(be->ctx, &(struct dense){y, x, packed, b, act, 0, 1, B, I, O});
}

void cpu_dense_backward_input(const struct backend *be, real *dx, const real *dy, const real *w, int trans_w, int B, int I, int O)
{
	struct cpu *c = be->ctx;
	if (B <= I && trans_w)
		gemm(c,
			&(struct gemm){.M = I,
				.N = B,
				.K = O,
				.a = {w},
				.lda = O,
				.b = {dy},
				.ldb = O,
				.trans_b = 1,
				.y = dx,
				.ldy = I,
				.trans_y = 1},
			0);
	else
		gemm(c,
			&(struct gemm){.M = B,
				.N = I,
				.K = O,
				.a = {dy},
				.lda = O,
				.b = {w},
				.ldb = trans_w ? O : I,
				.trans_b = trans_w,
				.y = dx,
				.ldy = I},
			!trans_w && I >= 8 * LOCAL_COLUMNS && B <= 512);
}

struct bias {
	float *db;
	const float *dy;
	int B, O;
};

enum { BIAS_COLUMNS = 64 };

static void bias_sums(void *arg, size_t from, size_t to)
{
	const struct bias *s = arg;
	double sum[BIAS_COLUMNS] = {0};
	for (int b = 0; b < s->B; b++)
		for (size_t k = from; k < to; k++)
			sum[k - from] += (double)s->dy[(size_t)b * (size_t)s->O + k];
	for (size_t k = from; k < to; k++)
		s->db[k] = (float)sum[k - from];
}

void cpu_dense_backward_weight(const struct backend *be, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O)
{
	if (dw)
		gemm(be->ctx,
			&(struct gemm){.M = O,
				.N = I,
				.K = B,
				.a = {dy},
				.lda = O,
				.trans_a = 1,
				.b = {x},
				.ldb = I,
				.y = dw,
				.ldy = I,
				.add = add},
			0);
	if (db)
		cpu_parallel_for(be->ctx, (size_t)O, BIAS_COLUMNS, bias_sums, &(struct bias){db, dy, B, O});
}

void cpu_dense_backward_update(const struct backend *be, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2,
	const real *x2, int B, int I, int O, const struct optimizer_step *opt)
{
	struct gemm g = {.M = O,
		.N = I,
		.K = B,
		.a = {dy, dy2},
		.lda = O,
		.trans_a = 1,
		.b = {x, x2},
		.ldb = I,
		.y = w,
		.ldy = I,
		.opt = opt,
		.m = m,
		.v = v};
	optimizer_bias_correction(opt, &g.correction1, &g.correction2);
	gemm(be->ctx, &g, 0);
}
