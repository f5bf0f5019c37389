/* The launch queue: order, graphs reused with other arguments, and what needs a new graph. How GEMMs are cut for a number of
 * multiprocessors. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/tile.h"

extern "C" {
#include "lib/base/err.h"
#include "tests/child.h"
}

static struct backend *be;

static void set_up(void)
{
	be = backend_init_by_name("cuda", 1, PRECISION_FP32);
}

static void tear_down(void)
{
	be->close(be);
}

/* x = mul x + add: the result depends on the order of launches. */
static __global__ void affine(double *x, double mul, double add, size_t n)
{
	size_t i = launch_index();
	if (i < n)
		x[i] = mul * x[i] + add;
}

static double *zeros(size_t n)
{
	return (double *)be->alloc(be, n * sizeof(double));
}

static double first(const double *x)
{
	double v;
	be->download(be, &v, x, sizeof v);
	return v;
}

START_TEST(order)
{
	struct queue *q = queue_of(be);
	double *x = zeros(1), want = 0;
	for (int k = 1; k <= 2 * QUEUE_LAUNCHES + 7; k++) { /* over several flushes */
		launch_flat(q, 1, affine, x, k % 3 ? 1.0 : 0.5, (double)k, (size_t)1);
		want = (k % 3 ? 1.0 : 0.5) * want + k;
	}
	ck_assert(first(x) == want);
	be->release(be, x);
}
END_TEST

/* A repeated epoch: one graph for each flush of it, and only arguments that differ are set. */
START_TEST(repeated_epoch)
{
	struct queue *q = queue_of(be);
	double *x = zeros(1), want = 0;
	enum { CALLS = QUEUE_LAUNCHES + 100, EPOCHS = 5 };
	for (int e = 0; e < EPOCHS; e++) {
		for (int k = 0; k < CALLS; k++) {
			double add = k == 3 ? e : k; /* one launch has another argument in each epoch */
			launch_flat(q, 1, affine, x, 0.5, add, (size_t)1);
			want = 0.5 * want + add;
		}
		ck_assert(first(x) == want);
	}
	ck_assert_msg(q->graphs == 2 && q->runs == 2 * EPOCHS && q->sets == EPOCHS - 1, "%d graphs, %d runs, %d sets", q->graphs, q->runs,
		q->sets);
	/* another grid, kernel order or length needs another graph */
	for (int k = 0; k < 10; k++)
		launch_flat(q, k == 5 ? 300 : 1, affine, x, 1.0, 1.0, (size_t)1);
	want = first(x);
	for (int k = 0; k < 10; k++)
		launch_flat(q, k == 6 ? 300 : 1, affine, x, 1.0, 1.0, (size_t)1);
	ck_assert(first(x) == want + 10);
	ck_assert_int_eq(q->graphs, 4);
	for (int shared = 0; shared < 2; shared++) { /* other shared memory as well, in launches of the same hash */
		for (int k = 0; k < 10; k++)
			launch(q, dim3(1), LAUNCH_BLOCK, shared && k == 5 ? 64 : 0, affine, x, 1.0, 0.0, (size_t)1);
		ck_assert(first(x) == want + 10);
		ck_assert_int_eq(q->graphs, 5 + shared);
	}
	/* few launches run without a graph */
	launch_flat(q, 1, affine, x, 1.0, 1.0, (size_t)1);
	ck_assert(first(x) == want + 11);
	ck_assert_int_eq(q->graphs, 6);
	be->release(be, x);
}
END_TEST

/* A long epoch of equal steps: the queue cuts it at the ends of steps, so that few graphs run it, however many flushes there are. */
static __global__ void other(double *x, double add)
{
	if (!launch_index())
		x[0] += add;
}

START_TEST(steps)
{
	struct queue *q = queue_of(be);
	double *x = zeros(1), want = 0;
	enum { STEPS = 700, STEP = 29 };
	for (int e = 0; e < 3; e++) {
		for (int s = 0; s < STEPS; s++) /* the last step is shorter */
			for (int k = 0; k < (s == STEPS - 1 ? STEP - 5 : STEP); k++) {
				double add = s + 1000 * e + k;
				if (k == 7 || k == 20)
					launch_flat(q, 1, other, x, add);
				else
					launch_flat(q, k % 5 ? 1 : 300, affine, x, k % 7 ? 1.0 : 0.5, add, (size_t)1);
				want = k == 7 || k == 20 ? want + add : (k % 7 ? 1.0 : 0.5) * want + add;
			}
		ck_assert(first(x) == want);
	}
	ck_assert_msg(q->graphs <= QUEUE_SAME + 2, "%d graphs in %d runs", q->graphs, q->runs);
	ck_assert_msg(q->runs >= 3 * 40, "%d runs", q->runs);
	be->release(be, x);
}
END_TEST

