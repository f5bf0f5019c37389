/* Every operation on maps of a backend against ref, on awkward shapes, and the same bits from every instance of the backend. */
#include "tests/backends.h"

static const int maps_shapes[][4] = {
	{1, 1, 1, 1}, {3, 1, 5, 7}, {2, 3, 4, 1}, {5, 15, 3, 3}, {2, 16, 9, 2}, {3, 17, 1, 6}, {1, 33, 5, 5}, {2, 50, 3, 4}, {70, 8, 2, 2}};

/* to_maps and to_rows are inverses; elementwise operations on whole maps, padding included, change each value once. */
START_TEST(layout)
{
	struct backend *be = backend(__func__, _i);
	const int *v = maps_shapes[_i % BACKENDS_SHAPES], B = v[0], C = v[1], H = v[2], W = v[3];
	size_t n = (size_t)B * C * H * W, all = be->maps_size(be, B, C, H, W) / sizeof(float);
	ck_assert(all >= n && all * sizeof(float) == be->maps_size(be, B, C, H, W));
	float *rows = randoms(n, 1), *back = to_rows(be, to_maps(be, copied(rows, n), B, C, H, W), B, C, H, W);
	ck_assert(!memcmp(back, rows, n * sizeof *rows));
	float *y = to_maps(be, rows, B, C, H, W), *dx = to_maps(be, randoms(n, 2), B, C, H, W);
	be->act(be, y, y, ACT_SIGMOID, all);
	be->act_backward(be, dx, dx, y, ACT_SIGMOID, all);
	agree(back, n, 0, "layout");
	agree(to_rows(be, y, B, C, H, W), n, 1e-6f, "sigmoid"), agree(to_rows(be, dx, B, C, H, W), n, 1e-6f, "sigmoid_backward");
}
END_TEST

static const int conv_shapes[][13] = {
	/* B C H W upsample F KH KW S P pool image D (0: 1) */
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
	/* pools, some of which do not divide the output */
	{2, 16, 9, 10, 1, 17, 3, 3, 1, 1, 2, 0},
	{3, 15, 8, 8, 1, 16, 2, 2, 1, 0, 2, 0},
	{1, 17, 13, 11, 1, 33, 3, 3, 1, 0, 3, 0},
	{2, 33, 6, 7, 1, 50, 2, 2, 1, 0, 2, 0},
	{2, 16, 7, 7, 1, 16, 3, 3, 2, 1, 2, 0},
	{1, 64, 9, 9, 1, 64, 2, 2, 1, 0, 2, 0},
	{1, 2, 31, 17, 1, 3, 2, 2, 1, 0, 15, 0},
	{2, 3, 8, 9, 1, 16, 1, 1, 1, 0, 2, 0},
	/* upsample */
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
	/* stride, then upsample above PHASES, which the cpu backend's layout can't express */
	{1, 2, 20, 40, 1, 3, 2, 2, 17, 0, 1, 0},
	{2, 3, 2, 3, 17, 2, 3, 3, 1, 1, 1, 0},
	/* around a GPU's tile sizes: channels, filters and B OH OW = 65, 129, 130 */
	/* Winograd's tiles: of several images in a task, at all edges, without padding and with more than is usual */
	{7, 32, 12, 12, 1, 48, 3, 3, 1, 1, 1, 0},
	{2, 17, 14, 19, 1, 33, 3, 3, 1, 0, 1, 0},
	{1, 40, 13, 8, 1, 16, 3, 3, 1, 2, 1, 0},
	{1, 4, 5, 13, 1, 64, 3, 3, 1, 1, 1, 0},
	{1, 5, 5, 13, 1, 4, 3, 3, 1, 1, 1, 0},
	{1, 4, 7, 15, 1, 5, 3, 3, 1, 0, 1, 0},
	{3, 31, 1, 43, 1, 33, 1, 3, 1, 0, 1, 0},
	{3, 31, 3, 43, 1, 32, 3, 1, 1, 0, 1, 0},
	{1, 32, 5, 13, 1, 65, 1, 1, 1, 0, 1, 0},
	{1, 33, 8, 8, 1, 32, 3, 3, 1, 1, 1, 0},
	{3, 65, 1, 43, 1, 31, 1, 1, 1, 0, 1, 0},
	{2, 64, 8, 8, 1, 64, 3, 3, 1, 1, 1, 0},
	{1, 64, 10, 13, 1, 5, 3, 3, 1, 1, 2, 0},
	{1, 32, 26, 10, 1, 33, 3, 3, 2, 1, 1, 0},
	{5, 65, 5, 5, 1, 65, 2, 2, 1, 1, 2, 0},
	{2, 31, 4, 8, 2, 32, 3, 3, 1, 1, 1, 0},
	{1, 33, 5, 7, 2, 64, 3, 3, 1, 1, 2, 0},
	{1, 5, 7, 15, 1, 65, 3, 3, 1, 0, 1, 1},
	{1, 4, 7, 15, 1, 64, 3, 3, 1, 0, 1, 1},
	/* a long reduction for each weight's gradient */
	{16, 4, 40, 40, 1, 4, 3, 3, 1, 1, 1, 0},
	/* a stride beyond the image; bands of some rows of a wide image */
	{2, 3, 2, 3, 1, 2, 1, 1, 5, 0, 1, 0},
	{16, 1, 40, 160, 1, 1, 3, 3, 8, 1, 1, 0},
	/* dilation: alone, with a pool, of a shape that is Winograd's else, up to the image's edges; with a stride and of an image, which
	   the cpu backend's layout can't express */
	{2, 16, 12, 11, 1, 33, 3, 3, 1, 2, 1, 0, 2},
	{3, 17, 9, 13, 1, 16, 3, 2, 1, 3, 2, 0, 3},
	{5, 32, 12, 12, 1, 48, 3, 3, 1, 2, 1, 0, 2},
	{1, 64, 8, 8, 1, 65, 3, 3, 1, 4, 1, 0, 4},
	{2, 3, 5, 5, 1, 4, 2, 2, 1, 0, 1, 0, 4},
	{2, 20, 7, 6, 1, 5, 5, 4, 1, 6, 1, 0, 3},
	{2, 3, 4, 3, 1, 5, 1, 1, 1, 0, 1, 0, 9},
	{2, 5, 14, 9, 1, 7, 3, 3, 2, 1, 1, 0, 2},
	{1, 4, 11, 9, 1, 5, 3, 3, 3, 2, 1, 0, 2},
	{2, 5, 9, 9, 1, 7, 3, 3, 2, 3, 2, 0, 3},
	{2, 1, 15, 12, 1, 16, 5, 3, 1, 0, 1, 1, 2},
	{3, 2, 9, 9, 1, 5, 3, 3, 2, 2, 2, 1, 2},
};

