/* Forward, and the input's gradient: a task is some tiles, of one image or of several, times some panels of outputs: the tiles' inputs are
 * transformed once, then each panel is multiplied at the 36 points and transformed back. The weights' gradient, below. */
#include "kernels/cpu/winograd.h"

#include <string.h>

enum { POINTS = 36, OUT = 4, TILES = 28, TASKS = 8, PACKED = 16, MAX_NR = 32 };
/* of the weights' gradient: tiles, filters of a task; floats between points' arrays, which keep them out of one set of a cache; tasks that
 * transforms of few tiles are cut into, by channels */
enum { TRANSFORMED = 8, FILTERS = 16, APART = 16, PARALLEL = 32 };

struct job {
	struct cpu *c;
	int in, out, in_blocks, out_blocks, H, W, OH, OW, P, B; /* of this direction */
	int rows, columns;					/* tiles of an image */
	int tiles, groups, panels, group;			/* of all images; tasks along panels; panels of nr outputs; of a task */
	const float *x, *packed, *bias;
	float *y;
	int relu;
};

int winograd_fits(const struct cpu *c, const struct conv *s, enum winograd_pass pass)
{
	int backward = pass == WINOGRAD_INPUT_GRADIENT, H = backward ? s->H : s->OH, W = backward ? s->W : s->OW,
	    tiles = ((H + OUT - 1) / OUT) * ((W + OUT - 1) / OUT),
	    least = !c->bf16		       ? BLOCK
		    : pass == WINOGRAD_FORWARD ? 2 * BLOCK
					       : 4 * BLOCK;
	if (c->simd->nr < BLOCK || s->image || s->KH != 3 || s->KW != 3 || s->S != 1 || s->D != 1 || s->upsample != 1 || s->P > 2 ||
		s->C < least || s->F < least || s->C > WINOGRAD_CHANNELS || s->F > WINOGRAD_CHANNELS || s->pool != 1)
		return 0;
	if (c->bf16 && c->simd->words_along_k) /* tiles of bf16 are faster still */
		return 0;
	if (pass == WINOGRAD_FORWARD && s->act != ACT_NONE && s->act != ACT_RELU)
		return 0;
	/* what the tiles at the edges waste, and the transforms, must leave a gain; maps have up to 2^31 / 16 pixels */
	return 10L * POINTS * tiles <= 6L * 9 * H * W;
}

static struct job job_of(const struct cpu *c, const struct conv *s, int backward)
{
	struct job j = {.in = backward ? s->F : s->C, .out = backward ? s->C : s->F, .B = s->B};
	j.H = backward ? s->OH : s->H, j.W = backward ? s->OW : s->W, j.OH = backward ? s->H : s->OH, j.OW = backward ? s->W : s->OW;
	j.P = backward ? 2 - s->P : s->P;
	j.in_blocks = channel_blocks(j.in), j.out_blocks = channel_blocks(j.out);
	j.rows = (j.OH + OUT - 1) / OUT, j.columns = (j.OW + OUT - 1) / OUT, j.tiles = j.B * j.rows * j.columns;
	j.panels = (j.out_blocks * BLOCK + c->simd->nr - 1) / c->simd->nr;
	int chunks = (j.tiles + TILES - 1) / TILES;
	j.groups = chunks >= TASKS ? 1 : (TASKS + chunks - 1) / chunks < j.panels ? (TASKS + chunks - 1) / chunks : j.panels;
	j.group = (j.panels + j.groups - 1) / j.groups, j.groups = (j.panels + j.group - 1) / j.group;
	return j;
}

size_t winograd_packed_size(const struct cpu *c, const struct conv *s, int backward)
{
	struct job j = job_of(c, s, backward);
	return (size_t)POINTS * (size_t)j.panels * (size_t)j.in * (size_t)c->simd->nr;
}

struct packing {
	struct job j;
	float *to;
	const float *w;
	int C, backward, chunks; /* C: of w; chunks of inputs */
};

