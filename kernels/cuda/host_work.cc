/* Work of CUDA on the host: kernels, GEMMs, copies, graphs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/backend.h"
#include "kernels/cuda/fiber.h"
#include "kernels/cuda/host_memory.h"
#include "kernels/cuda/host_work.h"

extern "C" {
#include "lib/base/err.h"
}

enum { KERNELS = 1024 };

const char *work_fails;

/* Kernels that have been seen, by their address: how to run one, and where its arguments lie. */
static struct launch *known[KERNELS];
static size_t allowed[KERNELS]; /* bytes of shared memory, by cudaFuncSetAttribute */

static struct launch **slot_of(const void *kernel)
{
	size_t i = (uintptr_t)kernel / 16 * 0x9e3779b1u % KERNELS;
	for (int k = 0; k < KERNELS; k++, i = (i + 1) % KERNELS)
		if (!known[i] || known[i]->kernel == kernel)
			return &known[i];
	die("more than %d kernels", (int)KERNELS);
}

void host_kernel_learn(const struct launch *c)
{
	struct launch **k = slot_of(c->kernel);
	if (!*k) {
		*k = (struct launch *)xmalloc(sizeof **k);
		**k = *c;
	}
	(*k)->flat &= c->flat;
}

size_t work_shared(const void *kernel)
{
	struct launch **k = slot_of(kernel);
	return *k && allowed[k - known] > LAUNCH_SHARED_UNTOLD ? allowed[k - known] : (size_t)LAUNCH_SHARED_UNTOLD;
}

int work_allow_shared(const void *kernel, size_t bytes)
{
	struct launch **k = slot_of(kernel);
	allowed[k - known] = bytes;
	return *k != NULL;
}

int work_kernel(struct work *w, const void *kernel, dim3 grid, dim3 block, void **args, size_t shared)
{
	const struct launch *k = *slot_of(kernel);
	if (!k)
		return 0;
	struct launch *c = (struct launch *)xcalloc(1, sizeof *c);
	*c = *k;
	c->grid = grid, c->block = block, c->shared = (unsigned)shared;
	memset(c->args, 0xff, sizeof c->args);
	for (int i = 0; i < c->n; i++)
		memcpy(c->args + c->offset[i], args[i], c->size[i]);
	*w = {};
	w->kind = WORK_KERNEL, w->launch = c;
	return 1;
}

struct work work_copied(const struct work *w)
{
	struct work v = *w;
	if (w->launch) {
		v.launch = (struct launch *)xmalloc(sizeof *v.launch);
		*v.launch = *w->launch;
	}
	if (w->graph)
		v.graph = work_graph_copied(w->graph);
	return v;
}

void work_free(struct work *w)
{
	free(w->launch);
	if (w->graph)
		work_graph_free(w->graph);
	*w = {};
}

static float rounded(float v, int precision)
{
	return precision == PRECISION_TF32   ? __float_to_tf32(v)
	       : precision == PRECISION_BF16 ? __bfloat162float(__float2bfloat16(v))
					     : v;
}

/* Sums of products in double: more exact than a GPU's. */
static void run_gemm(const struct work_gemm *p)
{
	size_t m = (size_t)p->m, n = (size_t)p->n, k = (size_t)p->k, lda = (size_t)p->lda, ldb = (size_t)p->ldb, ldc = (size_t)p->ldc;
	float *a = (float *)xcalloc(m * k, sizeof *a), *b = (float *)xcalloc(n * k, sizeof *b); /* rows of op(a), columns of op(b) */
	for (size_t i = 0; i < m; i++)
		for (size_t l = 0; l < k; l++)
			a[i * k + l] = rounded(p->ta ? p->a[l + i * lda] : p->a[i + l * lda], p->precision);
	for (size_t j = 0; j < n; j++)
		for (size_t l = 0; l < k; l++)
			b[j * k + l] = rounded(p->tb ? p->b[j + l * ldb] : p->b[l + j * ldb], p->precision);
	for (size_t j = 0; j < n; j++)
		for (size_t i = 0; i < m; i++) {
			double sum = p->add ? (double)p->c[i + j * ldc] : 0;
			for (size_t l = 0; l < k; l++)
				sum += (double)a[i * k + l] * (double)b[j * k + l];
			p->c[i + j * ldc] = (float)sum;
		}
	free(a), free(b);
}

