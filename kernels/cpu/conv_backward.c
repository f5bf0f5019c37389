/* Convolution backward, an image, or where these are few a part of an image's gradients, at a time: dz, the gradient before activation and
 * pool, is computed once into a zero-padded buffer; the weight gradient is accumulated from it per shard of the batch (shards are reduced
 * in a fixed tree), the input gradient is a convolution of it. A part has some blocks of the weight gradient and some rows of the input's;
 * its dz it computes itself. By tiles an image, or a part of it, only lays out its factors of the weight gradient, whose sums follow
 * (conv_tiles.h). */
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/conv_layout.h"
#include "kernels/cpu/conv_tiles.h"
#include "kernels/cpu/winograd.h"
#include "kernels/ref/ref.h"

enum { SHARDS = 32, TASKS = 16, MAX_PARTS = 4, CACHE_BYTES = 24 << 10 };

/* bf16: x and dz as words. Of the weight gradient a word is of two output pixels that follow each other, where these are read one after the
 * other; the operand that kernel positions move, x, or dz of an upsampling, has a word for each pixel: it and the one a step on. Floats. */
struct words {
	size_t dz, x_pixels, dz_pixels; /* sizes: dz by channels, for dx; x and dz by pixels */
	size_t behind;			/* what tiles read behind dz */
	int pairs;			/* output pixels of a row in words */
};

struct job {
	struct cpu *c;
	const struct conv *s;
	struct pack fwd, bwd;			     /* layouts of the forward pass (dw's where upsample is 1) and of dx */
	const int32_t *off[PHASES][PHASES], *dw_off; /* input offsets of dx; of dw where the input is planar */
	const float *w, *zero, *x, *dy, *y;
	const uint8_t *argmax;
	float *dx, *dw, *sums;
	size_t nw, F, shard_size; /* floats of packed dw, of db, of a shard: dw and, but by tiles, db */
	int shards, parts, step, copied;
	struct padded_planes x_pad, dz_pad; /* x; dz */
	int th, tw;			    /* kernel extent of packed dw: KH, KW, or + upsample - 1, dx's, where upsample is above 1 */
	struct words words;
	struct conv_tiles tiles;    /* where weight gradients go by tiles: */
	float *fixed, *moving, *db; /* factors of the images from `first` on; of all images */
	int first;
};

static long pitch_of(const struct padded_planes *p)
{
	return (long)(p->before + p->W + p->after) * p->pixel;
}

/* to: for each row r < rows of each plane, words of pixels 0 and 1, 2 and 3, ... of n; rows from pitch, planes plane floats apart. */
static void pixel_pairs(const struct job *j, float *to, const float *from, int planes, long plane, int rows, long pitch, int n)
{
	for (int k = 0; k < planes; k++)
		for (int r = 0; r < rows; r++)
			for (int i = 0; i < n; i += 2, to += BLOCK) {
				const float *p = from + k * plane + r * pitch + i * BLOCK;
				j->c->simd->pairs_of(to, p, i + 1 < n ? p + BLOCK : NULL, BLOCK);
			}
}

static size_t padded_size(const struct padded_planes *p)
{
	return (size_t)(p->planes * p->rows) * (size_t)pitch_of(p);
}

/* Where the factors of the weight gradient are, and the way through them. */
struct factors {
	const float *x, *dz;
	long x_step, x_row, x_plane, dz_step, dz_row, dz_plane,
		dz_pitch; /* from one output pixel (or word) to the next, output row, plane; dz_pitch: row of dz */
	int n;
};

static struct factors fp32_factors(const struct job *j, const float *x, const float *dz)
{
	const struct padded_planes *p = &j->dz_pad;
	long dz_pitch = pitch_of(p), x_pitch = pitch_of(&j->x_pad);
	return (struct factors){.x = x,
		.dz = dz + j->bwd.y.before * dz_pitch + p->before * BLOCK,
		.x_step = j->s->S * j->x_pad.pixel,
		.x_row = j->s->S * x_pitch,
		.x_plane = x_pitch * j->x_pad.rows,
		.dz_step = j->s->upsample * BLOCK,
		.dz_row = j->s->upsample * dz_pitch,
		.dz_plane = dz_pitch * p->rows,
		.dz_pitch = dz_pitch,
		.n = j->s->upsample > 1 ? j->s->W : j->s->OW};
}

