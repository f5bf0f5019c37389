/* Heat maps: soft-argmax (the mean of a map's softmax) and its loss, a thread block a map; drawing of target maps of Gaussians. */
#include <limits.h>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/last_block.h"

extern "C" {
#include "lib/base/err.h"
}

enum { REDUCTIONS = 9 }; /* buffers in shared memory for the block's reductions, 32 doubles each */

struct heatmap_args {
	const float *z, *target, *weight;
	float *dz, *decoded;
	double *point, *loss; /* of each point, of each row */
	unsigned *counter;
	struct divisor W;
	int rows;
	struct heatmap_loss s;
};

struct distribution { /* a map's softmax: the largest logit, the sum of exp(z - max_z), the mean x and y */
	float max_z;
	double sum, mean[2];
};

/* Softmax, means and variances of a map; decoded (HEATMAP_DECODED) may be NULL. Second moments are taken about the map's centre, in double,
 * to bound cancellation. */
static __device__ struct distribution softmax_moments(const struct heatmap_args &a, const float *z, float *decoded, double *smem)
{
	int W = a.s.W, n = a.s.H * W;
	double sum = 0, x1 = 0, y1 = 0, x2 = 0, y2 = 0, cx = 0.5 * (W - 1), cy = 0.5 * (a.s.H - 1);
	struct distribution m;
	m.max_z = -INFINITY;
	for (int i = (int)threadIdx.x; i < n; i += (int)blockDim.x)
		m.max_z = z[i] > m.max_z ? z[i] : m.max_z;
	m.max_z = block_max(m.max_z, (float *)(void *)smem);
	for (int i = (int)threadIdx.x; i < n; i += (int)blockDim.x) {
		int row = fast_div(a.W, i);
		double e = (double)expf(z[i] - m.max_z), x = i - row * W - cx, y = row - cy;
		sum += e, x1 += e * x, y1 += e * y, x2 += e * x * x, y2 += e * y * y;
	}
	sum = block_sum(sum, smem + 32), x1 = block_sum(x1, smem + 64) / sum, y1 = block_sum(y1, smem + 96) / sum;
	x2 = block_sum(x2, smem + 128) / sum - x1 * x1, y2 = block_sum(y2, smem + 160) / sum - y1 * y1;
	m.sum = sum, m.mean[0] = x1 + cx, m.mean[1] = y1 + cy;
	if (decoded && !threadIdx.x) {
		decoded[0] = (float)m.mean[0], decoded[1] = (float)m.mean[1];
		decoded[2] = (float)(x2 < 0 ? 0 : x2), decoded[3] = (float)(y2 < 0 ? 0 : y2);
	}
	return m;
}

/* density (n): a Gaussian about t on n cells, normalised to sum 1. */
static __device__ void gaussian(float *density, int n, double t, double sigma, double *smem)
{
	double sum = 0, factor = -1 / (2 * sigma * sigma);
	for (int i = (int)threadIdx.x; i < n; i += (int)blockDim.x)
		sum += exp((i - t) * (i - t) * factor);
	sum = block_sum(sum, smem);
	for (int i = (int)threadIdx.x; i < n; i += (int)blockDim.x)
		density[i] = (float)(exp((i - t) * (i - t) * factor) / sum);
}

static __device__ int inside(double t, int n)
{
	return t >= -0.5 && t <= n - 0.5;
}

/* One point's loss, valid in the block's first thread; dz may be NULL. All branches around barriers are uniform over the block. */
static __device__ double heatmap_point_loss(
	const struct heatmap_args &a, const struct distribution &m, float *dz, const float *z, const float *t, const float *w, double *smem)
{
	const struct heatmap_loss &s = a.s;
	float *density[2] = {(float *)(void *)(smem + 32 * REDUCTIONS), (float *)(void *)(smem + 32 * REDUCTIONS) + s.W};
	double loss = 0, gradient[2] = {0, 0}, weight[2] = {w ? (double)w[0] : 1, w ? (double)w[1] : 1}, entropy = 0, cross = 0;
	int n[2] = {s.W, s.H}, labelled[2] = {t[0] == t[0], t[1] == t[1]}, outside = 0;
	for (int i = 0; i < 2; i++)
		outside |= labelled[i] && !inside((double)t[i], n[i]);
	for (int i = 0; i < 2; i++)
		if (labelled[i] && !outside) {
			loss += weight[i] * point_loss(&s.point, m.mean[i] - (double)t[i], &gradient[i]);
			gradient[i] *= weight[i];
		}
	int has_gaussian = labelled[0] && labelled[1] && !outside && s.entropy > 0;
	if (has_gaussian) {
		entropy = (double)s.entropy * fmin(weight[0], weight[1]);
		for (int i = 0; i < 2; i++)
			gaussian(density[i], n[i], (double)t[i], (double)s.sigma, smem + 192 + 32 * i);
		__syncthreads();
	}
	float log_sum = (float)log(m.sum), inv = (float)(1 / m.sum), mul = s.point.mul, entropy_factor = entropy > 0 ? (float)entropy : 0;
	/* the mean as two floats, rounded value and remainder: a sharp map's mean is so near to a cell that x - mean cancels */
	float sx = (float)gradient[0], sy = (float)gradient[1], mx = (float)m.mean[0], my = (float)m.mean[1];
	float rx = (float)(m.mean[0] - (double)mx), ry = (float)(m.mean[1] - (double)my);
	for (int i = (int)threadIdx.x; (has_gaussian || dz) && i < s.H * s.W; i += (int)blockDim.x) {
		int y = fast_div(a.W, i), x = i - y * s.W;
		float q = has_gaussian ? density[0][x] * density[1][y] : 0, depth = m.max_z - z[i], p = expf(-depth) * inv;
		if (dz)
			dz[i] = (p * (sx * ((float)x - mx - rx) + sy * ((float)y - my - ry)) + entropy_factor * (p - q)) * mul;
		if (has_gaussian)
			cross += (double)(q * (log_sum + depth));
	}
	return has_gaussian ? loss + entropy * block_sum(cross, smem + 256) : loss;
}

