#include <cairo.h>
#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "child.h"
#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/draw/pict_axis.h"
#include "lib/draw/pict_curves.h"
#include "lib/draw/pict_faces.h"
#include "lib/draw/pict_grid.h"
#include "lib/draw/pict_log.h"
#include "lib/draw/pict_points.h"
#include "lib/draw/pict_tiles.h"
#include "lib/draw/pict_video.h"
#include "lib/stream/point_tensors.h"
#include "lib/stream/tns.h"

static char dir[64], in[100], png[100];

static void enter(void)
{
	strcpy(dir, "/tmp/check_pict.XXXXXX");
	if (!mkdtemp(dir))
		abort();
	snprintf(in, sizeof in, "%s/in", dir);
	snprintf(png, sizeof png, "%s/out.png", dir);
}

static void leave(void)
{
	char *command = xprintf("rm -r %s", dir);
	if (system(command))
		abort();
	free(command);
}

static float uniform(uint32_t i, uint32_t what)
{
	return philox_uniform(philox(7, PHILOX_TEST, what, 0, i).v[0]);
}

static char *slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "r");
	ck_assert_msg(f != NULL, "no file %s", path);
	char *s = xcalloc(1, 1 << 22);
	*n = fread(s, 1, (1 << 22) - 1, f);
	fclose(f);
	return s;
}

static void put(const char *text, size_t n)
{
	FILE *f = fopen(in, "w");
	ck_assert(f && fwrite(text, 1, n, f) == n && !fclose(f));
}

/* ---- greys, columns, zoom ---- */

START_TEST(greys_do_not_wrap)
{
	const float v[] = {-1, 0, 1, 3, 4, -1e30f, 1e30f, 2, NAN, INFINITY, -INFINITY};
	const uint32_t want[] = {
		0, 0, 0x404040, 0xBFBFBF, 0xFFFFFF, 0, 0xFFFFFF, 0x808080, PICT_NONFINITE >> 8, PICT_NONFINITE >> 8, PICT_NONFINITE >> 8};
	uint32_t got[11];
	pict_grey_f32(&(struct pict_range){0, 4}, v, 11, got);
	for (int i = 0; i < 11; i++)
		ck_assert_msg(got[i] == want[i], "%g: %06x, not %06x", v[i], got[i], want[i]);
}
END_TEST

START_TEST(own_range_fills_black_to_white)
{
	for (uint32_t round = 0; round < 200; round++) {
		float v[37], size = powf(10, 60 * uniform(round, 1) - 30);
		unsigned char u[37];
		uint32_t a[37], b[37];
		for (uint32_t i = 0; i < 37; i++) {
			v[i] = size * (uniform(100 * round + i, 2) - 0.5f);
			u[i] = (unsigned char)(256 * uniform(100 * round + i, 3));
		}
		struct pict_range r = PICT_RANGE_NONE, q = PICT_RANGE_NONE;
		pict_range_f32(&r, v, 37);
		pict_range_u8(&q, u, 37);
		pict_grey_f32(&r, v, 37, a);
		pict_grey_u8(&q, u, 37, b);
		uint32_t least = 255, most = 0;
		for (int i = 0; i < 37; i++) {
			least = a[i] < least ? a[i] : least;
			most = a[i] > most ? a[i] : most;
			for (int j = 0; j < 37; j++) {
				ck_assert(v[i] > v[j] || a[i] <= a[j]);
				ck_assert(u[i] > u[j] || b[i] <= b[j]);
			}
		}
		ck_assert_uint_eq(least, 0);
		ck_assert_uint_eq(most, 0xFFFFFF);
	}
}
END_TEST

START_TEST(constant_is_mid_grey)
{
	const float v[3] = {7, NAN, 7};
	uint32_t got[3];
	struct pict_range r = PICT_RANGE_NONE;
	pict_range_f32(&r, v, 3);
	pict_grey_f32(&r, v, 3, got);
	ck_assert_uint_eq(got[0], 0x808080);
	ck_assert_uint_eq(got[1], PICT_NONFINITE >> 8);
	/* only NaN: no range */
	r = (struct pict_range)PICT_RANGE_NONE;
	pict_range_f32(&r, v + 1, 1);
	pict_grey_f32(&r, v + 1, 1, got);
	ck_assert_uint_eq(got[0], PICT_NONFINITE >> 8);
}
END_TEST

START_TEST(columns_and_zoom)
{
	for (int n = 1; n < 700; n++) {
		int c = pict_columns(n, 0, 54, 42);
		ck_assert(c >= 1 && c <= n);
		ck_assert_int_eq(pict_columns(n, 5, 1, 1), n < 5 ? n : 5);
	}
	ck_assert_int_eq(500 % pict_columns(500, 0, 54, 42), 0);
	for (int w = 1; w < 2000; w++) {
		double z = pict_zoom(w, w / 2 + 1, 192, 0);
		ck_assert(z > 0 && z * w <= 192 * 1.5 && z * w >= 192 / 2.0);
		ck_assert(z >= 1 ? z == floor(z) : fabs(1 / z - round(1 / z)) < 1e-9);
	}
	ck_assert(pict_zoom(96, 96, 192, 3.5) == 3.5);
}
END_TEST

/* ---- axes ---- */

static void check_axis(double lo, double hi, int log, int open, int whole)
{
	struct pict_axis a = {.from = 10, .to = 500};
	pict_axis_fit(&a, lo, hi, log, open, whole, 8);
	ck_assert_msg(a.lo < a.hi && isfinite(a.hi - a.lo), "%g..%g: from %g to %g", lo, hi, a.lo, a.hi);
	ck_assert(a.lo <= lo && a.hi >= hi);
	ck_assert(!log || a.lo > 0);
	ck_assert(fabs(pict_axis_at(&a, a.lo) - 10) < 1e-6 && fabs(pict_axis_at(&a, a.hi) - 500) < 1e-6);
	ck_assert_msg(a.n >= (whole || log ? 1 : 2) && a.n <= PICT_TICKS_MAX, "%g..%g log %d open %d: %d ticks", lo, hi, log, open, a.n);
	for (int i = 0; i < a.n; i++) {
		double at = pict_axis_at(&a, a.tick[i]);
		ck_assert_msg(at > 10 - 1e-3 && at < 500 + 1e-3, "%g..%g: tick %g at %g", lo, hi, a.tick[i], at);
		ck_assert(!whole || a.tick[i] == floor(a.tick[i]));
		double back = pict_axis_at(&a, atof(a.label[i]));
		ck_assert_msg(fabs(back - at) < 1, "%g..%g: tick %.17g is labelled %s", lo, hi, a.tick[i], a.label[i]);
		ck_assert_msg(!i || at > pict_axis_at(&a, a.tick[i - 1]), "%g..%g: ticks do not rise", lo, hi);
		ck_assert_msg(!i || strcmp(a.label[i], a.label[i - 1]), "%g..%g: two ticks are labelled %s", lo, hi, a.label[i]);
	}
}

START_TEST(axes_hold_their_values)
{
	for (uint32_t i = 0; i < 5000; i++) {
		double lo = pow(10, 12 * uniform(i, 4) - 6), hi = lo * (1 + pow(10, 8 * uniform(i, 5) - 4));
		for (int open = 0; open < 2; open++) {
			check_axis(lo, hi, 0, open, 0);
			check_axis(-hi, lo, 0, open, 0);
			check_axis(-hi, -lo, 0, open, 0);
			check_axis(lo, hi, 1, open, 0);
			check_axis(1e6 * lo, 1e6 * lo * (1 + pow(10, -8 * uniform(i, 5))), 0, open, 0);
		}
	}
	for (int n = 1; n < 20000; n = n * 5 / 4 + 1)
		for (int from = 0; from < 3; from++)
			check_axis(from, from + n, 0, 0, 1);
	const double same[] = {0, 1, -3, 1e-9, 1e9, 0.37};
	for (int i = 0; i < 6; i++) {
		check_axis(same[i], same[i], 0, 1, 0);
		check_axis(same[i], same[i], 0, 0, 0);
	}
	check_axis(2, 2, 1, 1, 0);
}
END_TEST

START_TEST(nice_ticks)
{
	struct pict_axis a = {.from = 0, .to = 1};
	pict_axis_fit(&a, 0.02, 0.48, 0, 1, 0, 8);
	ck_assert(a.lo == 0);
	ck_assert_str_eq(a.label[0], "0.0");
	ck_assert_str_eq(a.label[1], "0.1");
	ck_assert_str_eq(a.label[a.n - 1], "0.5");
	pict_axis_fit(&a, 1, 14500, 1, 0, 0, 10);
	ck_assert_str_eq(a.label[0], "1");
	ck_assert_str_eq(a.label[a.n - 1], "10000");
	pict_axis_fit(&a, -2, 2, 0, 0, 0, 4);
	ck_assert_str_eq(a.label[2], "0");
	for (int wanted = 4; wanted < 100; wanted++) { /* to the end, also of a large picture */
		pict_axis_fit(&a, 0, 60, 0, 0, 1, wanted);
		ck_assert_str_eq(a.label[a.n - 1], "60");
		for (int decades = 1; decades < 30; decades++) {
			pict_axis_fit(&a, 1, pow(10, decades), 1, 0, 0, wanted);
			ck_assert_msg(a.tick[a.n - 1] * a.tick[1] > 0.99 * pow(10, decades), "%d decades, %d wanted: the last tick is %g",
				decades, wanted, a.tick[a.n - 1]);
		}
	}
}
END_TEST

