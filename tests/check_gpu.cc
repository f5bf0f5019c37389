/* gpu.cu and gpu_open.cu, run on CUDA's runtime on the host (host_runtime.h): streams that run as late or as early as they may, bounce
 * buffers, capture, changed arguments; the choice of a GPU and what is said where there is none; a cuBLAS that does not start. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/host_machine.h"
#include "kernels/cuda/host_runtime.h"
#include "kernels/cuda/host_work.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* a C header, whose initializers leave the rest zero */
#include "tests/child.h"
#pragma GCC diagnostic pop

extern "C" {
#include "lib/base/err.h"
}

/* Streams of gpu.cu by number: 0 launches and copies, 1 is captured, 2 uploads, 3 downloads. Which of them run work at once: */
static const char *const schedules[] = {"", "0", "2", "3", "23", "023"};
enum { SCHEDULES = sizeof schedules / sizeof *schedules };

static struct backend *be;

static void open_with(int schedule, int cublas)
{
	if (!cublas)
		setenv("KEYPIPE_CUBLAS", "0", 1); /* its workspace takes time */
	setenv("KEYPIPE_GPU_AT_ONCE", schedules[schedule], 1);
	be = backend_init_by_name("cuda", 1, PRECISION_FP32);
}

static __global__ void add(float *y, const float *x, float by, size_t n)
{
	size_t i = launch_index();
	if (i < n)
		y[i] = x[i] + by;
}

static void launch_adds(float *y, const float *x, float by, size_t n)
{
	launch_flat(queue_of(be), n, add, y, x, by, n);
}

static float *device_array(size_t n)
{
	return (float *)be->alloc(be, n * sizeof(float));
}

static float *filled(size_t n, float v)
{
	float *p = (float *)xcalloc(n, sizeof *p);
	for (size_t i = 0; i < n; i++)
		p[i] = v;
	return p;
}

static void fill(float *p, size_t n, float v)
{
	for (size_t i = 0; i < n; i++)
		p[i] = v;
}

/* Every value is v; else the program ends. */
static void all_are(const float *p, size_t n, float v, const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (!(p[i] == v))
			die("%s, at once '%s': value %zu is %g, not %g", what, getenv("KEYPIPE_GPU_AT_ONCE"), i, (double)p[i], (double)v);
}

/* Batches through two slots, as infer.c feeds them: the next is uploaded while the last is computed and downloaded; sizes on both sides of
 * what is downloaded by a copy on the GPU. `few`: launches without a graph. */
START_TEST(pipeline)
{
	const size_t sizes[] = {100, 70000};
	for (int few = 0; few < 2; few++)
		for (int s = 0; s < 2; s++) {
			size_t n = sizes[s], bytes = n * sizeof(float);
			open_with(_i, 0);
			float *x[2] = {device_array(n), device_array(n)}, *y = device_array(n), *host[2] = {filled(n, 0), filled(n, 0)},
			      *feed = filled(n, 0);
			int ticket[2] = {-1, -1};
			for (int b = 0; b < 9; b++) {
				int slot = b % 2;
				if (b >= 2) {
					be->wait(be, ticket[slot]);
					all_are(host[slot], n, (float)(10 * (b - 2) + (few ? 1 : 5)), "a batch");
				}
				fill(feed, n, (float)(10 * b));
				be->upload_async(be, x[slot], feed, bytes);
				fill(feed, n, -1);
				launch_adds(y, x[slot], 1, n);
				for (int k = 0; k < 4 && !few; k++)
					launch_adds(y, y, 1, n);
				ticket[slot] = be->download_async(be, host[slot], y, bytes);
			}
			for (int b = 7; b < 9; b++) {
				be->wait(be, ticket[b % 2]);
				all_are(host[b % 2], n, (float)(10 * b + (few ? 1 : 5)), "a last batch");
			}
			for (int k = 0; k < 2; k++)
				be->release(be, x[k]), free(host[k]);
			be->release(be, y), free(feed);
			be->close(be);
		}
}
END_TEST

