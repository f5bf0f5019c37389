/* Every operation on rows and flat arrays of a backend against ref, on awkward shapes, and the same bits from every instance of the
 * backend. Operations on maps: check_conv.c. */
#include <sched.h>

#include "kernels/cpu/cpu.h"
#include "tests/backends.h"
#include "tests/child.h"

static void bytes_drawn(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)philox(1, PHILOX_TEST, 0, (uint32_t)i, 0).v[0];
}

static const size_t memory_sizes[] = {1, 3, 4, 1000, 4099, (3 << 20) + 5};

START_TEST(memory)
{
	struct backend *be = backend(__func__, _i);
	size_t n = memory_sizes[_i % BACKENDS_SHAPES], third = n / 3;
	uint8_t *host = xcalloc(n, 1), *same = xcalloc(n, 1), *back = xmalloc(n), *p = be->alloc(be, n), *q = be->alloc(be, n), *mapped;
	be->download(be, back, p, n);
	ck_assert_msg(!memcmp(back, same, n), "not zero at first");
	bytes_drawn(host, n), bytes_drawn(same, n);
	be->upload(be, p, host, n);
	memset(host, 0, n); /* upload has copied it */
	be->copy(be, q, p, n);
	be->download(be, back, q, n);
	ck_assert_msg(!memcmp(back, same, n), "upload, copy, download");
	be->zero(be, q + third, third), be->upload(be, q, same + n - third, third), be->copy(be, p + n - third, q, third);
	memset(same + third, 0, third), memcpy(same, same + n - third, third);
	be->download(be, back, q, n);
	ck_assert_msg(!memcmp(back, same, n), "parts of q");
	be->download(be, back, p + n - third, third);
	ck_assert_msg(!memcmp(back, same, third), "a part of p");
	mapped = be->map_host(be, same, n);
	be->copy(be, p, mapped, n);
	be->unmap_host(be, mapped);
	const uint8_t *view = be->map_device(be, p, n);
	ck_assert_msg(!memcmp(view, same, n), "mapped host, copied, mapped device");
	be->unmap_device(be, view);
	/* asynchronous copies: three downloads of p's contents at that point, the last twice */
	uint8_t *downloaded[4] = {xmalloc(n), xmalloc(n), xmalloc(n), xmalloc(n)};
	int ticket[4];
	ticket[0] = be->download_async(be, downloaded[0], p, n);
	be->zero(be, p, n);
	ticket[1] = be->download_async(be, downloaded[1], p, n);
	bytes_drawn(host, n);
	be->upload_async(be, q, host, n);
	be->copy(be, p, q, n);
	ticket[2] = be->download_async(be, downloaded[2], p, n), ticket[3] = be->download_async(be, downloaded[3], p, n);
	for (int i = 3; i >= 0; i--)
		be->wait(be, ticket[i]);
	ck_assert_msg(!memcmp(downloaded[0], same, n), "downloaded before zero");
	memset(same, 0, n);
	ck_assert_msg(!memcmp(downloaded[1], same, n), "downloaded after zero");
	ck_assert_msg(!memcmp(downloaded[2], host, n) && !memcmp(downloaded[3], host, n), "uploaded, copied, downloaded");
	for (int i = 0; i < 4; i++)
		free(downloaded[i]);
	be->release(be, p), be->release(be, q), free(host), free(same), free(back);
}
END_TEST

/* ---- of the CPU backend alone ---- */

static void open_on_one(void *arg)
{
	cpu_set_t mine, one;
	(void)arg;
	if (sched_getaffinity(0, sizeof mine, &mine))
		_exit(77);
	CPU_ZERO(&one);
	for (int i = 0; !CPU_COUNT(&one); i++)
		if (CPU_ISSET(i, &mine))
			CPU_SET(i, &one);
	printf("%d of %d", thread_pool_threads(thread_pool_open(0)), CPU_COUNT(&mine));
	if (sched_setaffinity(0, sizeof one, &one))
		_exit(77);
	printf(", %d of 1", thread_pool_threads(thread_pool_open(0)));
	fflush(stdout);
	_exit(0);
}

/* 0 threads are one a processor that the process may use, whatever others may use. */
START_TEST(threads_by_processors)
{
	int n[3];
	struct child c = child_run(open_on_one, NULL);
	ck_assert_msg(c.status == 0 && sscanf(c.out, "%d of %d, %d of 1", n, n + 1, n + 2) == 3, "exit %d: %s%s", c.status, c.out, c.err);
	ck_assert_msg(n[0] == n[1] && n[2] == 1, "%s", c.out);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* which ends the program itself */
static void no_memory(void *arg)
{
	struct backend *be = backend_init_by_name("cpu", 1, PRECISION_FP32);
	if (*(int *)arg)
		cpu_workspace(be->ctx, SIZE_MAX / 16);
	else
		be->alloc(be, SIZE_MAX / 4);
}

START_TEST(out_of_memory)
{
	struct child c = child_run(no_memory, &_i);
	ck_assert_int_eq(c.status, 1);
	ck_assert_str_eq(c.err, _i ? "keypipe: out of memory: 4611686018427387900 bytes are wanted\n"
				   : "keypipe: out of memory: 4611686018427387903 bytes are wanted\n");
}
END_TEST
#endif

static const int dense_shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {32, 475, 500}, {257, 65, 513}, {1, 1000, 3}, {129, 3, 1030}, {64, 64, 32},
	{65, 33, 129}, {128, 132, 64}, {2, 4100, 7}, {4, 1030, 37}, {600, 70, 4}, {70, 1100, 6}, {32, 70, 30}, {30, 1001, 32},
	{11, 35, 500}, {9, 529, 300}, {500, 333, 2}, {300, 8, 260}, {2053, 3, 13},
	/* LARGE=1: cuBLAS computes this size */
	{512, 516, 520}};