/* ---- logs ---- */

START_TEST(log_is_read)
{
	static const char text[] = "epoch\tvalid_error\tkernel\trate\n1\t0.5\tzen\t-\n2\tnan\tzen\t1e-3\n10\t0.25\tzen\t\n";
	put(text, sizeof text - 1);
	struct pict_log *l = pict_log_read(in);
	ck_assert(l->columns == 4 && l->rows == 3);
	ck_assert(l->v[8] == 10 && l->v[1] == 0.5 && isnan(l->v[5]) && l->v[9] == 0.25 && isnan(l->v[3]) && l->v[7] == 1e-3);
	ck_assert(l->column[1].numbers == 2 && l->column[3].numbers == 1 && l->column[2].numbers == 0);
	ck_assert(l->column[2].bad_line == 2 && !strcmp(l->column[2].bad, "zen") && !l->column[1].bad_line);
	ck_assert(pict_log_find(l, "rate") == 3 && pict_log_find(l, "rat") == -1);
	pict_log_free(l);
}
END_TEST

static const struct {
	const char *text, *says;
} bad_logs[] = {
	{"", "empty: not a log"},
	{"epoch\tloss", "line 1: cut off: no newline at its end"},
	{"epoch\n1\n", "line 1: one column only"},
	{"epoch\t\n", "line 1: column 2 has no name"},
	{"epoch\ta\ta\n", "line 1: two columns 'a'"},
	{"epoch\tloss\n", "no values after the line of names"},
	{"epoch\tloss\n1\t2\n2\t3", "line 3: cut off: no newline at its end"},
	{"epoch\tloss\n1\t2\n2\n", "line 3: 1 values for 2 columns"},
	{"epoch\tloss\n1\t2\t3\n", "line 2: 3 values for 2 columns"},
	{"epoch\tloss\n\n", "line 2: epoch: '' is not a number"},
	{"epoch\tloss\nnan\t2\n", "line 2: epoch: 'nan' is not a number"},
	{"epoch\tloss\n1\t2\n1\t2\n", "line 3: epoch 1 after 1"},
	{"epoch\tloss\n7\t2\n3\t2\n", "line 3: epoch 3 after 7"},
	{"epoch\tloss\n1\t0x10\n", "line 2: loss: '0x10' is not a number"},
	{"epoch\tloss\n1\tnan\n", "no column of numbers to draw"},
	{"epoch\ttrain_loss\n1\tnan\n", "no value to draw"},
	{"epoch\ttrain_loss\n1\t2\n2\tlow\n", "line 3: train_loss: 'low' is not a number"},
};

static void draw_curves(void *arg)
{
	struct pict_curves c = {.to = {png, NULL}, .size = {400, 300}, .y = arg};
	char *logs[] = {in, NULL};
	pict_curves(logs, 1, &c);
}

START_TEST(malformed_log_is_refused)
{
	const char *text = bad_logs[_i].text;
	put(text, strlen(text));
	struct child c = child_run(draw_curves, strstr(text, "0x10") ? "loss" : NULL);
	ck_assert_msg(c.status == 1, "exit %d, signal %d: %s", c.status, c.signal, c.err);
	ck_assert_msg(strstr(c.err, bad_logs[_i].says) && strstr(c.err, in), "says '%s', not '%s'", c.err, bad_logs[_i].says);
	ck_assert_msg(strchr(c.err, '\n') == c.err + strlen(c.err) - 1, "more than a line: %s", c.err);
	ck_assert(access(png, F_OK));
}
END_TEST

START_TEST(zero_byte_and_long_line_are_refused)
{
	put("epoch\tloss\n1\t\0002\n", 16);
	struct child c = child_run(draw_curves, NULL);
	ck_assert(c.status == 1 && strstr(c.err, "line 2: longer than"));
	char *big = xmalloc(70000);
	memset(big, 'a', 70000);
	put(big, 70000);
	free(big);
	c = child_run(draw_curves, NULL);
	ck_assert(c.status == 1 && strstr(c.err, "line 1: longer than"));
}
END_TEST

/* ---- pixels of pictures ---- */

struct picture {
	int w, h, stride;
	unsigned char *data;
	cairo_surface_t *s;
};

static struct picture read_picture(void)
{
	struct picture s = {.s = cairo_image_surface_create_from_png(png)};
	ck_assert_msg(!cairo_surface_status(s.s), "%s", cairo_status_to_string(cairo_surface_status(s.s)));
	s.w = cairo_image_surface_get_width(s.s), s.h = cairo_image_surface_get_height(s.s);
	s.stride = cairo_image_surface_get_stride(s.s), s.data = cairo_image_surface_get_data(s.s);
	return s;
}

static uint32_t pixel(const struct picture *s, int x, int y)
{
	uint32_t v;
	ck_assert_msg(x >= 0 && y >= 0 && x < s->w && y < s->h, "%d,%d is outside %dx%d", x, y, s->w, s->h);
	memcpy(&v, s->data + (size_t)y * s->stride + 4 * x, 4);
	return v & 0xFFFFFF;
}

/* Pixel positions of the first tile and face, and distances of faces, as in lib/draw. */
enum { TILES_X = 16, TILES_Y = 40, FACES_X = 16, FACES_Y = 46, FACE_DOWN = 32, FACE_GAP = 14 };

static void write_model(const float *w, uint64_t out, uint64_t n, const char *input)
{
	struct tns_writer *t = tns_create(in);
	int id = tns_define(t, "0.weight", TNS_F32, 2, (uint64_t[]){out, n});
	if (input)
		tns_put_meta(t, "input", input);
	tns_write(t, id, w, out);
	tns_close(t);
}

START_TEST(tiles_show_their_weights)
{
	/* two of 3 wide and 2 high: own scales, unless global */
	const float w[12] = {0, 1, 2, 3, 4, 5, 10, 10, 10, 10, 10, NAN};
	const uint32_t own[12] = {0, 51, 102, 153, 204, 255, 128, 128, 128, 128, 128, 256},
		       all[12] = {0, 26, 51, 77, 102, 128, 255, 255, 255, 255, 255, 256};
	write_model(w, 2, 6, "3x2");
	for (int global = 0; global < 2; global++) {
		struct pict_tiles t = {.to = {png, NULL}, .count = 100, .first = 1, .columns = 2, .zoom = 10, .global = global};
		pict_tiles((char *[]){in, NULL}, 1, &t);
		struct picture s = read_picture();
		for (int i = 0; i < 12; i++) {
			uint32_t g = (global ? all : own)[i], want = g == 256 ? PICT_NONFINITE >> 8 : g * 0x10101;
			int x = TILES_X + i / 6 * 34 + i % 3 * 10, y = TILES_Y + i % 6 / 3 * 10;
			for (int k = 0; k < 100; k++)
				ck_assert_msg(pixel(&s, x + k % 10, y + k / 10) == want, "value %d, pixel %d: %06x, not %06x", i, k,
					pixel(&s, x + k % 10, y + k / 10), want);
		}
		cairo_surface_destroy(s.s);
	}
}
END_TEST

/* Three streams side by side: each of two tiles, or of one, in a grid of its own; --global is over all. */
START_TEST(tiles_of_several_stand_side_by_side)
{
	const float dark[4] = {0, 1, 2, 2}, light[2] = {3, 4};
	char other[sizeof in + 8];
	snprintf(other, sizeof other, "%s.other", in);
	write_model(light, 1, 2, "2x1");
	ck_assert(!rename(in, other));
	write_model(dark, 2, 2, "2x1");
	for (int global = 0; global < 2; global++) {
		struct pict_tiles t = {.to = {png, NULL}, .count = 100, .first = 1, .columns = 2, .zoom = 10, .global = global};
		pict_tiles((char *[]){in, other, in}, 3, &t);
		struct picture s = read_picture();
		const int first = TILES_X, second = first + 2 * 24 - 4 + 16, third = second + 24 - 4 + 16;
		ck_assert_int_eq(s.w, third + 2 * 24 - 4 + 16);
		static const uint32_t own[] = {0, 255, 128, 128, 0, 255}, all[] = {0, 64, 128, 128, 191, 255};
		const uint32_t *want = global ? all : own;
		for (int i = 0; i < 4; i++) {
			int x = i / 2 * 24 + i % 2 * 10 + 5;
			ck_assert_uint_eq(pixel(&s, first + x, TILES_Y + 5), want[i] * 0x10101);
			ck_assert_uint_eq(pixel(&s, third + x, TILES_Y + 5), want[i] * 0x10101);
		}
		for (int i = 0; i < 2; i++)
			ck_assert_uint_eq(pixel(&s, second + i * 10 + 5, TILES_Y + 5), want[4 + i] * 0x10101);
		cairo_surface_destroy(s.s);
	}
	unlink(other);
}
END_TEST

static void draw_tiles(void *arg)
{
	struct pict_tiles t = {.to = {png, NULL}, .count = 100, .first = 1};
	if (arg)
		t = *(struct pict_tiles *)arg, t.to.path = png;
	pict_tiles((char *[]){in, NULL}, 1, &t);
	_exit(0);
}

