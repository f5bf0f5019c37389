/* The tiled GEMM with tensor cores, emulated on the host: products of plain matrices in each layout, aligned or not, in each size of tile and
 * with split-K, against sums in double; the same bits in each order of threads; and no bank conflicts in the main loop. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/cuda/tile.h"
#include "lib/base/philox.h"

extern "C" {
#include "lib/base/err.h"
}

template <int WITH_SUMS> struct epilogue_plain { /* y (M + 1, N4); row M: the sums of B's columns */
	enum { WHOLE_TILE = 0, COLUMN_SUMS = WITH_SUMS, TILE_SUMS = 0 };
	float *y;
	int N4;
	int unused = 0;
	__device__ void store(int m, int n, float4 v, int) const
	{
		*(float4 *)(y + (size_t)m * (size_t)N4 + (size_t)n) = v;
	}
};

static struct cuda *c;

static void begin(int order, enum precision precision)
{
	static const char *const names[] = {NULL, "reverse", "1", "2"};
	if (names[order])
		setenv("KEYPIPE_GPU_ORDER", names[order], 1);
	else
		unsetenv("KEYPIPE_GPU_ORDER");
	c = (struct cuda *)xcalloc(1, sizeof *c);
	c->gpu = gpu_open(order == 1);
	c->gpu.multiprocessors = 4, c->precision = precision;
	c->counters = (unsigned *)gpu_alloc(CUDA_COUNTERS * sizeof *c->counters);
	gpu_memset(c->counters, 0, CUDA_COUNTERS * sizeof *c->counters);
	queue_open(&c->q);
	memset(fiber_conflicts, 0, sizeof fiber_conflicts);
}

static void end(void)
{
	queue_close(&c->q);
	gpu_close();
	free(c);
}

static float number(size_t i, uint32_t what)
{
	return 2 * philox_uniform(philox(7, PHILOX_TEST, 0, what, (uint32_t)i).v[0]) - 1;
}

/* (rows, ld) on the GPU; row r begins at r ld. */
static float *matrix(size_t n, uint32_t what)
{
	float *device = (float *)gpu_alloc(n * sizeof *device), *host = (float *)xcalloc(n, sizeof *host);
	for (size_t i = 0; i < n; i++)
		host[i] = number(i, what);
	gpu_upload(device, host, n * sizeof *host);
	free(host);
	return device;
}

static const struct {
	int M, N, K, m, n, splits; /* m, n: the tile */
} products[] = {{161, 65, 64, 160, 64, 1}, {80, 70, 132, 80, 64, 2}, {130, 33, 100, 128, 32, 1}, {130, 132, 70, 128, 128, 1}, {256, 128, 33, 128, 128, 1}, {100, 60, 256, 128, 64, 1}, {129, 65, 96, 128, 64, 1},
	{1, 1, 1, 64, 64, 1}, {70, 61, 40, 64, 64, 1}, {40, 100, 300, 64, 64, 3}, {128, 128, 257, 128, 128, 2}, {64, 64, 8, 64, 64, 1}, {25, 32, 320, 32, 32, 3}, {36, 40, 64, 32, 32, 1}};

static float *multiplied(int which, enum precision precision, int a_major, int b_major, int order)
{
	auto p = products[which];
	int N4 = cuda_c4(p.N);
	begin(order, precision);
	size_t n = (size_t)(p.M + 1) * (size_t)N4;
	float *a = matrix((size_t)p.M * (size_t)p.K, 1), *b = matrix((size_t)p.N * (size_t)p.K, 2), *y = (float *)gpu_alloc(n * sizeof *y),
	      *partial = (float *)gpu_alloc((size_t)16 * 161 * 128 * sizeof *partial);
	struct tiling tiling = {p.m, p.n, p.splits, ceil_div(ceil_div(p.K, p.splits), TILE_K) * TILE_K, p.splits};
	struct epilogue_plain<1> e = {y, N4};
	struct epilogue_plain<0> e_k = {y, N4};
	struct loader_k_major ak = k_major(a, (size_t)p.K, p.M), bk = k_major(b, (size_t)p.K, p.N);
	struct loader_mn_major am = mn_major(a, NULL, p.K, (size_t)p.M, p.M), bm = mn_major(b, NULL, p.K, (size_t)p.N, p.N);
	if (a_major && b_major)
		tile_launch_by_size(c, ak, bk, e_k, p.M, p.N, p.K, tiling, partial);
	else if (a_major)
		tile_launch_by_size(c, ak, bm, e, p.M, p.N, p.K, tiling, partial);
	else
		tile_launch_by_size(c, am, bm, e, p.M, p.N, p.K, tiling, partial);
	queue_flush(&c->q);
	float *got = (float *)xcalloc(n, sizeof *got);
	gpu_download(got, y, n * sizeof *got);
	return got;
}

/* Each product in three layouts and two precisions. */
START_TEST(product)
{
	int which = _i / 6, layout = _i / 2 % 3, a_major = layout < 2, b_major = layout == 0;
	enum precision precision = _i % 2 ? PRECISION_BF16 : PRECISION_TF32;
	auto p = products[which];
	int N4 = cuda_c4(p.N);
	size_t n = (size_t)(p.M + 1) * (size_t)N4;
	if ((a_major && p.m == 32) || (!a_major && (p.m == 160 || p.m == 80 || p.n == 32)) || (p.m == 128 && p.n == 128 && precision == PRECISION_BF16)) /* no such tile */
		return;
	float *first = NULL;
	for (int order = 0; order < 4; order++) {
		float *got = multiplied(which, precision, a_major, b_major, order);
		ck_assert_uint_gt(fiber_conflicts[16].accesses + fiber_conflicts[4].accesses, 0);
		ck_assert_uint_eq(fiber_conflicts[16].conflicts, 0); /* copies of 16 bytes, rows of matrices */
		if (p.M % 4 == 0 && p.N % 4 == 0 && p.K % 4 == 0)
			ck_assert_uint_eq(fiber_conflicts[4].conflicts, 0); /* words of fragments; else of copies by words too */
		end();
		if (first) {
			ck_assert(!memcmp(first, got, n * sizeof *got));
			free(got);
			continue;
		}
		first = got;
		for (size_t m = 0; m <= (size_t)p.M; m++)
			for (size_t j = 0; j < (size_t)p.N; j++) {
				double sum = 0, is = (double)got[m * (size_t)N4 + j], u = precision == PRECISION_BF16 ? 0x1p-8 : 0x1p-11;
				for (size_t k = 0; k < (size_t)p.K; k++) {
					double x = m == (size_t)p.M ? 1 : (double)number(a_major ? m * (size_t)p.K + k : k * (size_t)p.M + m, 1);
					sum += x * (double)number(b_major ? j * (size_t)p.K + k : k * (size_t)p.N + j, 2);
				}
				if (m == (size_t)p.M && b_major)
					continue;
				ck_assert_msg(fabs(is - sum) < (m == (size_t)p.M ? 1e-4 : 4 * u * sqrt(p.K)), "(%zu, %zu): %g, not %g", m, j, is, sum);
			}
	}
	free(first);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tile");
	TCase *t = tcase_create("tile");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, product, 0, 6 * (int)(sizeof products / sizeof *products));
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
