/* gpu.h on the host, for tests: emulation of a GPU with fibers (fiber.cc). Device memory has guard pages, and is NaN until it is written;
 * an asynchronous download writes its destination only when waited for. KEYPIPE_GPU_BYTES: bytes of device memory. KEYPIPE_GPU_TRACE=FILE:
 * appends a line for each kernel and shape that it ran in: name, launches, threads, bytes of shared memory, grid, block, of GEMMs and of
 * split_k_reduce the whole numbers among the arguments ("M N K split_k", "splits M N"; else "-"), place in the program ("product": GEMMs by
 * cuBLAS). KEYPIPE_GPU_RUN=0: launches are only traced, for counting those of nets that are too large to run here. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/backend.h"
#include "kernels/cuda/area.h"
#include "kernels/cuda/fiber.h"
#include "kernels/cuda/gpu.h"
#include "kernels/cuda/race.h"

extern "C" {
#include "lib/base/err.h"
}

enum { MULTIPROCESSORS = 132 };
static const size_t MEMORY = (size_t)16 << 30;

struct download {
	void *host, *copy; /* copy: NULL where the ticket is free */
	size_t bytes;
};

extern const char __executable_start; /* by the linker */

struct kernel_stats {	    /* of one kernel in one shape, or, where it is NULL, of cuBLAS GEMMs */
	struct launch call; /* the first */
	char shape[48];
	size_t launches;
};

static struct {
	struct area *memory; /* allocations of device memory */
	int area_count;
	size_t used, total;
	struct download download[BACKEND_DOWNLOADS];
	struct sigaction old[2];
	const char *trace;
	int trace_only;
	struct kernel_stats *stats;
	int stats_count;
} m;

/* Writes what address p is: how far outside of which memory, if it is near any. */
static void describe_address(char *to, size_t size, const char *p)
{
	if (fiber_describe(to, size, p))
		return;
	for (int i = 0; i < m.area_count; i++)
		if (area_describe(to, size, &m.memory[i], "device", p))
			return;
	snprintf(to, size, "%p, which is no memory, or not aligned", (const void *)p);
}

static void on_signal(int sig, siginfo_t *info, void *)
{
	if (!fiber_launch()) { /* not in a kernel: the old handler gets it when the access is repeated */
		sigaction(sig, &m.old[sig == SIGBUS], NULL);
		return;
	}
	char at[128], line[768];
	describe_address(at, sizeof at, (const char *)info->si_addr);
	int n = snprintf(line, sizeof line, "%.200s: %s: touches %s\n", err_program(), fiber_where(1), at);
	ssize_t written = write(STDERR_FILENO, line, (size_t)n);
	(void)written;
	_exit(1);
}

/* The allocation that [p, p + bytes) is in; ends the program if there is none. */
static struct area *area_of(const void *p, size_t bytes, const char *what)
{
	const char *s = (const char *)p;
	for (int i = 0; i < m.area_count; i++)
		if (s >= m.memory[i].at && s <= m.memory[i].at + m.memory[i].bytes &&
			bytes <= (size_t)(m.memory[i].at + m.memory[i].bytes - s))
			return &m.memory[i];
	die("%s: %zu bytes at %p are not device memory", what, bytes, p);
}

static float rounded(float v, int precision)
{
	return precision == PRECISION_TF32   ? __float_to_tf32(v)
	       : precision == PRECISION_BF16 ? __bfloat162float(__float2bfloat16(v))
					     : v;
}

static void gemm(const struct launch *call)
{
	struct cublas_gemm p;
	memcpy(&p, call->args, sizeof p);
	size_t M = (size_t)p.M, N = (size_t)p.N, K = (size_t)p.K;
	area_of(p.a, M * K * sizeof *p.a, "product"), area_of(p.b, K * N * sizeof *p.b, "product"),
		area_of(p.c, M * N * sizeof *p.c, "product");
	race_launch(call), race_block(0), race_warp(0);
	race_access(p.a, M * K * sizeof *p.a, 0), race_access(p.b, K * N * sizeof *p.b, 0), race_access(p.c, M * N * sizeof *p.c, 1);
	race_end();
	float *b = (float *)xcalloc(K * N, sizeof *b);
	double *sum = (double *)xcalloc(N, sizeof *sum);
	for (size_t k = 0; k < K; k++)
		for (size_t n = 0; n < N; n++)
			b[k * N + n] = rounded(p.b[p.bt ? n * K + k : k * N + n], p.precision);
	for (size_t i = 0; i < M; i++) {
		for (size_t n = 0; n < N; n++)
			sum[n] = p.add ? p.c[i * N + n] : 0;
		for (size_t k = 0; k < K; k++) {
			double a = rounded(p.a[p.at ? k * M + i : i * K + k], p.precision);
			for (size_t n = 0; n < N; n++)
				sum[n] += a * b[k * N + n];
		}
		for (size_t n = 0; n < N; n++)
			p.c[i * N + n] = (float)sum[n];
	}
	free(b), free(sum);
}

