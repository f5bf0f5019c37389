/* Phases of convolutions, forward and backward, and the layout of packed weights. */
#include <string.h>

#include "kernels/cpu/conv_layout.h"

static int floor_div(int a, int b)
{
	return a >= 0 ? a / b : -((b - 1 - a) / b);
}

int conv_layout_supports(const struct conv *s)
{
	if (s->D > 1 && (s->S > 1 || s->upsample > 1 || s->image))
		return 0;
	return (s->upsample == 1 || (s->S == 1 && !s->image)) && s->upsample <= PHASES && s->S <= PHASES;
}

/* Sets each phase's outputs, and the zero padding that all of them need. */
static void set_phases(struct axis *a, int in, int out, int shift)
{
	for (int p = 0; p < a->phases; p++) {
		int o = ((p - shift) % a->phases + a->phases) % a->phases;
		a->first[p] = o, a->q[p] = (o + shift - p) / a->phases;
		a->count[p] = o < out ? (out - o + a->phases - 1) / a->phases : 0;
		if (!a->count[p] || a->hi[p] < a->lo[p])
			continue;
		int low = a->q[p] * a->step + a->lo[p], high = (a->q[p] + a->count[p] - 1) * a->step + a->hi[p] - (in - 1);
		a->before = -low > a->before ? -low : a->before;
		a->after = high > a->after ? high : a->after;
	}
}

struct axis axis_forward(const struct conv *s, int K, int in, int out)
{
	struct axis a = {.phases = s->upsample, .step = s->S, .dilation = s->D};
	for (int p = 0; p < a.phases; p++)
		a.lo[p] = floor_div(p - s->P, s->upsample), a.hi[p] = floor_div(p + (K - 1) * s->D - s->P, s->upsample);
	set_phases(&a, in, out, 0);
	return a;
}

struct axis axis_backward(const struct conv *s, int K, int in, int out)
{
	struct axis a = {.phases = s->S, .step = s->upsample, .dilation = s->D};
	for (int p = 0; p < a.phases; p++)
		if (s->upsample > 1)
			a.lo[p] = s->P - (K - 1), a.hi[p] = s->upsample - 1 + s->P;
		else /* kernel positions p, p + S, ... in descending order */
			a.lo[p] = p < K ? -((K - 1 - p) / s->S) * s->D : 1, a.hi[p] = 0;
	set_phases(&a, out, in, s->upsample > 1 ? 0 : s->P);
	return a;
}

static void set_words(struct pack *p, const struct simd *simd, int pairs)
{
	int planar = p->in_block == 1;
	p->channels = pairs && !planar ? 2 : 1, p->taps = pairs && planar ? 2 : 1;
	p->apart = simd->tile_sums && p->channels == 2 ? BLOCK : 1;
	int left = p->in % (p->channels * p->apart);
	p->in = p->in / p->channels / p->apart * p->apart + (left < p->apart ? left : p->apart);
	p->in_block = p->apart == BLOCK ? BLOCK : p->in_block / p->channels;
}

struct pack pack_forward(const struct conv *s, const struct simd *simd, int pairs)
{
	struct pack p = {.in = s->C, .out = s->F, .in_block = s->image ? 1 : BLOCK};
	p.y = axis_forward(s, s->KH, s->H, s->OH), p.x = axis_forward(s, s->KW, s->W, s->OW);
	p.groups = (channel_blocks(s->F) + simd->group - 1) / simd->group;
	set_words(&p, simd, pairs);
	return p;
}

struct pack pack_backward(const struct conv *s, const struct simd *simd, int pairs)
{
	struct pack p = {.in = s->F, .out = s->C, .in_block = BLOCK, .backward = 1};
	p.y = axis_backward(s, s->KH, s->H, s->OH), p.x = axis_backward(s, s->KW, s->W, s->OW);
	p.groups = (channel_blocks(s->C) + simd->group - 1) / simd->group;
	set_words(&p, simd, pairs);
	return p;
}

static int kernel_extent(const struct axis *a, int p)
{
	return a->hi[p] < a->lo[p] ? 0 : (a->hi[p] - a->lo[p]) / a->dilation + 1;
}

/* Words of a row of the kernel. */
static int tap_words(const struct pack *p, int px)
{
	return (kernel_extent(&p->x, px) + p->taps - 1) / p->taps;
}