/* y = dense's results: of packed weights they have the same bits. */
static void packed_alike(
	const struct backend *be, const float *y, const float *x, const float *w, const float *b, enum act act, int B, int I, int O)
{
	size_t size = be->dense_packed_size ? be->dense_packed_size(be, I, O) : 0, no = (size_t)(B * O);
	int packs = !strcmp(be->name, "cpu") && backends_precision == PRECISION_BF16;
	ck_assert_msg(packs == (size > 0), "packed weights of %d x %d take %zu bytes", O, I, size);
	if (!packs)
		return;
	float *z = blank(be, no), *packed = be->alloc(be, size);
	be->dense_pack(be, packed, w, I, O);
	be->dense_packed(be, z, x, packed, b, act, B, I, O);
	float *want = read_back(be, y, no), *got = out(be, z, no);
	ck_assert_msg(!memcmp(want, got, no * sizeof *got), "%d x %d x %d: packed weights give other bits", B, I, O);
	be->release(be, packed), free(want), free(got);
}

START_TEST(dense)
{
	struct backend *be = backend(__func__, _i);
	const int *v = dense_shapes[_i % BACKENDS_SHAPES], B = v[0], I = v[1], O = v[2];
	size_t ni = (size_t)(B * I), no = (size_t)(B * O), nw = (size_t)(I * O);
	for (int flip = 0; flip < 2; flip++) {
		float *x = in(be, randoms(ni, 1), ni), *w = in(be, weights(nw, I, 2), nw), *b = in(be, randoms((size_t)O, 3), (size_t)O);
		for (int act = ACT_NONE; act <= ACT_SIGMOID; act++) {
			float *y = blank(be, no);
			be->dense(be, y, x, w, act == ACT_TANH ? NULL : b, (enum act)act, flip, B, I, O);
			if (!flip)
				packed_alike(be, y, x, w, act == ACT_TANH ? NULL : b, (enum act)act, B, I, O);
			agree(out(be, y, no), no, backends_products(I), "dense");
		}
		float *dx = blank(be, ni), *dy = in(be, randoms(no, 4), no);
		be->dense_backward_input(be, dx, dy, w, flip, B, I, O);
		agree(out(be, dx, ni), ni, backends_products(O), "dense_backward_input");
		drop(be, x), drop(be, w), drop(be, b), drop(be, dy);
	}
	for (int k = 0; k < 4; k++) { /* dw and db; dw accumulated; db alone; dw alone */
		float *x = in(be, randoms(ni, 1), ni), *dy = in(be, randoms(no, 4), no);
		float *dw = k == 1 ? in(be, randoms(nw, 9), nw) : blank(be, nw), *db = blank(be, (size_t)O);
		int db_alone = k == 2; /* db alone, as programs call it: x NULL, I 0 */
		be->dense_backward_weight(
			be, db_alone ? NULL : dw, k == 3 ? NULL : db, dy, db_alone ? NULL : x, k == 1, B, db_alone ? 0 : I, O);
		if (!db_alone)
			agree(read_back(be, dw, nw), nw, backends_products(B), "dense_backward_weight");
		if (k != 3)
			agree(read_back(be, db, (size_t)O), (size_t)O, TOLERANCE(B), "db");
		drop(be, x), drop(be, dy), drop(be, dw), drop(be, db);
	}
}
END_TEST

/* Every optimizer, with and without momentum and weight decay. */
static const struct optimizer_step updates[] = {{OPTIMIZER_SGD, 1, 0.1f, 0, 0, 0, 0}, {OPTIMIZER_SGD, 2, 0.1f, 0.9f, 0, 0, 0.01f},
	{OPTIMIZER_NESTEROV, 3, 0.1f, 0.9f, 0, 0, 0.01f}, {OPTIMIZER_ADAM, 3, 0.1f, 0.9f, 0.999f, 1e-8f, 0.01f}};
enum { UPDATES = sizeof updates / sizeof *updates };

/* Weights and moments; on the device m is NULL without momentum, v but for Adam. */
struct params {
	float *w, *m, *v;
};

static float *positive(float *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = fabsf(p[i]);
	return p;
}

/* Device copies of the host's, for updates[k]. */
static struct params params_upload(const struct backend *be, const struct params *host, int k, size_t n)
{
	return (struct params){in(be, copied(host->w, n), n), updates[k].momentum > 0 ? in(be, copied(host->m, n), n) : NULL,
		updates[k].kind == OPTIMIZER_ADAM ? in(be, copied(host->v, n), n) : NULL};
}

static void params_agree(const struct backend *be, struct params a, size_t n, float tolerance, const char *what)
{
	agree(out(be, a.w, n), n, tolerance, what);
	if (a.m)
		agree(out(be, a.m, n), n, tolerance, "first moment");
	if (a.v)
		agree(out(be, a.v, n), n, 2 * tolerance, "second moment");
}