/* More feeds at a time than there are bounce buffers: each array gets its own. */
START_TEST(feeds)
{
	enum { FEEDS = 7, N = 300 };
	float *x[FEEDS], host[N];
	open_with(_i, 0);
	for (int k = 0; k < FEEDS; k++)
		x[k] = device_array(N);
	for (int k = 0; k < FEEDS; k++) {
		fill(host, N, (float)k);
		be->upload_async(be, x[k], host, sizeof host - (size_t)k);
	}
	for (int k = 0; k < FEEDS; k++) {
		be->download(be, host, x[k], sizeof host);
		all_are(host, N - 2, (float)k, "a feed");
		be->release(be, x[k]);
	}
	be->close(be);
}
END_TEST

/* After upload returns the host's array may change, and launches queued before it have the old contents; small copies go through the bounce
 * buffer, large ones do not. Many small ones fill the bounce buffer, which is used again. */
START_TEST(uploads)
{
	const size_t sizes[] = {7, 300000, 530000};
	open_with(_i, 0);
	for (int s = 0; s < 3; s++) {
		size_t n = sizes[s], bytes = n * sizeof(float);
		enum { ROUNDS = 9 };
		float *x = device_array(n), *y[ROUNDS], *host = filled(n, 0);
		for (int r = 0; r < ROUNDS; r++) /* before, as it waits */
			y[r] = device_array(n);
		for (int r = 0; r < ROUNDS; r++) {
			fill(host, n, (float)r);
			be->upload(be, x, host, bytes);
			fill(host, n, -1);
			launch_adds(y[r], x, 0.5f, n);
		}
		for (int r = 0; r < ROUNDS; r++) {
			be->download(be, host, y[r], bytes);
			all_are(host, n, (float)r + 0.5f, "an upload");
			be->release(be, y[r]);
		}
		be->release(be, x), free(host);
	}
	be->close(be);
}
END_TEST

/* A download has what its source held when it was queued, whatever later launches, uploads and releases do to it; on a GPU that is too full
 * for a copy of it too. */
START_TEST(downloads)
{
	const size_t sizes[] = {100, 70000};
	for (int full = 0; full < 2; full++)
		for (int s = 0; s < 2; s++) {
			size_t n = sizes[s], bytes = n * sizeof(float);
			if (full)
				setenv("KEYPIPE_GPU_BYTES", "400000", 1); /* x, and not as much again */
			else
				unsetenv("KEYPIPE_GPU_BYTES");
			open_with(_i, 0);
			float *x = device_array(n), *host = filled(n, 3), *other = filled(n, 0);
			be->upload(be, x, host, bytes);
			launch_adds(x, x, 1, n);
			int first = be->download_async(be, host, x, bytes);
			launch_adds(x, x, 1, n);
			int second = be->download_async(be, other, x, bytes);
			launch_adds(x, x, 1, n);
			be->release(be, x);
			be->wait(be, second);
			all_are(other, n, 5, "the second download");
			be->wait(be, first);
			all_are(host, n, 4, "the first download");
			free(host), free(other);
			be->close(be);
		}
	unsetenv("KEYPIPE_GPU_BYTES");
}
END_TEST

/* Graphs whose arguments change while an earlier launch of them has not run; and one that is dropped for others then. */
START_TEST(changed_arguments)
{
	enum { N = 33, GRAPHS = QUEUE_SAME + 3 };
	open_with(_i, 0);
	struct queue *q = queue_of(be);
	float *x = device_array(N), *y[GRAPHS], host[N];
	for (int r = 0; r < GRAPHS; r++) /* before, as it waits */
		y[r] = device_array(N);
	be->zero(be, x, sizeof host);
	for (int r = 0; r < GRAPHS; r++) {
		launch_adds(y[r], x, (float)r, N);
		for (int k = 0; k < 5; k++)
			launch_adds(y[r], y[r], (float)(k * r), N);
		queue_flush(q);
	}
	for (int r = 0; r < GRAPHS; r++) {
		be->download(be, host, y[r], sizeof host);
		all_are(host, N, (float)(11 * r), "a graph with other arguments");
	}
	ck_assert_msg(q->sets > 0, "no argument was set");
	for (int length = 0; length < QUEUE_GRAPHS + 2; length++) {
		for (int k = 0; k < QUEUE_FEW + length; k++)
			launch_adds(x, x, 1, N);
		queue_flush(q);
	}
	be->download(be, host, x, sizeof host);
	all_are(host, N, (QUEUE_GRAPHS + 2) * (QUEUE_FEW + (QUEUE_GRAPHS + 1) / 2.0f), "graphs that were dropped");
	for (int r = 0; r < GRAPHS; r++)
		be->release(be, y[r]);
	be->release(be, x), be->close(be);
}
END_TEST

