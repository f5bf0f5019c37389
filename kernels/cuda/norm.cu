/* Batch normalisation, forward and backward, in three launches each: partial sums over chunks of pixels; their reduction to statistics and
 * coefficients for each channel; an elementwise pass that applies these. Next to a convolution (norm.h) only the last is launched here. Of
 * a batch in parts the reduction is to sums, which the caller adds. Chunks depend on the shape alone, sums have a fixed order. */
#include <limits.h>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/norm.h"

extern "C" {
#include "lib/base/err.h"
}

/* MAX_BLOCKS: of the partial sums; LOADS: independent ones that a thread has in flight; REDUCE_CHANNELS: a block's in the reduction */
enum { MAX_WIDTH = 128, LOADS = 4, MAX_BLOCKS = 512, REDUCE_CHANNELS = 32 };

/* Grid of the partial sums, (chunks, channel_tiles): a block sums `width` channels of a chunk of `chunk` pixels, `lanes` pixels at a time,
 * so that its loads are coalesced. pitch: values a pixel. */
struct norm_plan {
	int C, pitch, width, lanes, chunks, channel_tiles;
	size_t pixels, chunk;
};

/* Between launches: partial sums (chunks, 2, pitch) and coefficients (NORM_COEFFICIENTS, pitch), the latter 0 for channels of padding. */
struct workspace {
	double *sums;
	float *coef;
};

static struct norm_plan plan_of(const struct batch_norm *s)
{
	struct norm_plan c = {};
	c.C = s->C, c.pitch = s->maps ? cuda_c4(s->C) : s->C;
	c.channel_tiles = (c.pitch + MAX_WIDTH - 1) / MAX_WIDTH, c.width = (c.pitch + c.channel_tiles - 1) / c.channel_tiles,
	c.lanes = LAUNCH_BLOCK / c.width;
	c.pixels = (size_t)s->B * (size_t)s->HW;
	if ((double)c.pixels * c.pitch > INT_MAX)
		die("cuda: %d maps of %d pixels and %d channels are too many in one batch", s->B, s->HW, s->C);
	size_t max_chunks = (size_t)(MAX_BLOCKS / c.channel_tiles ? MAX_BLOCKS / c.channel_tiles : 1),
	       chunk_pixels_min = (size_t)(c.lanes * 2 * LOADS), chunks_wanted = (c.pixels + chunk_pixels_min - 1) / chunk_pixels_min;
	c.chunks = (int)(chunks_wanted < max_chunks ? chunks_wanted : max_chunks);
	c.chunk = c.chunks ? (c.pixels + (size_t)c.chunks - 1) / (size_t)c.chunks : 0;
	return c;
}

static struct workspace workspace_of(struct cuda *cuda, const struct norm_plan *c)
{
	size_t sums = (size_t)c->chunks * 2 * (size_t)c->pitch * sizeof(double);
	char *p = (char *)cuda_workspace(cuda, sums + NORM_COEFFICIENTS * (size_t)c->pitch * sizeof(float));
	struct workspace w = {(double *)(void *)p, (float *)(void *)(p + sums)};
	return w;
}

/* Values that a thread sums: one channel of every lanes'th pixel of the block's chunk; active is 0 where it has none. */
struct thread_values {
	int channel, active;
	size_t from, to, step;
};

static __device__ struct thread_values thread_values_of(const struct norm_plan &c)
{
	int lane = (int)threadIdx.x / c.width, at = (int)threadIdx.x - lane * c.width;
	size_t first = blockIdx.x * c.chunk, end = first + c.chunk < c.pixels ? first + c.chunk : c.pixels;
	struct thread_values m;
	m.channel = (int)blockIdx.y * c.width + at;
	m.active = lane < c.lanes && m.channel < c.pitch;
	m.from = (first + (size_t)lane) * (size_t)c.pitch + (size_t)m.channel;
	m.to = end * (size_t)c.pitch, m.step = (size_t)(c.lanes * c.pitch);
	return m;
}

