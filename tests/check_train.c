/* Training: parsing of --augment and --schedule, the order of rows, augmentation of pixels and points together, masked labels, the best
 * weights. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/augment.h"
#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/shuffle.h"
#include "lib/stream/dataset_stream.h"
#include "lib/train/train.h"
#include "tests/backend_of_test.h"
#include "tests/child.h"

static struct backend *be; /* opened in each test: threads do not survive fork */

static void set_up(void)
{
	be = backend_here();
}

static void tear_down(void)
{
	be->close(be);
}

static float unit(uint32_t what, uint32_t i)
{
	return philox_uniform(philox(9, PHILOX_TEST, what, i, 0).v[0]);
}

/* ---- options */

START_TEST(augment_words)
{
	struct augment a = {0}, zero = {0};
	spec_augment("", &a);
	ck_assert(!memcmp(&a, &zero, sizeof a));
	spec_augment("default", &a);
	ck_assert(a.flip == FLIP_HALF && a.shift == 4 && a.rotate == 10 && a.scale == 0.1f && a.contrast == 0.2f && a.brightness == 0.1f &&
		  a.noise == 0.02f);
	a = zero;
	spec_augment("noise=0.5,scale=1,rotate=180", &a);
	ck_assert(!a.flip && a.shift == 0 && a.rotate == 180 && a.scale == 1 && a.noise == 0.5f && a.contrast == 0 && a.brightness == 0);
	a = zero;
	spec_augment("flip", &a);
	ck_assert(a.flip == FLIP_HALF && a.shift == 0);
	spec_augment("shift=2,flip=alternate,scale=0.5", &a);
	ck_assert(a.flip == FLIP_ALTERNATE && a.shift == 2 && a.scale == 0.5f);
	a = zero;
	spec_augment("shift=0,contrast=2,brightness=1e-1", &a);
	ck_assert(a.shift == 0 && a.contrast == 2 && a.brightness == 0.1f);
	a = zero;
	spec_augment("default,rotate=3,motion=7,squared", &a);
	ck_assert(a.flip && a.shift == 4 && a.rotate == 3 && a.motion == 7 && a.squared && a.noise == 0.02f && a.last == 0);
	char *text = spec_augment_text("robust,late=0.5");
	a = zero;
	spec_augment(text, &a);
	free(text);
	ck_assert(a.flip && a.squared && a.rotate > 45 && a.noise * 255 > 15 && a.motion > 5 && a.late == 0.5f && a.last == 0.1f);
}
END_TEST

/* In the last epochs all amounts are a part of what they are, flips as before. */
START_TEST(augment_late)
{
	struct augment a = {0}, b;
	spec_augment(
		"flip,squared,shift=4,rotate=8,scale=0.4,contrast=0.8,brightness=0.2,noise=0.1,blur=2,motion=6,cutout=0.5,late=0.25", &a);
	for (int e = 1; e <= 40; e++) {
		float part = e > 36 ? 0.25f : 1;
		b = spec_augment_at(&a, e, 40);
		ck_assert(b.flip && b.squared && b.shift == 4 * part && b.rotate == 8 * part && b.scale == 0.4f * part &&
			  b.contrast == 0.8f * part);
		ck_assert(b.brightness == 0.2f * part && b.noise == 0.1f * part && b.blur == 2 * part && b.motion == 6 * part &&
			  b.cutout == 0.5f * part);
	}
	memset(&a, 0, sizeof a);
	spec_augment("rotate=8,late=0,last=0.5", &a);
	ck_assert(spec_augment_at(&a, 2, 4).rotate == 8 && spec_augment_at(&a, 3, 4).rotate == 0);
	spec_augment("late=0,last=0", &a);
	ck_assert(spec_augment_at(&a, 4, 4).rotate == 8);
}
END_TEST

static void parse_augment(void *arg)
{
	struct augment a = {0};
	spec_augment(arg, &a);
}

START_TEST(augment_refused)
{
	static const char *const bad[][2] = {{"squared,flip", "--augment: 'squared,flip' says how amounts are drawn, and gives none"},
		{"late=0.5,shift=0", "--augment: 'late=0.5,shift=0' says how"},
		{"flop", "--augment: 'flop' is not known (did you mean flip?)"}, {"flip,default", "--augment: 'default' comes first"},
		{"zoom=1", "--augment: 'zoom=1' is not known (there are flip, squared, shift, "},
		{"robust,default", "--augment: 'default' comes first"},
		{"robusts", "--augment: 'robusts' is not known (did you mean robust?)"},
		{"motion=31", "--augment: 'motion=31' needs a number from 0 to 30"},
		{"shift=4,last=0.3", "--augment: 'shift=4,last=0.3' has last=F"},
		{"late=1.1", "--augment: 'late=1.1' needs a number from 0 to 1"},
		{"shift", "--augment: 'shift' needs a number from 0 to 64"}, {"shift=", "--augment: 'shift=' needs a number from 0 to 64"},
		{"flip,shift=65", "--augment: 'shift=65' needs a number from 0 to 64"},
		{"rotate=-1", "--augment: 'rotate=-1' needs a number from 0 to 180"},
		{"scale=nan", "--augment: 'scale=nan' needs a number from 0 to 1"},
		{"noise=0.1x", "--augment: 'noise=0.1x' needs a number from 0 to 1"},
		{"contrast=2.1", "--augment: 'contrast=2.1' needs a number from 0 to 2"},
		{"flip=1", "--augment: 'flip=1' is not known: write flip or flip=alternate"},
		{"flip=alternated", "--augment: 'flip=alternated' is not known: write flip or flip=alternate"},
		{"=3", "--augment: '=3' is not known"}, {"shif=3", "--augment: 'shif=3' is not known (did you mean shift?)"},
		{"shifts=3", "--augment: 'shifts=3' is not known"}, {" flip", "--augment: ' flip' is not known"},
		{"brightness=inf", "--augment: 'brightness=inf' needs a number from 0 to 1"}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct child c = child_run(parse_augment, (void *)bad[i][0]);
		ck_assert_msg(c.status == 2 && strstr(c.err, bad[i][1]), "'%s': %d, %s", bad[i][0], c.status, c.err);
	}
}
END_TEST

