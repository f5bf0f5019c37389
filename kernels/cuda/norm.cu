/* Batch normalisation, forward and back, in three launches: pairs of sums over chunks of pixels, what follows from the sums of all chunks,
 * and its use on each value. Pixels are cut by shape alone and summed in one order. */
#include <limits.h>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/elementwise.h"

extern "C" {
#include "lib/base/err.h"
}

enum { WIDE = 128, ONCE = 4, BLOCKS = 512, TOTAL = 32, COEFS = 4 }; /* ONCE: values that a thread asks for at once */

/* A block sums `width` channels of a chunk of pixels, `lanes` pixels at a time, so that its threads read what lies side by side. */
struct norm_cut {
	int C, pitch, width, lanes, chunks, tiles;
	size_t pixels, chunk;
};

/* What a launch leaves to the next: sums (chunks, 2, pitch), coefficients (COEFS, pitch), 0 for channels of no meaning. */
struct work {
	double *sums;
	float *coef;
};

static struct norm_cut cut_of(const struct batch_norm *s)
{
	struct norm_cut c = {};
	c.C = s->C, c.pitch = s->maps ? cuda_c4(s->C) : s->C;
	c.tiles = (c.pitch + WIDE - 1) / WIDE, c.width = (c.pitch + c.tiles - 1) / c.tiles, c.lanes = LAUNCH_BLOCK / c.width;
	c.pixels = (size_t)s->B * (size_t)s->HW;
	if ((double)c.pixels * c.pitch > INT_MAX)
		die("cuda: %d maps of %d pixels and %d channels are too many in one batch", s->B, s->HW, s->C);
	size_t most = (size_t)(BLOCKS / c.tiles ? BLOCKS / c.tiles : 1), few = (size_t)(c.lanes * 2 * ONCE),
	       some = (c.pixels + few - 1) / few;
	c.chunks = (int)(some < most ? some : most);
	c.chunk = c.chunks ? (c.pixels + (size_t)c.chunks - 1) / (size_t)c.chunks : 0;
	return c;
}

static struct work work_of(struct cuda *cuda, const struct norm_cut *c)
{
	size_t sums = (size_t)c->chunks * 2 * (size_t)c->pitch * sizeof(double);
	char *p = (char *)cuda_work(cuda, sums + COEFS * (size_t)c->pitch * sizeof(float));
	struct work w = {(double *)(void *)p, (float *)(void *)(p + sums)};
	return w;
}

/* Which values are a thread's: every lanes'th pixel of its chunk, of one channel; any is 0 where it has none. */
struct mine {
	int channel, any;
	size_t from, to, step;
};

static __device__ struct mine mine_of(const struct norm_cut &c)
{
	int lane = (int)threadIdx.x / c.width, at = (int)threadIdx.x - lane * c.width;
	size_t first = blockIdx.x * c.chunk, end = first + c.chunk < c.pixels ? first + c.chunk : c.pixels;
	struct mine m;
	m.channel = (int)blockIdx.y * c.width + at;
	m.any = lane < c.lanes && m.channel < c.pitch;
	m.from = (first + (size_t)lane) * (size_t)c.pitch + (size_t)m.channel;
	m.to = end * (size_t)c.pitch, m.step = (size_t)(c.lanes * c.pitch);
	return m;
}

/* The block's sums from its threads'. */
static __device__ void leave(double *sums, struct norm_cut c, struct mine m, double first, double second, double *room)
{
	room[threadIdx.x] = first, room[LAUNCH_BLOCK + threadIdx.x] = second;
	__syncthreads();
	if ((int)threadIdx.x >= c.width || !m.any)
		return;
	first = second = 0;
	for (int i = (int)threadIdx.x; i < c.lanes * c.width; i += c.width)
		first += room[i], second += room[LAUNCH_BLOCK + i];
	double *to = sums + (size_t)blockIdx.x * 2 * (size_t)c.pitch + (size_t)m.channel;
	to[0] = first, to[c.pitch] = second;
}

/* Of x and of its square, both from a channel's first value on: a channel that hardly moves then loses nothing. */
static __global__ void bn_sums(double *sums, const float *x, struct norm_cut c)
{
	SHARED(double, room);
	struct mine m = mine_of(c);
	float origin = m.any ? x[m.channel] : 0;
	double first = 0, second = 0;
	for (size_t i = m.from; m.any && i < m.to; i += ONCE * m.step) {
		float v[ONCE];
		UNROLL
		for (int k = 0; k < ONCE; k++)
			v[k] = i + k * m.step < m.to ? x[i + k * m.step] : origin;
		UNROLL
		for (int k = 0; k < ONCE; k++) {
			double d = (double)v[k] - (double)origin;
			first += d, second += d * d;
		}
	}
	leave(sums, c, m, first, second, room);
}

