/* Products. One operand (B) is packed into panels of nr columns, by whole columns of K; the other (A) is read where it stands. A task is
 * some panels of A's rows against some of B's panels, cut by shape alone; what a tile's sums become (outputs, or weights moved by them)
 * is done while the tile is in cache. The smaller operand is packed: for a small batch the weights pass by once, as they lie. */
#include <string.h>

#include "kernels/act.h"
#include "kernels/cpu/cpu.h"
#include "kernels/optimizer.h"

enum {
	MANY = 8,
	ALIASED = 256,
	SMALL = 200000,
	K_BLOCK = 512,
	CHUNK_BYTES = 256 << 10,
	GROUP = 16,
	TASKS = 32,
	TILE = 14 * 32,
	MOST_ROWS = 14,
	FEW = 4,
	OWN_COLUMNS = 256,
	OWN_K = 256
};

struct gemm {
	struct cpu *c;
	int M, N, K, pairs;	  /* K of each pair of operands: sums run over pairs x K */
	const float *a[2], *b[2]; /* (M, K), (K, N) */
	long lda, ldb;
	int across, turned; /* a[i][k] at a + i + k lda; b[k][j] at b + j ldb + k */
	/* what becomes of a sum */
	float *y; /* y[i ldy + j], or y[j ldy + i] where `down` */
	long ldy;
	int down, add;
	const float *bias; /* of j, of i where down */
	enum act act;
	const struct optimizer_step *opt; /* weights y, moments m, v */
	float *m, *v, fix1, fix2;
	/* how it is cut */
	int blocks, panels, columns, group, groups, chunk; /* of K; of M, of N; panels a task; columns' panels a task */
	const float *packed;
};

static int part(int n, int i, int parts)
{
	return (int)((long)n * i / parts);
}

static int block_k(const struct gemm *g, int block)
{
	int each = g->blocks / g->pairs, i = block % each;
	return part(g->K, i + 1, each) - part(g->K, i, each);
}

