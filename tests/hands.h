/* What tests of operations share: the hands that are compared, memory on their side of the seam, and how results must agree.
 * A test runs for each hand in turn, ref first: it makes its arrays by in() and blank(), and hands every result to agree(), which keeps
 * ref's, compares the first opening's with them, and wants the bits of that one from the later openings.
 * HAND=cuda: ref against three openings of that hand, the second in reverse order of threads where the card is the host;
 * PRECISION=fp32, tf32 or bf16 is its. Else ref against cpu with 1, 2 and 5 threads. One hand is open at a time. */
#ifndef HANDS_H
#define HANDS_H

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/ops.h"
#include "lib/base/err.h"
#include "lib/base/philox.h"

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))
/* Sums of n products of about 1 may differ by a few roundings of their length. */
#define TOLERANCE(n) (4e-7f * sqrtf((float)(n)) + 2e-6f)

enum { HANDS = 4, HANDS_SHAPES = 1000 }; /* test i: hand i / HANDS_SHAPES, shape i % HANDS_SHAPES */

static struct {
	const char *name;
	int threads;
	const char *order; /* of threads, KEYPIPE_CARD_ORDER */
} hands[HANDS] = {{"ref", 1, NULL}, {"cpu", 1, NULL}, {"cpu", 2, NULL}, {"cpu", 5, NULL}};
static enum precision hands_precision;

struct hands_result {
	const char *test;
	int shape, hand; /* whose values these are */
	float *p;
	size_t n;
};

static struct {
	struct ops *o;
	int hand, shape;
	const char *test;
	uint32_t lots;		      /* drawn in this test */
	struct hands_result *results; /* of all tests, those of one in a row */
	int n, next;
} hands_now;

/* What a value by value operation may differ by: a card multiplies and adds at once, and rounds its expf and sinf otherwise. */
static inline float hands_fused(float tolerance)
{
	return strcmp(hands[1].name, "cuda") ? 0 : tolerance;
}

/* Of sums of n products whose factors the hand may round first, by u = 2^-11 (tf32) or 2^-8 (bf16) of their size at most: that makes a
 * product wrong by 0.6 u of its size as a rule, by chance; so a sum by 0.6 u of the root of the sum of their squares, which is what such
 * sums are as a rule, whatever n is, and the worst of some 100000 by 5 times that, 3 u. Rows longer than others and a tanh, whose values
 * are 0.6 as a rule where its slope is 1, make it 7 u at most. A library that cuts factors instead makes all sums smaller by 1.5 u too. */
static inline float hands_products(int n)
{
	static const float u[] = {[PRECISION_FP32] = 0, [PRECISION_TF32] = 0x1p-11f, [PRECISION_BF16] = 0x1p-8f};
	return TOLERANCE(n) + 8 * u[hands_precision];
}

/* 0: this build has no such hand. */
static inline int hands_open(int hand)
{
	if (hands_now.o && hands_now.hand == hand)
		return 1;
	if (hands_now.o)
		hands_now.o->close(hands_now.o);
	if (hands[hand].order)
		setenv("KEYPIPE_CARD_ORDER", hands[hand].order, 1);
	else
		unsetenv("KEYPIPE_CARD_ORDER");
	hands_now.hand = hand;
	hands_now.o = ops_open(hands[hand].name, hands[hand].threads, hands_precision);
	return hands_now.o != NULL;
}

static inline int hands_here(const struct hands_result *r)
{
	return r->shape == hands_now.shape && !strcmp(r->test, hands_now.test);
}

/* First in a test, of its __func__ and _i: the hand it is to use. */
static inline struct ops *hand(const char *test, int i)
{
	hands_open(i / HANDS_SHAPES);
	hands_now.test = test, hands_now.shape = i % HANDS_SHAPES, hands_now.lots = 0;
	for (hands_now.next = 0; hands_now.next < hands_now.n && !hands_here(&hands_now.results[hands_now.next]);)
		hands_now.next++;
	return hands_now.o;
}

/* A result (n) of this test; p is taken over. Tolerance is of ref's value and of the root of the mean of their squares. */
static inline void agree(float *p, size_t n, float tolerance, const char *what)
{
	if (!hands_now.hand) {
		hands_now.results = xrealloc(hands_now.results, ((size_t)hands_now.n + 1) * sizeof *hands_now.results);
		hands_now.results[hands_now.n++] = (struct hands_result){hands_now.test, hands_now.shape, 0, p, n};
		return;
	}
	struct hands_result *r = &hands_now.results[hands_now.next++];
	ck_assert_msg(hands_now.next <= hands_now.n && hands_here(r) && r->n == n, "%s: ref has no such result", what);
	double scale = 0;
	for (size_t i = 0; i < n; i++)
		scale += (double)r->p[i] * (double)r->p[i];
	scale = n ? sqrt(scale / (double)n) + 1e-3 : 1;
	for (size_t i = 0; i < n; i++) { /* an assert writes a line wherever it passes: not for each element */
		double was = (double)r->p[i], is = (double)p[i];
		if (r->hand && memcmp(&r->p[i], &p[i], sizeof *p))
			ck_abort_msg("%s: element %zu of %zu: %.9g, opening %d had %.9g", what, i, n, is, r->hand, was);
		if (!r->hand && !(fabs(was - is) <= (double)tolerance * (scale + fabs(was))))
			ck_abort_msg("%s: element %zu of %zu: %.9g, ref has %.9g", what, i, n, is, was);
	}
	free(r->p);
	r->p = p, r->hand = hands_now.hand;
}