/* What ref's forward pass left, by shape, activation and kind of numbers: rows of y and, as numbers, of argmax. */
static struct {
	float *y, *argmax;
} forward[LENGTH(conv_shapes)][ACT_SIGMOID + 1][2];

static float *rows_of(const struct backend *be, const float *maps, int B, int C, int H, int W)
{
	size_t n = (size_t)B * C * H * W;
	float *rows = blank(be, n);
	be->to_rows(be, rows, maps, B, C, H, W);
	return out(be, rows, n);
}

/* Replaces a forward pass's y and argmax by those of ref. */
static void take_forward(const struct backend *be, float *y, uint8_t *argmax, int shape, int exact, const struct conv *s)
{
	int B = s->B, F = s->F, H = s->OH / s->pool, W = s->OW / s->pool;
	size_t n = (size_t)B * F * H * W, all = be->maps_size(be, B, F, H, W) / sizeof(float);
	float **known_y = &forward[shape][s->act][exact].y, **known_argmax = &forward[shape][s->act][exact].argmax;
	uint8_t *bytes = xmalloc(all);
	if (!backends_now.backend) { /* ref, whose maps are rows */
		free(*known_y), free(*known_argmax);
		*known_y = rows_of(be, y, B, F, H, W), *known_argmax = xcalloc(n, sizeof **known_argmax);
		be->download(be, bytes, argmax, n);
		for (size_t i = 0; i < n; i++)
			(*known_argmax)[i] = bytes[i];
	}
	float *maps = to_maps(be, copied(*known_y, n), B, F, H, W), *numbers = to_maps(be, copied(*known_argmax, n), B, F, H, W);
	be->copy(be, y, maps, all * sizeof *y);
	float *host = read_back(be, numbers, all);
	for (size_t i = 0; i < all; i++)
		bytes[i] = (uint8_t)(host[i] >= 0 && host[i] < s->pool * s->pool ? host[i] : 0);
	be->upload(be, argmax, bytes, all);
	be->release(be, maps), be->release(be, numbers), free(host), free(bytes);
}

/* exact: factors are small integers times a power of two, which no precision rounds, so that all backends agree on the pool's argmax and on
 * relu's sign. Else normal numbers: sums in another order may resolve near ties differently, so where results depend on them the backward
 * pass starts from what ref's forward pass left; so too where the cpu backend transforms its factors (kernels/cpu/winograd.h): gradients
 * that are cut to 8 bits behind a relu and a pool of 3x3 change no small integer.
 */