/* The block's partial sums, reduced from those of its threads; smem: two values a thread. */
static __device__ void store_sums(double *sums, struct norm_plan c, struct thread_values m, double first, double second, double *smem)
{
	smem[threadIdx.x] = first, smem[LAUNCH_BLOCK + threadIdx.x] = second;
	__syncthreads();
	if ((int)threadIdx.x >= c.width || !m.active)
		return;
	first = second = 0;
	for (int i = (int)threadIdx.x; i < c.lanes * c.width; i += c.width)
		first += smem[i], second += smem[LAUNCH_BLOCK + i];
	double *to = sums + (size_t)blockIdx.x * 2 * (size_t)c.pitch + (size_t)m.channel;
	to[0] = first, to[c.pitch] = second;
}

/* Sums of x and of its square, shifted by the channel's value of `origins`, of which there are n: its first, or its mean so far: no
 * cancellation where a channel's variance is small beside its mean. */
static __global__ void bn_sums(double *sums, const float *x, const float *origins, int n, struct norm_plan c)
{
	SHARED(double, smem);
	struct thread_values m = thread_values_of(c);
	float origin = m.active && m.channel < n ? origins[m.channel] : 0;
	double first = 0, second = 0;
	for (size_t i = m.from; m.active && i < m.to; i += LOADS * m.step) {
		float v[LOADS];
		UNROLL
		for (int k = 0; k < LOADS; k++)
			v[k] = i + k * m.step < m.to ? x[i + k * m.step] : origin;
		UNROLL
		for (int k = 0; k < LOADS; k++) {
			double d = (double)v[k] - (double)origin;
			first += d, second += d * d;
		}
	}
	store_sums(sums, c, m, first, second, smem);
}

/* Sums of d, the gradient before the activation, and of d (x - mean). */
static __global__ void bn_backward_sums(
	double *sums, const float *dy, const float *y, const float *x, const float *save, struct norm_plan c, enum act act)
{
	SHARED(double, smem);
	struct thread_values m = thread_values_of(c);
	float mean = m.active && m.channel < c.C ? save[m.channel] : 0;
	double first = 0, second = 0;
	for (size_t i = m.from; m.active && i < m.to; i += LOADS * m.step) {
		float d[LOADS], v[LOADS];
		UNROLL
		for (int k = 0; k < LOADS; k++) {
			size_t at = i + k * m.step;
			d[k] = at < m.to ? dy[at] * act_slope(y[at], act) : 0;
			v[k] = at < m.to ? x[at] : mean;
		}
		UNROLL
		for (int k = 0; k < LOADS; k++)
			first += (double)d[k], second += (double)d[k] * ((double)v[k] - (double)mean);
	}
	store_sums(sums, c, m, first, second, smem);
}

struct pair {
	double x, y;
};

/* Both sums over all chunks, for a block's REDUCE_CHANNELS channels; the result is in its first REDUCE_CHANNELS threads. */
static __device__ struct pair reduce_chunks(const double *sums, const struct norm_plan &c, int channel, double *smem)
{
	int lanes = LAUNCH_BLOCK / REDUCE_CHANNELS, lane = (int)threadIdx.x / REDUCE_CHANNELS;
	struct pair p = {0, 0};
	for (int k = lane; k < c.chunks && channel < c.pitch; k += lanes) {
		const double *v = sums + (size_t)k * 2 * (size_t)c.pitch + (size_t)channel;
		p.x += v[0], p.y += v[c.pitch];
	}
	smem[threadIdx.x] = p.x, smem[LAUNCH_BLOCK + threadIdx.x] = p.y;
	__syncthreads();
	for (int k = 1; !lane && k < lanes; k++)
		p.x += smem[k * REDUCE_CHANNELS + (int)threadIdx.x], p.y += smem[LAUNCH_BLOCK + k * REDUCE_CHANNELS + (int)threadIdx.x];
	return p;
}

