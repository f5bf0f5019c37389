/* Convolution backward, one image at a time: dz, the gradient before activation and pool, is computed once into a zero-padded buffer;
 * the weight gradient is accumulated from it per shard of the batch (shards are reduced in a fixed tree), the input gradient is a
 * convolution of it. */
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/conv_layout.h"
#include "kernels/ref/ref.h"

enum { SHARDS = 32, CACHE_BYTES = 24 << 10 };

struct job {
	struct cpu *c;
	const struct conv *s;
	struct pack fwd, bwd;			     /* layouts of the forward pass (dw's where upsample is 1) and of dx */
	const int32_t *off[PHASES][PHASES], *dw_off; /* input offsets of dx; of dw where the input is planar */
	const float *w, *zero, *x, *dy, *y;
	const uint8_t *argmax;
	float *dx, *sums;
	size_t nw, shard_size; /* floats of packed dw; of a shard: dw and db */
	int shards, step, copied;
	struct padded_planes x_pad, dz_pad; /* x; dz */
	int th, tw;			    /* kernel extent of packed dw: KH, KW, or + upsample - 1, dx's, where upsample is above 1 */
};

static int channel_blocks(int C)
{
	return (C + BLOCK - 1) / BLOCK;
}

static long pitch_of(const struct padded_planes *p)
{
	return (long)(p->before + p->W + p->after) * p->pixel;
}

/* dz of one image, zero-padded as dz_pad says: dy through the derivatives of pool and activation. */
static void pad_dz(const struct job *j, float *to, const float *dy, const float *y, const uint8_t *argmax)
{
	const struct conv *s = j->s;
	const struct padded_planes *p = &j->dz_pad;
	int PH = s->OH / s->pool, PW = s->OW / s->pool, top = j->bwd.y.before;
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
				j->c->simd->max_pool_row_backward(line + p->before * BLOCK, pitch, dy + from, s->act ? y + from : NULL,
					argmax + from, s->pool, PW, s->act);
			else if (s->act)
				j->c->simd->act_backward(line + p->before * BLOCK, dy + from, y + from, s->act, (size_t)PW * BLOCK);
			else
				memcpy(line + p->before * BLOCK, dy + from, (size_t)PW * BLOCK * sizeof *line);
		}
		int done = top + PH * s->pool;
		memset(to + done * pitch, 0, (size_t)((p->rows - done) * pitch) * sizeof *to);
	}
}

/* Accumulates one image into a shard: dw in groups of filter blocks, each (channel block, ty, tx, channel in block, filter). */
static void weight_gradient(const struct job *j, float *dw, float *db, const float *x, const float *dz)
{
	const struct conv *s = j->s;
	const struct simd *simd = j->c->simd;
	const struct padded_planes *p = &j->dz_pad;
	static const float one = 1;
	long dz_pitch = pitch_of(p), dz_plane = dz_pitch * p->rows, x_pitch = pitch_of(&j->x_pad), x_plane = x_pitch * j->x_pad.rows;
	int up = s->upsample, n = up > 1 ? s->W : s->OW, rows = up > 1 ? s->H : s->OH, groups = channel_blocks(s->F);
	const float *origin = dz + j->bwd.y.before * dz_pitch + p->before * BLOCK;
	for (int first = 0; first < groups; first += simd->group) {
		int wide = groups - first < simd->group ? groups - first : simd->group;
		float *group = dw + (size_t)first * BLOCK * (size_t)(s->C * j->th * j->tw);
		struct conv_kernel_dw t = {.dystep = up * BLOCK,
			.dyrow = up * dz_pitch,
			.dyblock = dz_plane,
			.xstep = s->S * j->x_pad.pixel,
			.xrow = s->S * x_pitch,
			.n = n,
			.blocks = wide};
		int chunk = CACHE_BYTES / (n * (wide * up + s->S) * BLOCK * (int)sizeof(float));
		chunk = chunk < 1 ? 1 : chunk;
		for (int r = 0; r < rows; r += chunk) {
			t.rows = rows - r < chunk ? rows - r : chunk;
			if (s->image) { /* all channels and kernel positions, by offsets */
				t.dw = group, t.dy = origin + first * dz_plane + r * dz_pitch, t.x = x + r * t.xrow;
				t.off = j->dw_off, t.K = s->C * j->th * j->tw;
				simd->conv_kernel_dw(&t);
				continue;
			}
			float *out = group;
			for (int c = 0; c < s->C; c += BLOCK) {
				int C = s->C - c < BLOCK ? s->C - c : BLOCK;
				for (int ty = 0; ty < j->th; ty++)
					for (int tx = 0; tx < j->tw; tx++, out += t.K * wide * BLOCK) {
						t.dw = out, t.K = C;
						t.dy = origin + first * dz_plane + r * t.dyrow;
						t.x = x + c / BLOCK * x_plane + r * t.xrow;
						if (up > 1) {
							t.dy += (j->bwd.y.lo[0] + ty) * dz_pitch + (j->bwd.x.lo[0] + tx) * BLOCK;
						} else {
							t.x += ty * x_pitch + tx * BLOCK;
							if (C == BLOCK) /* kernel positions of a row are adjacent: all in one call */
								t.K = j->tw * BLOCK, tx = j->tw - 1;
						}
						simd->conv_kernel_dw(&t);
					}
			}
		}
		t = (struct conv_kernel_dw){.dw = db + first * BLOCK,
			.dy = origin + first * dz_plane,
			.dystep = BLOCK,
			.dyrow = dz_pitch,
			.dyblock = dz_plane,
			.x = &one,
			.n = s->OW,
			.rows = s->OH,
			.K = 1,
			.blocks = wide};
		simd->conv_kernel_dw(&t);
	}
}

