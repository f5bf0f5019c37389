/* Maps of points: as distributions over places, a block a map, and as pixels drawn. */
#include <limits.h>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/elementwise.h"

extern "C" {
#include "lib/base/err.h"
}

enum { ROOMS = 8 }; /* for the sums of a block, 32 numbers each */

struct maps { /* what is asked of all maps */
	const float *z, *target, *weight;
	float *dz, *place;
	double *point; /* each one's loss */
	struct divisor W;
	struct heatmap_loss s;
};

struct spread { /* a map as a distribution: the largest value, the sum of exp(z - top), the expected place */
	float top;
	double sum, mean[2];
};

/* Second moments are taken about the map's middle: doubles have room for what cancels. */
static __device__ struct spread distribute(const struct maps &a, const float *z, float *place, double *rooms)
{
	int W = a.s.W, n = a.s.H * W;
	double sum = 0, x1 = 0, y1 = 0, square = 0, cx = 0.5 * (W - 1), cy = 0.5 * (a.s.H - 1);
	struct spread m;
	m.top = -INFINITY;
	for (int i = (int)threadIdx.x; i < n; i += (int)blockDim.x)
		m.top = z[i] > m.top ? z[i] : m.top;
	m.top = block_max(m.top, (float *)(void *)rooms);
	for (int i = (int)threadIdx.x; i < n; i += (int)blockDim.x) {
		int line = fast_div(a.W, i);
		double e = (double)expf(z[i] - m.top), x = i - line * W - cx, y = line - cy;
		sum += e, x1 += e * x, y1 += e * y, square += e * (x * x + y * y);
	}
	sum = block_sum(sum, rooms + 32), x1 = block_sum(x1, rooms + 64) / sum, y1 = block_sum(y1, rooms + 96) / sum;
	square = block_sum(square, rooms + 128) / sum - x1 * x1 - y1 * y1;
	m.sum = sum, m.mean[0] = x1 + cx, m.mean[1] = y1 + cy;
	if (place && !threadIdx.x) {
		place[0] = (float)m.mean[0], place[1] = (float)m.mean[1];
		place[2] = (float)(square < 0 ? 0 : square), place[3] = (float)(1 / sum);
	}
	return m;
}

/* Of n places the share of a Gaussian about t. */
static __device__ void bump(float *share, int n, double t, double sigma, double *room)
{
	double sum = 0, factor = -1 / (2 * sigma * sigma);
	for (int i = (int)threadIdx.x; i < n; i += (int)blockDim.x)
		sum += exp((i - t) * (i - t) * factor);
	sum = block_sum(sum, room);
	for (int i = (int)threadIdx.x; i < n; i += (int)blockDim.x)
		share[i] = (float)(exp((i - t) * (i - t) * factor) / sum);
}

static __device__ int inside(double t, int n)
{
	return t >= -0.5 && t <= n - 0.5;
}

/* One point's loss, to the block's first thread; dz where it is wanted. All threads go one way. */
static __device__ double point_loss(
	const struct maps &a, const struct spread &m, float *dz, const float *z, const float *t, const float *w, double *rooms)
{
	const struct heatmap_loss &s = a.s;
	float *share[2] = {(float *)(void *)(rooms + 32 * ROOMS), (float *)(void *)(rooms + 32 * ROOMS) + s.W};
	double loss = 0, slope[2] = {0, 0}, weight[2] = {w ? (double)w[0] : 1, w ? (double)w[1] : 1}, entropy = 0, cross = 0;
	int n[2] = {s.W, s.H}, known[2] = {t[0] == t[0], t[1] == t[1]}, out = 0;
	for (int i = 0; i < 2; i++)
		out |= known[i] && !inside((double)t[i], n[i]);
	for (int i = 0; i < 2; i++)
		if (known[i] && !out) {
			loss += weight[i] * point_loss(&s.point, m.mean[i] - (double)t[i], &slope[i]);
			slope[i] *= weight[i];
		}
	int bumps = known[0] && known[1] && !out && s.entropy > 0;
	if (bumps) {
		entropy = (double)s.entropy * fmin(weight[0], weight[1]);
		for (int i = 0; i < 2; i++)
			bump(share[i], n[i], (double)t[i], (double)s.sigma, rooms + 160 + 32 * i);
		__syncthreads();
	}
	float log_sum = (float)log(m.sum), inv = (float)(1 / m.sum), mul = s.point.mul, mix = entropy > 0 ? (float)entropy : 0;
	/* a mean in two floats: a sharp map's is so near its place that one would leave little of the difference */
	float sx = (float)slope[0], sy = (float)slope[1], mx = (float)m.mean[0], my = (float)m.mean[1];
	float rx = (float)(m.mean[0] - (double)mx), ry = (float)(m.mean[1] - (double)my);
	for (int i = (int)threadIdx.x; (bumps || dz) && i < s.H * s.W; i += (int)blockDim.x) {
		int y = fast_div(a.W, i), x = i - y * s.W;
		float q = bumps ? share[0][x] * share[1][y] : 0, below = m.top - z[i], p = expf(-below) * inv;
		if (dz)
			dz[i] = (p * (sx * ((float)x - mx - rx) + sy * ((float)y - my - ry)) + mix * (p - q)) * mul;
		if (bumps)
			cross += (double)(q * (log_sum + below));
	}
	return bumps ? loss + entropy * block_sum(cross, rooms + 224) : loss;
}