static __global__ void bn_finalize(float *coef, const double *sums, const float *x, struct norm_params s, struct norm_plan c)
{
	SHARED(double, smem);
	int channel = (int)blockIdx.x * REDUCE_CHANNELS + (int)threadIdx.x % REDUCE_CHANNELS;
	struct pair p = reduce_chunks(sums, c, channel, smem);
	if (threadIdx.x >= REDUCE_CHANNELS || channel >= c.pitch)
		return;
	double n = (double)c.pixels, shift = p.x / n, mean = (double)x[channel] + shift, var = p.y / n - shift * shift;
	var = var < 0 ? 0 : var; /* NaN stays NaN */
	norm_running(s, c.C, channel, n, mean, var);
	norm_finalize(coef, s, c.C, c.pitch, channel, mean, var);
}

/* Evaluation mode: coefficients by the running statistics. */
static __global__ void bn_finalize_running(float *coef, struct norm_params s, struct norm_plan c)
{
	size_t i = launch_index();
	if (i < (size_t)c.pitch)
		norm_finalize(coef, s, c.C, c.pitch, (int)i, i < (size_t)c.C ? (double)s.run[i] : 0,
			i < (size_t)c.C ? (double)s.run[(size_t)c.C + i] : 0);
}

static __global__ void bn_backward_finalize(
	float *coef, float *dgamma, float *dbeta, const double *sums, const float *gamma, const float *save, struct norm_plan c)
{
	SHARED(double, smem);
	int channel = (int)blockIdx.x * REDUCE_CHANNELS + (int)threadIdx.x % REDUCE_CHANNELS;
	struct pair p = reduce_chunks(sums, c, channel, smem);
	if (threadIdx.x >= REDUCE_CHANNELS || channel >= c.pitch)
		return;
	norm_backward_finalize(coef, dgamma, dbeta, gamma, save, c.C, c.pitch, channel, (double)c.pixels, p.x, p.y);
}

/* Of a part: totals (2, C), the second times the channel's factor where there are factors. */
static __global__ void bn_totals(double *totals, const double *sums, const float *factor, struct norm_plan c)
{
	SHARED(double, smem);
	int channel = (int)blockIdx.x * REDUCE_CHANNELS + (int)threadIdx.x % REDUCE_CHANNELS;
	struct pair p = reduce_chunks(sums, c, channel, smem);
	if (threadIdx.x >= REDUCE_CHANNELS || channel >= c.C)
		return;
	totals[channel] = p.x, totals[c.C + channel] = factor ? p.y * (double)factor[channel] : p.y;
}

/* By totals over all parts, of N values. */
static __global__ void bn_backward_coefficients(
	float *coef, const double *totals, const float *gamma, const float *save, double N, struct norm_plan c)
{
	int channel = (int)launch_index();
	if (channel >= c.pitch)
		return;
	if (channel >= c.C) {
		norm_coefficients(coef, c.pitch, channel, 0, 0, 0, 0);
		return;
	}
	double inv = (double)save[c.C + channel];
	norm_coefficients(coef, c.pitch, channel, (double)save[channel], (double)gamma[channel] * inv, totals[channel] / N,
		inv * totals[c.C + channel] / N);
}

static __device__ float normalized(float x, float mean, float factor, float beta, enum act act)
{
	return act_value((x - mean) * factor + beta, act);
}

static __device__ float4 normalized(float4 x, float4 mean, float4 factor, float4 beta, enum act act)
{
	return make_float4(normalized(x.x, mean.x, factor.x, beta.x, act), normalized(x.y, mean.y, factor.y, beta.y, act),
		normalized(x.z, mean.z, factor.z, beta.z, act), normalized(x.w, mean.w, factor.w, beta.w, act));
}

/* dx; factor: gamma inv, mean_d: the mean of d, slope: the mean of d (x - mean), times inv^2. */
static __device__ float input_gradient(float dy, float y, float x, float mean, float factor, float mean_d, float slope, enum act act)
{
	return factor * (dy * act_slope(y, act) - mean_d - (x - mean) * slope);
}

static __device__ float4 input_gradient(float4 d, float4 y, float4 x, float4 mean, float4 factor, float4 mean_d, float4 slope, enum act act)
{
	return make_float4(input_gradient(d.x, y.x, x.x, mean.x, factor.x, mean_d.x, slope.x, act),
		input_gradient(d.y, y.y, x.y, mean.y, factor.y, mean_d.y, slope.y, act),
		input_gradient(d.z, y.z, x.z, mean.z, factor.z, mean_d.z, slope.z, act),
		input_gradient(d.w, y.w, x.w, mean.w, factor.w, mean_d.w, slope.w, act));
}

