/* Every operation of the fast hand against the readable one, on awkward shapes, and its bits for several numbers of threads. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/ops.h"
#include "lib/err.h"
#include "lib/philox.h"

/* Sums of n products of about 1 may differ by a few roundings of their length. */
#define TOLERANCE(n) (4e-7f * sqrtf((float)(n)) + 2e-6f)

static struct ops *ref, *cpu[3];

static float *randoms(size_t n, uint32_t what)
{
	float *p = xcalloc(n + 1, sizeof *p);
	for (size_t i = 0; i < n; i++) {
		struct philox r = philox(5, PHILOX_TEST, what, (uint32_t)i, 0);
		p[i] = philox_normal(r.v[0], r.v[1]);
	}
	return p;
}

/* Weights so small that sums of n products are about 1, as in a net: activations then see the errors that they would there. */
static float *weights(size_t n, int fan, uint32_t what)
{
	float *p = randoms(n, what);
	for (size_t i = 0; i < n; i++)
		p[i] /= sqrtf((float)fan);
	return p;
}

/* a[0] is ref's, a[1] cpu's with one thread, a[2], a[3] with more. Frees all. */
static void compare(float *a[4], size_t n, float tolerance, const char *what)
{
	double scale = 0;
	for (size_t i = 0; i < n; i++)
		scale += (double)a[0][i] * (double)a[0][i];
	scale = n ? sqrt(scale / (double)n) + 1e-3 : 1;
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(fabs((double)a[0][i] - (double)a[1][i]) <= (double)tolerance * (scale + fabs((double)a[0][i])),
			"%s: element %zu of %zu: %.9g, ref has %.9g", what, i, n, (double)a[1][i], (double)a[0][i]);
	ck_assert_msg(!n || !memcmp(a[1], a[2], n * sizeof(float)), "%s: 2 threads give other bits", what);
	ck_assert_msg(!n || !memcmp(a[1], a[3], n * sizeof(float)), "%s: 5 threads give other bits", what);
	for (int i = 0; i < 4; i++)
		free(a[i]);
}

static struct ops *hand(int i)
{
	return i ? cpu[i - 1] : ref;
}

static float *filled(size_t n)
{
	float *p = xcalloc(n + 1, sizeof *p);
	for (size_t i = 0; i < n; i++)
		p[i] = NAN; /* what an operation leaves unwritten shows */
	return p;
}

static const int dense_shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {32, 475, 500}, {257, 65, 513}, {1, 1000, 3}, {129, 3, 1030}};

