/* The race detector: kernels that are not ordered by a barrier, or by one too weak, end the program in any order of threads, with a line that
 * names both; ordered ones give their results. Built with -fsanitize=thread, as kernels are for it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/last_block.h"
#include "kernels/cuda/ptx.h"
#include "kernels/cuda/queue.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* a C header, whose initializers leave the rest zero */
#include "tests/child.h"
#pragma GCC diagnostic pop
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

extern "C" {
#include "lib/base/err.h"
}

enum order { NONE, SHUFFLE, WARP, BLOCK, LAUNCH };

enum { WAITS = __LINE__ + 8 }; /* the line of __syncthreads */
static inline __device__ void wait_by(enum order order)
{
	if (order == SHUFFLE)
		__shfl_xor_sync(0xffffffffu, 1, 1);
	if (order == WARP)
		__syncwarp();
	if (order == BLOCK)
		__syncthreads();
}

enum { PASSES_ON = __LINE__ + 6 }; /* the line of its write; the read is two further */
/* Each thread's value is read by the thread `by` further. */
static __global__ void passes_on(int *y, enum order order, int by)
{
	SHARED(int, s);
	unsigned i = threadIdx.x, n = blockDim.x;
	s[i] = (int)i;
	wait_by(order);
	int v = s[(i + n - (unsigned)by) % n];
	if (blockIdx.x == 0)
		y[i] = v;
}

/* Reads, then writes; the write's thread is `by` further. */
static __global__ void takes_back(int *, enum order order, int by)
{
	SHARED(int, s);
	unsigned i = threadIdx.x, n = blockDim.x;
	s[i] = 0;
	__syncthreads();
	int v = s[i];
	wait_by(order);
	s[(i + (unsigned)by) % n] = v + 1;
}

/* The last read is the writer's own and hides that of thread 0, `by` before it. */
static __global__ void hides(int *y, enum order order, int by)
{
	SHARED(int, s);
	if (threadIdx.x == 0)
		s[0] = 1;
	__syncthreads();
	int v = threadIdx.x == 0 ? s[0] : 0;
	wait_by(order);
	if (threadIdx.x == (unsigned)by)
		s[0] = s[0] + 1;
	if (v == 77)
		y[blockIdx.x] = 1;
}

/* Blocks count in one word of global memory. */
static __global__ void counts(int *y, enum order, int)
{
	if (threadIdx.x == 0)
		y[0]++;
}

/* One block writes what another reads; reads first where by < 0. */
static __global__ void two_blocks(int *y, enum order, int by)
{
	unsigned writer = by < 0 ? 1 : 0;
	int v = 0;
	if (threadIdx.x == 0 && blockIdx.x != writer)
		v = y[8];
	if (threadIdx.x == 0 && blockIdx.x == writer)
		y[8] = 1;
	if (v == 77)
		y[9] = 1;
}

/* Both blocks read, the second writes: its own read hides the first's. */
static __global__ void reads_twice(int *y, enum order, int)
{
	if (threadIdx.x)
		return;
	int v = y[3];
	if (v == 77)
		y[4 + blockIdx.x] = 1;
	if (blockIdx.x == 1)
		y[3] = v + 1;
}

/* The last block to count itself reads what the others wrote; which of its parts is left out. */
enum { NOTHING, FIRST_BARRIER, FIRST_FENCE, COUNT, SECOND_FENCE, LAST_BARRIER, OTHER_COUNT };
static __global__ void last_sums(int *y, enum order, int without)
{
	SHARED(int, s);
	unsigned i = threadIdx.x, *counter = (unsigned *)y + 255;
	y[blockIdx.x * 64 + i] = 1;
	if (without != FIRST_BARRIER)
		__syncthreads();
	if (i == 63) {
		if (without != FIRST_FENCE)
			__threadfence();
		unsigned before = without == COUNT ? blockIdx.x : atomicInc(without == OTHER_COUNT ? counter - blockIdx.x : counter, 1);
		*s = without == COUNT || without == OTHER_COUNT ? 1 : before == 1;
		if (without != SECOND_FENCE)
			__threadfence();
	}
	if (without != LAST_BARRIER)
		__syncthreads();
	if (without == LAST_BARRIER ? i == 63 && *s : *s)
		y[128 + i] = y[i] + y[64 + (i + 1) % 64];
}

