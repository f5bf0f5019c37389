/* What the cuda backend asks of a GPU, behind one door: gpu.cu answers it with CUDA, host.cc with the host, for tests. One GPU a
 * process; calls happen in order. Anything that fails ends the program, but for gpu_alloc. */
#ifndef GPU_H
#define GPU_H

#include <stdio.h>
#include <stdlib.h>

#include "kernels/cuda/launch.h"

/* A setting for tests of the environment: KEYPIPE_GPU_name, or, as it was called first, KEYPIPE_CARD_old; NULL where neither is set. */
static inline const char *gpu_setting(const char *name, const char *old)
{
	char text[64];
	snprintf(text, sizeof text, "KEYPIPE_GPU_%s", name);
	const char *value = getenv(text);
	snprintf(text, sizeof text, "KEYPIPE_CARD_%s", old);
	return value ? value : getenv(text);
}

struct gpu {
	char name[64];	  /* "NVIDIA H100 80GB HBM3" */
	int major, minor; /* of the compute capability */
	int multiprocessors;	  /* multiprocessors */
	int library;	  /* the library of products is there */
};

/* A product by the library: row-major c (M, N) = a b, + c where add; a is (M, K), or (K, M) where at; b is (K, N), or (N, K) where bt. */
struct product {
	float *c;
	const float *a, *b;
	int M, N, K, at, bt, add, precision, none; /* enum precision; 0, so that no byte is left over: products are compared */
};

/* reverse: threads of a block, and blocks, run from the last to the first (host only). Dies where there is no GPU. */
struct gpu gpu_open(int reverse);
void gpu_close(void);
/* NULL where there is no room: gpu_room tells. Not cleared. */
void *gpu_alloc(size_t bytes);
void gpu_free(void *device);
void gpu_room(size_t *free, size_t *total);
/* host may be used again when gpu_upload returns; gpu_download has waited for all that was asked before. */
void gpu_upload(void *device, const void *host, size_t bytes);
void gpu_download(void *host, const void *device, size_t bytes);
/* Without waiting, see struct backend. */
void gpu_upload_async(void *device, const void *host, size_t bytes);
int gpu_download_async(void *host, const void *device, size_t bytes);
void gpu_wait(int ticket);
void gpu_fill(void *device, int byte, size_t bytes);
void gpu_run(const struct launch *c); /* not of a product, which only a graph runs */

/* n calls in order, to be run again and again. */
struct graph;
struct graph *gpu_graph(const struct launch *c, int n);
/* Call i gets other arguments; kernel, grid and block stay. Not of a product. */
void gpu_graph_set(struct graph *g, int i, const struct launch *c);
void gpu_graph_run(struct graph *g);
void gpu_graph_free(struct graph *g);

#endif
