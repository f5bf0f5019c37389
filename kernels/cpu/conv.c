/* Convolution forward, im2col-free and direct: a task is a band of output rows of one image. A band's input is copied with zero padding
 * where it needs any; output rows, one at a time or, by tiles, all of a band, are computed in register tiles with bias and ReLU fused, then
 * pooled while they are in cache. */
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/conv_layout.h"
#include "kernels/cpu/winograd.h"
#include "kernels/ref/ref.h"

enum { BAND_BYTES = 384 << 10, TASKS = 16, PACK_SERIAL = 8192 /* floats */ };

struct job {
	struct cpu *c;
	const struct conv *s;
	struct pack p;
	const int32_t *off[PHASES][PHASES];
	const float *w, *bias, *x;
	float *y;
	uint8_t *argmax;
	int unit, rows, bands; /* rows: output rows of a band; bands: of an image */
	int copied, in_rows;   /* 1: a band's input is copied with padding; rows of the copy */
	long pitch, plane;     /* of the input, in floats: from row to row, from channel block to channel block */
};

/* Copies rows [from, from + rows) of an image with zero padding; rows outside of the image are zeros. */
void cpu_pad(float *to, const float *x, const struct padded_planes *p, int from)
{
	size_t line = (size_t)p->W * (size_t)p->pixel, before = (size_t)p->before * (size_t)p->pixel,
	       pitch = line + before + (size_t)p->after * (size_t)p->pixel;
	for (int c = 0; c < p->planes; c++)
		for (int r = 0; r < p->rows; r++, to += pitch) {
			int row = from + r;
			if (row < 0 || row >= p->H) {
				memset(to, 0, pitch * sizeof *to);
				continue;
			}
			memset(to, 0, before * sizeof *to);
			memcpy(to + before, x + ((size_t)c * (size_t)p->H + (size_t)row) * line, line * sizeof *to);
			memset(to + before + line, 0, (pitch - before - line) * sizeof *to);
		}
}

void cpu_pad_dz(struct cpu *c, float *to, const float *dy, const float *y, const uint8_t *argmax, const struct conv *s,
	const struct padded_planes *p, int top)
{
	int PH = s->OH / s->pool, PW = s->OW / s->pool;
	long pitch = (long)(p->before + p->W + p->after) * BLOCK;
	for (int f = 0; f < p->planes; f++, to += p->rows * pitch) {
		memset(to, 0, (size_t)(top * pitch) * sizeof *to);
		for (int r = 0; r < PH; r++) {
			float *line = to + (top + r * s->pool) * pitch;
			size_t from = ((size_t)f * (size_t)PH + (size_t)r) * (size_t)PW * BLOCK;
			int used = PW * s->pool;
			for (int k = 0; k < s->pool; k++) {
				memset(line + k * pitch, 0, (size_t)(p->before * BLOCK) * sizeof *line);
				memset(line + k * pitch + (p->before + used) * BLOCK, 0,
					(size_t)(pitch - (p->before + used) * BLOCK) * sizeof *line);
			}
			if (s->pool > 1)
				c->simd->max_pool_row_backward(line + p->before * BLOCK, pitch, dy + from, s->act ? y + from : NULL,
					argmax + from, s->pool, PW, s->act);
			else if (s->act)
				c->simd->act_backward(line + p->before * BLOCK, dy + from, y + from, s->act, (size_t)PW * BLOCK);
			else
				memcpy(line + p->before * BLOCK, dy + from, (size_t)PW * BLOCK * sizeof *line);
		}
		int done = top + PH * s->pool;
		memset(to + done * pitch, 0, (size_t)((p->rows - done) * pitch) * sizeof *to);
	}
}

/* Rows of two planes as words of both; the second NULL: of zeros. */
static float *pad_plane_pairs(const struct cpu *c, float *to, const float *even, const float *odd, const struct padded_planes *p, int from)
{
	size_t line = (size_t)p->W * BLOCK, before = (size_t)p->before * BLOCK, after = (size_t)p->after * BLOCK;
	for (int r = from; r < from + p->rows; r++, to += before + line + after) {
		size_t at = (size_t)r * line;
		if (r < 0 || r >= p->H) {
			memset(to, 0, (before + line + after) * sizeof *to);
			continue;
		}
		memset(to, 0, before * sizeof *to), memset(to + before + line, 0, after * sizeof *to);
		c->simd->pairs_of(to + before, even + at, odd ? odd + at : NULL, line);
	}
	return to;
}