/* last_block: the sum of all blocks, again and again by one counter; y[0] to y[63] and the counter are as they were. */
static __global__ void counted_sums(int *y, enum order, int)
{
	SHARED(int, s);
	unsigned i = threadIdx.x;
	y[64 + blockIdx.x * 64 + i] = (int)(blockIdx.x + 1);
	if (last_block((unsigned *)y + 255, 2, s))
		y[i] = y[i] + y[64 + i] + y[128 + i];
}

/* Bytes of one word by different threads, and, where by, the same byte. */
static __global__ void bytes(int *y, enum order, int by)
{
	char *p = (char *)y;
	if (threadIdx.x < 4 && blockIdx.x == 0)
		p[by ? 2 : threadIdx.x] = (char)threadIdx.x;
}

/* Rows of a matrix that one thread has written, by: 0 of the same warp, 32 of another. */
static __global__ void matrices(unsigned *y, enum order order, int by)
{
	SHARED(unsigned, s);
	unsigned r[1][4];
	if (threadIdx.x == (unsigned)by)
		for (int i = 0; i < 128; i++)
			s[i] = 1;
	wait_by(order);
	if (threadIdx.x < 32)
		ldmatrix<1>(r, (float *)s + threadIdx.x % 32 * 4, 0);
	if (threadIdx.x < 32 && !blockIdx.x)
		y[threadIdx.x] = r[0][0];
}

/* A copy's bytes, read by the thread `by` further, after waiting for it (WAITS_FIRST), for it and then by order, or by order alone. */
enum { BARRIER_ALONE = 100, WRITES_TOO = 200, READ_BEFORE = 300 };
static __global__ void copies(float *y, enum order order, int by)
{
	SHARED(float, s);
	unsigned i = threadIdx.x;
	if (by >= READ_BEFORE && i == 33 && s[0] == 77)
		y[64] = 0;
	if (by >= READ_BEFORE)
		wait_by(order);
	cp_async<16>(s + i * 4, y + i * 4, 16);
	cp_async_commit();
	if (by >= WRITES_TOO && by < READ_BEFORE)
		s[i * 4] = 1;
	if (by < BARRIER_ALONE)
		cp_async_wait<0>();
	if (by < READ_BEFORE)
		wait_by(order);
	float v = by < READ_BEFORE ? s[(i + (unsigned)by) % 64 * 4] : 0;
	if (by >= BARRIER_ALONE)
		cp_async_wait<0>();
	if (v == 77)
		y[0] = v;
}

/* The main loop of a GEMM: three stages, one copied while another is read. what: 1: nothing waits for copies, 2: no barrier, 3: a copy goes to
 * the stage that is read. */
static __global__ void stages(float *y, enum order, int what)
{
	SHARED(float, s);
	unsigned i = threadIdx.x;
	float sum = 0;
	for (unsigned k = 0; k < 2; k++)
		cp_async<4>(s + k * 64 + i, y + i, 4), cp_async_commit();
	for (unsigned k = 0; k < 8; k++) {
		if (what != 1)
			cp_async_wait<1>();
		if (what != 2)
			__syncthreads();
		cp_async<4>(s + (k + (what == 3 ? 0 : 2)) % 3 * 64 + i, y + i, 4), cp_async_commit();
		sum += s[k % 3 * 64 + 63 - i];
	}
	cp_async_wait<0>();
	if (sum == 77)
		y[0] = sum;
}

/* Shared memory of one block is not that of the next; global memory of one launch is there in the next. */
static __global__ void alone(int *y, enum order, int by)
{
	SHARED(int, s);
	s[threadIdx.x] = 1;
	y[blockIdx.x * 64 + (threadIdx.x + (unsigned)by) % 64] += s[threadIdx.x];
}

static struct queue q;

template <class T>
static void twice(void (*kernel)(T *, enum order, int), const char *name, enum order order, int by, int launches)
{
	T *y = (T *)gpu_alloc(1024);
	gpu_memset(y, 0, 1024);
	for (int i = 0; i < launches; i++)
		launch_add(&q, name, 0, dim3(2), dim3(64), 1024, kernel, y, order, by);
	queue_flush(&q);
	gpu_free(y);
}

static void counts_twice(void)
{
	int *y = (int *)gpu_alloc(1024), host[256];
	gpu_memset(y, 0, 1024);
	for (int i = 0; i < 5; i++)
		launch_add(&q, "counted_sums", 0, dim3(2), dim3(64), 1024, counted_sums, y, NONE, 0);
	queue_flush(&q);
	gpu_download(host, y, sizeof host);
	for (int i = 0; i < 64; i++)
		if (host[i] != 15)
			die("%d: %d, not 15", i, host[i]);
	if (host[255])
		die("the counter is %d", host[255]);
	gpu_free(y);
}