int pack_k(const struct pack *p, int py, int px)
{
	return kernel_extent(&p->y, py) * tap_words(p, px) * p->in;
}

int pack_blocks(const struct pack *p, const struct simd *simd, int g)
{
	int left = channel_blocks(p->out) - g * simd->group;
	return left < simd->group ? left : simd->group;
}

size_t pack_at(const struct pack *p, int py, int px)
{
	size_t at = 0, width = (size_t)(channel_blocks(p->out) * BLOCK);
	for (int y = 0; y < p->y.phases; y++)
		for (int x = 0; x < p->x.phases; x++) {
			if (y == py && x == px)
				return at;
			at += (size_t)pack_k(p, y, x) * width;
		}
	return at;
}

size_t pack_size(const struct pack *p)
{
	return pack_at(p, -1, -1);
}

/* The positions (t - lo) / dilation of a phase that kernel position k contributes to along an axis: first and last (several only in an
 * upsampling's backward pass; none: from > to). */
static void kernel_range(const struct conv *s, const struct axis *a, int backward, int phase, int k, int *from, int *to)
{
	if (!backward)
		*from = *to = floor_div(phase + k * s->D - s->P, s->upsample);
	else if (s->upsample > 1)
		*from = s->P - k, *to = s->P - k + s->upsample - 1;
	else if (k % s->S == phase)
		*from = *to = -(k / s->S) * s->D;
	else {
		*from = 1, *to = 0;
		return;
	}
	*from = (*from - a->lo[phase]) / a->dilation, *to = (*to - a->lo[phase]) / a->dilation;
}

/* Row of the packed weights, in order (channel block, ty, tx, channel in block). */
static size_t kernel_row(const struct pack *p, int th, int tw, int c, int ty, int tx)
{
	int block = c / p->in_block, first = block * p->in_block, wide = p->in - first < p->in_block ? p->in - first : p->in_block;
	return (size_t)first * (size_t)(th * tw) + (size_t)((ty * tw + tx) * wide + c - first);
}

/* Where a block's 16 columns of the packed weights' phase (py, px) begin, and the floats from row to row. */
static float *columns_at(float *to, const struct pack *p, const struct simd *simd, int py, int px, int block, int *wide)
{
	int g = block / simd->group;
	*wide = BLOCK * pack_blocks(p, simd, g);
	return to + pack_at(p, py, px) + (size_t)(g * simd->group * BLOCK) * (size_t)pack_k(p, py, px) + (block - g * simd->group) * BLOCK;
}

static void pack_floats(float *to, const float *w, const struct conv *s, const struct pack *p, const struct simd *simd, int block)
{
	const size_t step = (size_t)((p->backward ? 1 : s->C) * s->KH * s->KW); /* of w, from output to output */
	int first = block * BLOCK, n = p->out - first < BLOCK ? p->out - first : BLOCK;
	for (int py = 0; py < p->y.phases; py++)
		for (int px = 0; px < p->x.phases; px++) {
			int th = kernel_extent(&p->y, py), tw = kernel_extent(&p->x, px), K = pack_k(p, py, px), y0, y1, x0, x1, wide;
			float *out = columns_at(to, p, simd, py, px, block, &wide);
			for (int k = 0; k < K; k++)
				memset(out + (size_t)k * (size_t)wide, 0, BLOCK * sizeof *out);
			for (int i = 0; i < p->in; i++) {
				size_t row = kernel_row(p, th, tw, i, 0, 0), rows = kernel_row(p, th, tw, i, 0, 1) - row;
				const float *from = w + (p->backward ? (size_t)i * (size_t)s->C + (size_t)first
								     : (size_t)first * (size_t)s->C + (size_t)i) *
								(size_t)(s->KH * s->KW);
				for (int ky = 0; ky < s->KH; ky++)
					for (int kx = 0; kx < s->KW; kx++, from++) {
						kernel_range(s, &p->y, p->backward, py, ky, &y0, &y1),
							kernel_range(s, &p->x, p->backward, px, kx, &x0, &x1);
						for (int ty = y0; ty <= y1; ty++)
							for (int tx = x0; tx <= x1; tx++) {
								float *sums = out + (row + (size_t)(ty * tw + tx) * rows) * (size_t)wide;
								for (int o = 0; o < n; o++)
									sums[o] += from[(size_t)o * step];
							}
					}
			}
		}
}

