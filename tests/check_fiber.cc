/* The GPU emulated on the host, threads as fibers: correct kernels give correct results in all thread orders, and each planted fault ends
 * the program with its message. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/backend.h"
#include "kernels/cuda/fiber.h"
#include "kernels/cuda/ptx.h"
#include "kernels/cuda/queue.h"
#include "lib/base/philox.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* a C header, whose initializers leave the rest zero */
#include "tests/child.h"
#pragma GCC diagnostic pop

extern "C" {
#include "lib/base/err.h"
}

static struct queue q;

static float number(size_t i, uint32_t what)
{
	return 2 * philox_uniform(philox(7, PHILOX_TEST, 0, what, (uint32_t)i).v[0]) - 1;
}

enum { ORDERS = 4 }; /* of threads: forward, in reverse, and two that are drawn */

static void begin(int order)
{
	if (order > 1)
		setenv("KEYPIPE_GPU_ORDER", order == 2 ? "1" : "2", 1);
	else
		unsetenv("KEYPIPE_GPU_ORDER");
	gpu_open(order == 1);
	queue_open(&q);
}

static void end(void)
{
	queue_close(&q);
	gpu_close();
}

static float *numbers(size_t n, uint32_t what)
{
	float *device = (float *)gpu_alloc(n * sizeof *device), *host = (float *)xcalloc(n, sizeof *host);
	for (size_t i = 0; i < n; i++)
		host[i] = number(i, what);
	gpu_upload(device, host, n * sizeof *host);
	free(host);
	return device;
}

template <class T> static T *device_array(size_t n)
{
	return (T *)gpu_alloc(n * sizeof(T));
}

/* Runs the queue; a host copy of the result, which the caller frees. */
template <class T> static T *result(const T *device, size_t n)
{
	T *host = (T *)xcalloc(n, sizeof *host);
	queue_flush(&q);
	gpu_download(host, device, n * sizeof *host);
	return host;
}

static __global__ void mirror(float *y, const float *x, int barrier)
{
	SHARED(float, s);
	unsigned n = blockDim.x, i = threadIdx.x;
	s[i] = x[i];
	if (barrier)
		__syncthreads();
	y[i] = s[n - 1 - i];
}

static __global__ void neighbour(float *y, const float *x, int barrier)
{
	SHARED(float, s);
	unsigned i = threadIdx.x;
	s[i] = x[i];
	if (barrier)
		__syncthreads();
	y[i] = s[i ? i - 1 : 0];
}

/* Number of wrong values of 96. */
static int wrong(int which, int barrier, int reverse)
{
	begin(reverse);
	float *x = numbers(96, 0), *y = device_array<float>(96);
	if (which)
		launch(&q, dim3(1), dim3(96), 96 * sizeof(float), neighbour, y, x, barrier);
	else
		launch(&q, dim3(1), dim3(96), 96 * sizeof(float), mirror, y, x, barrier);
	float *got = result(y, 96);
	int bad = 0;
	for (size_t i = 0; i < 96; i++)
		bad += !(got[i] == number(which ? i ? i - 1 : 0 : 95 - i, 0));
	free(got);
	end();
	return bad;
}

START_TEST(missing_barrier)
{
	for (int reverse = 0; reverse < 2; reverse++)
		for (int which = 0; which < 2; which++)
			ck_assert_int_eq(wrong(which, 1, reverse), 0);
	ck_assert_int_ge(wrong(0, 0, 0), 48);
	ck_assert_int_ge(wrong(0, 0, 1), 48);
	ck_assert_int_eq(wrong(1, 0, 0), 0); /* only the reverse order shows it */
	ck_assert_int_ge(wrong(1, 0, 1), 90);
}
END_TEST

/* Planted faults: one kernel a fault, in block 1 of 2 where it can be. */
static __global__ void ends_early(int *y)
{
	if (blockIdx.x == 1 && threadIdx.x == 37)
		return;
	__syncthreads();
	y[threadIdx.x] = 1;
}

static __global__ void two_barriers(int *y)
{
	if (threadIdx.x / 32 == 1) {
		y[0] = 1;
		__syncthreads();
	} else {
		__syncthreads();
	}
}

static __global__ void within_warp(int *y)
{
	if (threadIdx.x == 5) {
		y[0] = 1;
		__syncthreads();
	} else {
		__syncthreads();
	}
}

static __global__ void no_syncwarp(int *y)
{
	if (threadIdx.x != 41)
		__syncwarp();
	y[threadIdx.x] = 1;
	__syncthreads();
}

static __global__ void other_shuffle(int *y)
{
	int v = 1;
	if (threadIdx.x == 9)
		v = __shfl_xor_sync(0xffffffffu, v, 1);
	else
		v = __shfl_down_sync(0xffffffffu, v, 1);
	y[threadIdx.x] = v;
}

static __global__ void fewer_products(int *y)
{
	float c[1][1][4] = {};
	unsigned a[1][4] = {}, b[1][2] = {};
	for (int i = threadIdx.x == 33; i < 2; i++)
		mma<true, 1, 1>(c, a, b);
	y[threadIdx.x] = 1;
}

static __global__ void part_of_warp(int *y)
{
	y[threadIdx.x] = __shfl_xor_sync(0x0000ffffu, 1, 1);
}

static __global__ void device_write(int *y, int at)
{
	if (blockIdx.x == 1 && threadIdx.x == 3)
		y[at] = 1;
}

static __global__ void device_read(int *y, int at)
{
	if (blockIdx.x == 1 && threadIdx.x == 3)
		y[0] = y[at];
}

static __global__ void shared_write(int *y, int at)
{
	SHARED(int, s);
	if (blockIdx.x == 1 && threadIdx.x == 3)
		s[at] = 1;
	y[threadIdx.x] = 1;
}

static __global__ void shared_read(int *y, int at)
{
	SHARED(int, s);
	y[threadIdx.x] = blockIdx.x == 1 && threadIdx.x == 3 ? s[at] : 1;
}

static __global__ void flat_barrier(int *y)
{
	__syncthreads();
	y[0] = 1;
}