static size_t volume(dim3 d)
{
	return (size_t)d.x * d.y * d.z;
}

static void describe_shape(char *to, size_t size, const struct launch *c)
{
	size_t n = 0;
	int v;
	snprintf(to, size, "-");
	if (!c->kernel) {
		struct cublas_gemm p;
		memcpy(&p, c->args, sizeof p);
		snprintf(to, size, "%d %d %d", (int)p.M, (int)p.N, (int)p.K);
		return;
	}
	if (strncmp(c->name, "tile_gemm", 9) && strncmp(c->name, "split_k", 7))
		return;
	for (int i = 0; i < c->n && n < size; i++)
		if (c->kind[i] == LAUNCH_INTEGER) {
			memcpy(&v, c->args + c->offset[i], sizeof v);
			n += (size_t)snprintf(to + n, size - n, "%s%d", n ? " " : "", v);
		}
}

static void count(const struct launch *c)
{
	struct kernel_stats *r = m.stats;
	char shape[sizeof r->shape];
	describe_shape(shape, sizeof shape, c);
	while (r < m.stats + m.stats_count &&
		(r->call.kernel != c->kernel || memcmp(&r->call.grid, &c->grid, sizeof c->grid) ||
			memcmp(&r->call.block, &c->block, sizeof c->block) || r->call.shared != c->shared || strcmp(r->shape, shape)))
		r++;
	if (r == m.stats + m.stats_count) {
		m.stats = (struct kernel_stats *)xrealloc(m.stats, (size_t)(m.stats_count + 1) * sizeof *r);
		r = &m.stats[m.stats_count++];
		r->call = *c, r->launches = 0;
		memcpy(r->shape, shape, sizeof shape);
	}
	r->launches++;
}

static void write_trace(void)
{
	FILE *f = fopen(m.trace, "a");
	if (!f)
		die_errno("%s", m.trace);
	for (const struct kernel_stats *r = m.stats; r < m.stats + m.stats_count; r++) {
		const struct launch *c = &r->call;
		fprintf(f, "%s\t%zu\t%zu\t%u\t%u %u %u\t%zu\t%s\t%zx\n", c->name, r->launches, volume(c->grid) * volume(c->block),
			c->shared, c->grid.x, c->grid.y, c->grid.z, volume(c->block), r->shape,
			c->kernel ? (size_t)((const char *)c->kernel - &__executable_start) : 0);
	}
	if (fclose(f))
		die_errno("%s", m.trace);
}

void gpu_run(const struct launch *c)
{
	if (!c->kernel)
		die("gpu_run: a product, which only a graph runs");
	dim3 g = c->grid, b = c->block;
	size_t n = (size_t)b.x * b.y * b.z, blocks = (size_t)g.x * g.y * g.z;
	if (!n || n > THREADS || n % LANES || b.z > 64 || !blocks || g.x > INT32_MAX || g.y > 65535 || g.z > 65535 ||
		c->shared > LAUNCH_SHARED)
		die("kernel %s: no such launch: grid (%u, %u, %u), block (%u, %u, %u), %u bytes of shared memory", c->name, g.x, g.y, g.z,
			b.x, b.y, b.z, c->shared);
	if (m.trace)
		count(c);
	if (!m.trace_only)
		fiber_run(c);
}

struct gpu gpu_open(int reverse, int index)
{
	static char stack[64 << 10]; /* for the signal handler: a fiber's may have overflowed */
	static pid_t opened;	     /* the process that opened a GPU first: its children can't, as CUDA does not survive a fork */
	struct gpu GPU = {"host", 9, 0, MULTIPROCESSORS, 1, 0, 0, "host"};
	const char *bytes = gpu_setting("BYTES", "BYTES");
	char *end = NULL;
	if (opened && opened != getpid())
		die("--device cuda: no GPU that can be used: one was open before a fork");
	opened = getpid();
	if (index > 0)
		die("--device cuda:%d: there is 1 GPU here, counted from 0", index);
	memset(&m, 0, sizeof m);
	const char *runs = gpu_setting("RUN", "RUN");
	m.trace = gpu_setting("TRACE", "TRACE");
	m.trace_only = m.trace && runs && !strcmp(runs, "0");
	m.total = bytes ? strtoull(bytes, &end, 10) : MEMORY;
	if (bytes && (end == bytes || *end))
		die("KEYPIPE_GPU_BYTES: '%s' is no number", bytes);
	stack_t alternate = {};
	alternate.ss_sp = stack, alternate.ss_size = sizeof stack;
	struct sigaction s = {};
	s.sa_sigaction = on_signal, s.sa_flags = SA_SIGINFO | SA_ONSTACK;
	if (!fiber_open(reverse) || sigaltstack(&alternate, NULL) || sigaction(SIGSEGV, &s, &m.old[0]) || sigaction(SIGBUS, &s, &m.old[1]))
		die_errno("the GPU on the host");
	return GPU;
}