START_TEST(tiles_of_wrong_shape_are_refused)
{
	float w[12] = {0};
	static const struct {
		const char *input, *says;
	} bad[] = {{"5x5", "rows of 6 values are not the 5x5 of META input"}, {"3", "META input: '3' is not WxH"},
		{NULL, "not the 3x3 of a square"}};
	for (int i = 0; i < 3; i++) {
		write_model(w, 2, 6, bad[i].input);
		struct child c = child_run(draw_tiles, NULL);
		ck_assert_msg(c.status == 1 && strstr(c.err, bad[i].says), "exit %d: %s", c.status, c.err);
		struct pict_tiles t = {.count = 9, .first = 1, .size = {2, 3}};
		ck_assert_int_eq(child_run(draw_tiles, &t).status, 0);
	}
	struct pict_tiles t = {.count = 9, .first = 3};
	write_model(w, 2, 6, "3x2");
	struct child c = child_run(draw_tiles, &t);
	ck_assert(c.status == 1 && strstr(c.err, "nothing to draw: 0.weight has 2 tiles"));
	t = (struct pict_tiles){.count = 9, .first = 1, .tensor = "1.weight"};
	c = child_run(draw_tiles, &t);
	ck_assert(c.status == 1 && strstr(c.err, "there is no tensor 1.weight ("));
	t = (struct pict_tiles){.count = 9, .first = 1, .zoom = 100000};
	c = child_run(draw_tiles, &t);
	ck_assert(c.status == 1 && strstr(c.err, "pixels: draw fewer"));
}
END_TEST

static void write_pairs(int f32, uint64_t w)
{
	struct tns_writer *t = tns_create(in);
	int a = tns_define(t, "image", TNS_U8, 3, (uint64_t[]){TNS_UNLIMITED, 1, 2});
	int b = tns_define(t, "reconstruction", f32 ? TNS_F32 : TNS_U8, 3, (uint64_t[]){TNS_UNLIMITED, 1, w});
	tns_write(t, a, (unsigned char[]){0, 200, 77, 255}, 2);
	if (f32)
		tns_write(t, b, (float[]){-0.5f, 0.2f, NAN, 1.5f}, 2);
	else
		tns_write(t, b, (unsigned char[]){0, 51, 7, 255, 0, 0}, 2);
	tns_close(t);
}

static void draw_pairs(void *arg)
{
	struct pict_tiles t = {.to = {png, arg}, .count = 9, .first = 1, .zoom = 20};
	pict_pairs(in, &t);
	_exit(0);
}

START_TEST(pairs_keep_the_scale)
{
	for (int f32 = 0; f32 < 2; f32++) {
		const uint32_t up[] = {0, 200, 77, 255}, down[] = {0, 51, f32 ? 256 : 7, 255};
		write_pairs(f32, 2);
		ck_assert_int_eq(child_run(draw_pairs, NULL).status, 0);
		struct picture s = read_picture();
		for (int i = 0; i < 4; i++) {
			int x = TILES_X + 104 + i / 2 * 46 + i % 2 * 20 + 10;
			ck_assert_uint_eq(pixel(&s, x, TILES_Y + 10), up[i] * 0x10101);
			ck_assert_uint_eq(pixel(&s, x, TILES_Y + 22 + 10), down[i] == 256 ? PICT_NONFINITE >> 8 : down[i] * 0x10101);
		}
		cairo_surface_destroy(s.s);
	}
	write_pairs(0, 3);
	struct child c = child_run(draw_pairs, NULL);
	ck_assert(c.status == 1 && strstr(c.err, "reconstruction has not the shape of image, 2x1"));
}
END_TEST

/* ---- faces ---- */

START_TEST(error_of_a_face)
{
	const float t[4] = {1, 2, NAN, NAN}, p[4] = {4, 6, 0, 0}, u[4] = {NAN, 6, 0, 0}, none[4] = {NAN, NAN, NAN, NAN};
	ck_assert(fabs(points_error(t, p, 2, NULL) - sqrt(12.5)) < 1e-12);
	ck_assert(isinf(points_error(t, u, 2, NULL)));
	ck_assert(fabs(points_error((float[4]){1, 2, 3, 4}, u, 2, "\1") - sqrt(12.5)) < 1e-12); /* point 0 was not learned */
	ck_assert(isnan(points_error(none, p, 2, NULL)));
}
END_TEST

enum { SIDE = 8, ROWS = 250 };

/* Row r is a face of grey r, its one point predicted error(r) px too far right; NAN: no label, infinite: no prediction. */
static void write_faces(double (*error)(int r))
{
	struct tns_writer *t = tns_create(in);
	int image = tns_define(t, "image", TNS_U8, 3, (uint64_t[]){TNS_UNLIMITED, SIDE, SIDE});
	int truth = tns_define(t, "keypoints", TNS_F32, 3, (uint64_t[]){TNS_UNLIMITED, 1, 2});
	int predicted = tns_define(t, "predicted", TNS_F32, 3, (uint64_t[]){TNS_UNLIMITED, 1, 2});
	tns_put_meta(t, "points", "nose_\xC3\xA9\x07tip");
	for (int r = 0; r < ROWS; r++) {
		unsigned char face[SIDE * SIDE];
		double e = error(r);
		memset(face, r, sizeof face);
		tns_write(t, image, face, 1);
		tns_write(t, truth, (float[]){isnan(e) ? NAN : 0, isnan(e) ? NAN : 0}, 1);
		tns_write(t, predicted, (float[]){isinf(e) ? NAN : (float)e, 0}, 1);
	}
	tns_close(t);
}

static double rising(int r)
{
	return r / 50.0;
}

static double falling(int r)
{
	return (ROWS - r) / 50.0;
}

static double mixed(int r)
{
	return r % 10 == 3 ? NAN : r == 100 || r == 57 ? INFINITY : (r * 97 % ROWS) / 50.0;
}

static double level(int r)
{
	(void)r;
	return 1;
}

/* Draws faces and checks their greys in order. */
static void expect(struct pict_faces f, int n, const int *want)
{
	f.to.path = png;
	f.columns = 3, f.zoom = 20;
	pict_faces(in, &f);
	struct picture s = read_picture();
	ck_assert_int_eq(s.h, FACES_Y + (n + 2) / 3 * (20 * SIDE + FACE_DOWN) - FACE_GAP + 16);
	for (int i = 0; i < n; i++) {
		int x = FACES_X + i % 3 * (20 * SIDE + FACE_GAP) + 60, y = FACES_Y + i / 3 * (20 * SIDE + FACE_DOWN) + 140;
		ck_assert_msg(pixel(&s, x, y) == (uint32_t)want[i] * 0x10101, "face %d is %06x, not %d", i, pixel(&s, x, y), want[i]);
	}
	cairo_surface_destroy(s.s);
}

START_TEST(worst_come_first)
{
	write_faces(rising);
	expect((struct pict_faces){.count = 4, .first = 1}, 4, (int[]){0, 1, 2, 3});
	expect((struct pict_faces){.count = 4, .first = 11, .names = 1}, 4, (int[]){10, 11, 12, 13});
	expect((struct pict_faces){.count = 4, .first = 249}, 2, (int[]){248, 249});
	expect((struct pict_faces){.count = 4, .first = 1, .worst = 1}, 4, (int[]){249, 248, 247, 246});
	write_faces(falling);
	expect((struct pict_faces){.count = 4, .first = 1, .worst = 1}, 4, (int[]){0, 1, 2, 3});
	expect((struct pict_faces){.count = 4, .first = 8, .worst = 1}, 4, (int[]){7, 8, 9, 10});
	write_faces(level);
	expect((struct pict_faces){.count = 5, .first = 1, .worst = 1}, 5, (int[]){0, 1, 2, 3, 4});
	/* 97 * 67 = 249, 97 * 134 = 248, ... mod 250; those ending in 3 have no label */
	write_faces(mixed);
	int want[7] = {57, 100}, n = 2;
	for (int e = ROWS - 1; n < 7; e--)
		for (int r = 0; r < ROWS; r++)
			if (r * 97 % ROWS == e && r % 10 != 3 && r != 57 && r != 100)
				want[n++] = r;
	expect((struct pict_faces){.count = 7, .first = 1, .worst = 1}, 7, want);
}
END_TEST

/* Writes 10,000 faces of 96x96, 92 MB, to a pipe, with rising errors, so that --worst keeps every row for a while. */
static void send_faces(void)
{
	struct tns_writer *t = tns_create(NULL);
	int image = tns_define(t, "image", TNS_U8, 3, (uint64_t[]){TNS_UNLIMITED, 96, 96});
	int truth = tns_define(t, "keypoints", TNS_F32, 3, (uint64_t[]){TNS_UNLIMITED, 1, 2});
	int predicted = tns_define(t, "predicted", TNS_F32, 3, (uint64_t[]){TNS_UNLIMITED, 1, 2});
	unsigned char face[96 * 96] = {0};
	for (int r = 0; r < 10000; r++) {
		tns_write(t, image, face, 1);
		tns_write(t, truth, (float[]){0, 0}, 1);
		tns_write(t, predicted, (float[]){(float)r, 0}, 1);
	}
	tns_close(t);
	_exit(0);
}