void cpu_pad_pairs(struct cpu *c, float *to, const float *x, const struct padded_planes *p, int from, float *line)
{
	const struct padded_planes row = {1, 1, p->W, p->pixel, 1, p->before, p->after};
	size_t wide = (size_t)((p->before + p->W + p->after) * p->pixel), words = p->pixel == 1 ? wide : wide / 2;
	size_t plane = (size_t)p->H * (size_t)(p->W * p->pixel);
	if (p->pixel == BLOCK && c->simd->tile_sums) {
		for (int k = 0; k < p->planes; k += 2, x += 2 * plane)
			to = pad_plane_pairs(c, to, x, k + 1 < p->planes ? x + plane : NULL, p, from);
		return;
	}
	line[wide] = 0;
	for (int k = 0; k < p->planes; k++)
		for (int r = from; r < from + p->rows; r++, to += words) {
			if (r < 0 || r >= p->H) {
				memset(to, 0, words * sizeof *to);
				continue;
			}
			cpu_pad(line, x + (size_t)k * plane + (size_t)r * (size_t)(p->W * p->pixel), &row, 0);
			if (p->pixel == 1)
				c->simd->pairs_of(to, line, line + 1, wide);
			else
				c->simd->pairs_in_row(to, line, wide);
		}
}

static int phase_low(const struct axis *a)
{
	return a->lo[0];
}

static int phase_high(const struct axis *a)
{
	return a->hi[a->phases - 1];
}

void cpu_sliding_pairs(const struct cpu *c, float *to, const float *from, size_t n, size_t step)
{
	size_t whole = n > step ? n - step : 0;
	c->simd->pairs_of(to, from, from + step, whole);
	c->simd->pairs_of(to + whole, from + whole, NULL, n - whole);
}

void cpu_conv_rows(const struct cpu *c, struct conv_kernel t)
{
	if (c->bf16 && c->simd->tile_sums) {
		c->products->conv_kernel(&t);
		return;
	}
	for (int r = 0; r < t.rows; r++, t.x += t.xrow, t.y += t.yrow)
		c->products->conv_kernel(&t);
}

/* Output rows [from, to) (before the pool) of one group of filter blocks; x: input rows from r0 on; y: row `from` in the group's first
 * block. */
static void conv_rows(const struct job *j, int g, int from, int to, const float *x, int r0, float *y, long yblock)
{
	const struct conv *s = j->s;
	const struct simd *simd = j->c->simd;
	const struct pack *p = &j->p;
	for (int first = from; first < to && first < from + s->upsample; first++)
		for (int px = 0; px < s->upsample; px++) {
			int py = first % s->upsample, q = first / s->upsample, K = pack_k(p, py, px);
			struct conv_kernel t = {.y = y + ((first - from) * (long)s->OW + p->x.first[px]) * BLOCK,
				.ystep = s->upsample * BLOCK,
				.yblock = yblock,
				.x = x + (q * p->y.step - r0) * j->pitch + (j->copied ? p->x.before : 0) * p->in_block,
				.xstep = s->S * p->in_block,
				.off = j->off[py][px],
				.w = j->w + pack_at(p, py, px) + (size_t)g * (size_t)(simd->group * BLOCK) * (size_t)K,
				.init = j->bias + g * simd->group * BLOCK,
				.n = p->x.count[px],
				.K = K,
				.blocks = pack_blocks(p, simd, g),
				.relu = s->act == ACT_RELU && s->pool == 1,
				.rows = (to - first + s->upsample - 1) / s->upsample,
				.xrow = p->y.step * j->pitch,
				.yrow = s->upsample * (long)s->OW * BLOCK};
			if (t.n)
				cpu_conv_rows(j->c, t);
		}
}

