/* Heat maps: softmax, soft-argmax and their loss; a row's maps (P, H, W) are a task. Target maps by the reference backend. */
#include <math.h>

#include "kernels/cpu/cpu.h"
#include "kernels/point_loss.h"
#include "kernels/ref/ref.h"

struct args {
	const struct backend *be;
	const struct heatmap_loss *s;
	double *loss;
	float *dz, *decoded;
	const float *z, *target, *weight;
	const struct gaussians *gaussians;
	float *to;
};

/* Mean and variance of cells 0 .. n - 1 with weights w, whose sum is given. */
static void moments(const float *w, int n, double sum, double *mean, double *variance)
{
	double first = 0, second = 0;
	for (int i = 0; i < n; i++)
		first += (double)w[i] * i;
	*mean = first / sum;
	for (int i = 0; i < n; i++)
		second += (double)w[i] * (i - *mean) * (i - *mean);
	*variance = second / sum;
}

/* A Gaussian about t over cells 0 .. n - 1, normalised to sum 1. */
static void gaussian_weights(float *weight, int n, double t, double sigma)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += (double)(weight[i] = (float)exp(-(i - t) * (i - t) / (2 * sigma * sigma)));
	for (int i = 0; i < n; i++)
		weight[i] = (float)((double)weight[i] / sum);
}

static int inside(double t, int n)
{
	return t >= -0.5 && t <= n - 0.5;
}

/* One point's map i: decoded and dz where not NULL; returns its loss, 0 without target. scratch: H W + 3 (H + W). */
static double point_map(const struct args *a, size_t i, float *scratch)
{
	const struct heatmap_loss *s = a->s;
	const struct simd *m = ((struct cpu *)a->be->ctx)->simd;
	int H = s->H, W = s->W, n[2] = {W, H};
	float *e = scratch, *colsum = e + H * W, *rowsum = colsum + W, *gx = rowsum + H, *gy = gx + W, *bx = gy + H, *by = bx + W;
	const float *z = a->z + i * (size_t)(H * W), *t = a->target ? a->target + 2 * i : NULL, *w = a->weight ? a->weight + 2 * i : NULL;
	float max = m->softmax(e, colsum, rowsum, z, H, W);
	double sum = 0, mean[2], variance[2], slope[2] = {0}, loss = 0, entropy = 0;
	for (int y = 0; y < H; y++)
		sum += (double)rowsum[y];
	moments(colsum, W, sum, &mean[0], &variance[0]), moments(rowsum, H, sum, &mean[1], &variance[1]);
	if (a->decoded) {
		float *to = a->decoded + i * HEATMAP_DECODED;
		to[0] = (float)mean[0], to[1] = (float)mean[1], to[2] = (float)variance[0], to[3] = (float)variance[1];
	}
	if (!t)
		return 0;
	double weight[2] = {w ? (double)w[0] : 1, w ? (double)w[1] : 1};
	int known[2] = {t[0] == t[0], t[1] == t[1]}, out = 0;
	for (int k = 0; k < 2; k++)
		out |= known[k] && !inside((double)t[k], n[k]);
	for (int k = 0; !out && k < 2; k++)
		if (known[k]) {
			loss += weight[k] * point_loss(&s->point, mean[k] - (double)t[k], &slope[k]);
			slope[k] *= weight[k];
		}
	if (!out && known[0] && known[1] && s->entropy > 0) {
		entropy = (double)s->entropy * fmin(weight[0], weight[1]);
		gaussian_weights(gx, W, (double)t[0], (double)s->sigma), gaussian_weights(gy, H, (double)t[1], (double)s->sigma);
		loss += entropy * (log(sum) + (double)max - m->weighted_sum(z, gx, gy, H, W));
	}
	if (a->dz) {
		double scale = (double)s->point.mul / sum;
		for (int x = 0; x < W; x++)
			bx[x] = (float)(scale * slope[0] * (x - mean[0])), gx[x] = entropy > 0 ? gx[x] : 0;
		for (int y = 0; y < H; y++) {
			by[y] = (float)(scale * (entropy + slope[1] * (y - mean[1])));
			gy[y] = entropy > 0 ? (float)((double)gy[y] * entropy * (double)s->point.mul) : 0;
		}
		m->softmax_backward(a->dz + i * (size_t)(H * W), e, bx, by, gx, gy, H, W);
	}
	return loss;
}

static void row_maps(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct heatmap_loss *s = a->s;
	float small[4096], *scratch = small;
	size_t scratch_size = (size_t)(s->H * s->W + 3 * (s->H + s->W));
	if (scratch_size > sizeof small / sizeof *small)
		scratch = cpu_alloc(a->be, scratch_size * sizeof *scratch);
	for (size_t b = from; b < to; b++) {
		double sum = 0;
		for (int p = 0; p < s->P; p++)
			sum += point_map(a, b * (size_t)s->P + (size_t)p, scratch);
		if (a->target)
			a->loss[b] = sum;
	}
	if (scratch != small)
		cpu_release(a->be, scratch);
}

void cpu_heatmap_loss(const struct backend *be, const struct heatmap_loss *s, double *loss, real *dz, real *decoded, const real *z,
	const real *target, const real *weight, int B)
{
	cpu_parallel_for(be->ctx, (size_t)B, 1, row_maps,
		&(struct args){.be = be, .s = s, .loss = loss, .dz = dz, .decoded = decoded, .z = z, .target = target, .weight = weight});
}

static void draw_gaussians(void *arg, size_t from, size_t to)
{
	const struct args *a = arg;
	const struct gaussians *s = a->gaussians;
	ref_draw_gaussians(
		a->be, s, a->to + from * (size_t)(s->H * s->W), a->target + from * (size_t)s->P * 2, a->weight, (int)(to - from));
}

void cpu_draw_gaussians(const struct backend *be, const struct gaussians *s, real *t, const real *points, const real *prior, int B)
{
	cpu_parallel_for(be->ctx, (size_t)B, 1, draw_gaussians,
		&(struct args){.be = be, .gaussians = s, .to = t, .target = points, .weight = prior});
}