/* Decoded points (a.decoded) have the same bits with and without losses. The last block sums the losses of each row's points. */
static __global__ void heatmap_losses(struct heatmap_args a)
{
	SHARED(double, smem); /* REDUCTIONS of 32 doubles, then the densities along x (W) and y (H), floats */
	size_t i = blockIdx.x, n = (size_t)a.s.H * (size_t)a.s.W;
	const float *z = a.z + i * n;
	struct distribution m = softmax_moments(a, z, a.decoded ? a.decoded + i * HEATMAP_DECODED : NULL, smem);
	if (!a.target)
		return;
	double loss = heatmap_point_loss(a, m, a.dz ? a.dz + i * n : NULL, z, a.target + 2 * i, a.weight ? a.weight + 2 * i : NULL, smem);
	if (!threadIdx.x)
		a.point[i] = loss;
	if (!last_block(a.counter, gridDim.x, (int *)(void *)smem))
		return;
	for (int b = (int)threadIdx.x; b < a.rows; b += (int)blockDim.x) {
		double sum = 0;
		for (int p = 0; p < a.s.P; p++)
			sum += a.point[(size_t)b * (size_t)a.s.P + (size_t)p];
		a.loss[b] = sum;
	}
}

void cuda_heatmap_loss(const struct backend *be, const struct heatmap_loss *s, double *loss, real *dz, real *decoded, const real *z,
	const real *target, const real *weight, int B)
{
	size_t points = (size_t)B * (size_t)s->P,
	       smem_bytes = 32 * REDUCTIONS * sizeof(double) + ((size_t)s->W + (size_t)s->H) * sizeof(float);
	int n = s->H * s->W;
	if (smem_bytes > LAUNCH_SHARED_UNTOLD || points > INT_MAX)
		die("cuda: %d maps of %dx%d are more than a GPU takes at once", s->P, s->W, s->H);
	struct heatmap_args a;
	memset(&a, 0, sizeof a);
	a.z = z, a.target = target, a.weight = weight, a.dz = dz, a.decoded = decoded, a.W = divisor(s->W), a.s = *s;
	a.loss = loss, a.counter = cuda_of(be)->counters, a.rows = B;
	a.point = target ? (double *)cuda_workspace(cuda_of(be), points * sizeof(double)) : NULL;
	launch(queue_of(be), dim3((unsigned)points), n <= 128 ? 32 : n <= 4096 ? 128 : 256, smem_bytes, heatmap_losses, a);
}

/* The maximum over points of their Gaussians is that of the nearest labelled point. */
static __global__ void draw_gaussians(
	float *t, const float *points, const float *prior, struct gaussians s, struct divisor size, struct divisor row, size_t n)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	int b = fast_div(size, (int)i), at = (int)i - b * (int)size.d, y = fast_div(row, at), x = at - y * s.W, masked = 0;
	const float *v = points + (size_t)b * (size_t)s.P * 2;
	double nearest = INFINITY;
	for (int p = 0; p < s.P; p++) {
		const float *expected = prior + 3 * p;
		float px = v[2 * p], py = v[2 * p + 1];
		int labelled = px == px && py == py;
		double dx = x - (double)(labelled ? px : expected[0]), dy = y - (double)(labelled ? py : expected[1]),
		       d = dx * dx + dy * dy;
		if (labelled)
			nearest = d < nearest ? d : nearest;
		else
			masked |= d < (double)s.reach * (double)s.reach * (double)expected[2] * (double)expected[2];
	}
	double value = exp(-nearest / (2 * (double)s.sigma * (double)s.sigma));
	t[i] = (float)(masked && value <= 0.5 ? (double)NAN : value);
}

void cuda_draw_gaussians(const struct backend *be, const struct gaussians *s, real *t, const real *points, const real *prior, int B)
{
	size_t n = (size_t)B * (size_t)s->H * (size_t)s->W;
	if ((double)B * s->H * s->W > INT_MAX)
		die("cuda: %d maps of %dx%d are too many in one batch", B, s->W, s->H);
	launch_flat(queue_of(be), n, draw_gaussians, t, points, prior, *s, divisor(s->H * s->W), divisor(s->W), n);
}
