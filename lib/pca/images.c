/* Tiles of bytes, converted to floating point one at a time, times a matrix. */
#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pca/images.h"
#include "lib/pca/tiles.h"

/* Rows and pixels of a tile; rows or pixels of one of products of the images with themselves, and rows of these at once; rows whose sums of
 * squares are below 2^32; the grey level about which bytes are small whole numbers. */
enum { ROWS = 256, PIXELS = 512, SQUARE = 512, SUMS = 4096, MIDDLE = 128 };

/* An operation, and what its tiles read and write. */
struct task {
	const struct images *m;
	double *to;		/* the result */
	const double *from;	/* the other factor */
	int n;			/* its vectors; rows or pixels of a tile */
	uint64_t *sum, *square; /* (pixels) */
	pthread_mutex_t lock;	/* of to, sum and square where tiles add to them: whole numbers, exact in any order */
};

static void run(struct task *a, int count, size_t bytes, void (*fn)(void *arg, int tile, void *buffer))
{
	pthread_mutex_init(&a->lock, NULL);
	tiles_run(count, a->m->threads, bytes, fn, a);
	pthread_mutex_destroy(&a->lock);
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int tiles(uint32_t n, int of)
{
	return (int)((n + (uint32_t)of - 1) / (uint32_t)of);
}

/* At most SQUARE, and so many that threads get evenly many tiles of n: for sums that are exact however they are divided. */
static int even(uint32_t n, int threads)
{
	return tiles(n, tiles(n, SQUARE * threads) * threads);
}

/* Rows of a tile of at most `most`. */
static int rows_of(const struct images *m, int tile, int most)
{
	uint32_t left = m->rows - (uint32_t)tile * (uint32_t)most;
	return left < (uint32_t)most ? (int)left : most;
}

static void sum_tile(void *arg, int tile, void *buffer)
{
	struct task *a = arg;
	size_t n = (size_t)a->m->pixels;
	uint32_t *sum = buffer, *square = sum + n;
	const uint8_t *x = a->m->x + (size_t)tile * SUMS * n;
	memset(buffer, 0, 2 * n * sizeof *sum);
	for (int r = 0; r < rows_of(a->m, tile, SUMS); r++, x += n)
		for (size_t i = 0; i < n; i++)
			sum[i] += x[i], square[i] += (uint32_t)(x[i] * x[i]);
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < n; i++)
		a->sum[i] += sum[i], a->square[i] += square[i];
	pthread_mutex_unlock(&a->lock);
}

struct images images_new(const uint8_t *x, uint32_t rows, int pixels, int threads)
{
	struct images m = {.x = x, .rows = rows, .pixels = pixels, .threads = threads};
	size_t n = (size_t)pixels;
	struct task a = {.m = &m, .sum = xcalloc(n, sizeof *a.sum), .square = xcalloc(n, sizeof *a.square)};
	run(&a, tiles(rows, SUMS), 2 * n * sizeof(uint32_t), sum_tile);
	m.mean = xcalloc(n, sizeof *m.mean), m.square = xcalloc(n, sizeof *m.square), m.sum = xcalloc(n, sizeof *m.sum);
	for (size_t i = 0; i < n; i++) {
		m.mean[i] = (double)a.sum[i] / rows, m.sum[i] = (int64_t)a.sum[i] - MIDDLE * (int64_t)rows;
		/* the difference of numbers beyond 2^64, which is 0 where a pixel never changes */
		m.square[i] = (double)((unsigned __int128)a.square[i] * rows - (unsigned __int128)a.sum[i] * a.sum[i]) / rows;
	}
	free(a.sum), free(a.square);
	return m;
}

void images_free(struct images *m)
{
	free(m->mean), free(m->square), free(m->sum);
}

/* Adds x x', x (n, count), or x' x of its transpose, to the matrix (n, n), lower triangle, SQUARE rows at a time. */
static void add_products(struct task *a, const float *x, int transposed, int n, int count, float *product)
{
	for (int i = 0, w; i < n; i += w) {
		w = least(SQUARE, n - i);
		int to = i + w, ld = transposed ? n : count;
		const float *rows = x + (size_t)i * (transposed ? 1 : (size_t)count);
		if (i)
			cblas_sgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, transposed ? CblasNoTrans : CblasTrans, w, i,
				count, 1, rows, ld, x, ld, 0, product, to);
		cblas_ssyrk(CblasRowMajor, CblasLower, transposed ? CblasTrans : CblasNoTrans, w, count, 1, rows, ld, 0, product + i, to);
		pthread_mutex_lock(&a->lock);
		for (int k = 0; k < w; k++) {
			double *sum = a->to + (size_t)(i + k) * (size_t)n;
			for (int j = 0; j <= i + k; j++)
				sum[j] += (double)product[(size_t)k * (size_t)to + (size_t)j];
		}
		pthread_mutex_unlock(&a->lock);
	}
}