static void input_gradient(const struct job *j, float *dx, const float *dz)
{
	const struct conv *s = j->s;
	const struct simd *simd = j->c->simd;
	const struct pack *p = &j->bwd;
	long dz_pitch = pitch_of(&j->dz_pad), plane = (long)s->H * s->W * BLOCK;
	const float *origin = dz + p->y.before * dz_pitch + p->x.before * BLOCK;
	for (int q = 0; q < p->groups; q++)
		for (int py = 0; py < p->y.phases; py++)
			for (int px = 0; px < p->x.phases; px++) {
				int K = pack_k(p, py, px);
				for (int r = 0; r < p->y.count[py] && p->x.count[px]; r++) {
					struct conv_kernel t = {
						.y = dx + q * simd->group * plane +
						     ((p->y.first[py] + r * p->y.phases) * (long)s->W + p->x.first[px]) * BLOCK,
						.ystep = p->x.phases * BLOCK,
						.yblock = plane,
						.x = origin + (p->y.q[py] + r) * p->y.step * dz_pitch + p->x.q[px] * p->x.step * BLOCK,
						.xstep = p->x.step * BLOCK,
						.off = j->off[py][px],
						.w = j->w + pack_at(p, py, px) + (size_t)(q * simd->group * BLOCK) * (size_t)K,
						.init = j->zero,
						.n = p->x.count[px],
						.K = K,
						.blocks = pack_blocks(p, simd, q)};
					simd->conv_kernel(&t);
				}
			}
}