/* The same in words, which buffer gets. */
static struct factors bf16_factors(const struct job *j, const float *x, const float *dz, float *buffer)
{
	struct factors f = fp32_factors(j, x, dz);
	const struct conv *s = j->s;
	float *x_words = buffer, *dz_words = buffer + j->words.x_pixels;
	long row = (long)j->words.pairs * BLOCK;
	if (s->upsample > 1) {
		pixel_pairs(j, x_words, x, j->x_pad.planes, f.x_plane, s->H, pitch_of(&j->x_pad), s->W);
		cpu_sliding_pairs(j->c, dz_words, dz, padded_size(&j->dz_pad), (size_t)f.dz_step);
		f.dz = dz_words + (f.dz - dz), f.dz_step *= 2;
		f.x_step = BLOCK, f.x_row = row, f.x_plane = row * s->H;
	} else {
		cpu_sliding_pairs(j->c, x_words, x, padded_size(&j->x_pad), (size_t)f.x_step);
		pixel_pairs(j, dz_words, f.dz, j->dz_pad.planes, f.dz_plane, s->OH, f.dz_pitch, s->OW);
		f.x_step *= 2;
		f.dz = dz_words, f.dz_step = BLOCK, f.dz_row = f.dz_pitch = row, f.dz_plane = row * s->OH;
	}
	f.x = x_words, f.n = j->words.pairs;
	return f;
}

/* Sums of dz: db. */
static void bias_gradient(const struct job *j, float *db, const float *dz)
{
	const struct factors f = fp32_factors(j, NULL, dz);
	static const float one = 1;
	int blocks = channel_blocks(j->s->F), group = j->c->simd->group;
	for (int first = 0; first < blocks; first += group)
		j->c->simd->fp32.conv_kernel_dw(&(struct conv_kernel_dw){.dw = db + first * BLOCK,
			.dy = f.dz + first * f.dz_plane,
			.dystep = BLOCK,
			.dyrow = f.dz_pitch,
			.dyblock = f.dz_plane,
			.x = &one,
			.n = j->s->OW,
			.rows = j->s->OH,
			.K = 1,
			.blocks = blocks - first < group ? blocks - first : group});
}

/* Blocks of the weight gradient: of a group of filter blocks and a block of input channels (a planar input: all of them). */
static int units_from(const struct job *j, int part)
{
	int groups = (channel_blocks(j->s->F) + j->c->simd->group - 1) / j->c->simd->group;
	return groups * (j->s->image ? 1 : channel_blocks(j->s->C)) * part / j->parts;
}

static int group_blocks(const struct job *j, int first)
{
	int left = channel_blocks(j->s->F) - first;
	return left < j->c->simd->group ? left : j->c->simd->group;
}

/* In dw, for groups of filter blocks: (channel block, ty, tx, channel in block, filter). The first filter block and channel of unit u, its
 * number of channels, and where it is. */
static float *unit_at(const struct job *j, float *dw, int u, int *first, int *c, int *C)
{
	const struct conv *s = j->s;
	int blocks = s->image ? 1 : channel_blocks(s->C), end = channel_blocks(s->F);
	*first = u / blocks * j->c->simd->group, *c = u % blocks * BLOCK;
	*first = *first < end ? *first : end; /* where the last one ends */
	*C = s->image ? s->C : s->C - *c < BLOCK ? s->C - *c : BLOCK;
	return dw + ((size_t)*first * (size_t)s->C + (size_t)group_blocks(j, *first) * (size_t)*c) * BLOCK * (size_t)(j->th * j->tw);
}

