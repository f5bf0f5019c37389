/* Convolution backward: dz, the gradient before activation and pool, then two implicit GEMMs (tile.h): dw = im2col' dz (wgrad; db as the
 * column sums of dz), and dx = im2col of dz times transposed weights (dgrad), with stride a GEMM for each phase of the input pixels,
 * several in one launch. */
#include <limits.h>

#include "kernels/cuda/conv.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/norm.h"

/* Loader of dz (B, OH, OW, F4), computed from dy, y and argmax (pooled): K is output pixels, N filters. dz is dy times the derivative of
 * the activation at the argmax of each pool window, else zero. So fused into the GEMM for dw where no GEMM for dx needs dz. */
struct loader_dz {
	enum { K_MAJOR = 0, COMPUTES = 1, PHASES = 0 };
	struct position {
		int f;
	};
	const float *dy, *y;
	const uint8_t *argmax;
	int PH, PW, F4;
	enum act act;
	struct pixel_index pixel_index;
	struct divisor pool;
	int unused = 0; /* explicit padding: the bytes of queued arguments are compared */
	__device__ position find(int f) const
	{
		position a = {f};
		return a;
	}
	__device__ float4 compute(position a, int m, int end) const
	{
		int b, oy, ox;
		if (m >= end || a.f >= F4)
			return make_float4(0, 0, 0, 0);
		pixel_index_find(pixel_index, m, &b, &oy, &ox);
		int py = fast_div(pool, oy), px = fast_div(pool, ox), k = (oy - py * (int)pool.d) * (int)pool.d + ox - px * (int)pool.d;
		if (py >= PH || px >= PW)
			return make_float4(0, 0, 0, 0);
		size_t from = (((size_t)b * (size_t)PH + (size_t)py) * (size_t)PW + (size_t)px) * (size_t)F4 + (size_t)a.f;
		float4 d = *(const float4 *)(dy + from), out = *(const float4 *)(y + from);
		uchar4 best = pool.d > 1 ? *(const uchar4 *)(argmax + from) : make_uchar4(0, 0, 0, 0); /* without pool, k is 0 */
		return make_float4(best.x == k ? d.x * act_slope(out.x, act) : 0, best.y == k ? d.y * act_slope(out.y, act) : 0,
			best.z == k ? d.z * act_slope(out.z, act) : 0, best.w == k ? d.w * act_slope(out.w, act) : 0);
	}
};

/* dz into memory, where dx is computed too. A thread a float4. */
static __global__ void compute_dz(float *dz, struct loader_dz loader, struct divisor row_float4s, int n)
{
	size_t i = launch_index();
	if (i >= (size_t)n)
		return;
	int m = fast_div(row_float4s, (int)i);
	struct loader_dz::position a = {((int)i - m * (int)row_float4s.d) * 4};
	*(float4 *)(dz + i * 4) = loader.compute(a, m, INT_MAX);
}

/* Loader of the transposed im2col matrix, for dw: M is kernel positions x channels, K output pixels. */
struct loader_im2col_mn_major {
	enum { K_MAJOR = 0, COMPUTES = 0, PHASES = 0 };
	struct position {
		int c, pos; /* channel, c < 0: outside; (ky, kx) by pack_yx */
	};
	struct conv_input i;
	struct pixel_index pixel_index;
	__device__ position find(int n) const
	{
		position a = {-1, 0};
		if (n >= i.K)
			return a;
		if (i.image) {
			struct kernel_pos t = conv_kernel_pos(i, n);
			a.c = t.c, a.pos = pack_yx(t.ky, t.kx);
			return a;
		}
		int pos = fast_div(i.C4_, n), ky = fast_div(i.KW_, pos);
		a.c = n - pos * i.C4, a.pos = pack_yx(ky, pos - ky * i.KW);
		return a;
	}
	__device__ const float *base() const
	{
		return i.x;
	}
	template <class TO> __device__ void load(TO &to, position a, int m, int end) const
	{
		int b, y, x, inside = a.c >= 0 && m < end;
		struct kernel_pos t = {inside ? a.c : 0, 0, 0};
		pixel_index_find(pixel_index, m, &b, &y, &x), unpack_yx(a.pos, &t.ky, &t.kx);
		y = y * i.S - i.P, x = x * i.S - i.P;
		if (i.image) {
			conv_load_image(i, to, inside ? b : -1, y, x, t);
			return;
		}
		y += t.ky * i.D, x += t.kx * i.D;
		conv_load_maps(i, to, (b * i.H + y) * i.W + x, b, y, x, t.c, inside);
	}
};

