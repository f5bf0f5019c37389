/* Work of CUDA on the host (host_stream.cc): what waits in a stream, or is a node of a graph. Arguments of kernels are copied when a
 * launch is made, contents of memory are read and written when it runs, in fibers (fiber.cc). */
#ifndef HOST_WORK_H
#define HOST_WORK_H

#include "kernels/cuda/launch.h"

enum work_kind { WORK_KERNEL, WORK_GEMM, WORK_COPY, WORK_FILL, WORK_WAIT, WORK_GRAPH, WORK_CALL };

/* Column-major, as BLAS has it: c (m, n) = op(a) (m, k) op(b) (k, n), + c where add. */
struct work_gemm {
	int m, n, k, ta, tb, lda, ldb, ldc, add, precision; /* precision: enum precision */
	const float *a, *b;
	float *c;
};

struct work {
	enum work_kind kind;
	struct launch *launch; /* WORK_KERNEL */
	struct work_gemm gemm; /* WORK_GEMM */
	void *to;	       /* WORK_COPY, WORK_FILL */
	const void *from;      /* WORK_COPY */
	size_t bytes;
	int byte;		    /* WORK_FILL */
	struct CUstream_st *stream; /* WORK_WAIT: until it has done `at` pieces of work */
	uint64_t at;
	struct work_graph *graph; /* WORK_GRAPH */
	const void *exec;	  /* of which the graph is a copy; NULL: a node */
	void (*call)(void *arg);  /* WORK_CALL */
	void *arg;
};

struct work_node {
	struct work work;
	int *after, nafter; /* nodes that must have run */
	const void *handle;
};

struct work_graph {
	struct work_node *node;
	int n;
};

/* Kernel of a launch with arguments args[], as CUDA finds them, copied. 0 where the kernel is not known: host_kernel_learn has not seen it.
 */
int work_kernel(struct work *w, const void *kernel, dim3 grid, dim3 block, void **args, size_t shared);
/* Bytes of shared memory that a kernel may have in a launch: 48 KiB, until more are allowed (0: the kernel is not known). */
size_t work_shared(const void *kernel);
int work_allow_shared(const void *kernel, size_t bytes);
/* A copy with copies of launch and graph, and their end. */
struct work work_copied(const struct work *w);
void work_free(struct work *w);
/* Runs it, a graph's nodes in an order that its edges allow: of those that may run, the last. 0 where it fails. */
int work_run(const struct work *w);
/* Whether it may use any of the n bytes from p on: copies and fills by their bytes, kernels where an argument points there. */
int work_uses(const struct work *w, const void *p, size_t n);
/* After a node is appended, its index. `after` is copied. */
int work_graph_add(struct work_graph *g, struct work w, const int *after, int nafter, const void *handle);
struct work_graph *work_graph_copied(const struct work_graph *g);
void work_graph_free(struct work_graph *g);
/* For tests: kernels of this name fail; NULL: none. */
extern const char *work_fails;

#endif
