/* Tiles of bytes, converted to floating point one at a time, times a matrix. */
#include <cblas.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/each_thread.h"
#include "lib/base/err.h"
#include "lib/pca/images.h"

enum { ROWS = 256, PIXELS = 512, PANEL = 64 }; /* of a tile; of the scatter matrix */

struct tiles {
	const struct images *m;
	void (*fn)(const struct tiles *a, int tile, void *buffer);
	int count;
	size_t bytes; /* of a thread's buffer */
	atomic_int next;
	double *to;	    /* the result */
	const double *from; /* the other factor */
	int n;
};

static void *work(void *arg)
{
	struct tiles *a = *(struct tiles **)arg;
	void *buffer = xmalloc(a->bytes);
	for (int tile; (tile = atomic_fetch_add(&a->next, 1)) < a->count;)
		a->fn(a, tile, buffer);
	free(buffer);
	return NULL;
}

static void run(struct tiles *a)
{
	struct tiles *parts[EACH_THREAD_MAX];
	int n = a->m->threads < a->count ? a->m->threads : a->count;
	n = n < EACH_THREAD_MAX ? n : EACH_THREAD_MAX;
	for (int i = 0; i < n; i++)
		parts[i] = a;
	each_thread(work, parts, sizeof *parts, n);
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

struct images images_new(const uint8_t *x, uint32_t rows, int pixels, int threads)
{
	struct images m = {.x = x, .rows = rows, .pixels = pixels, .threads = threads};
	size_t n = (size_t)pixels;
	uint64_t *sum = xcalloc(n, sizeof *sum), *square = xcalloc(n, sizeof *square);
	for (uint32_t r = 0; r < rows; r++, x += n)
		for (size_t i = 0; i < n; i++)
			sum[i] += x[i], square[i] += (uint64_t)x[i] * x[i];
	m.mean = xcalloc(n, sizeof *m.mean), m.square = xcalloc(n, sizeof *m.square);
	for (size_t i = 0; i < n; i++) {
		m.mean[i] = (double)sum[i] / rows;
		/* the difference of numbers beyond 2^64, which is 0 where a pixel never changes */
		m.square[i] = (double)((unsigned __int128)square[i] * rows - (unsigned __int128)sum[i] * sum[i]) / rows;
	}
	free(sum), free(square);
	return m;
}

void images_free(struct images *m)
{
	free(m->mean), free(m->square);
}

/* Rows of the scatter matrix from PANEL * tile on: products of these pixels with all up to them. */
static void scatter_tile(const struct tiles *a, int tile, void *buffer)
{
	const struct images *m = a->m;
	int N = m->pixels, i0 = tile * PANEL, w = least(PANEL, N - i0), to = i0 + w;
	float *x = buffer, *product = x + (size_t)ROWS * (size_t)N;
	for (uint32_t r = 0; r < m->rows; r += ROWS) {
		int h = (int)(m->rows - r < ROWS ? m->rows - r : ROWS);
		for (int k = 0; k < h; k++) {
			const uint8_t *from = m->x + (size_t)(r + (uint32_t)k) * (size_t)N;
			for (int j = 0; j < to; j++)
				x[k * to + j] = from[j];
		}
		cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, w, to, h, 1, x + i0, to, x, to, 0, product, to);
		for (int i = 0; i < w; i++) {
			double *sum = a->to + (size_t)(i0 + i) * (size_t)N;
			for (int j = 0; j < to; j++)
				sum[j] += (double)product[i * to + j];
		}
	}
	for (int i = i0; i < to; i++)
		for (int j = 0; j <= i; j++)
			a->to[(size_t)i * (size_t)N + (size_t)j] -= m->rows * m->mean[i] * m->mean[j];
}

void images_scatter(const struct images *m, double *s)
{
	size_t n = (size_t)m->pixels;
	struct tiles a = {.m = m, .fn = scatter_tile, .count = (m->pixels + PANEL - 1) / PANEL, .to = s};
	a.bytes = (ROWS + PANEL) * n * sizeof(float);
	memset(s, 0, n * n * sizeof *s);
	run(&a);
}

/* Rows r to r + h, pixels i to i + w, as x (h, w). */
static void centred(const struct images *m, double *x, uint32_t r, int h, int i, int w)
{
	for (int k = 0; k < h; k++, x += w) {
		const uint8_t *from = m->x + (size_t)(r + (uint32_t)k) * (size_t)m->pixels + i;
		const double *mean = m->mean + i;
		for (int j = 0; j < w; j++)
			x[j] = from[j] - mean[j];
	}
}

static void project_tile(const struct tiles *a, int tile, void *buffer)
{
	const struct images *m = a->m;
	uint32_t r = (uint32_t)tile * ROWS;
	int N = m->pixels, h = (int)(m->rows - r < ROWS ? m->rows - r : ROWS);
	for (int i = 0; i < N; i += PIXELS) {
		int w = least(PIXELS, N - i);
		centred(m, buffer, r, h, i, w);
		cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, h, a->n, w, 1, buffer, w, a->from + i, N, i ? 1 : 0,
			a->to + (size_t)r * (size_t)a->n, a->n);
	}
}

void images_project(const struct images *m, double *t, const double *v, int n)
{
	struct tiles a = {.m = m, .fn = project_tile, .count = (int)((m->rows + ROWS - 1) / ROWS), .to = t, .from = v, .n = n};
	a.bytes = ROWS * PIXELS * sizeof(double);
	run(&a);
}

static void combine_tile(const struct tiles *a, int tile, void *buffer)
{
	const struct images *m = a->m;
	int N = m->pixels, i = tile * ROWS, w = least(ROWS, N - i);
	for (uint32_t r = 0; r < m->rows; r += PIXELS) {
		int h = (int)(m->rows - r < PIXELS ? m->rows - r : PIXELS);
		centred(m, buffer, r, h, i, w);
		cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, a->n, w, h, 1, a->from + (size_t)r * (size_t)a->n, a->n, buffer, w,
			r ? 1 : 0, a->to + i, N);
	}
}

void images_combine(const struct images *m, double *w, const double *t, int n)
{
	struct tiles a = {.m = m, .fn = combine_tile, .count = (m->pixels + ROWS - 1) / ROWS, .to = w, .from = t, .n = n};
	a.bytes = ROWS * PIXELS * sizeof(double);
	run(&a);
}