static int run_graph(const struct work_graph *g)
{
	int left = g->n, good = 1;
	char *done = (char *)xcalloc((size_t)g->n + 1, 1);
	while (left && good) {
		int i = g->n - 1, ready = 0;
		for (; i >= 0 && !ready; i--) {
			ready = !done[i];
			for (int k = 0; k < g->node[i].nafter; k++)
				ready &= done[g->node[i].after[k]];
		}
		if (!ready)
			die("a graph with a circle");
		i++;
		good = work_run(&g->node[i].work);
		done[i] = 1, left--;
	}
	free(done);
	return good;
}

int work_run(const struct work *w)
{
	switch (w->kind) {
	case WORK_KERNEL:
		if (work_fails && !strcmp(work_fails, w->launch->name))
			return 0;
		fiber_run(w->launch);
		break;
	case WORK_GEMM:
		run_gemm(&w->gemm);
		break;
	case WORK_COPY: /* memory may be gone by now */
		host_memory_kind(w->to, w->bytes, "copy"), host_memory_kind(w->from, w->bytes, "copy");
		memcpy(w->to, w->from, w->bytes);
		break;
	case WORK_FILL:
		memset(w->to, w->byte, w->bytes);
		break;
	case WORK_WAIT:
		break;
	case WORK_GRAPH:
		return run_graph(w->graph);
	case WORK_CALL:
		w->call(w->arg);
		break;
	}
	return 1;
}

static int meets(const void *a, size_t n, const void *b, size_t m)
{
	return (uintptr_t)a < (uintptr_t)b + m && (uintptr_t)b < (uintptr_t)a + n;
}

int work_uses(const struct work *w, const void *p, size_t n)
{
	const struct work_gemm *g = &w->gemm;
	switch (w->kind) {
	case WORK_KERNEL:
		for (int at = 0; at + (int)sizeof(void *) <= w->launch->bytes; at += (int)sizeof(void *)) {
			void *argument;
			memcpy(&argument, w->launch->args + at, sizeof argument);
			if (meets(argument, 1, p, n))
				return 1;
		}
		return 0;
	case WORK_GEMM:
		return meets(g->a, 1, p, n) || meets(g->b, 1, p, n) || meets(g->c, 1, p, n);
	case WORK_COPY:
		return meets(w->to, w->bytes, p, n) || meets(w->from, w->bytes, p, n);
	case WORK_FILL:
		return meets(w->to, w->bytes, p, n);
	case WORK_GRAPH:
		for (int i = 0; i < w->graph->n; i++)
			if (work_uses(&w->graph->node[i].work, p, n))
				return 1;
		return 0;
	case WORK_WAIT:
	case WORK_CALL: /* of which nobody knows what it uses */
		break;
	}
	return 0;
}

int work_graph_add(struct work_graph *g, struct work w, const int *after, int nafter, const void *handle)
{
	g->node = (struct work_node *)xrealloc(g->node, (size_t)(g->n + 1) * sizeof *g->node);
	struct work_node *node = &g->node[g->n];
	*node = {w, (int *)xcalloc((size_t)nafter, sizeof *after), nafter, handle};
	if (nafter)
		memcpy(node->after, after, (size_t)nafter * sizeof *after);
	return g->n++;
}

struct work_graph *work_graph_copied(const struct work_graph *g)
{
	struct work_graph *to = (struct work_graph *)xcalloc(1, sizeof *to);
	for (int i = 0; i < g->n; i++)
		work_graph_add(to, work_copied(&g->node[i].work), g->node[i].after, g->node[i].nafter, g->node[i].handle);
	return to;
}

void work_graph_free(struct work_graph *g)
{
	for (int i = 0; i < g->n; i++)
		work_free(&g->node[i].work), free(g->node[i].after);
	free(g->node), free(g);
}