/* dw (F, C, KH, KW) from rows k < K, each float4 being four filters, and db (F) from the row of column sums, k = K. */
struct epilogue_dw {
	enum { WHOLE_TILE = 0, COLUMN_SUMS = 1, TILE_SUMS = 0 };
	float *dw, *db;
	int C, KHKW, K, image;
	struct divisor C4;
	int unused = 0; /* explicit padding */
	__device__ void store(int k, int f, float4 v, int count) const
	{
		float each[4] = {v.x, v.y, v.z, v.w};
		int pos = fast_div(C4, k), c = k - pos * (int)C4.d;
		if (!image && c >= C) /* never in the row k = K, whose c is 0 */
			return;
		size_t of = image ? (size_t)k : (size_t)c * (size_t)KHKW + (size_t)pos, filter = (size_t)C * (size_t)KHKW;
		UNROLL
		for (int i = 0; i < 4; i++)
			if (i < count)
				*(k < K ? dw + (size_t)(f + i) * filter + of : db + f + i) = each[i];
	}
};

/* One axis of dgrad. Input pixels of phase r are i = r + phases q. Pixel q gets its gradient from output o by kernel position j of the
 * phase where o step = q mul + add - j D; the weights of position j are at first + skip j of the transposed ones. */
struct dgrad_axis {
	int mul, add, step, positions, first, skip, count; /* positions: values of j; count: of q */
	int phases, r, D;
};

/* Without upsampling, a phase for each remainder of i modulo the stride S, so that no kernel position is multiplied by inserted zeros; with
 * it, one phase and the summed weights (conv_transposed_side); with a dilation one phase, which leaves out what the stride does. */
static struct dgrad_axis dgrad_axis(const struct conv *s, int K, int in, int r)
{
	int S = s->S, upsample = s->upsample;
	struct dgrad_axis a = {1, 0, 1, 0, 0, 1, 0, S, r, s->D};
	if (upsample > 1 || s->D > 1) {
		a.mul = upsample, a.add = s->P + upsample - 1, a.step = S, a.positions = K + upsample - 1, a.count = in, a.phases = 1;
		return a;
	}
	int first = (r + s->P) % S;
	a.add = (r + s->P - first) / S, a.first = first, a.skip = S;
	a.positions = first < K ? (K - 1 - first) / S + 1 : 0;
	a.count = in > r ? (in - 1 - r) / S + 1 : 0;
	return a;
}

/* Phases of one launch, blockIdx.z: those that need most first. */
struct dgrad_phase {
	struct dgrad_axis y, x;
	struct pixel_index pixel_index; /* of (b, q along y, q along x) */
	struct divisor positions_x;
	int M; /* pixels */
};

/* Loader of dz for dx: M is the input pixels of a phase, K its kernel positions x filters. */
struct loader_dgrad {
	enum { K_MAJOR = 1, COMPUTES = 0, PHASES = 1 };
	struct position {
		int at, yx; /* the output pixel of j = 0: its number, where steps are 1, else its image */
	};
	const float *dz;
	int OH, OW;
	struct divisor F4, sy, sx;
	struct dgrad_phase phase[CONV_PHASES];
	int unused = 0; /* explicit padding: the bytes of queued arguments are compared */
	__device__ int rows() const
	{
		return phase[blockIdx.z].M;
	}
	__device__ int depth() const
	{
		return phase[blockIdx.z].y.positions * phase[blockIdx.z].x.positions * (int)F4.d;
	}
	__device__ position find(int m) const
	{
		const struct dgrad_phase &p = phase[blockIdx.z];
		int b, y, x;
		position a = {0, pack_yx(NOWHERE, 0)};
		if (m >= p.M)
			return a;
		pixel_index_find(p.pixel_index, m, &b, &y, &x);
		y = y * p.y.mul + p.y.add, x = x * p.x.mul + p.x.add;
		a.at = sy.d > 1 || sx.d > 1 ? b : (b * OH + y) * OW + x, a.yx = pack_yx(y, x);
		return a;
	}
	__device__ const float *base() const
	{
		return dz;
	}
	template <class TO> __device__ void load(TO &to, position a, int k, int end) const
	{
		const struct dgrad_phase &p = phase[blockIdx.z];
		int y, x;
		unpack_yx(a.yx, &y, &x);
		int pos = fast_div(F4, k), jy = fast_div(p.positions_x, pos), dy = jy * p.y.D,
		    dx = (pos - jy * (int)p.positions_x.d) * p.x.D;
		int at = a.at - (dy * OW + dx), inside = k < end;
		y -= dy, x -= dx;
		if (sy.d > 1 || sx.d > 1) {
			int oy = fast_div(sy, y < 0 ? 0 : y), ox = fast_div(sx, x < 0 ? 0 : x);
			inside = inside && oy * (int)sy.d == y && ox * (int)sx.d == x;
			y = oy, x = ox, at = (a.at * OH + y) * OW + x;
		}
		inside = inside && (unsigned)y < (unsigned)OH && (unsigned)x < (unsigned)OW;
		to.four(tile_row(dz + (k - pos * (int)F4.d), inside ? at : 0, F4.d), inside);
	}
};