START_TEST(memory_is_constant)
{
	int ends[2], status;
	struct rusage used;
	ck_assert(!pipe(ends));
	pid_t from = fork();
	if (!from) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		send_faces();
	}
	pid_t to = fork();
	if (!to) {
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		pict_faces(NULL, &(struct pict_faces){.to = {png, NULL}, .count = 6, .first = 1, .worst = 1});
		_exit(0);
	}
	close(ends[0]);
	close(ends[1]);
	ck_assert(waitpid(from, &status, 0) == from && !status);
	ck_assert(wait4(to, &status, 0, &used) == to && !status);
#ifndef __SANITIZE_ADDRESS__
	ck_assert_msg(used.ru_maxrss < 40 << 10, "%ld KiB", used.ru_maxrss);
#endif
}
END_TEST

START_TEST(points_are_drawn_in_place)
{
	write_faces(falling); /* row 0: predicted 5 px to the right of 0,0, the centre of the first pixel */
	struct pict_faces f = {.to = {png, NULL}, .count = 1, .first = 1, .zoom = 20};
	pict_faces(in, &f);
	struct picture s = read_picture();
	uint32_t t = pixel(&s, FACES_X + 10, FACES_Y + 10), p = pixel(&s, FACES_X + 110, FACES_Y + 10);
	ck_assert_msg((t & 255) > 200 && t >> 16 < 120, "truth is %06x", t);
	ck_assert_msg((p & 255) < 100 && p >> 16 > 200, "prediction is %06x", p);
	cairo_surface_destroy(s.s);
}
END_TEST

/* ---- what lies over a face: pixels where they must be, in images that are wider than high ---- */

enum { WIDE = 24, HIGH = 16, ZOOM = 11, OVER = 2 }; /* OVER: points */

struct face_row {
	uint32_t id;
	float truth[OVER][2], predicted[OVER][2], steps[3][OVER][2];
};

/* Black faces, a row each; steps: with 3 levels of them. */
static void write_rows(const struct face_row *row, int n, int steps)
{
	static const unsigned char black[WIDE * HIGH];
	struct tns_writer *t = tns_create(in);
	int image = tns_define(t, "image", TNS_U8, 3, (uint64_t[]){TNS_UNLIMITED, HIGH, WIDE}),
	    id = tns_define(t, "id", TNS_U32, 1, (uint64_t[]){TNS_UNLIMITED});
	int truth = tns_define(t, "keypoints", TNS_F32, 3, (uint64_t[]){TNS_UNLIMITED, OVER, 2});
	int predicted = tns_define(t, "predicted", TNS_F32, 3, (uint64_t[]){TNS_UNLIMITED, OVER, 2});
	int step = steps ? tns_define(t, "steps", TNS_F32, 4, (uint64_t[]){TNS_UNLIMITED, 3, OVER, 2}) : -1;
	tns_put_meta(t, "points", "eye_left,nose_tip");
	for (int i = 0; i < n; i++) {
		tns_write(t, image, black, 1), tns_write(t, id, &row[i].id, 1);
		tns_write(t, truth, row[i].truth, 1), tns_write(t, predicted, row[i].predicted, 1);
		if (steps)
			tns_write(t, step, row[i].steps, 1);
	}
	tns_close(t);
}

/* The pixel of the i-th face of a column at (x, y) of its image. */
static uint32_t over(const struct picture *s, int i, double x, double y)
{
	return pixel(s, FACES_X + (int)floor((x + 0.5) * ZOOM), FACES_Y + i * (HIGH * ZOOM + FACE_DOWN) + (int)floor((y + 0.5) * ZOOM));
}

static int is_blue(uint32_t c)
{
	return (c & 255) > 200 && c >> 16 < 120;
}

static int is_orange(uint32_t c)
{
	return c >> 16 > 200 && (c & 255) < 100;
}

static int is_green(uint32_t c)
{
	int r = c >> 16, g = c >> 8 & 255, b = c & 255;
	return g > 100 && g > r + 50 && g > b + 50;
}

static struct picture draw_rows(int64_t first, int64_t count)
{
	struct pict_faces f = {.to = {png, NULL}, .count = count, .first = first, .columns = 1, .zoom = ZOOM};
	pict_faces(in, &f);
	return read_picture();
}

START_TEST(points_of_each_face)
{
	static const struct face_row row[2] = {
		{7, {{3, 2}, {20, 13}}, {{6, 5}, {23, 9}}, {{{0}}}}, {8, {{12, 15}, {NAN, NAN}}, {{0, 11}, {18, 4}}, {{{0}}}}};
	write_rows(row, 2, 0);
	struct picture s = draw_rows(1, 2);
	for (int i = 0; i < 2; i++)
		for (int y = 0; y < HIGH; y++)
			for (int x = 0; x < WIDE; x++) {
				int truth = 0, predicted = 0;
				for (int k = 0; k < OVER; k++) {
					truth |= row[i].truth[k][0] == (float)x && row[i].truth[k][1] == (float)y;
					predicted |= row[i].predicted[k][0] == (float)x && row[i].predicted[k][1] == (float)y;
				}
				ck_assert_msg(is_blue(over(&s, i, x, y)) == truth && is_orange(over(&s, i, x, y)) == predicted,
					"face %d: %06x at %d,%d", i, over(&s, i, x, y), x, y);
			}
	cairo_surface_destroy(s.s);
}
END_TEST

/* Each point's path from level to level, to the prediction; not the short way between first and last. */
START_TEST(steps_of_three_levels)
{
	static const struct face_row row = {
		7, {{NAN, NAN}, {NAN, NAN}}, {{2, 12}, {22, 13}}, {{{2, 2}, {14, 3}}, {{8, 2}, {20, 3}}, {{8, 12}, {20, 8}}}};
	write_rows(&row, 1, 1);
	struct picture s = draw_rows(1, 1);
	for (int k = 0; k < OVER; k++)
		for (int l = 0; l < 3; l++) {
			const float *from = row.steps[l][k], *to = l < 2 ? row.steps[l + 1][k] : row.predicted[k];
			for (int i = 0; i < 3; i++) {
				double x = (double)(from[0] + (to[0] - from[0]) * (float)i / 3),
				       y = (double)(from[1] + (to[1] - from[1]) * (float)i / 3);
				ck_assert_msg(
					is_green(over(&s, 0, x, y)), "point %d, level %d: %06x at %g,%g", k, l, over(&s, 0, x, y), x, y);
			}
		}
	ck_assert(is_orange(over(&s, 0, 2, 12)) && is_orange(over(&s, 0, 22, 13)));
	ck_assert(!is_green(over(&s, 0, 2, 7)) && !is_green(over(&s, 0, 18, 8)) && !is_green(over(&s, 0, 11, 3)) &&
		  !is_green(over(&s, 0, 11, 12)));
	cairo_surface_destroy(s.s);
}
END_TEST

/* The caption under a picture's first face begins with this text, drawn here on a canvas of its own. */
static void check_caption(const char *want)
{
	struct picture s = draw_rows(2, 1), t;
	int y0 = FACES_Y + HIGH * ZOOM, differ = 0, ink = 0;
	struct pict *p = pict_new(PICT_PNG, s.w, s.h);
	pict_text(p, FACES_X, y0 + 13, 10.5, PICT_LEFT, 0, PICT_PALE, want);
	pict_finish(p, pict_open(&(struct pict_output){png, NULL}));
	t = read_picture();
	for (int y = y0 + 4; y < s.h; y++)
		for (int x = 0; x < FACES_X + WIDE * ZOOM / 2; x++)
			differ += pixel(&s, x, y) != pixel(&t, x, y), ink += pixel(&t, x, y) != 0xFFFFFF;
	ck_assert_msg(!differ && ink > 20, "%d of %d pixels are not those of '%s'", differ, ink, want);
	cairo_surface_destroy(s.s), cairo_surface_destroy(t.s);
}

/* A caption tells the row's id, not its number; without ids the number, from 1. */
START_TEST(captions_tell_ids)
{
	static const struct face_row row[2] = {
		{37, {{3, 2}, {20, 13}}, {{6, 5}, {23, 9}}, {{{0}}}}, {12, {{3, 2}, {20, 13}}, {{6, 5}, {23, 9}}, {{{0}}}}};
	static const unsigned char black[2 * WIDE * HIGH];
	write_rows(row, 2, 0);
	check_caption("id 12");
	struct tns_writer *t = tns_create(in);
	tns_define(t, "image", TNS_U8, 3, (uint64_t[]){TNS_UNLIMITED, HIGH, WIDE});
	tns_write(t, 0, black, 2);
	tns_close(t);
	check_caption("row 2");
}
END_TEST

static int white_between(const struct picture *s, int x0, int x1, int y0, int y1)
{
	int n = 0;
	for (int y = y0; y < y1; y++)
		for (int x = x0; x < x1; x++)
			n += (pixel(s, x, y) & 0x808080) == 0x808080;
	return n;
}