#define RUN(kernel, ...) [] { twice(kernel, #kernel, __VA_ARGS__); }
static const struct {
	void (*run)(void);
	const char *kernel, *says[2]; /* NULL: no race; what is in the line where threads run forward */
	const char *skip;	      /* KEYPIPE_GPU_SKIP */
} races[] = {
	/* shared memory across warps */
	{RUN(passes_on, NONE, 32, 1), "passes_on", {"thread (32, 0, 0): a race: it writes 4 bytes (", "that thread (0, 0, 0) reads ("}},
	{RUN(passes_on, WARP, 32, 1), "passes_on", {"), unordered: byte 128 of shared memory\n"}},
	{RUN(passes_on, BLOCK, 32, 1), NULL},
	{RUN(takes_back, WARP, 32, 1), "takes_back", {"it reads 4 bytes (", " writes ("}},
	{RUN(takes_back, BLOCK, 32, 1), NULL},
	{RUN(hides, WARP, 33, 1), "hides", {"it writes 4 bytes ("}},
	{RUN(hides, BLOCK, 33, 1), NULL},
	/* within a warp */
	{RUN(passes_on, NONE, 1, 1), "passes_on", {"thread (1, 0, 0): a race: it reads 4 bytes (", "that thread (0, 0, 0) writes ("}},
	{RUN(takes_back, SHUFFLE, 1, 1), "takes_back", {"a race"}},
	{RUN(hides, NONE, 1, 1), "hides", {"it writes 4 bytes ("}},
	{RUN(hides, SHUFFLE, 1, 1), "hides", {"it writes 4 bytes ("}},
	{RUN(hides, WARP, 1, 1), NULL},
	{RUN(hides, NONE, 0, 1), NULL},
	{RUN(matrices, NONE, 0, 1), "matrices", {"it reads 4 bytes (check_race.cc:", "that thread (0, 0, 0) writes (check_race.cc:"}},
	{RUN(matrices, SHUFFLE, 0, 1), "matrices", {"it reads 4 bytes (check_race.cc:"}},
	{RUN(matrices, WARP, 0, 1), NULL},
	{RUN(matrices, WARP, 32, 1), "matrices", {"it writes 4 bytes ("}},
	{RUN(matrices, BLOCK, 32, 1), NULL},
	/* asynchronous copies */
	{RUN(copies, NONE, 0, 1), NULL},
	{RUN(copies, NONE, 1, 1), "copies", {"it writes 16 bytes (check_race.cc:", "that thread (0, 0, 0) reads (check_race.cc:"}},
	{RUN(copies, WARP, 32, 1), "copies", {"it writes 16 bytes (check_race.cc:"}},
	{RUN(copies, BLOCK, 32, 1), NULL},
	{RUN(copies, NONE, BARRIER_ALONE + 64 - 36, 1), "copies", {"thread (0, 0, 0): a race: it reads 4 bytes (",
		"that thread (0, 0, 0) writes (check_race.cc:"}},
	{RUN(copies, BLOCK, BARRIER_ALONE, 1), "copies", {"), not waited for: byte "}},
	{RUN(copies, NONE, WRITES_TOO + 1, 1), "copies", {"it writes 4 bytes (", "), not waited for: byte 0 of shared memory\n"}},
	{RUN(copies, NONE, READ_BEFORE, 1), "copies", {"a race: it reads 4 bytes (", "that thread (0, 0, 0) writes ("}},
	{RUN(copies, BLOCK, READ_BEFORE, 1), NULL},
	{RUN(stages, NONE, 0, 1), NULL},
	{RUN(stages, NONE, 1, 1), "stages", {"it reads 4 bytes (", "), not waited for: byte "}},
	{RUN(stages, NONE, 2, 1), "stages", {"it writes 4 bytes (", "), unordered: byte "}},
	{RUN(stages, NONE, 3, 1), "stages", {"a race"}},
	/* global memory between blocks */
	{RUN(counts, BLOCK, 0, 1), "counts", {"block (1, 0, 0), thread (0, 0, 0): a race: it reads 4 bytes (",
		"that thread (0, 0, 0) of block (0, 0, 0) writes ("}},
	{RUN(two_blocks, BLOCK, 1, 1), "two_blocks", {"it reads 4 bytes (",
		"byte 32 of device memory, byte 32 from the pointer of argument 1\n"}},
	{RUN(two_blocks, BLOCK, -1, 1), "two_blocks", {"it writes 4 bytes (", "of block (0, 0, 0) reads ("}},
	{RUN(reads_twice, BLOCK, 0, 1), "reads_twice", {"it writes 4 bytes ("}},
	{RUN(last_sums, NONE, NOTHING, 2), NULL},
	{RUN(last_sums, NONE, FIRST_BARRIER, 1), "last_sums", {"it reads 4 bytes (", " writes ("}},
	{RUN(last_sums, NONE, FIRST_FENCE, 1), "last_sums", {"block (1, 0, 0), thread (0, 0, 0): a race: it reads 4 bytes (", "of block (0, 0, 0) writes ("}},
	{RUN(last_sums, NONE, COUNT, 1), "last_sums", {"a race"}},
	{RUN(last_sums, NONE, SECOND_FENCE, 1), "last_sums", {"of block (0, 0, 0) writes ("}},
	{RUN(last_sums, NONE, LAST_BARRIER, 1), "last_sums", {"a race"}},
	{RUN(last_sums, NONE, OTHER_COUNT, 1), "last_sums", {"a race"}},
	{[] { counts_twice(); }, NULL},
	{RUN(bytes, BLOCK, 1, 1), "bytes", {"it writes 1 bytes (", "byte 2 of device memory"}},
	{RUN(bytes, BLOCK, 0, 1), NULL},
	/* launches */
	{RUN(alone, NONE, 0, 1), NULL},
	{RUN(alone, NONE, 1, 8), NULL},
	{RUN(alone, NONE, 1, 8), "alone", {"that an earlier launch writes ("}, "alone"},
	{RUN(alone, NONE, 1, 8), NULL, {}, "another"},
	{RUN(alone, NONE, 0, 1), NULL, {}, "alone"},
};

