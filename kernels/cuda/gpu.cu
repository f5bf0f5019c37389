/* gpu.h with CUDA: one stream for launches and CUDA graphs, streams and pinned staging buffers for asynchronous copies, GEMMs by cuBLAS
 * where it is found. Tests run this file on the host too, by host_stream.cc. */
#include <stdio.h>
#include <stdlib.h>

#include "kernels/cuda/gpu.h"
#include "kernels/cuda/gpu_open.h"
#include "kernels/backend.h"

extern "C" {
#include "lib/base/err.h"
}

/* OVERLAP_BYTES: asynchronous downloads of at least so many bytes overlap with kernels */
enum { STAGING = 8 << 20, OVERLAP_BYTES = 1 << 18 };

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
	struct cublas cublas;
} state;

struct gpu gpu_open(int reverse, int index)
{
	(void)reverse;
	state.gpu = gpu_select(index);
	gpu_check(cudaStreamCreateWithFlags(&state.stream, cudaStreamNonBlocking), "stream");
	gpu_check(cudaStreamCreateWithFlags(&state.capture_stream, cudaStreamNonBlocking), "stream");
	gpu_check(cudaStreamCreateWithFlags(&state.upload_stream, cudaStreamNonBlocking), "stream");
	gpu_check(cudaStreamCreateWithFlags(&state.download_stream, cudaStreamNonBlocking), "stream");
	gpu_check(cudaMallocHost((void **)&state.small_uploads, STAGING), "pinned memory");
	state.cublas = cublas_open(state.capture_stream);
	state.gpu.cublas = state.cublas.library != NULL;
	return state.gpu;
}

static void staging_free(struct staging *b)
{
	if (b->done)
		cudaFreeHost(b->p), cudaFree(b->device), cudaEventDestroy(b->done), cudaEventDestroy(b->computed);
}

void gpu_close(void)
{
	gpu_check(cudaDeviceSynchronize(), "wait");
	cublas_close(&state.cublas);
	cudaFreeHost(state.small_uploads);
	for (int i = 0; i < UPLOADS; i++)
		staging_free(&state.upload[i]);
	for (int i = 0; i < BACKEND_DOWNLOADS; i++)
		staging_free(&state.download[i]);
	cudaStreamDestroy(state.stream), cudaStreamDestroy(state.capture_stream), cudaStreamDestroy(state.upload_stream),
		cudaStreamDestroy(state.download_stream);
	memset(&state, 0, sizeof state);
}

void *gpu_stream(void)
{
	return state.stream;
}

void *gpu_alloc(size_t bytes)
{
	void *p = NULL;
	cudaError_t e = cudaMalloc(&p, bytes);
	if (e == cudaErrorMemoryAllocation) {
		cudaGetLastError();
		return NULL;
	}
	gpu_check(e, "memory");
	return p;
}

void gpu_free(void *device)
{
	if (!device)
		return;
	gpu_check(cudaStreamSynchronize(state.stream), "wait");
	gpu_check(cudaFree(device), "memory");
}

void gpu_memory_info(size_t *free, size_t *total)
{
	gpu_check(cudaMemGetInfo(free, total), "memory");
}

/* Small uploads are copied into a staging buffer, so that the host does not wait; large ones wait. */
void gpu_upload(void *device, const void *host, size_t bytes)
{
	if (bytes > STAGING / 4) {
		gpu_check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, state.stream), "copy to the GPU");
		gpu_check(cudaStreamSynchronize(state.stream), "wait");
		state.small_used = 0;
		return;
	}
	if (state.small_used + bytes > STAGING) {
		gpu_check(cudaStreamSynchronize(state.stream), "wait");
		state.small_used = 0;
	}
	memcpy(state.small_uploads + state.small_used, host, bytes);
	gpu_check(cudaMemcpyAsync(device, state.small_uploads + state.small_used, bytes, cudaMemcpyHostToDevice, state.stream),
		"copy to the GPU");
	state.small_used = (state.small_used + bytes + 255) / 256 * 256;
}

void gpu_download(void *host, const void *device, size_t bytes)
{
	gpu_check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, state.stream), "copy from the GPU");
	gpu_check(cudaStreamSynchronize(state.stream), "wait");
	state.small_used = 0;
}

static void staging_reserve(struct staging *b, size_t bytes, int device)
{
	if (!b->done) {
		gpu_check(cudaEventCreateWithFlags(&b->done, cudaEventDisableTiming), "event");
		gpu_check(cudaEventCreateWithFlags(&b->computed, cudaEventDisableTiming), "event");
	}
	if (b->size < bytes) {
		if (b->p)
			gpu_check(cudaFreeHost(b->p), "pinned memory");
		gpu_free(b->device);
		b->device = NULL;
		gpu_check(cudaMallocHost((void **)&b->p, bytes), "pinned memory");
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
		gpu_check(cudaEventSynchronize(b->done), "wait");
	staging_reserve(b, bytes, 0);
	memcpy(b->p, host, bytes);
	gpu_check(cudaMemcpyAsync(device, b->p, bytes, cudaMemcpyHostToDevice, state.upload_stream), "copy to the GPU");
	gpu_check(cudaEventRecord(b->done, state.upload_stream), "event");
	gpu_check(cudaStreamWaitEvent(state.stream, b->done, 0), "event");
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
		gpu_check(cudaMemcpyAsync(b->p, device, bytes, cudaMemcpyDeviceToHost, state.stream), "copy from the GPU");
		gpu_check(cudaEventRecord(b->done, state.stream), "event");
		return ticket;
	}
	gpu_check(cudaMemcpyAsync(b->device, device, bytes, cudaMemcpyDeviceToDevice, state.stream), "copy on the GPU");
	gpu_check(cudaEventRecord(b->computed, state.stream), "event");
	gpu_check(cudaStreamWaitEvent(state.download_stream, b->computed, 0), "event");
	gpu_check(cudaMemcpyAsync(b->p, b->device, bytes, cudaMemcpyDeviceToHost, state.download_stream), "copy from the GPU");
	gpu_check(cudaEventRecord(b->done, state.download_stream), "event");
	return ticket;
}