START_TEST(dense)
{
	int B = dense_shapes[_i][0], I = dense_shapes[_i][1], O = dense_shapes[_i][2];
	size_t ni = (size_t)(B * I), no = (size_t)(B * O), nw = (size_t)(I * O);
	float *x = randoms(ni, 1), *w = weights(nw, I, 2), *b = randoms((size_t)O, 3), *dy = randoms(no, 4);
	for (int flip = 0; flip < 2; flip++)
		for (int act = ACT_NONE; act <= ACT_SIGMOID; act++) {
			float *y[4], *dx[4];
			for (int h = 0; h < 4; h++) {
				y[h] = filled(no), dx[h] = filled(ni);
				hand(h)->dense(hand(h), y[h], x, w, act == ACT_TANH ? NULL : b, (enum act)act, flip, B, I, O);
				hand(h)->dense_dx(hand(h), dx[h], dy, w, flip, B, I, O);
			}
			compare(y, no, TOLERANCE(I), "dense");
			compare(dx, ni, TOLERANCE(O), "dense_dx");
		}
	for (int add = 0; add < 2; add++) {
		float *dw[4], *db[4];
		for (int h = 0; h < 4; h++) {
			dw[h] = add ? randoms(nw, 9) : filled(nw), db[h] = filled((size_t)O);
			hand(h)->dense_dw(hand(h), dw[h], db[h], dy, x, add, B, I, O);
		}
		compare(dw, nw, TOLERANCE(B), "dense_dw");
		compare(db, (size_t)O, TOLERANCE(B), "db");
	}
	free(x), free(w), free(b), free(dy);
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

static float *copied(const float *p, size_t n)
{
	return memcpy(filled(n), p, n * sizeof *p);
}

static struct moved moved_first(size_t n)
{
	struct moved f = {randoms(n, 9), randoms(n, 10), randoms(n, 11)};
	for (size_t i = 0; i < n; i++)
		f.v[i] = fabsf(f.v[i]);
	return f;
}

static struct moved moved_copy(const struct moved *f, int k, size_t n)
{
	return (struct moved){
		copied(f->w, n), updates[k].momentum > 0 ? copied(f->m, n) : NULL, updates[k].kind == UPDATE_ADAM ? copied(f->v, n) : NULL};
}

static void moved_compare(struct moved a[4], size_t n, float tolerance, const char *what)
{
	compare((float *[]){a[0].w, a[1].w, a[2].w, a[3].w}, n, tolerance, what);
	compare((float *[]){a[0].m, a[1].m, a[2].m, a[3].m}, a[0].m ? n : 0, tolerance, "first moment");
	compare((float *[]){a[0].v, a[1].v, a[2].v, a[3].v}, a[0].v ? n : 0, 2 * tolerance, "second moment");
}

START_TEST(dense_step)
{
	int B = dense_shapes[_i][0], I = dense_shapes[_i][1], O = dense_shapes[_i][2];
	size_t ni = (size_t)(B * I), no = (size_t)(B * O), nw = (size_t)(I * O);
	float *x = randoms(ni, 1), *dy = weights(no, B, 2), *x2 = randoms(ni, 3), *dy2 = weights(no, B, 4);
	struct moved f = moved_first(nw), a[4];
	for (int k = 0; k < UPDATES; k++)
		for (int pair = 0; pair < 2; pair++) {
			for (int h = 0; h < 4; h++) {
				a[h] = moved_copy(&f, k, nw);
				hand(h)->dense_step(
					hand(h), a[h].w, a[h].m, a[h].v, dy, x, pair ? dy2 : NULL, pair ? x2 : NULL, B, I, O, &updates[k]);
			}
			moved_compare(a, nw, TOLERANCE(B), "dense_step");
		}
	free(f.w), free(f.m), free(f.v);
	free(x), free(dy), free(x2), free(dy2);
}
END_TEST

/* What an operation leaves unwritten shows; what it reads must not count unless it has a meaning. */
static float *maps_filled(const struct ops *o, float value, int B, int C, int H, int W)
{
	size_t size = o->maps_size(o, B, C, H, W), n = size / sizeof(float);
	float *device = o->alloc(o, size), *p = xcalloc(n, sizeof *p);
	for (size_t i = 0; i < n; i++)
		p[i] = value;
	o->put(o, device, p, size);
	free(p);
	return device;
}

static float *to_maps(const struct ops *o, const float *rows, int B, int C, int H, int W)
{
	float *maps = maps_filled(o, 1e3f, B, C, H, W);
	o->to_maps(o, maps, rows, B, C, H, W);
	return maps;
}

/* Releases the maps. */
static float *to_rows(const struct ops *o, float *maps, int B, int C, int H, int W)
{
	float *rows = filled((size_t)B * C * H * W);
	o->to_rows(o, rows, maps, B, C, H, W);
	o->release(o, maps);
	return rows;
}

static const int maps_shapes[][4] = {
	{1, 1, 1, 1}, {3, 1, 5, 7}, {2, 3, 4, 1}, {5, 15, 3, 3}, {2, 16, 9, 2}, {3, 17, 1, 6}, {1, 33, 5, 5}, {2, 50, 3, 4}, {70, 8, 2, 2}};

/* There and back, and the whole of maps value by value: each value is somewhere, once. */
START_TEST(layout)
{
	const int *v = maps_shapes[_i], B = v[0], C = v[1], H = v[2], W = v[3];
	size_t n = (size_t)B * C * H * W;
	float *rows = randoms(n, 1), *dy = randoms(n, 2), *back[4], *y[4], *dx[4];
	for (int h = 0; h < 4; h++) {
		struct ops *o = hand(h);
		size_t all = o->maps_size(o, B, C, H, W) / sizeof(float);
		ck_assert(all >= n && all * sizeof(float) == o->maps_size(o, B, C, H, W));
		float *my = to_maps(o, rows, B, C, H, W), *md = to_maps(o, dy, B, C, H, W);
		back[h] = to_rows(o, to_maps(o, rows, B, C, H, W), B, C, H, W);
		o->act(o, my, my, ACT_SIGMOID, all);
		o->act_back(o, md, md, my, ACT_SIGMOID, all);
		y[h] = to_rows(o, my, B, C, H, W), dx[h] = to_rows(o, md, B, C, H, W);
		ck_assert(!memcmp(back[h], rows, n * sizeof *rows));
	}
	compare(back, n, 0, "layout"), compare(y, n, 1e-6f, "sigmoid"), compare(dx, n, 1e-6f, "sigmoid back");
	free(rows), free(dy);
}
END_TEST

static const int conv_shapes[][12] = {
	/* B C H W up F KH KW S P pool image */
	{1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0},
	{1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1},
	{2, 3, 5, 7, 1, 4, 3, 3, 1, 1, 1, 0},
	{33, 2, 9, 8, 1, 3, 2, 3, 2, 0, 1, 0},
	{3, 1, 11, 11, 1, 5, 5, 5, 3, 2, 1, 1},
	{17, 4, 6, 6, 1, 7, 1, 1, 1, 0, 1, 0},
	{3, 2, 7, 6, 1, 3, 1, 1, 2, 0, 1, 0},
	{5, 3, 6, 9, 1, 2, 1, 4, 1, 0, 1, 0},
	{2, 5, 12, 10, 1, 3, 3, 3, 2, 1, 1, 0},
	{7, 16, 15, 15, 1, 20, 3, 3, 3, 1, 1, 0},
	{1, 16, 3, 70, 1, 16, 3, 3, 1, 1, 1, 0},
	{2, 4, 6, 5, 1, 8, 7, 5, 1, 3, 1, 0},
	{1, 3, 2, 2, 1, 3, 3, 3, 1, 2, 1, 0},
	{2, 50, 5, 5, 1, 15, 3, 3, 1, 1, 1, 0},
	{2, 17, 4, 9, 1, 16, 1, 1, 1, 0, 1, 0},
	{3, 64, 6, 6, 1, 15, 1, 1, 1, 0, 1, 0},
	/* images */
	{1, 1, 96, 96, 1, 2, 3, 3, 1, 0, 2, 1},
	{4, 1, 20, 18, 1, 32, 3, 3, 1, 0, 2, 1},
	{2, 1, 17, 16, 1, 32, 3, 3, 2, 1, 1, 1},
	{5, 3, 12, 12, 1, 50, 5, 5, 1, 0, 2, 1},
	{3, 2, 9, 7, 1, 17, 4, 3, 2, 1, 3, 1},
	{130, 1, 5, 5, 1, 16, 2, 2, 1, 0, 2, 1},
	{2, 1, 9, 30, 1, 33, 3, 3, 1, 1, 1, 1},
	/* pools, some of which do not divide */
	{2, 16, 9, 10, 1, 17, 3, 3, 1, 1, 2, 0},
	{3, 15, 8, 8, 1, 16, 2, 2, 1, 0, 2, 0},
	{1, 17, 13, 11, 1, 33, 3, 3, 1, 0, 3, 0},
	{2, 33, 6, 7, 1, 50, 2, 2, 1, 0, 2, 0},
	{2, 16, 7, 7, 1, 16, 3, 3, 2, 1, 2, 0},
	{1, 64, 9, 9, 1, 64, 2, 2, 1, 0, 2, 0},
	{1, 2, 31, 17, 1, 3, 2, 2, 1, 0, 15, 0},
	{2, 3, 8, 9, 1, 16, 1, 1, 1, 0, 2, 0},
	/* up */
	{2, 16, 4, 6, 2, 16, 3, 3, 1, 1, 1, 0},
	{3, 17, 5, 3, 2, 15, 3, 3, 1, 1, 1, 0},
	{2, 50, 3, 4, 2, 33, 3, 3, 1, 1, 1, 0},
	{1, 1, 1, 1, 2, 1, 2, 2, 1, 0, 1, 0},
	{2, 3, 1, 5, 2, 16, 3, 3, 1, 1, 1, 0},
	{2, 16, 5, 4, 2, 16, 5, 4, 1, 2, 1, 0},
	{2, 5, 4, 4, 2, 3, 1, 1, 1, 0, 1, 0},
	{2, 4, 4, 5, 2, 17, 3, 2, 1, 0, 1, 0},
	{1, 33, 4, 4, 2, 50, 2, 2, 1, 0, 2, 0},
	{2, 16, 5, 5, 2, 16, 3, 3, 1, 1, 3, 0},
	{2, 3, 3, 4, 3, 16, 3, 3, 1, 1, 1, 0},
	{2, 16, 3, 3, 3, 3, 2, 3, 2, 0, 1, 0},
	{2, 16, 4, 3, 2, 17, 3, 3, 2, 1, 2, 0},
	{2, 1, 5, 6, 2, 16, 3, 3, 1, 1, 1, 1},
	/* farther than the lists of taps go */
	{1, 2, 20, 40, 1, 3, 2, 2, 17, 0, 1, 0},
	{2, 3, 2, 3, 17, 2, 3, 3, 1, 1, 1, 0},
};

/* Small whole numbers times a power of two: sums of their products are exact in any order, and many are equal. */
static void whole(float *p, size_t n, float unit)
{
	for (size_t i = 0; i < n; i++)
		p[i] = fminf(fmaxf(rintf(p[i] * 1.5f), -3), 3) * unit;
}

/* Exact: all must agree to where a pool's gradient goes and where relu begins. Else numbers as they come: near ties may then be seen
 * otherwise by another order of sums, and only what does not hang on them is compared. */
static void convolve(const struct conv *s, int exact, enum act act)
{
	struct conv c = *s, one = *s;
	one.B = 1, c.act = one.act = act;
	int fan = s->C * s->KH * s->KW, PH = s->OH / s->pool, PW = s->OW / s->pool, hard = act == ACT_RELU || s->pool > 1;
	size_t nx = (size_t)s->B * s->C * s->H * s->W, ny = (size_t)s->B * s->F * PH * PW, nw = (size_t)s->F * fan, nb = (size_t)s->F;
	float *x = randoms(nx, 1), *w = exact ? randoms(nw, 2) : weights(nw, fan, 2), *b = randoms(nb, 3), *dy = randoms(ny, 4);
	if (exact) {
		float unit = exp2f(-ceilf(log2f(2 * sqrtf((float)fan))));
		whole(x, nx, 1), whole(w, nw, unit), whole(b, nb, unit), whole(dy, ny, 1);
	}
	float *y[4], *dx[4], *dw[4], *db[4];
	for (int h = 0; h < 4; h++) {
		struct ops *o = hand(h);
		size_t places = o->maps_size(o, s->B, s->F, PH, PW) / sizeof(float);
		float *mx = s->image ? x : to_maps(o, x, s->B, s->C, s->H, s->W), *md = to_maps(o, dy, s->B, s->F, PH, PW);
		float *my = maps_filled(o, NAN, s->B, s->F, PH, PW);
		float *dm = s->image ? NULL : maps_filled(o, NAN, s->B, s->C, s->H, s->W);
		uint8_t *at = o->alloc(o, places);
		void *packed = o->alloc(o, o->conv_packed(o, &one));
		dw[h] = filled(nw), db[h] = filled(nb);
		o->conv_pack(o, packed, w, &one);
		o->conv(o, my, s->pool > 1 ? at : NULL, mx, packed, b, &c);
		o->conv_back(o, dm, dw[h], db[h], md, my, s->pool > 1 ? at : NULL, mx, w, &c);
		y[h] = to_rows(o, my, s->B, s->F, PH, PW);
		dx[h] = dm ? to_rows(o, dm, s->B, s->C, s->H, s->W) : filled(0);
		o->release(o, md), o->release(o, at), o->release(o, packed);
		if (!s->image)
			o->release(o, mx);
	}
	float forward = exact && act <= ACT_RELU ? 0 : TOLERANCE(fan);
	compare(y, ny, forward, "conv");
	compare(db, nb, exact || act != ACT_RELU ? 2 * TOLERANCE(s->B * PH * PW) : INFINITY, "conv db");
	compare(dx, s->image ? 0 : nx, exact || !hard ? TOLERANCE(s->F * s->KH * s->KW) : INFINITY, "conv dx");
	compare(dw, nw, exact || !hard ? 2 * TOLERANCE(s->B * s->OH * s->OW) : INFINITY, "conv dw");
	free(x), free(w), free(b), free(dy);
}

START_TEST(convolution)
{
	const int *v = conv_shapes[_i];
	struct conv s = {.B = v[0], .C = v[1], .H = v[2], .W = v[3], .up = v[4], .F = v[5], .KH = v[6], .KW = v[7], .S = v[8], .P = v[9]};
	s.pool = v[10], s.image = v[11];
	s.OH = (s.H * s.up + 2 * s.P - s.KH) / s.S + 1, s.OW = (s.W * s.up + 2 * s.P - s.KW) / s.S + 1;
	ck_assert(s.OH >= s.pool && s.OW >= s.pool);
	for (int act = ACT_NONE; act <= ACT_SIGMOID; act++)
		for (int exact = 0; exact < 2; exact++)
			convolve(&s, exact, (enum act)act);
}
END_TEST

static const int plane_shapes[][5] = {{1, 1, 1, 1, 1}, {3, 1, 5, 7, 2}, {10, 7, 6, 9, 3}, {1, 5, 4, 4, 4}, {1, 1, 95, 94, 2},
	{2, 16, 6, 5, 2}, {3, 17, 7, 9, 2}, {2, 50, 4, 3, 3}, {1, 2, 17, 16, 15}};

START_TEST(planes)
{
	const int *v = plane_shapes[_i];
	int B = v[0], C = v[1], H = v[2], W = v[3], K = v[4], OH = H / K, OW = W / K;
	size_t nx = (size_t)(B * C * H * W), ny = (size_t)(B * C * OH * OW), nu = nx * (size_t)(K * K);
	float *x = randoms(nx, 1), *dy = randoms(ny, 2), *du = randoms(nu, 3);
	float *y[4], *dx[4], *u[4], *ux[4];
	whole(x, nx, 1); /* ties */
	for (int h = 0; h < 4; h++) {
		struct ops *o = hand(h);
		float *mx = to_maps(o, x, B, C, H, W), *my = maps_filled(o, NAN, B, C, OH, OW), *mdy = to_maps(o, dy, B, C, OH, OW);
		float *mdx = maps_filled(o, NAN, B, C, H, W), *mu = maps_filled(o, NAN, B, C, H * K, W * K);
		float *mdu = to_maps(o, du, B, C, H * K, W * K), *mux = maps_filled(o, NAN, B, C, H, W);
		uint8_t *at = o->alloc(o, o->maps_size(o, B, C, OH, OW) / sizeof(float));
		o->pool(o, my, at, mx, B, C, H, W, K);
		o->pool_back(o, mdx, mdy, at, B, C, H, W, K);
		o->up(o, mu, mx, B, C, H, W, K);
		o->up_back(o, mux, mdu, B, C, H, W, K);
		y[h] = to_rows(o, my, B, C, OH, OW), dx[h] = to_rows(o, mdx, B, C, H, W);
		u[h] = to_rows(o, mu, B, C, H * K, W * K), ux[h] = to_rows(o, mux, B, C, H, W);
		o->release(o, mx), o->release(o, mdy), o->release(o, mdu), o->release(o, at);
	}
	compare(y, ny, 0, "pool"), compare(dx, nx, 0, "pool_back"), compare(u, nu, 0, "up"), compare(ux, nx, TOLERANCE(K * K), "up_back");
	free(x), free(dy), free(du);
}
END_TEST

static const int bn_shapes[][6] = {/* B C H W maps relu */ {5, 3, 1, 1, 0, 0}, {33, 50, 1, 1, 0, 1}, {1, 1, 2, 2, 1, 0}, {7, 9, 5, 7, 1, 0},
	{3, 16, 4, 4, 1, 1}, {4, 17, 3, 5, 1, 1}, {2, 50, 6, 6, 1, 0}, {2, 20, 13, 11, 1, 1}};

START_TEST(batch_norm)
{
	const int *v = bn_shapes[_i], B = v[0], C = v[1], H = v[2], W = v[3], maps = v[4];
	struct bn s = {B, C, H * W, maps, 1, v[5] ? ACT_RELU : ACT_NONE, 0.1f, 1e-5f};
	size_t n = (size_t)(B * C * H * W), c = (size_t)C;
	float *x = randoms(n, 1), *dy = randoms(n, 2), *gamma = randoms(c, 3), *beta = randoms(c, 4);
	for (s.train = 1; s.train >= 0; s.train--) {
		float *y[4], *run[4], *save[4], *dx[4], *dg[4], *db[4];
		for (int h = 0; h < 4; h++) {
			struct ops *o = hand(h);
			float *mx = maps ? to_maps(o, x, B, C, H, W) : x, *mdy = maps ? to_maps(o, dy, B, C, H, W) : dy;
			y[h] = maps ? maps_filled(o, NAN, B, C, H, W) : filled(n),
			dx[h] = maps ? maps_filled(o, NAN, B, C, H, W) : filled(n);
			run[h] = randoms(2 * c, 5), save[h] = filled(2 * c), dg[h] = filled(c), db[h] = filled(c);
			for (size_t k = c; k < 2 * c; k++)
				run[h][k] = fabsf(run[h][k]) + 0.1f;
			o->bn(o, y[h], mx, gamma, beta, run[h], save[h], &s);
			o->bn_back(o, dx[h], dg[h], db[h], mdy, y[h], mx, gamma, save[h], &s);
			if (maps) {
				y[h] = to_rows(o, y[h], B, C, H, W), dx[h] = to_rows(o, dx[h], B, C, H, W);
				o->release(o, mx), o->release(o, mdy);
			}
		}
		compare(y, n, 1e-5f, "bn"), compare(run, 2 * c, 1e-5f, "bn run"), compare(save, 2 * c, 1e-5f, "bn save");
		compare(dx, n, 2e-5f, "bn_back"), compare(dg, c, 2e-5f, "dgamma"), compare(db, c, 2e-5f, "dbeta");
	}
	free(x), free(dy), free(gamma), free(beta);
}
END_TEST

START_TEST(batches)
{
	int B = 9, H = 11, W = 13, N = 20;
	size_t P = (size_t)(H * W), n = (size_t)B * P;
	uint8_t *bytes = xcalloc((size_t)N * P, 1);
	uint32_t rows[] = {3, 19, 0, 7, 7, 12, 1, 18, 5};
	struct augment a = {1, 2, 15, 0.2f, 0.3f, 0.1f, 0.05f, 1, 0.5f, 9, 4};
	float *source = randoms((size_t)N * P, 1);
	for (size_t i = 0; i < (size_t)N * P; i++)
		bytes[i] = (uint8_t)philox(1, PHILOX_TEST, 0, (uint32_t)i, 0).v[0];
	float *x[4], *g[4], *m[4], *z[4];
	for (int h = 0; h < 4; h++) {
		x[h] = filled(n), g[h] = filled(n), m[h] = filled(n), z[h] = filled(n);
		hand(h)->images(hand(h), x[h], bytes, rows, B, 1, H, W, 1.0f / 255, 0.25f, NULL);
		hand(h)->images(hand(h), z[h], bytes, rows, B, 1, H, W, 1.0f / 255, 0, &a);
		hand(h)->gather(hand(h), g[h], source, rows, B, (int)P);
		hand(h)->mask(hand(h), m[h], g[h], rows, B, (int)P, 0.3f, 2, 77, PHILOX_MASK, 6);
	}
	ck_assert_float_eq(x[0][5], (float)bytes[3 * P + 5] * (1.0f / 255) + 0.25f);
	ck_assert_float_eq(g[0][P + 2], source[19 * P + 2]);
	int zeros = 0;
	for (size_t i = 0; i < n; i++) {
		zeros += m[0][i] == 0;
		ck_assert(m[0][i] == 0 || m[0][i] == 2 * g[0][i]);
		ck_assert(z[0][i] >= 0 && z[0][i] <= 1);
	}
	ck_assert_msg(fabs(zeros / (double)n - 0.3) < 0.05, "%d of %zu are zero", zeros, n);
	/* rows 3 and 4 of the batch are one row of the data: they draw the same numbers wherever they stand */
	ck_assert(!memcmp(m[0] + 3 * P, m[0] + 4 * P, P * sizeof(float)));
	compare(x, n, 0, "images"), compare(z, n, 0, "augmented"), compare(g, n, 0, "gather"), compare(m, n, 0, "mask");
	free(bytes), free(source);
}
END_TEST

static const int heat_shapes[][4] = {/* B P H W */ {1, 1, 1, 2}, {3, 2, 5, 7}, {2, 3, 16, 16}, {4, 1, 33, 19}, {2, 2, 70, 67}};

START_TEST(heat_maps)
{
	const int *v = heat_shapes[_i], B = v[0], P = v[1], H = v[2], W = v[3];
	size_t k = (size_t)(B * P), n = k * (size_t)(H * W);
	float *z = randoms(n, 1), *t = randoms(2 * k, 2), *weight = randoms(2 * k, 3);
	for (size_t i = 0; i < n; i++)
		z[i] *= 5;
	for (size_t i = 0; i < 2 * k; i++) {
		t[i] = (t[i] * 0.25f + 0.5f) * (float)(i % 2 ? H : W); /* some outside */
		weight[i] = fabsf(weight[i]);
	}
	t[0] = NAN;
	for (int kind = LOSS_SQUARED; kind <= LOSS_WING; kind++)
		for (int weighed = 0; weighed < 2; weighed++) {
			struct heat s = {P, H, W, 1.5f, weighed ? 0.7f : 0, {(enum loss_kind)kind, 1, 0.25f, 0.1f}};
			float *dz[4], *l[4], *place[4], *alone[4];
			for (int h = 0; h < 4; h++) {
				double *loss = xcalloc((size_t)B, sizeof *loss);
				dz[h] = filled(n), l[h] = filled((size_t)B), place[h] = filled(4 * k), alone[h] = filled(4 * k);
				hand(h)->heat(hand(h), &s, loss, dz[h], place[h], z, t, weighed ? weight : NULL, B);
				hand(h)->heat(hand(h), &s, NULL, NULL, alone[h], z, NULL, NULL, B);
				ck_assert(!memcmp(place[h], alone[h], 4 * k * sizeof(float)));
				for (int b = 0; b < B; b++)
					l[h][b] = (float)loss[b];
				free(loss);
			}
			compare(dz, n, 1e-5f, "heat dz"), compare(l, (size_t)B, 1e-5f, "heat"), compare(place, 4 * k, 1e-5f, "places");
			for (int h = 0; h < 4; h++)
				free(alone[h]);
		}
	/* a bump of a Gaussian's logits is a Gaussian: its mean and variance are known */
	if (H == 33) {
		float place[4];
		for (int i = 0; i < H * W; i++)
			z[i] = -((float)(i % W) - 9.25f) * ((float)(i % W) - 9.25f) / 8 -
			       ((float)(i / W) - 14.5f) * ((float)(i / W) - 14.5f) / 8;
		struct heat s = {1, H, W, 1, 0, {LOSS_SQUARED, 1, 1, 1}};
		hand(1)->heat(hand(1), &s, NULL, NULL, place, z, NULL, NULL, 1);
		ck_assert_float_eq_tol(place[0], 9.25f, 1e-2f);
		ck_assert_float_eq_tol(place[1], 14.5f, 1e-2f);
		ck_assert_float_eq_tol(place[2], 8, 0.1f);
	}
	free(z), free(t), free(weight);
}
END_TEST

START_TEST(splats)
{
	enum { B = 2, P = 3, H = 20, W = 24 };
	float points[B * P * 2] = {5, 6, 11.5f, 8.25f, NAN, NAN, 1, 1, 20, 15, 21, 15}, prior[P * 3] = {5, 5, 2, 12, 9, 2, 12, 16, 1.5f};
	struct splat s = {P, H, W, 1.5f, 2};
	float *t[4];
	for (int h = 0; h < 4; h++) {
		t[h] = filled((size_t)(B * H * W));
		hand(h)->splat(hand(h), &s, t[h], points, prior, B);
		for (int i = 0; i < H * W; i++) { /* the first row lacks its third point: what is near its usual place is no background */
			int near = hypot(i % W - 12, i / W - 16) < 3;
			ck_assert_msg(isnan(t[h][i]) == near, "pixel %d,%d: %g", i % W, i / W, (double)t[h][i]);
			t[h][i] = isnan(t[h][i]) ? -1 : t[h][i];
		}
		ck_assert_float_eq_tol(t[h][6 * W + 5], 1, 1e-6f);
		ck_assert_float_eq_tol(t[h][H * W + 15 * W + 20], 1, 1e-6f);
		ck_assert_float_eq_tol(t[h][H * W + 15 * W + 22], expf(-1 / 4.5f), 1e-6f);
	}
	compare(t, (size_t)(B * H * W), 1e-6f, "splat");
}
END_TEST

START_TEST(losses_and_steps)
{
	int B = 37, K = 5;
	size_t n = (size_t)(B * K), big = 100003;
	float *z = randoms(n, 1), *t = randoms(n, 2), *g = randoms(big, 3);
	for (size_t i = 0; i < n; i++)
		z[i] *= 30; /* far into saturation */
	float *weight = randoms(n, 4);
	for (size_t i = 0; i < n; i++)
		weight[i] = fabsf(weight[i]);
	for (int k = 0; k < 2 * LOSS_SOFTMAX + 1; k++) {
		enum loss_kind kind = (enum loss_kind)(k / 2);
		struct loss s = {kind, 2, 0.5f, 0.5f};
		float *dz[4], *l[4];
		for (size_t i = 0; i < n; i++)
			t[i] = kind < LOSS_SIGMOID ? t[i] : kind == LOSS_SIGMOID ? (float)(i % 3) / 2 : (float)(i % (size_t)K);
		for (int h = 0; h < 4; h++) {
			double *loss = xcalloc((size_t)B, sizeof *loss);
			dz[h] = filled(n), l[h] = filled((size_t)B);
			hand(h)->loss(hand(h), &s, loss, dz[h], z, t, k % 2 ? weight : NULL, B, K);
			for (int b = 0; b < B; b++) {
				ck_assert_msg(isfinite(loss[b]) && loss[b] >= 0, "loss %d of row %d is %g", (int)kind, b, loss[b]);
				l[h][b] = (float)loss[b];
			}
			free(loss);
		}
		compare(dz, n, 2e-6f, "dz"), compare(l, (size_t)B, 1e-6f, "loss");
	}
	struct moved f = moved_first(big), a[4];
	for (int k = 0; k < UPDATES; k++) {
		for (int h = 0; h < 4; h++) {
			a[h] = moved_copy(&f, k, big);
			hand(h)->update(hand(h), a[h].w, g, a[h].m, a[h].v, big, &updates[k]);
		}
		moved_compare(a, big, 1e-6f, "update");
	}
	free(f.w), free(f.m), free(f.v);
	free(z), free(t), free(g);
}
END_TEST

/* NaN must come out of whatever it goes into: training that went wrong has to show. */
START_TEST(nan_passes)
{
	for (int h = 0; h < 2; h++) {
		struct ops *o = hand(h);
		float x[4] = {1, NAN, 2, 3}, y[4], *row, w[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, b = 0;
		for (int act = ACT_NONE; act <= ACT_SIGMOID; act++) {
			o->act(o, y, x, (enum act)act, 4);
			ck_assert(isnan(y[1]) && !isnan(y[0]));
			/* a pool of four sums, the second of which has it, by each way of reading x */
			for (int image = 0; image < 2; image++) {
				struct conv s = {1, 1, 2, 2, 1, 1, 1, 1, 1, 0, 2, 2, 2, (enum act)act, image};
				float *mx = to_maps(o, x, 1, 1, 2, 2), *my = maps_filled(o, 0, 1, 1, 1, 1);
				void *packed = o->alloc(o, o->conv_packed(o, &s)), *at = o->alloc(o, o->maps_size(o, 1, 1, 1, 1));
				o->conv_pack(o, packed, w, &s);
				o->conv(o, my, at, image ? x : mx, packed, &b, &s);
				row = to_rows(o, my, 1, 1, 1, 1);
				ck_assert(isnan(row[0]));
				o->release(o, mx), o->release(o, packed), o->release(o, at), free(row);
			}
		}
		float *mx = to_maps(o, x, 1, 1, 2, 2), *my = maps_filled(o, 0, 1, 1, 1, 1);
		uint8_t *at = o->alloc(o, o->maps_size(o, 1, 1, 1, 1));
		o->pool(o, my, at, mx, 1, 1, 2, 2, 2);
		row = to_rows(o, my, 1, 1, 1, 1);
		ck_assert(isnan(row[0]));
		o->release(o, mx), o->release(o, at), free(row);
	}
}
END_TEST

/* Of equal values the first is the largest: after a relu there are many zeros, and hands must send their gradient to one place. Both as a
 * pool alone and behind a convolution that changes nothing. */
START_TEST(ties)
{
	static const float x[2][9] = {{0}, {1, 5, 5, 5, 2, 5, 3, 3, 5}}, dy[2] = {7, 9}, w[4] = {1, 0, 0, 1}, b[2] = {0};
	const struct conv s = {1, 2, 3, 3, 1, 2, 1, 1, 1, 0, 3, 3, 3, ACT_NONE, 0};
	for (int h = 0; h < 2; h++)
		for (int conv = 0; conv < 2; conv++) {
			struct ops *o = hand(h);
			float *mx = to_maps(o, x[0], 1, 2, 3, 3), *my = maps_filled(o, 0, 1, 2, 1, 1), *mdy = to_maps(o, dy, 1, 2, 1, 1);
			float *mdx = maps_filled(o, NAN, 1, 2, 3, 3), dw[4], db[2];
			void *packed = o->alloc(o, o->conv_packed(o, &s)), *at = o->alloc(o, o->maps_size(o, 1, 2, 1, 1));
			if (conv) {
				o->conv_pack(o, packed, w, &s);
				o->conv(o, my, at, mx, packed, b, &s);
				o->conv_back(o, mdx, dw, db, mdy, my, at, mx, w, &s);
			} else {
				o->pool(o, my, at, mx, 1, 2, 3, 3, 3);
				o->pool_back(o, mdx, mdy, at, 1, 2, 3, 3, 3);
			}
			float *y = to_rows(o, my, 1, 2, 1, 1), *dx = to_rows(o, mdx, 1, 2, 3, 3);
			ck_assert(y[0] == 0 && y[1] == 5);
			for (int k = 0; k < 18; k++)
				ck_assert_msg(dx[k] == (float)(k == 0 ? 7 : k == 10 ? 9 : 0), "conv %d: %d has %g", conv, k, (double)dx[k]);
			o->release(o, mx), o->release(o, mdy), o->release(o, packed), o->release(o, at), free(y), free(dx);
		}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ops");
	TCase *t = tcase_create("ops");
	ref = ops_open("ref", 1);
	cpu[0] = ops_open("cpu", 1), cpu[1] = ops_open("cpu", 2), cpu[2] = ops_open("cpu", 5);
	tcase_add_loop_test(t, dense, 0, sizeof dense_shapes / sizeof *dense_shapes);
	tcase_add_loop_test(t, dense_step, 0, sizeof dense_shapes / sizeof *dense_shapes);
	tcase_add_loop_test(t, layout, 0, sizeof maps_shapes / sizeof *maps_shapes);
	tcase_add_loop_test(t, convolution, 0, sizeof conv_shapes / sizeof *conv_shapes);
	tcase_add_loop_test(t, planes, 0, sizeof plane_shapes / sizeof *plane_shapes);
	tcase_add_loop_test(t, batch_norm, 0, sizeof bn_shapes / sizeof *bn_shapes);
	tcase_add_test(t, batches);
	tcase_add_test(t, losses_and_steps);
	tcase_add_loop_test(t, heat_maps, 0, sizeof heat_shapes / sizeof *heat_shapes);
	tcase_add_test(t, splats);
	tcase_add_test(t, nan_passes);
	tcase_add_test(t, ties);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_set_fork_status(r, CK_NOFORK); /* the pool's threads would not survive a fork */
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	for (int i = 0; i < 3; i++)
		cpu[i]->close(cpu[i]);
	ref->close(ref);
	return failed != 0;
}
