/* Harness of the operations' tests: an operation's results on a backend must be within a tolerance of ref's, and the same bits from every
 * instance of that backend. A test runs once for each entry of backends[], ref first: it makes device arrays by in() and blank() and passes
 * every result to agree(), which keeps ref's, compares the first instance's with them, and the later instances' bits with the first's.
 * BACKEND=cuda: ref against three instances of cuda, the second and third running threads in reverse and in a drawn order where the GPU is
 * emulated on the host;
 * its precision is PRECISION=fp32, tf32 or bf16. Else ref against cpu with 1, 2 and 5 threads, PRECISION=fp32 or bf16. FACTORS=rounded:
 * numbers drawn have 8 bits, which bf16 rounds no more, so that its products must be as exact as fp32's. INSTANCES=N: so many of three.
 * One backend is open at a time. */
#ifndef BACKENDS_H
#define BACKENDS_H

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/backend.h"
#include "lib/base/err.h"
#include "lib/base/philox.h"

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))
/* Tolerance of sums of n products of about 1 in fp32, added in any order. */
#define TOLERANCE(n) (4e-7f * sqrtf((float)(n)) + 2e-6f)

enum { BACKENDS = 4, BACKENDS_SHAPES = 1000 }; /* test i: backend i / BACKENDS_SHAPES, shape i % BACKENDS_SHAPES */

static struct {
	const char *name;
	int threads;
	const char *order; /* KEYPIPE_GPU_ORDER: of threads in a block */
} backends[BACKENDS] = {{"ref", 1, NULL}, {"cpu", 1, NULL}, {"cpu", 2, NULL}, {"cpu", 5, NULL}};
static enum precision backends_precision;
static int backends_rounded; /* 1: FACTORS=rounded */
static int backends_count = BACKENDS;

struct backends_result {
	const char *test;
	int shape, backend; /* the backend that computed p */
	float *p;
	size_t n;
};

static struct {
	struct backend *be;
	int backend, shape;
	const char *test;
	uint32_t placed;		 /* arrays placed in this test so far */
	struct backends_result *results; /* of all tests, one test's in a row */
	int n, next;
} backends_now;

/* Tolerance of elementwise operations, 0 between CPU backends: a GPU fuses multiply and add, and its expf and sinf round differently. */
static inline float backends_elementwise(float tolerance)
{
	return strcmp(backends[1].name, "cuda") ? 0 : tolerance;
}

/* Tolerance of sums of n products whose factors the backend may round first, by a relative u = 2^-11 (tf32) or 2^-8 (bf16) at most. The
 * relative error of a product is random, typically 0.6 u, so that of a sum 0.6 u of the root of the sum of the products' squares, which is
 * the typical size of the sum itself, whatever n is; the largest of some 100000 is 5 times that, 3 u. Rows of above average norm, and tanh,
 * whose values are typically 0.6 where its slope is 1, make it 7 u at most. A library that truncates factors adds a bias of 1.5 u. */
static inline float backends_products(int n)
{
	static const float u[] = {[PRECISION_FP32] = 0, [PRECISION_TF32] = 0x1p-11f, [PRECISION_BF16] = 0x1p-8f};
	return TOLERANCE(n) + (backends_rounded ? 0 : 8 * u[backends_precision]);
}

/* 0: this build has no such backend. */
static inline int backends_open(int backend)
{
	if (backends_now.be && backends_now.backend == backend)
		return 1;
	if (backends_now.be)
		backends_now.be->close(backends_now.be);
	if (backends[backend].order)
		setenv("KEYPIPE_GPU_ORDER", backends[backend].order, 1);
	else
		unsetenv("KEYPIPE_GPU_ORDER");
	backends_now.backend = backend;
	backends_now.be = backend_init_by_name(backends[backend].name, backends[backend].threads, backends_precision);
	return backends_now.be != NULL;
}

static inline int backends_here(const struct backends_result *r)
{
	return r->shape == backends_now.shape && !strcmp(r->test, backends_now.test);
}

/* To be called first in a test, with its __func__ and _i: the backend to test. */
static inline struct backend *backend(const char *test, int i)
{
	backends_open(i / BACKENDS_SHAPES);
	backends_now.test = test, backends_now.shape = i % BACKENDS_SHAPES, backends_now.placed = 0;
	for (backends_now.next = 0; backends_now.next < backends_now.n && !backends_here(&backends_now.results[backends_now.next]);)
		backends_now.next++;
	return backends_now.be;
}