/* Columns of one block and phase from fp32's order to words: from rows of f to rows of p. */
static void pair_rows(
	float *to, const float *from, const struct pack *p, const struct pack *f, int py, int px, int wide, const struct simd *simd)
{
	int th = kernel_extent(&p->y, py), tw = kernel_extent(&p->x, px), words = tap_words(p, px);
	for (int c = 0; c < p->in; c++)
		for (int ty = 0; ty < th; ty++)
			for (int tx = 0; tx < words; tx++) {
				int first = c / p->apart * p->apart * p->channels + c % p->apart;
				int x = tx * p->taps, next = first + (p->channels - 1) * p->apart, after = x + p->taps - 1;
				const float *even = from + kernel_row(f, th, tw, first, ty, x) * (size_t)wide;
				const float *odd =
					next < f->in && after < tw ? from + kernel_row(f, th, tw, next, ty, after) * (size_t)wide : NULL;
				simd->pairs_of(to + kernel_row(p, th, words, c, ty, tx) * (size_t)wide, even, odd, BLOCK);
			}
}

void pack_weights(float *to, const float *w, const struct conv *s, const struct pack *p, const struct simd *simd, float *tmp, int block)
{
	if (p->channels * p->taps == 1) {
		pack_floats(to, w, s, p, simd, block);
		return;
	}
	struct pack f = p->backward ? pack_backward(s, simd, 0) : pack_forward(s, simd, 0);
	pack_floats(tmp, w, s, &f, simd, block);
	for (int py = 0; py < p->y.phases; py++)
		for (int px = 0; px < p->x.phases; px++) {
			int wide;
			const float *from = columns_at(tmp, &f, simd, py, px, block, &wide);
			pair_rows(columns_at(to, p, simd, py, px, block, &wide), from, p, &f, py, px, wide, simd);
		}
}

void pack_offsets(int32_t *off, const struct pack *p, int py, int px, long pitch, long plane, long pixel)
{
	int th = kernel_extent(&p->y, py), tw = tap_words(p, px);
	for (int c = 0; c < p->in; c++)
		for (int ty = 0; ty < th; ty++)
			for (int tx = 0; tx < tw; tx++)
				off[kernel_row(p, th, tw, c, ty, tx)] =
					(int32_t)(c / p->in_block * plane + (p->y.lo[py] + ty * p->y.dilation) * pitch +
						  (p->x.lo[px] + tx * p->taps * p->x.dilation) * pixel + c % p->in_block);
}

void unpack_weight_gradient(float *dw, const float *sums, const struct conv *s, const struct pack *p, const struct simd *simd, int block)
{
	int group = simd->group, first = block / group * group, left = channel_blocks(s->F) - first,
	    wide = (left < group ? left : group) * BLOCK;
	int f = block * BLOCK, n = s->F - f < BLOCK ? s->F - f : BLOCK, in_block = s->image ? 1 : BLOCK, up = s->upsample;
	int th = s->KH + up - 1, tw = s->KW + up - 1;
	size_t positions = (size_t)(th * tw), step = (size_t)(s->C * s->KH * s->KW);
	const float *from = sums + (size_t)(first * BLOCK) * (size_t)s->C * positions + (f - first * BLOCK);
	dw += (size_t)f * step;
	for (int c = 0; c < s->C; c++) {
		int c0 = c / in_block * in_block, C = s->C - c0 < in_block ? s->C - c0 : in_block;
		for (int ky = 0; ky < s->KH; ky++)
			for (int kx = 0; kx < s->KW; kx++, dw++) {
				float sum[BLOCK] = {0};
				for (int u = 0; u < up; u++) /* of the positions that this weight contributed to */
					for (int v = 0; v < up; v++) {
						int ty = up > 1 ? u + s->P - ky - p->y.lo[0] : ky,
						    tx = up > 1 ? v + s->P - kx - p->x.lo[0] : kx;
						const float *row = from + ((size_t)c0 * positions + (size_t)((ty * tw + tx) * C + c - c0)) *
										  (size_t)wide;
						for (int i = 0; i < BLOCK; i++)
							sum[i] += row[i];
					}
				for (int i = 0; i < n; i++)
					dw[(size_t)i * step] = sum[i];
			}
	}
}