static void convolve(struct backend *be, const struct conv *s, int shape, int exact)
{
	struct conv one = *s;
	one.B = 1;
	int B = s->B, C = s->C, H = s->H, W = s->W, F = s->F, PH = s->OH / s->pool, PW = s->OW / s->pool, fan = C * s->KH * s->KW;
	size_t nx = (size_t)B * C * H * W, ny = (size_t)B * F * PH * PW, nw = (size_t)F * fan, nb = (size_t)F;
	float unit = exp2f(-ceilf(log2f(2 * sqrtf((float)fan))));
	float *hx = exact ? integers(nx, 1, 1) : randoms(nx, 1), *x = s->image ? in(be, hx, nx) : to_maps(be, hx, B, C, H, W);
	float *w = in(be, exact ? integers(nw, unit, 2) : weights(nw, fan, 2), nw),
	      *b = in(be, exact ? integers(nb, unit, 3) : randoms(nb, 3), nb);
	float *dy = to_maps(be, exact ? integers(ny, 1, 4) : randoms(ny, 4), B, F, PH, PW), *y = maps_filled(be, NAN, B, F, PH, PW);
	float *dx = s->image ? NULL : maps_filled(be, NAN, B, C, H, W), *dw = blank(be, nw), *db = blank(be, nb);
	void *argmax = be->alloc(be, be->maps_size(be, B, F, PH, PW) / sizeof(float)),
	     *packed = be->alloc(be, be->conv_packed_size(be, &one));
	be->conv_pack(be, packed, w, &one);
	be->conv(be, y, s->pool > 1 ? argmax : NULL, x, packed, b, s);
	float *computed = rows_of(be, y, B, F, PH, PW);
	/* what the cpu backend may compute by Winograd's transforms, which integers don't pass exactly */
	int transformed = s->KH == 3 && s->KW == 3 && s->S == 1 && s->D == 1 && s->upsample == 1 && !s->image && C >= 16 && F >= 16;
	if ((!exact || transformed) && (s->act == ACT_RELU || s->pool > 1))
		take_forward(be, y, argmax, shape, exact, s);
	be->conv_backward(be, dx, dw, db, dy, y, s->pool > 1 ? argmax : NULL, x, w, packed, s);
	int all_integers = exact && s->act <= ACT_RELU; /* else derivatives are no integers */
	int cancels = s->act == ACT_TANH ? 4 : 1;	/* 1 - y^2, where pools take the largest of many */
	int dw_terms = B * s->OH * s->OW, dx_terms = F * s->KH * s->KW;
	agree(computed, ny, all_integers && !transformed ? 0 : exact ? TOLERANCE(fan) : backends_products(fan), "conv");
	agree(out(be, db, nb), nb, 2 * (exact || s->act <= ACT_RELU ? TOLERANCE(B * PH * PW) : backends_products(B * PH * PW)), "conv db");
	if (dx)
		agree(to_rows(be, dx, B, C, H, W), nx, all_integers ? TOLERANCE(dx_terms) : cancels * backends_products(dx_terms),
			"conv dx");
	agree(out(be, dw, nw), nw, 2 * (all_integers ? TOLERANCE(dw_terms) : backends_products(dw_terms)), "conv dw");
	if (s->image)
		drop(be, x);
	else
		be->release(be, x);
	drop(be, w), drop(be, b), be->release(be, dy), be->release(be, y), be->release(be, argmax), be->release(be, packed);
}

START_TEST(convolution)
{
	struct backend *be = backend(__func__, _i);
	const int *v = conv_shapes[_i % BACKENDS_SHAPES];
	struct conv s = {
		.B = v[0], .C = v[1], .H = v[2], .W = v[3], .upsample = v[4], .F = v[5], .KH = v[6], .KW = v[7], .S = v[8], .P = v[9]};
	s.pool = v[10], s.image = v[11], s.D = v[12] ? v[12] : 1;
	s.OH = (s.H * s.upsample + 2 * s.P - s.D * (s.KH - 1) - 1) / s.S + 1;
	s.OW = (s.W * s.upsample + 2 * s.P - s.D * (s.KW - 1) - 1) / s.S + 1;
	ck_assert(s.OH >= s.pool && s.OW >= s.pool);
	/* rounded factors: the derivatives of tanh and sigmoid have more bits, sums of weights that an upsampling brings together may have
	 */
	if (backends_rounded && s.upsample > 1)
		return;
	for (int act = ACT_NONE; act <= (backends_rounded ? ACT_RELU : ACT_SIGMOID); act++)
		for (int exact = 0; exact < 2; exact++)
			s.act = (enum act)act, convolve(be, &s, _i % BACKENDS_SHAPES, exact);
}
END_TEST

/* 3x3 filters, stride and padding 1, of images (H, W) repeated U times. */
static struct conv conv3x3(int B, int C, int H, int W, int U, int F)
{
	struct conv s = {.B = B, .C = C, .H = H, .W = W, .upsample = U, .F = F, .KH = 3, .KW = 3, .S = 1, .P = 1, .D = 1, .pool = 1};
	s.OH = H * U, s.OW = W * U;
	return s;
}

/* Winograd's error is below 1e-5 of the results' root mean square, as of theirs, for sums of 1152 products forward, 576 backward; without
 * vectors products are added one by one. */
START_TEST(long_sums)
{
	enum { B = 4, C = 128, F = 64, SIDE = 12, N = SIDE * SIDE };
	struct backend *be = backend(__func__, _i);
	struct conv s = conv3x3(B, C, SIDE, SIDE, 1, F);
	float *x = to_maps(be, randoms(B * C * N, 1), B, C, SIDE, SIDE), *w = in(be, weights(F * C * 9, C * 9, 2), F * C * 9);
	float *y = maps_filled(be, NAN, B, F, SIDE, SIDE), *b = in(be, xcalloc(F, sizeof *b), F);
	float *dy = to_maps(be, randoms(B * F * N, 3), B, F, SIDE, SIDE), *dx = maps_filled(be, NAN, B, C, SIDE, SIDE);
	float *dw = blank(be, F * C * 9), *db = blank(be, F);
	void *packed = be->alloc(be, be->conv_packed_size(be, &s));
	be->conv_pack(be, packed, w, &s);
	be->conv(be, y, NULL, x, packed, b, &s);
	be->conv_backward(be, dx, dw, db, dy, y, NULL, x, w, packed, &s);
	float least = be->kernel && strstr(be->kernel, "plain") ? TOLERANCE(C * 9) : 1e-5f;
	agree(to_rows(be, y, B, F, SIDE, SIDE), B * F * N, fmaxf(least, backends_products(C * 9) - TOLERANCE(C * 9)), "long sums");
	agree(to_rows(be, dx, B, C, SIDE, SIDE), B * C * N, fmaxf(least, backends_products(F * 9) - TOLERANCE(F * 9)), "long sums dx");
	agree(out(be, dw, F * C * 9), F * C * 9, fmaxf(least, backends_products(B * N) - TOLERANCE(B * N)), "long sums dw");
	agree(out(be, db, F), F, least, "long sums db");
	be->release(be, x), be->release(be, dy), drop(be, w), drop(be, b), be->release(be, packed);
}
END_TEST

