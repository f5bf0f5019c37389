/* Optimizer steps: many small arrays in one launch. */
#include "kernels/cuda/batched_launch.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/optimizer.h"

struct moving { /* one array; four weights a thread, at once where all begin at multiples of 16 bytes */
	float *w, *m, *v;
	const float *g;
	size_t n;
	float decay;
	int four;
	size_t size() const
	{
		return (n + 3) / 4;
	}
	int meets(const struct moving &other) const
	{
		const float *mine[] = {w, m, v, g}, *written[] = {other.w, other.m, other.v};
		for (const float *a : mine)
			for (const float *b : written)
				if (!batched_launch_apart(a, n, b, other.n))
					return 1;
		return !batched_launch_apart(w, n, other.g, other.n) || !batched_launch_apart(m, n, other.g, other.n) ||
		       !batched_launch_apart(v, n, other.g, other.n);
	}
};

struct moved_by {
	struct optimizer_step opt; /* but its decay */
	float fix1, fix2;
};

static __global__ void update(struct batched_launch<struct moved_by, struct moving, 20> p)
{
	size_t i;
	const struct moving &a = batched_launch_find(p, &i);
	struct optimizer_step opt = p.head.opt;
	opt.weight_decay = a.decay, i *= 4;
	if (a.four && i + 4 <= a.n) {
		elementwise_update_four(a.w + i, *(const float4 *)(const void *)(a.g + i), a.m ? a.m + i : NULL, a.v ? a.v + i : NULL, opt,
			p.head.fix1, p.head.fix2);
		return;
	}
	for (size_t k = i; k < i + 4 && k < a.n; k++)
		a.w[k] = elementwise_update(a.w[k], a.g[k], a.m ? a.m + k : NULL, a.v ? a.v + k : NULL, opt, p.head.fix1, p.head.fix2);
}

void cuda_optimizer_step(const struct backend *be, real *w, const real *g, real *m, real *v, size_t n, const struct optimizer_step *opt)
{
	struct moved_by by = {*opt, 0, 0};
	struct moving one = {w, m, v, g, n, opt->weight_decay, cuda_by_four(w, g, m, v)};
	by.opt.weight_decay = 0;
	optimizer_bias_correction(opt, &by.fix1, &by.fix2);
	batched_launch_add(queue_of(be), "update", update, by, one);
}