/* Products by cuBLAS between kernels: in order, and with other arguments. c (M, N) = a (M, K) b (K, N), sizes that are all different. */
START_TEST(products)
{
	enum { M = 640, N = 512, K = 288 };
	open_with(_i, 1);
	ck_assert(cuda_of(be)->gpu.cublas);
	float *a = device_array(M * K), *w = device_array(K * N), *c = device_array(M * N), *host = filled(M * N, 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < M * K; i++)
			host[i] = (float)((i * 7 + round) % 5);
		be->upload(be, a, host, M * K * sizeof(float));
		for (int i = 0; i < K * N; i++)
			host[i] = (float)(i * 3 % 7) - 3;
		be->upload(be, w, host, K * N * sizeof(float));
		launch_adds(a, a, 1, M * K);
		be->dense(be, c, a, w, NULL, ACT_NONE, 1, M, K, N);
		launch_adds(a, a, 100, M * K);
		launch_adds(c, c, 2, M * N);
		be->download(be, host, c, M * N * sizeof(float));
		for (int i = 0; i < M * N; i += 997) {
			float want = 2;
			for (int k = 0; k < K; k++)
				want += ((float)((i / N * K + k) * 7 + round) - (float)(((i / N * K + k) * 7 + round) / 5 * 5) + 1) *
					((float)((k * N + i % N) * 3 % 7) - 3);
			all_are(&host[i], 1, want, "a product");
		}
	}
	be->release(be, a), be->release(be, w), be->release(be, c), free(host), be->close(be);
}
END_TEST

/* The caller's fault that struct backend warns of: a feed that overwrites what a graph still reads. It shows where uploads overtake. */
START_TEST(feed_too_early)
{
	enum { N = 50 };
	float host[N], other[N];
	for (int s = 0; s < SCHEDULES; s++) {
		int overtakes = !strchr(schedules[s], '0') && strchr(schedules[s], '2');
		open_with(s, 0);
		float *x = device_array(N), *y = device_array(N);
		fill(host, N, 1), fill(other, N, 2);
		be->upload(be, x, host, sizeof host), be->download(be, host, x, sizeof host); /* it is there */
		for (int k = 0; k < 5; k++)
			launch_adds(y, x, 0, N);
		queue_flush(queue_of(be));
		be->upload_async(be, x, other, sizeof other);
		be->download(be, host, y, sizeof host);
		all_are(host, N, overtakes ? 2 : 1, "a feed too early");
		be->release(be, x), be->release(be, y), be->close(be);
	}
}
END_TEST

struct machine { /* a child's: what is there, and what it is asked */
	int driver, gpus, sm;
	const char *set[4], *device;
};

static void describe(void *arg)
{
	const struct machine *m = (const struct machine *)arg;
	host_machine.driver = m->driver, host_machine.gpus = m->gpus, host_machine.sm = m->sm;
	for (int i = 0; i < 4 && m->set[i]; i += 2)
		setenv(m->set[i], m->set[i + 1], 1);
	be = backend_init_by_name(m->device, 1, PRECISION_TF32);
	printf("%d, %s, %s", host_machine.chosen, be->kernel, getenv("CUDA_DEVICE_ORDER"));
	be->close(be);
	fflush(stdout);
	_exit(0);
}