static const char *running_order;

static void run(void *arg)
{
	if (running_order)
		setenv("KEYPIPE_GPU_ORDER", running_order, 1);
	gpu_open(running_order && !strcmp(running_order, "reverse"));
	queue_open(&q);
	((void (*)(void))arg)();
	queue_close(&q);
	gpu_close();
	_exit(0);
}

START_TEST(planted)
{
	static const char *const orders[] = {NULL, "reverse", "1", "2"};
	const auto *r = &races[_i];
	for (const char *order : orders) {
		running_order = order;
		if (r->skip)
			setenv("KEYPIPE_GPU_SKIP", r->skip, 1);
		struct child c = child_run(run, (void *)r->run);
		unsetenv("KEYPIPE_GPU_SKIP");
		ck_assert_msg(c.status == (r->kernel != NULL), "%d, %s: status %d, signal %d: '%s'", _i, order, c.status, c.signal, c.err);
		if (!r->kernel)
			continue;
		char want[128];
		sprintf(want, "keypipe: kernel %s: block (", r->kernel);
		ck_assert_msg(!strncmp(c.err, want, strlen(want)) && strstr(c.err, ": a race: it "), "%d, %s: '%s'", _i, order, c.err);
		ck_assert(strchr(c.err, '\n') == c.err + strlen(c.err) - 1);
		for (const char *says : r->says)
			ck_assert_msg(order || !says || strstr(c.err, says), "%d: '%s', not '%s'", _i, c.err, says);
	}
}
END_TEST

/* Both source lines. */
START_TEST(lines)
{
	char want[128];
	running_order = NULL;
	struct child c = child_run(run, (void *)races[0].run);
	sprintf(want, "writes 4 bytes (check_race.cc:%d) that thread (0, 0, 0) reads (check_race.cc:%d)", PASSES_ON, PASSES_ON + 2);
	ck_assert_msg(strstr(c.err, want) != NULL, "'%s', not '%s'", c.err, want);
}
END_TEST

/* A barrier is left out at one line alone. */
START_TEST(left_out)
{
	char skip[64];
	running_order = NULL;
	for (int i = -1; i < 2; i++) {
		sprintf(skip, "check_race.cc:%d", WAITS + i);
		setenv("KEYPIPE_GPU_SKIP", skip, 1);
		struct child c = child_run(run, (void *)races[2].run);
		ck_assert_int_eq(c.status, i == 0);
		if (i)
			ck_assert_msg(strstr(c.err, " left out 0 times\n") != NULL, "%s", c.err);
	}
	unsetenv("KEYPIPE_GPU_SKIP");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("race");
	TCase *t = tcase_create("race");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, planted, 0, sizeof races / sizeof *races);
	tcase_add_test(t, lines);
	tcase_add_test(t, left_out);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