/* Factors of three passes, of 8, 8 and 1 images (conv_tiles_images): of images of ones dw counts the pixels that a kernel position meets,
 * times what dy is of each image. */
START_TEST(many_factors)
{
	enum { B = 17, C = 16, SIDE = 192, N = SIDE * SIDE };
	struct backend *be = backend(__func__, _i);
	if (strcmp(be->name, "cpu"))
		return;
	struct conv s = conv3x3(B, C, SIDE, SIDE, 1, 1);
	float *ones = xmalloc((size_t)B * C * N * sizeof *ones), *numbers = xmalloc((size_t)B * N * sizeof *numbers), all = 0;
	for (int i = 0; i < B * C * N; i++)
		ones[i] = 1;
	for (int n = 0; n < B; all += (float)++n)
		for (int i = 0; i < N; i++)
			numbers[n * N + i] = (float)(n + 1);
	float *x = to_maps(be, ones, B, C, SIDE, SIDE), *dy = to_maps(be, numbers, B, 1, SIDE, SIDE),
	      *w = in(be, weights(C * 9, C * 9, 1), C * 9);
	float *dw = blank(be, C * 9), *db = blank(be, 1);
	void *packed = be->alloc(be, be->conv_packed_size(be, &s));
	be->conv_pack(be, packed, w, &s);
	be->conv_backward(be, NULL, dw, db, dy, dy, NULL, x, w, packed, &s);
	float *got = out(be, dw, C * 9), *sum = out(be, db, 1);
	for (int i = 0; i < C * 9; i++) {
		float rows = (float)(SIDE - (i / 3 % 3 != 1)), columns = (float)(SIDE - (i % 3 != 1));
		ck_assert_msg(got[i] == all * rows * columns, "dw %d is %g", i, (double)got[i]);
	}
	ck_assert_msg(*sum == all * N, "db is %g", (double)*sum);
	free(got), free(sum), be->release(be, x), be->release(be, dy), be->release(be, packed), drop(be, w);
}
END_TEST

/* Each factor of a convolution of 1x1, in turn, is a number that bf16 rounds, the others 1: so is the product, by any stride, those too
 * that the cpu backend leaves to ref; the biases' gradient is not rounded. */
START_TEST(rounding)
{
	static const float v[][2] = {{1 + 0x1p-8f, 1}, {1 + 0x3p-8f, 1 + 0x1p-6f}, {0x1.fffp9f, 0x1p10f}, {-0x1.010002p0f, -1 - 0x1p-7f}};
	struct backend *be = backend(__func__, _i);
	int rounds = !strcmp(be->name, "cpu") && backends_precision == PRECISION_BF16, S = (int[]){1, 2, 17}[_i % BACKENDS_SHAPES];
	struct conv s = {
		.B = 1, .C = 1, .H = 1 + S, .W = 1, .upsample = 1, .F = 1, .KH = 1, .KW = 1, .S = S, .D = 1, .OH = 2, .OW = 1, .pool = 1};
	for (int i = 0; i < LENGTH(v) * 3 && strcmp(be->name, "cuda"); i++) {
		float raw = v[i / 3][0], want = v[i / 3][rounds], one = 1, zero = 0, images[18], gradients[2];
		for (int k = 0; k < 18; k++)
			images[k] = i % 3 == 0 ? raw : 1;
		gradients[0] = gradients[1] = i % 3 == 2 ? raw : 1;
		float *x = to_maps(be, copied(images, (size_t)s.H), 1, 1, s.H, 1), *dy = to_maps(be, copied(gradients, 2), 1, 1, 2, 1);
		float *w = to_device(be, i % 3 == 1 ? &raw : &one, 1, sizeof one), *b = to_device(be, &zero, 1, sizeof zero);
		float *y = maps_filled(be, NAN, 1, 1, 2, 1), *dx = maps_filled(be, NAN, 1, 1, s.H, 1), *dw = blank(be, 1),
		      *db = blank(be, 1);
		void *packed = be->alloc(be, be->conv_packed_size(be, &s));
		be->conv_pack(be, packed, w, &s);
		be->conv(be, y, NULL, x, packed, b, &s);
		be->conv_backward(be, dx, dw, db, dy, y, NULL, x, w, packed, &s);
		float *got = to_rows(be, y, 1, 1, 2, 1), *gx = to_rows(be, dx, 1, 1, s.H, 1), *gw = out(be, dw, 1), *gb = out(be, db, 1);
		ck_assert_msg(got[1] == (i % 3 == 2 ? 1 : want), "stride %d: y is %a", S, (double)got[1]);
		ck_assert_msg(gx[S] == (i % 3 == 0 ? 1 : want), "stride %d: dx is %a", S, (double)gx[S]);
		ck_assert_msg(gw[0] == (i % 3 == 1 ? 2 : 2 * want), "stride %d: dw is %a", S, (double)gw[0]);
		ck_assert_msg(gb[0] == (i % 3 == 2 ? 2 * raw : 2), "stride %d: db is %a", S, (double)gb[0]);
		free(got), free(gx), free(gw), free(gb);
		be->release(be, x), be->release(be, dy), be->release(be, packed), drop(be, w), drop(be, b);
	}
}
END_TEST

static const int plane_shapes[][5] = {{1, 1, 1, 1, 1}, {3, 1, 5, 7, 2}, {10, 7, 6, 9, 3}, {1, 5, 4, 4, 4}, {1, 1, 95, 94, 2},
	{2, 16, 6, 5, 2}, {3, 17, 7, 9, 2}, {2, 50, 4, 3, 3}, {1, 2, 17, 16, 15}};