static __global__ void flat_shuffle(int *y)
{
	y[0] = __shfl_xor_sync(0xffffffffu, 1, 1);
}

/* Instructions by inline PTX that are wrong in lane 3. */
static __global__ void instruction(float *y, const float *x, int what)
{
	SHARED(float, s);
	unsigned r[1][4] = {}, b[1][2] = {};
	float c[1][1][4] = {};
	int wrong = threadIdx.x == 3 ? what : 0;
	s[threadIdx.x] = 0;
	__syncthreads();
	cp_async<16>(s + 4 * threadIdx.x + (wrong == 1), x + (wrong == 2), 16);
	cp_async<4>(s + 128 + (wrong == 3 ? 384 : (int)threadIdx.x), x, wrong == 4 ? 8 : 4);
	cp_async_commit();
	if (wrong != 5)
		cp_async_wait<0>();
	__syncthreads();
	ldmatrix<1>(r, s + threadIdx.x % 32 * 4 + (wrong == 6), 0);
	r[0][0] = wrong == 7 ? 0x3f800001 : 0x3f800000;
	r[0][1] = r[0][2] = r[0][3] = 0;
	mma<false, 1, 1>(c, r, b);
	y[0] = 1;
}

static int *y, *odd, got[65]; /* (64), (63) */
static float *x;	      /* (512) */

#define LAUNCH(...) [] { launch(&q, dim3(2), dim3(64), __VA_ARGS__, y); }
#define TOUCH(kernel, shared, at) [] { launch(&q, dim3(2), dim3(64), shared, kernel, y, at); }
#define FLAT(...) [] { launch_flat(&q, 10, __VA_ARGS__); }
#define WRONG(what) [] { launch(&q, dim3(1), dim3(32), 2048, instruction, (float *)y, x, what); }
#define SIZES(grid, block, shared) [] { launch(&q, grid, block, shared, ends_early, y); }
#define EDGE(at) [] { launch(&q, dim3(2), dim3(64), 0, device_write, odd, at), queue_flush(&q), gpu_download(got, odd, 4); }

static struct launch *product(void)
{
	struct cublas_gemm p = {x, x, x, 1, 1, 1, 0, 0, 0, 0, 0};
	struct launch *c = queue_next(&q);
	memset((void *)c, 0, sizeof *c);
	c->name = "product";
	launch_pack(c, p);
	q.n--;
	return c;
}

/* A graph of a product and a launch, in which call i is set to a launch that differs by something. */
static void another_launch(int what)
{
	struct launch call[2] = {*product()}, c;
	launch(&q, dim3(2), dim3(64), 4, ends_early, y);
	c = call[1] = q.launches[--q.n];
	struct graph *g = gpu_graph(call, 2);
	gpu_graph_set(g, 1, &c); /* none */
	c.kernel = what == 3 ? (const void *)two_barriers : c.kernel;
	c.grid.y += what == 4, c.shared += 4 * (what == 5);
	gpu_graph_set(g, what == 0 ? 0 : what == 1 ? 2 : what == 2 ? -1 : 1, &c);
}

