/* The choice of a GPU, and what to do where there is none; cuBLAS by dlopen, not linked, so that one binary runs where there is no GPU. */
#include <stdio.h>
#include <stdlib.h>

#include "kernels/cuda/gpu_open.h"

extern "C" {
#include "lib/base/err.h"
}

enum { OLDEST = 75, CUBLAS_WORKSPACE = 32 << 20 }; /* OLDEST: compute capability, times 10 */

static char name[64]; /* of the GPU, for messages */

/* A launch that fails shows at a later wait: these errors are of kernels. */
static int is_of_kernel(cudaError_t e)
{
	return e >= cudaErrorIllegalAddress && e <= cudaErrorLaunchFailure;
}

void gpu_check(cudaError_t e, const char *what)
{
	if (e != cudaSuccess)
		die("%s: %s: %s%s", name[0] ? name : "cuda", what, cudaGetErrorString(e),
			is_of_kernel(e) && !gpu_waits_each() ? "; KEYPIPE_CUDA_SYNC=1 says in which kernel" : "");
}

/* The least NVIDIA driver for each CUDA: minor versions of CUDA from 11 on run with their major version's first driver. */
static int driver_of(int runtime)
{
	return runtime / 1000 <= 11 ? 450 : runtime / 1000 == 12 ? 525 : 580;
}

/* Ends the program: CUDA starts, but not with this driver; or not at all. e: of cudaGetDeviceCount. */
static void die_without_gpu(cudaError_t e) NORETURN;
static void die_without_gpu(cudaError_t e)
{
	int driver = 0, runtime = 0;
	cudaDriverGetVersion(&driver), cudaRuntimeGetVersion(&runtime);
	if (e == cudaErrorInsufficientDriver && !driver)
		die("--device cuda: no GPU that can be used: there is no NVIDIA driver");
	if (e == cudaErrorInsufficientDriver && driver < 11080) /* which no compiler that builds this is for */
		die("--device cuda: the NVIDIA driver is too old: it is for CUDA up to %d.%d: update it to %d or later", driver / 1000,
			driver % 1000 / 10, driver_of(runtime));
	if (e == cudaErrorInsufficientDriver)
		die("--device cuda: the NVIDIA driver is too old: it is for CUDA up to %d.%d, these programs are built with CUDA %d.%d: "
		    "update it to %d or later, or build with CUDA %d.x (make clean && make NVCC=/usr/local/cuda-%d/bin/nvcc)",
			driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10, driver_of(runtime), driver / 1000,
			driver / 1000);
	if (e == cudaSuccess || e == cudaErrorNoDevice) {
		const char *visible = getenv("CUDA_VISIBLE_DEVICES");
		die("--device cuda: no GPU that can be used: none is there%s%s%s", visible ? " (CUDA_VISIBLE_DEVICES is '" : "",
			visible ? visible : "", visible ? "')" : "");
	}
	die("--device cuda: no GPU that can be used: %s", cudaGetErrorString(e));
}

/* KEYPIPE_GPU, or -1. */
static int index_by_environment(void)
{
	const char *text = getenv("KEYPIPE_GPU");
	char *end = NULL;
	text = text && *text ? text : NULL;
	long v = text ? strtol(text, &end, 10) : -1;
	if (text && (*text < '0' || *text > '9' || *end || v > 999))
		die("KEYPIPE_GPU: '%s' is no number of a GPU, from 0 on", text);
	return (int)v;
}