/* A result p (n) of this test, which agree frees. Tolerance is relative to ref's value plus the root mean square of ref's values. */
static inline void agree(float *p, size_t n, float tolerance, const char *what)
{
	if (!backends_now.backend) {
		backends_now.results = xrealloc(backends_now.results, ((size_t)backends_now.n + 1) * sizeof *backends_now.results);
		backends_now.results[backends_now.n++] = (struct backends_result){backends_now.test, backends_now.shape, 0, p, n};
		return;
	}
	struct backends_result *r = &backends_now.results[backends_now.next++];
	ck_assert_msg(backends_now.next <= backends_now.n && backends_here(r) && r->n == n, "%s: ref has no such result", what);
	double scale = 0;
	for (size_t i = 0; i < n; i++)
		scale += (double)r->p[i] * (double)r->p[i];
	scale = n ? sqrt(scale / (double)n) + 1e-3 : 1;
	for (size_t i = 0; i < n; i++) { /* ck_assert logs each pass: too slow for each element */
		double was = (double)r->p[i], is = (double)p[i];
		if (r->backend && memcmp(&r->p[i], &p[i], sizeof *p))
			ck_abort_msg("%s: element %zu of %zu: %.9g, instance %d had %.9g", what, i, n, is, r->backend, was);
		if (!r->backend && !(fabs(was - is) <= (double)tolerance * (scale + fabs(was))))
			ck_abort_msg("%s: element %zu of %zu: %.9g, ref has %.9g", what, i, n, is, was);
	}
	free(r->p);
	r->p = p, r->backend = backends_now.backend;
}

/* A host array of standard normal numbers, to be freed. */
static inline float *randoms(size_t n, uint32_t what)
{
	float *p = xcalloc(n + 1, sizeof *p);
	int exponent;
	for (size_t i = 0; i < n; i++) {
		struct philox r = philox(5, PHILOX_TEST, what, (uint32_t)i, 0);
		p[i] = philox_normal(r.v[0], r.v[1]);
		if (backends_rounded)
			p[i] = rintf(256 * frexpf(p[i], &exponent)), p[i] = ldexpf(p[i], exponent - 8);
	}
	return p;
}

/* The same of variance 1 / fan: sums of fan products are about 1 as in a net, and errors before an activation as large as there. */
static inline float *weights(size_t n, int fan, uint32_t what)
{
	float *p = randoms(n, what), scale = sqrtf((float)fan);
	if (backends_rounded)
		scale = exp2f(rintf(log2f(scale)));
	for (size_t i = 0; i < n; i++)
		p[i] /= scale;
	return p;
}

/* Integers from -3 to 3 times unit, a power of two: sums of their products are exact in any order, and many are equal. */
static inline float *integers(size_t n, float unit, uint32_t what)
{
	float *p = randoms(n, what);
	for (size_t i = 0; i < n; i++)
		p[i] = fminf(fmaxf(rintf(p[i] * 1.5f), -3), 3) * unit;
	return p;
}

static inline float *copied(const float *p, size_t n)
{
	return memcpy(xmalloc((n + 1) * sizeof *p), p, n * sizeof *p);
}

/* A device array of host's values; at random it begins one value after its allocation's start, unaligned like arrays in a parameter block.
 */
static inline void *to_device(const struct backend *be, const void *host, size_t n, size_t size)
{
	size_t shift = philox(5, PHILOX_TEST, 0, (uint32_t)backends_now.shape, backends_now.placed++).v[0] % 2 * size;
	char *p = be->alloc(be, n * size + shift);
	be->upload(be, p + shift, host, n * size);
	return p + shift;
}

static inline void drop(const struct backend *be, void *device)
{
	be->release(be, (void *)((uintptr_t)device & ~(uintptr_t)15));
}

/* The same of floats, which are freed. */
static inline float *in(const struct backend *be, float *host, size_t n)
{
	float *p = to_device(be, host, n, sizeof *host);
	free(host);
	return p;
}