static const struct planted_fault {
	void (*run)(void);
	const char *kernel;		    /* NULL: the message does not begin with the kernel */
	int block, thread, rblock, rthread; /* named by the message in forward and in reverse order; thread -1: none */
	const char *message, *also;
} planted_faults[] = {
	{LAUNCH(0, ends_early), "ends_early", 1, 32, 1, 63, "a divergent barrier: it waits at a barrier (line ",
		"), but thread (37, 0, 0) has ended\n"},
	{LAUNCH(0, two_barriers), "two_barriers", 0, 0, 1, 63, "a divergent barrier: it waits at a barrier (line ",
		" waits at a barrier (line "},
	{LAUNCH(0, within_warp), "within_warp", 0, 0, 1, 31, "a divergent barrier: it waits at a barrier (line ",
		"), but thread (5, 0, 0) waits at a barrier (line "},
	{LAUNCH(0, no_syncwarp), "no_syncwarp", 0, 32, 1, 63, "a divergent warp: it is at a __syncwarp (line ",
		"), but thread (41, 0, 0) waits at a barrier (line "},
	{LAUNCH(0, other_shuffle), "other_shuffle", 0, 0, 1, 31, "a divergent warp: it is at a shuffle (line ",
		"), but thread (9, 0, 0) is at a shuffle (line "},
	{LAUNCH(0, fewer_products), "fewer_products", 0, 32, 1, 63, "a divergent warp: it is at an mma (line ",
		"), but thread (33, 0, 0) has ended\n"},
	{LAUNCH(0, part_of_warp), "part_of_warp", 0, 0, 1, 63, "a warp operation of lanes 0000ffff, not of all (line ", ""},
	{TOUCH(device_write, 0, 64), "device_write", 1, 3, 1, 3, "touches 0 bytes beyond 256 bytes of device memory\n", ""},
	{TOUCH(device_read, 0, 69), "device_read", 1, 3, 1, 3, "touches 20 bytes beyond 256 bytes of device memory\n", ""},
	{TOUCH(device_write, 0, -1000), "device_write", 1, 3, 1, 3, "touches 4000 bytes before 256 bytes of device memory\n", ""},
	{EDGE(63), NULL, 0, 0, 0, 0, "gpu_download: something was written just outside of 252 bytes of device memory\n", ""},
	{EDGE(-1), NULL, 0, 0, 0, 0, "gpu_download: something was written just outside of 252 bytes of device memory\n", ""},
	{TOUCH(shared_write, 256, 64), "shared_write", 1, 3, 1, 3, "touches 0 bytes beyond 256 bytes of shared memory\n", ""},
	{TOUCH(shared_read, 256, 65), "shared_read", 1, 3, 1, 3, "touches 4 bytes beyond 256 bytes of shared memory\n", ""},
	{TOUCH(shared_write, 252, 63), "shared_write", 1, -1, 1, -1, "writes outside of its 252 bytes of shared memory\n", ""},
	{TOUCH(shared_write, 256, -1), "shared_write", 1, -1, 1, -1, "writes outside of its 256 bytes of shared memory\n", ""},
	{TOUCH(shared_write, 0, 0), "shared_write", 0, 0, 1, 63, "shared memory, of which the launch has none (line ", ""},
	{FLAT(shared_write, y, 0), "shared_write", 0, 0, 0, 255, "shared memory, of which the launch has none (line ", ""},
	{FLAT(flat_barrier, y), "flat_barrier", 0, 0, 0, 255, "a barrier in a flat launch (line ", ""},
	{FLAT(flat_shuffle, y), "flat_shuffle", 0, 0, 0, 255, "a warp operation in a flat launch (line ", ""},
	{WRONG(1), "instruction", 0, 3, 0, 3, "a copy of 16 bytes of 16 from ", " isn't aligned (line "},
	{WRONG(2), "instruction", 0, 3, 0, 3, "a copy of 16 bytes of 16 from ", " isn't aligned (line "},
	{WRONG(3), "instruction", 0, 3, 0, 3, "a copy to ", ", which is not in shared memory (line "},
	{WRONG(4), "instruction", 0, 3, 0, 3, "a copy of 8 bytes of 4 from ", " isn't aligned (line "},
	{WRONG(5), "instruction", 0, 3, 0, 3, "it ends while 2 of its copies are under way\n", ""},
	{WRONG(6), "instruction", 0, 3, 0, 3, "a row of a matrix at ", " isn't aligned to 16 bytes (line "},
	{WRONG(7), "instruction", 0, 0, 0, 31, "a factor not rounded to tf32 (line ", ""},
	{[] { launch(&q, dim3(1), dim3(33), 0, ends_early, y); }, NULL, 0, 0, 0, 0,
		"kernel ends_early: no such launch: grid (1, 1, 1), block (33, 1, 1), 0 bytes of shared memory\n", ""},
	{SIZES(dim3(1, 65536), dim3(32), 0), NULL, 0, 0, 0, 0,
		"kernel ends_early: no such launch: grid (1, 65536, 1), block (32, 1, 1), 0 bytes of shared memory\n", ""},
	{SIZES(dim3(2, 1, 65536), dim3(32), 0), NULL, 0, 0, 0, 0,
		"kernel ends_early: no such launch: grid (2, 1, 65536), block (32, 1, 1), 0 bytes of shared memory\n", ""},
	{SIZES(dim3(1u << 31), dim3(32), 0), NULL, 0, 0, 0, 0,
		"kernel ends_early: no such launch: grid (2147483648, 1, 1), block (32, 1, 1), 0 bytes of shared memory\n", ""},
	{SIZES(dim3(1), dim3(1056), 0), NULL, 0, 0, 0, 0,
		"kernel ends_early: no such launch: grid (1, 1, 1), block (1056, 1, 1), 0 bytes of shared memory\n", ""},
	{SIZES(dim3(1), dim3(1, 1, 96), 0), NULL, 0, 0, 0, 0,
		"kernel ends_early: no such launch: grid (1, 1, 1), block (1, 1, 96), 0 bytes of shared memory\n", ""},
	{SIZES(dim3(1), dim3(32, 0), 0), NULL, 0, 0, 0, 0,
		"kernel ends_early: no such launch: grid (1, 1, 1), block (32, 0, 1), 0 bytes of shared memory\n", ""},
	{SIZES(dim3(1), dim3(32), LAUNCH_SHARED + 4), NULL, 0, 0, 0, 0,
		"kernel ends_early: no such launch: grid (1, 1, 1), block (32, 1, 1), 101380 bytes of shared memory\n", ""},
	{[] { launch(&q, dim3(2), dim3(64), 0, device_write, (int *)8, 0); }, "device_write", 1, 3, 1, 3,
		"touches 0x8, which is no memory, or not aligned\n", ""},
	{[] { another_launch(0); }, NULL, 0, 0, 0, 0, "gpu_graph_set: call 0 of 2, kernel ends_early, is another launch\n", ""},
	{[] { another_launch(1); }, NULL, 0, 0, 0, 0, "gpu_graph_set: call 2 of 2, kernel ends_early, is another launch\n", ""},
	{[] { another_launch(2); }, NULL, 0, 0, 0, 0, "gpu_graph_set: call -1 of 2, kernel ends_early, is another launch\n", ""},
	{[] { another_launch(3); }, NULL, 0, 0, 0, 0, "gpu_graph_set: call 1 of 2, kernel ends_early, is another launch\n", ""},
	{[] { another_launch(4); }, NULL, 0, 0, 0, 0, "gpu_graph_set: call 1 of 2, kernel ends_early, is another launch\n", ""},
	{[] { another_launch(5); }, NULL, 0, 0, 0, 0, "gpu_graph_set: call 1 of 2, kernel ends_early, is another launch\n", ""},
	{[] { gpu_run(product()); }, NULL, 0, 0, 0, 0, "gpu_run: a product, which only a graph runs\n", ""},
	{[] { setenv("KEYPIPE_GPU_BYTES", "12k", 1), gpu_close(), gpu_open(0); }, NULL, 0, 0, 0, 0,
		"KEYPIPE_GPU_BYTES: '12k' is no number\n", ""},
	{[] { setenv("KEYPIPE_GPU_BYTES", "", 1), gpu_close(), gpu_open(0); }, NULL, 0, 0, 0, 0, "KEYPIPE_GPU_BYTES: '' is no number\n", ""},
	{[] { setenv("KEYPIPE_GPU_ORDER", "back", 1), gpu_close(), gpu_open(0); }, NULL, 0, 0, 0, 0,
		"KEYPIPE_GPU_ORDER: 'back' is neither reverse nor a number from 1 on\n", ""},
	{[] { setenv("KEYPIPE_GPU_ORDER", "0", 1), gpu_close(), gpu_open(0); }, NULL, 0, 0, 0, 0,
		"KEYPIPE_GPU_ORDER: '0' is neither reverse nor a number from 1 on\n", ""},
	{[] { setenv("KEYPIPE_GPU_SUMS", "cut", 1), gpu_close(), gpu_open(0); }, NULL, 0, 0, 0, 0, "KEYPIPE_GPU_SUMS: 'cut' is not truncated\n", ""},
	{[] { gpu_free(y + 64); }, NULL, 0, 0, 0, 0, "gpu_free: ", " is not the beginning of device memory\n"},
	{[] { gpu_wait(-1); }, NULL, 0, 0, 0, 0, "gpu_wait: no download has ticket -1\n", ""},
	{[] { gpu_download(got, y, sizeof got); }, NULL, 0, 0, 0, 0, "gpu_download: 260 bytes at ", " are not device memory\n"},
	{[] { gpu_free(y + 1); }, NULL, 0, 0, 0, 0, "gpu_free: ", " is not the beginning of device memory\n"},
	{[] { gpu_wait(gpu_download_async(got, y, 4) + 1); }, NULL, 0, 0, 0, 0, "gpu_wait: no download has ticket 1\n", ""},
	{[] {
		 for (int i = 0; i <= BACKEND_DOWNLOADS; i++)
			 gpu_download_async(got, y, 4);
	 },
		NULL, 0, 0, 0, 0, "gpu_download_async: more than 2304 at a time\n", ""},
};