static void shard_gradients(void *arg, int task, int thread)
{
	const struct job *j = arg;
	const struct conv *s = j->s;
	int from = (int)((long)s->B * task / j->shards), to = (int)((long)s->B * (task + 1) / j->shards);
	size_t in = (size_t)j->x_pad.planes * (size_t)s->H * (size_t)s->W * (size_t)j->x_pad.pixel;
	size_t out = (size_t)j->dz_pad.planes * (size_t)(s->OH / s->pool) * (size_t)(s->OW / s->pool) * BLOCK;
	size_t dz_size = (size_t)(j->dz_pad.planes * j->dz_pad.rows) * (size_t)pitch_of(&j->dz_pad);
	float *dz = cpu_scratch(j->c, thread, dz_size + (size_t)(j->x_pad.planes * j->x_pad.rows) * (size_t)pitch_of(&j->x_pad)),
	      *padded_x = dz + dz_size;
	float *dw = j->sums + (size_t)task * j->shard_size;
	memset(dw, 0, j->shard_size * sizeof *dw);
	for (int n = from; n < to; n++) {
		const float *x = j->x + (size_t)n * in;
		pad_dz(j, dz, j->dy + (size_t)n * out, j->y + (size_t)n * out, j->argmax + (s->pool > 1 ? (size_t)n * out : 0));
		if (j->copied) {
			cpu_pad(padded_x, x, &j->x_pad, -j->fwd.y.before);
			x = padded_x;
		}
		weight_gradient(j, dw, dw + j->nw, x, dz);
		if (j->dx)
			input_gradient(j, j->dx + (size_t)n * in, dz);
	}
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

/* dw (F, C, KH, KW) from packed dw. */
static void unpack_dw(const struct job *j, float *dw)
{
	const struct conv *s = j->s;
	int groups = channel_blocks(s->F), group = j->c->simd->group, up = s->upsample;
	size_t positions = (size_t)(j->th * j->tw);
	for (int f = 0; f < s->F; f++) {
		int first = f / BLOCK / group * group, wide = (groups - first < group ? groups - first : group) * BLOCK;
		const float *from = j->sums + (size_t)first * BLOCK * (size_t)s->C * positions + (f - first * BLOCK);
		for (int c = 0; c < s->C; c++)
			for (int ky = 0; ky < s->KH; ky++)
				for (int kx = 0; kx < s->KW; kx++, dw++) {
					int in_block = s->image ? 1 : BLOCK, block = c / in_block * in_block,
					    C = s->C - block < in_block ? s->C - block : in_block;
					*dw = 0;
					for (int u = 0; u < up; u++) /* sum of the positions that this weight contributed to */
						for (int v = 0; v < up; v++) {
							int ty = up > 1 ? u + s->P - ky - j->bwd.y.lo[0] : ky,
							    tx = up > 1 ? v + s->P - kx - j->bwd.x.lo[0] : kx;
							*dw += from[((size_t)block * positions +
									    (size_t)((ty * j->tw + tx) * C + c - block)) *
								    (size_t)wide];
						}
				}
	}
}

void cpu_conv_backward(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax,
	const real *x, const real *w, const void *packed, const struct conv *s)
{
	struct cpu *c = be->ctx;
	if (!conv_layout_supports(s)) {
		cpu_conv_backward_reference(be, dx, dw, db, dy, y, argmax, x, w, packed, s);
		return;
	}
	struct job j = {.c = c,
		.s = s,
		.fwd = pack_forward(s, c->simd),
		.bwd = pack_backward(s, c->simd),
		.x = x,
		.dy = dy,
		.y = y,
		.argmax = argmax};
	size_t zeros = 2 * BLOCK, K = 0, F = (size_t)channel_blocks(s->F) * BLOCK, packed_size = dx ? pack_size(&j.bwd) : 0;
	j.dx = dx, j.shards = s->B < SHARDS ? s->B : SHARDS;
	j.th = s->upsample > 1 ? s->KH + s->upsample - 1 : s->KH, j.tw = s->upsample > 1 ? s->KW + s->upsample - 1 : s->KW;
	j.nw = F * (size_t)(s->C * j.th * j.tw), j.shard_size = j.nw + F;
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
	size_t sums_size = j.shard_size * (size_t)j.shards, planar = s->image ? (size_t)(s->C * s->KH * s->KW) : 0;
	float *workspace = cpu_workspace(c, sums_size + zeros + packed_size + K + planar), *packed_w = workspace + sums_size + zeros;
	int32_t *off = (int32_t *)(packed_w + packed_size);
	memset(workspace + sums_size, 0, zeros * sizeof *workspace);
	j.sums = workspace, j.zero = workspace + sums_size, j.w = packed_w;
	if (dx)
		pack_weights(packed_w, w, s, &j.bwd, c->simd);
	for (int py = 0; py < j.bwd.y.phases; py++)
		for (int px = 0; px < j.bwd.x.phases; px++) {
			j.off[py][px] = off;
			pack_offsets(off, &j.bwd, py, px, pitch_of(&j.dz_pad), pitch_of(&j.dz_pad) * j.dz_pad.rows, BLOCK);
			off += pack_k(&j.bwd, py, px);
		}
	j.dw_off = off;
	for (int i = 0; i < (int)planar; i++)
		off[i] = (int32_t)(i / (s->KH * s->KW) * (pitch_of(&j.x_pad) * j.x_pad.rows) + i / s->KW % s->KH * pitch_of(&j.x_pad) +
				   i % s->KW);
	thread_pool_run(c->pool, j.shards, shard_gradients, &j);
	for (j.step = 1; j.step < j.shards; j.step *= 2)
		thread_pool_run(c->pool, (j.shards + 2 * j.step - 1) / (2 * j.step), reduce_pair, &j);
	unpack_dw(&j, dw);
	if (db)
		memcpy(db, j.sums + j.nw, (size_t)s->F * sizeof *db);
}