START_TEST(choice_of_gpu)
{
	static const struct {
		struct machine m;
		int status;
		const char *says; /* on stdout, or, after the program's name, on stderr */
	} cases[] = {
		{{13000, 1, 90, {}, "cuda"}, 0, "0, host-0 (GPU 0 of 1, sm_90), tf32, cuBLAS, PCI_BUS_ID"},
		{{13020, 3, 75, {"KEYPIPE_GPU", "2"}, "cuda"}, 0, "2, host-2 (GPU 2 of 3, sm_75), fp32, cuBLAS, PCI_BUS_ID"},
		{{13000, 3, 90, {"KEYPIPE_GPU", "2", "CUDA_DEVICE_ORDER", "FASTEST_FIRST"}, "cuda:1"}, 0,
			"1, host-1 (GPU 1 of 3, sm_90), tf32, cuBLAS, FASTEST_FIRST"},
		{{13000, 12, 120, {}, "cuda:11"}, 0, "11, host-11 (GPU 11 of 12, sm_120), tf32, cuBLAS, PCI_BUS_ID"},
		{{0, 0, 0, {}, "cuda"}, 1, "--device cuda: no GPU that can be used: there is no NVIDIA driver"},
		{{12040, 1, 90, {}, "cuda"}, 1,
			"--device cuda: the NVIDIA driver is too old: it is for CUDA up to 12.4, these programs are built with CUDA 13.0: "
			"update it to 580 or "
			"later, or build with CUDA 12.x (make clean && make NVCC=/usr/local/cuda-12/bin/nvcc)"},
		{{13000, 0, 0, {}, "cuda"}, 1, "--device cuda: no GPU that can be used: none is there"},
		{{13000, 0, 0, {"CUDA_VISIBLE_DEVICES", "7"}, "cuda"}, 1,
			"--device cuda: no GPU that can be used: none is there (CUDA_VISIBLE_DEVICES is '7')"},
		{{13000, 2, 90, {}, "cuda:2"}, 1, "--device cuda:2: there are 2 GPUs here, counted from 0"},
		{{13000, 1, 90, {"KEYPIPE_GPU", "1"}, "cuda"}, 1, "--device cuda:1: there is 1 GPU here, counted from 0"},
		{{13000, 1, 90, {"KEYPIPE_GPU", "-1"}, "cuda"}, 1, "KEYPIPE_GPU: '-1' is no number of a GPU, from 0 on"},
		{{13000, 1, 90, {"KEYPIPE_GPU", ""}, "cuda"}, 1, "KEYPIPE_GPU: '' is no number of a GPU, from 0 on"},
		{{13000, 1, 70, {}, "cuda"}, 1, "--device cuda:0: host-0 has compute capability 7.0, 7.5 or later is needed"},
	};
	unsetenv("CUDA_DEVICE_ORDER"), unsetenv("KEYPIPE_GPU"), unsetenv("CUDA_VISIBLE_DEVICES");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct child c = child_run(describe, (void *)&cases[i].m);
		char want[400];
		snprintf(want, sizeof want, cases[i].status ? "keypipe: %s\n" : "%s", cases[i].says);
		ck_assert_msg(c.status == cases[i].status && !strcmp(cases[i].status ? c.err : c.out, want) &&
				      !(cases[i].status ? c.out : c.err)[0],
			"case %zu: exit %d: %s%s", i, c.status, c.out, c.err);
	}
}
END_TEST

struct library { /* a child's: files of cuBLAS that start and that don't; bytes of device memory; KEYPIPE_CUBLAS */
	const char *good, *bad, *bytes, *wanted;
};