/* Panel j of a block of K: nr columns, zeros beyond N. */
static void pack_panel(const struct gemm *g, float *to, int block, int j)
{
	int nr = g->c->simd->nr, each = g->blocks / g->pairs, n0 = j * nr, n = g->N - n0 < nr ? g->N - n0 : nr;
	int k0 = part(g->K, block % each, each), K = block_k(g, block);
	const float *b = g->b[block / each] + (g->turned ? (long)n0 * g->ldb + k0 : (long)k0 * g->ldb + n0);
	if (!g->turned) {
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
	for (int i = 0; i < nr; i += 8) /* eight lines at a time, so that what is read stays in cache until it is used up */
		for (int k = 0; k < K; k++)
			for (int l = i; l < i + 8 && l < nr; l++)
				to[k * nr + l] = l < n ? b[(long)l * g->ldb + k] : 0;
}

static size_t panel_at(const struct gemm *g, int block, int j)
{
	int each = g->blocks / g->pairs, nr = g->c->simd->nr;
	size_t k = (size_t)(block / each) * (size_t)g->K + (size_t)part(g->K, block % each, each);
	return (k * (size_t)g->columns + (size_t)j * (size_t)block_k(g, block)) * (size_t)nr;
}

static void pack(void *arg, int task, int thread)
{
	const struct gemm *g = arg;
	(void)thread;
	for (int block = 0; block < g->blocks; block++)
		pack_panel(g, (float *)g->packed + panel_at(g, block, task), block, task);
}

static void out(const struct gemm *g, float *tile, int m0, int m, int n0, int n)
{
	const struct simd *simd = g->c->simd;
	int nr = simd->nr;
	if (g->opt) {
		size_t at = (size_t)m0 * (size_t)g->ldy + (size_t)n0;
		simd->optimizer_step_tile(g->y + at, g->m ? g->m + at : NULL, g->v ? g->v + at : NULL, g->ldy, tile, m, n, g->opt, g->fix1, g->fix2);
		return;
	}
	if (g->down) {
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

/* m rows of A, packed: (K, m). */
static const float *gather_rows(const struct gemm *g, float *to, const float *a, int m, int K)
{
	if (g->across)
		for (int k = 0; k < K; k++)
			memcpy(to + k * m, a + (long)k * g->lda, (size_t)m * sizeof *to);
	else
		for (int k = 0; k < K; k++)
			for (int i = 0; i < m; i++)
				to[k * m + i] = a[(long)i * g->lda + k];
	return to;
}

/* Panels [p0, p1) of rows against panels [j0, j1) of columns; tiles stay in scratch from block to block of K. */
static void tiles(const struct gemm *g, float *scratch, int p0, int p1, int j0, int j1, int block, const float *b, size_t step)
{
	const struct simd *simd = g->c->simd;
	int each = g->blocks / g->pairs, k0 = part(g->K, block % each, each), K = block_k(g, block), last = block == g->blocks - 1;
	float *rows = scratch, *sums = scratch + MOST_ROWS * K_BLOCK;
	for (int p = p0; p < p1; p++) {
		int m0 = part(g->M, p, g->panels), m = part(g->M, p + 1, g->panels) - m0, across = g->across;
		const float *a = g->a[block / each] + (g->across ? m0 + (long)k0 * g->lda : (long)m0 * g->lda + k0);
		long lda = g->lda;
		if (j1 - j0 >= MANY && g->lda % ALIASED == 0) /* rows that would drive each other out of the cache */
			a = gather_rows(g, rows, a, m, K), lda = m, across = 1;
		for (int j = j0; j < j1; j++) {
			int n0 = j * simd->nr, n = g->N - n0 < simd->nr ? g->N - n0 : simd->nr;
			float *tile = sums + (g->blocks == 1 ? 0 : ((p - p0) * (j1 - j0) + j - j0) * TILE);
			simd->gemm_tile(tile, a, lda, across, b + (size_t)(j - j0) * step, m, n, K, block > 0);
			if (last)
				out(g, tile, m0, m, n0, n);
		}
	}
}

/* Floats of scratch for the tiles of some panels against some columns: one tile is enough where its sum is done at once. */
static size_t room_of(const struct gemm *g, int panels, int columns)
{
	return (size_t)(MOST_ROWS * K_BLOCK) + (g->blocks == 1 ? 1 : (size_t)panels * (size_t)columns) * TILE;
}

static void task(void *arg, int task, int thread)
{
	const struct gemm *g = arg;
	int q = task / g->groups, p0 = task % g->groups * g->group, p1 = p0 + g->group < g->panels ? p0 + g->group : g->panels;
	int j0 = q * g->chunk, j1 = j0 + g->chunk < g->columns ? j0 + g->chunk : g->columns;
	float *scratch = cpu_scratch(g->c, thread, room_of(g, g->group, g->chunk));
	for (int block = 0; block < g->blocks; block++)
		tiles(g, scratch, p0, p1, j0, j1, block, g->packed + panel_at(g, block, j0), (size_t)(block_k(g, block) * g->c->simd->nr));
}

/* A task packs its own columns: for weights that are used for a batch only once. */
static void own(void *arg, int task, int thread)
{
	const struct gemm *g = arg;
	int nr = g->c->simd->nr, j0 = task * g->chunk, j1 = j0 + g->chunk < g->columns ? j0 + g->chunk : g->columns;
	size_t sums = room_of(g, g->panels, g->chunk);
	float *scratch = cpu_scratch(g->c, thread, sums + (size_t)(g->chunk * nr * (OWN_K + 1))), *b = scratch + sums;
	for (int block = 0; block < g->blocks; block++) {
		size_t step = (size_t)(block_k(g, block) * nr);
		for (int j = j0; j < j1; j++)
			pack_panel(g, b + (size_t)(j - j0) * step, block, j);
		tiles(g, scratch, 0, g->panels, j0, j1, block, b, step);
	}
}

static void run(struct cpu *c, struct gemm *g, int alone)
{
	const struct simd *simd = c->simd;
	int deep = alone ? OWN_K : K_BLOCK;
	g->c = c;
	g->pairs = g->a[1] ? 2 : 1;
	g->blocks = (g->K + deep - 1) / deep * g->pairs;
	g->panels = (g->M + simd->mr - 1) / simd->mr, g->columns = (g->N + simd->nr - 1) / simd->nr;
	if (alone) {
		g->chunk = OWN_COLUMNS / simd->nr;
		thread_pool_run(c->pool, (g->columns + g->chunk - 1) / g->chunk, own, g);
		return;
	}
	int kc = g->K < K_BLOCK ? g->K : K_BLOCK;
	g->chunk = CHUNK_BYTES / (kc * simd->nr * (int)sizeof(float));
	g->chunk = g->chunk < 8 ? 8 : g->chunk > g->columns ? g->columns : g->chunk;
	int chunks = (g->columns + g->chunk - 1) / g->chunk;
	g->group = (int)((long)g->panels * chunks / TASKS);
	g->group = g->group < 1 ? 1 : g->group > GROUP ? GROUP : g->group;
	g->groups = (g->panels + g->group - 1) / g->group;
	g->packed = cpu_shared(c, (size_t)g->K * (size_t)g->pairs * (size_t)g->columns * (size_t)simd->nr);
	if ((double)g->M * g->N * g->K * g->pairs < SMALL) { /* waking others would cost more */
		for (int j = 0; j < g->columns; j++)
			pack(g, j, 0);
		for (int t = 0; t < g->groups * chunks; t++)
			task(g, t, 0);
		return;
	}
	thread_pool_run(c->pool, g->columns, pack, g);
	thread_pool_run(c->pool, g->groups * chunks, task, g);
}

struct dots {
	const struct simd *simd;
	float *y;
	const float *x, *w, *b;
	enum act act;
	int B, I, O;
};

enum { ROWS = 8 };

static void dots(void *arg, int task, int thread)
{
	const struct dots *d = arg;
	int from = task * ROWS, n = d->O - from < ROWS ? d->O - from : ROWS;
	(void)thread;
	d->simd->gemv(d->y + from, d->O, d->w + (size_t)from * (size_t)d->I, d->I, d->x, n, d->B, d->I);
	for (int b = 0; b < d->B; b++)
		if (d->b)
			d->simd->bias_act(d->y + (size_t)b * (size_t)d->O + from, d->b + from, d->act, (size_t)n);
		else if (d->act != ACT_NONE)
			d->simd->act(d->y + (size_t)b * (size_t)d->O + from, d->y + (size_t)b * (size_t)d->O + from, d->act, (size_t)n);
}

void cpu_dense(const struct backend *be, real *y, const real *x, const real *w, const real *b, enum act act, int flip, int B, int I, int O)
{
	struct cpu *c = be->ctx;
	if (B <= FEW && !flip)
		thread_pool_run(c->pool, (O + ROWS - 1) / ROWS, dots, &(struct dots){c->simd, y, x, w, b, act, B, I, O});
	else if (B <= O)
		run(c,
			&(struct gemm){.M = O,
				.N = B,
				.K = I,
				.a = {w},
				.lda = flip ? O : I,
				.across = flip,
				.b = {x},
				.ldb = I,
				.turned = 1,
				.y = y,
				.ldy = O,
				.down = 1,
				.bias = b,
				.act = act},
			0);
	else
		run(c,
			&(struct gemm){.M = B,
				.N = O,
				.K = I,
				.a = {x},
				.lda = I,
				.b = {w},
				.ldb = flip ? O : I,
				.turned = !flip,
				.y = y,
				.ldy = O,
				.bias = b,
				.act = act},
			0);
}

void cpu_dense_backward_input(const struct backend *be, real *dx, const real *dy, const real *w, int flip, int B, int I, int O)
{
	struct cpu *c = be->ctx;
	if (B <= I && flip)
		run(c,
			&(struct gemm){
				.M = I, .N = B, .K = O, .a = {w}, .lda = O, .b = {dy}, .ldb = O, .turned = 1, .y = dx, .ldy = I, .down = 1},
			0);
	else
		run(c,
			&(struct gemm){.M = B,
				.N = I,
				.K = O,
				.a = {dy},
				.lda = O,
				.b = {w},
				.ldb = flip ? O : I,
				.turned = flip,
				.y = dx,
				.ldy = I},
			!flip && I >= 8 * OWN_COLUMNS && B <= 512);
}

struct bias {
	float *db;
	const float *dy;
	int B, O;
};

enum { COLUMNS = 64 };

static void bias_sums(void *arg, size_t from, size_t to)
{
	const struct bias *s = arg;
	double sum[COLUMNS] = {0};
	for (int b = 0; b < s->B; b++)
		for (size_t k = from; k < to; k++)
			sum[k - from] += (double)s->dy[(size_t)b * (size_t)s->O + k];
	for (size_t k = from; k < to; k++)
		s->db[k] = (float)sum[k - from];
}

void cpu_dense_backward_weight(const struct backend *be, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O)
{
	if (dw)
		run(be->ctx,
			&(struct gemm){.M = O,
				.N = I,
				.K = B,
				.a = {dy},
				.lda = O,
				.across = 1,
				.b = {x},
				.ldb = I,
				.y = dw,
				.ldy = I,
				.add = add},
			0);
	if (db)
		cpu_slices(be->ctx, (size_t)O, COLUMNS, bias_sums, &(struct bias){db, dy, B, O});
}

void cpu_dense_backward_update(const struct backend *be, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2, const real *x2, int B,
	int I, int O, const struct optimizer_step *opt)
{
	struct gemm g = {.M = O,
		.N = I,
		.K = B,
		.a = {dy, dy2},
		.lda = O,
		.across = 1,
		.b = {x, x2},
		.ldb = I,
		.y = w,
		.ldy = I,
		.opt = opt,
		.m = m,
		.v = v};
	optimizer_bias_correction(opt, &g.fix1, &g.fix2);
	run(be->ctx, &g, 0);
}