void gpu_close(void)
{
	if (m.trace)
		write_trace();
	free(m.stats);
	while (m.area_count)
		gpu_free(m.memory[m.area_count - 1].at);
	for (int i = 0; i < BACKEND_DOWNLOADS; i++)
		free(m.download[i].copy);
	free(m.memory);
	fiber_close();
	sigaction(SIGSEGV, &m.old[0], NULL), sigaction(SIGBUS, &m.old[1], NULL);
	memset(&m, 0, sizeof m);
}

void *gpu_stream(void)
{
	return NULL;
}

static void check_edges(const struct area *a, const char *what)
{
	if (!m.trace_only && (!area_poisoned(a->first, a->at) || !area_poisoned(a->at + a->bytes, a->end)))
		die("%s: something was written just outside of %zu bytes of device memory", what, a->bytes);
}

void *gpu_alloc(size_t bytes)
{
	struct area a = {};
	if (bytes <= m.total - m.used)
		a = area_new(bytes, !m.trace_only);
	if (!a.at)
		return NULL;
	m.memory = (struct area *)xrealloc(m.memory, (size_t)(m.area_count + 1) * sizeof a);
	m.memory[m.area_count++] = a;
	m.used += bytes;
	return a.at;
}

void gpu_free(void *device)
{
	if (!device)
		return;
	struct area *a = area_of(device, 0, "gpu_free");
	if (a->at != device)
		die("gpu_free: %p is not the beginning of device memory", device);
	check_edges(a, "gpu_free");
	m.used -= a->bytes;
	area_free(*a);
	*a = m.memory[--m.area_count];
}

void gpu_memory_info(size_t *free, size_t *total)
{
	*free = m.total - m.used, *total = m.total;
}

void gpu_upload(void *device, const void *host, size_t bytes)
{
	race_host();
	area_of(device, bytes, "gpu_upload");
	memcpy(device, host, bytes);
}

void gpu_download(void *host, const void *device, size_t bytes)
{
	race_host();
	check_edges(area_of(device, bytes, "gpu_download"), "gpu_download");
	memcpy(host, device, bytes);
}

void gpu_upload_async(void *device, const void *host, size_t bytes)
{
	area_of(device, bytes, "gpu_upload_async");
	memcpy(device, host, bytes);
}

/* Poisons the destination until gpu_wait, so that tests find reads before it. */
int gpu_download_async(void *host, const void *device, size_t bytes)
{
	int ticket = 0;
	while (ticket < BACKEND_DOWNLOADS && m.download[ticket].copy)
		ticket++;
	if (ticket == BACKEND_DOWNLOADS)
		die("gpu_download_async: more than %d at a time", (int)BACKEND_DOWNLOADS);
	m.download[ticket] = {host, xmalloc(bytes), bytes};
	check_edges(area_of(device, bytes, "gpu_download_async"), "gpu_download_async");
	memcpy(m.download[ticket].copy, device, bytes);
	memset(host, AREA_POISON, bytes);
	return ticket;
}

void gpu_wait(int ticket)
{
	struct download *f = ticket >= 0 && ticket < BACKEND_DOWNLOADS ? &m.download[ticket] : NULL;
	if (!f || !f->copy)
		die("gpu_wait: no download has ticket %d", ticket);
	memcpy(f->host, f->copy, f->bytes);
	free(f->copy);
	f->copy = NULL;
}

void gpu_memset(void *device, int byte, size_t bytes)
{
	area_of(device, bytes, "gpu_memset");
	if (!m.trace_only)
		memset(device, byte, bytes);
}

struct graph {
	struct launch *calls;
	int n;
};

struct graph *gpu_graph(const struct launch *c, int n)
{
	struct graph *g = (struct graph *)xcalloc(1, sizeof *g);
	g->calls = (struct launch *)xcalloc((size_t)n, sizeof *g->calls);
	memcpy(g->calls, c, (size_t)n * sizeof *c);
	g->n = n;
	return g;
}

void gpu_graph_set(struct graph *g, int i, const struct launch *c)
{
	const struct launch *old = &g->calls[i];
	if (i < 0 || i >= g->n || !old->kernel || old->kernel != c->kernel || memcmp(&old->grid, &c->grid, sizeof c->grid) ||
		memcmp(&old->block, &c->block, sizeof c->block) || old->shared != c->shared)
		die("gpu_graph_set: call %d of %d, kernel %s, is another launch", i, g->n, c->name);
	g->calls[i] = *c;
}

void gpu_graph_run(struct graph *g)
{
	race_host();
	for (const struct launch *c = g->calls; c < g->calls + g->n; c++) {
		if (c->kernel)
			gpu_run(c);
		else {
			if (m.trace)
				count(c);
			if (!m.trace_only)
				gemm(c);
		}
	}
}

void gpu_graph_free(struct graph *g)
{
	free(g->calls), free(g);
}
