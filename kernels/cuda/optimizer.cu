/* Averages of weights, and optimizer steps, as batched launches (batched_launch.h): up to 20 arrays, of several layers, in one launch. */
#include "kernels/cuda/batched_launch.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/optimizer.h"

struct optimizer_item { /* one array of n weights; a thread four of them; vec4: all arrays begin at multiples of 16 bytes */
	float *w, *m, *v;
	const float *g;
	size_t n;
	float weight_decay;
	int vec4;
	size_t size() const
	{
		return (n + 3) / 4;
	}
	int overlaps(const struct optimizer_item &other) const
	{
		const float *own[] = {w, m, v, g}, *written[] = {other.w, other.m, other.v};
		for (const float *a : own)
			for (const float *b : written)
				if (!batched_launch_disjoint(a, n, b, other.n))
					return 1;
		return !batched_launch_disjoint(w, n, other.g, other.n) || !batched_launch_disjoint(m, n, other.g, other.n) ||
		       !batched_launch_disjoint(v, n, other.g, other.n);
	}
};

struct optimizer_common {
	struct optimizer_step opt; /* its weight_decay is 0: that is each item's own */
	float correction1, correction2;
};

static __global__ void optimizer_step(struct batched_launch<struct optimizer_common, struct optimizer_item, 20> p)
{
	size_t i;
	const struct optimizer_item &a = batched_launch_find(p, &i);
	struct optimizer_step opt = p.common.opt;
	opt.weight_decay = a.weight_decay, i *= 4;
	if (a.vec4 && i + 4 <= a.n) {
		elementwise_optimizer_step_four(a.w + i, *(const float4 *)(const void *)(a.g + i), a.m ? a.m + i : NULL, a.v ? a.v + i : NULL, opt,
			p.common.correction1, p.common.correction2);
		return;
	}
	for (size_t k = i; k < i + 4 && k < a.n; k++)
		a.w[k] = elementwise_optimizer_step(a.w[k], a.g[k], a.m ? a.m + k : NULL, a.v ? a.v + k : NULL, opt, p.common.correction1, p.common.correction2);
}

void cuda_optimizer_step(const struct backend *be, real *w, const real *g, real *m, real *v, size_t n, const struct optimizer_step *opt)
{
	struct optimizer_common common = {*opt, 0, 0};
	struct optimizer_item item = {w, m, v, g, n, opt->weight_decay, cuda_float4_aligned(w, g, m, v)};
	common.opt.weight_decay = 0;
	optimizer_bias_correction(opt, &common.correction1, &common.correction2);
	batched_launch_add(queue_of(be), "optimizer_step", optimizer_step, common, item);
}

/* Four values a thread, as float4s where vec4. */
static __global__ void lerp_values(float *y, const float *x, float weight, size_t n, int vec4)
{
	size_t i = launch_index() * 4;
	if (vec4 && i + 4 <= n) {
		float4 a = *(const float4 *)(const void *)(y + i), b = *(const float4 *)(const void *)(x + i);
		*(float4 *)(void *)(y + i) = make_float4(a.x + weight * (b.x - a.x), a.y + weight * (b.y - a.y), a.z + weight * (b.z - a.z),
			a.w + weight * (b.w - a.w));
		return;
	}
	for (size_t k = i; k < i + 4 && k < n; k++)
		y[k] += weight * (x[k] - y[k]);
}

void cuda_lerp(const struct backend *be, real *y, const real *x, real weight, size_t n)
{
	int vec4 = cuda_float4_aligned(y, x, NULL, NULL);
	launch_flat(queue_of(be), (n + 3) / 4, lerp_values, y, x, weight, n, vec4);
}
