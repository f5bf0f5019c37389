/* CUDA's runtime on the host: stream capture, graphs, and cuBLAS with its loader. Rules are those of NVIDIA's CUDA Runtime API reference,
 * 13.0, graph management: arguments are copied when a node is made or set; a child is cloned; a launch takes the parameters of its time. */
#include <stdlib.h>
#include <string.h>

#include "kernels/backend.h"
#include "kernels/cuda/host_machine.h"
#include "kernels/cuda/host_memory.h"
#include "kernels/cuda/host_stream.h"

extern "C" {
#include "lib/base/err.h"
}

struct CUgraph_st {
	struct work_graph *work;
};

struct CUgraphExec_st {
	struct work_graph *work;
};

struct CUgraphNode_st { /* stays when its graph ends, so that its use is seen */
	cudaGraph_t graph;
	int index;
	struct CUgraphNode_st *next;
};
static struct CUgraphNode_st *nodes;

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode)
{
	struct CUstream_st *s = stream_of(stream);
	if (!stream)
		return runtime_error(cudaErrorStreamCaptureUnsupported);
	if (s->captured)
		return runtime_error(cudaErrorIllegalState);
	s->captured = (struct work_graph *)xcalloc(1, sizeof *s->captured);
	s->mode = mode, s->invalid = 0;
	return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *g)
{
	struct CUstream_st *s = stream_of(stream);
	*g = NULL;
	if (!s->captured)
		return runtime_error(cudaErrorIllegalState);
	struct work_graph *work = s->captured;
	s->captured = NULL;
	if (s->invalid) {
		work_graph_free(work);
		return runtime_error(cudaErrorStreamCaptureInvalidated);
	}
	*g = (cudaGraph_t)xcalloc(1, sizeof **g);
	(*g)->work = work;
	return cudaSuccess;
}

cudaError_t cudaGraphCreate(cudaGraph_t *g, unsigned)
{
	*g = (cudaGraph_t)xcalloc(1, sizeof **g);
	(*g)->work = (struct work_graph *)xcalloc(1, sizeof *(*g)->work);
	return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t g)
{
	for (struct CUgraphNode_st *n = nodes; n; n = n->next)
		n->graph = n->graph == g ? NULL : n->graph;
	work_graph_free(g->work);
	free(g);
	return cudaSuccess;
}

static cudaError_t add(cudaGraphNode_t *node, cudaGraph_t g, const cudaGraphNode_t *after, size_t nafter, struct work w)
{
	int index[16];
	if (nafter > sizeof index / sizeof *index)
		die("a graph's node after %zu others", nafter);
	for (size_t i = 0; i < nafter; i++) {
		if (after[i]->graph != g)
			return runtime_error(cudaErrorInvalidValue);
		index[i] = after[i]->index;
	}
	*node = (cudaGraphNode_t)xcalloc(1, sizeof **node);
	(*node)->graph = g, (*node)->next = nodes, nodes = *node;
	(*node)->index = work_graph_add(g->work, w, index, (int)nafter, *node);
	return cudaSuccess;
}

cudaError_t cudaGraphAddKernelNode(
	cudaGraphNode_t *node, cudaGraph_t g, const cudaGraphNode_t *after, size_t nafter, const struct cudaKernelNodeParams *p)
{
	struct work w;
	if (p->sharedMemBytes > work_shared(p->func))
		return runtime_error(cudaErrorInvalidValue);
	if (!work_kernel(&w, p->func, p->gridDim, p->blockDim, p->kernelParams, p->sharedMemBytes))
		return runtime_error(cudaErrorInvalidDeviceFunction);
	return add(node, g, after, nafter, w);
}

cudaError_t cudaGraphAddChildGraphNode(cudaGraphNode_t *node, cudaGraph_t g, const cudaGraphNode_t *after, size_t nafter, cudaGraph_t child)
{
	struct work w = {};
	w.kind = WORK_GRAPH, w.graph = work_graph_copied(child->work);
	return add(node, g, after, nafter, w);
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *exec, cudaGraph_t g, unsigned long long)
{
	*exec = (cudaGraphExec_t)xcalloc(1, sizeof **exec);
	(*exec)->work = work_graph_copied(g->work);
	return cudaSuccess;
}

cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node, const struct cudaKernelNodeParams *p)
{
	struct work w;
	if (!node->graph)
		die("cudaGraphExecKernelNodeSetParams: a node of a graph that was destroyed");
	if (node->index >= exec->work->n || exec->work->node[node->index].handle != node ||
		exec->work->node[node->index].work.kind != WORK_KERNEL)
		return runtime_error(cudaErrorInvalidValue);
	if (!work_kernel(&w, p->func, p->gridDim, p->blockDim, p->kernelParams, p->sharedMemBytes))
		return runtime_error(cudaErrorInvalidDeviceFunction);
	work_free(&exec->work->node[node->index].work);
	exec->work->node[node->index].work = w;
	return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
	struct work w = {};
	w.kind = WORK_GRAPH, w.graph = work_graph_copied(exec->work), w.exec = exec;
	return stream_push(stream, w);
}

/* The documentation does not say that one that is still to run may be destroyed. */
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
	if (stream_launches(exec))
		die("cudaGraphExecDestroy: a launch of it is left");
	work_graph_free(exec->work);
	free(exec);
	return cudaSuccess;
}

struct cublasContext {
	cudaStream_t stream;
	void *workspace;
};

static cublasStatus_t create(cublasHandle_t *h)
{
	*h = (cublasHandle_t)xcalloc(1, sizeof **h);
	return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t create_fails(cublasHandle_t *)
{
	return CUBLAS_STATUS_NOT_INITIALIZED;
}

static cublasStatus_t set_stream(cublasHandle_t h, cudaStream_t stream)
{
	h->stream = stream, h->workspace = NULL;
	return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t set_workspace(cublasHandle_t h, void *p, size_t bytes)
{
	if (host_memory_kind(p, bytes, "cublasSetWorkspace") != MEMORY_DEVICE)
		return CUBLAS_STATUS_INVALID_VALUE;
	h->workspace = p;
	return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t destroy(cublasHandle_t h)
{
	free(h);
	return CUBLAS_STATUS_SUCCESS;
}

/* alpha and beta are read at once, as the host's. */
static cublasStatus_t gemm(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k, const void *alpha,
	const void *a, cudaDataType, int lda, const void *b, cudaDataType, int ldb, const void *beta, void *c, cudaDataType, int ldc,
	cublasComputeType_t compute, cublasGemmAlgo_t)
{
	float one, add;
	struct work w = {};
	memcpy(&one, alpha, sizeof one), memcpy(&add, beta, sizeof add);
	if (one != 1 || (add != 0 && add != 1))
		die("cublasGemmEx: factors other than 0 and 1 are not modelled");
	if (!h->workspace)
		die("cublasGemmEx: without a workspace of its user, whose bits and captures are not what they must be");
	if (lda < (ta ? k : m) || ldb < (tb ? n : k) || ldc < m)
		return CUBLAS_STATUS_INVALID_VALUE;
	w.kind = WORK_GEMM;
	w.gemm = {m, n, k, ta == CUBLAS_OP_T, tb == CUBLAS_OP_T, lda, ldb, ldc, add != 0,
		compute == CUBLAS_COMPUTE_32F_FAST_TF32	  ? PRECISION_TF32
		: compute == CUBLAS_COMPUTE_32F_FAST_16BF ? PRECISION_BF16
							  : PRECISION_FP32,
		(const float *)a, (const float *)b, (float *)c};
	stream_push(h->stream, w);
	return CUBLAS_STATUS_SUCCESS;
}

/* Whether a word is one of those in text. */
static int has_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = text; (at = strstr(at, word)); at += n)
		if ((at == text || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return 1;
	return 0;
}

static char good[1], bad[1]; /* libraries: that start, that don't */

void *host_dlopen(const char *file)
{
	host_machine.loaded = file;
	return has_word(host_machine.cublas, file) ? good : has_word(host_machine.broken, file) ? bad : NULL;
}

void *host_dlsym(void *library, const char *name)
{
	const struct {
		const char *name;
		void *p;
	} symbols[] = {{"cublasCreate_v2", library == good ? (void *)create : (void *)create_fails}, {"cublasDestroy_v2", (void *)destroy},
		{"cublasSetStream_v2", (void *)set_stream}, {"cublasSetWorkspace_v2", (void *)set_workspace},
		{"cublasGemmEx", (void *)gemm}};
	for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
		if (!strcmp(symbols[i].name, name))
			return symbols[i].p;
	return NULL;
}