START_TEST(schedules)
{
	ck_assert(spec_schedule("constant") == SCHEDULE_CONSTANT && spec_schedule("linear") == SCHEDULE_LINEAR);
	ck_assert(spec_schedule("cosine") == SCHEDULE_COSINE && spec_schedule("step") == SCHEDULE_STEP && spec_schedule("steps") == -1);
	for (int e = 1; e <= 8; e++) {
		ck_assert_double_eq(spec_schedule_factor(SCHEDULE_CONSTANT, e, 8), 1);
		ck_assert_double_eq_tol(spec_schedule_factor(SCHEDULE_LINEAR, e, 8), (9 - e) / 8.0, 1e-12);
		ck_assert_double_eq(spec_schedule_factor(SCHEDULE_STEP, e, 8), e <= 4 ? 1 : e <= 6 ? 0.1 : 0.01);
	}
	for (int e = 1; e <= 100; e++)
		ck_assert_double_eq(spec_schedule_factor(SCHEDULE_STEP, e, 100), e <= 50 ? 1 : e <= 75 ? 0.1 : 0.01);
	for (int e = 1; e <= 5; e++) /* 8, 4, 2, 1, 1/2 */
		ck_assert_double_eq_tol(spec_length(8, 0.5, e, 5), 16.0 / (1 << e), 1e-12);
	ck_assert(spec_length(8, 2, 9, 7) == 2 && spec_length(3, 0, 7, 9) == 3 && spec_length(3, 1, 1, 1) == 3);
	ck_assert_double_eq_tol(spec_schedule_factor(SCHEDULE_COSINE, 1, 10), 1, 1e-12);
	ck_assert_double_eq_tol(spec_schedule_factor(SCHEDULE_COSINE, 6, 10), 0.5, 1e-12);
	ck_assert(spec_schedule_factor(SCHEDULE_COSINE, 10, 10) > 0 && spec_schedule_factor(SCHEDULE_COSINE, 10, 10) < 0.03);
	for (int s = SCHEDULE_CONSTANT; s <= SCHEDULE_STEP; s++)
		ck_assert_double_eq(spec_schedule_factor((enum schedule)s, 1, 1), 1);
}
END_TEST

START_TEST(order)
{
	static const uint32_t sizes[] = {1, 2, 3, 17, 1000};
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		uint32_t n = sizes[k], rows[1000], other[1000], seen[1000] = {0}, same = 0;
		shuffle(rows, n, 5, 3);
		for (uint32_t i = 0; i < n; i++) {
			ck_assert_uint_lt(rows[i], n);
			ck_assert_msg(!seen[rows[i]]++, "%u twice", rows[i]);
		}
		shuffle(other, n, 5, 3);
		ck_assert(!memcmp(rows, other, n * sizeof *rows));
		for (int what = 0; what < 2; what++) {
			shuffle(other, n, 5 + (uint64_t)what, 4 - (uint32_t)what);
			for (uint32_t i = same = 0; i < n; i++)
				same += rows[i] == other[i];
			ck_assert_msg(n < 17 || same < 10, "%u of %u where they were", same, n);
		}
	}
	/* every position is equally likely: chi-squared of 10 rows over 2,000 epochs, 99 degrees of freedom */
	double count[10][10] = {{0}}, chi = 0;
	for (uint32_t e = 0; e < 2000; e++) {
		uint32_t rows[10];
		shuffle(rows, 10, 1, e);
		for (int i = 0; i < 10; i++)
			count[i][rows[i]]++;
	}
	for (int i = 0; i < 100; i++)
		chi += (count[i / 10][i % 10] - 200) * (count[i / 10][i % 10] - 200) / 200;
	ck_assert_msg(chi > 50 && chi < 150, "chi-square %g", chi);
}
END_TEST

/* ---- augmentation in training */

enum { W = 64, H = 72, N = 60 };

/* Rows with a bright blob at the point left_eye, a dim one at right_eye, and no nose. Rows 7, 14, ... lack the right eye's label. */
static struct dataset *blobs(void)
{
	struct dataset *ds = xcalloc(1, sizeof *ds);
	*ds = (struct dataset){.n = N, .W = W, .H = H, .k = 6, .values = 6, .names = xstrdup("left_eye,right_eye,nose")};
	uint8_t *image = xcalloc(N, W * H);
	ds->images = image_store_memory(image, N, W * H), ds->value = xcalloc(N * 6, sizeof *ds->value);
	for (uint32_t i = 0; i < N; i++) {
		float *v = ds->value + 6 * i;
		v[0] = 46 + 8 * unit(1, i), v[1] = 20 + 20 * unit(2, i), v[2] = 18 + 8 * unit(3, i), v[3] = 20 + 20 * unit(4, i);
		v[4] = v[5] = NAN;
		for (int p = 0; p < W * H; p++) {
			float a = hypotf((float)(p % W) - v[0], (float)(p / W) - v[1]),
			      b = hypotf((float)(p % W) - v[2], (float)(p / W) - v[3]);
			image[i * W * H + (uint32_t)p] = (uint8_t)lrintf(60 + 180 * expf(-a * a / 8) + 80 * expf(-b * b / 8));
		}
		if (i % 7 == 0 && i)
			v[2] = v[3] = NAN;
	}
	return ds;
}

