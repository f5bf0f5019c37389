/* The weight gradient of a convolution by tiles: layout of both factors, and the sums. */
#include <string.h>

#include "kernels/cpu/conv_tiles.h"

enum {
	TILE = TILE_ROWS,
	PIXELS = 2 * TILE /* of a segment */,
	CACHE_BYTES = 1 << 20,
	TASKS = 16,
	FACTOR_BYTES = 16 << 20,
	FEW = 8,
	FEW_BYTES = 128 << 20
};

static size_t plane_size(const struct conv_tiles *t)
{
	return (size_t)(t->plane_rows * t->plane_columns);
}

/* Floats of a block's planes. */
static size_t moving_block(const struct conv_tiles *t)
{
	return (size_t)(t->step * t->step) * plane_size(t) * BLOCK;
}

static int ceil_div(int a, int b)
{
	return (a + b - 1) / b;
}

/* The plane and, in it, the pixel of a kernel position's first word: floats from a block's first plane on. */
static size_t tap_at(const struct conv_tiles *t, int ty, int tx)
{
	int y = t->y + ty * t->dilation, x = t->x + tx * t->dilation;
	size_t plane = (size_t)(y % t->step * t->step + x % t->step);
	return (plane * plane_size(t) + (size_t)(y / t->step * t->plane_columns + x / t->step)) * BLOCK;
}

struct conv_tiles conv_tiles_plan(
	const struct conv *s, const struct padded_planes *x, const struct padded_planes *dz, int top, int low_y, int low_x, int th, int tw)
{
	int up = s->upsample > 1;
	const struct padded_planes *moving = up ? dz : x;
	struct conv_tiles t = {.s = s,
		.fixed_blocks = channel_blocks(up ? s->C : s->F),
		.moving_blocks = moving->planes,
		.channels = s->C,
		.taps_y = th,
		.taps_x = tw,
		.step = up ? s->upsample : s->S,
		.dilation = s->D,
		.y = up ? top + low_y : 0,
		.x = up ? dz->before + low_x : 0,
		.fixed_rows = up ? s->H : s->OH,
		.fixed_columns = up ? s->W : s->OW,
		.rows = moving->rows,
		.columns = moving->before + moving->W + moving->after};
	if (s->image) {
		t.channels *= th * tw, t.taps_y = t.taps_x = t.step = 1;
		t.moving_blocks = channel_blocks(t.channels), t.rows = s->OH, t.columns = s->OW;
	}
	t.plane_rows = ceil_div(t.rows, t.step), t.plane_columns = ceil_div(t.columns, t.step);
	t.segments = ceil_div((t.fixed_rows - 1) * t.plane_columns + t.fixed_columns, PIXELS);
	size_t plane = plane_size(&t), read = (size_t)(t.segments * PIXELS), past = 0;
	for (int ty = 0; ty < t.taps_y; ty++)
		for (int tx = 0; tx < t.taps_x; tx++) { /* words that a last plane's last segment reads beyond it: their factor is 0 */
			size_t end = tap_at(&t, ty, tx) / BLOCK % plane + read;
			past = end > plane && end - plane > past ? end - plane : past;
		}
	t.fixed_size = (size_t)t.fixed_blocks * (size_t)t.segments * TILE * TILE;
	t.moving_size = (size_t)t.moving_blocks * moving_block(&t) + past * BLOCK;
	t.tmp = (2 * read > plane ? 2 * read : plane) * BLOCK;
	return t;
}

static void copy_pixel(float *to, const float *from)
{
	memcpy(to, from, BLOCK * sizeof *to);
}