START_TEST(dense_update)
{
	struct backend *be = backend(__func__, _i);
	const int *v = dense_shapes[_i % BACKENDS_SHAPES], B = v[0], I = v[1], O = v[2];
	size_t ni = (size_t)(B * I), no = (size_t)(B * O), nw = (size_t)(I * O);
	struct params host = {randoms(nw, 9), randoms(nw, 10), positive(randoms(nw, 11), nw)};
	for (int pair = 0; pair < 2; pair++) {
		float *x = in(be, randoms(ni, 1), ni), *dy = in(be, weights(no, B, 2), no);
		float *x2 = pair ? in(be, randoms(ni, 3), ni) : NULL, *dy2 = pair ? in(be, weights(no, B, 4), no) : NULL;
		for (int k = 0; k < UPDATES; k++) {
			struct params a = params_upload(be, &host, k, nw);
			be->dense_backward_update(be, a.w, a.m, a.v, dy, x, dy2, x2, B, I, O, &updates[k]);
			params_agree(be, a, nw, backends_products(B), "dense_backward_update");
		}
		drop(be, x), drop(be, dy);
		if (pair)
			drop(be, x2), drop(be, dy2);
	}
	free(host.w), free(host.m), free(host.v);
}
END_TEST

static const size_t act_sizes[] = {1, 4, 255, 257, 100003};

START_TEST(acts)
{
	struct backend *be = backend(__func__, _i);
	size_t n = act_sizes[_i % BACKENDS_SHAPES];
	for (int act = ACT_NONE; act <= ACT_SIGMOID; act++) {
		float *x = in(be, randoms(n, 1), n), *dy = in(be, randoms(n, 2), n), *y = blank(be, n), *dx = blank(be, n);
		be->act(be, y, x, (enum act)act, n);
		be->act_backward(be, dx, dy, y, (enum act)act, n);
		agree(read_back(be, y, n), n, 2e-6f, "act"), agree(read_back(be, dx, n), n, 2e-6f, "act_backward");
		be->act(be, x, x, (enum act)act, n);
		be->act_backward(be, dy, dy, x, (enum act)act, n);
		float *a[] = {out(be, y, n), out(be, x, n), out(be, dx, n), out(be, dy, n)};
		ck_assert_msg(!memcmp(a[0], a[1], n * sizeof(float)) && !memcmp(a[2], a[3], n * sizeof(float)), "in place");
		for (int i = 0; i < 4; i++)
			free(a[i]);
	}
}
END_TEST

START_TEST(sums)
{
	struct backend *be = backend(__func__, _i);
	size_t n = act_sizes[_i % BACKENDS_SHAPES];
	for (int act = ACT_NONE; act <= ACT_SIGMOID; act++) {
		float *x = in(be, randoms(n, 1), n), *z = in(be, randoms(n, 2), n), *y = blank(be, n), *t = blank(be, n);
		be->add(be, y, x, z, (enum act)act, n);
		be->copy(be, t, z, n * sizeof *t);
		be->add(be, z, x, z, (enum act)act, n), be->add(be, x, x, t, (enum act)act, n);
		float *a[] = {read_back(be, y, n), out(be, x, n), out(be, z, n), out(be, t, n)};
		ck_assert_msg(!memcmp(a[0], a[1], n * sizeof(float)) && !memcmp(a[0], a[2], n * sizeof(float)), "in place");
		agree(a[0], n, act > ACT_RELU ? 2e-6f : 0, "add");
		drop(be, y);
		for (int i = 1; i < 4; i++)
			free(a[i]);
	}
	static const float some[] = {NAN, 1, -2}, others[] = {1, NAN, 1};
	float *x = to_device(be, some, 3, sizeof *x), *z = to_device(be, others, 3, sizeof *z);
	be->add(be, x, x, z, ACT_RELU, 3);
	float *y = out(be, x, 3);
	ck_assert(isnan(y[0]) && isnan(y[1]) && y[2] == 0);
	drop(be, z), free(y);
}
END_TEST