static int in_reverse;

static void fault(void *arg)
{
	begin(in_reverse);
	y = device_array<int>(64), odd = device_array<int>(63), x = numbers(512, 0);
	((const struct planted_fault *)arg)->run();
	queue_flush(&q);
}

START_TEST(planted)
{
	const struct planted_fault *p = &planted_faults[_i];
	for (in_reverse = 0; in_reverse < 2; in_reverse++) {
		char want[256] = "keypipe: ";
		int thread = in_reverse ? p->rthread : p->thread;
		if (p->kernel)
			sprintf(want + 9, "kernel %s: block (%d, 0, 0)", p->kernel, in_reverse ? p->rblock : p->block);
		if (p->kernel && thread >= 0)
			sprintf(want + strlen(want), ", thread (%d, 0, 0)", thread);
		sprintf(want + strlen(want), "%s%s", p->kernel ? ": " : "", p->message);
		struct child c = child_run(fault, (void *)p);
		ck_assert_msg(c.status == 1, "fault %d: status %d, signal %d: '%s'", _i, c.status, c.signal, c.err);
		ck_assert_msg(!strncmp(c.err, want, strlen(want)) && strstr(c.err, p->also), "fault %d: '%s', not '%s'", _i, c.err, want);
		ck_assert(strchr(c.err, '\n') == c.err + strlen(c.err) - 1);
	}
}
END_TEST

static __global__ void unwritten(float *y)
{
	SHARED(float, s);
	if (blockIdx.x != 1 || threadIdx.x != 7)
		s[threadIdx.x] = 1;
	__syncthreads();
	y[blockIdx.x * 32 + threadIdx.x] = s[threadIdx.x];
}

START_TEST(poison)
{
	begin(_i);
	float *y = device_array<float>(96), *never = device_array<float>(5);
	launch(&q, dim3(3), dim3(32), 32 * sizeof(float), unwritten, y);
	float *got = result(y, 96), *nothing = result(never, 5);
	for (int i = 0; i < 96; i++)
		ck_assert_msg(i == 39 ? got[i] != got[i] : got[i] == 1, "%d: %g", i, got[i]); /* shared memory is NaN again in each block */
	for (int i = 0; i < 5; i++)
		ck_assert(nothing[i] != nothing[i]);
	free(got), free(nothing);
	end();
}
END_TEST

static __global__ void sums(float *f, double *d, int *n, const float *x)
{
	SHARED(double, s);
	unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
	f[i] = block_sum(x[i], (float *)s);
	__syncthreads();
	d[i] = block_sum((double)x[i], s);
	__syncthreads();
	n[i] = block_sum((int)threadIdx.x, (int *)s);
}

START_TEST(block_sums)
{
	static const size_t threads[] = {32, 64, 96, 256, 1024};
	for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
		size_t n = threads[t], blocks = 3;
		begin(_i);
		float *x = numbers(n * blocks, 1), *f = device_array<float>(n * blocks);
		double *d = device_array<double>(n * blocks);
		int *k = device_array<int>(n * blocks);
		launch(&q, dim3((unsigned)blocks), dim3((unsigned)n), 32 * sizeof(double), sums, f, d, k, x);
		float *gf = result(f, n * blocks);
		double *gd = result(d, n * blocks);
		int *gk = result(k, n * blocks);
		for (size_t b = 0; b < blocks; b++) {
			double sum = 0;
			for (size_t i = 0; i < n; i++)
				sum += number(b * n + i, 1);
			for (size_t i = b * n; i < (b + 1) * n; i++) {
				ck_assert(fabs(gd[i] - sum) < 1e-12 * (double)n && fabs(gf[i] - sum) < 1e-6 * (double)n);
				ck_assert(gf[i] == gf[b * n] && gk[i] == (int)(n * (n - 1) / 2));
			}
		}
		free(gf), free(gd), free(gk);
		end();
	}
}
END_TEST

enum { SHUFFLES = 10 };

static __global__ void shuffles(int *y, const int *x)
{
	int i = (int)threadIdx.x, n = (int)blockDim.x, v = x[i];
	y[i] = __shfl_xor_sync(0xffffffffu, v, 5);
	y[n + i] = __shfl_down_sync(0xffffffffu, v, 3);
	y[2 * n + i] = __shfl_up_sync(0xffffffffu, v, 3);
	y[3 * n + i] = __shfl_sync(0xffffffffu, v, 30);
	y[4 * n + i] = __shfl_xor_sync(0xffffffffu, v, 12, 8);
	y[5 * n + i] = __shfl_down_sync(0xffffffffu, v, 3, 8);
	y[6 * n + i] = __shfl_sync(0xffffffffu, v, 11, 8);
	y[7 * n + i] = (int)__ballot_sync(0xffffffffu, v & 1);
	y[8 * n + i] = __any_sync(0xffffffffu, v == 40) * 2 + __all_sync(0xffffffffu, v < 64 * 17);
	y[9 * n + i] = (int)(__shfl_xor_sync(0xffffffffu, (double)v * 1e9, 1) / 1e9 + .5);
}