/* Tiles (channel, word) of one block: of every second word. */
static void fixed_words(const struct conv_tiles *t, const struct cpu *c, float *to, const float *from, long row, float *tmp)
{
	size_t all = (size_t)(t->segments * PIXELS), some = (size_t)((t->fixed_rows - 1) * t->plane_columns + t->fixed_columns);
	float *words = tmp + all * BLOCK;
	if (row != (long)t->plane_columns * BLOCK) { /* between rows are zeros, which dz has already */
		memset(tmp, 0, some * BLOCK * sizeof *tmp);
		for (int r = 0; r < t->fixed_rows; r++)
			memcpy(tmp + (size_t)(r * t->plane_columns) * BLOCK, from + r * row,
				(size_t)t->fixed_columns * BLOCK * sizeof *tmp);
		from = tmp;
	}
	cpu_sliding_pairs(c, words, from, some * BLOCK, BLOCK);
	memset(words + some * BLOCK, 0, (all - some) * BLOCK * sizeof *words);
	for (int s = 0; s < t->segments; s++, to += TILE * TILE, words += PIXELS * BLOCK)
		c->simd->transpose_tile(to, words, 2 * BLOCK);
}

/* A planar image as a map whose channels are kernel positions, from k0 on. */
static void positions_as_channels(const struct conv_tiles *t, float *to, const float *x, long row, const int32_t *off, int k0)
{
	int n = t->channels - k0 < BLOCK ? t->channels - k0 : BLOCK;
	for (int r = 0; r < t->rows; r++)
		for (int c = 0; c < t->columns; c++, to += BLOCK) {
			const float *from = x + r * t->s->S * row + c * t->s->S;
			for (int k = 0; k < BLOCK; k++)
				to[k] = k < n ? from[off[k0 + k]] : 0;
		}
}

/* The plane (py, px) of a block: every step-th pixel. */
static void part_plane(const struct conv_tiles *t, float *to, const float *from, long row, int py, int px)
{
	for (int r = 0; r < t->plane_rows; r++)
		for (int c = 0; c < t->plane_columns; c++, to += BLOCK) {
			int y = r * t->step + py, x = c * t->step + px;
			if (y < t->rows && x < t->columns)
				copy_pixel(to, from + y * row + x * BLOCK);
			else
				memset(to, 0, BLOCK * sizeof *to);
		}
}

static void moving_words(
	const struct conv_tiles *t, const struct cpu *c, float *to, const struct tile_factor *f, const int32_t *off, int b, float *tmp)
{
	size_t floats = plane_size(t) * BLOCK;
	for (int plane = 0; plane < t->step * t->step; plane++, to += floats) {
		const float *from = tmp;
		if (t->s->image)
			positions_as_channels(t, tmp, f->p, f->row, off, b * BLOCK);
		else if (t->step > 1)
			part_plane(t, tmp, f->p + b * f->plane, f->row, plane / t->step, plane % t->step);
		else
			from = f->p + b * f->plane;
		cpu_sliding_pairs(c, to, from, floats, BLOCK);
	}
}

void conv_tiles_words(const struct conv_tiles *t, const struct cpu *c, float *fixed, float *moving, const struct tile_factor *x,
	const struct tile_factor *dz, const int32_t *off, int part, int parts, float *tmp)
{
	int up = t->s->upsample > 1;
	const struct tile_factor *f = up ? x : dz, *m = up ? dz : x;
	size_t block = moving_block(t), all = block * (size_t)t->moving_blocks;
	for (int b = part; b < t->fixed_blocks; b += parts)
		fixed_words(t, c, fixed + (size_t)(b * t->segments) * TILE * TILE, f->p + b * f->plane, f->row, tmp);
	for (int b = part; b < t->moving_blocks; b += parts)
		moving_words(t, c, moving + (size_t)b * block, m, off, b, tmp);
	if (!part)
		memset(moving + all, 0, (t->moving_size - all) * sizeof *moving);
}

/* Adds a tile to packed dw, whose rows are input channels of a kernel position, columns a group's filters. */
static void put_tile(const struct conv_tiles_run *run, float *dw, const float *sums, int fixed, int moving, int tap)
{
	const struct conv_tiles *t = run->t;
	int up = t->s->upsample > 1, filter = up ? moving : fixed, channel = (up ? fixed : moving) * BLOCK, group = run->simd->group;
	int first = filter / group * group, left = channel_blocks(t->s->F) - first, wide = (left < group ? left : group) * BLOCK;
	int n = t->channels - channel < BLOCK ? t->channels - channel : BLOCK, taps = t->taps_y * t->taps_x;
	_Alignas(64) float turned[TILE * TILE];
	if (!up)
		run->simd->transpose_tile(turned, sums, TILE);
	sums = up ? sums : turned;
	dw += (size_t)(first * BLOCK) * (size_t)(t->channels * taps) + (size_t)(channel * taps + tap * n) * (size_t)wide +
	      (filter - first) * BLOCK;
	for (int k = 0; k < n; k++, dw += wide, sums += TILE)
		for (int i = 0; i < BLOCK; i++)
			dw[i] = run->add ? dw[i] + sums[i] : sums[i];
}