/* Centre of the brightness above the background within 7 pixels of (x, y); returns the largest value there. */
static float centre(const float *image, float x, float y, float *cx, float *cy)
{
	double sum = 0, sx = 0, sy = 0;
	float ground = image[0], largest = 0;
	for (int p = 0; p < W * H; p++)
		if (hypotf((float)(p % W) - x, (float)(p / W) - y) < 7) {
			float v = image[p] - ground;
			sum += (double)v, sx += (double)v * (p % W), sy += (double)v * (p / W);
			largest = v > largest ? v : largest;
		}
	*cx = (float)(sx / sum), *cy = (float)(sy / sum);
	return largest;
}

static const char *const augments[] = {"", "flip", "flip=alternate,shift=1", "shift=6", "rotate=15", "scale=0.15",
	"flip,shift=4,rotate=10,scale=0.1,contrast=0.1,brightness=0.1", "flip,squared,shift=6,rotate=30,scale=0.2,motion=3"};

/* One epoch of one batch, learning rate 0, leaves the augmented batch in t->x and the targets: labels must be at the blobs. */
START_TEST(pixels_and_points)
{
	struct dataset *ds = blobs();
	struct train_options a = {.epochs = 1, .batch = N, .seed = 11, .quiet = 1, .key = ""};
	spec_augment(augments[_i], &a.augment);
	struct model *m = model_new("pool15 fc", TARGET_COORDS, W, H, 6, ds->names);
	struct train *t = train_new(be, m, ds, NULL, &a);
	train_run(t);
	struct augment drawn = a.augment;
	drawn.seed = a.seed, drawn.epoch = 1;
	int flipped = 0, moved = 0;
	for (uint32_t b = 0; b < N; b++) {
		uint32_t i = t->order[b];
		const float *x = t->x + b * W * H;
		struct warp w = augment_draw(&drawn, i, W, H);
		flipped += w.flipped;
		for (int p = 0; p < 2; p++) {
			float lx = (t->s.targets->t[6 * b + 2 * (uint32_t)p] - m->ox) / m->sx,
			      ly = (t->s.targets->t[6 * b + 2 * (uint32_t)p + 1] - m->oy) / m->sy, cx, cy;
			int was = w.flipped ? !p : p; /* the point before mirroring */
			const float *v = ds->value + 6 * i + 2 * was;
			ck_assert_msg(isnan(lx) == isnan(v[0]) && isnan(ly) == isnan(v[1]), "row %u, point %d: a label came or went", i, p);
			if (isnan(lx))
				continue;
			moved += fabsf(lx - v[0]) > 1;
			float largest = centre(x, lx, ly, &cx, &cy);
			ck_assert_msg(hypotf(cx - lx, cy - ly) < 0.15f, "%s: row %u, point %d: label at %g,%g, blob at %g,%g", augments[_i],
				i, p, (double)lx, (double)ly, (double)cx, (double)cy);
			ck_assert_msg((largest > 0.45f) == (was == 0), "%s: row %u: point %d marks the wrong eye (%g)", augments[_i], i, p,
				(double)largest);
			if (w.flipped && _i == 1)
				ck_assert_float_eq_tol(lx, W - 1 - v[0], 1e-4f);
		}
		ck_assert(isnan(t->s.targets->t[6 * b + 4]) && isnan(t->s.targets->t[6 * b + 5]));
	}
	int mirrors = strstr(augments[_i], "flip") != NULL;
	ck_assert_msg(mirrors ? flipped > N / 4 && flipped < 3 * N / 4 : !flipped, "%s: %d of %d mirrored", augments[_i], flipped, N);
	ck_assert_msg((moved > N / 4) == (augments[_i][0] != 0), "%s: %d moved", augments[_i], moved);
	train_free(t);
	model_free(m);
	dataset_free(ds);
}
END_TEST

/* The warp depends on the epoch and repeats within it; its parameters fill their ranges. */
START_TEST(warp_ranges)
{
	struct augment a = {0};
	spec_augment("default", &a);
	a.seed = 3;
	float worst[6] = {0}, largest[3] = {0};
	for (uint32_t i = 0; i < 3000; i++) {
		a.epoch = 1 + i % 5;
		struct warp w = augment_draw(&a, i, W, H), again = augment_draw(&a, i, W, H);
		ck_assert(!memcmp(&w, &again, sizeof w));
		float x, y, det = fabsf(w.m[0] * w.m[4] - w.m[1] * w.m[3]), angle = atan2f(-w.m[3], w.m[4]) * 57.29578f;
		augment_point(&w, 0.5f * (W - 1), 0.5f * (H - 1), &x, &y); /* the centre moves by the shift alone */
		worst[0] = fmaxf(worst[0], fabsf(x - 0.5f * (W - 1))), worst[1] = fmaxf(worst[1], fabsf(y - 0.5f * (H - 1)));
		worst[2] = fmaxf(worst[2], fabsf(angle)), largest[0] = fmaxf(largest[0], fabsf(logf(det)) / 2);
		largest[1] = fmaxf(largest[1], fabsf(logf(w.gain))), largest[2] = fmaxf(largest[2], fabsf(w.bias));
		/* augment_point is the inverse of the warp's matrix, which maps to the source */
		float sx = 3.25f, sy = 40.5f;
		augment_point(&w, sx, sy, &x, &y);
		ck_assert(fabsf(w.m[0] * x + w.m[1] * y + w.m[2] - sx) < 1e-3f && fabsf(w.m[3] * x + w.m[4] * y + w.m[5] - sy) < 1e-3f);
	}
	ck_assert_msg(worst[0] > 3.9f && worst[0] < 4.001f && worst[1] > 3.9f && worst[1] < 4.001f, "shift %g %g", (double)worst[0],
		(double)worst[1]);
	ck_assert_msg(worst[2] > 9.9f && worst[2] < 10.001f, "rotate %g", (double)worst[2]);
	ck_assert_msg(largest[0] > 0.099f && largest[0] < 0.1001f && largest[1] > 0.199f && largest[1] < 0.2001f && largest[2] > 0.099f &&
			      largest[2] < 0.1001f,
		"%g %g %g", (double)largest[0], (double)largest[1], (double)largest[2]);
}
END_TEST