/* The weight gradient of one block, of rows [r, r + rows). */
static void unit_gradient(const struct job *j, float *dw, const struct factors *f, int u, int r, int rows)
{
	const struct conv *s = j->s;
	int up = s->upsample, first, c, C;
	float *out = unit_at(j, dw, u, &first, &c, &C);
	struct conv_kernel_dw t = {.dystep = f->dz_step,
		.dyrow = f->dz_row,
		.dyblock = f->dz_plane,
		.xstep = f->x_step,
		.xrow = f->x_row,
		.n = f->n,
		.rows = rows,
		.blocks = group_blocks(j, first)};
	if (s->image) { /* all channels and kernel positions, by offsets */
		t.dw = out, t.dy = f->dz + first * f->dz_plane + r * f->dz_row, t.x = f->x + r * t.xrow;
		t.off = j->dw_off, t.K = C * j->th * j->tw;
		j->c->products->conv_kernel_dw(&t);
		return;
	}
	for (int ty = 0; ty < j->th; ty++)
		for (int tx = 0; tx < j->tw; tx++, out += t.K * t.blocks * BLOCK) {
			t.dw = out, t.K = C;
			t.dy = f->dz + first * f->dz_plane + r * t.dyrow;
			t.x = f->x + c / BLOCK * f->x_plane + r * t.xrow;
			if (up > 1) {
				t.dy += (j->bwd.y.lo[0] + ty) * f->dz_pitch + (j->bwd.x.lo[0] + tx) * BLOCK;
			} else {
				t.x += (ty * pitch_of(&j->x_pad) + tx * BLOCK) * s->D;
				if (C == BLOCK && s->D == 1) /* positions of a row are adjacent: all in one call */
					t.K = j->tw * BLOCK, tx = j->tw - 1;
			}
			j->c->products->conv_kernel_dw(&t);
		}
}

/* Accumulates a part of one image's weight gradient into a shard, as many rows at a time as stay in cache. */
static void weight_gradient(const struct job *j, float *dw, const struct factors *f, int part)
{
	const struct conv *s = j->s;
	int rows = s->upsample > 1 ? s->H : s->OH, per_group = s->image ? 1 : channel_blocks(s->C), to = units_from(j, part + 1);
	for (int u = units_from(j, part), next; u < to; u = next) { /* a group's */
		int first = u / per_group * j->c->simd->group;
		int chunk = CACHE_BYTES / (f->n * (group_blocks(j, first) * s->upsample + s->S) * BLOCK * (int)sizeof(float));
		chunk = chunk < 1 ? 1 : chunk;
		next = (u / per_group + 1) * per_group < to ? (u / per_group + 1) * per_group : to;
		for (int r = 0; r < rows; r += chunk)
			for (int i = u; i < next; i++)
				unit_gradient(j, dw, f, i, r, rows - r < chunk ? rows - r : chunk);
	}
}

/* A part of the rows; dz: in words of channels in bf16. */
static void input_gradient(const struct job *j, float *dx, const float *dz, int part)
{
	const struct conv *s = j->s;
	const struct simd *simd = j->c->simd;
	const struct pack *p = &j->bwd;
	int pixel = p->in_block;
	long dz_pitch = pitch_of(&j->dz_pad) / BLOCK * pixel, plane = (long)s->H * s->W * BLOCK;
	const float *origin = dz + p->y.before * dz_pitch + p->x.before * pixel;
	for (int q = 0; q < p->groups; q++)
		for (int py = 0; py < p->y.phases; py++)
			for (int px = 0; px < p->x.phases; px++) {
				int K = pack_k(p, py, px), from = p->y.count[py] * part / j->parts;
				struct conv_kernel t = {.y = dx + q * simd->group * plane +
							     ((p->y.first[py] + from * p->y.phases) * (long)s->W + p->x.first[px]) * BLOCK,
					.ystep = p->x.phases * BLOCK,
					.yblock = plane,
					.x = origin + (p->y.q[py] + from) * p->y.step * dz_pitch + p->x.q[px] * p->x.step * pixel,
					.xstep = p->x.step * pixel,
					.off = j->off[py][px],
					.w = j->w + pack_at(p, py, px) + (size_t)(q * simd->group * BLOCK) * (size_t)K,
					.init = j->zero,
					.n = p->x.count[px],
					.K = K,
					.blocks = pack_blocks(p, simd, q),
					.rows = p->y.count[py] * (part + 1) / j->parts - from,
					.xrow = p->y.step * dz_pitch,
					.yrow = p->y.phases * (long)s->W * BLOCK};
				if (t.n)
					cpu_conv_rows(j->c, t);
			}
}

