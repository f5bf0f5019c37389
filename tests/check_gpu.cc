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

enum { CUBLAS_IS_THERE = 1 };
#include "tests/gpu_streams.h"

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
		{{13000, 4, 90, {}, "cuda:-3"}, 0, "2, host-2 (GPU 2 of 4, sm_90), tf32, cuBLAS, PCI_BUS_ID"},
		{{13000, 2, 90, {}, "cuda:-4"}, 0, "1, host-1 (GPU 1 of 2, sm_90), tf32, cuBLAS, PCI_BUS_ID"},
		{{13000, 2, 90, {"KEYPIPE_GPU", ""}, "cuda"}, 0, "0, host-0 (GPU 0 of 2, sm_90), tf32, cuBLAS, PCI_BUS_ID"},
		{{13000, 2, 90, {"KEYPIPE_GPU", "0"}, "cuda:-2"}, 0, "0, host-0 (GPU 0 of 2, sm_90), tf32, cuBLAS, PCI_BUS_ID"},
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

START_TEST(forked)
{
	const struct machine here = {CUDART_VERSION, 1, 90, {}, "cuda"};
	open_with(0, 0);
	struct child c = child_run(describe, (void *)&here);
	ck_assert_msg(c.status == 1 && !strcmp(c.err, "keypipe: --device cuda: no GPU that can be used: initialization error\n"), "exit %d: %s",
		c.status, c.err);
	be->close(be);
}
END_TEST

/* GEMMs in tf32 have more shared memory than a launch may have untold, alone and in a graph. */
START_TEST(much_shared_memory)
{
	const size_t N = 48;
	for (int launches = 1; launches <= 5; launches += 4) { /* of two kernels, as what is allowed stays */
		be = backend_init_by_name("cuda", 1, PRECISION_TF32);
		float *x = device_array(N * N), *y = device_array(N * N), *host = filled(N * N, 1);
		be->upload(be, x, host, N * N * sizeof *host);
		for (int i = 0; i < launches; i++)
			be->dense(be, y, x, x, NULL, ACT_NONE, launches > 1, (int)N, (int)N, (int)N);
		be->download(be, host, y, N * N * sizeof *host);
		all_are(host, N * N, (float)N, "a product");
		be->release(be, x), be->release(be, y), free(host), be->close(be);
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
	add_streams(t, SCHEDULES, 2);
	tcase_add_test(t, feed_too_early);
	tcase_add_test(t, choice_of_gpu), tcase_add_test(t, forked);
	tcase_add_test(t, choice_of_cublas);
	tcase_add_test(t, much_shared_memory);
	tcase_add_test(t, failing_kernel);
	tcase_add_test(t, misuse_is_seen);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