/* More sequences of launches than graphs are kept: the oldest graph is dropped, and results stay right. */
START_TEST(many_graphs)
{
	struct queue *q = queue_of(be);
	double *x = zeros(1), want = 0;
	for (int round = 0; round < 3; round++)
		for (int sequence = 0; sequence < QUEUE_GRAPHS + 5; sequence++) {
			for (int k = 0; k < QUEUE_FEW + sequence; k++, want++)
				launch_flat(q, 1, affine, x, 1.0, 1.0, (size_t)1);
			ck_assert(first(x) == want);
		}
	ck_assert_int_eq(q->graphs, 3 * (QUEUE_GRAPHS + 5));
	be->release(be, x);
}
END_TEST

/* Queued launches run before memory is downloaded, uploaded, mapped or released. */
START_TEST(memory_access)
{
	struct queue *q = queue_of(be);
	double *x = zeros(4), *y = zeros(4), host[4] = {1, 2, 3, 4};
	launch_flat(q, 4, affine, x, 1.0, 1.0, (size_t)4);
	be->upload(be, x, host, sizeof host); /* after the launch */
	launch_flat(q, 4, affine, x, 2.0, 0.0, (size_t)4);
	be->copy(be, y, x, sizeof host);
	const double *view = (const double *)be->map_device(be, y, sizeof host);
	for (int i = 0; i < 4; i++)
		ck_assert(view[i] == 2 * host[i]);
	be->unmap_device(be, view);
	be->zero(be, y, 3 * sizeof *y);
	launch_flat(q, 4, affine, x, 1.0, 1.0, (size_t)4);
	be->release(be, x);
	be->download(be, host, y, sizeof host);
	ck_assert(host[0] == 0 && host[2] == 0 && host[3] == 8);
	double *mapped = (double *)be->map_host(be, host, sizeof host);
	ck_assert(mapped != host && first(mapped + 3) == 8);
	be->unmap_host(be, mapped), be->release(be, y);
}
END_TEST

/* Large products run in cuBLAS, within a graph too, and agree with plain sums. */
START_TEST(cublas)
{
	enum { N = 512 };
	float *host = (float *)xcalloc(3 * N * N, sizeof *host), *x = (float *)be->alloc(be, N * N * 4),
	      *w = (float *)be->alloc(be, N * N * 4), *y = (float *)be->alloc(be, N * N * 4);
	for (int i = 0; i < 2 * N * N; i++)
		host[i] = (float)((i * 2654435761u >> 20) % 17) - 8;
	be->upload(be, x, host, N * N * 4), be->upload(be, w, host + N * N, N * N * 4);
	for (int flip = 0; flip < 2; flip++) {
		for (int k = 0; k < 2 + 3 * flip; k++) /* the bias is the first row of x */
			be->dense(be, y, x, w, flip ? NULL : x, ACT_RELU, flip, N, N, N);
		be->download(be, host + 2 * N * N, y, N * N * 4);
		for (int i = 0; i < N * N; i += 1237) {
			double sum = flip ? 0 : (double)host[i % N];
			for (int k = 0; k < N; k++)
				sum += (double)host[i / N * N + k] *
				       (double)(flip ? host[N * N + k * N + i % N] : host[N * N + i % N * N + k]);
			ck_assert_msg((double)host[2 * N * N + i] == (sum > 0 ? sum : 0), "flip %d, %d: %g, not %g", flip, i,
				(double)host[2 * N * N + i], sum);
		}
	}
	/* neither bias nor activation; then the product of x, as rows' gradients, and w, as their inputs, twice */
	be->dense(be, y, x, w, NULL, ACT_NONE, 0, N, N, N);
	be->download(be, host + 2 * N * N, y, N * N * 4);
	for (int i = 0; i < N * N; i += 1237) {
		double sum = 0;
		for (int k = 0; k < N; k++)
			sum += (double)host[i / N * N + k] * (double)host[N * N + i % N * N + k];
		ck_assert((double)host[2 * N * N + i] == sum);
	}
	for (int add = 0; add < 2; add++)
		be->dense_backward_weight(be, y, NULL, x, w, add, N, N, N);
	be->download(be, host + 2 * N * N, y, N * N * 4);
	for (int i = 0; i < N * N; i += 1237) {
		double sum = 0;
		for (int k = 0; k < N; k++)
			sum += (double)host[k * N + i / N] * (double)host[N * N + k * N + i % N];
		ck_assert((double)host[2 * N * N + i] == 2 * sum);
	}
	be->release(be, x), be->release(be, w), be->release(be, y), free(host);
}
END_TEST