/* Loader of the transposed weights (conv_transposed_size), at the kernel positions of a phase: N is channels. */
struct loader_transposed_weights {
	enum { K_MAJOR = 1, COMPUTES = 0, PHASES = 0 };
	struct position {
		int c; /* -1: outside */
	};
	const float *w;
	int C, TX;
	size_t pitch;
	struct divisor F4;
	struct {
		int fy, sy, fx, sx; /* first and skip */
		struct divisor positions_x;
	} phase[CONV_PHASES];
	int unused = 0; /* explicit padding */
	__device__ position find(int n) const
	{
		position a = {n < C ? n : -1};
		return a;
	}
	__device__ const float *base() const
	{
		return w;
	}
	template <class TO> __device__ void load(TO &to, position a, int k, int end) const
	{
		const auto &p = phase[blockIdx.z];
		int pos = fast_div(F4, k), jy = fast_div(p.positions_x, pos), jx = pos - jy * (int)p.positions_x.d;
		int inside = a.c >= 0 && k < end, at = ((p.fy + p.sy * jy) * TX + p.fx + p.sx * jx) * (int)F4.d + k - pos * (int)F4.d;
		to.four(tile_row(w + (k < end ? at : 0), inside ? a.c : 0, (unsigned)pitch), inside);
	}
};

struct epilogue_dx {
	enum { WHOLE_TILE = 0, COLUMN_SUMS = 0, TILE_SUMS = 0 };
	struct phase_pixels to;
	__device__ void store(int m, int n, float4 v, int) const
	{
		*(float4 *)(to.p + to.at(m, n)) = v;
	}
};

/* The same times the slope of the activation: d, and the sums that batch norm's gradient needs: of d and of d (x - mean). */
struct epilogue_dx_norm {
	enum { WHOLE_TILE = 0, COLUMN_SUMS = 0, TILE_SUMS = 1 };
	struct phase_pixels to;
	struct tile_sums sums;
	struct norm_backward norm;
	__device__ float mean(int n) const
	{
		return n < norm.C ? norm.save[n] : 0;
	}
	__device__ float4 origin(const float *, int n) const
	{
		return make_float4(mean(n), mean(n + 1), mean(n + 2), mean(n + 3));
	}
	__device__ void store(int m, int n, float4 v, float4 mean, float4 *first, float4 *second) const
	{
		size_t at = to.at(m, n);
		float4 y = *(const float4 *)(norm.y + at), x = *(const float4 *)(norm.x + at);
		v.x *= act_slope(y.x, norm.act), v.y *= act_slope(y.y, norm.act), v.z *= act_slope(y.z, norm.act),
			v.w *= act_slope(y.w, norm.act);
		*(float4 *)(to.p + at) = v;
		float4_add(first, v);
		float4_add(second, make_float4(v.x * (x.x - mean.x), v.y * (x.y - mean.y), v.z * (x.z - mean.z), v.w * (x.w - mean.w)));
	}
	__device__ void partial(float4 *, float4 *, float4, int, int) const
	{
	}
	template <int BM> __device__ int tile_rows(int t, int tiles) const
	{
		int p = t / tiles;
		return to.rows(p) - (t - p * tiles) * BM;
	}
	__device__ void add(struct tile_totals *total, float first, float second, float, int) const
	{
		total->first += (double)first, total->second += (double)second;
	}
	__device__ void finish(int n, struct tile_totals total, float) const
	{
		norm_backward_finalize(norm.coef, norm.dgamma, norm.dbeta, norm.gamma, norm.save, norm.C, norm.pitch, n,
			(double)norm.pixels, total.first, total.second);
	}
};