START_TEST(shuffle)
{
	enum { N = 64 };
	int x[N];
	unsigned votes[2] = {0, 0};
	for (int i = 0; i < N; i++)
		x[i] = i * 17 % 64, votes[i / 32] |= (unsigned)(x[i] & 1) << i % 32;
	begin(_i);
	int *dx = device_array<int>(N), *dy = device_array<int>((size_t)SHUFFLES * N);
	gpu_upload(dx, x, sizeof x);
	launch(&q, dim3(1), dim3(N), 0, shuffles, dy, dx);
	int *y = result(dy, (size_t)SHUFFLES * N);
	for (int i = 0; i < N; i++) {
		int l = i % 32, w = i - l, any = 0;
		for (int k = 0; k < 32; k++)
			any |= x[w + k] == 40;
		const int want[SHUFFLES] = {x[i ^ 5], x[l + 3 < 32 ? i + 3 : i], x[l >= 3 ? i - 3 : i], x[w + 30], x[i & 8 ? i ^ 12 : i],
			x[l % 8 + 3 < 8 ? i + 3 : i], x[i / 8 * 8 + 3], (int)votes[i / 32], any * 2 + 1, x[i ^ 1]};
		for (int k = 0; k < SHUFFLES; k++)
			ck_assert_msg(y[k * N + i] == want[k], "shuffle %d, thread %d: %d, not %d", k, i, y[k * N + i], want[k]);
	}
	free(y);
	end();
}
END_TEST

START_TEST(fast_division)
{
	for (int k = 0; k < 3000; k++) {
		uint32_t bits = philox(3, PHILOX_TEST, 0, 0, (uint32_t)k).v[0] >> 1;
		int d = k < 1000 ? k + 1 : k < 1062 ? (1 << (k - 1000) / 2) - (k & 1) : (int)(bits >> k % 31);
		if (d < 1)
			continue;
		struct divisor by = divisor(d);
		for (int i = 0; i < 400; i++) {
			int64_t n = philox(4, PHILOX_TEST, 0, (uint32_t)k, (uint32_t)i).v[0] >> (1 + i % 31);
			n = i < 100 ? i : i < 200 ? (int64_t)INT32_MAX - (i - 100) : i < 300 ? n / d * d - (i & 1) : n;
			if (n >= 0)
				ck_assert_msg(fast_div(by, (int)n) == n / d, "%d / %d: %d", (int)n, d, fast_div(by, (int)n));
		}
	}
}
END_TEST

/* c (M, N) = a (M, K) b (K, N) by tiles of 16. */
static __global__ void tiled(float *c, const float *a, const float *b, int M, int N, int K)
{
	SHARED(float, s);
	float *t = s + 256, sum = 0;
	int x = (int)threadIdx.x, y = (int)threadIdx.y, n = (int)blockIdx.x * 16 + x, m = (int)blockIdx.y * 16 + y;
	for (int k = 0; k < K; k += 16) {
		s[y * 16 + x] = m < M && k + x < K ? a[m * K + k + x] : 0;
		t[y * 16 + x] = k + y < K && n < N ? b[(k + y) * N + n] : 0;
		__syncthreads();
		for (int i = 0; i < 16; i++)
			sum += s[y * 16 + i] * t[i * 16 + x];
		__syncthreads();
	}
	if (m < M && n < N)
		c[m * N + n] = sum;
}

START_TEST(tiled_product)
{
	static const int shapes[][3] = {{1, 1, 1}, {16, 16, 16}, {17, 33, 5}, {40, 24, 50}};
	for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
		int M = shapes[k][0], N = shapes[k][1], K = shapes[k][2];
		begin(_i);
		float *a = numbers((size_t)(M * K), 1), *b = numbers((size_t)(K * N), 2), *c = device_array<float>((size_t)(M * N));
		launch(&q, dim3((unsigned)(N + 15) / 16, (unsigned)(M + 15) / 16), dim3(16, 16), 512 * sizeof(float), tiled, c, a, b, M, N,
			K);
		float *got = result(c, (size_t)(M * N));
		for (int m = 0; m < M; m++)
			for (int n = 0; n < N; n++) {
				double sum = 0;
				for (int i = 0; i < K; i++)
					sum += (double)number((size_t)(m * K + i), 1) * number((size_t)(i * N + n), 2);
				ck_assert(fabs(got[m * N + n] - sum) < 1e-5);
			}
		free(got);
		end();
	}
}
END_TEST

/* c (16, 16) = a (16, 16) b (16, 16), fragments gathered as the PTX ISA lists their rows and columns: two k of a register of bf16, KE of an
 * instruction. */
template <bool BF16> static __global__ void tensor(float *c, const float *a, const float *b)
{
	enum { KE = BF16 ? 16 : 8 };
	int g = (int)threadIdx.x / 4, t = (int)threadIdx.x % 4;
	float sum[1][2][4] = {};
	for (int k = 0; k < 16; k += KE) {
		unsigned fa[1][4], fb[2][2];
		for (int i = 0; i < 4; i++) {
			const float *row = a + (g + (i == 1 || i == 3 ? 8 : 0)) * 16 + k;
			if (BF16)
				fa[0][i] = pack_bf16(__float_as_uint(row[t * 2 + (i < 2 ? 0 : 8)]), __float_as_uint(row[t * 2 + (i < 2 ? 1 : 9)]));
			else
				fa[0][i] = round_tf32(__float_as_uint(row[t + (i < 2 ? 0 : 4)]));
		}
		for (int i = 0; i < 4; i++) {
			const float *column = b + k * 16 + g + i / 2 * 8;
			if (BF16)
				fb[i / 2][i % 2] = pack_bf16(
					__float_as_uint(column[(t * 2 + i % 2 * 8) * 16]), __float_as_uint(column[(t * 2 + i % 2 * 8 + 1) * 16]));
			else
				fb[i / 2][i % 2] = round_tf32(__float_as_uint(column[(t + i % 2 * 4) * 16]));
		}
		mma<BF16, 1, 2>(sum, fa, fb);
	}
	for (int i = 0; i < 8; i++)
		c[(g + i / 2 % 2 * 8) * 16 + i / 4 * 8 + t * 2 + i % 2] = sum[0][i / 4][i % 4];
}

