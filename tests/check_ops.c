/* Every operation on rows of a hand against the readable one, on awkward shapes, and its bits from opening to opening. Maps are
 * check_conv_ops.c's. */
#include "tests/hands.h"

static void bytes_drawn(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)philox(1, PHILOX_TEST, 0, (uint32_t)i, 0).v[0];
}

static const size_t memory_sizes[] = {1, 3, 4, 1000, 4099, (3 << 20) + 5};

START_TEST(memory)
{
	struct ops *o = hand(__func__, _i);
	size_t n = memory_sizes[_i % HANDS_SHAPES], third = n / 3;
	uint8_t *host = xcalloc(n, 1), *same = xcalloc(n, 1), *back = xmalloc(n), *p = o->alloc(o, n), *q = o->alloc(o, n), *lent;
	o->get(o, back, p, n);
	ck_assert_msg(!memcmp(back, same, n), "not zero at first");
	bytes_drawn(host, n), bytes_drawn(same, n);
	o->put(o, p, host, n);
	memset(host, 0, n); /* the caller's again */
	o->copy(o, q, p, n);
	o->get(o, back, q, n);
	ck_assert_msg(!memcmp(back, same, n), "put, copy, get");
	o->zero(o, q + third, third), o->put(o, q, same + n - third, third), o->copy(o, p + n - third, q, third);
	memset(same + third, 0, third), memcpy(same, same + n - third, third);
	o->get(o, back, q, n);
	ck_assert_msg(!memcmp(back, same, n), "parts of q");
	o->get(o, back, p + n - third, third);
	ck_assert_msg(!memcmp(back, same, third), "a part of p");
	lent = o->lend(o, same, n);
	o->copy(o, p, lent, n);
	o->unlend(o, lent);
	const uint8_t *view = o->view(o, p, n);
	ck_assert_msg(!memcmp(view, same, n), "lent, copied, viewed");
	o->unview(o, view);
	/* what does not wait: three fetches of what p holds each time, the last twice */
	uint8_t *fetched[4] = {xmalloc(n), xmalloc(n), xmalloc(n), xmalloc(n)};
	int ticket[4];
	ticket[0] = o->fetch(o, fetched[0], p, n);
	o->zero(o, p, n);
	ticket[1] = o->fetch(o, fetched[1], p, n);
	bytes_drawn(host, n);
	o->feed(o, q, host, n);
	o->copy(o, p, q, n);
	ticket[2] = o->fetch(o, fetched[2], p, n), ticket[3] = o->fetch(o, fetched[3], p, n);
	for (int i = 3; i >= 0; i--)
		o->wait(o, ticket[i]);
	ck_assert_msg(!memcmp(fetched[0], same, n), "fetched before zero");
	memset(same, 0, n);
	ck_assert_msg(!memcmp(fetched[1], same, n), "fetched after zero");
	ck_assert_msg(!memcmp(fetched[2], host, n) && !memcmp(fetched[3], host, n), "fed, copied, fetched");
	for (int i = 0; i < 4; i++)
		free(fetched[i]);
	o->release(o, p), o->release(o, q), free(host), free(same), free(back);
}
END_TEST

static const int dense_shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {32, 475, 500}, {257, 65, 513}, {1, 1000, 3}, {129, 3, 1030}, {64, 64, 32},
	{65, 33, 129}, {128, 132, 64}, {2, 4100, 3}, {300, 8, 260},
	/* LARGE=1: a card's library takes these */
	{512, 516, 520}};

START_TEST(dense)
{
	struct ops *o = hand(__func__, _i);
	const int *v = dense_shapes[_i % HANDS_SHAPES], B = v[0], I = v[1], O = v[2];
	size_t ni = (size_t)(B * I), no = (size_t)(B * O), nw = (size_t)(I * O);
	for (int flip = 0; flip < 2; flip++) {
		float *x = in(o, randoms(ni, 1), ni), *w = in(o, weights(nw, I, 2), nw), *b = in(o, randoms((size_t)O, 3), (size_t)O);
		for (int act = ACT_NONE; act <= ACT_SIGMOID; act++) {
			float *y = blank(o, no);
			o->dense(o, y, x, w, act == ACT_TANH ? NULL : b, (enum act)act, flip, B, I, O);
			agree(out(o, y, no), no, hands_products(I), "dense");
		}
		float *dx = blank(o, ni), *dy = in(o, randoms(no, 4), no);
		o->dense_dx(o, dx, dy, w, flip, B, I, O);
		agree(out(o, dx, ni), ni, hands_products(O), "dense_dx");
		drop(o, x), drop(o, w), drop(o, b), drop(o, dy);
	}
	for (int k = 0; k < 4; k++) { /* set, added to, either of the two alone */
		float *x = in(o, randoms(ni, 1), ni), *dy = in(o, randoms(no, 4), no);
		float *dw = k == 1 ? in(o, randoms(nw, 9), nw) : blank(o, nw), *db = blank(o, (size_t)O);
		int sums = k == 2; /* as programs ask for sums alone: without x */
		o->dense_dw(o, sums ? NULL : dw, k == 3 ? NULL : db, dy, sums ? NULL : x, k == 1, B, sums ? 0 : I, O);
		if (!sums)
			agree(read_back(o, dw, nw), nw, hands_products(B), "dense_dw");
		if (k != 3)
			agree(read_back(o, db, (size_t)O), (size_t)O, TOLERANCE(B), "db");
		drop(o, x), drop(o, dy), drop(o, dw), drop(o, db);
	}
}
END_TEST

