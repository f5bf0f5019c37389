/* The GPU by CUDA: one stream, graphs of launches, products by cuBLAS where it is found. */
#include <cublas_v2.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/cuda/gpu.h"
#include "kernels/backend.h"

extern "C" {
#include "lib/base/err.h"
}

enum { STAGE = 8 << 20, BLAS_ROOM = 32 << 20, BESIDE = 1 << 18 }; /* BESIDE: from so many bytes on a fetch goes beside what is computed */

struct bounce { /* pinned memory that a copy passes through, and when it has */
	unsigned char *p;
	size_t size, bytes;
	void *host;   /* where what is fetched goes */
	void *device; /* a large fetch's copy on the GPU, which nothing overwrites while it goes */
	cudaEvent_t done, computed;
	int busy;
};

enum { FEEDS = 2 };

static struct {
	struct gpu GPU;
	cudaStream_t stream, aside, feeding, fetching; /* aside: where products are recorded */
	struct bounce feed[FEEDS], fetch[BACKEND_DOWNLOADS];
	unsigned next_feed;
	unsigned char *stage; /* pinned: what was put waits here for its copy */
	size_t staged;
	void *blas_room;
	cublasHandle_t handle;
	cublasStatus_t (*gemm)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int, const void *, const void *,
		cudaDataType, int, const void *, cudaDataType, int, const void *, void *, cudaDataType, int, cublasComputeType_t,
		cublasGemmAlgo_t);
	cublasStatus_t (*set_stream)(cublasHandle_t, cudaStream_t);
	cublasStatus_t (*destroy)(cublasHandle_t);
} the;

static void *blas; /* the library: loaded once, however often a backend is opened */

static void check(cudaError_t e, const char *what)
{
	if (e != cudaSuccess)
		die("%s: %s: %s", the.GPU.name[0] ? the.GPU.name : "cuda", what, cudaGetErrorString(e));
}

static void *symbol(const char *name)
{
	void *p = dlsym(blas, name);
	if (!p)
		die("cuda: libcublas has no %s", name);
	return p;
}

/* Not linked, so that one binary runs where there is no GPU. */
static void open_library(void)
{
	static const char *const names[] = {"libcublas.so.13", "libcublas.so.12", "libcublas.so", "/usr/local/cuda/lib64/libcublas.so"};
	const char *wanted = getenv("KEYPIPE_CUBLAS"); /* a file; 0: own products only */
	if (wanted && !strcmp(wanted, "0"))
		return;
	if (wanted && !blas && !(blas = dlopen(wanted, RTLD_NOW | RTLD_LOCAL)))
		die("KEYPIPE_CUBLAS: %s", dlerror());
	for (size_t i = 0; !blas && i < sizeof names / sizeof *names; i++)
		blas = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!blas)
		return;
	cublasStatus_t (*create)(cublasHandle_t *), (*room)(cublasHandle_t, void *, size_t);
	*(void **)&create = symbol("cublasCreate_v2"), *(void **)&room = symbol("cublasSetWorkspace_v2");
	*(void **)&the.gemm = symbol("cublasGemmEx"), *(void **)&the.set_stream = symbol("cublasSetStream_v2");
	*(void **)&the.destroy = symbol("cublasDestroy_v2");
	if (create(&the.handle) != CUBLAS_STATUS_SUCCESS)
		die("%s: cuBLAS does not start", the.GPU.name);
	the.blas_room = gpu_alloc(BLAS_ROOM);
	/* room of its own and one stream: then its results have the same bits each time, and it may stand in graphs. A new stream drops the
	 * room, so it gets the stream first, once. */
	if (!the.blas_room || the.set_stream(the.handle, the.aside) != CUBLAS_STATUS_SUCCESS ||
		room(the.handle, the.blas_room, BLAS_ROOM) != CUBLAS_STATUS_SUCCESS)
		die("%s: cuBLAS does not start", the.GPU.name);
	the.GPU.library = 1;
}

struct gpu gpu_open(int reverse)
{
	int n = 0;
	cudaDeviceProp p;
	(void)reverse;
	cudaError_t e = cudaGetDeviceCount(&n);
	if (e != cudaSuccess || !n)
		die("--device cuda: no GPU that can be used: %s", e == cudaSuccess ? "none is there" : cudaGetErrorString(e));
	check(cudaSetDevice(0), "select");
	check(cudaGetDeviceProperties(&p, 0), "properties");
	snprintf(the.GPU.name, sizeof the.GPU.name, "%.60s", p.name);
	the.GPU.major = p.major, the.GPU.minor = p.minor, the.GPU.multiprocessors = p.multiProcessorCount;
	check(cudaStreamCreateWithFlags(&the.stream, cudaStreamNonBlocking), "stream");
	check(cudaStreamCreateWithFlags(&the.aside, cudaStreamNonBlocking), "stream");
	check(cudaStreamCreateWithFlags(&the.feeding, cudaStreamNonBlocking), "stream");
	check(cudaStreamCreateWithFlags(&the.fetching, cudaStreamNonBlocking), "stream");
	check(cudaMallocHost((void **)&the.stage, STAGE), "pinned memory");
	open_library();
	return the.GPU;
}