START_TEST(batches)
{
	enum { B = 9, H = 11, W = 13, N = 20, P = H * W, n = B * P };
	static const uint32_t rows_of[B] = {3, 19, 0, 7, 7, 12, 1, 18, 5};
	struct backend *be = backend(__func__, _i);
	struct augment a = {.flip = FLIP_HALF,
			       .shift = 2,
			       .rotate = 15,
			       .scale = 0.2f,
			       .contrast = 0.3f,
			       .brightness = 0.1f,
			       .noise = 0.05f,
			       .blur = 1,
			       .motion = 6,
			       .cutout = 0.5f,
			       .seed = 9,
			       .epoch = 4},
		       alternate = {.flip = FLIP_ALTERNATE, .seed = 9, .epoch = 4};
	uint8_t host[N * P], *bytes = be->alloc(be, sizeof host);
	bytes_drawn(host, sizeof host);
	be->upload(be, bytes, host, sizeof host);
	uint32_t *rows = to_device(be, rows_of, B, sizeof *rows);
	float *values = randoms(N * P, 1), *source = in(be, copied(values, N * P), N * P);
	float *x = blank(be, n), *z = blank(be, n), *g = blank(be, n), *m = blank(be, n), *f = blank(be, n);
	be->load_batch(be, x, bytes, rows, B, 1, H, W, 1.0f / 255, 0.25f, NULL);
	be->load_batch(be, z, bytes, rows, B, 1, H, W, 1.0f / 255, 0, &a);
	be->load_batch(be, f, bytes, rows, B, 1, H, W, 1.0f / 255, 0, &alternate);
	if (be->load_images) { /* the same bits, from images that lie anywhere */
		const uint8_t *images[B];
		real *xi = blank(be, n), *zi = blank(be, n);
		for (int b = 0; b < B; b++)
			images[b] = host + rows_of[b] * P;
		be->load_images(be, xi, images, rows, B, 1, H, W, 1.0f / 255, 0.25f, NULL);
		be->load_images(be, zi, images, rows, B, 1, H, W, 1.0f / 255, 0, &a);
		ck_assert_msg(!memcmp(xi, x, n * sizeof *x) && !memcmp(zi, z, n * sizeof *z), "images by their places");
		drop(be, xi), drop(be, zi);
	}
	be->gather(be, g, source, rows, B, P);
	be->dropout(be, m, g, rows, B, P, 0.3f, 2, 77, PHILOX_MASK, 6);
	float *hg = read_back(be, g, n);
	be->dropout(be, g, g, rows, B, P, 0.3f, 2, 77, PHILOX_MASK, 6);
	/* samples: 0 and 1 are certain, 0.3 is of a share of the draws; a value of a row is drawn from its row and place alone */
	float chances[n];
	for (size_t i = 0; i < n; i++)
		chances[i] = i % P == 0 ? 0 : i % P == 1 ? 1 : 0.3f;
	float *chance = to_device(be, chances, n, sizeof *chances), *s = blank(be, n);
	be->bernoulli(be, s, chance, rows, B, P, 77, PHILOX_MASK, 6);
	be->bernoulli(be, chance, chance, rows, B, P, 77, PHILOX_MASK, 6);
	float *hs = out(be, s, n), *in_place = out(be, chance, n);
	ck_assert_msg(!memcmp(hs, in_place, n * sizeof(float)), "bernoulli in place");
	for (int b = 0; b < B; b++)
		for (int k = 0; k < P; k++) {
			float u = philox_uniform(philox(77, PHILOX_MASK, 6, rows_of[b], (uint32_t)k / 4).v[k % 4]);
			ck_assert_float_eq(hs[b * P + k], k == 0 ? 0 : k == 1 ? 1 : u < 0.3f);
		}
	free(hs), free(in_place);
	float *hx = out(be, x, n), *hz = out(be, z, n), *hm = out(be, m, n), *place = out(be, g, n);
	drop(be, rows), drop(be, source), be->release(be, bytes);
	ck_assert_float_eq_tol(hx[5], (float)host[3 * P + 5] * (1.0f / 255) + 0.25f, backends_elementwise(2e-6f) + 1e-9f);
	ck_assert_float_eq(hg[P + 2], values[19 * P + 2]);
	ck_assert_msg(!memcmp(hm, place, n * sizeof(float)), "dropout in place");
	int zeros = 0;
	for (size_t i = 0; i < n; i++) {
		zeros += hm[i] == 0;
		ck_assert(hm[i] == 0 || hm[i] == 2 * hg[i]);
		ck_assert(hz[i] >= 0 && hz[i] <= 1);
	}
	ck_assert_msg(fabs(zeros / (double)n - 0.3) < 0.05, "%d of %d are zero", zeros, n);
	/* batch rows 3 and 4 are the same row of the data, so their masks are equal: a mask depends on the row's number, not its position
	 */
	ck_assert(!memcmp(hm + 3 * P, hm + 4 * P, P * sizeof(float)));
	/* augmentation: a source coordinate of up to W has an error of a few 1e-6, and neighbouring pixels differ by up to 1 */
	agree(hx, n, backends_elementwise(2e-6f), "images"), agree(hz, n, backends_elementwise(8e-6f), "augmented");
	agree(out(be, f, n), n, backends_elementwise(2e-6f), "alternately mirrored");
	agree(hg, n, 0, "gather"), agree(hm, n, 0, "dropout");
	free(values), free(place);
}
END_TEST

/* Factors times 1, one product each, so that they come out as they were rounded: to nearest, ties to even, by few rows and by many; on ref
 * and in fp32 they come out as they are. */
START_TEST(rounding)
{
	enum { N = 12 };
	static const float x[N] = {1, 1 + 0x1p-8f, 1 + 0x3p-8f, -1 - 0x1p-8f, 0x1.010002p0f, 0x1.00fffep0f, 0x1.fffp9f, -0x1.01p-20f, 0,
		0x1.fffffep100f, INFINITY, NAN},
			   bf16[N] = {1, 1, 1 + 0x1p-6f, -1, 1 + 0x1p-7f, 1, 0x1p10f, -0x1p-20f, 0, 0x1p101f, INFINITY, NAN};
	struct backend *be = backend(__func__, _i);
	const float *want = strcmp(be->name, "cpu") || backends_precision != PRECISION_BF16 ? x : bf16, one = 1;
	float *factors = to_device(be, x, N, sizeof *x), *w = to_device(be, &one, 1, sizeof one);
	if (strcmp(be->name, "cuda"))
		for (int rows = 1; rows <= N; rows += N - 1) { /* rows of one, by N outputs; N rows by one output */
			float *y = blank(be, N);
			if (rows == 1)
				be->dense(be, y, w, factors, NULL, ACT_NONE, 0, 1, 1, N);
			else
				be->dense(be, y, factors, w, NULL, ACT_NONE, 0, N, 1, 1);
			float *got = out(be, y, N);
			for (int i = 0; i < N; i++)
				ck_assert_msg(got[i] == want[i] || (isnan(got[i]) && isnan(want[i])), "%d rows: %a became %a, not %a", rows,
					(double)x[i], (double)got[i], (double)want[i]);
			free(got);
		}
	drop(be, factors), drop(be, w);
}
END_TEST

/* Device array of the rows' losses, NaN until written. */
static double *losses_blank(const struct backend *be, int B)
{
	double *host = xcalloc((size_t)B, sizeof *host);
	for (int b = 0; b < B; b++)
		host[b] = NAN;
	double *device = to_device(be, host, (size_t)B, sizeof *host);
	free(host);
	return device;
}