/* Noise has the given standard deviation, is uncorrelated between pixels, rows and epochs, and repeats for equal arguments. */
START_TEST(pixel_noise)
{
	enum { ALL = 4 * W * H };
	static uint8_t grey[ALL];
	float *x[3];
	double sum = 0, square = 0, beside = 0, below = 0, rows = 0, epochs = 0, n = ALL / 4 * 3;
	const uint32_t number[] = {0, 1, 2, 3};
	memset(grey, 128, sizeof grey);
	for (int i = 0; i < 3; i++) {
		struct augment a = {.noise = 0.05f, .seed = 3, .epoch = 1 + (uint32_t)i / 2};
		uint8_t *bytes = be->map_host(be, grey, sizeof grey);
		uint32_t *rows_of = be->map_host(be, number, sizeof number);
		real *device = be->alloc(be, ALL * sizeof *device);
		x[i] = xcalloc(ALL, sizeof *x[i]);
		be->load_batch(be, device, bytes, rows_of, 4, 1, H, W, 1.0f / 255, -128.0f / 255, &a);
		be->download(be, x[i], device, ALL * sizeof *device);
		be->unmap_host(be, bytes), be->unmap_host(be, rows_of), be->release(be, device);
	}
	ck_assert(!memcmp(x[0], x[1], ALL * sizeof(float)));
	for (int i = 0; i < ALL / 4 * 3; i++) {
		double v = (double)x[0][i];
		sum += v, square += v * v, beside += v * (double)x[0][i + 1], below += v * (double)x[0][i + W];
		rows += v * (double)x[0][i + W * H], epochs += v * (double)x[2][i];
	}
	ck_assert_msg(
		fabs(sum / n) < 0.002 && fabs(sqrt(square / n) / 0.05 - 1) < 0.03, "mean %g, deviation %g", sum / n, sqrt(square / n));
	ck_assert_msg(
		fabs(beside / square) < 0.05 && fabs(below / square) < 0.05 && fabs(rows / square) < 0.05 && fabs(epochs / square) < 0.05,
		"correlations %g %g %g %g", beside / square, below / square, rows / square, epochs / square);
	for (int i = 0; i < 3; i++)
		free(x[i]);
}
END_TEST

/* ---- what looks at no image */

START_TEST(baselines)
{
	/* rows beyond n, and labels of what is measured, count for nothing */
	float xy[] = {1, 2, NAN, NAN, 3, 6, NAN, NAN, 1e6f, 1e6f, 1e6f, 1e6f}, other[] = {5, 4, 3, NAN};
	struct dataset train = {.n = 2, .W = 9, .H = 5, .k = 4, .value = xy, .values = 4},
		       ds = {.n = 1, .W = 9, .H = 5, .k = 4, .value = other};
	double *mean = baseline_mean(&train);
	ck_assert(mean[0] == 2 && mean[1] == 4 && mean[2] == 4 && mean[3] == 2); /* the middle, where none is labelled */
	free(mean);
	ck_assert_double_eq_tol(baseline_points(&train, &ds).error, sqrt((9 + 0 + 1) / 3.0), 1e-12);
	ck_assert_double_eq_tol(baseline_points(&train, &train).error, sqrt((1 + 4 + 1 + 4) / 4.0), 1e-12);
	float label[] = {2, 2, 0, 1, 1, 1, 1}, wanted[] = {2, 1};
	struct dataset some = {.n = 3, .k = 1, .value = label, .values = 3}, two = {.n = 2, .k = 1, .value = wanted, .values = 3};
	struct baseline b = baseline_classes(&some, &two);
	ck_assert_double_eq(b.error, 0.5);
	ck_assert_double_eq_tol(b.loss, -(log(3 / 6.0) + log(1 / 6.0)) / 2, 1e-12); /* each class counted once more */
	float yes[] = {1, 0, 1};
	struct dataset binary = {.n = 3, .k = 1, .value = yes, .values = 1};
	b = baseline_classes(&binary, &binary);
	ck_assert_double_eq_tol(b.error, 1 / 3.0, 1e-12);
	ck_assert_double_eq_tol(b.loss, -(2 * log(3 / 5.0) + log(2 / 5.0)) / 3, 1e-12);
	/* rows: means 0.25 and 0 of the training set; with a row of 1/2 1/3 and 1/6 */
	static real two_rows[] = {0.5, 0, 0, 0}, one_row[] = {1, 0.5};
	struct rows rows = {.n = 2, .V = 2, .memory = two_rows}, held_out = {.n = 1, .V = 2, .memory = one_row};
	ck_assert_double_eq_tol(baseline_row(&rows, &rows, 1), (0.0625 + 0.0625) / 2 / 2, 1e-12);
	ck_assert_double_eq_tol(baseline_row(&rows, &held_out, 1), (0.5625 + 0.25) / 2, 1e-12);
	ck_assert_double_eq_tol(baseline_row(&rows, &held_out, 0), -log(1 / 3.0) - log(1 / 6.0) / 2 - log(5 / 6.0) / 2, 1e-12);
}
END_TEST