/* A panel of outputs by some inputs. */
static void pack_task(void *arg, int task, int thread)
{
	const struct packing *a = arg;
	const struct job *j = &a->j;
	int nr = j->c->simd->nr, panel = task / a->chunks, from = task % a->chunks * PACKED,
	    to = from + PACKED < j->in ? from + PACKED : j->in;
	int n = j->out - panel * nr < nr ? j->out - panel * nr : nr;
	float k[9 * MAX_NR] = {0};
	(void)thread;
	for (int i = from; i < to; i++) {
		for (int f = 0; f < n; f++) {
			int o = panel * nr + f;
			const float *w = a->w + ((size_t)(a->backward ? i : o) * (size_t)a->C + (size_t)(a->backward ? o : i)) * 9;
			for (int t = 0; t < 9; t++) /* backward: the kernel turned by half a circle */
				k[t * nr + f] = w[a->backward ? 8 - t : t];
		}
		j->c->simd->winograd_kernel(
			a->to + ((size_t)panel * (size_t)j->in + (size_t)i) * (size_t)nr, (long)j->panels * j->in * nr, k);
	}
}

void winograd_pack(struct cpu *c, float *to, const float *w, const struct conv *s, int backward)
{
	struct packing a = {.j = job_of(c, s, backward), .to = to, .w = w, .C = s->C, .backward = backward};
	a.j.c = c, a.chunks = (a.j.in + PACKED - 1) / PACKED;
	thread_pool_run(c->pool, a.j.panels * a.chunks, pack_task, &a);
}

/* The inputs of tile `at` of its image, block of channels first at plane: transformed to v. */
static void transform_tile(const struct job *j, float *v, long step, const float *plane, int at)
{
	j->c->simd->winograd_input(v, step, plane, (long)j->W * BLOCK, at / j->columns * OUT - j->P, at % j->columns * OUT - j->P, j->H);
}

static void run_task(void *arg, int task, int thread)
{
	const struct job *j = arg;
	const struct simd *simd = j->c->simd;
	int nr = simd->nr, first = task / j->groups * TILES, n = j->tiles - first < TILES ? j->tiles - first : TILES,
	    wide = j->in_blocks * BLOCK;
	int p0 = task % j->groups * j->group, p1 = p0 + j->group < j->panels ? p0 + j->group : j->panels, per_image = j->rows * j->columns;
	long in_plane = (long)j->H * j->W * BLOCK, out_plane = (long)j->OH * j->OW * BLOCK;
	float *v = cpu_scratch(j->c, thread, (size_t)(POINTS * TILES) * (size_t)(wide + nr)),
	      *m = v + (size_t)(POINTS * TILES) * (size_t)wide;
	for (int i = 0; i < n; i++) {
		int image = (first + i) / per_image, at = (first + i) % per_image;
		for (int c = 0; c < j->in_blocks; c++)
			transform_tile(
				j, v + (long)i * wide + c * BLOCK, (long)n * wide, j->x + (image * (long)j->in_blocks + c) * in_plane, at);
	}
	for (int p = p0; p < p1; p++) {
		for (int k = 0; k < POINTS; k++) {
			const float *u = j->packed + ((size_t)k * (size_t)j->panels + (size_t)p) * (size_t)j->in * (size_t)nr;
			int tiles = (n + simd->mr - 1) / simd->mr;
			for (int t = 0; t < tiles; t++) {
				int from = n * t / tiles, to = n * (t + 1) / tiles;
				simd->fp32.gemm_tile(m + ((long)k * n + from) * nr, v + ((long)k * n + from) * wide, wide, 0, u, to - from,
					nr, j->in, 0);
			}
		}
		for (int i = 0; i < n; i++) {
			int image = (first + i) / per_image, at = (first + i) % per_image, y = at / j->columns * OUT,
			    x = at % j->columns * OUT;
			for (int f = p * nr / BLOCK; f < (p + 1) * nr / BLOCK && f < j->out_blocks; f++)
				simd->winograd_output(j->y + (image * (long)j->out_blocks + f) * out_plane + ((long)y * j->OW + x) * BLOCK,
					(long)j->OW * BLOCK, m + (long)i * nr + f * BLOCK - p * nr, (long)n * nr, j->bias + f * BLOCK,
					j->relu, j->OH - y < OUT ? j->OH - y : OUT, j->OW - x < OUT ? j->OW - x : OUT);
		}
	}
}

void winograd_run(struct cpu *c, float *y, const float *x, const float *packed, const float *b, const struct conv *s, int backward)
{
	struct job j = job_of(c, s, backward);
	j.c = c, j.x = x, j.y = y, j.packed = packed, j.bias = b, j.relu = !backward && s->act == ACT_RELU;
	thread_pool_run(c->pool, (j.tiles + TILES - 1) / TILES * j.groups, run_task, &j);
}

/* The weights' gradient sums over all tiles: dg = G' (sum of (A dy A') . (B' d B)) G, the transpose of the above. Of a chunk of tiles both
 * factors are transformed; then a task is a point and a panel of inputs, whose sums it goes on with; at last these are transformed to
 * kernels. */