/* A name stands right of its point; where the image ends there, left of it. */
START_TEST(names_stand_by_their_points)
{
	static const struct face_row row = {7, {{3, 4}, {22, 12}}, {{NAN, NAN}, {NAN, NAN}}, {{{0}}}};
	write_rows(&row, 1, 0);
	struct pict_faces f = {.to = {png, NULL}, .count = 1, .first = 1, .columns = 1, .zoom = ZOOM, .names = 1};
	pict_faces(in, &f);
	struct picture s = read_picture();
	for (int k = 0; k < OVER; k++) {
		int x = FACES_X + (int)((row.truth[k][0] + 0.5f) * ZOOM), y = FACES_Y + (int)((row.truth[k][1] + 0.5f) * ZOOM);
		int left =
			white_between(&s, FACES_X, x - 5, FACES_Y, y - 6) + white_between(&s, FACES_X, x - 5, y + 7, FACES_Y + HIGH * ZOOM);
		int beside = k ? white_between(&s, x - 60, x - 5, y - 6, y + 7) : white_between(&s, x + 6, x + 60, y - 6, y + 7);
		ck_assert_msg(beside > 8 && (k || !left), "point %d: %d pixels of a name beside it", k, beside);
	}
	/* and nowhere else */
	ck_assert_int_eq(white_between(&s, FACES_X, FACES_X + WIDE * ZOOM, FACES_Y + 65, FACES_Y + 120), 0);
	cairo_surface_destroy(s.s);
}
END_TEST

/* Maps of two channels over grey faces; scale: META maps_scale or NULL. */
static void write_maps(const float *maps, uint64_t mh, uint64_t mw, const char *scale)
{
	unsigned char grey[WIDE * HIGH];
	struct tns_writer *t = tns_create(in);
	int image = tns_define(t, "image", TNS_U8, 3, (uint64_t[]){TNS_UNLIMITED, HIGH, WIDE});
	int id = tns_define(t, "maps", TNS_F32, 4, (uint64_t[]){TNS_UNLIMITED, 2, mh, mw});
	if (scale)
		tns_put_meta(t, "maps_scale", scale);
	memset(grey, 100, sizeof grey);
	tns_write(t, image, grey, 1), tns_write(t, id, maps, 1);
	tns_close(t);
}

static void draw_heat(void *arg)
{
	(void)arg;
	pict_faces(in, &(struct pict_faces){.to = {png, NULL}, .count = 1, .first = 1, .zoom = ZOOM, .maps = 1});
	_exit(0);
}

/* Heat is where the cells lie: over the image's area, or as META maps_scale says, where no cell reaches the border. */
START_TEST(heat_lies_over_its_cells)
{
	static const struct {
		int mw, mh;
		const char *scale;
		double stride[2], first[2]; /* a cell's centre in pixels: stride u + first */
	} cases[] = {{12, 8, NULL, {2, 2}, {0.5, 0.5}}, {6, 8, NULL, {4, 2}, {1.5, 0.5}}, {9, 5, "x 0.5 -1.5 y 0.25 -0.5", {2, 4}, {3, 2}},
		{24, 16, "x 1 0 y 1 0", {1, 1}, {0, 0}}, {11, 7, "x 0.5 -0.5 y 0.5 -1", {2, 2}, {1, 2}}};
	int mw = cases[_i].mw, mh = cases[_i].mh;
	float maps[2][24 * 16] = {{0}}, flat[2 * 24 * 16];
	double heat[24 * 16];
	for (int c = 0; c < 2; c++)
		for (uint32_t i = 0; i < (uint32_t)(mw * mh); i++)
			maps[c][i] = uniform(i, (uint32_t)c + 40) < 0.2f ? uniform(i, (uint32_t)c + 50) : 0;
	maps[0][2 * mw + 3] = 2, maps[1][mw + mw - 1] = 0.5f, maps[0][mw * mh - 1] = 1.5f; /* the peaks, and the last cell */
	for (int i = 0; i < mw * mh; i++) {
		double second = (double)maps[1][i], most = 0.5;
		for (int k = 0; k < mw * mh; k++)
			most = fmax(most, (double)maps[1][k]);
		heat[i] = fmax((double)maps[0][i] / 2, second / most);
		flat[i] = maps[0][i], flat[mw * mh + i] = maps[1][i];
	}
	write_maps(flat, (uint64_t)mh, (uint64_t)mw, cases[_i].scale);
	struct child c = child_run(draw_heat, NULL);
	ck_assert_msg(c.status == 0, "%s", c.err);
	struct picture s = read_picture();
	for (int y = 0; y < HIGH; y++)
		for (int x = 0; x < WIDE; x++) {
			/* tents about the cells' centres, the outermost cells' own half cell flat */
			double u = (x - cases[_i].first[0]) / cases[_i].stride[0], v = (y - cases[_i].first[1]) / cases[_i].stride[1],
			       t = 0;
			int in_reach = u >= -0.5 && v >= -0.5 && u <= mw - 0.5 && v <= mh - 0.5;
			for (int i = 0; i < mw * mh && in_reach; i++)
				t += fmax(0, 1 - fabs(fmin(fmax(u, 0), mw - 1) - i % mw)) *
				     fmax(0, 1 - fabs(fmin(fmax(v, 0), mh - 1) - i / mw)) * heat[i];
			uint32_t got = over(&s, 0, x, y);
			for (int k = 0; k < 3; k++) {
				double want = 100 + 0.85 * t * ((0xFFB000 >> 8 * k & 255) - 100);
				ck_assert_msg(fabs((double)(got >> 8 * k & 255) - want) < 4, "map %dx%d, %s: %06x at %d,%d, not %g", mw, mh,
					cases[_i].scale ? cases[_i].scale : "no scale", got, x, y, want);
			}
		}
	cairo_surface_destroy(s.s);
}
END_TEST

START_TEST(bad_scale_of_maps_is_refused)
{
	static const char *const bad[] = {"", "0.5 -1 0.5 -1", "x 0.5 -1 y 0.5", "x 0.5 -1 y 0.5 -1 1", "x 0 -1 y 0.5 -1",
		"x 0.5 -1 y -0.5 -1", "x nan -1 y 0.5 -1", "x 0.5 inf y 0.5 -1"};
	static const float maps[2 * 6];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		write_maps(maps, 2, 3, bad[i]);
		struct child c = child_run(draw_heat, NULL);
		char *says = xprintf("META maps_scale '%s' is not 'x MUL ADD y MUL ADD'\n", bad[i]);
		ck_assert_msg(c.status == 1 && strstr(c.err, says), "exit %d: %s", c.status, c.err);
		free(says);
	}
}
END_TEST

static void draw_faces(void *arg)
{
	struct pict_faces f = {.to = {png, arg}, .count = 5, .first = 1};
	pict_faces(in, &f);
	_exit(0);
}

static double unlabelled(int r)
{
	(void)r;
	return NAN;
}

static void draw_worst(void *arg)
{
	(void)arg;
	pict_faces(in, &(struct pict_faces){.to = {png, NULL}, .count = 5, .first = 1, .worst = 1});
	_exit(0);
}

START_TEST(worst_of_nothing_is_refused)
{
	write_faces(unlabelled);
	struct child c = child_run(draw_worst, NULL);
	ck_assert_msg(c.status == 1 && strstr(c.err, "nothing to draw: 250 rows, none of them labelled"), "%s", c.err);
	write_pairs(0, 2);
	c = child_run(draw_worst, NULL);
	ck_assert_msg(c.status == 1 && strstr(c.err, "no keypoints: --worst needs truth and prediction"), "%s", c.err);
}
END_TEST

START_TEST(broken_streams_leave_no_picture)
{
	void (*const draw[])(void *) = {draw_faces, draw_tiles, draw_pairs};
	for (int k = 0; k < 3; k++) {
		if (k == 2)
			write_pairs(1, 2);
		else
			write_faces(rising);
		size_t n;
		char *whole = slurp(in, &n);
		ck_assert_int_eq(child_run(draw[k], NULL).status, 0);
		size_t old;
		free(slurp(png, &old));
		for (size_t i = 0; i < 40; i++) {
			put(whole, i < 2 ? n - 1 - i : n * i / 40);
			struct child c = child_run(draw[k], NULL);
			ck_assert_msg(c.status == 1, "%zu of %zu bytes: exit %d: %s", n * i / 40, n, c.status, c.err);
			whole[n * i / 40] ^= 16;
			put(whole, n);
			c = child_run(draw[k], NULL);
			ck_assert_msg(c.status == 1, "byte %zu flipped: exit %d: %s", n * i / 40, c.status, c.err);
			whole[n * i / 40] ^= 16;
		}
		size_t now;
		free(slurp(png, &now));
		ck_assert_msg(now == old, "the old picture was touched");
		free(whole);
		unlink(png);
	}
}
END_TEST

START_TEST(equal_bytes_and_no_clock)
{
	static const char *const formats[] = {"png", "svg", "pdf"}, *const begin[] = {"\x89PNG", "<?xml", "%PDF-"};
	for (int k = 0; k < 3; k++) {
		write_faces(mixed);
		size_t n, m;
		ck_assert_int_eq(child_run(draw_faces, (void *)formats[k]).status, 0);
		char *a = slurp(png, &n);
		ck_assert_int_eq(child_run(draw_faces, (void *)formats[k]).status, 0);
		char *b = slurp(png, &m);
		ck_assert(n == m && !memcmp(a, b, n) && n > 500);
		ck_assert(!memcmp(a, begin[k], 4));
		ck_assert(k != 2 || memmem(a, n, "/CreationDate (20000101000000", 29));
		free(a);
		free(b);
	}
}
END_TEST