static void scatter_tile(void *arg, int tile, void *buffer)
{
	struct task *a = arg;
	int N = a->m->pixels, h = rows_of(a->m, tile, a->n);
	float *x = buffer, *product = x + SQUARE * (size_t)N;
	const uint8_t *from = a->m->x + (size_t)tile * (size_t)a->n * (size_t)N;
	for (size_t i = 0; i < (size_t)h * (size_t)N; i++)
		x[i] = (float)(from[i] - MIDDLE);
	add_products(a, x, 1, N, h, product);
}

static void gram_tile(void *arg, int tile, void *buffer)
{
	struct task *a = arg;
	int n = (int)a->m->rows, at = tile * a->n, w = least(a->n, a->m->pixels - at);
	float *x = buffer, *product = x + SQUARE * (size_t)n;
	for (int r = 0; r < n; r++) {
		const uint8_t *from = a->m->x + (size_t)r * (size_t)a->m->pixels + at;
		for (int j = 0; j < w; j++)
			x[r * w + j] = (float)(from[j] - MIDDLE);
	}
	add_products(a, x, 0, n, w, product);
}

/* The upper triangle, from the lower one. */
static void mirror(double *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			s[j * n + i] = s[i * n + j];
}

void images_scatter(const struct images *m, double *s)
{
	size_t n = (size_t)m->pixels;
	struct task a = {.m = m, .to = s, .n = even(m->rows, m->threads)};
	memset(s, 0, n * n * sizeof *s);
	run(&a, tiles(m->rows, a.n), 2 * SQUARE * n * sizeof(float), scatter_tile);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++)
			s[i * n + j] = (double)((__int128)s[i * n + j] * m->rows - (__int128)m->sum[i] * m->sum[j]) / m->rows;
	mirror(s, n);
}

/* The mean row is the mean of all, so products with it are means of products: here sums, whole numbers. */
void images_gram(const struct images *m, double *s)
{
	size_t n = m->rows;
	struct task a = {.m = m, .to = s, .n = even((uint32_t)m->pixels, m->threads)};
	int64_t *with = xcalloc(n, sizeof *with); /* products of each row with the sum of rows; */
	__int128 own = 0;			  /* of this sum with itself */
	memset(s, 0, n * n * sizeof *s);
	run(&a, tiles((uint32_t)m->pixels, a.n), 2 * SQUARE * n * sizeof(float), gram_tile);
	mirror(s, n);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++)
			with[i] += (int64_t)s[i * n + j];
		own += with[i];
	}
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			s[i * n + j] =
				(double)(((__int128)s[i * n + j] * m->rows - with[i] - with[j]) * m->rows + own) / ((double)n * (double)n);
	free(with);
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

static void project_tile(void *arg, int tile, void *buffer)
{
	const struct task *a = arg;
	const struct images *m = a->m;
	uint32_t r = (uint32_t)tile * ROWS;
	int N = m->pixels, h = rows_of(m, tile, ROWS);
	for (int i = 0; i < N; i += PIXELS) {
		int w = least(PIXELS, N - i);
		centred(m, buffer, r, h, i, w);
		cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, h, a->n, w, 1, buffer, w, a->from + i, N, i ? 1 : 0,
			a->to + (size_t)r * (size_t)a->n, a->n);
	}
}

void images_project(const struct images *m, double *t, const double *v, int n)
{
	struct task a = {.m = m, .to = t, .from = v, .n = n};
	run(&a, tiles(m->rows, ROWS), ROWS * PIXELS * sizeof(double), project_tile);
}

static void combine_tile(void *arg, int tile, void *buffer)
{
	const struct task *a = arg;
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
	struct task a = {.m = m, .to = w, .from = t, .n = n};
	run(&a, tiles((uint32_t)m->pixels, ROWS), ROWS * PIXELS * sizeof(double), combine_tile);
}