/* Of d, the gradient before the activation, and of d (x - mean). */
static __global__ void bn_back_sums(
	double *sums, const float *dy, const float *y, const float *x, const float *save, struct norm_cut c, enum act act)
{
	SHARED(double, room);
	struct mine m = mine_of(c);
	float mean = m.any && m.channel < c.C ? save[m.channel] : 0;
	double first = 0, second = 0;
	for (size_t i = m.from; m.any && i < m.to; i += ONCE * m.step) {
		float d[ONCE], v[ONCE];
		UNROLL
		for (int k = 0; k < ONCE; k++) {
			size_t at = i + k * m.step;
			d[k] = at < m.to ? dy[at] * act_slope(y[at], act) : 0;
			v[k] = at < m.to ? x[at] : mean;
		}
		UNROLL
		for (int k = 0; k < ONCE; k++)
			first += (double)d[k], second += (double)d[k] * ((double)v[k] - (double)mean);
	}
	leave(sums, c, m, first, second, room);
}

struct pair {
	double x, y;
};

/* Both sums of all chunks for a block's TOTAL channels, to its first threads. */
static __device__ struct pair total(const double *sums, const struct norm_cut &c, int channel, double *room)
{
	int lanes = LAUNCH_BLOCK / TOTAL, lane = (int)threadIdx.x / TOTAL;
	struct pair p = {0, 0};
	for (int k = lane; k < c.chunks && channel < c.pitch; k += lanes) {
		const double *v = sums + (size_t)k * 2 * (size_t)c.pitch + (size_t)channel;
		p.x += v[0], p.y += v[c.pitch];
	}
	room[threadIdx.x] = p.x, room[LAUNCH_BLOCK + threadIdx.x] = p.y;
	__syncthreads();
	for (int k = 1; !lane && k < lanes; k++)
		p.x += room[k * TOTAL + (int)threadIdx.x], p.y += room[LAUNCH_BLOCK + k * TOTAL + (int)threadIdx.x];
	return p;
}

static __device__ void coefficients(float *coef, int pitch, int channel, double a, double b, double c, double d)
{
	coef[channel] = (float)a, coef[pitch + channel] = (float)b;
	coef[2 * pitch + channel] = (float)c, coef[3 * pitch + channel] = (float)d;
}

struct norm { /* what turns statistics into coefficients */
	const float *gamma, *beta;
	float *run, *save;
	float momentum, eps;
};

static __device__ void settle(float *coef, const struct norm &s, const struct norm_cut &c, int channel, double mean, double var)
{
	if (channel >= c.C) {
		coefficients(coef, c.pitch, channel, 0, 0, 0, 0);
		return;
	}
	double inv = 1 / sqrt(var + (double)s.eps);
	s.save[channel] = (float)mean, s.save[c.C + channel] = (float)inv;
	/* what float takes from the mean is given back behind the factor */
	double factor = inv * (double)s.gamma[channel], lost = mean - (double)(float)mean;
	coefficients(coef, c.pitch, channel, mean, factor, (double)s.beta[channel] - lost * factor, 0);
}

static __global__ void bn_settle(float *coef, const double *sums, const float *x, struct norm s, struct norm_cut c)
{
	SHARED(double, room);
	int channel = (int)blockIdx.x * TOTAL + (int)threadIdx.x % TOTAL;
	struct pair p = total(sums, c, channel, room);
	if (threadIdx.x >= TOTAL || channel >= c.pitch)
		return;
	double n = (double)c.pixels, shift = p.x / n, mean = (double)x[channel] + shift, var = p.y / n - shift * shift;
	var = var < 0 ? 0 : var; /* NaN stays NaN */
	if (channel < c.C) {
		s.run[channel] += s.momentum * ((float)mean - s.run[channel]);
		s.run[c.C + channel] += s.momentum * ((float)(n > 1 ? var * n / (n - 1) : var) - s.run[c.C + channel]);
	}
	settle(coef, s, c, channel, mean, var);
}

/* By the running statistics. */
static __global__ void bn_settled(float *coef, struct norm s, struct norm_cut c)
{
	size_t i = launch_index();
	if (i < (size_t)c.pitch)
		settle(coef, s, c, (int)i, i < (size_t)c.C ? (double)s.run[i] : 0, i < (size_t)c.C ? (double)s.run[(size_t)c.C + i] : 0);
}

static __global__ void bn_back_settle(
	float *coef, float *dgamma, float *dbeta, const double *sums, const float *gamma, const float *save, struct norm_cut c)
{
	SHARED(double, room);
	int channel = (int)blockIdx.x * TOTAL + (int)threadIdx.x % TOTAL;
	struct pair p = total(sums, c, channel, room);
	if (threadIdx.x >= TOTAL || channel >= c.pitch)
		return;
	if (channel >= c.C) {
		coefficients(coef, c.pitch, channel, 0, 0, 0, 0);
		return;
	}
	double n = (double)c.pixels, inv = (double)save[c.C + channel], dot = p.y * inv;
	dgamma[channel] = (float)dot, dbeta[channel] = (float)p.x;
	coefficients(coef, c.pitch, channel, (double)save[channel], (double)gamma[channel] * inv, p.x / n, inv * dot / n);
}