/* Every update, with and without what it may go without, of one product and of the sum of two. */
static const struct update updates[] = {{UPDATE_SGD, 1, 0.1f, 0, 0, 0, 0}, {UPDATE_SGD, 2, 0.1f, 0.9f, 0, 0, 0.01f},
	{UPDATE_NESTEROV, 3, 0.1f, 0.9f, 0, 0, 0.01f}, {UPDATE_ADAM, 3, 0.1f, 0.9f, 0.999f, 1e-8f, 0.01f}};
enum { UPDATES = sizeof updates / sizeof *updates };

/* What an update moves: weights, a first moment where it has one, a second where it has two; else NULL. */
struct moved {
	float *w, *m, *v;
};

static float *positive(float *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = fabsf(p[i]);
	return p;
}

/* From what the host has, for update k. */
static struct moved moved_in(const struct ops *o, const struct moved *host, int k, size_t n)
{
	return (struct moved){in(o, copied(host->w, n), n), updates[k].momentum > 0 ? in(o, copied(host->m, n), n) : NULL,
		updates[k].kind == UPDATE_ADAM ? in(o, copied(host->v, n), n) : NULL};
}

static void moved_agree(const struct ops *o, struct moved a, size_t n, float tolerance, const char *what)
{
	agree(out(o, a.w, n), n, tolerance, what);
	if (a.m)
		agree(out(o, a.m, n), n, tolerance, "first moment");
	if (a.v)
		agree(out(o, a.v, n), n, 2 * tolerance, "second moment");
}

START_TEST(dense_step)
{
	struct ops *o = hand(__func__, _i);
	const int *v = dense_shapes[_i % HANDS_SHAPES], B = v[0], I = v[1], O = v[2];
	size_t ni = (size_t)(B * I), no = (size_t)(B * O), nw = (size_t)(I * O);
	struct moved host = {randoms(nw, 9), randoms(nw, 10), positive(randoms(nw, 11), nw)};
	for (int pair = 0; pair < 2; pair++) {
		float *x = in(o, randoms(ni, 1), ni), *dy = in(o, weights(no, B, 2), no);
		float *x2 = pair ? in(o, randoms(ni, 3), ni) : NULL, *dy2 = pair ? in(o, weights(no, B, 4), no) : NULL;
		for (int k = 0; k < UPDATES; k++) {
			struct moved a = moved_in(o, &host, k, nw);
			o->dense_step(o, a.w, a.m, a.v, dy, x, dy2, x2, B, I, O, &updates[k]);
			moved_agree(o, a, nw, hands_products(B), "dense_step");
		}
		drop(o, x), drop(o, dy);
		if (pair)
			drop(o, x2), drop(o, dy2);
	}
	free(host.w), free(host.m), free(host.v);
}
END_TEST

static const size_t act_sizes[] = {1, 4, 255, 257, 100003};

START_TEST(acts)
{
	struct ops *o = hand(__func__, _i);
	size_t n = act_sizes[_i % HANDS_SHAPES];
	for (int act = ACT_NONE; act <= ACT_SIGMOID; act++) {
		float *x = in(o, randoms(n, 1), n), *dy = in(o, randoms(n, 2), n), *y = blank(o, n), *dx = blank(o, n);
		o->act(o, y, x, (enum act)act, n);
		o->act_back(o, dx, dy, y, (enum act)act, n);
		agree(read_back(o, y, n), n, 2e-6f, "act"), agree(read_back(o, dx, n), n, 2e-6f, "act_back");
		o->act(o, x, x, (enum act)act, n);
		o->act_back(o, dy, dy, x, (enum act)act, n);
		float *a[] = {out(o, y, n), out(o, x, n), out(o, dx, n), out(o, dy, n)};
		ck_assert_msg(!memcmp(a[0], a[1], n * sizeof(float)) && !memcmp(a[2], a[3], n * sizeof(float)), "in place");
		for (int i = 0; i < 4; i++)
			free(a[i]);
	}
}
END_TEST