START_TEST(planes)
{
	struct backend *be = backend(__func__, _i);
	const int *v = plane_shapes[_i % BACKENDS_SHAPES], B = v[0], C = v[1], H = v[2], W = v[3], K = v[4], OH = H / K, OW = W / K;
	size_t nx = (size_t)(B * C * H * W), ny = (size_t)(B * C * OH * OW), nu = nx * (size_t)(K * K);
	float *x = to_maps(be, integers(nx, 1, 1), B, C, H, W), *dy = to_maps(be, randoms(ny, 2), B, C, OH, OW); /* x has ties */
	float *du = to_maps(be, randoms(nu, 3), B, C, H * K, W * K), *y = maps_filled(be, NAN, B, C, OH, OW);
	float *dx = maps_filled(be, NAN, B, C, H, W), *u = maps_filled(be, NAN, B, C, H * K, W * K), *ux = maps_filled(be, NAN, B, C, H, W);
	uint8_t *argmax = be->alloc(be, be->maps_size(be, B, C, OH, OW) / sizeof(float));
	be->max_pool(be, y, argmax, x, B, C, H, W, K);
	be->max_pool_backward(be, dx, dy, argmax, B, C, H, W, K);
	be->upsample(be, u, x, B, C, H, W, K);
	be->upsample_backward(be, ux, du, B, C, H, W, K);
	agree(to_rows(be, y, B, C, OH, OW), ny, 0, "max_pool"), agree(to_rows(be, dx, B, C, H, W), nx, 0, "max_pool_backward");
	agree(to_rows(be, u, B, C, H * K, W * K), nu, 0, "upsample"),
		agree(to_rows(be, ux, B, C, H, W), nx, TOLERANCE(K * K), "upsample_backward");
	be->release(be, x), be->release(be, dy), be->release(be, du), be->release(be, argmax);
}
END_TEST

static const int bn_shapes[][6] = {/* B C H W maps relu */ {5, 3, 1, 1, 0, 0}, {33, 50, 1, 1, 0, 1}, {1, 1, 2, 2, 1, 0}, {7, 9, 5, 7, 1, 0},
	{3, 16, 4, 4, 1, 1}, {4, 17, 3, 5, 1, 1}, {2, 50, 6, 6, 1, 0}, {2, 20, 13, 11, 1, 1}};

START_TEST(batch_norm)
{
	struct backend *be = backend(__func__, _i);
	const int *v = bn_shapes[_i % BACKENDS_SHAPES], B = v[0], C = v[1], H = v[2], W = v[3], maps = v[4];
	struct batch_norm s = {B, C, H * W, maps, 1, v[5] ? ACT_RELU : ACT_NONE, 0.1f, 1e-5f};
	size_t n = (size_t)(B * C * H * W), c = (size_t)C;
	for (s.train = 1; s.train >= 0; s.train--) {
		float *x = maps ? to_maps(be, randoms(n, 1), B, C, H, W) : in(be, randoms(n, 1), n);
		float *dy = maps ? to_maps(be, randoms(n, 2), B, C, H, W) : in(be, randoms(n, 2), n);
		float *y = maps ? maps_filled(be, NAN, B, C, H, W) : blank(be, n),
		      *dx = maps ? maps_filled(be, NAN, B, C, H, W) : blank(be, n);
		float *gamma = in(be, randoms(c, 3), c), *beta = in(be, randoms(c, 4), c), *first = randoms(2 * c, 5);
		for (size_t k = c; k < 2 * c; k++)
			first[k] = fabsf(first[k]) + 0.1f;
		float *run = in(be, first, 2 * c), *save = blank(be, 2 * c), *dg = blank(be, c), *db = blank(be, c);
		be->batch_norm(be, y, x, gamma, beta, run, save, &s);
		be->batch_norm_backward(be, dx, dg, db, dy, y, x, gamma, save, &s);
		agree(maps ? to_rows(be, y, B, C, H, W) : out(be, y, n), n, 1e-5f, "batch_norm");
		agree(out(be, run, 2 * c), 2 * c, 1e-5f, "running statistics"), agree(out(be, save, 2 * c), 2 * c, 1e-5f, "save");
		agree(maps ? to_rows(be, dx, B, C, H, W) : out(be, dx, n), n, 2e-5f, "batch_norm_backward");
		agree(out(be, dg, c), c, 2e-5f, "dgamma"), agree(out(be, db, c), c, 2e-5f, "dbeta");
		if (maps)
			be->release(be, x), be->release(be, dy);
		else
			drop(be, x), drop(be, dy);
		drop(be, gamma), drop(be, beta);
	}
}
END_TEST

/* The first B rows of what has C channels and H x W values. */
static float *part_of(const struct backend *be, const float *rows, int B, int C, int H, int W, int maps)
{
	size_t n = (size_t)(B * C * H * W);
	return maps ? to_maps(be, copied(rows, n), B, C, H, W) : in(be, copied(rows, n), n);
}

static void release_part(const struct backend *be, float *part, int maps)
{
	if (maps)
		be->release(be, part);
	else
		drop(be, part);
}

