/* The way back of a convolution, an image at a time: its gradient behind activation and pool is laid out once with zeros around, weights'
 * gradients are summed from it in shards of the batch (added in a fixed tree), and the input's is a convolution of it. */
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/conv_layout.h"
#include "kernels/ref/ref.h"

enum { SHARDS = 32, CACHE_BYTES = 24 << 10 };

struct job {
	struct cpu *c;
	const struct conv *s;
	struct pack f, b;			   /* forward: how dw lies where up is 1; back: how dx is made */
	const int32_t *off[PHASES][PHASES], *taps; /* of dx; of a planar input's dw */
	const float *w, *zero, *x, *dy, *y;
	const uint8_t *argmax;
	float *dx, *sums;
	size_t nw, shard; /* floats of dw as summed, of a shard */
	int shards, step, copied;
	struct padded in, out; /* x and the gradient, laid out */
	int th, tw;	       /* taps of dw: KH, KW, or those of the way back where up is above 1 */
};

static int channel_blocks(int C)
{
	return (C + BLOCK - 1) / BLOCK;
}

static long pitch_of(const struct padded *p)
{
	return (long)(p->before + p->W + p->after) * p->pixel;
}

/* Gradient of the convolution's output, with what p puts around it. */
static void lay_out(const struct job *j, float *to, const float *dy, const float *y, const uint8_t *argmax)
{
	const struct conv *s = j->s;
	const struct padded *p = &j->out;
	int PH = s->OH / s->pool, PW = s->OW / s->pool, top = j->b.y.before;
	long pitch = pitch_of(p);
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
				j->c->simd->max_pool_row_backward(line + p->before * BLOCK, pitch, dy + from, s->act ? y + from : NULL, argmax + from,
					s->pool, PW, s->act);
			else if (s->act)
				j->c->simd->act_backward(line + p->before * BLOCK, dy + from, y + from, s->act, (size_t)PW * BLOCK);
			else
				memcpy(line + p->before * BLOCK, dy + from, (size_t)PW * BLOCK * sizeof *line);
		}
		int done = top + PH * s->pool;
		memset(to + done * pitch, 0, (size_t)((p->rows - done) * pitch) * sizeof *to);
	}
}

/* Adds an image's part to a shard: dw in groups of filters, each (blocks of channels, rows, columns, channels of the block). */
static void weights(const struct job *j, float *dw, float *db, const float *x, const float *g)
{
	const struct conv *s = j->s;
	const struct simd *m = j->c->simd;
	const struct padded *p = &j->out;
	static const float one = 1;
	long gp = pitch_of(p), gplane = gp * p->rows, xp = pitch_of(&j->in), xplane = xp * j->in.rows;
	int up = s->upsample, n = up > 1 ? s->W : s->OW, rows = up > 1 ? s->H : s->OH, groups = channel_blocks(s->F);
	const float *origin = g + j->b.y.before * gp + p->before * BLOCK;
	for (int first = 0; first < groups; first += m->group) {
		int wide = groups - first < m->group ? groups - first : m->group;
		float *group = dw + (size_t)first * BLOCK * (size_t)(s->C * j->th * j->tw);
		struct conv_kernel_dw t = {.dystep = up * BLOCK,
			.dyrow = up * gp,
			.dyblock = gplane,
			.xstep = s->S * j->in.pixel,
			.xrow = s->S * xp,
			.n = n,
			.blocks = wide};
		int at_once = CACHE_BYTES / (n * (wide * up + s->S) * BLOCK * (int)sizeof(float));
		at_once = at_once < 1 ? 1 : at_once;
		for (int r = 0; r < rows; r += at_once) {
			t.rows = rows - r < at_once ? rows - r : at_once;
			if (s->image) { /* all taps by their offsets */
				t.dw = group, t.dy = origin + first * gplane + r * gp, t.x = x + r * t.xrow;
				t.off = j->taps, t.K = s->C * j->th * j->tw;
				m->conv_kernel_dw(&t);
				continue;
			}
			float *out = group;
			for (int c = 0; c < s->C; c += BLOCK) {
				int C = s->C - c < BLOCK ? s->C - c : BLOCK;
				for (int ty = 0; ty < j->th; ty++)
					for (int tx = 0; tx < j->tw; tx++, out += t.K * wide * BLOCK) {
						t.dw = out, t.K = C;
						t.dy = origin + first * gplane + r * t.dyrow;
						t.x = x + c / BLOCK * xplane + r * t.xrow;
						if (up > 1) {
							t.dy += (j->b.y.lo[0] + ty) * gp + (j->b.x.lo[0] + tx) * BLOCK;
						} else {
							t.x += ty * xp + tx * BLOCK;
							if (C == BLOCK) /* neighbours stand one after the other: a line of them */
								t.K = j->tw * BLOCK, tx = j->tw - 1;
						}
						m->conv_kernel_dw(&t);
					}
			}
		}
		t = (struct conv_kernel_dw){.dw = db + first * BLOCK,
			.dy = origin + first * gplane,
			.dystep = BLOCK,
			.dyrow = gp,
			.dyblock = gplane,
			.x = &one,
			.n = s->OW,
			.rows = s->OH,
			.K = 1,
			.blocks = wide};
		m->conv_kernel_dw(&t);
	}
}