/* ---- the loop */

/* n rows of 5x4 noise with k values each: coordinates, or classes where classes is above 0. */
static struct dataset *noise(uint32_t n, int k, const char *names, int classes)
{
	struct dataset *ds = xcalloc(1, sizeof *ds);
	*ds = (struct dataset){.n = n, .W = 5, .H = 4, .k = k, .values = classes ? classes == 2 ? 1 : classes : k, .names = xstrdup(names)};
	uint8_t *image = xcalloc(n, 20);
	ds->images = image_store_memory(image, n, 20), ds->value = xcalloc(n * (uint32_t)k, sizeof *ds->value),
	ds->group = xcalloc(n, sizeof *ds->group);
	for (uint32_t i = 0; i < n * 20; i++)
		image[i] = (uint8_t)(256 * unit(5, i));
	for (uint32_t i = 0; i < n * (uint32_t)k; i++)
		ds->value[i] = classes ? (float)(i % (uint32_t)classes) : 4 * unit(6, i);
	return ds;
}

/* Gradient descent on images that are 0, so that only the biases move, by half a rate a step: the loss of labels far off is linear. So the
 * bias tells the sum of the rates, and the log each epoch's last one. */
START_TEST(warmups)
{
	enum { ROWS = 7, STEPS = 3, EPOCHS = 4 }; /* 7 rows in batches of 3: three steps an epoch */
	static const struct {
		double warmup;
		enum schedule schedule;
		double want[EPOCHS * STEPS]; /* twelfths of the rate */
	} runs[] = {{0, SCHEDULE_CONSTANT, {12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12}},
		{2, SCHEDULE_CONSTANT, {2, 4, 6, 8, 10, 12, 12, 12, 12, 12, 12, 12}},
		{0.5, SCHEDULE_CONSTANT, {8, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12}},
		{2, SCHEDULE_LINEAR, {2, 4, 6, 8, 9, 9, 6, 6, 6, 3, 3, 3}},
		{4, SCHEDULE_STEP, {1, 2, 3, 4, 5, 6, 1.2, 1.2, 1.2, 0.12, 0.12, 0.12}}};
	for (size_t k = 0; k < sizeof runs / sizeof *runs; k++) {
		struct dataset *ds = noise(ROWS, 2, "a", 0);
		struct model *m = model_new("fc", TARGET_COORDS, 5, 4, 2, "a");
		char path[] = "/tmp/check_train.XXXXXX", line[200];
		struct train_options a = {.epochs = EPOCHS,
			.batch = 3,
			.learning_rate = 0.12,
			.warmup = runs[k].warmup,
			.schedule = runs[k].schedule,
			.optimizer = OPTIMIZER_SGD,
			.quiet = 1,
			.key = "",
			.log = path,
			.targets = {.loss = LOSS_SMOOTH, .width = 0.001}};
		double sum = 0, rate;
		close(mkstemp(path));
		memset((uint8_t *)dataset_image(ds, 0, NULL), 0, ROWS * 20);
		for (int i = 0; i < 2 * ROWS; i++)
			ds->value[i] = -1000;
		memset(m->param, 0, m->d.nparam * sizeof *m->param);
		struct train *t = train_new(be, m, ds, NULL, &a);
		train_run(t), train_free(t);
		FILE *f = fopen(path, "r");
		ck_assert(f && fgets(line, sizeof line, f));
		for (int i = 0; i < EPOCHS * STEPS; i++) {
			sum += 0.01 * runs[k].want[i];
			if (i % STEPS == STEPS - 1) {
				ck_assert(fgets(line, sizeof line, f) && sscanf(line, "%*d %lf", &rate) == 1);
				ck_assert_double_eq_tol(rate, 0.01 * runs[k].want[i], 1e-7);
			}
		}
		fclose(f), unlink(path);
		for (size_t i = 0; i < 2; i++) /* after the 2 x 20 weights */
			ck_assert_double_eq_tol((double)m->param[m->d.nparam - 1 - i], -sum / 2, 1e-6);
		model_free(m), dataset_free(ds);
	}
}
END_TEST

/* An output without any label keeps its weights; the loss is the mean over the labels present. */
START_TEST(masked)
{
	struct dataset *ds = noise(6, 4, "a,b", 0);
	for (uint32_t i = 0; i < 6; i++)
		ds->value[4 * i + 2] = NAN;
	ds->value[4 * 5 + 0] = NAN;
	struct model *m = model_new("fc", TARGET_COORDS, 5, 4, 4, ds->names);
	struct train_options a = {.epochs = 1,
		.batch = 4,
		.seed = 2,
		.learning_rate = 0.1,
		.momentum = 0.9,
		.optimizer = OPTIMIZER_NESTEROV,
		.quiet = 1,
		.key = ""};
	struct train *t = train_new(be, m, ds, ds, &a);
	net_upload(t->s.net, m->param, NULL);
	double want = 0, px = 0;
	int known = 0;
	for (uint32_t i = 0; i < 24; i++)
		if (!isnan(ds->value[i])) { /* all weights are 0, so every output is: the middle of the image */
			double s = i % 2 ? 2.0 / 4 : 2.0 / 5, c = i % 2 ? 1.5 : 2, d = (double)ds->value[i] - c;
			want += d * d * s * s, px += d * d, known++;
		}
	struct train_score s = train_evaluate(t);
	ck_assert_int_eq(known, 24 - 7);
	ck_assert_double_eq_tol(s.loss, want / known, 1e-6);
	ck_assert_double_eq_tol(s.error, sqrt(px / known), 1e-5);
	train_run(t);
	for (size_t i = 0; i < m->d.nparam; i++) {
		int out = i < 80 ? (int)i / 20 : (int)i - 80;
		ck_assert_msg((m->param[i] != 0) == (out != 2), "parameter %zu of output %d is %g", i, out, (double)m->param[i]);
	}
	train_free(t);
	model_free(m);
	dataset_free(ds);
}
END_TEST

