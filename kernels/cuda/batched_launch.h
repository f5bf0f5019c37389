/* Small work on many arrays in one launch: an operation that is asked for again right after itself joins the launch that is queued. P, a
 * piece, has size(), how many threads it wants, and meets(other), whether it touches what the other writes or the other way round; H is
 * what all have in common. The kernel takes the pieces alone: batched_launch_find says which is its block's. */
#ifndef CUDA_BATCHED_LAUNCH_H
#define CUDA_BATCHED_LAUNCH_H

#include "kernels/cuda/cuda.h"

template <class H, class P, int N> struct batched_launch {
	H head;
	int n;
	unsigned end[N]; /* blocks of this one and those before */
	P one[N];
};

/* The block's piece; *i becomes the thread's place in it. */
template <class H, class P, int N> static inline __device__ const P &batched_launch_find(const struct batched_launch<H, P, N> &p, size_t *i)
{
	int k = 0;
	while (k + 1 < p.n && blockIdx.x >= p.end[k])
		k++;
	*i = (size_t)(blockIdx.x - (k ? p.end[k - 1] : 0)) * LAUNCH_BLOCK + threadIdx.x;
	return p.one[k];
}

template <class H, class P, int N>
static void batched_launch_add(struct queue *q, const char *name, void (*kernel)(struct batched_launch<H, P, N>), const H &head, const P &one)
{
	struct batched_launch<H, P, N> p;
	struct launch *last = queue_last(q, (const void *)kernel);
	unsigned blocks = launch_blocks(one.size());
	if (!blocks)
		return;
	if (last)
		memcpy((void *)&p, last->args, sizeof p);
	int joins = last && p.n < N && !memcmp(&p.head, &head, sizeof head);
	for (int i = 0; joins && i < p.n; i++)
		joins = !one.meets(p.one[i]);
	if (!joins) {
		memset((void *)&p, 0, sizeof p); /* calls are compared */
		p.head = head;
	}
	p.end[p.n] = blocks + (p.n ? p.end[p.n - 1] : 0), p.one[p.n] = one, p.n++;
	if (!joins) {
		launch_add(q, name, 1, dim3(blocks), dim3(LAUNCH_BLOCK), 0, kernel, p);
		return;
	}
	memcpy(last->args, (void *)&p, sizeof p);
	last->grid.x = p.end[p.n - 1];
}

/* n values from a on and m from b on share none. */
static inline int batched_launch_apart(const void *a, size_t n, const void *b, size_t m)
{
	uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;
	return !a || !b || x + n * sizeof(float) <= y || y + m * sizeof(float) <= x;
}

#endif