static void losses_agree(const struct backend *be, double *device, int B, float tolerance, const char *what)
{
	double *loss = xcalloc((size_t)B, sizeof *loss);
	float *rounded = xcalloc((size_t)B, sizeof *rounded);
	be->download(be, loss, device, (size_t)B * sizeof *loss);
	for (int b = 0; b < B; b++) {
		ck_assert_msg(isfinite(loss[b]) && loss[b] >= 0, "%s of row %d is %g", what, b, loss[b]);
		rounded[b] = (float)loss[b];
	}
	agree(rounded, (size_t)B, tolerance, what);
	drop(be, device), free(loss);
}

static const int heatmap_shapes[][4] = {/* B P H W */ {1, 1, 1, 2}, {3, 2, 5, 7}, {2, 3, 16, 16}, {4, 1, 33, 19}, {2, 2, 70, 67}};

START_TEST(heatmaps)
{
	struct backend *be = backend(__func__, _i);
	const int *v = heatmap_shapes[_i % BACKENDS_SHAPES], B = v[0], P = v[1], H = v[2], W = v[3];
	size_t k = (size_t)(B * P), n = k * (size_t)(H * W);
	float *hz = randoms(n, 1), *ht = randoms(2 * k, 2);
	for (size_t i = 0; i < n; i++)
		hz[i] *= 5;
	for (size_t i = 0; i < 2 * k; i++)
		ht[i] = (ht[i] * 0.25f + 0.5f) * (float)(i % 2 ? H : W); /* some outside the map */
	ht[0] = NAN;
	float *z = in(be, hz, n), *t = in(be, ht, 2 * k), *weight = in(be, positive(randoms(2 * k, 3), 2 * k), 2 * k);
	for (int kind = LOSS_SQUARED; kind <= LOSS_WING; kind++)
		for (int weighted = 0; weighted < 2; weighted++) {
			struct heatmap_loss s = {P, H, W, 1.5f, weighted ? 0.7f : 0, {(enum loss_kind)kind, 1, 0.25f, 0.1f}};
			double *loss = losses_blank(be, B);
			float *dz = blank(be, n), *decoded = blank(be, 4 * k), *alone = blank(be, 4 * k);
			be->heatmap_loss(be, &s, loss, dz, decoded, z, t, weighted ? weight : NULL, B);
			be->heatmap_loss(be, &s, NULL, NULL, alone, z, NULL, NULL, B);
			float *one = out(be, decoded, 4 * k), *other = out(be, alone, 4 * k);
			ck_assert_msg(!memcmp(one, other, 4 * k * sizeof(float)), "decoded without a target differs");
			agree(out(be, dz, n), n, 1e-5f, "heatmap dz"), losses_agree(be, loss, B, 1e-5f, "heatmap loss");
			agree(one, 4 * k, 1e-5f, "decoded");
			free(other);
		}
	/* logits of a Gaussian: the softmax is that Gaussian, whose mean and variances are known */
	if (H == 33) {
		float *logits = xcalloc((size_t)(H * W), sizeof *logits), *decoded = blank(be, 4);
		for (int i = 0; i < H * W; i++)
			logits[i] = -((float)(i % W) - 9.25f) * ((float)(i % W) - 9.25f) / 8 -
				    ((float)(i / W) - 14.5f) * ((float)(i / W) - 14.5f) / 12.5f;
		struct heatmap_loss s = {1, H, W, 1, 0, {LOSS_SQUARED, 1, 1, 1}};
		float *one = in(be, logits, (size_t)(H * W));
		be->heatmap_loss(be, &s, NULL, NULL, decoded, one, NULL, NULL, 1);
		float *is = out(be, decoded, 4);
		ck_assert_float_eq_tol(is[0], 9.25f, 1e-2f);
		ck_assert_float_eq_tol(is[1], 14.5f, 1e-2f);
		ck_assert_float_eq_tol(is[2], 4, 0.05f);
		ck_assert_float_eq_tol(is[3], 6.25f, 0.05f);
		drop(be, one), free(is);
	}
	drop(be, z), drop(be, t), drop(be, weight);
}
END_TEST

START_TEST(gaussians)
{
	enum { B = 2, P = 3, H = 20, W = 24, n = B * H * W };
	static const float points[B * P * 2] = {5, 6, 11.5f, 8.25f, NAN, NAN, 1, 1, 20, 15, 21, 15};
	static const float priors[P * 3] = {5, 5, 2, 12, 9, 2, 12, 16, 1.5f};
	struct backend *be = backend(__func__, _i);
	struct gaussians s = {P, H, W, 1.5f, 2};
	float *at = in(be, copied(points, B * P * 2), B * P * 2), *prior = in(be, copied(priors, P * 3), P * 3), *device = blank(be, n);
	be->draw_gaussians(be, &s, device, at, prior, B);
	float *t = out(be, device, n);
	for (int i = 0; i < H * W; i++) { /* the first row lacks its third point: pixels near that point's prior are masked */
		int near = hypot(i % W - 12, i / W - 16) < 3;
		ck_assert_msg(isnan(t[i]) == near, "pixel %d,%d: %g", i % W, i / W, (double)t[i]);
		t[i] = isnan(t[i]) ? -1 : t[i];
	}
	ck_assert_float_eq_tol(t[6 * W + 5], 1, 1e-6f);
	ck_assert_float_eq_tol(t[H * W + 15 * W + 20], 1, 1e-6f);
	ck_assert_float_eq_tol(t[H * W + 15 * W + 22], expf(-1 / 4.5f), 1e-6f);
	agree(t, n, 1e-6f, "gaussians");
	drop(be, at), drop(be, prior);
}
END_TEST