static void bounce_free(struct bounce *b)
{
	if (b->done)
		cudaFreeHost(b->p), cudaFree(b->device), cudaEventDestroy(b->done), cudaEventDestroy(b->computed);
}

void gpu_close(void)
{
	check(cudaDeviceSynchronize(), "wait");
	if (the.handle)
		the.destroy(the.handle);
	gpu_free(the.blas_room);
	cudaFreeHost(the.stage);
	for (int i = 0; i < FEEDS; i++)
		bounce_free(&the.feed[i]);
	for (int i = 0; i < BACKEND_DOWNLOADS; i++)
		bounce_free(&the.fetch[i]);
	cudaStreamDestroy(the.stream), cudaStreamDestroy(the.aside), cudaStreamDestroy(the.feeding), cudaStreamDestroy(the.fetching);
	memset(&the, 0, sizeof the);
}

void *gpu_alloc(size_t bytes)
{
	void *p = NULL;
	cudaError_t e = cudaMalloc(&p, bytes);
	if (e == cudaErrorMemoryAllocation) {
		cudaGetLastError();
		return NULL;
	}
	check(e, "memory");
	return p;
}

void gpu_free(void *device)
{
	if (!device)
		return;
	check(cudaStreamSynchronize(the.stream), "wait");
	check(cudaFree(device), "memory");
}

void gpu_room(size_t *free, size_t *total)
{
	check(cudaMemGetInfo(free, total), "memory");
}

/* Small things go by way of the stage, so that nobody waits for them; large ones wait. */
void gpu_upload(void *device, const void *host, size_t bytes)
{
	if (bytes > STAGE / 4) {
		check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, the.stream), "copy to the GPU");
		check(cudaStreamSynchronize(the.stream), "wait");
		the.staged = 0;
		return;
	}
	if (the.staged + bytes > STAGE) {
		check(cudaStreamSynchronize(the.stream), "wait");
		the.staged = 0;
	}
	memcpy(the.stage + the.staged, host, bytes);
	check(cudaMemcpyAsync(device, the.stage + the.staged, bytes, cudaMemcpyHostToDevice, the.stream), "copy to the GPU");
	the.staged = (the.staged + bytes + 255) / 256 * 256;
}

void gpu_download(void *host, const void *device, size_t bytes)
{
	check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, the.stream), "copy from the GPU");
	check(cudaStreamSynchronize(the.stream), "wait");
	the.staged = 0;
}

static void bounce_room(struct bounce *b, size_t bytes, int device)
{
	if (!b->done) {
		check(cudaEventCreateWithFlags(&b->done, cudaEventDisableTiming), "event");
		check(cudaEventCreateWithFlags(&b->computed, cudaEventDisableTiming), "event");
	}
	if (b->size < bytes) {
		if (b->p)
			check(cudaFreeHost(b->p), "pinned memory");
		gpu_free(b->device);
		b->device = NULL;
		check(cudaMallocHost((void **)&b->p, bytes), "pinned memory");
		b->size = bytes;
	}
	if (device && !b->device)
		b->device = gpu_alloc(b->size);
}

/* On a stream of its own, beside what the GPU computes; what is asked from now on waits for it. */
void gpu_upload_async(void *device, const void *host, size_t bytes)
{
	struct bounce *b = &the.feed[the.next_feed++ % FEEDS];
	if (b->busy)
		check(cudaEventSynchronize(b->done), "wait");
	bounce_room(b, bytes, 0);
	memcpy(b->p, host, bytes);
	check(cudaMemcpyAsync(device, b->p, bytes, cudaMemcpyHostToDevice, the.feeding), "copy to the GPU");
	check(cudaEventRecord(b->done, the.feeding), "event");
	check(cudaStreamWaitEvent(the.stream, b->done, 0), "event");
	b->busy = 1;
}

int gpu_download_async(void *host, const void *device, size_t bytes)
{
	int ticket = 0;
	while (ticket < BACKEND_DOWNLOADS && the.fetch[ticket].busy)
		ticket++;
	if (ticket == BACKEND_DOWNLOADS)
		die("%s: more than %d fetches at a time", the.GPU.name, (int)BACKEND_DOWNLOADS);
	struct bounce *b = &the.fetch[ticket];
	bounce_room(b, bytes, bytes >= BESIDE);
	b->host = host, b->bytes = bytes, b->busy = 1;
	if (bytes < BESIDE || !b->device) { /* small, or the GPU is full */
		check(cudaMemcpyAsync(b->p, device, bytes, cudaMemcpyDeviceToHost, the.stream), "copy from the GPU");
		check(cudaEventRecord(b->done, the.stream), "event");
		return ticket;
	}
	check(cudaMemcpyAsync(b->device, device, bytes, cudaMemcpyDeviceToDevice, the.stream), "copy on the GPU");
	check(cudaEventRecord(b->computed, the.stream), "event");
	check(cudaStreamWaitEvent(the.fetching, b->computed, 0), "event");
	check(cudaMemcpyAsync(b->p, b->device, bytes, cudaMemcpyDeviceToHost, the.fetching), "copy from the GPU");
	check(cudaEventRecord(b->done, the.fetching), "event");
	return ticket;
}