/* dz and x of image n, padded; returns x. */
static const float *padded_factors(const struct job *j, float *dz, float *padded_x, int n)
{
	const struct conv *s = j->s;
	size_t in = (size_t)j->x_pad.planes * (size_t)s->H * (size_t)s->W * (size_t)j->x_pad.pixel;
	size_t out = (size_t)j->dz_pad.planes * (size_t)(s->OH / s->pool) * (size_t)(s->OW / s->pool) * BLOCK;
	const float *x = j->x + (size_t)n * in;
	cpu_pad_dz(j->c, dz, j->dy + (size_t)n * out, j->y + (size_t)n * out, j->argmax + (s->pool > 1 ? (size_t)n * out : 0), s,
		&j->dz_pad, j->bwd.y.before);
	if (j->copied)
		cpu_pad(padded_x, x, &j->x_pad, -j->fwd.y.before);
	return j->copied ? padded_x : x;
}

/* dz as words of channels (conv_layout.h, pack's `apart`). */
static void channel_words(const struct job *j, float *words, const float *dz)
{
	size_t plane = padded_size(&j->dz_pad) / (size_t)j->dz_pad.planes;
	if (j->bwd.apart == 1)
		j->c->simd->pairs_in_row(words, dz, padded_size(&j->dz_pad));
	for (int k = 0; k < j->dz_pad.planes && j->bwd.apart > 1; k += 2, words += plane, dz += 2 * plane)
		j->c->simd->pairs_of(words, dz, k + 1 < j->dz_pad.planes ? dz + plane : NULL, plane);
}

/* A part of image n's dx; words: buffer for dz in bf16. */
static void image_input_gradient(const struct job *j, const float *dz, float *words, int n, int part)
{
	if (!j->dx)
		return;
	if (j->c->bf16)
		channel_words(j, words, dz);
	size_t in = (size_t)j->x_pad.planes * (size_t)j->s->H * (size_t)j->s->W * (size_t)j->x_pad.pixel;
	input_gradient(j, j->dx + (size_t)n * in, j->c->bf16 ? words : dz, part);
}

static void shard_gradients(void *arg, int task, int thread)
{
	const struct job *j = arg;
	const struct conv *s = j->s;
	int shard = task / j->parts, part = task % j->parts, first, c, C;
	int from = (int)((long)s->B * shard / j->shards), to = (int)((long)s->B * (shard + 1) / j->shards);
	size_t dz_size = padded_size(&j->dz_pad), x_size = padded_size(&j->x_pad);
	float *dz = cpu_scratch(j->c, thread, dz_size + x_size + j->words.dz + j->words.x_pixels + j->words.dz_pixels);
	float *padded_x = dz + dz_size, *dz_words = padded_x + x_size, *pixels = dz_words + j->words.dz;
	float *dw = j->sums + (size_t)shard * j->shard_size, *begin = unit_at(j, dw, units_from(j, part), &first, &c, &C);
	memset(begin, 0, (size_t)(unit_at(j, dw, units_from(j, part + 1), &first, &c, &C) - begin) * sizeof *dw);
	if (!part)
		memset(dw + j->nw, 0, j->F * sizeof *dw);
	for (int n = from; n < to; n++) {
		const float *x = padded_factors(j, dz, padded_x, n);
		struct factors f = j->c->bf16 ? bf16_factors(j, x, dz, pixels) : fp32_factors(j, x, dz);
		weight_gradient(j, dw, &f, part);
		if (!part)
			bias_gradient(j, dw + j->nw, dz);
		image_input_gradient(j, dz, dz_words, n, part);
	}
}

/* By tiles: a part of an image's dx and of its factors of the weight gradient; with the first one its db. */
static void image_gradients(void *arg, int task, int thread)
{
	const struct job *j = arg;
	int at = task / j->parts, part = task % j->parts, n = j->first + at;
	size_t dz_size = padded_size(&j->dz_pad);
	float *tmp = cpu_scratch(j->c, thread, j->tiles.tmp + dz_size + j->words.dz + padded_size(&j->x_pad) + j->words.behind);
	float *dz = tmp + j->tiles.tmp, *dz_words = dz + dz_size, *db = j->db + (size_t)n * j->F;
	const float *x = padded_factors(j, dz, dz_words + j->words.dz, n);
	struct factors f = fp32_factors(j, x, dz);
	struct tile_factor fx = {x, pitch_of(&j->x_pad), f.x_plane}, fdz = {j->s->upsample > 1 ? dz : f.dz, f.dz_pitch, f.dz_plane};
	conv_tiles_words(&j->tiles, j->c, j->fixed + (size_t)at * j->tiles.fixed_size, j->moving + (size_t)at * j->tiles.moving_size, &fx,
		&fdz, j->dw_off, part, j->parts, tmp);
	if (!part) {
		memset(db, 0, j->F * sizeof *db);
		bias_gradient(j, db, dz);
	}
	image_input_gradient(j, dz, dz_words, n, part);
}