/* Shape k: loss kind k / 2, weighted where k is odd. */
START_TEST(losses)
{
	enum { B = 37, K = 5, n = B * K };
	struct backend *be = backend(__func__, _i);
	int weighted = _i % BACKENDS_SHAPES % 2;
	enum loss_kind kind = (enum loss_kind)(_i % BACKENDS_SHAPES / 2);
	struct loss s = {kind, 2, 0.5f, 0.5f};
	float *hz = randoms(n, 1), *ht = randoms(n, 2);
	for (size_t i = 0; i < n; i++) {
		hz[i] *= 30; /* saturates sigmoid and softmax */
		ht[i] = kind < LOSS_SIGMOID ? ht[i] : kind == LOSS_SIGMOID ? (float)(i % 3) / 2 : (float)(i % K);
	}
	float *z = in(be, hz, n), *t = in(be, ht, n), *weight = in(be, positive(randoms(n, 4), n), n), *dz = blank(be, n);
	double *loss = losses_blank(be, B), *alone = losses_blank(be, B);
	be->loss(be, &s, loss, dz, z, t, weighted ? weight : NULL, B, K);
	be->loss(be, &s, alone, NULL, z, t, weighted ? weight : NULL, B, K);
	agree(out(be, dz, n), n, 2e-6f, "dz"), losses_agree(be, loss, B, 1e-6f, "loss"), losses_agree(be, alone, B, 1e-6f, "loss alone");
	drop(be, z), drop(be, t), drop(be, weight);
}
END_TEST

/* ---- labels that are missing ---- */

/* A value's loss and its derivative by z, from the formulas of enum loss_kind. */
static double value_loss(const struct loss *s, double z, double t, double *slope)
{
	double d = z - t, a = fabs(d), sign = d < 0 ? -1 : d > 0, w = (double)s->width, c = (double)s->curve;
	switch (s->kind) {
	case LOSS_SQUARED:
		*slope = 2 * d;
		return d * d;
	case LOSS_SMOOTH:
		*slope = a < w ? d / w : sign;
		return a < w ? d * d / (2 * w) : a - w / 2;
	case LOSS_WING:
		*slope = a < w ? sign * w / (c + a) : sign;
		return a < w ? w * log(1 + a / c) : a - w + w * log(1 + w / c);
	default:
		*slope = 1 / (1 + exp(-z)) - t;
		return log(1 + exp(z)) - z * t;
	}
}

enum { MISSING_B = 9 };
static const int missing_widths[] = {1, 5, 16, 33, 130, 700};

/* A target that is NaN adds nothing to its row's loss and has a gradient of exactly 0, whatever its weight; other values have the gradient
 * that they have when none is missing. Rows 0, 3, ... lack every second target, rows 1, 4, ... all, rows 2, 5, ... none. Weights of 1 are
 * the same as none. Test k: kind k / LENGTH(missing_widths). */
START_TEST(missing_targets)
{
	struct backend *be = backend(__func__, _i);
	const int k = _i % BACKENDS_SHAPES, K = missing_widths[k % LENGTH(missing_widths)], n = MISSING_B * K;
	const struct loss s = {(enum loss_kind)(k / LENGTH(missing_widths)), 1, 0.5f, 0.25f};
	float *hz = randoms((size_t)n, 1), *ht = randoms((size_t)n, 2), *hw = positive(randoms((size_t)n, 3), (size_t)n),
	      *ones = copied(hw, (size_t)n);
	for (int i = 0; i < n; i++) {
		ht[i] = s.kind == LOSS_SIGMOID ? 1 / (1 + expf(-ht[i])) : ht[i];
		hz[i] = i % 4 == 1 ? ht[i] : hz[i]; /* some are right */
		ones[i] = 1;
	}
	float *full = copied(ht, (size_t)n), *gradient[3][2];
	double loss[3][2][MISSING_B];
	for (int i = 0; i < n; i++)
		if (i / K % 3 == 1 || (i / K % 3 == 0 && i % 2))
			ht[i] = NAN;
	for (int weighted = 0; weighted < 3; weighted++) /* 0: no weights, 1: some, 2: all are 1 */
		for (int missing = 0; missing < 2; missing++) {
			float *z = in(be, copied(hz, (size_t)n), (size_t)n), *t = in(be, copied(missing ? ht : full, (size_t)n), (size_t)n);
			float *w = weighted ? in(be, copied(weighted == 1 ? hw : ones, (size_t)n), (size_t)n) : NULL,
			      *dz = blank(be, (size_t)n);
			double *l = losses_blank(be, MISSING_B), *alone = losses_blank(be, MISSING_B), host[MISSING_B];
			be->loss(be, &s, l, dz, z, t, w, MISSING_B, K);
			be->loss(be, &s, alone, NULL, z, t, w, MISSING_B, K);
			be->download(be, loss[weighted][missing], l, sizeof host), be->download(be, host, alone, sizeof host);
			ck_assert_msg(!memcmp(host, loss[weighted][missing], sizeof host), "the loss without a gradient is another one");
			gradient[weighted][missing] = out(be, dz, (size_t)n);
			drop(be, z), drop(be, t), drop(be, l), drop(be, alone);
			if (w)
				drop(be, w);
		}
	for (int weighted = 0; weighted < 3; weighted++) {
		const float *g = gradient[weighted][1], *was = gradient[weighted][0];
		for (int b = 0; b < MISSING_B; b++) {
			double want = 0, slope, got = loss[weighted][1][b];
			for (int i = b * K; i < (b + 1) * K; i++) {
				double weight = weighted == 1 ? (double)hw[i] : 1;
				if (isnan(ht[i])) {
					ck_assert_msg(g[i] == 0,
						"kind %d, weights %d: a gradient of %g for value %d of row %d, which has no target", s.kind,
						weighted, (double)g[i], i % K, b);
					continue;
				}
				want += weight * value_loss(&s, (double)hz[i], (double)ht[i], &slope);
				ck_assert_msg(!memcmp(&g[i], &was[i], sizeof *g), "value %d of row %d changes where others are missing",
					i % K, b);
				ck_assert_msg(fabs((double)g[i] - weight * slope * 0.25) < 1e-6 * (1 + weight), "gradient %g, not %g",
					(double)g[i], weight * slope * 0.25);
			}
			ck_assert_msg(b % 3 == 1 ? got == 0 : fabs(got - want) <= 2e-6 * want,
				"kind %d, weights %d, row %d: loss %.9g, not %.9g", s.kind, weighted, b, got, want);
		}
	}
	free(hz), free(ht), free(hw), free(ones), free(full);
	for (int i = 0; i < 6; i++)
		free(gradient[i / 2][i % 2]);
}
END_TEST