/* Up to CONV_PHASES phases, from number `first` on, as one GEMM of as many: the largest M, the mean of K. */
struct dgrad {
	struct dgrad_phase phase[CONV_PHASES];
	int phases, M, K;
};

static int dgrad_depth(const struct dgrad_phase *p)
{
	return p->y.positions * p->x.positions;
}

static struct dgrad dgrad_of(const struct conv *s, int side, int first)
{
	struct dgrad d = {};
	double pixels = 0, products = 0;
	for (int r = first; r < first + CONV_PHASES && r < side * side; r++) {
		struct dgrad_axis y = dgrad_axis(s, s->KH, s->H, r / side), x = dgrad_axis(s, s->KW, s->W, r % side);
		int M = s->B * y.count * x.count, at = d.phases;
		if (!M) /* a stride beyond the image */
			continue;
		struct dgrad_phase p = {y, x, pixel_index_of(y.count, x.count), divisor(x.positions ? x.positions : 1), M};
		for (; at && dgrad_depth(&d.phase[at - 1]) < dgrad_depth(&p); at--)
			d.phase[at] = d.phase[at - 1];
		d.phase[at] = p, d.phases++;
		d.M = d.M > M ? d.M : M;
		pixels += M, products += (double)M * dgrad_depth(&p) * cuda_c4(s->F);
	}
	d.K = d.phases ? (int)(products / pixels) : 0;
	return d;
}

/* Phases along an axis. */
static int dgrad_side(const struct conv *s)
{
	return s->upsample > 1 || s->D > 1 ? 1 : s->S;
}

static void dgrad_launch(struct cuda *c, float *dx, const float *dz, const float *transposed, const struct conv *s, const struct dgrad *d,
	float *partial, const struct tile_sums *sums, const struct norm_backward *norm)
{
	int F4 = cuda_c4(s->F), C4 = cuda_c4(s->C), TX = conv_transposed_side(s->KW, s), TY = conv_transposed_side(s->KH, s),
	    side = dgrad_side(s);
	struct loader_dgrad a = {dz, s->OH, s->OW, divisor(F4), divisor(d->phase[0].y.step), divisor(d->phase[0].x.step), {}};
	struct loader_transposed_weights b = {transposed, s->C, TX, (size_t)TY * (size_t)TX * (size_t)F4, divisor(F4), {}};
	struct phase_pixels to = {dx, s->H, s->W, C4, side, side, {}};
	for (int i = 0; i < d->phases; i++) {
		const struct dgrad_axis *y = &d->phase[i].y, *x = &d->phase[i].x;
		a.phase[i] = d->phase[i];
		b.phase[i] = {y->first, y->skip, x->first, x->skip, d->phase[i].positions_x};
		to.phase[i] = {y->r, x->r, d->phase[i].M, d->phase[i].pixel_index};
	}
	if (norm) {
		struct epilogue_dx_norm e = {to, *sums, *norm};
		tile_gemm(c, a, b, e, d->M, C4, d->K, partial, d->phases);
	} else {
		struct epilogue_dx e = {to};
		tile_gemm(c, a, b, e, d->M, C4, d->K, partial, d->phases);
	}
}

static size_t dgrad_workspace_size(struct cuda *c, const struct conv *s)
{
	size_t most = 0;
	int side = dgrad_side(s);
	for (int first = 0; first < side * side; first += CONV_PHASES) {
		struct dgrad d = dgrad_of(s, side, first);
		size_t bytes = d.phases ? tile_workspace_size(c, d.M, cuda_c4(s->C), d.K, d.phases, 0) : 0;
		most = bytes > most ? bytes : most;
	}
	return most;
}