/* Batches without labels of one output, or without any, do not divide by zero. */
START_TEST(no_label_in_a_batch)
{
	struct dataset *ds = noise(5, 4, "a,b", 0);
	for (int k = 0; k < 8; k++)
		ds->value[k] = NAN;
	struct model *m = model_new("fc3 tanh fc", TARGET_COORDS, 5, 4, 4, ds->names);
	struct train_options a = {.epochs = 5,
		.batch = 1,
		.seed = 2,
		.learning_rate = 0.1,
		.momentum = 0.9,
		.optimizer = OPTIMIZER_ADAM,
		.quiet = 1,
		.key = ""};
	netdesc_init_params(&m->d, 1, m->param, m->stat);
	struct train *t = train_new(be, m, ds, NULL, &a);
	train_run(t);
	ck_assert(model_finite(m));
	train_free(t);
	model_free(m);
	dataset_free(ds);
}
END_TEST

static const struct {
	const char *net, *names;
	int k, classes;
	uint32_t n;
	double max_loss, max_error;
	struct train_options a;
} small[] = {
	{"fc20 tanh fc", "a,b", 4, 0, 6, 1e-3, 0.1,
		{.epochs = 500, .batch = 4, .learning_rate = 0.05, .momentum = 0.9, .optimizer = OPTIMIZER_NESTEROV}},
	{"conv3x3x8 relu fc", "a,b", 4, 0, 5, 1e-3, 0.1,
		{.epochs = 300, .batch = 3, .learning_rate = 0.01, .momentum = 0.9, .optimizer = OPTIMIZER_ADAM}},
	{"conv2x2x8p1 bn relu pool2 fc", "a", 2, 0, 6, 2e-3, 0.2,
		{.epochs = 300, .batch = 6, .learning_rate = 0.02, .momentum = 0.9, .optimizer = OPTIMIZER_ADAM}},
	{"fc20 sigmoid fc", "no,yes", 1, 2, 8, 0.1, 0,
		{.epochs = 400, .batch = 8, .learning_rate = 0.5, .momentum = 0.9, .optimizer = OPTIMIZER_SGD}},
	{"fc20 relu dropout0.2 fc", "a,b,c,d", 1, 4, 12, 0.1, 0,
		{.epochs = 300, .batch = 5, .learning_rate = 0.01, .momentum = 0.9, .optimizer = OPTIMIZER_ADAM}},
};

/* Each net, loss and optimizer must overfit a few rows. */
START_TEST(overfits)
{
	struct dataset *ds = noise(small[_i].n, small[_i].k, small[_i].names, small[_i].classes);
	struct model *m = model_new(small[_i].net, small[_i].classes ? TARGET_LABEL : TARGET_COORDS, 5, 4, ds->values, ds->names);
	struct train_options a = small[_i].a;
	a.quiet = 1, a.key = "", a.seed = 4;
	netdesc_init_params(&m->d, 4, m->param, m->stat);
	struct train *t = train_new(be, m, ds, ds, &a);
	train_run(t);
	net_upload(t->s.net, m->param, m->stat);
	struct train_score s = train_evaluate(t);
	ck_assert_msg(
		s.loss < small[_i].max_loss && s.error <= small[_i].max_error, "%s: loss %g, error %g", small[_i].net, s.loss, s.error);
	/* m holds the best weights; s.best is their score */
	ck_assert_double_eq_tol(small[_i].classes ? s.loss : s.error, t->s.best, 1e-12);
	train_free(t);
	model_free(m);
	dataset_free(ds);
}
END_TEST

static void diverge(void *spare)
{
	be = backend_here();
	struct dataset *ds = noise(10, 4, "a,b", 0);
	struct model *m = model_new("fc3 tanh fc", TARGET_COORDS, 5, 4, 4, ds->names);
	struct train_options a = {.epochs = 9,
		.batch = 5,
		.learning_rate = 1e30,
		.optimizer = OPTIMIZER_SGD,
		.quiet = 1,
		.key = "",
		.checkpoint = spare ? "spare" : "kept",
		.spare = spare != NULL};
	netdesc_init_params(&m->d, 4, m->param, m->stat);
	train_run(train_new(be, m, ds, NULL, &a));
}

/* A training that is of no use leaves no checkpoint of its own to resume from; one that the user named stays. */
START_TEST(diverged)
{
	char dir[] = "/tmp/check_train.XXXXXX";
	ck_assert(mkdtemp(dir) && !chdir(dir));
	for (int spare = 0; spare < 2; spare++) {
		const char *name = spare ? "spare" : "kept";
		FILE *f = fopen(name, "w");
		ck_assert(f && !fclose(f));
		struct child c = child_run(diverge, spare ? dir : NULL);
		ck_assert_msg(c.status == 1 && strstr(c.err, "a smaller --rate may help"), "exit %d: %s", c.status, c.err);
		ck_assert_int_eq(access(name, F_OK), spare ? -1 : 0);
	}
	ck_assert(!unlink("kept") && !rmdir(dir));
}
END_TEST