static void open_library(void *arg)
{
	const struct library *l = (const struct library *)arg;
	host_machine.cublas = l->good, host_machine.broken = l->bad;
	if (l->bytes)
		setenv("KEYPIPE_GPU_BYTES", l->bytes, 1);
	if (l->wanted)
		setenv("KEYPIPE_CUBLAS", l->wanted, 1);
	open_with(0, 1);
	const int N = cuda_of(be)->gpu.cublas ? 512 : 48; /* cuBLAS has the large ones alone */
	float *x = device_array((size_t)(N * N)), *y = device_array((size_t)(N * N)),
	      *host = filled((size_t)(N * N), 1); /* ones times ones */
	be->upload(be, x, host, (size_t)(N * N) * sizeof(float));
	be->dense(be, y, x, x, NULL, ACT_NONE, 0, N, N, N);
	be->download(be, host, y, (size_t)(N * N) * sizeof(float));
	all_are(host, (size_t)(N * N), (float)N, "a product");
	printf("%s", cuda_of(be)->gpu.cublas ? host_machine.loaded : "without");
	be->release(be, x), be->release(be, y), free(host), be->close(be);
	fflush(stdout);
	_exit(0);
}

START_TEST(choice_of_cublas)
{
#define WITHOUT(file, why) "keypipe: cuBLAS (" file ") is done without: " why "; KEYPIPE_CUBLAS=0 says so beforehand\n"
#define NO_START "it does not start: it may be for a newer driver, or the GPU's memory may be full"
	static const struct {
		struct library l;
		const char *out, *err;
	} cases[] = {
		{{"libcublas.so.12 libcublas.so.13", "", NULL, NULL}, "libcublas.so.13", ""},
		{{"libcublas.so.12", "libcublas.so.13", NULL, NULL}, "libcublas.so.12", ""},
		{{"", "", NULL, NULL}, "without", ""},
		{{"libcublas.so.13", "", NULL, "0"}, "without", ""},
		{{"libcublas.so.13 /x/libcublas.so.12", "", NULL, "/x/libcublas.so.12"}, "/x/libcublas.so.12", ""},
		{{"", "libcublas.so libcublas.so.12", NULL, NULL}, "without", WITHOUT("libcublas.so.12", NO_START)},
		{{"libcublas.so.13", "/x/b", NULL, "/x/b"}, "without", WITHOUT("/x/b", NO_START)},
		{{"libcublas.so.13", "", "20000000", NULL}, "without",
			WITHOUT("libcublas.so.13", "the GPU's memory has no room for its workspace of 32 MiB")},
	};
	unsetenv("KEYPIPE_CUBLAS"), unsetenv("KEYPIPE_GPU_BYTES");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct child c = child_run(open_library, (void *)&cases[i].l);
		ck_assert_msg(c.status == 0 && !strcmp(c.out, cases[i].out) && !strcmp(c.err, cases[i].err), "case %zu: exit %d: %s, %s", i,
			c.status, c.out, c.err);
	}
	struct library none = {"libcublas.so.13", "", NULL, "/nowhere"};
	struct child c = child_run(open_library, &none);
	ck_assert_msg(c.status == 1 && !strcmp(c.err, "keypipe: KEYPIPE_CUBLAS: no such file\n"), "exit %d: %s", c.status, c.err);
}
END_TEST

/* A kernel that fails: sync: "1", or "0": the host's wait says it. */
static void fail_kernel(void *sync)
{
	float v;
	setenv("KEYPIPE_CUDA_SYNC", (const char *)sync, 1);
	open_with(0, 0);
	float *x = device_array(1000);
	for (int k = 0; k < 5; k++)
		be->zero(be, x, 1000 * sizeof *x);
	work_fails = "add";
	launch_flat(queue_of(be), 1000, add, NULL, NULL, 0.25f, (size_t)1000);
	be->download(be, &v, x, sizeof v);
	_exit(0);
}

START_TEST(failing_kernel)
{
	struct child late = child_run(fail_kernel, (void *)(uintptr_t) "0"), each = child_run(fail_kernel, (void *)(uintptr_t) "1");
	ck_assert_msg(late.status == 1 &&
			      !strcmp(late.err,
				      "keypipe: host-0: wait: an illegal memory access was encountered; KEYPIPE_CUDA_SYNC=1 says in which "
				      "kernel\n"),
		"exit %d: %s", late.status, late.err);
	ck_assert_msg(each.status == 1 &&
			      !strcmp(each.err, "keypipe: host-0: kernel add, grid (4, 1, 1), block (256, 1, 1), 0 bytes of shared memory, "
						"arguments (nil) (nil) 0.25 1000: an illegal memory access was encountered\n"),
		"exit %d: %s", each.status, each.err);
}
END_TEST