void gpu_wait(int ticket)
{
	struct bounce *b = &the.fetch[ticket];
	check(cudaEventSynchronize(b->done), "wait");
	memcpy(b->host, b->p, b->bytes);
	b->busy = 0;
}

void gpu_fill(void *device, int byte, size_t bytes)
{
	check(cudaMemsetAsync(device, byte, bytes, the.stream), "fill");
	check(cudaStreamSynchronize(the.stream), "wait"); /* gpu_upload_async does not stand in line */
}

/* The library's matrices are column-major: a row-major c = a b is its c' = b' a'. Into whatever the.aside is recording, or at work on. */
static void product(const struct product *p)
{
	static const cublasComputeType_t compute[] = {CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_TF32, CUBLAS_COMPUTE_32F_FAST_16BF};
	const float one = 1, beta = p->add ? 1 : 0;
	cublasStatus_t s = the.gemm(the.handle, p->bt ? CUBLAS_OP_T : CUBLAS_OP_N, p->at ? CUBLAS_OP_T : CUBLAS_OP_N, p->N, p->M, p->K,
		&one, p->b, CUDA_R_32F, p->bt ? p->K : p->N, p->a, CUDA_R_32F, p->at ? p->M : p->K, &beta, p->c, CUDA_R_32F, p->N,
		compute[p->precision], CUBLAS_GEMM_DEFAULT);
	if (s != CUBLAS_STATUS_SUCCESS)
		die("%s: cuBLAS: error %d in a product of %d x %d x %d", the.GPU.name, (int)s, p->M, p->N, p->K);
}

/* A product as a graph of its own: the library's launches can't be asked for otherwise. */
static cudaGraph_t recorded(const struct launch *c)
{
	cudaGraph_t g;
	check(cudaStreamBeginCapture(the.aside, cudaStreamCaptureModeRelaxed), "record");
	product((const struct product *)(const void *)c->args);
	check(cudaStreamEndCapture(the.aside, &g), "record");
	return g;
}

static void arguments(void **to, const struct launch *c)
{
	for (int i = 0; i < c->n; i++)
		to[i] = (void *)(c->args + c->at[i]);
}

void gpu_run(const struct launch *c)
{
	void *args[LAUNCH_ARGS];
	arguments(args, c);
	check(cudaLaunchKernel(c->kernel, c->grid, c->block, args, c->shared, the.stream), c->name);
}

struct graph {
	cudaGraph_t graph;
	cudaGraphExec_t exec;
	cudaGraphNode_t *node;
};

static cudaKernelNodeParams params_of(const struct launch *c, void **args)
{
	cudaKernelNodeParams p = {};
	arguments(args, c);
	p.func = (void *)c->kernel, p.gridDim = c->grid, p.blockDim = c->block, p.sharedMemBytes = c->shared, p.kernelParams = args;
	return p;
}

struct graph *gpu_graph(const struct launch *c, int n)
{
	struct graph *g = (struct graph *)xcalloc(1, sizeof *g);
	g->node = (cudaGraphNode_t *)xcalloc((size_t)n, sizeof *g->node);
	check(cudaGraphCreate(&g->graph, 0), "graph");
	for (int i = 0; i < n; i++) {
		const cudaGraphNode_t *after = i ? &g->node[i - 1] : NULL;
		if (c[i].kernel) {
			void *args[LAUNCH_ARGS];
			cudaKernelNodeParams p = params_of(&c[i], args);
			check(cudaGraphAddKernelNode(&g->node[i], g->graph, after, (size_t) !!i, &p), c[i].name);
		} else {
			cudaGraph_t part = recorded(&c[i]);
			check(cudaGraphAddChildGraphNode(&g->node[i], g->graph, after, (size_t) !!i, part), "graph");
			check(cudaGraphDestroy(part), "graph");
		}
	}
	check(cudaGraphInstantiateWithFlags(&g->exec, g->graph, 0), "graph");
	return g;
}

void gpu_graph_set(struct graph *g, int i, const struct launch *c)
{
	void *args[LAUNCH_ARGS];
	cudaKernelNodeParams p = params_of(c, args);
	check(cudaGraphExecKernelNodeSetParams(g->exec, g->node[i], &p), c->name);
}

void gpu_graph_run(struct graph *g)
{
	check(cudaGraphLaunch(g->exec, the.stream), "graph");
}

void gpu_graph_free(struct graph *g)
{
	check(cudaStreamSynchronize(the.stream), "wait");
	check(cudaGraphExecDestroy(g->exec), "graph");
	check(cudaGraphDestroy(g->graph), "graph");
	free(g->node), free(g);
}