static void check_tensor(
	int order, const char *name, void (*kernel)(float *, const float *, const float *), float (*rounded)(float))
{
	begin(order);
	float *a = numbers(256, 1), *b = numbers(256, 2), *c = device_array<float>(256);
	launch_add(&q, name, 0, dim3(1), dim3(32), 0, kernel, c, a, b);
	float *got = result(c, 256);
	for (int i = 0; i < 256; i++) {
		float sum = 0;
		for (int k = 0; k < 16; k++)
			sum += rounded(number((size_t)(i / 16 * 16 + k), 1)) * rounded(number((size_t)(k * 16 + i % 16), 2));
		ck_assert_msg(fabsf(got[i] - sum) < 2e-6f, "(%d, %d): %g, not %g", i / 16, i % 16, got[i], sum);
	}
	free(got);
	end();
}

/* Rows of matrices where lanes say, `stride` further the second time. */
static __global__ void matrices(unsigned *y)
{
	SHARED(float, s);
	for (unsigned i = threadIdx.x; i < 512; i += 32)
		s[i] = __uint_as_float(i);
	__syncwarp();
	unsigned r[2][4], lane = threadIdx.x;
	ldmatrix<2>(r, s + (lane * 7 % 32) * 8, 4);
	for (unsigned i = 0; i < 8; i++)
		y[lane * 8 + i] = r[i / 4][i % 4];
}

START_TEST(fragments)
{
	begin(_i);
	unsigned *y = device_array<unsigned>(256);
	launch(&q, dim3(1), dim3(32), 2048, matrices, y);
	unsigned *got = result(y, 256);
	for (unsigned i = 0; i < 256; i++) {
		unsigned lane = i / 8, matrix = i % 4, from = matrix * 8 + lane / 4;
		ck_assert_uint_eq(got[i], from * 7 % 32 * 8 + i % 8 / 4 * 4 + lane % 4);
	}
	free(got);
	end();
}
END_TEST

/* What a thread reads of its own copies and, after a barrier, of the next thread's. */
static __global__ void copies(float *y, const float *x)
{
	SHARED(float, s);
	unsigned i = threadIdx.x, next = (i + 1) % 64;
	for (unsigned k = 0; k < 3; k++) {
		cp_async<16>(s + (k * 64 + i) * 4, x + (k * 64 + i) * 4, k == 1 ? 8 : 16);
		cp_async_commit();
	}
	cp_async<4>(s + 768 + i, x + 768 + i, 4); /* of no group */
	y[i] = s[i * 4];
	cp_async_wait<1>();
	y[64 + i] = s[i * 4], y[128 + i] = s[(64 + i) * 4 + 1], y[192 + i] = s[(64 + i) * 4 + 2], y[256 + i] = s[(128 + i) * 4];
	__syncthreads();
	y[320 + i] = s[next * 4 + 3];
	cp_async_wait<0>();
	y[384 + i] = s[(128 + i) * 4], y[448 + i] = s[768 + i];
	cp_async_commit();
	cp_async_wait<0>();
	y[512 + i] = s[768 + i];
}

START_TEST(late_copies)
{
	begin(_i);
	float *x = numbers(832, 1), *y = device_array<float>(576);
	launch(&q, dim3(1), dim3(64), 832 * sizeof(float), copies, y, x);
	float *got = result(y, 576);
	for (size_t i = 0; i < 64; i++) {
		ck_assert(got[i] != got[i] && got[256 + i] != got[256 + i] && got[448 + i] != got[448 + i]);
		ck_assert(got[64 + i] == number(i * 4, 1) && got[128 + i] == number((64 + i) * 4 + 1, 1) && got[192 + i] == 0);
		ck_assert(got[320 + i] == number((i + 1) % 64 * 4 + 3, 1) && got[384 + i] == number((128 + i) * 4, 1));
		ck_assert(got[512 + i] == number(768 + i, 1));
	}
	free(got);
	end();
}
END_TEST

/* Words `stride` apart by lane; chunks of 16 bytes by copies; rows of matrices. */
static __global__ void strides(float *y, const float *x, int stride)
{
	SHARED(float, s);
	unsigned r[1][4], lane = threadIdx.x;
	cp_async<16>(s + (int)lane * stride, x, 16);
	cp_async_commit(), cp_async_wait<0>();
	__syncthreads();
	y[lane] = __uint_as_float(lds(s + (int)lane * stride));
	ldmatrix<1>(r, s + (int)lane * stride, 0);
}

/* Clocks and conflicts, counted by hand. */
START_TEST(bank_conflicts)
{
	static const int known[][7] = {/* stride, clocks and conflicts of words, of copies, of matrices */ {4, 4, 3, 4, 0, 4, 0},
		{0, 1, 0, 4, 0, 4, 0}, {8, 8, 7, 8, 4, 8, 4}, {32, 32, 31, 32, 28, 32, 28}, {36, 4, 3, 4, 0, 4, 0}};
	for (const int *k : known) {
		begin(0);
		memset(fiber_conflicts, 0, sizeof fiber_conflicts);
		float *x = numbers(32, 1), *y = device_array<float>(32);
		launch(&q, dim3(1), dim3(32), 36 * 32 * sizeof(float), strides, y, x, k[0]);
		free(result(y, 32));
		struct fiber_conflicts words = fiber_conflicts[4], chunks = fiber_conflicts[16];
		ck_assert_uint_eq(words.accesses, 1);
		ck_assert_uint_eq(chunks.accesses, 5);
		ck_assert_uint_eq(words.clocks, (size_t)k[1]);
		ck_assert_uint_eq(words.conflicts, (size_t)k[2]);
		ck_assert_uint_eq(chunks.clocks, (size_t)(k[3] + k[5]));
		ck_assert_uint_eq(chunks.conflicts, (size_t)(k[4] + k[6]));
		end();
	}
}
END_TEST