static __device__ float normed(float x, float mean, float factor, float beta, enum act act)
{
	return act_value((x - mean) * factor + beta, act);
}

static __device__ float4 normed(float4 x, float4 mean, float4 factor, float4 beta, enum act act)
{
	return make_float4(normed(x.x, mean.x, factor.x, beta.x, act), normed(x.y, mean.y, factor.y, beta.y, act),
		normed(x.z, mean.z, factor.z, beta.z, act), normed(x.w, mean.w, factor.w, beta.w, act));
}

static __device__ float slanted(float dy, float y, float x, float mean, float factor, float level, float slope, enum act act)
{
	return factor * (dy * act_slope(y, act) - level - (x - mean) * slope);
}

static __device__ float4 slanted(float4 d, float4 y, float4 x, float4 mean, float4 factor, float4 level, float4 slope, enum act act)
{
	return make_float4(slanted(d.x, y.x, x.x, mean.x, factor.x, level.x, slope.x, act),
		slanted(d.y, y.y, x.y, mean.y, factor.y, level.y, slope.y, act),
		slanted(d.z, y.z, x.z, mean.z, factor.z, level.z, slope.z, act),
		slanted(d.w, y.w, x.w, mean.w, factor.w, level.w, slope.w, act));
}

/* T: a value, or four of a pixel's at once; pitch in those. */
template <class T> static __global__ void bn_apply(T *y, const T *x, const T *coef, struct divisor pitch, size_t n, enum act act)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	int P = (int)pitch.d, c = (int)i - fast_div(pitch, (int)i) * P;
	y[i] = normed(x[i], coef[c], coef[P + c], coef[2 * P + c], act);
}

template <class T>
static __global__ void bn_back_apply(T *dx, const T *dy, const T *y, const T *x, const T *coef, struct divisor pitch, size_t n, enum act act)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	int P = (int)pitch.d, c = (int)i - fast_div(pitch, (int)i) * P;
	dx[i] = slanted(dy[i], y[i], x[i], coef[c], coef[P + c], coef[2 * P + c], coef[3 * P + c], act);
}

void cuda_batch_norm(const struct backend *be, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save, const struct batch_norm *s)
{
	struct queue *q = queue_of(be);
	struct norm_cut c = cut_of(s);
	struct work w = work_of(cuda_of(be), &c);
	struct norm norm = {gamma, beta, run, save, s->momentum, s->eps};
	size_t n = c.pixels * (size_t)c.pitch, room = 2 * LAUNCH_BLOCK * sizeof(double);
	if (!n)
		return;
	if (s->train) {
		launch(q, dim3((unsigned)c.chunks, (unsigned)c.tiles), LAUNCH_BLOCK, room, bn_sums, w.sums, x, c);
		launch(q, dim3((unsigned)(c.pitch + TOTAL - 1) / TOTAL), LAUNCH_BLOCK, room, bn_settle, w.coef, w.sums, x, norm, c);
	} else {
		launch_flat(q, c.pitch, bn_settled, w.coef, norm, c);
	}
	if (c.pitch % 4 == 0 && cuda_by_four(x, y, NULL, NULL))
		launch_flat(q, n / 4, bn_apply<float4>, (float4 *)(void *)y, (const float4 *)(const void *)x,
			(const float4 *)(const void *)w.coef, divisor(c.pitch / 4), n / 4, s->act);
	else
		launch_flat(q, n, bn_apply<float>, y, x, w.coef, divisor(c.pitch), n, s->act);
}

void cuda_batch_norm_backward(const struct backend *be, real *dx, real *dgamma, real *dbeta, const real *dy, const real *y, const real *x, const real *gamma,
	const real *save, const struct batch_norm *s)
{
	struct queue *q = queue_of(be);
	struct norm_cut c = cut_of(s);
	struct work w = work_of(cuda_of(be), &c);
	size_t n = c.pixels * (size_t)c.pitch, room = 2 * LAUNCH_BLOCK * sizeof(double);
	if (!n)
		return;
	launch(q, dim3((unsigned)c.chunks, (unsigned)c.tiles), LAUNCH_BLOCK, room, bn_back_sums, w.sums, dy, y, x, save, c, s->act);
	launch(q, dim3((unsigned)(c.pitch + TOTAL - 1) / TOTAL), LAUNCH_BLOCK, room, bn_back_settle, w.coef, dgamma, dbeta, w.sums, gamma, save,
		c);
	if (c.pitch % 4 == 0 && cuda_by_four(x, y, dx, dy))
		launch_flat(q, n / 4, bn_back_apply<float4>, (float4 *)(void *)dx, (const float4 *)(const void *)dy,
			(const float4 *)(const void *)y, (const float4 *)(const void *)x, (const float4 *)(const void *)w.coef,
			divisor(c.pitch / 4), n / 4, s->act);
	else
		launch_flat(q, n, bn_back_apply<float>, dx, dy, y, x, w.coef, divisor(c.pitch), n, s->act);
}
