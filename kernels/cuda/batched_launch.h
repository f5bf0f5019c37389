/* Batched launches: one elementwise kernel over many small arrays in one launch (like PyTorch's foreach optimizers). An operation that is
 * called again while its last launch is the last in the queue joins that launch. P, an item (the arguments for one array), has size(), its
 * number of threads, and overlaps(other), whether one of the two writes memory that the other reads or writes; H holds the arguments that
 * all items share. The kernel's only parameter is the struct batched_launch; batched_launch_find returns the block's item. */
#ifndef CUDA_BATCHED_LAUNCH_H
#define CUDA_BATCHED_LAUNCH_H

#include "kernels/cuda/cuda.h"

template <class H, class P, int N> struct batched_launch {
	H common;
	int n;
	unsigned end_block[N]; /* blocks of items 0 to i */
	P item[N];
};

/* The block's item; *i becomes the thread's index within it. */
template <class H, class P, int N> static inline __device__ const P &batched_launch_find(const struct batched_launch<H, P, N> &p, size_t *i)
{
	int k = 0;
	while (k + 1 < p.n && blockIdx.x >= p.end_block[k])
		k++;
	*i = (size_t)(blockIdx.x - (k ? p.end_block[k - 1] : 0)) * LAUNCH_BLOCK + threadIdx.x;
	return p.item[k];
}

template <class H, class P, int N>
static void batched_launch_add(
	struct queue *q, const char *name, void (*kernel)(struct batched_launch<H, P, N>), const H &common, const P &item)
{
	struct batched_launch<H, P, N> p;
	struct launch *last = queue_last(q, (const void *)kernel);
	unsigned blocks = launch_blocks(item.size());
	if (!blocks)
		return;
	if (last)
		memcpy((void *)&p, last->args, sizeof p);
	int joins = last && p.n < N && !memcmp(&p.common, &common, sizeof common);
	for (int i = 0; joins && i < p.n; i++)
		joins = !item.overlaps(p.item[i]);
	if (!joins) {
		memset((void *)&p, 0, sizeof p); /* padding too: the bytes of queued arguments are compared */
		p.common = common;
	}
	p.end_block[p.n] = blocks + (p.n ? p.end_block[p.n - 1] : 0), p.item[p.n] = item, p.n++;
	if (!joins) {
		launch_add(q, name, 1, dim3(blocks), dim3(LAUNCH_BLOCK), 0, kernel, p);
		return;
	}
	memcpy(last->args, (void *)&p, sizeof p);
	last->grid.x = p.end_block[p.n - 1];
}

/* Whether n floats from a on and m floats from b on do not overlap; so it is where one of the pointers is NULL. */
static inline int batched_launch_disjoint(const void *a, size_t n, const void *b, size_t m)
{
	uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;
	return !a || !b || x + n * sizeof(float) <= y || y + m * sizeof(float) <= x;
}

#endif