START_TEST(format_by_suffix)
{
	static const struct {
		const char *path, *format;
		int want;
	} t[] = {{NULL, NULL, PICT_PNG}, {"-", NULL, PICT_PNG}, {"a.svg", NULL, PICT_SVG}, {"b.c/a.pdf", NULL, PICT_PDF},
		{"a.png", NULL, PICT_PNG}, {"/dev/full", NULL, PICT_PNG}, {"a.b/c", NULL, PICT_PNG}, {"a.png", "svg", PICT_SVG},
		{NULL, "pdf", PICT_PDF}, {".svg", NULL, PICT_PNG}};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		ck_assert_msg(pict_format(&(struct pict_output){t[i].path, t[i].format}) == t[i].want, "%s", t[i].path);
}
END_TEST

/* ---- streams of other shapes ---- */

struct column {
	const char *name;
	int dtype, ndim;
	uint64_t dim[4];
};

/* A stream of n rows of zeros. */
static void zeros(const struct column *c, uint64_t n, const char *points)
{
	static const unsigned char row[1 << 16];
	struct tns_writer *w = tns_create(in);
	if (points)
		tns_put_meta(w, "points", points);
	for (int i = 0; c[i].name; i++)
		tns_define(w, c[i].name, c[i].dtype, c[i].ndim, (uint64_t[]){TNS_UNLIMITED, c[i].dim[0], c[i].dim[1], c[i].dim[2]});
	for (int i = 0; c[i].name && n; i++)
		tns_write(w, i, row, n);
	tns_close(w);
}

static void draw_named(void *arg)
{
	struct pict_faces f = {.to = {png, NULL}, .count = 9, .first = 1, .names = *(int *)arg};
	pict_faces(in, &f);
	_exit(0);
}

#define IMAGE                                                                                                                              \
	{                                                                                                                                  \
		"image", TNS_U8, 3,                                                                                                        \
		{                                                                                                                          \
			4, 6                                                                                                               \
		}                                                                                                                          \
	}

START_TEST(faces_of_wrong_shape_are_refused)
{
	static const struct {
		struct column c[4];
		int names;
		const char *says;
	} bad[] = {{{IMAGE, {"keypoints", TNS_F32, 3, {2, 3}}}, 0, "keypoints: 3 numbers a point, where x and y are needed"},
		{{IMAGE, {"keypoints", TNS_F32, 3, {2, 2}}, {"predicted", TNS_F32, 3, {3, 2}}}, 0, "2 points in keypoints, 3 in predicted"},
		{{IMAGE, {"predicted", TNS_F32, 3, {2, 2}}, {"steps", TNS_F32, 4, {1, 3, 2}}}, 0,
			"steps are not of the 2 points of predicted"},
		{{IMAGE, {"predicted", TNS_F32, 3, {2, 2}}, {"steps", TNS_F32, 4, {1, 2, 3}}}, 0,
			"steps are not of the 2 points of predicted"},
		{{IMAGE}, 1, "no keypoints and no predicted: --names needs points"},
		{{IMAGE, {"keypoints", TNS_F32, 3, {1001, 2}}}, 1, "1001 points are too many for --names: at most 1000"}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		zeros(bad[i].c, 1, "a,b");
		struct child c = child_run(draw_named, (void *)(uintptr_t)&bad[i].names);
		ck_assert_msg(c.status == 1 && strstr(c.err, bad[i].says) && access(png, F_OK), "%s: %d, %s", bad[i].says, c.status, c.err);
	}
}
END_TEST

START_TEST(tiles_of_other_tensors_are_refused)
{
	struct column c[] = {{"other", TNS_F32, 3, {4, 6}}, {0}};
	zeros(c, 1, NULL);
	struct child got = child_run(draw_tiles, NULL);
	ck_assert(got.status == 1 && strstr(got.err, "neither 'image' nor '0.weight': name a tensor with --tensor"));
	struct pict_tiles t = {.count = 9, .first = 1, .tensor = "other"};
	ck_assert_int_eq(child_run(draw_tiles, &t).status, 0);
	unlink(png);
	c[0].ndim = 1;
	zeros(c, 1, NULL);
	got = child_run(draw_tiles, &t);
	ck_assert(got.status == 1 && strstr(got.err, "other has 1 dimensions: tiles need 2 to 4"));
	struct column pair[] = {IMAGE, {"reconstruction", TNS_U8, 3, {4, 6}}, {0}};
	zeros(pair, 0, NULL);
	got = child_run(draw_pairs, NULL);
	ck_assert(got.status == 1 && strstr(got.err, "nothing to draw: 0 rows"));
	ck_assert(access(png, F_OK));
}
END_TEST

/* ---- logs of others ---- */

/* The bytes of the chart of a log, or of two of the same text in folders a and b. */
static char *chart(const char *text, char *names, int two, size_t *n)
{
	char *a = xprintf("%s/a/log.tsv", dir), *b = xprintf("%s/b/log.tsv", dir), *logs[] = {two ? a : in, two ? b : NULL, NULL};
	for (int k = 0; k < 1 + 2 * two; k++) {
		FILE *f = fopen(k ? k == 1 ? a : b : in, "w");
		ck_assert(f && fputs(text, f) >= 0 && !fclose(f));
	}
	pict_curves(logs, 1 + two, &(struct pict_curves){.to = {png, NULL}, .size = {600, 400}, .names = names});
	free(a), free(b);
	return slurp(png, n);
}

/* Without columns train_ and valid_ all numbers are drawn but times and speeds; logs of one name are told by their folders. */
START_TEST(logs_of_others)
{
	static const char *const text[] = {"step\taccuracy\n1\t0.5\n2\t0.75\n",
		"step\ttime\taccuracy\trate\twall_s\tseconds\trows_per_s\tnote\n1\t7\t0.5\t1\t2\t3\t4\tx\n2\t8\t0.75\t5\t6\t7\t8\ty\n",
		"step\ttime\taccuracy\tratio\n1\t7\t0.5\t3\n2\t8\t0.75\t4\n"};
	size_t n[3];
	char *drawn[3];
	for (int i = 0; i < 3; i++)
		drawn[i] = chart(text[i], NULL, 0, &n[i]);
	ck_assert(n[0] == n[1] && !memcmp(drawn[0], drawn[1], n[0]));
	ck_assert(n[0] != n[2] || memcmp(drawn[0], drawn[2], n[0]));
	char *a = xprintf("%s/a", dir), *b = xprintf("%s/b", dir), *names = xprintf("%s/log,%s/log", a, b);
	ck_assert(!mkdir(a, 0777) && !mkdir(b, 0777));
	char *by_folder = chart(text[0], NULL, 1, &n[0]), *named = chart(text[0], names, 1, &n[1]);
	ck_assert(n[0] == n[1] && !memcmp(by_folder, named, n[0]));
	for (int i = 0; i < 3; i++)
		free(drawn[i]);
	free(a), free(b), free(names), free(by_folder), free(named);
}
END_TEST

static void many_logs(void *arg)
{
	static char *logs[502];
	for (int i = 0; i < 501; i++)
		logs[i] = in;
	pict_curves(logs, *(int *)arg, &(struct pict_curves){.to = {png, NULL}, .size = {600, 400}});
	_exit(0);
}

START_TEST(logs_are_no_more_than_500)
{
	put("epoch\ttrain_loss\n1\t2\n", 21);
	struct child c = child_run(many_logs, &(int){501});
	ck_assert(c.status == 2 && strstr(c.err, "more than 500 logs"));
	ck_assert_int_eq(child_run(many_logs, &(int){500}).status, 0);
	char wide[8000] = "epoch";
	for (int i = 0; i < 1000; i++)
		sprintf(wide + strlen(wide), "\tx%d", i);
	strcat(wide, "\n1\n");
	put(wide, strlen(wide));
	c = child_run(draw_curves, NULL);
	ck_assert(c.status == 1 && strstr(c.err, "line 1: more than 1000 columns"));
}
END_TEST

/* ---- text and sizes ---- */

/* Names in streams may hold any bytes: what is no UTF-8, control characters and noncharacters are drawn as a ? a byte. */
START_TEST(text_of_any_bytes)
{
	static const char *const same[][2] = {{"a\x07\x1F\x7F", "a???"}, {"\x80", "?"}, {"\xC3", "?"}, {"\xC3|", "?|"}, {"\xC1\xBF", "??"},
		{"\xE0\x9F\xBF", "???"}, {"\xE2\x82", "??"}, {"\xED\xA0\x80", "???"}, {"\xF0\x8F\xBF\xBF", "????"},
		{"\xF4\x90\x80\x80", "????"}, {"\xF5\x80\x80\x80", "????"}, {"\xEF\xBF\xBE", "???"}, {"\xEF\xB7\x90", "???"},
		{"\xEF\xB7\xAF", "???"}, {"\xF4\x8F\xBF\xBF", "????"}},
				 *const other[][2] = {{"\xC3\xA9", "??"}, {"\xE0\xA0\x80", "???"}, {"\xED\x9F\xBF", "???"},
					 {"\xF0\x90\x80\x80", "????"}, {"\xEF\xB7\x8F", "???"}, {"\xEF\xB7\xB0", "???"},
					 {"\xEF\xBF\xBD", "???"}, {"\xF4\x8F\xBF\xBD", "????"}};
	size_t n[2];
	for (size_t i = 0; i < sizeof same / sizeof *same + sizeof other / sizeof *other; i++) {
		const char *const *pair = i < sizeof same / sizeof *same ? same[i] : other[i - sizeof same / sizeof *same];
		char *drawn[2];
		for (int k = 0; k < 2; k++) {
			struct pict *p = pict_new(PICT_PNG, 100, 20);
			pict_text(p, 5, 15, 12, PICT_LEFT, 0, PICT_INK, pair[k]);
			pict_finish(p, out_open(png, 0));
			drawn[k] = slurp(png, &n[k]);
		}
		int equal = n[0] == n[1] && !memcmp(drawn[0], drawn[1], n[0]);
		ck_assert_msg(equal == (i < sizeof same / sizeof *same), "pair %zu", i);
		free(drawn[0]), free(drawn[1]);
	}
}
END_TEST