/* T: float or, four channels of a pixel, float4; pitch in units of T. */
template <class T> static __global__ void bn_apply(T *y, const T *x, const T *coef, struct divisor pitch, size_t n, enum act act)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	int P = (int)pitch.d, c = (int)i - fast_div(pitch, (int)i) * P;
	y[i] = normalized(x[i], coef[c], coef[P + c], coef[2 * P + c], act);
}

template <class T>
static __global__ void bn_backward_apply(
	T *dx, const T *dy, const T *y, const T *x, const T *coef, struct divisor pitch, size_t n, enum act act)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	int P = (int)pitch.d, c = (int)i - fast_div(pitch, (int)i) * P;
	dx[i] = input_gradient(dy[i], y[i], x[i], coef[c], coef[P + c], coef[2 * P + c], coef[3 * P + c], act);
}

/* The same of d, the gradient before the activation. */
static __global__ void bn_backward_apply_d(float4 *dx, const float4 *d, const float4 *x, const float4 *coef, struct divisor pitch, size_t n)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	int P = (int)pitch.d, c = (int)i - fast_div(pitch, (int)i) * P;
	float4 value = d[i];
	dx[i] = input_gradient(value, value, x[i], coef[c], coef[P + c], coef[2 * P + c], coef[3 * P + c], ACT_NONE);
}

static unsigned reduce_blocks(const struct norm_plan *c)
{
	return (unsigned)(c->pitch + REDUCE_CHANNELS - 1) / REDUCE_CHANNELS;
}

enum { SUMS_SHARED = 2 * LAUNCH_BLOCK * (int)sizeof(double) };

void cuda_batch_norm(const struct backend *be, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save,
	const struct batch_norm *s)
{
	struct queue *q = queue_of(be);
	struct norm_plan c = plan_of(s);
	struct norm_params norm_params = {gamma, beta, run, save, s->momentum, s->eps};
	struct norm_forward fused = {norm_params, NULL, s->C, c.pitch, (int)c.pixels};
	size_t n = c.pixels * (size_t)c.pitch;
	if (!n)
		return;
	float *coef;
	if (s->train && s->maps && cuda_conv_with_norm(cuda_of(be), x, &fused)) {
		coef = fused.coef;
	} else {
		struct workspace w = workspace_of(cuda_of(be), &c);
		coef = w.coef;
		if (s->train) {
			launch(q, dim3((unsigned)c.chunks, (unsigned)c.channel_tiles), LAUNCH_BLOCK, SUMS_SHARED, bn_sums, w.sums, x, x,
				c.pitch, c);
			launch(q, dim3(reduce_blocks(&c)), LAUNCH_BLOCK, SUMS_SHARED, bn_finalize, w.coef, w.sums, x, norm_params, c);
		} else {
			launch_flat(q, c.pitch, bn_finalize_running, w.coef, norm_params, c);
		}
	}
	if (c.pitch % 4 == 0 && cuda_float4_aligned(x, y, NULL, NULL))
		launch_flat(q, n / 4, bn_apply<float4>, (float4 *)(void *)y, (const float4 *)(const void *)x,
			(const float4 *)(const void *)coef, divisor(c.pitch / 4), n / 4, s->act);
	else
		launch_flat(q, n, bn_apply<float>, y, x, coef, divisor(c.pitch), n, s->act);
}

static void apply_backward(struct queue *q, float *dx, const float *dy, const float *y, const float *x, const float *coef,
	const struct norm_plan *c, enum act act)
{
	size_t n = c->pixels * (size_t)c->pitch;
	if (c->pitch % 4 == 0 && cuda_float4_aligned(x, y, dx, dy))
		launch_flat(q, n / 4, bn_backward_apply<float4>, (float4 *)(void *)dx, (const float4 *)(const void *)dy,
			(const float4 *)(const void *)y, (const float4 *)(const void *)x, (const float4 *)(const void *)coef,
			divisor(c->pitch / 4), n / 4, act);
	else
		launch_flat(q, n, bn_backward_apply<float>, dx, dy, y, x, coef, divisor(c->pitch), n, act);
}