static void input(const struct job *j, float *dx, const float *g)
{
	const struct conv *s = j->s;
	const struct simd *m = j->c->simd;
	const struct pack *p = &j->b;
	long gp = pitch_of(&j->out), plane = (long)s->H * s->W * BLOCK;
	const float *origin = g + p->y.before * gp + p->x.before * BLOCK;
	for (int q = 0; q < p->groups; q++)
		for (int py = 0; py < p->y.phases; py++)
			for (int px = 0; px < p->x.phases; px++) {
				int K = pack_kernel(p, py, px);
				for (int r = 0; r < p->y.count[py] && p->x.count[px]; r++) {
					struct conv_kernel t = {.y = dx + q * m->group * plane +
							      ((p->y.first[py] + r * p->y.phases) * (long)s->W + p->x.first[px]) * BLOCK,
						.ystep = p->x.phases * BLOCK,
						.yblock = plane,
						.x = origin + (p->y.q[py] + r) * p->y.step * gp + p->x.q[px] * p->x.step * BLOCK,
						.xstep = p->x.step * BLOCK,
						.off = j->off[py][px],
						.w = j->w + pack_at(p, py, px) + (size_t)(q * m->group * BLOCK) * (size_t)K,
						.init = j->zero,
						.n = p->x.count[px],
						.K = K,
						.blocks = pack_blocks(p, m, q)};
					m->conv_kernel(&t);
				}
			}
}

static void shard(void *arg, int task, int thread)
{
	const struct job *j = arg;
	const struct conv *s = j->s;
	int from = (int)((long)s->B * task / j->shards), to = (int)((long)s->B * (task + 1) / j->shards);
	size_t in = (size_t)j->in.planes * (size_t)s->H * (size_t)s->W * (size_t)j->in.pixel;
	size_t out = (size_t)j->out.planes * (size_t)(s->OH / s->pool) * (size_t)(s->OW / s->pool) * BLOCK;
	size_t room = (size_t)(j->out.planes * j->out.rows) * (size_t)pitch_of(&j->out);
	float *g = cpu_scratch(j->c, thread, room + (size_t)(j->in.planes * j->in.rows) * (size_t)pitch_of(&j->in)), *own = g + room;
	float *dw = j->sums + (size_t)task * j->shard;
	memset(dw, 0, j->shard * sizeof *dw);
	for (int n = from; n < to; n++) {
		const float *x = j->x + (size_t)n * in;
		lay_out(j, g, j->dy + (size_t)n * out, j->y + (size_t)n * out, j->argmax + (s->pool > 1 ? (size_t)n * out : 0));
		if (j->copied) {
			cpu_padded(own, x, &j->in, -j->f.y.before);
			x = own;
		}
		weights(j, dw, dw + j->nw, x, g);
		if (j->dx)
			input(j, j->dx + (size_t)n * in, g);
	}
}

static void add_pair(void *arg, int task, int thread)
{
	const struct job *j = arg;
	float *a = j->sums + (size_t)(2 * task * j->step) * j->shard, *b = a + (size_t)j->step * j->shard;
	(void)thread;
	if (2 * task * j->step + j->step < j->shards)
		for (size_t i = 0; i < j->shard; i++)
			a[i] += b[i];
}