static void too_large(void *arg)
{
	static const double sizes[][2] = {{32001, 10}, {10, 32001}, {20001, 20001}};
	int i = *(int *)arg;
	struct pict *p = pict_new(PICT_PNG, i < 3 ? sizes[i][0] : 10, i < 3 ? sizes[i][1] : 10);
	pict_image(p, 0, 0, 1, i == 3 ? 32001 : 1, i == 4 ? 32001 : 1, (const uint32_t[32001]){0}, 0);
}

START_TEST(pictures_that_are_too_large)
{
	static const char *const says[] = {"the picture would be 32001x10 pixels: draw fewer (--count) or smaller (--zoom)\n",
		"the picture would be 10x32001 pixels: ", "the picture would be 20001x20001 pixels: ",
		"images of 32001x1 can't be drawn: a side is over 32000\n", "images of 1x32001 can't be drawn: a side is over 32000\n"};
	for (int i = 0; i < 5; i++) {
		struct child c = child_run(too_large, &i);
		ck_assert_msg(c.status == 1 && strstr(c.err, says[i]), "%s: %d, %s", says[i], c.status, c.err);
	}
}
END_TEST

/* ---- curves ---- */

START_TEST(mean_and_band)
{
	char paths[3][100], *logs[4] = {paths[0], paths[1], paths[2], NULL};
	for (int i = 0; i < 3; i++) {
		snprintf(paths[i], sizeof paths[i], "%s/%c.tsv", dir, "aab"[i]);
		if (i == 1)
			snprintf(paths[i], sizeof paths[i], "%s/c.tsv", dir);
		FILE *f = fopen(paths[i], "w");
		ck_assert(f != NULL);
		/* levels 2, 4 and 10 */
		fprintf(f, "epoch\tvalid_error\n0\t%d\n10\t%d\n20\t%d\n", "\2\4\12"[i], "\2\4\12"[i], "\2\4\12"[i]);
		fclose(f);
	}
	struct pict_curves c = {.to = {png, NULL}, .size = {600, 400}, .names = "x,x,y", .mean = 1, .title = "\xFF title"};
	pict_curves(logs, 3, &c);
	struct picture s = read_picture();
	int lines = 0, band = 0, x = s.w / 2;
	for (int y = 80; y < s.h - 62; y++) {
		uint32_t v = pixel(&s, x, y);
		lines += v == pict_colour(0) >> 8 || v == pict_colour(1) >> 8;
		band += v != 0xFFFFFF && v != PICT_GRID >> 8 && (v & 255) > (v >> 16) && v >> 16 > 150;
	}
	ck_assert_msg(lines >= 3 && lines <= 5, "%d pixels of lines", lines);
	ck_assert_msg(band > 20 && band < 90, "%d pixels of band", band);
	cairo_surface_destroy(s.s);
}
END_TEST

/* Number of pixels of a curve's colour from row y0 to y1. */
static int count_colour(const struct picture *s, int y0, int y1, uint32_t colour)
{
	int n = 0;
	for (int y = y0; y < y1; y++)
		for (int x = 0; x < s->w; x++)
			n += pixel(s, x, y) == colour >> 8;
	return n;
}

/* By the shorter side, an 85th of it, from 1.3 to 4 pixels. */
START_TEST(radius_of_points)
{
	ck_assert_double_eq(pict_points_radius(850, 170), 2);
	ck_assert_double_eq(pict_points_radius(170, 850), 2);
	ck_assert_double_eq(pict_points_radius(85, 1000), 1.3);
	ck_assert_double_eq(pict_points_radius(400, 1000), 4);
}
END_TEST

/* A path is broken where a coordinate is not finite; what is one point between two breaks is a dot, of 1.2 times the line's width. */
START_TEST(paths_are_broken)
{
	const double x[] = {10, 30, 40, 60, NAN, 80, 80}, y[] = {20, 20, NAN, 20, 20, 20, 30};
	struct pict_output to = {png, NULL};
	struct out *o = pict_open(&to);
	struct pict *p = pict_new(PICT_PNG, 100, 40);
	pict_path(p, x, y, 7, 5, 0x000000FF, 0);
	pict_finish(p, o);
	struct picture s = read_picture();
	for (int i = 0; i < s.w; i++) /* the line of 5 pixels from 10 to 30, a dot of radius 6 at 60, a line down at 80 */
		if (i > 55 && i < 65)
			ck_assert_msg(pixel(&s, i, 20) == 0, "no dot at %d", i);
		else if (i < 6 || (i > 33 && i < 53) || (i > 67 && i < 76) || i > 84)
			ck_assert_msg(pixel(&s, i, 20) == 0xFFFFFF, "ink at %d", i);
		else if ((i > 10 && i < 29) || i == 79)
			ck_assert_msg(pixel(&s, i, i == 79 ? 25 : 20) == 0, "no line at %d", i);
	ck_assert(pixel(&s, 60, 15) == 0 && pixel(&s, 60, 24) == 0 && pixel(&s, 60, 12) == 0xFFFFFF && pixel(&s, 60, 27) == 0xFFFFFF);
	cairo_surface_destroy(s.s);
}
END_TEST

START_TEST(a_panel_for_each_quantity)
{
	static const char text[] = "epoch\ttrain_loss\tvalid_rmse_px\n1\t0.002\t9\n2\t0.001\t3\n";
	put(text, sizeof text - 1);
	char *logs[] = {in, NULL};
	for (int one = 0; one < 2; one++) {
		struct pict_curves c = {.to = {png, NULL}, .size = {600, 400}, .ylabel = one ? "both" : NULL};
		pict_curves(logs, 1, &c);
		struct picture s = read_picture();
		int loss_up = count_colour(&s, 40, 180, pict_colour(0)), loss_down = count_colour(&s, 180, 400, pict_colour(0));
		int rmse_up = count_colour(&s, 40, 180, pict_colour(1));
		ck_assert_msg(one ? !loss_up && loss_down > 200 && rmse_up > 50 : loss_up > 200 && !loss_down && !rmse_up, "%d: %d %d %d",
			one, loss_up, loss_down, rmse_up);
		cairo_surface_destroy(s.s);
	}
}
END_TEST

static void many_names(void *arg)
{
	char *logs[] = {in, NULL};
	pict_curves(logs, 1, &(struct pict_curves){.to = {png, NULL}, .size = {600, 400}, .names = arg});
	_exit(0);
}

START_TEST(names_are_as_many_as_logs)
{
	put("epoch\ttrain_loss\n1\t2\n", 21);
	ck_assert_int_eq(child_run(many_names, "a").status, 0);
	ck_assert_int_eq(child_run(many_names, "a,b").status, 2);
	ck_assert_int_eq(child_run(many_names, "").status, 2);
	ck_assert_int_eq(child_run(many_names, "a,").status, 2);
	struct child c = child_run(draw_curves, "valid_loss");
	ck_assert(c.status == 1 && strstr(c.err, "no column 'valid_loss' to draw"));
}
END_TEST

/* ---- films ---- */

/* Rows of greys w x h: row r has greys from image + r * w * h on; truth and predicted (rows, k, 2), NULL: none. */
static void write_film(
	const unsigned char *image, uint64_t w, uint64_t h, uint64_t rows, const float *truth, const float *predicted, uint64_t k)
{
	struct tns_writer *t = tns_create(in);
	int id = tns_define(t, "image", TNS_U8, 3, (uint64_t[]){TNS_UNLIMITED, h, w}), a = 0, b = 0;
	if (truth)
		a = tns_define(t, "keypoints", TNS_F32, 3, (uint64_t[]){TNS_UNLIMITED, k, 2});
	if (predicted)
		b = tns_define(t, "predicted", TNS_F32, 3, (uint64_t[]){TNS_UNLIMITED, k, 2});
	tns_write(t, id, image, rows);
	if (truth)
		tns_write(t, a, truth, rows);
	if (predicted)
		tns_write(t, b, predicted, rows);
	tns_close(t);
}

/* Pixels of frame i of a film that must have so many of W x H; the caller frees *file. */
static const unsigned char *read_frame(char **file, int i, int frames, int W, int H)
{
	char head[40], film[110];
	size_t n, length = (size_t)snprintf(head, sizeof head, "P6\n%d %d\n255\n", W, H), bytes = length + 3 * (size_t)W * (size_t)H;
	snprintf(film, sizeof film, "%s/film.ppm", dir);
	*file = slurp(film, &n);
	ck_assert_msg(n == frames * bytes, "%zu bytes, not %d frames of %zu", n, frames, bytes);
	for (int k = 0; k < frames; k++)
		ck_assert_msg(!memcmp(*file + k * bytes, head, length), "frame %d begins '%.12s'", k, *file + k * bytes);
	return (const unsigned char *)*file + i * bytes + length;
}