void cuda_batch_norm_backward(const struct backend *be, real *dx, real *dgamma, real *dbeta, const real *dy, const real *y, const real *x,
	const real *gamma, const real *save, const struct batch_norm *s)
{
	struct queue *q = queue_of(be);
	struct norm_plan c = plan_of(s);
	size_t n = c.pixels * (size_t)c.pitch;
	struct norm_backward fused = {y, x, gamma, save, dgamma, dbeta, NULL, s->C, c.pitch, (int)c.pixels, s->act};
	if (!n)
		return;
	if (s->maps && cuda_conv_backward_with_norm(cuda_of(be), dy, &fused)) { /* which has left d in dy */
		launch_flat(q, n / 4, bn_backward_apply_d, (float4 *)(void *)dx, (const float4 *)(const void *)dy,
			(const float4 *)(const void *)x, (const float4 *)(const void *)fused.coef, divisor(c.pitch / 4), n / 4);
		return;
	}
	struct workspace w = workspace_of(cuda_of(be), &c);
	launch(q, dim3((unsigned)c.chunks, (unsigned)c.channel_tiles), LAUNCH_BLOCK, SUMS_SHARED, bn_backward_sums, w.sums, dy, y, x, save,
		c, s->act);
	launch(q, dim3(reduce_blocks(&c)), LAUNCH_BLOCK, SUMS_SHARED, bn_backward_finalize, w.coef, dgamma, dbeta, w.sums, gamma, save, c);
	apply_backward(q, dx, dy, y, x, w.coef, &c, s->act);
}

void cuda_batch_norm_sums(const struct backend *be, double *sums, const real *x, const real *mean, const struct batch_norm *s)
{
	struct queue *q = queue_of(be);
	struct norm_plan c = plan_of(s);
	if (!c.pixels) {
		be->zero(be, sums, 2 * (size_t)s->C * sizeof *sums);
		return;
	}
	struct workspace w = workspace_of(cuda_of(be), &c);
	launch(q, dim3((unsigned)c.chunks, (unsigned)c.channel_tiles), LAUNCH_BLOCK, SUMS_SHARED, bn_sums, w.sums, x, mean, c.C, c);
	launch(q, dim3(reduce_blocks(&c)), LAUNCH_BLOCK, SUMS_SHARED, bn_totals, sums, w.sums, NULL, c);
}

void cuda_batch_norm_backward_sums(
	const struct backend *be, double *sums, const real *dy, const real *y, const real *x, const real *save, const struct batch_norm *s)
{
	struct queue *q = queue_of(be);
	struct norm_plan c = plan_of(s);
	if (!c.pixels) {
		be->zero(be, sums, 2 * (size_t)s->C * sizeof *sums);
		return;
	}
	struct workspace w = workspace_of(cuda_of(be), &c);
	launch(q, dim3((unsigned)c.chunks, (unsigned)c.channel_tiles), LAUNCH_BLOCK, SUMS_SHARED, bn_backward_sums, w.sums, dy, y, x, save,
		c, s->act);
	launch(q, dim3(reduce_blocks(&c)), LAUNCH_BLOCK, SUMS_SHARED, bn_totals, sums, w.sums, save + c.C, c);
}

void cuda_batch_norm_backward_apply(const struct backend *be, real *dx, const real *dy, const real *y, const real *x, const real *gamma,
	const real *save, const double *sums, double N, const struct batch_norm *s)
{
	struct queue *q = queue_of(be);
	struct norm_plan c = plan_of(s);
	if (!c.pixels)
		return;
	struct workspace w = workspace_of(cuda_of(be), &c);
	launch_flat(q, c.pitch, bn_backward_coefficients, w.coef, sums, gamma, save, N, c);
	apply_backward(q, dx, dy, y, x, w.coef, &c, s->act);
}