static void conv_band(void *arg, int task, int thread)
{
	const struct job *j = arg;
	const struct conv *s = j->s;
	const struct simd *simd = j->c->simd;
	int n = task / j->bands, from = task % j->bands * j->rows, PH = s->OH / s->pool, PW = s->OW / s->pool;
	int to = from + j->rows < PH * s->pool ? from + j->rows : PH * s->pool, r0 = 0, blocks = channel_blocks(s->F);
	int planes = s->image ? s->C : channel_blocks(s->C);
	size_t padded_size = j->copied ? (size_t)j->plane * (size_t)planes : 0, pre_pool = (size_t)(s->pool * s->OW * BLOCK);
	int pixel = s->image ? 1 : BLOCK;
	size_t line = j->c->bf16 ? (size_t)((s->W + j->p.x.before + j->p.x.after) * pixel) + 1 : 0;
	size_t behind = (size_t)(TILE_ROWS * s->S * pixel); /* read by tiles */
	float *scratch = cpu_scratch(j->c, thread, padded_size + pre_pool * 2 + line + behind);
	int whole = s->pool == 1 && j->c->bf16 && simd->tile_sums;
	const float *x = j->x + (size_t)n * (size_t)planes * (size_t)s->H * (size_t)s->W * (size_t)pixel;
	if (j->copied) {
		struct padded_planes p = {planes, s->H, s->W, pixel, j->in_rows, j->p.x.before, j->p.x.after};
		r0 = from / s->upsample * j->p.y.step + phase_low(&j->p.y);
		if (j->c->bf16)
			cpu_pad_pairs(j->c, scratch, x, &p, r0, scratch + padded_size + pre_pool * 2);
		else
			cpu_pad(scratch, x, &p, r0);
		x = scratch;
	}
	size_t out_plane = (size_t)PH * (size_t)PW * BLOCK;
	float *y = j->y + (size_t)n * (size_t)blocks * out_plane, *rows = scratch + padded_size;
	uint8_t *argmax = j->argmax + (s->pool > 1 ? (size_t)n * (size_t)blocks * out_plane : 0);
	for (int g = 0; g < j->p.groups; g++) {
		int first = g * simd->group, wide = pack_blocks(&j->p, simd, g);
		for (int oy = from, many = whole ? to - from : 1; oy < to; oy += many) {
			if (s->pool == 1) {
				float *out = y + (size_t)first * out_plane + (size_t)oy * (size_t)s->OW * BLOCK;
				conv_rows(j, g, oy, oy + many, x, r0, out, (long)out_plane);
				for (int b = 0; b < wide && s->act != ACT_NONE && s->act != ACT_RELU; b++)
					simd->act(out + (size_t)b * out_plane, out + (size_t)b * out_plane, s->act,
						(size_t)(many * s->OW) * BLOCK);
				continue;
			}
			conv_rows(j, g, oy, oy + 1, x, r0, rows + (size_t)(oy % s->pool) * (size_t)s->OW * BLOCK, (long)pre_pool);
			for (int b = 0; b < wide && oy % s->pool == s->pool - 1; b++) {
				size_t at = (size_t)(first + b) * out_plane + (size_t)(oy / s->pool) * (size_t)PW * BLOCK;
				simd->max_pool_row(
					y + at, argmax + at, rows + (size_t)b * pre_pool, (long)s->OW * BLOCK, s->pool, PW, s->act);
			}
		}
	}
}

/* Rows of a band, a multiple of pool and upsample: about TASKS bands a batch, the padded copy at most BAND_BYTES; by shape alone. */
static void plan_bands(struct job *j)
{
	const struct conv *s = j->s;
	int unit = s->pool, used = s->OH / s->pool * s->pool, wanted = (TASKS + s->B - 1) / s->B;
	while (unit % s->upsample)
		unit += s->pool;
	int channels = s->image ? s->C : channel_blocks(s->C) * BLOCK;
	long wide = (long)(s->W + j->p.x.before + j->p.x.after) * channels * (long)sizeof(float);
	j->rows = (used / wanted + unit - 1) / unit * unit;
	j->rows = j->rows < unit ? unit : j->rows;
	while (j->rows > unit && (long)j->rows / s->upsample * s->S * wide > BAND_BYTES)
		j->rows -= unit;
	j->bands = (used + j->rows - 1) / j->rows;
	j->copied = j->c->bf16 || j->p.y.before || j->p.y.after || j->p.x.before || j->p.x.after;
	if (j->copied) {
		j->in_rows = ((j->rows - 1) / s->upsample + 1) * s->S + phase_high(&j->p.y) - phase_low(&j->p.y) + 1;
		j->pitch = (long)(s->W + j->p.x.before + j->p.x.after) * j->p.in_block, j->plane = j->pitch * j->in_rows;
	} else {
		j->pitch = (long)s->W * j->p.in_block, j->plane = j->pitch * s->H;
	}
}