static void draw_film(void *arg)
{
	char film[110];
	snprintf(film, sizeof film, "%s/film.ppm", dir);
	pict_video(in, &(struct pict_video){film, *(double *)arg});
	_exit(0);
}

static void film(double zoom)
{
	struct child c = child_run(draw_film, &zoom);
	ck_assert_msg(!c.status && !c.signal, "exit %d: %s", c.status, c.err);
}

static uint32_t rgb_at(const unsigned char *rgb, int W, int x, int y)
{
	rgb += 3 * (y * W + x);
	return (uint32_t)(rgb[0] << 16 | rgb[1] << 8 | rgb[2]);
}

START_TEST(frames_are_the_images)
{
	unsigned char image[3 * 5 * 4];
	for (int i = 0; i < 60; i++)
		image[i] = (unsigned char)(i * 83);
	write_film(image, 5, 4, 3, NULL, NULL, 0);
	film(1);
	char *file;
	for (int r = 0; r < 3; r++, free(file)) {
		const unsigned char *rgb = read_frame(&file, r, 3, 5, 4);
		for (int i = 0; i < 60; i++)
			ck_assert_int_eq(rgb[i], image[20 * r + i / 3]);
	}
	/* between two pixels' centres greys are linear, beyond them they stay */
	write_film((unsigned char[]){0, 200}, 2, 1, 1, NULL, NULL, 0);
	film(4);
	const unsigned char want[8] = {0, 0, 25, 75, 125, 175, 200, 200}, *rgb = read_frame(&file, 0, 1, 8, 4);
	for (int i = 0; i < 96; i++)
		ck_assert_int_eq(rgb[i], want[i / 3 % 8]);
	free(file);
	/* and smaller, rounded, at least a pixel */
	film(0.3);
	read_frame(&file, 0, 1, 1, 1);
	free(file);
}
END_TEST

START_TEST(frames_have_a_good_size)
{
	static const int sizes[][4] = {{96, 96, 384, 384}, {25, 19, 400, 304}, {640, 480, 640, 480}, {401, 300, 802, 600}};
	unsigned char *image = xcalloc(640, 480);
	for (int i = 0; i < 4; i++) {
		char *file;
		write_film(image, (uint64_t)sizes[i][0], (uint64_t)sizes[i][1], 1, NULL, NULL, 0);
		film(0);
		read_frame(&file, 0, 1, sizes[i][2], sizes[i][3]);
		free(file);
	}
	free(image);
}
END_TEST

START_TEST(frames_have_marks_in_place)
{
	enum { N = 40, Z = 10, W = N * Z, GREY = 100 };
	unsigned char image[2 * N * N];
	memset(image, GREY, sizeof image);
	/* a label; a prediction; both; both, far away and no numbers. The second row has none that shows. */
	const float truth[16] = {30, 20, NAN, NAN, 5, 5, 1e9f, 3, NAN, NAN, NAN, NAN, -200, 3, NAN, 3},
		    predicted[16] = {NAN, NAN, 12, 20, 15, 5, 3, INFINITY, NAN, 4, 4, NAN, NAN, NAN, 3, -1e30f};
	write_film(image, N, N, 2, truth, predicted, 4);
	film(Z);
	char *file;
	const unsigned char *rgb = read_frame(&file, 0, 2, W, W);
	/* pixel x of an image has its centre between pixels 10 x + 4 and 10 x + 5 of the frame */
	double sum = 0, sx = 0, sy = 0;
	for (int y = 150; y < 260; y++)
		for (int x = 250; x < 360; x++) {
			double d = hypot(x - 304.5, y - 204.5), weight = rgb_at(rgb, W, x, y) != GREY * 0x10101;
			sum += weight, sx += weight * x, sy += weight * y;
			if (d < 3.5)
				ck_assert_uint_eq(rgb_at(rgb, W, x, y), PICT_TRUTH >> 8);
			if (d > 5.4)
				ck_assert_uint_eq(rgb_at(rgb, W, x, y), GREY * 0x10101);
		}
	ck_assert_msg(fabs(sx / sum - 304.5) < 1e-9 && fabs(sy / sum - 204.5) < 1e-9, "label at %g,%g", sx / sum, sy / sum);
	ck_assert_double_gt(sum, M_PI * 4 * 4);
	/* a cross: its middle and its four arms, nothing beside them */
	for (int i = -3; i <= 3; i++) {
		ck_assert_uint_eq(rgb_at(rgb, W, 124 + i, 204 + i), PICT_PREDICTED >> 8);
		ck_assert_uint_eq(rgb_at(rgb, W, 125 + i, 204 - i), PICT_PREDICTED >> 8);
	}
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(rgb_at(rgb, W, (int[]){129, 120, 124, 124}[i], (int[]){204, 204, 209, 200}[i]), GREY * 0x10101);
	/* a white line from a label to its prediction: 0.6 of a pixel's width on either side of its middle, which is between two pixels */
	const uint32_t pale = (uint32_t)lrint(GREY + 0.6 * (PICT_OFF & 255) / 255 * (255 - GREY)) * 0x10101;
	ck_assert_uint_eq(rgb_at(rgb, W, 104, 54), pale);
	ck_assert_uint_eq(rgb_at(rgb, W, 104, 55), pale);
	ck_assert_uint_eq(rgb_at(rgb, W, 104, 53), GREY * 0x10101);
	ck_assert_uint_eq(rgb_at(rgb, W, 104, 56), GREY * 0x10101);
	free(file);
	rgb = read_frame(&file, 1, 2, W, W);
	for (int i = 0; i < 3 * W * W; i++)
		ck_assert_int_eq(rgb[i], GREY);
	free(file);
}
END_TEST

START_TEST(films_of_nothing_are_refused)
{
	double zoom = 1;
	write_film(NULL, 3, 3, 0, NULL, NULL, 0);
	struct child c = child_run(draw_film, &zoom);
	ck_assert_msg(c.status == 1 && strstr(c.err, "nothing to draw: 0 rows"), "exit %d: %s", c.status, c.err);
	unsigned char *image = xcalloc(20000, 1);
	write_film(image, 20000, 1, 1, NULL, NULL, 0);
	c = child_run(draw_film, &zoom);
	ck_assert_msg(c.status == 1 && strstr(c.err, "images of 20000x1 are too large for frames"), "exit %d: %s", c.status, c.err);
	write_film(image, 200, 1, 1, NULL, NULL, 0);
	zoom = 100;
	c = child_run(draw_film, &zoom);
	ck_assert_msg(c.status == 1 && strstr(c.err, "frames of 20000x100 are too large"), "exit %d: %s", c.status, c.err);
	free(image);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pict");
	TCase *t = tcase_create("pict");
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, enter, leave);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, greys_do_not_wrap);
	tcase_add_test(t, own_range_fills_black_to_white);
	tcase_add_test(t, constant_is_mid_grey);
	tcase_add_test(t, columns_and_zoom);
	tcase_add_test(t, axes_hold_their_values);
	tcase_add_test(t, nice_ticks);
	tcase_add_test(t, log_is_read);
	tcase_add_loop_test(t, malformed_log_is_refused, 0, sizeof bad_logs / sizeof *bad_logs);
	tcase_add_test(t, zero_byte_and_long_line_are_refused);
	tcase_add_test(t, tiles_show_their_weights);
	tcase_add_test(t, tiles_of_several_stand_side_by_side);
	tcase_add_test(t, tiles_of_wrong_shape_are_refused);
	tcase_add_test(t, pairs_keep_the_scale);
	tcase_add_test(t, error_of_a_face);
	tcase_add_test(t, worst_come_first);
	tcase_add_test(t, memory_is_constant);
	tcase_add_test(t, points_are_drawn_in_place);
	tcase_add_test(t, points_of_each_face);
	tcase_add_test(t, steps_of_three_levels);
	tcase_add_test(t, captions_tell_ids);
	tcase_add_test(t, names_stand_by_their_points);
	tcase_add_loop_test(t, heat_lies_over_its_cells, 0, 5);
	tcase_add_test(t, bad_scale_of_maps_is_refused);
	tcase_add_test(t, worst_of_nothing_is_refused);
	tcase_add_test(t, broken_streams_leave_no_picture);
	tcase_add_test(t, equal_bytes_and_no_clock);
	tcase_add_test(t, format_by_suffix);
	tcase_add_test(t, faces_of_wrong_shape_are_refused);
	tcase_add_test(t, tiles_of_other_tensors_are_refused);
	tcase_add_test(t, logs_of_others);
	tcase_add_test(t, logs_are_no_more_than_500);
	tcase_add_test(t, text_of_any_bytes);
	tcase_add_test(t, pictures_that_are_too_large);
	tcase_add_test(t, mean_and_band);
	tcase_add_test(t, radius_of_points);
	tcase_add_test(t, paths_are_broken);
	tcase_add_test(t, a_panel_for_each_quantity);
	tcase_add_test(t, names_are_as_many_as_logs);
	tcase_add_test(t, frames_are_the_images);
	tcase_add_test(t, frames_have_a_good_size);
	tcase_add_test(t, frames_have_marks_in_place);
	tcase_add_test(t, films_of_nothing_are_refused);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