/* Heat maps of points whose targets lack both coordinates, x, or y, or lie outside in one: what is missing or outside altogether adds
 * exactly nothing; with one coordinate the map has the gradient and the loss that it has where the other one's weight is 0. */
START_TEST(missing_points)
{
	enum { B = 6, H = 9, W = 13, M = H * W, n = B * M };
	static const float at[B][2] = {{3.25f, 6}, {NAN, NAN}, {7.5f, NAN}, {NAN, 2.75f}, {5, H + 1}, {-2, 4}};
	static const float filled[B][2] = {{3.25f, 6}, {1, 1}, {7.5f, 3}, {4, 2.75f}, {5, 5}, {2, 4}};
	static const float unseen[B][2] = {{1, 1}, {0, 0}, {1, 0}, {0, 1}, {0, 0}, {0, 0}};
	struct backend *be = backend(__func__, _i);
	const int weighted = _i % BACKENDS_SHAPES % 2;
	const struct heatmap_loss s = {1, H, W, 1.5f, 0.6f, {(enum loss_kind)(_i % BACKENDS_SHAPES / 2), 1, 0.25f, 0.5f}};
	float *hz = randoms(n, 1), *gradient[2], weights_of[2][B][2];
	double loss[3][B];
	for (int b = 0; b < B; b++)
		for (int k = 0; k < 2; k++)
			weights_of[0][b][k] = weighted ? 0.5f + (float)b : 1, weights_of[1][b][k] = unseen[b][k] * weights_of[0][b][k];
	for (int i = 0; i < 2; i++) { /* 0: targets that are missing; 1: all there, weights 0 */
		const float *targets = i ? &filled[0][0] : &at[0][0];
		float *z = in(be, copied(hz, n), n), *t = in(be, copied(targets, 2 * B), 2 * B), *dz = blank(be, n);
		float *w = i || weighted ? in(be, copied(&weights_of[i][0][0], 2 * B), 2 * B) : NULL;
		double *l = losses_blank(be, B), *row = losses_blank(be, 1);
		be->heatmap_loss(be, &s, l, dz, NULL, z, t, w, B);
		be->download(be, loss[i], l, sizeof loss[i]);
		if (!i) { /* the same as six points of one row */
			struct heatmap_loss one = s;
			float *of_row = blank(be, n);
			one.P = B;
			be->heatmap_loss(be, &one, row, of_row, NULL, z, t, w, 1);
			be->download(be, loss[2], row, sizeof *loss[2]);
			float *a = out(be, of_row, n), *b = read_back(be, dz, n);
			ck_assert_msg(!memcmp(a, b, n * sizeof *a), "a point's gradient depends on the other points");
			free(a), free(b);
		}
		gradient[i] = out(be, dz, n);
		drop(be, z), drop(be, t), drop(be, l), drop(be, row);
		if (w)
			drop(be, w);
	}
	double sum = 0;
	for (int b = 0; b < B; b++) {
		int none = b == 1 || b > 3;
		ck_assert_msg(none ? loss[0][b] == 0 : loss[0][b] > 0 && fabs(loss[0][b] - loss[1][b]) <= 1e-6 * loss[1][b],
			"point %d: loss %.9g, not %.9g", b, loss[0][b], loss[1][b]);
		sum += loss[0][b];
		double largest = 0;
		for (int i = b * M; i < (b + 1) * M; i++) {
			double got = (double)gradient[0][i], want = (double)gradient[1][i];
			ck_assert_msg(none ? got == 0 : fabs(got - want) < 1e-7, "point %d: a gradient of %g, not %g", b, got, want);
			largest = fmax(largest, fabs(got));
		}
		ck_assert(none || largest > 1e-4);
	}
	ck_assert_double_eq_tol(loss[2][0], sum, 1e-6 * sum);
	free(hz), free(gradient[0]), free(gradient[1]);
}
END_TEST

START_TEST(steps)
{
	struct backend *be = backend(__func__, _i);
	size_t n = 100003;
	int k = _i % BACKENDS_SHAPES;
	struct params host = {randoms(n, 9), randoms(n, 10), positive(randoms(n, 11), n)}, a = params_upload(be, &host, k, n);
	float *g = in(be, randoms(n, 3), n);
	be->optimizer_step(be, a.w, g, a.m, a.v, n, &updates[k]);
	params_agree(be, a, n, 1e-6f, "update");
	drop(be, g), free(host.w), free(host.m), free(host.v);
}
END_TEST