/* Arrays of the host, to be freed. */
static inline float *randoms(size_t n, uint32_t what)
{
	float *p = xcalloc(n + 1, sizeof *p);
	for (size_t i = 0; i < n; i++) {
		struct philox r = philox(5, PHILOX_TEST, what, (uint32_t)i, 0);
		p[i] = philox_normal(r.v[0], r.v[1]);
	}
	return p;
}

/* So small that sums of n products are about 1, as in a net: activations then see the errors that they would there. */
static inline float *weights(size_t n, int fan, uint32_t what)
{
	float *p = randoms(n, what);
	for (size_t i = 0; i < n; i++)
		p[i] /= sqrtf((float)fan);
	return p;
}

/* Small whole numbers times a power of two: sums of their products are exact in any order, and many are equal. */
static inline float *whole(size_t n, float unit, uint32_t what)
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

/* Device memory for a flat array; by lot it begins one value after an allocation's start, as the parts of a block of parameters do. */
static inline void *placed(const struct ops *o, const void *host, size_t n, size_t size)
{
	size_t shift = philox(5, PHILOX_TEST, 0, (uint32_t)hands_now.shape, hands_now.lots++).v[0] % 2 * size;
	char *p = o->alloc(o, n * size + shift);
	o->put(o, p + shift, host, n * size);
	return p + shift;
}

static inline void drop(const struct ops *o, void *device)
{
	o->release(o, (void *)((uintptr_t)device & ~(uintptr_t)15));
}

/* An array of n on the device; host is freed. */
static inline float *in(const struct ops *o, float *host, size_t n)
{
	float *p = placed(o, host, n, sizeof *host);
	free(host);
	return p;
}

/* The same of NaN: what an operation leaves unwritten shows. */
static inline float *blank(const struct ops *o, size_t n)
{
	float *host = xmalloc((n + 1) * sizeof *host);
	for (size_t i = 0; i < n; i++)
		host[i] = NAN;
	return in(o, host, n);
}

static inline float *read_back(const struct ops *o, const float *device, size_t n)
{
	float *host = xmalloc((n + 1) * sizeof *host);
	o->get(o, host, device, n * sizeof *host);
	return host;
}

/* The host's copy of a device's array, which goes. */
static inline float *out(const struct ops *o, float *device, size_t n)
{
	float *host = read_back(o, device, n);
	drop(o, device);
	return host;
}

/* Maps of one value throughout: NaN shows what is unwritten, another shows whether values without a meaning count. */
static inline float *maps_filled(const struct ops *o, float value, int B, int C, int H, int W)
{
	size_t size = o->maps_size(o, B, C, H, W), n = size / sizeof(float);
	float *device = o->alloc(o, size), *p = xmalloc(size);
	for (size_t i = 0; i < n; i++)
		p[i] = value;
	o->put(o, device, p, size);
	free(p);
	return device;
}

/* Maps of rows of the host, which are freed. */
static inline float *to_maps(const struct ops *o, float *rows, int B, int C, int H, int W)
{
	float *maps = maps_filled(o, 1e3f, B, C, H, W), *device = in(o, rows, (size_t)B * C * H * W);
	o->to_maps(o, maps, device, B, C, H, W);
	drop(o, device);
	return maps;
}

/* Rows of the host, to be freed, of maps, which go. */
static inline float *to_rows(const struct ops *o, float *maps, int B, int C, int H, int W)
{
	size_t n = (size_t)B * C * H * W;
	float *rows = blank(o, n);
	o->to_rows(o, rows, maps, B, C, H, W);
	o->release(o, maps);
	return out(o, rows, n);
}

/* A test in a case of its own name, so that CK_RUN_CASE picks it, for one hand. */
#define HANDS_TEST(suite, hand, test, shapes)                                                                                              \
	do {                                                                                                                               \
		TCase *hands_case = tcase_create(#test);                                                                                   \
		tcase_add_loop_test(hands_case, test, (hand)*HANDS_SHAPES, (hand)*HANDS_SHAPES + (shapes));                                \
		suite_add_tcase(suite, hands_case);                                                                                        \
	} while (0)

static inline void hands_choose(void)
{
	static const char *const names[] = {"fp32", "tf32", "bf16"};
	const char *name = getenv("HAND"), *precision = getenv("PRECISION");
	for (int h = 1; name && strcmp(name, "cpu") && h < HANDS; h++)
		hands[h].name = name, hands[h].threads = 0, hands[h].order = h == 2 ? "reverse" : NULL;
	for (int p = 0; hands_fused(1) > 0 && precision && strcmp(names[hands_precision], precision); p++) {
		if (p == LENGTH(names))
			die("PRECISION is fp32, tf32 or bf16, not %s", precision);
		hands_precision = (enum precision)p;
	}
}

/* main: add puts the tests into the suite for one hand. Without the hand that is asked for nothing is tested. */
static inline int hands_run(const char *name, void (*add)(Suite *suite, int hand))
{
	hands_choose();
	if (!hands_open(1)) {
		printf("skipped: no %s hand in this build\n", hands[1].name);
		return 0;
	}
	printf("hand: %s, %s\n", hands_now.o->name, hands_now.o->kernel);
	Suite *suite = suite_create(name);
	for (int h = 0; h < HANDS; h++)
		add(suite, h);
	SRunner *r = srunner_create(suite);
	srunner_set_fork_status(r, CK_NOFORK); /* the pool's threads would not survive a fork */
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	hands_now.o->close(hands_now.o);
	for (int i = 0; i < hands_now.n; i++)
		free(hands_now.results[i].p);
	free(hands_now.results);
	return failed != 0;
}

#endif