/* patience -1: the last epoch's weights are kept */
static struct model *trained(
	const struct dataset *train, const struct dataset *valid, double rate, int epochs, int patience, int *best, int *ran)
{
	struct model *m = model_new("conv2x2x3 bn relu fc", TARGET_COORDS, 5, 4, 4, "a,b");
	struct train_options a = {.epochs = epochs,
		.batch = 4,
		.learning_rate = rate,
		.momentum = 0.9,
		.optimizer = OPTIMIZER_NESTEROV,
		.quiet = 1,
		.key = "",
		.seed = 6,
		.patience = patience > 0 ? patience : 0,
		.keep_last = patience < 0};
	netdesc_init_params(&m->d, 6, m->param, m->stat);
	struct train *t = train_new(be, m, train, valid, &a);
	train_run(t);
	if (a.keep_last) {
		train_result(t);
		ck_assert(t->reached == t->last && t->s.m->rmse == t->last && t->s.best < t->last);
		net_upload(t->s.net, m->param, m->stat);
		ck_assert_double_eq_tol(train_evaluate(t).error, t->last, 1e-12);
	}
	*best = t->s.best_epoch, *ran = t->s.epoch;
	train_free(t);
	return m;
}

/* Noise can only be overfitted, so the validation loss soon rises. The weights kept are those of the best epoch, bit for bit. */
START_TEST(best_weights)
{
	struct dataset *train = noise(10, 4, "a,b", 0), *valid = noise(20, 4, "a,b", 0);
	uint8_t *image = (uint8_t *)dataset_image(valid, 0, NULL);
	for (uint32_t i = 0; i < 20 * 20; i++)
		image[i] = (uint8_t)(256 * unit(50, i));
	int best, ran, none;
	struct model *m = trained(train, valid, 0.03, 60, 0, &best, &ran), *early, *patient;
	ck_assert_msg(best > 0 && best < 40 && ran == 60, "best epoch %d of %d: this tests nothing", best, ran);
	early = trained(train, NULL, 0.03, best, 0, &none, &ran);
	ck_assert(none == 0 && ran == best);
	ck_assert(!memcmp(m->param, early->param, m->d.nparam * sizeof(real)) && !memcmp(m->stat, early->stat, m->d.nstat * sizeof(real)));
	/* the last epoch's weights are those of a training that knows no held-out rows */
	struct model *last = trained(train, valid, 0.03, 60, -1, &none, &ran), *unseen = trained(train, NULL, 0.03, 60, 0, &none, &ran);
	ck_assert(!memcmp(last->param, unseen->param, m->d.nparam * sizeof(real)) &&
		  !memcmp(last->stat, unseen->stat, m->d.nstat * sizeof(real)) &&
		  memcmp(last->param, m->param, m->d.nparam * sizeof(real)));
	int again;
	patient = trained(train, valid, 0.03, 60, 8, &again, &ran);
	ck_assert_int_le(again, best);
	ck_assert_int_eq(ran, again + 8);
	model_free(m), model_free(early), model_free(patient), model_free(last), model_free(unseen);
	dataset_free(train), dataset_free(valid);
}
END_TEST

/* Four rows, all of them a step, two of them held out: so an epoch is a step. Returns the model after so many, its training losses in
 * loss, its last score in *score. */
static struct model *stepped(int steps, double average, int valid, double *loss, double *score)
{
	struct dataset *ds = noise(4, 4, "a,b", 0), *two = noise(2, 4, "a,b", 0);
	struct model *m = model_new("conv2x2x3 bn relu fc", TARGET_COORDS, 5, 4, 4, "a,b");
	char path[] = "/tmp/check_train.XXXXXX", line[200];
	close(mkstemp(path));
	struct train_options a = {.epochs = steps,
		.batch = 4,
		.learning_rate = 0.002,
		.momentum = 0.9,
		.average = average,
		.optimizer = OPTIMIZER_ADAM,
		.quiet = 1,
		.key = "",
		.seed = 6,
		.log = path};
	netdesc_init_params(&m->d, 6, m->param, m->stat);
	if (steps) {
		struct train *t = train_new(be, m, ds, valid ? two : NULL, &a);
		train_run(t);
		ck_assert(!valid || t->s.best_epoch == steps);
		if (valid) { /* the model's weights have the score that was theirs, from weights that are packed anew */
			net_upload(t->s.net, m->param, m->stat);
			*score = t->s.best;
			ck_assert_double_eq_tol(train_evaluate(t).error, *score, 1e-12);
		} else {
			train_result(t);
			*score = t->reached; /* on the training set */
		}
		train_free(t);
		FILE *f = fopen(path, "r");
		ck_assert(f && fgets(line, sizeof line, f));
		for (int i = 0; i < steps; i++)
			ck_assert(fgets(line, sizeof line, f) && sscanf(line, "%*d %*f %lf", &loss[i]) == 1);
		fclose(f);
	}
	unlink(path), dataset_free(ds), dataset_free(two);
	return m;
}

/* The model is the average of the weights, and of the running statistics, after each step, by its formula from trainings of so many steps
 * without one; the training itself goes on with the weights. */