/* A batch in two parts: sums added, then each part normalised by the totals, is the batch as a whole. */
START_TEST(batch_norm_parts)
{
	struct backend *be = backend(__func__, _i);
	const int *v = bn_shapes[_i % BACKENDS_SHAPES], B = v[0], C = v[1], H = v[2], W = v[3], maps = v[4], cut = B / 2;
	struct batch_norm s = {B, C, H * W, maps, 1, v[5] ? ACT_RELU : ACT_NONE, 0.1f, 1e-5f};
	size_t row = (size_t)(C * H * W), n = (size_t)B * row, c = (size_t)C, N = (size_t)(B * H * W);
	const float *rx = randoms(n, 1), *rdy = randoms(n, 2), *first = randoms(2 * c, 5);
	float *x = part_of(be, rx, B, C, H, W, maps), *dy = part_of(be, rdy, B, C, H, W, maps);
	float *y = maps ? maps_filled(be, NAN, B, C, H, W) : blank(be, n), *dx = maps ? maps_filled(be, NAN, B, C, H, W) : blank(be, n);
	float *gamma = in(be, randoms(c, 3), c), *beta = in(be, randoms(c, 4), c), *run = in(be, copied(first, 2 * c), 2 * c),
	      *save = blank(be, 2 * c);
	float *origin = in(be, copied(first, c), c), *dg = blank(be, c), *db = blank(be, c), *stat = xcalloc(2 * c, sizeof *stat);
	double *sums = xcalloc(4 * c, sizeof *sums), *device = be->alloc(be, 2 * c * sizeof *device);
	be->batch_norm(be, y, x, gamma, beta, run, save, &s);
	be->batch_norm_backward(be, dx, dg, db, dy, y, x, gamma, save, &s);
	const float *y_whole = maps ? to_rows(be, y, B, C, H, W) : out(be, y, n),
		    *dx_whole = maps ? to_rows(be, dx, B, C, H, W) : out(be, dx, n);
	const float *dg_whole = out(be, dg, c), *db_whole = out(be, db, c);
	struct {
		float *x, *dy, *y, *dx, *save;
	} part[2];
	for (int k = 0; k < 2; k++) {
		size_t at = k ? (size_t)cut * row : 0;
		s.B = k ? B - cut : cut;
		part[k].x = part_of(be, rx + at, s.B ? s.B : 1, C, H, W, maps),
		part[k].dy = part_of(be, rdy + at, s.B ? s.B : 1, C, H, W, maps);
		part[k].y = maps ? maps_filled(be, NAN, s.B + 1, C, H, W) : blank(be, n + row);
		part[k].dx = maps ? maps_filled(be, NAN, s.B + 1, C, H, W) : blank(be, n + row), part[k].save = blank(be, 2 * c);
		be->batch_norm_sums(be, device, part[k].x, origin, &s);
		be->download(be, sums + 2 * c, device, 2 * c * sizeof *sums);
		for (size_t i = 0; i < 2 * c; i++)
			sums[i] += sums[2 * c + i];
	}
	for (size_t i = 0; i < c; i++) {
		double mean = sums[i] / (double)N;
		stat[i] = (float)((double)first[i] + mean), stat[c + i] = (float)fmax(0, sums[c + i] / (double)N - mean * mean);
	}
	float *total = in(be, copied(stat, 2 * c), 2 * c);
	memset(sums, 0, 2 * c * sizeof *sums);
	for (int k = 0; k < 2; k++) {
		s.B = k ? B - cut : cut, s.train = 0;
		be->batch_norm(be, part[k].y, part[k].x, gamma, beta, total, part[k].save, &s);
		be->batch_norm_backward_sums(be, device, part[k].dy, part[k].y, part[k].x, part[k].save, &s);
		be->download(be, sums + 2 * c, device, 2 * c * sizeof *sums);
		for (size_t i = 0; i < 2 * c; i++)
			sums[i] += sums[2 * c + i];
	}
	for (size_t i = 0; i < c; i++) {
		ck_assert_double_eq_tol(sums[i], (double)db_whole[i], 1e-4 * (1 + fabs(sums[i])));
		ck_assert_double_eq_tol(sums[c + i], (double)dg_whole[i], 1e-4 * (1 + fabs(sums[c + i])));
	}
	be->upload(be, device, sums, 2 * c * sizeof *sums);
	for (int k = 0; k < 2; k++) {
		size_t at = k ? (size_t)cut * row : 0;
		s.B = k ? B - cut : cut, s.train = 1;
		be->batch_norm_backward_apply(be, part[k].dx, part[k].dy, part[k].y, part[k].x, gamma, part[k].save, device, (double)N, &s);
		float *got_y = maps ? to_rows(be, part[k].y, s.B + 1, C, H, W) : out(be, part[k].y, n + row);
		float *got_dx = maps ? to_rows(be, part[k].dx, s.B + 1, C, H, W) : out(be, part[k].dx, n + row);
		for (size_t i = 0; i < (size_t)s.B * row; i++) {
			ck_assert_double_eq_tol((double)got_y[i], (double)y_whole[at + i], 2e-5 * (1 + fabs((double)y_whole[at + i])));
			ck_assert_double_eq_tol((double)got_dx[i], (double)dx_whole[at + i], 5e-5 * (1 + fabs((double)dx_whole[at + i])));
		}
		free(got_y), free(got_dx);
		release_part(be, part[k].x, maps), release_part(be, part[k].dy, maps), drop(be, part[k].save);
	}
	release_part(be, x, maps), release_part(be, dy, maps), drop(be, gamma), drop(be, beta), drop(be, run), drop(be, save);
	drop(be, origin), drop(be, total), be->release(be, device);
	free((void *)rx), free((void *)rdy), free((void *)first), free(sums), free(stat);
	free((void *)y_whole), free((void *)dx_whole), free((void *)dg_whole), free((void *)db_whole);
}
END_TEST