/* The weight gradient by tiles, as many images at a time as factors fit their buffer. */
static void gradients_by_tiles(struct job *j, int images)
{
	struct conv_tiles_run run = {.t = &j->tiles,
		.simd = j->c->simd,
		.fixed = j->fixed,
		.moving = j->moving,
		.sums = j->sums,
		.size = j->shard_size,
		.ranges = j->shards};
	for (j->first = 0; j->first < j->s->B; j->first += images) {
		run.images = j->s->B - j->first < images ? j->s->B - j->first : images, run.add = j->first > 0;
		thread_pool_run(j->c->pool, run.images * j->parts, image_gradients, j);
		conv_tiles_sums(j->c, &run);
	}
	for (int n = 1; n < j->s->B; n++) /* db of all images, in order, as the first one's */
		for (size_t f = 0; f < j->F; f++)
			j->db[f] += j->db[(size_t)n * j->F + f];
}

static void reduce_pair(void *arg, int task, int thread)
{
	const struct job *j = arg;
	float *a = j->sums + (size_t)(2 * task * j->step) * j->shard_size, *b = a + (size_t)j->step * j->shard_size;
	(void)thread;
	if (2 * task * j->step + j->step < j->shards)
		for (size_t i = 0; i < j->shard_size; i++)
			a[i] += b[i];
}

static void unpack_block(void *arg, int block, int thread)
{
	const struct job *j = arg;
	(void)thread;
	unpack_weight_gradient(j->dw, j->sums, j->s, &j->bwd, j->c->simd, block);
}

static int parts_of(int shards)
{
	int n = (TASKS + shards - 1) / shards;
	return n < MAX_PARTS ? n : MAX_PARTS;
}