START_TEST(averages)
{
	enum { STEPS = 8, MOST = 200 };
	static const double decays[] = {0.4, 0.99}; /* 0.4 is reached by (1 + 5) / (10 + 5) */
	double want[MOST], loss[STEPS], averaged_loss[STEPS], plain_score, score, decay = decays[_i % 2], moved = 0;
	int valid = _i / 2;
	for (int k = 0; k <= STEPS; k++) {
		struct model *m = stepped(k, 0, valid, loss, &plain_score);
		double d = fmin(decay, (1.0 + k) / (10.0 + k));
		ck_assert(m->d.nparam + m->d.nstat <= MOST);
		for (size_t i = 0; i < m->d.nparam + m->d.nstat; i++) {
			double v = (double)(i < m->d.nparam ? m->param[i] : m->stat[i - m->d.nparam]);
			want[i] = k ? d * want[i] + (1 - d) * v : v;
			moved = fmax(moved, fabs(want[i] - v));
		}
		model_free(m);
	}
	struct model *m = stepped(STEPS, decay, valid, averaged_loss, &score);
	for (size_t i = 0; i < m->d.nparam + m->d.nstat; i++) {
		double got = (double)(i < m->d.nparam ? m->param[i] : m->stat[i - m->d.nparam]);
		ck_assert_msg(fabs(got - want[i]) < 1e-6 + 1e-6 * fabs(want[i]), "value %zu: %.9g, not %.9g", i, got, want[i]);
	}
	ck_assert_msg(moved > 1e-3 && fabs(score - plain_score) > 1e-4, "%g, %g: this tests nothing", moved, score - plain_score);
	for (int k = 0; k < STEPS; k++)
		ck_assert_msg(loss[k] == averaged_loss[k], "step %d: the average changes the training", k + 1);
	model_free(m);
}
END_TEST

/* An equal score is no improvement: with learning rate 0 patience counts from the first epoch. */
START_TEST(patience_without_progress)
{
	struct dataset *ds = noise(8, 4, "a,b", 0);
	int best, ran;
	struct model *m = model_new("fc3 tanh fc", TARGET_COORDS, 5, 4, 4, "a,b");
	struct train_options a = {.epochs = 30, .batch = 4, .patience = 5, .quiet = 1, .key = ""};
	netdesc_init_params(&m->d, 6, m->param, m->stat);
	struct train *t = train_new(be, m, ds, ds, &a);
	train_run(t);
	best = t->s.best_epoch, ran = t->s.epoch;
	ck_assert_msg(best == 1 && ran == 6, "best epoch %d of %d", best, ran);
	train_free(t);
	model_free(m);
	dataset_free(ds);
}
END_TEST

static void blow_up(void *arg)
{
	(void)arg;
	int best, ran;
	set_up(); /* here: a CUDA context does not survive fork */
	struct dataset *ds = noise(10, 4, "a,b", 0);
	ds->value[3] = INFINITY;
	trained(ds, NULL, 0.03, 3, 0, &best, &ran);
}

START_TEST(no_number)
{
	struct child c = child_run(blow_up, NULL);
	ck_assert_msg(c.status == 1 && strstr(c.err, "epoch 1, layer 1: the loss is nan; a smaller --rate may help\n"), "%d: %s", c.status,
		c.err);
}
END_TEST

/* The last step of all makes the weights no numbers, which only the validation shows: the best ones are kept. */
static void last_step(void *arg)
{
	struct train_options a = {
		.epochs = 40, .batch = 8, .learning_rate = 0.02, .momentum = 0.9, .optimizer = OPTIMIZER_NESTEROV, .quiet = 1};
	static const struct opt opts[] = {OPT_END};
	static const struct opt_prog prog = {"check_train", "", "", 0, 0, opts, {NULL}};
	const char *checkpoint = arg;
	char *argv[] = {"check_train", NULL};
	int n;
	opt_parse(&prog, 1, argv, &n); /* a checkpoint tells the command that goes on */
	set_up();
	struct dataset *ds = noise(8, 4, "a,b", 0);
	a.key = "", a.seed = 4, a.checkpoint = checkpoint;
	for (int round = 0; round < 2; round++) {
		struct model *m = model_new("fc8 tanh fc", TARGET_COORDS, 5, 4, ds->values, ds->names);
		netdesc_init_params(&m->d, 4, m->param, m->stat);
		struct train *t = train_new(be, m, ds, ds, &a);
		int failed = train_run(t), best = t->s.best_epoch;
		if (failed != -round || best > 40 || (round && (t->s.epoch != 41 || !(fabsf((float)m->param[0]) < 100))))
			die("round %d: %d, best epoch %d of %d", round, failed, best, t->s.epoch);
		train_free(t), model_free(m);
		a.resume = 1, a.epochs = 41, a.learning_rate = 1e300;
	}
	exit(0);
}

START_TEST(nan_by_the_last_step)
{
	char path[] = "/tmp/check_train.XXXXXX";
	close(mkstemp(path));
	unlink(path);
	struct child c = child_run(last_step, path);
	unlink(path);
	ck_assert_msg(c.status == 0 && strstr(c.err, "epoch 41") &&
			      strstr(c.err, ": the validation loss is nan; a smaller --rate may help; the best weights, of epoch "),
		"%d, signal %d: %s", c.status, c.signal, c.err);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("train");
	TCase *t = tcase_create("train");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, warmups);
	tcase_add_loop_test(t, pixels_and_points, 0, sizeof augments / sizeof *augments);
	tcase_add_test(t, pixel_noise);
	tcase_add_test(t, baselines);
	tcase_add_test(t, masked);
	tcase_add_test(t, no_label_in_a_batch);
	tcase_add_loop_test(t, overfits, 0, sizeof small / sizeof *small);
	tcase_add_test(t, best_weights);
	tcase_add_loop_test(t, averages, 0, 4);
	tcase_add_test(t, patience_without_progress);
	suite_add_tcase(suite, t);
	TCase *bare = tcase_create("bare"); /* without a backend, or opened in a child: a GPU that is open does not survive a fork */
	tcase_add_test(bare, augment_words), tcase_add_test(bare, augment_refused), tcase_add_test(bare, augment_late);
	tcase_add_test(bare, schedules), tcase_add_test(bare, order), tcase_add_test(bare, warp_ranges);
	tcase_add_test(bare, diverged), tcase_add_test(bare, no_number), tcase_add_test(bare, nan_by_the_last_step);
	suite_add_tcase(suite, bare);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