START_TEST(batches)
{
	enum { B = 9, H = 11, W = 13, N = 20, P = H * W, n = B * P };
	static const uint32_t rows_of[B] = {3, 19, 0, 7, 7, 12, 1, 18, 5};
	struct ops *o = hand(__func__, _i);
	struct augment a = {1, 2, 15, 0.2f, 0.3f, 0.1f, 0.05f, 1, 0.5f, 9, 4};
	uint8_t host[N * P], *bytes = o->alloc(o, sizeof host);
	bytes_drawn(host, sizeof host);
	o->put(o, bytes, host, sizeof host);
	uint32_t *rows = placed(o, rows_of, B, sizeof *rows);
	float *values = randoms(N * P, 1), *source = in(o, copied(values, N * P), N * P);
	float *x = blank(o, n), *z = blank(o, n), *g = blank(o, n), *m = blank(o, n);
	o->images(o, x, bytes, rows, B, 1, H, W, 1.0f / 255, 0.25f, NULL);
	o->images(o, z, bytes, rows, B, 1, H, W, 1.0f / 255, 0, &a);
	o->gather(o, g, source, rows, B, P);
	o->mask(o, m, g, rows, B, P, 0.3f, 2, 77, PHILOX_MASK, 6);
	float *hg = read_back(o, g, n);
	o->mask(o, g, g, rows, B, P, 0.3f, 2, 77, PHILOX_MASK, 6);
	float *hx = out(o, x, n), *hz = out(o, z, n), *hm = out(o, m, n), *place = out(o, g, n);
	drop(o, rows), drop(o, source), o->release(o, bytes);
	ck_assert_float_eq_tol(hx[5], (float)host[3 * P + 5] * (1.0f / 255) + 0.25f, hands_fused(2e-6f) + 1e-9f);
	ck_assert_float_eq(hg[P + 2], values[19 * P + 2]);
	ck_assert_msg(!memcmp(hm, place, n * sizeof(float)), "a mask in place");
	int zeros = 0;
	for (size_t i = 0; i < n; i++) {
		zeros += hm[i] == 0;
		ck_assert(hm[i] == 0 || hm[i] == 2 * hg[i]);
		ck_assert(hz[i] >= 0 && hz[i] <= 1);
	}
	ck_assert_msg(fabs(zeros / (double)n - 0.3) < 0.05, "%d of %d are zero", zeros, n);
	/* rows 3 and 4 of the batch are one row of the data: they draw the same numbers wherever they stand */
	ck_assert(!memcmp(hm + 3 * P, hm + 4 * P, P * sizeof(float)));
	/* a moved pixel comes from a place of up to W, known to a few times 1e-6; from neighbour to neighbour grey goes up to 1 */
	agree(hx, n, hands_fused(2e-6f), "images"), agree(hz, n, hands_fused(8e-6f), "augmented");
	agree(hg, n, 0, "gather"), agree(hm, n, 0, "mask");
	free(values), free(place);
}
END_TEST

/* Losses of rows on the device, NaN where they are not written. */
static double *losses_blank(const struct ops *o, int B)
{
	double *host = xcalloc((size_t)B, sizeof *host);
	for (int b = 0; b < B; b++)
		host[b] = NAN;
	double *device = placed(o, host, (size_t)B, sizeof *host);
	free(host);
	return device;
}

static void losses_agree(const struct ops *o, double *device, int B, float tolerance, const char *what)
{
	double *loss = xcalloc((size_t)B, sizeof *loss);
	float *rounded = xcalloc((size_t)B, sizeof *rounded);
	o->get(o, loss, device, (size_t)B * sizeof *loss);
	for (int b = 0; b < B; b++) {
		ck_assert_msg(isfinite(loss[b]) && loss[b] >= 0, "%s of row %d is %g", what, b, loss[b]);
		rounded[b] = (float)loss[b];
	}
	agree(rounded, (size_t)B, tolerance, what);
	drop(o, device), free(loss);
}

static const int heat_shapes[][4] = {/* B P H W */ {1, 1, 1, 2}, {3, 2, 5, 7}, {2, 3, 16, 16}, {4, 1, 33, 19}, {2, 2, 70, 67}};