/* A place has the same bits whether losses are asked for or not. */
static __global__ void heat(struct maps a)
{
	SHARED(double, rooms); /* ROOMS of 32, then the shares of W and H */
	size_t i = blockIdx.x, n = (size_t)a.s.H * (size_t)a.s.W;
	const float *z = a.z + i * n;
	struct spread m = distribute(a, z, a.place ? a.place + i * HEATMAP_PLACE : NULL, rooms);
	if (!a.target)
		return;
	double loss = point_loss(a, m, a.dz ? a.dz + i * n : NULL, z, a.target + 2 * i, a.weight ? a.weight + 2 * i : NULL, rooms);
	if (!threadIdx.x)
		a.point[i] = loss;
}

static __global__ void sum_points(double *loss, const double *point, int P, size_t B)
{
	size_t b = launch_index();
	double sum = 0;
	if (b >= B)
		return;
	for (int p = 0; p < P; p++)
		sum += point[b * (size_t)P + (size_t)p];
	loss[b] = sum;
}

void cuda_heatmap_loss(const struct backend *be, const struct heatmap_loss *s, double *loss, real *dz, real *place, const real *z, const real *target,
	const real *weight, int B)
{
	size_t points = (size_t)B * (size_t)s->P, room = 32 * ROOMS * sizeof(double) + ((size_t)s->W + (size_t)s->H) * sizeof(float);
	int n = s->H * s->W;
	if (room > LAUNCH_SHARED || points > INT_MAX)
		die("cuda: %d maps of %dx%d are more than a GPU takes at once", s->P, s->W, s->H);
	struct maps a;
	memset(&a, 0, sizeof a);
	a.z = z, a.target = target, a.weight = weight, a.dz = dz, a.place = place, a.W = divisor(s->W), a.s = *s;
	a.point = target ? (double *)cuda_work(cuda_of(be), points * sizeof(double)) : NULL;
	launch(queue_of(be), dim3((unsigned)points), n <= 128 ? 32 : n <= 4096 ? 128 : 256, room, heat, a);
	if (target)
		launch_flat(queue_of(be), B, sum_points, loss, a.point, s->P, (size_t)B);
}

/* The nearest of the points that are known has the largest bump. */
static __global__ void splat(
	float *t, const float *points, const float *prior, struct gaussians s, struct divisor size, struct divisor line, size_t n)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	int b = fast_div(size, (int)i), at = (int)i - b * (int)size.d, y = fast_div(line, at), x = at - y * s.W, hidden = 0;
	const float *v = points + (size_t)b * (size_t)s.P * 2;
	double nearest = INFINITY;
	for (int p = 0; p < s.P; p++) {
		const float *usual = prior + 3 * p;
		float px = v[2 * p], py = v[2 * p + 1];
		int known = px == px && py == py;
		double dx = x - (double)(known ? px : usual[0]), dy = y - (double)(known ? py : usual[1]), d = dx * dx + dy * dy;
		if (known)
			nearest = d < nearest ? d : nearest;
		else
			hidden |= d < (double)s.reach * (double)s.reach * (double)usual[2] * (double)usual[2];
	}
	double most = exp(-nearest / (2 * (double)s.sigma * (double)s.sigma));
	t[i] = (float)(hidden && most <= 0.5 ? (double)NAN : most);
}

void cuda_draw_gaussians(const struct backend *be, const struct gaussians *s, real *t, const real *points, const real *prior, int B)
{
	size_t n = (size_t)B * (size_t)s->H * (size_t)s->W;
	if ((double)B * s->H * s->W > INT_MAX)
		die("cuda: %d maps of %dx%d are too many in one batch", B, s->W, s->H);
	launch_flat(queue_of(be), n, splat, t, points, prior, *s, divisor(s->H * s->W), divisor(s->W), n);
}