/* A device array of NaN: shows what an operation leaves unwritten. */
static inline float *blank(const struct backend *be, size_t n)
{
	float *host = xmalloc((n + 1) * sizeof *host);
	for (size_t i = 0; i < n; i++)
		host[i] = NAN;
	return in(be, host, n);
}

static inline float *read_back(const struct backend *be, const float *device, size_t n)
{
	float *host = xmalloc((n + 1) * sizeof *host);
	be->download(be, host, device, n * sizeof *host);
	return host;
}

/* A host copy of a device array, which is released. */
static inline float *out(const struct backend *be, float *device, size_t n)
{
	float *host = read_back(be, device, n);
	drop(be, device);
	return host;
}

/* Maps filled with value, padding included: NaN shows what an operation leaves unwritten, a large number whether it uses the padding. */
static inline float *maps_filled(const struct backend *be, float value, int B, int C, int H, int W)
{
	size_t size = be->maps_size(be, B, C, H, W), n = size / sizeof(float);
	float *device = be->alloc(be, size), *p = xmalloc(size);
	for (size_t i = 0; i < n; i++)
		p[i] = value;
	be->upload(be, device, p, size);
	free(p);
	return device;
}

/* Maps of host rows, which are freed. */
static inline float *to_maps(const struct backend *be, float *rows, int B, int C, int H, int W)
{
	float *maps = maps_filled(be, 1e3f, B, C, H, W), *device = in(be, rows, (size_t)B * C * H * W);
	be->to_maps(be, maps, device, B, C, H, W);
	drop(be, device);
	return maps;
}

/* Host rows, to be freed, of maps, which are released. */
static inline float *to_rows(const struct backend *be, float *maps, int B, int C, int H, int W)
{
	size_t n = (size_t)B * C * H * W;
	float *rows = blank(be, n);
	be->to_rows(be, rows, maps, B, C, H, W);
	be->release(be, maps);
	return out(be, rows, n);
}

/* Adds a test of so many shapes for one backend, as a case of the test's name, which CK_RUN_CASE can select. */
#define BACKENDS_TEST(suite, backend, test, shapes)                                                                                        \
	do {                                                                                                                               \
		TCase *backends_case = tcase_create(#test);                                                                                \
		tcase_add_loop_test(backends_case, test, (backend)*BACKENDS_SHAPES, (backend)*BACKENDS_SHAPES + (shapes));                 \
		suite_add_tcase(suite, backends_case);                                                                                     \
	} while (0)

static inline void backends_choose(void)
{
	static const char *const names[] = {"fp32", "tf32", "bf16"};
	const char *name = getenv("BACKEND"), *precision = getenv("PRECISION");
	backends_rounded = getenv("FACTORS") != NULL;
	if (getenv("INSTANCES"))
		backends_count = 1 + atoi(getenv("INSTANCES"));
	if (backends_count < 2 || backends_count > BACKENDS)
		die("INSTANCES is 1 to %d, not %s", BACKENDS - 1, getenv("INSTANCES"));
	for (int i = 1; name && strcmp(name, "cpu") && i < BACKENDS; i++)
		backends[i].name = name, backends[i].threads = 0, backends[i].order = i == 2 ? "reverse" : i == 3 ? "3" : NULL;
	for (int p = 0; precision && strcmp(names[backends_precision], precision); p++) {
		if (p == LENGTH(names))
			die("PRECISION is fp32, tf32 or bf16, not %s", precision);
		backends_precision = (enum precision)p;
	}
}

/* main of a test: add adds its tests for one backend to the suite. Skips all where this build lacks the backend. Returns the exit status.
 */
static inline int backends_run(const char *name, void (*add)(Suite *suite, int backend))
{
	backends_choose();
	if (!backends_open(1)) {
		printf("skipped: no %s backend in this build\n", backends[1].name);
		return 0;
	}
	printf("backend: %s, %s\n", backends_now.be->name, backends_now.be->kernel);
	Suite *suite = suite_create(name);
	for (int i = 0; i < backends_count; i++)
		add(suite, i);
	SRunner *r = srunner_create(suite);
	srunner_set_fork_status(r, CK_NOFORK); /* the thread pool does not survive a fork */
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	backends_now.be->close(backends_now.be);
	for (int i = 0; i < backends_now.n; i++)
		free(backends_now.results[i].p);
	free(backends_now.results);
	return failed != 0;
}

#endif