struct packing {
	const struct cpu *c;
	float *to, *tmp;
	const float *w;
	const struct conv *s;
	const struct pack *p;
};

static void pack_block(void *arg, int block, int thread)
{
	const struct packing *a = arg;
	(void)thread;
	pack_weights(a->to, a->w, a->s, a->p, a->c->simd, a->tmp, block);
}

void cpu_conv_pack_weights(struct cpu *c, float *to, const float *w, const struct conv *s, const struct pack *p, float *tmp)
{
	struct packing a = {c, to, tmp, w, s, p};
	int blocks = channel_blocks(p->out);
	if (pack_size(p) < PACK_SERIAL) /* waking the threads would cost more */
		for (int b = 0; b < blocks; b++)
			pack_block(&a, b, 0);
	else
		thread_pool_run(c->pool, blocks, pack_block, &a);
}

size_t cpu_conv_packed_size(const struct backend *be, const struct conv *s)
{
	struct cpu *c = be->ctx;
	if (!conv_layout_supports(s))
		return ref_conv_packed_size(be, s);
	if (winograd_fits(c, s, WINOGRAD_FORWARD))
		return winograd_packed_size(c, s, 0) * sizeof(float);
	struct pack p = pack_forward(s, c->simd, c->bf16);
	return pack_size(&p) * sizeof(float);
}

void cpu_conv_pack(const struct backend *be, void *packed, const real *w, const struct conv *s)
{
	struct cpu *c = be->ctx;
	if (!conv_layout_supports(s)) {
		cpu_conv_pack_reference(be, packed, w, s);
		return;
	}
	if (winograd_fits(c, s, WINOGRAD_FORWARD)) {
		winograd_pack(c, packed, w, s, 0);
		return;
	}
	struct pack p = pack_forward(s, c->simd, c->bf16), f = pack_forward(s, c->simd, 0);
	cpu_conv_pack_weights(c, packed, w, s, &p, c->bf16 ? cpu_workspace(c, pack_size(&f)) : NULL);
}

void cpu_conv(const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s)
{
	struct cpu *c = be->ctx;
	if (!conv_layout_supports(s)) {
		cpu_conv_reference(be, y, argmax, x, packed, b, s);
		return;
	}
	if (winograd_fits(c, s, WINOGRAD_FORWARD)) {
		float *bias = cpu_workspace(c, (size_t)channel_blocks(s->F) * BLOCK);
		memset(bias, 0, (size_t)channel_blocks(s->F) * BLOCK * sizeof *bias);
		if (b)
			memcpy(bias, b, (size_t)s->F * sizeof *bias);
		winograd_run(c, y, x, packed, bias, s, 0);
		return;
	}
	struct job j = {.c = c, .s = s, .p = pack_forward(s, c->simd, c->bf16), .w = packed, .x = x, .y = y, .argmax = argmax};
	size_t blocks = (size_t)channel_blocks(s->F) * BLOCK, K = 0;
	plan_bands(&j);
	for (int py = 0; py < s->upsample; py++)
		for (int px = 0; px < s->upsample; px++)
			K += (size_t)pack_k(&j.p, py, px);
	float *bias = cpu_workspace(c, blocks + K);
	int32_t *off = (int32_t *)(bias + blocks);
	memset(bias, 0, blocks * sizeof *bias);
	if (b)
		memcpy(bias, b, (size_t)s->F * sizeof *bias);
	j.bias = bias;
	for (int py = 0; py < s->upsample; py++)
		for (int px = 0; px < s->upsample; px++) {
			j.off[py][px] = off;
			pack_offsets(off, &j.p, py, px, j.pitch, j.plane, j.p.in_block);
			off += pack_k(&j.p, py, px);
		}
	thread_pool_run(c->pool, s->B * j.bands, conv_band, &j);
}
