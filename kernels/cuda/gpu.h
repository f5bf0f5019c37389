/* The interface between the cuda backend and the GPU: memory, copies, kernel launches, graphs. Implemented by gpu.cu with CUDA and by
 * host_gpu.cc on the host, for tests. One GPU a process; calls take effect in order. Any failure but gpu_alloc's ends the program. */
#ifndef GPU_H
#define GPU_H

#include "kernels/cuda/device.h"
#include "kernels/cuda/launch.h"

/* A GEMM by cuBLAS: row-major c (M, N) = a b, + c where add; a is (M, K), or (K, M) where at; b is (K, N), or (N, K) where bt. unused:
 * explicit padding, 0, as the bytes of queued GEMMs are compared. */
struct cublas_gemm {
	float *c;
	const float *a, *b;
	int M, N, K, at, bt, add, precision, unused; /* precision: enum precision */
};

/* reverse: threads of a block, and blocks, run from the last to the first (host only). index: which GPU, from 0; -1: KEYPIPE_GPU's, else
 * GPU 0; -N: KEYPIPE_GPU's, else N - 1 modulo their number. Ends the program where there is no GPU, or not this one. */
struct gpu gpu_open(int reverse, int index = -1);
void gpu_close(void);
void *gpu_stream(void); /* the stream that calls take effect in; on the host NULL: there it is at once */
/* Device memory, not cleared; NULL where there is too little left (gpu_memory_info: free and total bytes). */
void *gpu_alloc(size_t bytes);
void gpu_free(void *device);
void gpu_memory_info(size_t *free, size_t *total);
/* host may be reused when gpu_upload returns. gpu_download waits for the copy and all earlier calls. */
void gpu_upload(void *device, const void *host, size_t bytes);
void gpu_download(void *host, const void *device, size_t bytes);
/* Asynchronous copies, see struct backend. */
void gpu_upload_async(void *device, const void *host, size_t bytes);
int gpu_download_async(void *host, const void *device, size_t bytes);
void gpu_wait(int ticket);
void gpu_memset(void *device, int byte, size_t bytes);
void gpu_run(const struct launch *c); /* one kernel launch; a cuBLAS GEMM runs only in a graph */
/* Writes to `to`, and returns it, what a launch is: kernel, grid, block, shared memory, arguments (shapes, with pointers), or a GEMM. */
const char *launch_text(char *to, size_t size, const struct launch *c);

/* A CUDA graph: n launches in order, to be run repeatedly; c stays the caller's, and stays. */
struct graph;
struct graph *gpu_graph(const struct launch *c, int n);
/* Updates the arguments of launch i; kernel, grid and block stay. Not of a cuBLAS GEMM. */
void gpu_graph_set(struct graph *g, int i, const struct launch *c);
void gpu_graph_run(struct graph *g);
void gpu_graph_free(struct graph *g);

#endif