static int is_nan(float *p, int i)
{
	int nan = isnan(p[i]) != 0;
	free(p);
	return nan;
}

/* NaN propagates through every operation, so that diverged training is seen. */
START_TEST(nan_passes)
{
	static const float four[4] = {1, NAN, 2, 3}, one = 1, none = 0;
	struct backend *be = backend(__func__, _i);
	float *w = in(be, copied(&one, 1), 1), *b = in(be, copied(&none, 1), 1), *x = in(be, copied(four, 4), 4);
	float *maps = to_maps(be, copied(four, 4), 1, 1, 2, 2), *pooled = maps_filled(be, 0, 1, 1, 1, 1);
	void *argmax = be->alloc(be, be->maps_size(be, 1, 1, 1, 1));
	for (int act = ACT_NONE; act <= ACT_SIGMOID; act++) {
		float *device = blank(be, 4);
		be->act(be, device, x, (enum act)act, 4);
		float *y = out(be, device, 4);
		ck_assert(isnan(y[1]) && !isnan(y[0]));
		free(y);
		/* a pool of four values, the second of which is NaN; x as maps and as rows */
		for (int image = 0; image < 2; image++) {
			struct conv s = {1, 1, 2, 2, 1, 1, 1, 1, 1, 0, 1, 2, 2, 2, (enum act)act, image};
			float *my = maps_filled(be, 0, 1, 1, 1, 1);
			void *packed = be->alloc(be, be->conv_packed_size(be, &s));
			be->conv_pack(be, packed, w, &s);
			be->conv(be, my, argmax, image ? x : maps, packed, b, &s);
			ck_assert_msg(is_nan(to_rows(be, my, 1, 1, 1, 1), 0), "activation %d, image %d", act, image);
			be->release(be, packed);
		}
	}
	be->max_pool(be, pooled, argmax, maps, 1, 1, 2, 2, 2);
	ck_assert(is_nan(to_rows(be, pooled, 1, 1, 1, 1), 0));
	drop(be, w), drop(be, b), drop(be, x), be->release(be, maps), be->release(be, argmax);
}
END_TEST

/* argmax is the first of equal values: after relu there are many zeros, and all backends must route the gradient to the same one. Both
 * for max_pool and for a pool fused with an identity convolution. */
START_TEST(ties)
{
	static const float values[18] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 5, 5, 5, 2, 5, 3, 3, 5}, gradients[2] = {7, 9},
			   same[4] = {1, 0, 0, 1};
	static const struct conv s = {1, 2, 3, 3, 1, 2, 1, 1, 1, 0, 1, 3, 3, 3, ACT_NONE, 0};
	struct backend *be = backend(__func__, _i);
	for (int conv = 0; conv < 2; conv++) {
		float *x = to_maps(be, copied(values, 18), 1, 2, 3, 3), *dy = to_maps(be, copied(gradients, 2), 1, 2, 1, 1);
		float *my = maps_filled(be, 0, 1, 2, 1, 1), *mdx = maps_filled(be, NAN, 1, 2, 3, 3);
		float *w = in(be, copied(same, 4), 4), *b = in(be, xcalloc(2, sizeof *b), 2), *dw = blank(be, 4), *db = blank(be, 2);
		void *packed = be->alloc(be, be->conv_packed_size(be, &s)), *argmax = be->alloc(be, be->maps_size(be, 1, 2, 1, 1));
		if (conv) {
			be->conv_pack(be, packed, w, &s);
			be->conv(be, my, argmax, x, packed, b, &s);
			be->conv_backward(be, mdx, dw, db, dy, my, argmax, x, w, packed, &s);
		} else {
			be->max_pool(be, my, argmax, x, 1, 2, 3, 3, 3);
			be->max_pool_backward(be, mdx, dy, argmax, 1, 2, 3, 3, 3);
		}
		float *y = to_rows(be, my, 1, 2, 1, 1), *dx = to_rows(be, mdx, 1, 2, 3, 3);
		ck_assert(y[0] == 0 && y[1] == 5);
		for (int k = 0; k < 18; k++)
			ck_assert_msg(dx[k] == (float)(k == 0 ? 7 : k == 10 ? 9 : 0), "conv %d: %d has %g", conv, k, (double)dx[k]);
		drop(be, w), drop(be, b), drop(be, dw), drop(be, db);
		be->release(be, x), be->release(be, dy), be->release(be, packed), be->release(be, argmax), free(y), free(dx);
	}
}
END_TEST

static const int normalized_shapes[][10] = {
	/* B C H W upsample F; G K S P of the convolution after it */
	{1, 1, 2, 3, 1, 1, 1, 1, 1, 0}, {2, 3, 5, 7, 1, 5, 4, 3, 1, 1}, {3, 17, 6, 9, 1, 33, 17, 3, 2, 1},
	{5, 4, 13, 10, 1, 64, 20, 3, 2, 1}, {2, 32, 12, 12, 1, 66, 32, 3, 1, 1}, {17, 4, 9, 8, 1, 7, 5, 1, 1, 0},
	{2, 8, 9, 9, 1, 12, 5, 2, 3, 0}, {2, 16, 4, 5, 2, 19, 8, 3, 1, 1}, {3, 5, 3, 3, 2, 16, 6, 5, 2, 2}, {1, 4, 3, 4, 3, 8, 4, 3, 1, 1},
	{1, 64, 4, 4, 1, 24, 5, 3, 1, 1}, /* few outputs of long sums */
};