/* What CUDA forbids or leaves undefined is seen. */
static void misuse(void *which)
{
	cudaStream_t s, t;
	cudaGraph_t g;
	cudaGraphExec_t exec;
	void *p, *pinned;
	float host;
	int n;
	unsetenv("KEYPIPE_GPU_AT_ONCE");
	cudaGetDeviceCount(&n);
	cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking), cudaStreamCreateWithFlags(&t, cudaStreamNonBlocking);
	cudaMalloc(&p, 64), cudaMallocHost(&pinned, 64);
	switch (*(const char *)which) {
	case 'a': /* memory of work that is left */
		cudaMemsetAsync(p, 0, 64, s), cudaFree(p);
		break;
	case 'b':
		cudaMemcpyAsync(pinned, p, 64, cudaMemcpyDeviceToHost, s), cudaFreeHost(pinned);
		break;
	case 'c':
		cudaGraphCreate(&g, 0), cudaGraphInstantiateWithFlags(&exec, g, 0);
		cudaGraphLaunch(exec, s), cudaGraphExecDestroy(exec);
		break;
	case 'd':
		cudaMemcpyAsync(&host, p, sizeof host, cudaMemcpyHostToDevice, s);
		break;
	case 'e':
		cudaMemcpyAsync((char *)p + 32, pinned, 33, cudaMemcpyHostToDevice, s);
		break;
	case 'f': /* waiting while a stream captures: refused, and the capture is void */
		cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed);
		if (cudaStreamSynchronize(t) == cudaSuccess && cudaDeviceSynchronize() == cudaErrorStreamCaptureUnsupported &&
			cudaStreamEndCapture(s, &g) == cudaErrorStreamCaptureInvalidated && !g)
			die("refused");
		break;
	case 'g': /* memory is made in relaxed captures alone */
		cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed), cudaMalloc(&p, 1);
		if (cudaStreamEndCapture(s, &g) != cudaSuccess || cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal) != cudaSuccess)
			break;
		if (cudaMalloc(&p, 1) == cudaErrorStreamCaptureUnsupported &&
			cudaStreamEndCapture(s, &g) == cudaErrorStreamCaptureInvalidated)
			die("refused");
		break;
	}
	die("unseen");
}

START_TEST(misuse_is_seen)
{
	static const char *const cases[][2] = {{"a", "cudaFree: work that is left in stream 0 uses it"},
		{"b", "cudaFreeHost: work that is left in stream 0 uses it"}, {"c", "cudaGraphExecDestroy: a launch of it is left"},
		{"d", "cudaMemcpyAsync: another direction than its kind, 1"}, {"e", "cudaMemcpyAsync: 33 bytes at "}, {"f", "refused"},
		{"g", "refused"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct child c = child_run(misuse, (void *)(uintptr_t)cases[i][0]);
		char want[100];
		snprintf(want, sizeof want, "keypipe: %s", cases[i][1]);
		ck_assert_msg(c.status == 1 && !strncmp(c.err, want, strlen(want)), "case %s: exit %d: %s", cases[i][0], c.status, c.err);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gpu");
	TCase *t = tcase_create("gpu");
	tcase_add_loop_test(t, pipeline, 0, SCHEDULES);
	tcase_add_loop_test(t, feeds, 0, SCHEDULES);
	tcase_add_loop_test(t, uploads, 0, SCHEDULES);
	tcase_add_loop_test(t, downloads, 0, SCHEDULES);
	tcase_add_loop_test(t, changed_arguments, 0, SCHEDULES);
	tcase_add_loop_test(t, products, 0, 2);
	tcase_add_test(t, feed_too_early);
	tcase_add_test(t, choice_of_gpu);
	tcase_add_test(t, choice_of_cublas);
	tcase_add_test(t, failing_kernel);
	tcase_add_test(t, misuse_is_seen);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