/* By hand, from what tile_plan says of itself, for 132 multiprocessors: the number of tiles of 128 x 64 and of 64 x 32, and clocks. */
START_TEST(tile_plans)
{
	static const struct {
		int M, N, K, whole_tile, large, splits, split_k;
	} plans[] = {
		{128 * 12, 64 * 11, 64, 0, 1, 1, 64},	   /* 132 large tiles, one a multiprocessor: 2 slices, 1792 clocks */
		{128 * 12, 64 * 11 - 64, 64, 0, 1, 1, 64}, /* 120 of them need no more; 480 small ones are 4 a multiprocessor, 3584 */
		{512, 480, 128 * 9, 0, 1, 4, 288},	   /* 32 and 120; 4 splits, 9 slices: 9 896 + 512 (1 + 4) = 10624; 3: 12800; 8: 14080 */
		{512, 480, 128 * 8, 0, 1, 4, 256},	   /* 8 slices */
		{512, 480, 128 * 9, 1, 0, 1, 128 * 9},	   /* not split: 120 small ones, 36 448; of large ones twice that */
		{128 * 11 + 1, 64 * 11, 64, 0, 1, 1, 64},  /* 132 of 23 x 22 = 506 halves: at most 1.5 times as large */
		{65, 33, 128, 0, 0, 1, 128},		   /* too short to be split */
		{65, 33, 128 * 600, 0, 1, 127, 608},	   /* 19 896 + 512 (1 + 12 + 11 + 1), in 11 groups of 12; 33 of 4 small ones: 73 448 + 128 14 */
		{64, 64 * 132, 64, 0, 0, 1, 64},	   /* 132 large tiles, of which half is padding */
	};
	struct cuda c = {};
	c.gpu.multiprocessors = 132, c.gpu.major = 9;
	for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
		struct tiling t = tile_plan(&c, plans[i].M, plans[i].N, plans[i].K, 1, plans[i].whole_tile);
		ck_assert_msg(t.m == (plans[i].large ? 128 : 64) && t.splits == plans[i].splits && t.split_k == plans[i].split_k, "%zu: %d, %d of %d",
			i, t.m, t.splits, t.split_k);
	}
	static const struct { /* with tensor cores */
		int M, N, K, k_major, m, n, splits, split_k;
	} tensor_plans[] = {
		{18432, 64, 1152, 1, 160, 64, 1, 1152}, /* by L2: 116 tiles, 36 739 + 1980; of 128 x 64 144, two a multiprocessor, 49024 */
		{4608, 128, 1152, 1, 128, 128, 3, 384}, /* 12 844 + 2748 + 1024 4 = 16972; 116 halves of 160 x 64: 17202 */
		{1152, 128, 4608, 0, 128, 64, 7, 672},	/* 21 711 + 1724 + 512 (1 + 3 + 3 + 1) = 20751; 3 splits of 64 x 64: 26092 */
	};
	c.precision = PRECISION_TF32;
	for (const auto &p : tensor_plans) {
		struct tiling t = tile_plan(&c, p.M, p.N, p.K, 1, 0, p.k_major);
		ck_assert_msg(t.m == p.m && t.n == p.n && t.splits == p.splits && t.split_k == p.split_k, "%d: %d, %d, %d of %d", p.M, t.m, t.n,
			t.splits, t.split_k);
	}
}
END_TEST

/* KEYPIPE_GPU_SMS is a decimal number, and the number that products are tiled for. */
static void open_with(void *text)
{
	setenv("KEYPIPE_GPU_SMS", (const char *)text, 1);
	set_up();
	printf("%d", cuda_of(be)->gpu.multiprocessors);
	fflush(stdout);
	_exit(0);
}

START_TEST(number_of_multiprocessors)
{
	static const char *const good[] = {"1", "10", "132", "1048576"}, *const bad[] = {"", "0", "-1", "1048577", "7a", "0x7", "7 "};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct child c = child_run(open_with, (void *)(uintptr_t)good[i]);
		ck_assert_msg(c.status == 0 && !strcmp(c.out, good[i]), "%s: %s%s", good[i], c.out, c.err);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct child c = child_run(open_with, (void *)(uintptr_t)bad[i]);
		char want[100];
		snprintf(want, sizeof want, "keypipe: KEYPIPE_GPU_SMS: '%s' is no number of multiprocessors\n", bad[i]);
		ck_assert_msg(c.status == 1 && !strcmp(c.err, want), "'%s': exit %d: %s", bad[i], c.status, c.err);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("queue");
	TCase *t = tcase_create("queue");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, order);
	tcase_add_test(t, repeated_epoch);
	tcase_add_test(t, steps);
	tcase_add_test(t, many_graphs);
	tcase_add_test(t, memory_access);
	tcase_add_test(t, cublas);
	tcase_add_test(t, tile_plans);
	suite_add_tcase(suite, t);
	t = tcase_create("settings"); /* without a backend: a GPU that is open does not survive a fork */
	tcase_add_test(t, number_of_multiprocessors);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