/* dw as it is asked for, from the sums as they were made. */
static void unpack(const struct job *j, float *dw)
{
	const struct conv *s = j->s;
	int groups = channel_blocks(s->F), group = j->c->simd->group, up = s->upsample;
	size_t taps = (size_t)(j->th * j->tw);
	for (int f = 0; f < s->F; f++) {
		int first = f / BLOCK / group * group, wide = (groups - first < group ? groups - first : group) * BLOCK;
		const float *from = j->sums + (size_t)first * BLOCK * (size_t)s->C * taps + (f - first * BLOCK);
		for (int c = 0; c < s->C; c++)
			for (int ky = 0; ky < s->KH; ky++)
				for (int kx = 0; kx < s->KW; kx++, dw++) {
					int line = s->image ? 1 : BLOCK, block = c / line * line,
					    C = s->C - block < line ? s->C - block : line;
					*dw = 0;
					for (int u = 0; u < up; u++) /* all that this weight was part of */
						for (int v = 0; v < up; v++) {
							int ty = up > 1 ? u + s->P - ky - j->b.y.lo[0] : ky,
							    tx = up > 1 ? v + s->P - kx - j->b.x.lo[0] : kx;
							*dw += from[((size_t)block * taps + (size_t)((ty * j->tw + tx) * C + c - block)) *
								    (size_t)wide];
						}
				}
	}
}

void cpu_conv_backward(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax, const real *x,
	const real *w, const void *packed, const struct conv *s)
{
	struct cpu *c = be->ctx;
	if (!conv_layout_known(s)) {
		cpu_conv_backward_plain(be, dx, dw, db, dy, y, argmax, x, w, packed, s);
		return;
	}
	struct job j = {.c = c, .s = s, .f = pack_forward(s, c->simd), .b = pack_backward(s, c->simd), .x = x, .dy = dy, .y = y, .argmax = argmax};
	size_t zeros = 2 * BLOCK, K = 0, F = (size_t)channel_blocks(s->F) * BLOCK, back = dx ? pack_size(&j.b) : 0;
	j.dx = dx, j.shards = s->B < SHARDS ? s->B : SHARDS;
	j.th = s->upsample > 1 ? s->KH + s->upsample - 1 : s->KH, j.tw = s->upsample > 1 ? s->KW + s->upsample - 1 : s->KW;
	j.nw = F * (size_t)(s->C * j.th * j.tw), j.shard = j.nw + F;
	j.out = (struct padded){channel_blocks(s->F), s->OH, s->OW, BLOCK, s->OH + j.b.y.before + j.b.y.after, j.b.x.before, j.b.x.after};
	j.in = (struct padded){s->image ? s->C : channel_blocks(s->C), s->H, s->W, j.f.line, s->H, 0, 0};
	if (s->upsample == 1 && (j.f.y.before || j.f.y.after || j.f.x.before || j.f.x.after)) {
		j.copied = 1;
		j.in.rows += j.f.y.before + j.f.y.after, j.in.before = j.f.x.before, j.in.after = j.f.x.after;
	}
	for (int py = 0; py < j.b.y.phases; py++)
		for (int px = 0; px < j.b.x.phases; px++)
			K += (size_t)pack_kernel(&j.b, py, px);
	size_t all = j.shard * (size_t)j.shards, planar = s->image ? (size_t)(s->C * s->KH * s->KW) : 0;
	float *room = cpu_shared(c, all + zeros + back + K + planar), *wp = room + all + zeros;
	int32_t *off = (int32_t *)(wp + back);
	memset(room + all, 0, zeros * sizeof *room);
	j.sums = room, j.zero = room + all, j.w = wp;
	if (dx)
		pack_weights(wp, w, s, &j.b, c->simd);
	for (int py = 0; py < j.b.y.phases; py++)
		for (int px = 0; px < j.b.x.phases; px++) {
			j.off[py][px] = off;
			pack_offsets(off, &j.b, py, px, pitch_of(&j.out), pitch_of(&j.out) * j.out.rows, BLOCK);
			off += pack_kernel(&j.b, py, px);
		}
	j.taps = off;
	for (int i = 0; i < (int)planar; i++)
		off[i] = (int32_t)(i / (s->KH * s->KW) * (pitch_of(&j.in) * j.in.rows) + i / s->KW % s->KH * pitch_of(&j.in) + i % s->KW);
	thread_pool_run(c->pool, j.shards, shard, &j);
	for (j.step = 1; j.step < j.shards; j.step *= 2)
		thread_pool_run(c->pool, (j.shards + 2 * j.step - 1) / (2 * j.step), add_pair, &j);
	unpack(&j, dw);
	if (db)
		memcpy(db, j.sums + j.nw, (size_t)s->F * sizeof *db);
}
