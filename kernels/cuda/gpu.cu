/* gpu.h with CUDA: one stream for launches and CUDA graphs, streams and pinned staging buffers for asynchronous copies, GEMMs by cuBLAS
 * where it is found. */
#include <cublas_v2.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/cuda/gpu.h"
#include "kernels/backend.h"

extern "C" {
#include "lib/base/err.h"
}

/* OVERLAP_BYTES: asynchronous downloads of at least so many bytes overlap with kernels */
enum { STAGING = 8 << 20, CUBLAS_WORKSPACE = 32 << 20, OVERLAP_BYTES = 1 << 18 };

struct staging { /* pinned staging buffer of one asynchronous copy, and its events */
	unsigned char *p;
	size_t size, bytes; /* allocated, used */
	void *host;	    /* destination of a download */
	void *device;	    /* a large download's copy on the GPU, so that later kernels may overwrite its source during the copy to p */
	cudaEvent_t done, computed;
	int busy;
};

enum { UPLOADS = 2 };

static struct {
	struct gpu gpu;
	cudaStream_t stream, capture_stream, upload_stream, download_stream; /* capture_stream: in which cuBLAS is captured */
	struct staging upload[UPLOADS], download[BACKEND_DOWNLOADS];
	unsigned next_upload;
	unsigned char *small_uploads; /* pinned staging buffer of gpu_upload; small_used bytes are of copies not yet waited for */
	size_t small_used;
	void *cublas_workspace;
	cublasHandle_t handle;
	cublasStatus_t (*gemm)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int, const void *, const void *,
		cudaDataType, int, const void *, cudaDataType, int, const void *, void *, cudaDataType, int, cublasComputeType_t,
		cublasGemmAlgo_t);
	cublasStatus_t (*set_stream)(cublasHandle_t, cudaStream_t);
	cublasStatus_t (*destroy)(cublasHandle_t);
} state;

static void *cublas_library; /* of dlopen: loaded once, however often a backend is opened */

static void check(cudaError_t e, const char *what)
{
	if (e != cudaSuccess)
		die("%s: %s: %s", state.gpu.name[0] ? state.gpu.name : "cuda", what, cudaGetErrorString(e));
}

static void *cublas_symbol(const char *name)
{
	void *p = dlsym(cublas_library, name);
	if (!p)
		die("cuda: libcublas has no %s", name);
	return p;
}

/* cuBLAS by dlopen, not linked, so that one binary runs where there is no GPU. */
static void open_cublas(void)
{
	static const char *const names[] = {"libcublas.so.13", "libcublas.so.12", "libcublas.so", "/usr/local/cuda/lib64/libcublas.so"};
	const char *wanted = getenv("KEYPIPE_CUBLAS"); /* a file; 0: own GEMMs only */
	if (wanted && !strcmp(wanted, "0"))
		return;
	if (wanted && !cublas_library && !(cublas_library = dlopen(wanted, RTLD_NOW | RTLD_LOCAL)))
		die("KEYPIPE_CUBLAS: %s", dlerror());
	for (size_t i = 0; !cublas_library && i < sizeof names / sizeof *names; i++)
		cublas_library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!cublas_library)
		return;
	cublasStatus_t (*create)(cublasHandle_t *), (*set_workspace)(cublasHandle_t, void *, size_t);
	*(void **)&create = cublas_symbol("cublasCreate_v2"), *(void **)&set_workspace = cublas_symbol("cublasSetWorkspace_v2");
	*(void **)&state.gemm = cublas_symbol("cublasGemmEx"), *(void **)&state.set_stream = cublas_symbol("cublasSetStream_v2");
	*(void **)&state.destroy = cublas_symbol("cublasDestroy_v2");
	if (create(&state.handle) != CUBLAS_STATUS_SUCCESS)
		die("%s: cuBLAS does not start", state.gpu.name);
	state.cublas_workspace = gpu_alloc(CUBLAS_WORKSPACE);
	/* Own workspace and one stream: so results are the same bits each time, and cuBLAS may be captured in graphs. cublasSetStream
	 * resets the workspace, so the stream is set first, once. */
	if (!state.cublas_workspace || state.set_stream(state.handle, state.capture_stream) != CUBLAS_STATUS_SUCCESS ||
		set_workspace(state.handle, state.cublas_workspace, CUBLAS_WORKSPACE) != CUBLAS_STATUS_SUCCESS)
		die("%s: cuBLAS does not start", state.gpu.name);
	state.gpu.cublas = 1;
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
	snprintf(state.gpu.name, sizeof state.gpu.name, "%.60s", p.name);
	state.gpu.major = p.major, state.gpu.minor = p.minor, state.gpu.multiprocessors = p.multiProcessorCount;
	check(cudaStreamCreateWithFlags(&state.stream, cudaStreamNonBlocking), "stream");
	check(cudaStreamCreateWithFlags(&state.capture_stream, cudaStreamNonBlocking), "stream");
	check(cudaStreamCreateWithFlags(&state.upload_stream, cudaStreamNonBlocking), "stream");
	check(cudaStreamCreateWithFlags(&state.download_stream, cudaStreamNonBlocking), "stream");
	check(cudaMallocHost((void **)&state.small_uploads, STAGING), "pinned memory");
	open_cublas();
	return state.gpu;
}