/* A convolution, batch norm of its output, and both gradients, each right after the other, which a backend may compute in one: what they
 * leave is as they would by themselves. Factors are small integers, so that z and the gradient between are exact but for transforms. */
START_TEST(normalized)
{
	struct backend *be = backend(__func__, _i);
	const int *v = normalized_shapes[_i % BACKENDS_SHAPES], B = v[0], C = v[1], U = v[4], H = v[2] * U, W = v[3] * U, F = v[5],
		  G = v[6], K = v[7], S = v[8], P = v[9];
	struct conv a = conv3x3(B, C, v[2], v[3], U, F);
	struct conv b = {.B = B, .C = F, .H = H, .W = W, .upsample = 1, .F = G, .KH = K, .KW = K, .S = S, .P = P, .D = 1, .pool = 1};
	struct batch_norm s = {B, F, H * W, 1, 1, ACT_RELU, 0.1f, 1e-5f};
	b.OH = (H + 2 * P - K) / S + 1, b.OW = (W + 2 * P - K) / S + 1;
	size_t nx = (size_t)(B * C * v[2] * v[3]), nz = (size_t)(B * F * H * W), nu = (size_t)(B * G * b.OH * b.OW), f = (size_t)F;
	size_t nwa = (size_t)(F * C * 9), nwb = (size_t)(G * F * K * K);
	float *x = to_maps(be, integers(nx, 1, 1), B, C, v[2], v[3]), *du = to_maps(be, integers(nu, 1, 2), B, G, b.OH, b.OW);
	float *wa = in(be, integers(nwa, 0.25f, 3), nwa), *ba = in(be, integers(f, 16, 4), f), *wb = in(be, integers(nwb, 0.25f, 5), nwb);
	float *gamma = in(be, randoms(f, 6), f), *beta = in(be, randoms(f, 7), f), *run = in(be, xcalloc(2 * f, sizeof *run), 2 * f),
	      *save = blank(be, 2 * f);
	float *z = maps_filled(be, NAN, B, F, H, W), *y = maps_filled(be, NAN, B, F, H, W), *d = maps_filled(be, NAN, B, F, H, W),
	      *dz = maps_filled(be, NAN, B, F, H, W), *u = maps_filled(be, NAN, B, G, b.OH, b.OW);
	float *dw = blank(be, nwb), *db = blank(be, (size_t)G), *dgamma = blank(be, f), *dbeta = blank(be, f);
	void *packed_a = be->alloc(be, be->conv_packed_size(be, &a)), *packed_b = be->alloc(be, be->conv_packed_size(be, &b));
	be->conv_pack(be, packed_a, wa, &a), be->conv_pack(be, packed_b, wb, &b);
	be->conv(be, z, NULL, x, packed_a, ba, &a);
	be->batch_norm(be, y, z, gamma, beta, run, save, &s);
	be->conv_backward(be, d, dw, db, du, u, NULL, y, wb, packed_b, &b);
	be->batch_norm_backward(be, dz, dgamma, dbeta, d, y, z, gamma, save, &s);
	/* the cpu backend may go by Winograd's transforms, see convolve */
	agree(rows_of(be, z, B, F, H, W), nz,
		backends_rounded && U > 1      ? backends_products(9 * C)
		: U == 1 && C >= 16 && F >= 16 ? TOLERANCE(9 * C)
					       : 0,
		"z");
	agree(rows_of(be, y, B, F, H, W), nz, 1e-5f, "y"), agree(out(be, run, 2 * f), 2 * f, 1e-5f, "running statistics");
	agree(out(be, save, 2 * f), 2 * f, 1e-5f, "save"), agree(out(be, db, (size_t)G), (size_t)G, 2 * TOLERANCE(nu / (size_t)G), "db");
	agree(rows_of(be, dz, B, F, H, W), nz, 5e-5f, "dz");
	agree(out(be, dgamma, f), f, 5e-5f, "dgamma"), agree(out(be, dbeta, f), f, 5e-5f, "dbeta");
	drop(be, wa), drop(be, ba), drop(be, wb), drop(be, gamma), drop(be, beta), drop(be, dw);
	be->release(be, x), be->release(be, du), be->release(be, z), be->release(be, y), be->release(be, d), be->release(be, dz),
		be->release(be, u), be->release(be, packed_a), be->release(be, packed_b);
}
END_TEST

static void add(Suite *s, int backend)
{
	BACKENDS_TEST(s, backend, layout, LENGTH(maps_shapes));
	BACKENDS_TEST(s, backend, convolution, LENGTH(conv_shapes));
	BACKENDS_TEST(s, backend, rounding, 3);
	BACKENDS_TEST(s, backend, long_sums, 1);
	BACKENDS_TEST(s, backend, many_factors, 1);
	BACKENDS_TEST(s, backend, planes, LENGTH(plane_shapes));
	BACKENDS_TEST(s, backend, batch_norm, LENGTH(bn_shapes));
	BACKENDS_TEST(s, backend, batch_norm_parts, LENGTH(bn_shapes));
	BACKENDS_TEST(s, backend, normalized, LENGTH(normalized_shapes));
	BACKENDS_TEST(s, backend, nan_passes, 1);
	BACKENDS_TEST(s, backend, ties, 1);
}

int main(void)
{
	return backends_run("conv", add);
}
