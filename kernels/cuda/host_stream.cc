/* CUDA's runtime on the host: the machine, memory, streams and events. Rules are those of NVIDIA's CUDA Runtime API reference, 13.0: stream
 * and event management, and "API synchronization behavior". Copies between pageable memory and a GPU may be synchronous by it, and are not
 * here: CUDA 11's had a thread stage them, so the host's buffer is read or written as late as any. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/cuda/area.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/fiber.h"
#include "kernels/cuda/host_machine.h"
#include "kernels/cuda/host_memory.h"
#include "kernels/cuda/host_stream.h"

extern "C" {
#include "lib/base/err.h"
}

struct CUevent_st { /* the first `at` pieces of a stream's work; stream is NULL before it was recorded */
	struct CUstream_st *stream;
	uint64_t at;
};

struct host_machine host_machine = {CUDART_VERSION, 1, 90, 0, "libcublas.so.13", "", NULL};

static struct {
	int open;
	pid_t process; /* that started the driver */
	cudaError_t last, sticky; /* sticky: a kernel has failed, and all that waits says so */
	struct CUstream_st standard, *streams;
	int streams_made;
} m;

cudaError_t runtime_error(cudaError_t e)
{
	if (e != cudaSuccess)
		m.last = e;
	return e;
}

cudaError_t cudaGetLastError(void)
{
	cudaError_t e = m.last;
	m.last = cudaSuccess;
	return e;
}

const char *cudaGetErrorString(cudaError_t e)
{
	switch (e) {
	case cudaSuccess:
		return "no error";
	case cudaErrorMemoryAllocation:
		return "out of memory";
	case cudaErrorInitializationError:
		return "initialization error";
	case cudaErrorInsufficientDriver:
		return "CUDA driver version is insufficient for CUDA runtime version";
	case cudaErrorNoDevice:
		return "no CUDA-capable device is detected";
	case cudaErrorIllegalAddress:
		return "an illegal memory access was encountered";
	case cudaErrorStreamCaptureUnsupported:
		return "operation not permitted when stream is capturing";
	case cudaErrorStreamCaptureInvalidated:
		return "operation failed due to a previous error during capture";
	default:
		static char text[32];
		snprintf(text, sizeof text, "error %d", (int)e);
		return text;
	}
}

cudaError_t cudaDriverGetVersion(int *version)
{
	*version = host_machine.driver;
	return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
	*version = CUDART_VERSION;
	return cudaSuccess;
}

/* A driver runs CUDA of its major version, and of earlier ones; in a child of a process that has used it, it does not start. */
cudaError_t cudaGetDeviceCount(int *n)
{
	const char *order = gpu_setting("ORDER", "ORDER"), *count = gpu_setting("COUNT", "COUNT");
	if (count)
		host_machine.gpus = atoi(count);
	if (host_machine.driver / 1000 < CUDART_VERSION / 1000)
		return runtime_error(cudaErrorInsufficientDriver);
	if (!host_machine.gpus)
		return runtime_error(cudaErrorNoDevice);
	if (m.process && m.process != getpid())
		return runtime_error(cudaErrorInitializationError);
	m.process = getpid();
	if (m.open)
		fiber_close();
	if (!fiber_open(order && !strcmp(order, "reverse")))
		die_errno("the GPU on the host");
	m.open = 1, m.streams_made = 0;
	*n = host_machine.gpus;
	return cudaSuccess;
}

cudaError_t cudaSetDevice(int device)
{
	if (device < 0 || device >= host_machine.gpus)
		return runtime_error(cudaErrorInvalidDevice);
	host_machine.chosen = device;
	return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device)
{
	*p = {};
	snprintf(p->name, sizeof p->name, gpu_setting("COUNT", "COUNT") ? "host" : "host-%d", device);
	snprintf(p->uuid.bytes, sizeof p->uuid.bytes, "host-%d", device);
	p->major = host_machine.sm / 10, p->minor = host_machine.sm % 10, p->multiProcessorCount = 132;
	return cudaSuccess;
}

struct CUstream_st *stream_of(cudaStream_t stream)
{
	if (!stream)
		return &m.standard;
	for (struct CUstream_st *s = m.streams; s; s = s->next)
		if (s == stream)
			return s;
	die("CUDA: a stream that is none");
}