static void tile_task(void *arg, int task, int thread)
{
	const struct conv_tiles_run *run = arg;
	const struct conv_tiles *t = run->t;
	int range = task / (run->groups * run->fixed_pairs), fixed = task / run->groups % run->fixed_pairs * 2;
	int from = (int)((long)run->images * range / run->ranges), to = (int)((long)run->images * (range + 1) / run->ranges);
	int taps = t->taps_y * t->taps_x, p = task % run->groups * run->per,
	    last = p + run->per < run->positions ? p + run->per : run->positions;
	size_t block = moving_block(t);
	_Alignas(64) float sums[2][2][TILE * TILE];
	(void)thread;
	for (; p < last; p += 2) {
		struct tile_sums s = {.sums = sums[0][0],
			.fixed_image = (long)t->fixed_size,
			.moving_image = (long)t->moving_size,
			.segments = t->segments,
			.images = to - from};
		for (int i = 0; i < 2 && fixed + i < t->fixed_blocks; i++)
			s.fixed[i] = run->fixed + (size_t)from * t->fixed_size + (size_t)((fixed + i) * t->segments) * TILE * TILE;
		for (int i = 0; i < 2 && p + i < last; i++)
			s.moving[i] = run->moving + (size_t)from * t->moving_size + (size_t)((p + i) / taps) * block +
				      tap_at(t, (p + i) % taps / t->taps_x, (p + i) % t->taps_x);
		run->simd->tile_sums(&s);
		for (int i = 0; i < 2; i++)
			for (int k = 0; k < 2; k++)
				if (s.fixed[i] && s.moving[k])
					put_tile(run, run->sums + (size_t)range * run->size, sums[i][k], fixed + i, (p + k) / taps,
						(p + k) % taps);
	}
}

/* Positions of a task: those of a block, or two blocks of one each. */
static int positions_per_task(const struct conv_tiles *t)
{
	int taps = t->taps_y * t->taps_x;
	return taps > 1 ? taps : 2;
}

int conv_tiles_images(const struct conv_tiles *t, int batch)
{
	size_t bytes = (t->fixed_size + t->moving_size) * sizeof(float), n = FACTOR_BYTES / bytes,
	       few = FEW_BYTES / bytes < FEW ? FEW_BYTES / bytes : FEW;
	n = n < few ? few : n;
	n = n < 1 ? 1 : n;
	return n < (size_t)batch ? (int)n : batch;
}

int conv_tiles_ranges(const struct conv_tiles *t, int images, size_t nw)
{
	size_t image = t->fixed_size + t->moving_size, in_cache = CACHE_BYTES / sizeof(float) / image;
	int positions = t->moving_blocks * t->taps_y * t->taps_x,
	    tasks = ceil_div(t->fixed_blocks, 2) * ceil_div(positions, positions_per_task(t));
	long n = ceil_div(images, in_cache > 1 ? (int)in_cache : 1), most = (long)((size_t)images * image / (4 * nw));
	n = n > most ? most : n; /* each range writes dw, and another pass adds it to the next */
	n = n * tasks < TASKS ? ceil_div(TASKS, tasks) : n;
	return n > images ? images : (int)n;
}

void conv_tiles_sums(struct cpu *c, struct conv_tiles_run *run)
{
	run->positions = run->t->moving_blocks * run->t->taps_y * run->t->taps_x, run->per = positions_per_task(run->t);
	run->fixed_pairs = ceil_div(run->t->fixed_blocks, 2), run->groups = ceil_div(run->positions, run->per);
	thread_pool_run(c->pool, run->ranges * run->fixed_pairs * run->groups, tile_task, run);
}
