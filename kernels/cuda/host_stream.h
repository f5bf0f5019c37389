/* Streams of CUDA on the host (host_runtime.h), for host_graph.cc too. */
#ifndef HOST_STREAM_H
#define HOST_STREAM_H

#include "kernels/cuda/host_runtime.h"
#include "kernels/cuda/host_work.h"

struct CUstream_st {
	int number, at_once;
	struct work *work; /* n pieces that have not run */
	int n, size;
	uint64_t queued, done;	     /* pieces of work since it was made */
	struct work_graph *captured; /* NULL: it does not capture */
	enum cudaStreamCaptureMode mode;
	int invalid; /* its capture */
	struct CUstream_st *next;
};

/* The stream; NULL is CUDA's default one. */
struct CUstream_st *stream_of(cudaStream_t stream);
/* Appends work to a stream, or to what it captures; takes w over. */
cudaError_t stream_push(cudaStream_t stream, struct work w);
/* Runs work of a stream until it has done `at` pieces, and what it waits for. */
void stream_run(struct CUstream_st *s, uint64_t at);
/* Whether a stream's work that is left is a launch of exec. */
int stream_launches(const void *exec);
/* A call that is not allowed while a stream captures (relaxed: with none that is stricter): 1, and the capture is void. */
int stream_capture_forbids(int relaxed);
/* Keeps e for cudaGetLastError, and returns it. */
cudaError_t runtime_error(cudaError_t e);

#endif