struct gpu gpu_select(int index)
{
	struct gpu g = {};
	int n = 0, place = index < 0 ? -1 - index : 0;
	cudaDeviceProp p;
	setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", 0); /* as nvidia-smi counts; CUDA reads it at its first call */
	index = index < 0 ? index_by_environment() : index;
	cudaError_t e = cudaGetDeviceCount(&n);
	if (e != cudaSuccess || !n)
		die_without_gpu(e);
	index = index < 0 ? place % n : index;
	if (index >= n)
		die("--device cuda:%d: there %s %d GPU%s here, counted from 0", index, n == 1 ? "is" : "are", n, n == 1 ? "" : "s");
	gpu_check(cudaSetDevice(index), "select");
	gpu_check(cudaGetDeviceProperties(&p, index), "properties");
	if (p.major * 10 + p.minor < OLDEST)
		die("--device cuda:%d: %s has compute capability %d.%d, %d.%d or later is needed", index, p.name, p.major, p.minor,
			OLDEST / 10, OLDEST % 10);
	snprintf(g.name, sizeof g.name, "%.60s", p.name);
	g.major = p.major, g.minor = p.minor, g.multiprocessors = p.multiProcessorCount, g.index = index, g.count = n;
	for (size_t i = 0; i < sizeof p.uuid.bytes; i++)
		snprintf(g.id + 2 * i, 3, "%02x", (unsigned char)p.uuid.bytes[i]);
	memcpy(name, g.name, sizeof name);
	return g;
}

/* Starts cuBLAS of a library: NULL, or why it does not. What it took is given back then. */
static const char *cublas_start(struct cublas *c, cudaStream_t stream)
{
	cublasStatus_t (*create)(cublasHandle_t *), (*set_workspace)(cublasHandle_t, void *, size_t),
		(*set_stream)(cublasHandle_t, cudaStream_t);
	struct {
		void *to;
		const char *name;
	} symbols[] = {{&create, "cublasCreate_v2"}, {&set_workspace, "cublasSetWorkspace_v2"}, {&set_stream, "cublasSetStream_v2"},
		{&c->gemm, "cublasGemmEx"}, {&c->destroy, "cublasDestroy_v2"}};
	for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
		void *p = dlsym(c->library, symbols[i].name);
		if (!p)
			return "it is too old";
		memcpy(symbols[i].to, &p, sizeof p);
	}
	if (create(&c->handle) != CUBLAS_STATUS_SUCCESS)
		return "it does not start: it may be for a newer driver, or the GPU's memory may be full";
	/* Own workspace and one stream: so results are the same bits each time, and cuBLAS may be captured in graphs. cublasSetStream
	 * resets the workspace, so the stream is set first, once. */
	if (cudaMalloc(&c->workspace, CUBLAS_WORKSPACE) != cudaSuccess)
		c->workspace = NULL;
	if (c->workspace && set_stream(c->handle, stream) == CUBLAS_STATUS_SUCCESS &&
		set_workspace(c->handle, c->workspace, CUBLAS_WORKSPACE) == CUBLAS_STATUS_SUCCESS)
		return NULL;
	const char *why = c->workspace ? "it does not start" : "the GPU's memory has no room for its workspace of 32 MiB";
	cublas_close(c);
	return why;
}

struct cublas cublas_open(cudaStream_t stream)
{
	/* that of the CUDA built with first, as the driver is known to do for it */
	static const char *const names[] = {CUDART_VERSION < 13000 ? "libcublas.so.12" : "libcublas.so.13",
		CUDART_VERSION < 13000 ? "libcublas.so.13" : "libcublas.so.12", "libcublas.so", "/usr/local/cuda/lib64/libcublas.so"};
	enum { NAMES = sizeof names / sizeof *names };
	const char *wanted = getenv("KEYPIPE_CUBLAS"), *why = NULL, *failed = NULL; /* a file; 0: own GEMMs only */
	struct cublas c = {};
	if (wanted && !strcmp(wanted, "0"))
		return c;
	for (int i = 0; i < (wanted ? 1 : (int)NAMES); i++) {
		const char *file = wanted ? wanted : names[i];
		c = {};
		if (!(c.library = dlopen(file, RTLD_NOW | RTLD_LOCAL))) {
			if (wanted)
				die("KEYPIPE_CUBLAS: %s", dlerror());
			continue;
		}
		const char *reason = cublas_start(&c, stream);
		if (!reason)
			return c;
		cudaGetLastError(); /* of what failed within */
		if (!failed)
			failed = file, why = reason;
	}
	if (failed)
		warn("cuBLAS (%s) is done without: %s; KEYPIPE_CUBLAS=0 says so beforehand", failed, why);
	c = {};
	return c;
}

void cublas_close(struct cublas *c)
{
	if (c->handle)
		c->destroy(c->handle);
	cudaFree(c->workspace); /* NULL: nothing */
	*c = {};
}