static void dgrad(struct cuda *c, float *dx, const float *dz, const float *transposed, const struct conv *s, float *partial)
{
	int side = dgrad_side(s);
	for (int first = 0; first < side * side; first += CONV_PHASES) {
		struct dgrad d = dgrad_of(s, side, first);
		if (d.phases)
			dgrad_launch(c, dx, dz, transposed, s, &d, partial, NULL, NULL);
	}
}

static void dgrad_alone(struct queue *q)
{
	struct cuda *c = (struct cuda *)q;
	const struct cuda_waiting *w = &c->waiting;
	dgrad(c, w->to, w->from, w->w, &w->s, (float *)cuda_workspace(c, dgrad_workspace_size(c, &w->s)));
}

int cuda_conv_backward_with_norm(struct cuda *c, const float *dx, struct norm_backward *norm)
{
	struct cuda_waiting w = c->waiting;
	int C4 = cuda_c4(w.s.C), side = dgrad_side(&w.s);
	if (c->q.waiting != dgrad_alone || w.to != dx || norm->pitch != C4 || norm->pixels != w.s.B * w.s.H * w.s.W ||
		side * side > CONV_PHASES || C4 > (CUDA_COUNTERS - CUDA_SPLIT_COUNTERS) * 32)
		return 0;
	c->q.waiting = NULL;
	struct dgrad d = dgrad_of(&w.s, side, 0);
	size_t partial = tile_workspace_size(c, d.M, C4, d.K, d.phases, 0), sums_bytes = tile_sums_size(c, d.M, C4, d.K, d.phases);
	char *workspace = (char *)cuda_workspace(c, partial + sums_bytes + NORM_COEFFICIENTS * (size_t)C4 * sizeof(float));
	struct tile_sums sums = {(float *)(void *)(workspace + partial), c->counters + CUDA_SPLIT_COUNTERS, C4};
	norm->coef = (float *)(void *)(workspace + partial + sums_bytes);
	dgrad_launch(c, w.to, w.from, w.w, &w.s, &d, (float *)(void *)workspace, &sums, norm);
	return 1;
}

void cuda_conv_backward(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax,
	const real *x, const real *w, const void *packed, const struct conv *s)
{
	struct cuda *c = cuda_of(be);
	int F4 = cuda_c4(s->F), M = s->B * s->OH * s->OW, dz_is_dy = s->pool == 1 && s->act == ACT_NONE;
	const float *transposed = (const float *)packed + (size_t)s->F * (size_t)conv_pitch(s);
	(void)w;
	struct loader_im2col_mn_major im2col = {conv_input(x, s), pixel_index_of(s->OH, s->OW)};
	struct loader_dz fused_dz = {
		dy, y, argmax, s->OH / s->pool, s->OW / s->pool, F4, s->act, pixel_index_of(s->OH, s->OW), divisor(s->pool)};
	size_t dz_floats = dz_is_dy || !dx ? 0 : (size_t)M * (size_t)F4;
	size_t partial_bytes = tile_workspace_size(c, im2col.i.K, s->F, M, 1, 1), dgrad_bytes = dx ? dgrad_workspace_size(c, s) : 0;
	partial_bytes = partial_bytes > dgrad_bytes ? partial_bytes : dgrad_bytes;
	float *dz = (float *)cuda_workspace(c, dz_floats * sizeof(float) + partial_bytes), *partial = dz + dz_floats;
	if (dz_floats)
		launch_flat(&c->q, dz_floats / 4, compute_dz, dz, fused_dz, divisor(F4 / 4), (int)(dz_floats / 4));
	const float *dz_or_dy = dz_floats ? dz : dy;
	struct epilogue_dw e = {dw, db, s->C, s->KH * s->KW, im2col.i.K, s->image, divisor(cuda_c4(s->C))};
	if (dz_is_dy || dx)
		tile_gemm(c, im2col, mn_major(dz_or_dy, NULL, M, (size_t)F4, s->F), e, im2col.i.K, s->F, M, partial);
	else
		tile_gemm(c, im2col, fused_dz, e, im2col.i.K, s->F, M, partial);
	if (dx && dz_is_dy) { /* perhaps a batch norm's gradient follows */
		struct cuda_waiting waiting = {dx, dz_or_dy, transposed, NULL, *s};
		c->waiting = waiting, c->q.waiting = dgrad_alone;
	} else if (dx) {
		dgrad(c, dx, dz_or_dy, transposed, s, partial);
	}
}