struct gradient {
	struct job j;
	const struct conv *s;
	const float *dz;
	float *v, *e, *m, *sums, *dw; /* v[36][panel][tile][nr], e[36][tile][wide], m[36][panel][F][nr]; sums of dz by task */
	long v_step, e_step, m_step;
	int panels, wide, first, n, chunk; /* panels of inputs; channels of e; tiles of this chunk, of any but the last one */
	int parts;			   /* of the channel blocks of both factors, to be transformed by tasks of their own */
};

static void transform_gradient(const struct gradient *g, float *e, float *sum, const float *plane, int y, int x)
{
	const struct job *j = &g->j;
	int rows = j->OH - y < OUT ? j->OH - y : OUT, columns = j->OW - x < OUT ? j->OW - x : OUT;
	const float *from = plane + ((long)y * j->OW + x) * BLOCK;
	if (rows == OUT && columns == OUT) {
		j->c->simd->winograd_output_gradient(e, g->e_step, sum, from, (long)j->OW * BLOCK);
		return;
	}
	float edge[OUT * OUT * BLOCK] = {0};
	for (int r = 0; r < rows; r++)
		memcpy(edge + r * OUT * BLOCK, from + (long)r * j->OW * BLOCK, (size_t)(columns * BLOCK) * sizeof *edge);
	j->c->simd->winograd_output_gradient(e, g->e_step, sum, edge, OUT * BLOCK);
}

/* Some tiles of some channel blocks, counted through x's, then dz's. */
static void transform_task(void *arg, int task, int thread)
{
	const struct gradient *g = arg;
	const struct job *j = &g->j;
	int nr = j->c->simd->nr, per_image = j->rows * j->columns, group = task / g->parts, from = group * TRANSFORMED,
	    to = from + TRANSFORMED < g->n ? from + TRANSFORMED : g->n, blocks = j->in_blocks + j->out_blocks,
	    b0 = blocks * (task % g->parts) / g->parts, b1 = blocks * (task % g->parts + 1) / g->parts;
	long in_plane = (long)j->H * j->W * BLOCK, out_plane = (long)j->OH * j->OW * BLOCK;
	float *sums = g->sums + ((long)(g->first / TRANSFORMED) + group) * g->wide;
	(void)thread;
	for (int i = from; i < to; i++) {
		int image = (g->first + i) / per_image, at = (g->first + i) % per_image;
		for (int c = b0; c < b1 && c < j->in_blocks; c++)
			transform_tile(j, g->v + ((long)(c * BLOCK / nr) * g->n + i) * nr + c * BLOCK % nr, g->v_step,
				j->x + (image * (long)j->in_blocks + c) * in_plane, at);
		for (int f = b0 > j->in_blocks ? b0 - j->in_blocks : 0; f < b1 - j->in_blocks; f++) {
			float *sum = sums + f * BLOCK;
			if (i == from)
				memset(sum, 0, BLOCK * sizeof *sum);
			transform_gradient(g, g->e + (long)i * g->wide + f * BLOCK, sum,
				g->dz + (image * (long)j->out_blocks + f) * out_plane, at / j->columns * OUT, at % j->columns * OUT);
		}
	}
}

static void multiply_task(void *arg, int task, int thread)
{
	const struct gradient *g = arg;
	const struct simd *simd = g->j.c->simd;
	int k = task / g->panels, p = task % g->panels, F = g->s->F, tiles = (F + simd->mr - 1) / simd->mr, left = g->s->C - p * simd->nr;
	(void)thread;
	for (int t = 0; t < tiles; t++) {
		int from = F * t / tiles, to = F * (t + 1) / tiles;
		simd->fp32.gemm_tile(g->m + k * g->m_step + ((long)p * F + from) * simd->nr, g->e + k * g->e_step + from, g->wide, 1,
			g->v + k * g->v_step + (long)p * g->n * simd->nr, to - from, left < simd->nr ? left : simd->nr, g->n, g->first > 0);
	}
}

static void kernels_task(void *arg, int task, int thread)
{
	const struct gradient *g = arg;
	int nr = g->j.c->simd->nr, p = task % g->panels, C = g->s->C, n = C - p * nr < nr ? C - p * nr : nr;
	float dk[9 * MAX_NR];
	(void)thread;
	for (int f = task / g->panels * FILTERS; f < g->s->F && f < (task / g->panels + 1) * FILTERS; f++) {
		g->j.c->simd->winograd_kernel_gradient(dk, g->m + ((long)p * g->s->F + f) * nr, g->m_step);
		float *to = g->dw + ((long)f * C + p * nr) * 9;
		for (int c = 0; c < n; c++)
			for (int t = 0; t < 9; t++)
				to[c * 9 + t] = dk[t * nr + c];
	}
}