START_TEST(heat_maps)
{
	struct ops *o = hand(__func__, _i);
	const int *v = heat_shapes[_i % HANDS_SHAPES], B = v[0], P = v[1], H = v[2], W = v[3];
	size_t k = (size_t)(B * P), n = k * (size_t)(H * W);
	float *hz = randoms(n, 1), *ht = randoms(2 * k, 2);
	for (size_t i = 0; i < n; i++)
		hz[i] *= 5;
	for (size_t i = 0; i < 2 * k; i++)
		ht[i] = (ht[i] * 0.25f + 0.5f) * (float)(i % 2 ? H : W); /* some outside */
	ht[0] = NAN;
	float *z = in(o, hz, n), *t = in(o, ht, 2 * k), *weight = in(o, positive(randoms(2 * k, 3), 2 * k), 2 * k);
	for (int kind = LOSS_SQUARED; kind <= LOSS_WING; kind++)
		for (int weighed = 0; weighed < 2; weighed++) {
			struct heat s = {P, H, W, 1.5f, weighed ? 0.7f : 0, {(enum loss_kind)kind, 1, 0.25f, 0.1f}};
			double *loss = losses_blank(o, B);
			float *dz = blank(o, n), *place = blank(o, 4 * k), *alone = blank(o, 4 * k);
			o->heat(o, &s, loss, dz, place, z, t, weighed ? weight : NULL, B);
			o->heat(o, &s, NULL, NULL, alone, z, NULL, NULL, B);
			float *one = out(o, place, 4 * k), *other = out(o, alone, 4 * k);
			ck_assert_msg(!memcmp(one, other, 4 * k * sizeof(float)), "places alone differ");
			agree(out(o, dz, n), n, 1e-5f, "heat dz"), losses_agree(o, loss, B, 1e-5f, "heat");
			agree(one, 4 * k, 1e-5f, "places");
			free(other);
		}
	/* a bump of a Gaussian's logits is a Gaussian: its mean and variance are known */
	if (H == 33) {
		float *bump = xcalloc((size_t)(H * W), sizeof *bump), *place = blank(o, 4);
		for (int i = 0; i < H * W; i++)
			bump[i] = -((float)(i % W) - 9.25f) * ((float)(i % W) - 9.25f) / 8 -
				  ((float)(i / W) - 14.5f) * ((float)(i / W) - 14.5f) / 8;
		struct heat s = {1, H, W, 1, 0, {LOSS_SQUARED, 1, 1, 1}};
		float *one = in(o, bump, (size_t)(H * W));
		o->heat(o, &s, NULL, NULL, place, one, NULL, NULL, 1);
		float *is = out(o, place, 4);
		ck_assert_float_eq_tol(is[0], 9.25f, 1e-2f);
		ck_assert_float_eq_tol(is[1], 14.5f, 1e-2f);
		ck_assert_float_eq_tol(is[2], 8, 0.1f);
		drop(o, one), free(is);
	}
	drop(o, z), drop(o, t), drop(o, weight);
}
END_TEST

START_TEST(splats)
{
	enum { B = 2, P = 3, H = 20, W = 24, n = B * H * W };
	static const float points[B * P * 2] = {5, 6, 11.5f, 8.25f, NAN, NAN, 1, 1, 20, 15, 21, 15};
	static const float usual[P * 3] = {5, 5, 2, 12, 9, 2, 12, 16, 1.5f};
	struct ops *o = hand(__func__, _i);
	struct splat s = {P, H, W, 1.5f, 2};
	float *at = in(o, copied(points, B * P * 2), B * P * 2), *prior = in(o, copied(usual, P * 3), P * 3), *device = blank(o, n);
	o->splat(o, &s, device, at, prior, B);
	float *t = out(o, device, n);
	for (int i = 0; i < H * W; i++) { /* the first row lacks its third point: what is near its usual place is no background */
		int near = hypot(i % W - 12, i / W - 16) < 3;
		ck_assert_msg(isnan(t[i]) == near, "pixel %d,%d: %g", i % W, i / W, (double)t[i]);
		t[i] = isnan(t[i]) ? -1 : t[i];
	}
	ck_assert_float_eq_tol(t[6 * W + 5], 1, 1e-6f);
	ck_assert_float_eq_tol(t[H * W + 15 * W + 20], 1, 1e-6f);
	ck_assert_float_eq_tol(t[H * W + 15 * W + 22], expf(-1 / 4.5f), 1e-6f);
	agree(t, n, 1e-6f, "splat");
	drop(o, at), drop(o, prior);
}
END_TEST