void gpu_wait(int ticket)
{
	struct staging *b = &state.download[ticket];
	gpu_check(cudaEventSynchronize(b->done), "wait");
	memcpy(b->host, b->p, b->bytes);
	b->busy = 0;
}

void gpu_memset(void *device, int byte, size_t bytes)
{
	gpu_check(cudaMemsetAsync(device, byte, bytes, state.stream), "fill");
	gpu_check(cudaStreamSynchronize(state.stream), "wait"); /* for gpu_upload_async, which has a stream of its own */
}

/* cuBLAS's matrices are column-major: a row-major c = a b is its c' = b' a'. In capture_stream, whose capture records it. */
static void cublas_gemm(const struct cublas_gemm *p)
{
	static const cublasComputeType_t compute[] = {CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_TF32, CUBLAS_COMPUTE_32F_FAST_16BF};
	const float one = 1, beta = p->add ? 1 : 0;
	cublasStatus_t s = state.cublas.gemm(state.cublas.handle, p->bt ? CUBLAS_OP_T : CUBLAS_OP_N, p->at ? CUBLAS_OP_T : CUBLAS_OP_N, p->N, p->M, p->K,
		&one, p->b, CUDA_R_32F, p->bt ? p->K : p->N, p->a, CUDA_R_32F, p->at ? p->M : p->K, &beta, p->c, CUDA_R_32F, p->N,
		compute[p->precision], CUBLAS_GEMM_DEFAULT);
	if (s != CUBLAS_STATUS_SUCCESS)
		die("%s: cuBLAS: error %d in a product of %d x %d x %d", state.gpu.name, (int)s, p->M, p->N, p->K);
}

/* A cuBLAS GEMM as a graph, by stream capture: cuBLAS does not disclose its launches otherwise. */
static cudaGraph_t captured(const struct launch *c)
{
	cudaGraph_t g;
	gpu_check(cudaStreamBeginCapture(state.capture_stream, cudaStreamCaptureModeRelaxed), "record");
	cublas_gemm((const struct cublas_gemm *)(const void *)c->args);
	gpu_check(cudaStreamEndCapture(state.capture_stream, &g), "record");
	return g;
}

static void argument_pointers(void **to, const struct launch *c)
{
	for (int i = 0; i < c->n; i++)
		to[i] = (void *)(c->args + c->offset[i]);
}

/* CUDA wants to be told of kernels with more than LAUNCH_SHARED_UNTOLD bytes of shared memory, before their first launch. */
static void allow_shared(const struct launch *c)
{
	if (c->shared > LAUNCH_SHARED_UNTOLD)
		gpu_check(cudaFuncSetAttribute(c->kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)c->shared), c->name);
}

void gpu_run(const struct launch *c)
{
	void *args[LAUNCH_ARGS];
	allow_shared(c);
	argument_pointers(args, c);
	gpu_check(cudaLaunchKernel(c->kernel, c->grid, c->block, args, c->shared, state.stream), c->name);
}

struct graph {
	cudaGraph_t graph;
	cudaGraphExec_t exec;
	cudaGraphNode_t *node;
	const struct launch *launch; /* where each is waited for: its only one */
};

/* Ends the program where launch c, waited for, failed: with what it was. */
static void check_launch(cudaError_t e, const struct launch *c)
{
	char text[600];
	if (e != cudaSuccess)
		die("%s: %s: %s", state.gpu.name, launch_text(text, sizeof text, c), cudaGetErrorString(e));
}

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
	gpu_check(cudaGraphCreate(&g->graph, 0), "graph");
	for (int i = 0; i < n; i++) {
		const cudaGraphNode_t *after = i ? &g->node[i - 1] : NULL;
		if (c[i].kernel) {
			void *args[LAUNCH_ARGS];
			cudaKernelNodeParams p = params_of(&c[i], args);
			allow_shared(&c[i]);
			gpu_check(cudaGraphAddKernelNode(&g->node[i], g->graph, after, (size_t) !!i, &p), c[i].name);
		} else {
			cudaGraph_t child = captured(&c[i]);
			gpu_check(cudaGraphAddChildGraphNode(&g->node[i], g->graph, after, (size_t) !!i, child), "graph");
			gpu_check(cudaGraphDestroy(child), "graph");
		}
	}
	gpu_check(cudaGraphInstantiateWithFlags(&g->exec, g->graph, 0), "graph");
	g->launch = c;
	return g;
}

void gpu_graph_set(struct graph *g, int i, const struct launch *c)
{
	void *args[LAUNCH_ARGS];
	cudaKernelNodeParams p = params_of(c, args);
	gpu_check(cudaGraphExecKernelNodeSetParams(g->exec, g->node[i], &p), c->name);
}

void gpu_graph_run(struct graph *g)
{
	gpu_check(cudaGraphLaunch(g->exec, state.stream), "graph");
	if (gpu_waits_each())
		check_launch(cudaStreamSynchronize(state.stream), g->launch);
}

void gpu_graph_free(struct graph *g)
{
	gpu_check(cudaStreamSynchronize(state.stream), "wait");
	gpu_check(cudaGraphExecDestroy(g->exec), "graph");
	gpu_check(cudaGraphDestroy(g->graph), "graph");
	free(g->node), free(g);
}