static void staging_free(struct staging *b)
{
	if (b->done)
		cudaFreeHost(b->p), cudaFree(b->device), cudaEventDestroy(b->done), cudaEventDestroy(b->computed);
}

void gpu_close(void)
{
	check(cudaDeviceSynchronize(), "wait");
	if (state.handle)
		state.destroy(state.handle);
	gpu_free(state.cublas_workspace);
	cudaFreeHost(state.small_uploads);
	for (int i = 0; i < UPLOADS; i++)
		staging_free(&state.upload[i]);
	for (int i = 0; i < BACKEND_DOWNLOADS; i++)
		staging_free(&state.download[i]);
	cudaStreamDestroy(state.stream), cudaStreamDestroy(state.capture_stream), cudaStreamDestroy(state.upload_stream),
		cudaStreamDestroy(state.download_stream);
	memset(&state, 0, sizeof state);
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
	check(cudaStreamSynchronize(state.stream), "wait");
	check(cudaFree(device), "memory");
}

void gpu_memory_info(size_t *free, size_t *total)
{
	check(cudaMemGetInfo(free, total), "memory");
}

/* Small uploads are copied into a staging buffer, so that the host does not wait; large ones wait. */
void gpu_upload(void *device, const void *host, size_t bytes)
{
	if (bytes > STAGING / 4) {
		check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, state.stream), "copy to the GPU");
		check(cudaStreamSynchronize(state.stream), "wait");
		state.small_used = 0;
		return;
	}
	if (state.small_used + bytes > STAGING) {
		check(cudaStreamSynchronize(state.stream), "wait");
		state.small_used = 0;
	}
	memcpy(state.small_uploads + state.small_used, host, bytes);
	check(cudaMemcpyAsync(device, state.small_uploads + state.small_used, bytes, cudaMemcpyHostToDevice, state.stream),
		"copy to the GPU");
	state.small_used = (state.small_used + bytes + 255) / 256 * 256;
}

void gpu_download(void *host, const void *device, size_t bytes)
{
	check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, state.stream), "copy from the GPU");
	check(cudaStreamSynchronize(state.stream), "wait");
	state.small_used = 0;
}

static void staging_reserve(struct staging *b, size_t bytes, int device)
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

/* On a stream of its own, overlapping with running kernels; the main stream waits for it before later launches. */
void gpu_upload_async(void *device, const void *host, size_t bytes)
{
	struct staging *b = &state.upload[state.next_upload++ % UPLOADS];
	if (b->busy)
		check(cudaEventSynchronize(b->done), "wait");
	staging_reserve(b, bytes, 0);
	memcpy(b->p, host, bytes);
	check(cudaMemcpyAsync(device, b->p, bytes, cudaMemcpyHostToDevice, state.upload_stream), "copy to the GPU");
	check(cudaEventRecord(b->done, state.upload_stream), "event");
	check(cudaStreamWaitEvent(state.stream, b->done, 0), "event");
	b->busy = 1;
}