static void run_next(struct CUstream_st *s)
{
	struct work w = s->work[0];
	memmove(s->work, s->work + 1, (size_t)--s->n * sizeof *s->work);
	if (m.sticky == cudaSuccess && !work_run(&w))
		m.sticky = cudaErrorIllegalAddress;
	s->done++;
	work_free(&w);
}

static int must_wait(const struct CUstream_st *s)
{
	return s->work[0].kind == WORK_WAIT && s->work[0].stream->done < s->work[0].at;
}

/* Streams that run work at once do, as far as it need not wait. */
static void run_early(void)
{
	for (int more = 1; more;) {
		more = 0;
		for (struct CUstream_st *s = m.streams; s; s = s->next)
			while (s->at_once && s->n && !must_wait(s))
				run_next(s), more = 1;
	}
}

void stream_run(struct CUstream_st *s, uint64_t at)
{
	while (s->done < at) {
		if (must_wait(s))
			stream_run(s->work[0].stream, s->work[0].at);
		else
			run_next(s);
		run_early();
	}
}

cudaError_t stream_push(cudaStream_t stream, struct work w)
{
	struct CUstream_st *s = stream_of(stream);
	if (s->captured) {
		int last = s->captured->n - 1;
		work_graph_add(s->captured, w, &last, last >= 0, NULL);
		return cudaSuccess;
	}
	if (s->n == s->size)
		s->size = 2 * s->size + 16, s->work = (struct work *)xrealloc(s->work, (size_t)s->size * sizeof *s->work);
	s->work[s->n++] = w;
	s->queued++;
	run_early();
	return cudaSuccess;
}

int stream_launches(const void *exec)
{
	for (struct CUstream_st *s = m.streams; s; s = s->next)
		for (int i = 0; i < s->n; i++)
			if (s->work[i].exec == exec)
				return 1;
	return 0;
}

int stream_capture_forbids(int relaxed)
{
	int forbids = 0;
	for (struct CUstream_st *s = m.streams; s; s = s->next)
		if (s->captured && !(relaxed && s->mode == cudaStreamCaptureModeRelaxed))
			forbids = s->invalid = 1;
	return forbids;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
	struct CUstream_st *s = (struct CUstream_st *)xcalloc(1, sizeof *s);
	const char *at_once = gpu_setting("AT_ONCE", "AT_ONCE");
	if (flags != cudaStreamNonBlocking)
		die("cudaStreamCreateWithFlags: streams that wait for the default one are not modelled");
	s->number = m.streams_made++;
	s->at_once = at_once && strchr(at_once, '0' + s->number);
	s->next = m.streams, m.streams = s;
	*stream = s;
	return cudaSuccess;
}

/* CUDA does its work before the stream ends. Its memory stays, for events that were recorded in it. */
cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
	struct CUstream_st *s = stream_of(stream), **at = &m.streams;
	if (s->captured)
		die("cudaStreamDestroy: stream %d captures", s->number);
	stream_run(s, s->queued);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	free(s->work);
	s->work = NULL;
	return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
	struct CUstream_st *s = stream_of(stream);
	if (s->captured) {
		s->invalid = 1;
		return runtime_error(cudaErrorStreamCaptureUnsupported);
	}
	stream_run(s, s->queued);
	return runtime_error(m.sticky);
}

cudaError_t cudaDeviceSynchronize(void)
{
	if (stream_capture_forbids(0))
		return runtime_error(cudaErrorStreamCaptureUnsupported);
	stream_run(&m.standard, m.standard.queued);
	for (struct CUstream_st *s = m.streams; s; s = s->next)
		stream_run(s, s->queued);
	return runtime_error(m.sticky);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
	*event = (cudaEvent_t)xcalloc(1, sizeof **event);
	return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
	free(event);
	return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
	struct CUstream_st *s = stream_of(stream);
	if (s->captured)
		die("cudaEventRecord: events of a capture are not modelled");
	event->stream = s, event->at = s->queued;
	return cudaSuccess;
}

/* Waits for what the event holds now; nothing, where it was not recorded. */
cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
	if (event->stream)
		stream_run(event->stream, event->at);
	return runtime_error(m.sticky);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned)
{
	struct work w = {};
	w.kind = WORK_WAIT, w.stream = event->stream, w.at = event->at;
	if (stream_of(stream)->captured)
		die("cudaStreamWaitEvent: events of a capture are not modelled");
	return event->stream ? stream_push(stream, w) : cudaSuccess;
}

