/* A task is some tiles, of one image or of several, times some panels of outputs: the tiles' inputs are transformed once, then each panel
 * is multiplied at the 36 points and transformed back. */
#include "kernels/cpu/winograd.h"

#include <string.h>

enum { POINTS = 36, SIDE = 6, OUT = 4, TILES = 28, TASKS = 8, PACKED = 16, MAX_NR = 32 };

struct job {
	struct cpu *c;
	int in, out, in_blocks, out_blocks, H, W, OH, OW, P, B; /* of this direction */
	int rows, columns;					/* tiles of an image */
	int tiles, groups, panels, group;			/* of all images; tasks along panels; panels of nr outputs; of a task */
	const float *x, *packed, *bias;
	float *y;
	int relu;
};

int winograd_fits(const struct cpu *c, const struct conv *s, int backward)
{
	int H = backward ? s->H : s->OH, W = backward ? s->W : s->OW, tiles = ((H + OUT - 1) / OUT) * ((W + OUT - 1) / OUT);
	if (c->bf16 || c->simd->nr < BLOCK || s->image || s->KH != 3 || s->KW != 3 || s->S != 1 || s->D != 1 || s->upsample != 1 ||
		s->P > 2 || s->C < BLOCK || s->F < BLOCK)
		return 0;
	if (!backward && (s->pool != 1 || (s->act != ACT_NONE && s->act != ACT_RELU)))
		return 0;
	return 10 * POINTS * tiles <= 6 * 9 * H * W; /* what the tiles at the edges waste, and the transforms, must leave a gain */
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

/* The inputs of a tile at row y, column x of its image, block of channels first at plane: transformed to v. */
static void transform_tile(const struct job *j, float *v, long step, const float *plane, int y, int x)
{
	int y0 = y * OUT - j->P, x0 = x * OUT - j->P;
	if (y0 >= 0 && x0 >= 0 && y0 + SIDE <= j->H && x0 + SIDE <= j->W) {
		j->c->simd->winograd_input(v, step, plane + ((long)y0 * j->W + x0) * BLOCK, (long)j->W * BLOCK);
		return;
	}
	float edge[SIDE * SIDE * BLOCK] = {0};
	int from = x0 < 0 ? -x0 : 0, to = x0 + SIDE > j->W ? j->W - x0 : SIDE;
	for (int r = 0; r < SIDE; r++)
		if (y0 + r >= 0 && y0 + r < j->H && to > from)
			memcpy(edge + (r * SIDE + from) * BLOCK, plane + ((long)(y0 + r) * j->W + x0 + from) * BLOCK,
				(size_t)((to - from) * BLOCK) * sizeof *edge);
	j->c->simd->winograd_input(v, step, edge, SIDE * BLOCK);
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
			transform_tile(j, v + (long)i * wide + c * BLOCK, (long)n * wide,
				j->x + (image * (long)j->in_blocks + c) * in_plane, at / j->columns, at % j->columns);
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