int gpu_download_async(void *host, const void *device, size_t bytes)
{
	int ticket = 0;
	while (ticket < BACKEND_DOWNLOADS && state.download[ticket].busy)
		ticket++;
	if (ticket == BACKEND_DOWNLOADS)
		die("%s: more than %d downloads at a time", state.gpu.name, (int)BACKEND_DOWNLOADS);
	struct staging *b = &state.download[ticket];
	staging_reserve(b, bytes, bytes >= OVERLAP_BYTES);
	b->host = host, b->bytes = bytes, b->busy = 1;
	if (bytes < OVERLAP_BYTES || !b->device) { /* small, or the GPU is full */
		check(cudaMemcpyAsync(b->p, device, bytes, cudaMemcpyDeviceToHost, state.stream), "copy from the GPU");
		check(cudaEventRecord(b->done, state.stream), "event");
		return ticket;
	}
	check(cudaMemcpyAsync(b->device, device, bytes, cudaMemcpyDeviceToDevice, state.stream), "copy on the GPU");
	check(cudaEventRecord(b->computed, state.stream), "event");
	check(cudaStreamWaitEvent(state.download_stream, b->computed, 0), "event");
	check(cudaMemcpyAsync(b->p, b->device, bytes, cudaMemcpyDeviceToHost, state.download_stream), "copy from the GPU");
	check(cudaEventRecord(b->done, state.download_stream), "event");
	return ticket;
}

void gpu_wait(int ticket)
{
	struct staging *b = &state.download[ticket];
	check(cudaEventSynchronize(b->done), "wait");
	memcpy(b->host, b->p, b->bytes);
	b->busy = 0;
}

void gpu_memset(void *device, int byte, size_t bytes)
{
	check(cudaMemsetAsync(device, byte, bytes, state.stream), "fill");
	check(cudaStreamSynchronize(state.stream), "wait"); /* for gpu_upload_async, which has a stream of its own */
}

/* cuBLAS's matrices are column-major: a row-major c = a b is its c' = b' a'. In capture_stream, whose capture records it. */
static void cublas_gemm(const struct cublas_gemm *p)
{
	static const cublasComputeType_t compute[] = {CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_TF32, CUBLAS_COMPUTE_32F_FAST_16BF};
	const float one = 1, beta = p->add ? 1 : 0;
	cublasStatus_t s = state.gemm(state.handle, p->bt ? CUBLAS_OP_T : CUBLAS_OP_N, p->at ? CUBLAS_OP_T : CUBLAS_OP_N, p->N, p->M, p->K,
		&one, p->b, CUDA_R_32F, p->bt ? p->K : p->N, p->a, CUDA_R_32F, p->at ? p->M : p->K, &beta, p->c, CUDA_R_32F, p->N,
		compute[p->precision], CUBLAS_GEMM_DEFAULT);
	if (s != CUBLAS_STATUS_SUCCESS)
		die("%s: cuBLAS: error %d in a product of %d x %d x %d", state.gpu.name, (int)s, p->M, p->N, p->K);
}

/* A cuBLAS GEMM as a graph, by stream capture: cuBLAS does not disclose its launches otherwise. */
static cudaGraph_t captured(const struct launch *c)
{
	cudaGraph_t g;
	check(cudaStreamBeginCapture(state.capture_stream, cudaStreamCaptureModeRelaxed), "record");
	cublas_gemm((const struct cublas_gemm *)(const void *)c->args);
	check(cudaStreamEndCapture(state.capture_stream, &g), "record");
	return g;
}

static void argument_pointers(void **to, const struct launch *c)
{
	for (int i = 0; i < c->n; i++)
		to[i] = (void *)(c->args + c->offset[i]);
}

void gpu_run(const struct launch *c)
{
	void *args[LAUNCH_ARGS];
	argument_pointers(args, c);
	check(cudaLaunchKernel(c->kernel, c->grid, c->block, args, c->shared, state.stream), c->name);
}

struct graph {
	cudaGraph_t graph;
	cudaGraphExec_t exec;
	cudaGraphNode_t *node;
};

static cudaKernelNodeParams params_of(const struct launch *c, void **args)
{
	cudaKernelNodeParams p = {};
	argument_pointers(args, c);
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
			cudaGraph_t child = captured(&c[i]);
			check(cudaGraphAddChildGraphNode(&g->node[i], g->graph, after, (size_t) !!i, child), "graph");
			check(cudaGraphDestroy(child), "graph");
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
	check(cudaGraphLaunch(g->exec, state.stream), "graph");
}

void gpu_graph_free(struct graph *g)
{
	check(cudaStreamSynchronize(state.stream), "wait");
	check(cudaGraphExecDestroy(g->exec), "graph");
	check(cudaGraphDestroy(g->graph), "graph");
	free(g->node), free(g);
}