/* v rounded to so many fraction bits, ties to even or away from zero. */
static float round_bits(float v, int bits, int even)
{
	int e;
	double m = ldexp(frexp(v, &e), bits + 1);
	return (float)ldexp(even ? rint(m) : round(m), e - bits - 1);
}

static float tf32(float v)
{
	return round_bits(v, 10, 0);
}

static float bf16(float v)
{
	return round_bits(v, 7, 1);
}

START_TEST(tensor_products)
{
	check_tensor(_i, "tensor tf32", tensor<false>, tf32);
	check_tensor(_i, "tensor bf16", tensor<true>, bf16);
}
END_TEST

/* A truncated sum by another way: each number cut off in decimal steps of the largest's last bit, in long double. */
static float cut_off(const double *v, int n)
{
	long double sum = 0;
	double largest = 0;
	int e;
	for (int i = 0; i < n; i++)
		largest = fmax(largest, fabs(v[i]));
	frexp(largest, &e);
	for (int i = 0; i < n; i++)
		sum += ldexpl(truncl(ldexpl((long double)v[i], 24 - e)), e - 24);
	float f = (float)sum;
	return fabsl((long double)f) > fabsl(sum) ? nextafterf(f, 0) : f;
}

/* KEYPIPE_GPU_SUMS=truncated: known sums, and random ones; NaN and infinity pass. */
START_TEST(truncated)
{
	enum { N = 16, K = 8 };
	float a[16 * K] = {0}, b[K * N] = {0}, c[16 * N] = {0}, d[16 * N];
	begin(0);
	fiber_truncates = 1;
	static const float known[][3] = {/* c, product, sum */ {1, 0x1p-24f, 1}, {1, 0x1.8p-23f, 1 + 0x1p-23f}, {-1, -0x1.8p-23f, -1 - 0x1p-23f},
		{0x1p24f, 1.75f, 0x1p24f}, {0x1.fffffep23f, 1, 0x1p24f}, {1, -0x1p-24f, 1}, {-3, 3, 0}, {0, 0, 0}, {INFINITY, 1, INFINITY},
		{1e-40f, 1, 1}};
	for (const float *v : known) {
		c[0] = v[0], a[0] = v[1], b[0] = 1;
		fiber_mma(d, a, b, c, 16, N, K);
		ck_assert_msg(d[0] == v[2], "%a + %a: %a", v[0], v[1], d[0]);
	}
	a[0] = NAN;
	fiber_mma(d, a, b, c, 16, N, K);
	ck_assert(d[0] != d[0] && d[N] == 0);
	for (uint32_t t = 0; t < 20; t++) {
		for (uint32_t i = 0; i < 16 * K; i++)
			a[i] = tf32(number(t * 1000 + i, 1) * exp2f(8 * number(t * 1000 + i, 4)));
		for (uint32_t i = 0; i < K * N; i++)
			b[i] = tf32(number(t * 1000 + i, 2) * exp2f(8 * number(t * 1000 + i, 5)));
		for (uint32_t i = 0; i < 16 * N; i++)
			c[i] = number(t * 1000 + i, 3);
		fiber_mma(d, a, b, c, 16, N, K);
		for (int i = 0; i < 16 * N; i++) {
			float sum = c[i];
			for (int k = 0; k < K; k += 4) {
				double v[5] = {sum};
				for (int j = 0; j < 4; j++)
					v[j + 1] = (double)a[i / N * K + k + j] * (double)b[(k + j) * N + i % N];
				sum = cut_off(v, 5);
			}
			ck_assert_msg(d[i] == sum, "%u, %d: %a, not %a", t, i, d[i], sum);
		}
	}
	fiber_truncates = 0;
	end();
}
END_TEST

START_TEST(rounding)
{
	static const struct {
		uint32_t v, tf32, bf16;
	} known[] = {{0x3f800000, 0x3f800000, 0x3f80}, {0x3f800fff, 0x3f800000, 0x3f80}, {0x3f801000, 0x3f802000, 0x3f80},
		{0x3f808000, 0x3f808000, 0x3f80}, {0x3f818000, 0x3f818000, 0x3f82}, {0x3f808001, 0x3f808000, 0x3f81},
		{0xbf801000, 0xbf802000, 0xbf80}, {0x7f7fffff, 0x7f800000, 0x7f80}, {0x7f800000, 0x7f800000, 0x7f80}, {0x00000000, 0, 0},
		{0x80000000, 0x80000000, 0x8000}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		float v = __uint_as_float(known[i].v);
		ck_assert_uint_eq(__float_as_uint(__float_to_tf32(v)), known[i].tf32);
		ck_assert_uint_eq(__float_as_uint(__bfloat162float(__float2bfloat16(v))), known[i].bf16 << 16);
	}
	for (uint32_t i = 0; i < 10000; i++) {
		float v = number(i, 3);
		ck_assert(__float_to_tf32(v) == tf32(v) && __bfloat162float(__float2bfloat16(v)) == bf16(v));
	}
	ck_assert(isnan(__float_to_tf32(NAN)) && isnan(__bfloat162float(__float2bfloat16(NAN))));
}
END_TEST

static __global__ void scale(float *y, const float *x, float by, size_t n)
{
	size_t i = launch_index();
	if (i < n)
		y[i] = by * x[i];
}

/* Eight launches queued three times with one argument changed: one graph, run three times, with two updates. */
START_TEST(graphs)
{
	enum { N = 300 };
	begin(_i);
	float *x = numbers(N, 1), *y = device_array<float>(N);
	for (int pass = 0; pass < 3; pass++) {
		for (int i = 0; i < 8; i++)
			launch_flat(&q, N, scale, y, i ? y : x, i == 4 ? (float)(pass + 1) : 2.0f, (size_t)N);
		float *got = result(y, N);
		for (size_t i = 0; i < N; i++)
			ck_assert(got[i] == number(i, 1) * 128 * (float)(pass + 1));
		free(got);
	}
	ck_assert_int_eq(q.graphs, 1);
	ck_assert_int_eq(q.sets, 2);
	ck_assert_int_eq(q.runs, 3);
	end();
}
END_TEST