/* Many steps queued in a row, of all sizes, some of which read weights that others write: a backend may batch only independent ones. */
START_TEST(queued_steps)
{
	enum { ARRAYS = 50, MOST = 3001 };
	struct backend *be = backend(__func__, _i);
	struct optimizer_step opt = updates[_i % BACKENDS_SHAPES];
	float *w[ARRAYS], *m[ARRAYS], *v[ARRAYS], *g[ARRAYS];
	size_t n[ARRAYS];
	for (int i = 0; i < ARRAYS; i++) {
		n[i] = i % 7 == 6 ? MOST : (size_t)(1 + i * i);
		w[i] = in(be, randoms(n[i], 9), n[i]), m[i] = in(be, randoms(n[i], 10), n[i]);
		v[i] = in(be, positive(randoms(n[i], 11), n[i]), n[i]), g[i] = in(be, randoms(n[i], 3), n[i]);
	}
	for (int i = 0; i < ARRAYS; i++) {
		int a = i % 11 == 10 ? i - 1 : i,
		    by = i % 7 == 6 && i > 7 ? i - 7 : i; /* updated twice; the gradient is weights just updated */
		opt.weight_decay = i % 3 ? 0 : 0.01f;
		be->optimizer_step(be, w[a], i % 7 == 6 && i > 7 ? w[by] : g[a],
			opt.kind == OPTIMIZER_ADAM || opt.momentum > 0 ? m[a] : NULL, opt.kind == OPTIMIZER_ADAM ? v[a] : NULL,
			n[a] < n[by] ? n[a] : n[by], &opt);
	}
	for (int i = 0; i < ARRAYS; i++) {
		agree(out(be, w[i], n[i]), n[i], 1e-5f, "w in a row");
		drop(be, m[i]), drop(be, v[i]), drop(be, g[i]);
	}
}
END_TEST

static const size_t lerp_sizes[] = {1, 3, 4, 17, 100003, 3 << 16};

/* Against the definition in double, by three weights one after the other; a weight of 0 changes nothing. */
START_TEST(lerps)
{
	static const float weights_of[] = {9 / 11.0f, 0.001f, 0.25f};
	struct backend *be = backend(__func__, _i);
	size_t n = lerp_sizes[_i % BACKENDS_SHAPES];
	float *y = in(be, randoms(n, 1), n), *hy = randoms(n, 1);
	double *want = xcalloc(n, sizeof *want);
	for (size_t i = 0; i < n; i++)
		want[i] = (double)hy[i];
	for (uint32_t k = 0; k < 3; k++) {
		float *x = in(be, randoms(n, 2 + k), n), *hx = randoms(n, 2 + k);
		be->lerp(be, y, x, weights_of[k], n);
		for (size_t i = 0; i < n; i++)
			want[i] = (1 - (double)weights_of[k]) * want[i] + (double)weights_of[k] * (double)hx[i];
		drop(be, x), free(hx);
	}
	free(hy), hy = read_back(be, y, n);
	for (size_t i = 0; i < n; i++)
		if (!(fabs((double)hy[i] - want[i]) <= 1e-6 * (1 + fabs(want[i]))))
			ck_abort_msg("value %zu of %zu: %.9g, not %.9g", i, n, (double)hy[i], want[i]);
	float *x = in(be, randoms(n, 9), n);
	be->lerp(be, y, x, 0, n);
	drop(be, x), x = read_back(be, y, n);
	ck_assert_msg(!memcmp(x, hy, n * sizeof *x), "a weight of 0 changes values");
	free(x), free(hy), free(want);
	agree(out(be, y, n), n, 1e-6f, "lerp");
}
END_TEST

static void add(Suite *s, int backend)
{
	int shapes = LENGTH(dense_shapes) - !getenv("LARGE");
	BACKENDS_TEST(s, backend, memory, LENGTH(memory_sizes));
	if (!backend && strcmp(backends[1].name, "cuda")) { /* children of a process whose GPU is open end badly */
		TCase *cpu = tcase_create("cpu");
		tcase_add_test(cpu, threads_by_processors);
#ifndef __SANITIZE_ADDRESS__
		tcase_add_loop_test(cpu, out_of_memory, 0, 2);
#endif
		suite_add_tcase(s, cpu);
	}
	BACKENDS_TEST(s, backend, dense, shapes);
	BACKENDS_TEST(s, backend, dense_update, shapes);
	BACKENDS_TEST(s, backend, acts, LENGTH(act_sizes));
	BACKENDS_TEST(s, backend, sums, LENGTH(act_sizes));
	BACKENDS_TEST(s, backend, batches, 1);
	BACKENDS_TEST(s, backend, rounding, 1);
	BACKENDS_TEST(s, backend, losses, 2 * LOSS_SOFTMAX + 1);
	BACKENDS_TEST(s, backend, missing_targets, LENGTH(missing_widths) * LOSS_SOFTMAX);
	BACKENDS_TEST(s, backend, missing_points, 2 * (LOSS_WING + 1));
	BACKENDS_TEST(s, backend, steps, UPDATES);
	BACKENDS_TEST(s, backend, queued_steps, UPDATES);
	BACKENDS_TEST(s, backend, lerps, LENGTH(lerp_sizes));
	BACKENDS_TEST(s, backend, heatmaps, LENGTH(heatmap_shapes));
	BACKENDS_TEST(s, backend, gaussians, 1);
}

int main(void)
{
	return backends_run("backend", add);
}