/* Test k: a kind of loss, weighed or not. */
START_TEST(losses)
{
	enum { B = 37, K = 5, n = B * K };
	struct ops *o = hand(__func__, _i);
	int weighed = _i % HANDS_SHAPES % 2;
	enum loss_kind kind = (enum loss_kind)(_i % HANDS_SHAPES / 2);
	struct loss s = {kind, 2, 0.5f, 0.5f};
	float *hz = randoms(n, 1), *ht = randoms(n, 2);
	for (size_t i = 0; i < n; i++) {
		hz[i] *= 30; /* far into saturation */
		ht[i] = kind < LOSS_SIGMOID ? ht[i] : kind == LOSS_SIGMOID ? (float)(i % 3) / 2 : (float)(i % K);
	}
	float *z = in(o, hz, n), *t = in(o, ht, n), *weight = in(o, positive(randoms(n, 4), n), n), *dz = blank(o, n);
	double *loss = losses_blank(o, B), *alone = losses_blank(o, B);
	o->loss(o, &s, loss, dz, z, t, weighed ? weight : NULL, B, K);
	o->loss(o, &s, alone, NULL, z, t, weighed ? weight : NULL, B, K);
	agree(out(o, dz, n), n, 2e-6f, "dz"), losses_agree(o, loss, B, 1e-6f, "loss"), losses_agree(o, alone, B, 1e-6f, "loss alone");
	drop(o, z), drop(o, t), drop(o, weight);
}
END_TEST

START_TEST(steps)
{
	struct ops *o = hand(__func__, _i);
	size_t n = 100003;
	int k = _i % HANDS_SHAPES;
	struct moved host = {randoms(n, 9), randoms(n, 10), positive(randoms(n, 11), n)}, a = moved_in(o, &host, k, n);
	float *g = in(o, randoms(n, 3), n);
	o->update(o, a.w, g, a.m, a.v, n, &updates[k]);
	moved_agree(o, a, n, 1e-6f, "update");
	drop(o, g), free(host.w), free(host.m), free(host.v);
}
END_TEST

/* Many in a row, of all sizes, some of which need what others have moved: a hand may do in one go only those that don't. */
START_TEST(steps_in_a_row)
{
	enum { ARRAYS = 50, MOST = 3001 };
	struct ops *o = hand(__func__, _i);
	struct update u = updates[_i % HANDS_SHAPES];
	float *w[ARRAYS], *m[ARRAYS], *v[ARRAYS], *g[ARRAYS];
	size_t n[ARRAYS];
	for (int i = 0; i < ARRAYS; i++) {
		n[i] = i % 7 == 6 ? MOST : (size_t)(1 + i * i);
		w[i] = in(o, randoms(n[i], 9), n[i]), m[i] = in(o, randoms(n[i], 10), n[i]);
		v[i] = in(o, positive(randoms(n[i], 11), n[i]), n[i]), g[i] = in(o, randoms(n[i], 3), n[i]);
	}
	for (int i = 0; i < ARRAYS; i++) {
		int a = i % 11 == 10 ? i - 1 : i, by = i % 7 == 6 && i > 7 ? i - 7 : i; /* moved twice; by what has moved */
		u.decay = i % 3 ? 0 : 0.01f;
		o->update(o, w[a], i % 7 == 6 && i > 7 ? w[by] : g[a], u.kind == UPDATE_ADAM || u.momentum > 0 ? m[a] : NULL,
			u.kind == UPDATE_ADAM ? v[a] : NULL, n[a] < n[by] ? n[a] : n[by], &u);
	}
	for (int i = 0; i < ARRAYS; i++) {
		agree(out(o, w[i], n[i]), n[i], 1e-5f, "w in a row");
		drop(o, m[i]), drop(o, v[i]), drop(o, g[i]);
	}
}
END_TEST

static void add(Suite *s, int hand)
{
	int shapes = LENGTH(dense_shapes) - !getenv("LARGE");
	HANDS_TEST(s, hand, memory, LENGTH(memory_sizes));
	HANDS_TEST(s, hand, dense, shapes);
	HANDS_TEST(s, hand, dense_step, shapes);
	HANDS_TEST(s, hand, acts, LENGTH(act_sizes));
	HANDS_TEST(s, hand, batches, 1);
	HANDS_TEST(s, hand, losses, 2 * LOSS_SOFTMAX + 1);
	HANDS_TEST(s, hand, steps, UPDATES);
	HANDS_TEST(s, hand, steps_in_a_row, UPDATES);
	HANDS_TEST(s, hand, heat_maps, LENGTH(heat_shapes));
	HANDS_TEST(s, hand, splats, 1);
}

int main(void)
{
	return hands_run("ops", add);
}