START_TEST(products)
{
	enum { M = 5, N = 7, K = 9 };
	for (int variant = 0; variant < 24; variant++) {
		int at = variant & 1, bt = variant >> 1 & 1, add = variant >> 2 & 1, precision = variant / 8;
		float (*const round[])(float) = {NULL, tf32, bf16};
		begin(_i);
		float *a = numbers(M * K, 1), *b = numbers(K * N, 2), *c = numbers(M * N, 3);
		struct cublas_gemm p = {c, a, b, M, N, K, at, bt, add, precision, 0};
		struct launch *call = queue_next(&q);
		memset((void *)call, 0, sizeof *call);
		call->name = "product";
		launch_pack(call, p);
		float *got = result(c, M * N);
		for (int m = 0; m < M; m++)
			for (int n = 0; n < N; n++) {
				double sum = add ? number((size_t)(m * N + n), 3) : 0;
				for (int k = 0; k < K; k++) {
					float u = number((size_t)(at ? k * M + m : m * K + k), 1),
					      v = number((size_t)(bt ? n * K + k : k * N + n), 2);
					sum += precision ? (double)round[precision](u) * round[precision](v) : (double)u * v;
				}
				ck_assert(got[m * N + n] == (float)sum);
			}
		free(got);
		end();
	}
}
END_TEST

START_TEST(memory)
{
	setenv("KEYPIPE_GPU_BYTES", "10000", 1);
	begin(0);
	size_t free_, total;
	char *a = (char *)gpu_alloc(6001), *b = (char *)gpu_alloc(3999), text[8] = "";
	ck_assert(a && b && !gpu_alloc(1));
	gpu_memory_info(&free_, &total);
	ck_assert(free_ == 0 && total == 10000);
	gpu_free(a);
	ck_assert(!gpu_alloc(6002));
	a = (char *)gpu_alloc(6000);
	gpu_memory_info(&free_, &total);
	ck_assert(a && free_ == 1 && (uintptr_t)a % 16 == 0);
	gpu_memset(a, 'x', 6000);
	gpu_upload(b + 3990, "keypipe", 8);
	gpu_download(text, b + 3990, 7), gpu_upload(a + 5993, text, 7);
	gpu_download(text, a + 5992, 8);
	ck_assert_int_eq(memcmp(text, "xkeypipe", 8), 0);
	gpu_upload_async(a, "feed", 4);
	int first = gpu_download_async(text, a, 2), second = gpu_download_async(text + 2, a + 2, 2);
	gpu_memset(a, 'y', 4);
	ck_assert_int_eq(memcmp(text, "\xff\xff\xff\xffpipe", 8), 0);
	gpu_wait(second), gpu_wait(first);
	ck_assert_int_eq(memcmp(text, "feedpipe", 8), 0);
	end();
	begin(1); /* opens again after close */
	end();
}
END_TEST

/* Threads write their number where the host's count of them is. */
static int arrived;
static __global__ void arrives(int *y)
{
	y[arrived++] = (int)(blockIdx.x * blockDim.x + threadIdx.x);
	if (blockDim.x == 96)
		__syncthreads();
}

/* Every thread once, a block's and a warp's beside each other, blocks, warps and lanes in orders that differ by seed. */
START_TEST(orders)
{
	int *seen[2][ORDERS];
	for (int flat = 0; flat < 2; flat++)
		for (int order = 0; order < ORDERS; order++) {
			size_t threads = flat ? LAUNCH_BLOCK : 96, blocks = 5, n = threads * blocks;
			char found[5 * LAUNCH_BLOCK] = "";
			begin(order), arrived = 0;
			int *y = device_array<int>(n), lanes = 0, warps = 0, moved = 0;
			if (flat)
				launch_flat(&q, n, arrives, y);
			else
				launch(&q, dim3((unsigned)blocks), dim3((unsigned)threads), 0, arrives, y);
			int *got = seen[flat][order] = result(y, n);
			for (size_t i = 0; i < n; i++) {
				ck_assert(got[i] >= 0 && (size_t)got[i] < n && !found[got[i]]++);
				ck_assert(got[i] / 32 == got[i / 32 * 32] / 32 && got[i] / (int)threads == got[i / threads * threads] / (int)threads);
				lanes += i % 32 && got[i] == got[i - 1] + 1, warps += i % 32 == 0 && got[i] / 32 == (int)i / 32;
				moved += i % threads == 0 && got[i] / (int)threads == (int)(i / threads);
			}
			ck_assert(order > 1 ? lanes < (int)n / 8 && warps < (int)n / 64 && moved < 5 : lanes == (order ? 0 : (int)n / 32 * 31));
			end();
		}
	for (int flat = 0; flat < 2; flat++)
		ck_assert(memcmp(seen[flat][2], seen[flat][3], 5 * 96 * sizeof(int)) != 0);
	for (int i = 0; i < 2 * ORDERS; i++)
		free(seen[i / ORDERS][i % ORDERS]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fiber");
	TCase *t = tcase_create("fiber");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, missing_barrier);
	tcase_add_loop_test(t, planted, 0, sizeof planted_faults / sizeof *planted_faults);
	tcase_add_test(t, orders);
	tcase_add_loop_test(t, poison, 0, ORDERS);
	tcase_add_loop_test(t, block_sums, 0, ORDERS);
	tcase_add_loop_test(t, shuffle, 0, ORDERS);
	tcase_add_test(t, fast_division);
	tcase_add_loop_test(t, tiled_product, 0, ORDERS);
	tcase_add_loop_test(t, tensor_products, 0, ORDERS);
	tcase_add_loop_test(t, fragments, 0, ORDERS);
	tcase_add_loop_test(t, late_copies, 0, ORDERS);
	tcase_add_test(t, bank_conflicts);
	tcase_add_test(t, truncated);
	tcase_add_test(t, rounding);
	tcase_add_loop_test(t, graphs, 0, ORDERS);
	tcase_add_loop_test(t, products, 0, ORDERS);
	tcase_add_test(t, memory);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