void cpu_conv_backward(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax,
	const real *x, const real *w, const void *packed, const struct conv *s)
{
	struct cpu *c = be->ctx;
	if (!conv_layout_supports(s)) {
		cpu_conv_backward_reference(be, dx, dw, db, dy, y, argmax, x, packed, s);
		return;
	}
	int dx_fits = dx && winograd_fits(c, s, WINOGRAD_INPUT_GRADIENT),
	    dw_fits = winograd_fits(c, s, WINOGRAD_WEIGHT_GRADIENT) && (!dx || dx_fits);
	if (dx_fits || dw_fits) {
		winograd_backward(c, dx_fits ? dx : NULL, dw_fits ? dw : NULL, db, dy, y, x, w, s);
		if (dw_fits)
			return;
		dx = NULL;
	}
	struct job j = {.c = c,
		.s = s,
		.fwd = pack_forward(s, c->simd, 0),
		.bwd = pack_backward(s, c->simd, c->bf16),
		.x = x,
		.dy = dy,
		.y = y,
		.argmax = argmax};
	size_t zeros = 2 * BLOCK, K = 0, F = (size_t)channel_blocks(s->F) * BLOCK, packed_size = dx ? pack_size(&j.bwd) : 0;
	j.dx = dx, j.dw = dw, j.shards = s->B < SHARDS ? s->B : SHARDS;
	j.parts = parts_of(j.shards);
	j.th = s->KH + s->upsample - 1, j.tw = s->KW + s->upsample - 1;
	j.nw = F * (size_t)(s->C * j.th * j.tw), j.F = F, j.shard_size = j.nw + F;
	j.dz_pad = (struct padded_planes){
		channel_blocks(s->F), s->OH, s->OW, BLOCK, s->OH + j.bwd.y.before + j.bwd.y.after, j.bwd.x.before, j.bwd.x.after};
	j.x_pad = (struct padded_planes){s->image ? s->C : channel_blocks(s->C), s->H, s->W, j.fwd.in_block, s->H, 0, 0};
	if (s->upsample == 1 && (j.fwd.y.before || j.fwd.y.after || j.fwd.x.before || j.fwd.x.after)) {
		j.copied = 1;
		j.x_pad.rows += j.fwd.y.before + j.fwd.y.after, j.x_pad.before = j.fwd.x.before, j.x_pad.after = j.fwd.x.after;
	}
	for (int py = 0; py < j.bwd.y.phases; py++)
		for (int px = 0; px < j.bwd.x.phases; px++)
			K += (size_t)pack_k(&j.bwd, py, px);
	if (c->bf16) {
		j.words.pairs = ((s->upsample > 1 ? s->W : s->OW) + 1) / 2;
		size_t row = (size_t)j.words.pairs * BLOCK, dz = padded_size(&j.dz_pad), up = s->upsample > 1;
		j.words.dz = (dz / (size_t)j.dz_pad.planes * (size_t)(j.dz_pad.planes + 1)) / 2;
		j.words.behind = (size_t)(TILE_ROWS * s->upsample * BLOCK);
		j.words.x_pixels = up ? (size_t)(j.x_pad.planes * s->H) * row : padded_size(&j.x_pad);
		j.words.dz_pixels = up ? dz : (size_t)(j.dz_pad.planes * s->OH) * row;
	}
	struct pack fp32 = pack_backward(s, c->simd, 0);
	size_t tmp_size = dx && c->bf16 ? pack_size(&fp32) : 0, factors = 0;
	int tiles = c->bf16 && c->simd->tile_sums, images = s->B;
	if (tiles) {
		j.tiles = conv_tiles_plan(s, &j.x_pad, &j.dz_pad, j.bwd.y.before, j.bwd.y.lo[0], j.bwd.x.lo[0], j.th, j.tw);
		size_t image = j.tiles.fixed_size + j.tiles.moving_size;
		images = conv_tiles_images(&j.tiles, s->B), j.parts = parts_of(images);
		j.shards = conv_tiles_ranges(&j.tiles, images, j.nw), j.shard_size = j.nw;
		factors = (size_t)images * image + (size_t)s->B * F;
	}
	size_t sums_size = j.shard_size * (size_t)j.shards, planar = s->image ? (size_t)(s->C * s->KH * s->KW) : 0;
	float *workspace = cpu_workspace(c, factors + sums_size + zeros + packed_size + K + planar + tmp_size), *sums = workspace + factors,
	      *packed_w = sums + sums_size + zeros;
	int32_t *off = (int32_t *)(packed_w + packed_size);
	memset(sums + sums_size, 0, zeros * sizeof *sums);
	if (tiles)
		j.fixed = workspace, j.moving = workspace + (size_t)images * j.tiles.fixed_size, j.db = sums - (size_t)s->B * F;
	j.sums = sums, j.zero = sums + sums_size, j.w = packed_w;
	if (dx)
		cpu_conv_pack_weights(c, packed_w, w, s, &j.bwd, packed_w + packed_size + K + planar);
	for (int py = 0; py < j.bwd.y.phases; py++)
		for (int px = 0; px < j.bwd.x.phases; px++) {
			j.off[py][px] = off;
			long pitch = pitch_of(&j.dz_pad) / BLOCK * j.bwd.in_block;
			pack_offsets(off, &j.bwd, py, px, pitch, pitch * j.dz_pad.rows, j.bwd.in_block);
			off += pack_k(&j.bwd, py, px);
		}
	j.dw_off = off;
	for (int i = 0; i < (int)planar; i++)
		off[i] = (int32_t)(i / (s->KH * s->KW) * (pitch_of(&j.x_pad) * j.x_pad.rows) + i / s->KW % s->KH * pitch_of(&j.x_pad) +
				   i % s->KW);
	if (tiles)
		gradients_by_tiles(&j, images);
	else
		thread_pool_run(c->pool, j.shards * j.parts, shard_gradients, &j);
	for (j.step = 1; j.step < j.shards; j.step *= 2)
		thread_pool_run(c->pool, (j.shards + 2 * j.step - 1) / (2 * j.step), reduce_pair, &j);
	thread_pool_run(c->pool, channel_blocks(s->F), unpack_block, &j);
	if (db)
		memcpy(db, tiles ? j.db : j.sums + j.nw, (size_t)s->F * sizeof *db);
}