static void weight_gradient(struct gradient *g, float *dw, float *db)
{
	struct job *j = &g->j;
	int tasks = (j->tiles + TRANSFORMED - 1) / TRANSFORMED, blocks = j->in_blocks + j->out_blocks;
	g->dw = dw;
	for (g->first = 0; g->first < j->tiles; g->first += g->chunk) {
		g->n = j->tiles - g->first < g->chunk ? j->tiles - g->first : g->chunk;
		int groups = (g->n + TRANSFORMED - 1) / TRANSFORMED;
		g->parts = (PARALLEL + groups - 1) / groups < blocks ? (PARALLEL + groups - 1) / groups : blocks;
		thread_pool_run(j->c->pool, groups * g->parts, transform_task, g);
		thread_pool_run(j->c->pool, POINTS * g->panels, multiply_task, g);
	}
	thread_pool_run(j->c->pool, g->panels * ((g->s->F + FILTERS - 1) / FILTERS), kernels_task, g);
	for (int f = 0; db && f < g->s->F; f++) {
		double sum = 0;
		for (int t = 0; t < tasks; t++)
			sum += (double)g->sums[(long)t * g->wide + f];
		db[f] = (float)sum;
	}
}

/* The sizes; returns floats needed. */
static size_t plan_gradient(struct gradient *g, const struct cpu *c, const struct conv *s)
{
	int nr = c->simd->nr;
	*g = (struct gradient){.j = job_of(c, s, 0), .s = s};
	g->panels = (s->C + nr - 1) / nr, g->wide = g->j.out_blocks * BLOCK;
	/* a chunk's sums are read and written as often as its factors are */
	g->chunk = (2 * s->C * s->F / (s->C + s->F) + TRANSFORMED - 1) / TRANSFORMED * TRANSFORMED;
	if (g->chunk < 4 * TRANSFORMED)
		g->chunk = 4 * TRANSFORMED;
	if (g->chunk > g->j.tiles)
		g->chunk = g->j.tiles;
	g->v_step = (long)g->panels * g->chunk * nr + APART, g->e_step = (long)g->chunk * g->wide + APART;
	g->m_step = (long)g->panels * s->F * nr + APART;
	long sums = (long)((g->j.tiles + TRANSFORMED - 1) / TRANSFORMED) * g->wide;
	return (size_t)(POINTS * (g->v_step + g->e_step + g->m_step) + sums);
}

struct masked {
	const struct simd *simd;
	float *dz;
	const float *dy, *y;
	enum act act;
};

static void mask(void *arg, size_t from, size_t to)
{
	const struct masked *a = arg;
	a->simd->act_backward(a->dz + from, a->dy + from, a->y + from, a->act, to - from);
}

void winograd_backward(struct cpu *c, float *dx, float *dw, float *db, const float *dy, const float *y, const float *x, const float *w,
	const struct conv *s)
{
	struct gradient g;
	size_t n = s->act == ACT_NONE ? 0 : (size_t)s->B * (size_t)channel_blocks(s->F) * BLOCK * (size_t)s->OH * (size_t)s->OW;
	size_t zeros = (size_t)channel_blocks(s->C) * BLOCK, packed = dx ? winograd_packed_size(c, s, 1) : 0,
	       sums = plan_gradient(&g, c, s), larger = packed + zeros > sums ? packed + zeros : sums;
	float *dz = cpu_workspace(c, n + larger), *rest = dz + n;
	if (n)
		cpu_parallel_for(c, n, 1 << 14, mask, &(struct masked){c->simd, dz, dy, y, s->act});
	const float *from = n ? dz : dy;
	if (dx) {
		winograd_pack(c, rest, w, s, 1);
		memset(rest + packed, 0, zeros * sizeof *rest);
		winograd_run(c, dx, from, rest, rest + packed, s, 1);
	}
	if (!dw)
		return;
	g.j.c = c, g.j.x = x, g.dz = from;
	g.v = rest, g.e = g.v + POINTS * g.v_step, g.m = g.e + POINTS * g.e_step, g.sums = g.m + POINTS * g.m_step;
	weight_gradient(&g, dw, db);
}