static cudaError_t allocate(enum host_memory_kind kind, void **p, size_t bytes)
{
	if (stream_capture_forbids(1))
		return runtime_error(cudaErrorStreamCaptureUnsupported);
	*p = host_memory_new(kind, bytes);
	return *p ? cudaSuccess : runtime_error(cudaErrorMemoryAllocation);
}

/* cudaFree "may perform implicit synchronization": nothing may rely on it, so work that is left must not use the memory. */
static cudaError_t release(enum host_memory_kind kind, void *p)
{
	size_t bytes = host_memory_size(p);
	if (stream_capture_forbids(1))
		return runtime_error(cudaErrorStreamCaptureUnsupported);
	if (!p)
		return cudaSuccess;
	for (struct CUstream_st *s = m.streams; s; s = s->next)
		for (int i = 0; i < s->n; i++)
			if (work_uses(&s->work[i], p, bytes))
				die("%s: work that is left in stream %d uses it", kind == MEMORY_DEVICE ? "cudaFree" : "cudaFreeHost",
					s->number);
	return host_memory_free(kind, p) ? cudaSuccess : runtime_error(cudaErrorInvalidValue);
}

cudaError_t cudaMalloc(void **p, size_t bytes)
{
	return allocate(MEMORY_DEVICE, p, bytes);
}

cudaError_t cudaMallocHost(void **p, size_t bytes)
{
	return allocate(MEMORY_PINNED, p, bytes);
}

cudaError_t cudaFree(void *p)
{
	return release(MEMORY_DEVICE, p);
}

cudaError_t cudaFreeHost(void *p)
{
	return release(MEMORY_PINNED, p);
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total)
{
	*total = host_memory_total(), *free = *total - host_memory_used();
	return cudaSuccess;
}

/* A host's destination is poisoned until the copy has run. */
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream)
{
	int to_device = host_memory_kind(to, bytes, "cudaMemcpyAsync") == MEMORY_DEVICE,
	    from_device = host_memory_kind(from, bytes, "cudaMemcpyAsync") == MEMORY_DEVICE;
	if (to_device != (kind != cudaMemcpyDeviceToHost) || from_device != (kind != cudaMemcpyHostToDevice))
		die("cudaMemcpyAsync: another direction than its kind, %d", (int)kind);
	if (stream_of(stream)->captured && kind != cudaMemcpyDeviceToDevice)
		die("cudaMemcpyAsync: copies of the host's memory in a capture are not modelled");
	struct work w = {};
	w.kind = WORK_COPY, w.to = to, w.from = from, w.bytes = bytes;
	if (!to_device)
		memset(to, AREA_POISON, bytes);
	return stream_push(stream, w);
}

cudaError_t cudaMemsetAsync(void *to, int byte, size_t bytes, cudaStream_t stream)
{
	struct work w = {};
	if (host_memory_kind(to, bytes, "cudaMemsetAsync") != MEMORY_DEVICE)
		die("cudaMemsetAsync: no device memory");
	w.kind = WORK_FILL, w.to = to, w.byte = byte, w.bytes = bytes;
	return stream_push(stream, w);
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, void (*call)(void *arg), void *arg)
{
	struct work w = {};
	if (stream_of(stream)->captured)
		die("cudaLaunchHostFunc: calls in a capture are not modelled");
	w.kind = WORK_CALL, w.call = call, w.arg = arg;
	return stream_push(stream, w);
}

cudaError_t cudaFuncSetAttribute(const void *kernel, enum cudaFuncAttribute attribute, int value)
{
	if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 || value > LAUNCH_SHARED)
		return runtime_error(cudaErrorInvalidValue);
	return work_allow_shared(kernel, (size_t)value) ? cudaSuccess : runtime_error(cudaErrorInvalidDeviceFunction);
}

cudaError_t cudaLaunchKernel(const void *kernel, dim3 grid, dim3 block, void **args, size_t shared, cudaStream_t stream)
{
	struct work w;
	if ((size_t)block.x * block.y * block.z > THREADS || !grid.x || grid.y > 65535 || grid.z > 65535 ||
		shared > work_shared(kernel))
		return runtime_error(cudaErrorInvalidConfiguration);
	if (!work_kernel(&w, kernel, grid, block, args, shared))
		return runtime_error(cudaErrorInvalidDeviceFunction);
	return stream_push(stream, w);
}
