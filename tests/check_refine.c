/* Refinement by linear second levels against sums in double: which window a point gets, the way back from it, shares and spreads of the
 * fused estimates; the same through predict --refine, level by level; and the labels that patch-extract --around predicted cuts. */
#include <math.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/predict/infer.h"
#include "tests/backend_of_test.h"
#include "tests/prog.h"

/* images, windows (an even and an odd side) and rows: their points are more than a batch */
enum { W = 17, H = 11, PW = 6, PH = 5, N = 140, K = 3 };

static const char points[] = "left_eye,right_eye,nose";
static const int partner[K] = {1, 0, 2};
static uint8_t images[N][H * W];

static double unit(uint32_t what, uint32_t i)
{
	return (double)philox_uniform(philox(23, PHILOX_TEST, what, i, 0).v[0]);
}

static void fill_images(void)
{
	for (uint32_t i = 0; i < N * H * W; i++)
		images[i / (H * W)][i % (H * W)] = (uint8_t)(256 * unit(1, i));
}

/* A linear net of w x h pixels, whose points lie about the image's middle and move by a few pixels from image to image. */
static struct model *linear(int w, int h, uint32_t what, double rmse)
{
	struct model *m = model_new("fc", TARGET_COORDS, w, h, 2 * K, points);
	for (uint32_t i = 0; i < m->d.nparam; i++)
		m->param[i] = (float)((2 * unit(what, i) - 1) * (i < (uint32_t)(2 * K * w * h) ? 0.6 / sqrt(w * h) : 0.3));
	m->mul = 2.0f / 255, m->add = -1 + 0.01f * (float)what;
	m->rmse = rmse;
	model_set_offset(m, 0.5 * unit(what, 9999), -0.3);
	return m;
}

static void save(const struct model *m, const char *path)
{
	struct tns_writer *w = tns_create(path);
	model_put_meta(m, w);
	model_write(&m->d, w, model_define(&m->d, w, "", 1), m->param, m->stat);
	tns_close(w);
}

/* ---- the same in double ---- */

struct spot {
	double x, y, stddev;
};

/* Where the window's first pixel lies on an axis: its middle is the nearest to `at` that whole pixels give, of two the right one. */
static int corner(double at, int window, int side)
{
	double centre = at < -side ? -side : at > 2 * side ? 2 * side : at, nearest = INFINITY;
	int best = 0;
	for (int c = -4 * side; c < 4 * side; c++)
		if (fabs(c + (window - 1) / 2.0 - centre) <= nearest)
			nearest = fabs(c + (window - 1) / 2.0 - centre), best = c;
	return best;
}

static int held(int v, int side)
{
	return v < 0 ? 0 : v >= side ? side - 1 : v;
}

/* Point p by model m from the w x h window of an image at (cx, cy), or from the window's mirror image; in the window's pixels. */
static struct spot by_model(const struct model *m, const uint8_t *image, int cx, int cy, int p, int mirrored)
{
	double out[2];
	int w = m->W, h = m->H;
	for (int k = 0; k < 2; k++) {
		int row = 2 * (mirrored ? partner[p] : p) + k;
		out[k] = (double)m->param[2 * K * w * h + row];
		for (int y = 0; y < h; y++)
			for (int x = 0; x < w; x++) {
				uint8_t v = image[held(cy + y, H) * W + held(cx + (mirrored ? w - 1 - x : x), W)];
				out[k] += (v * (double)m->mul + (double)m->add) * (double)m->param[row * w * h + y * w + x];
			}
	}
	struct spot s = {(out[0] - (double)m->ox) / (double)m->sx, (out[1] - (double)m->oy) / (double)m->sy, 0};
	if (mirrored) /* labels are m->offset from the pixels' centres, on both sides */
		s.x = w - 1 - (s.x - m->offset[0]) + m->offset[0];
	return s;
}

static int learned(const struct model *m, int p)
{
	static const char *const name[K] = {"left_eye", "right_eye", "nose"};
	return !m->unlearned || !strstr(m->unlearned, name[p]);
}

/* The mean of the models that learned the point, and of both sides, in the image's pixels; x NaN: none did; stddev NaN: only one estimate.
 */
static struct spot by_level(struct model **m, int n, int flip, const uint8_t *image, int cx, int cy, int p)
{
	struct spot s[8], mean = {0, 0, 0};
	int count = 0;
	for (int i = 0; i < n; i++)
		for (int side = 0; side <= flip; side++)
			if (learned(m[i], side ? partner[p] : p))
				s[count++] = by_model(m[i], image, cx, cy, p, side);
	for (int i = 0; i < count; i++)
		mean.x += s[i].x / count, mean.y += s[i].y / count;
	for (int i = 0; i < count; i++)
		mean.stddev += ((s[i].x - mean.x) * (s[i].x - mean.x) + (s[i].y - mean.y) * (s[i].y - mean.y)) / count;
	mean.stddev = count > 1 ? sqrt(mean.stddev) : NAN;
	mean.x += cx, mean.y += cy;
	return count ? mean : (struct spot){NAN, NAN, NAN};
}

static double error_of(struct model **m, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum = m[i]->rmse > 0 ? sum + m[i]->rmse * m[i]->rmse / n : NAN;
	return isnan(sum) ? 0 : sqrt(sum);
}

/* A point after a further level. rmse: of the point so far, 0: not known. */
static struct spot refined(struct spot s, double rmse, struct model **m, int n, int flip, const uint8_t *image, int p)
{
	if (isnan(s.x) || isnan(s.y))
		return s;
	struct spot t = by_level(m, n, flip, image, corner(s.x, m[0]->W, W), corner(s.y, m[0]->H, H), p);
	if (isnan(t.x))
		return s;
	double b = error_of(m, n), was = 1 / (s.stddev * s.stddev), now = 1 / (t.stddev * t.stddev), share = 1;
	int known = s.stddev > 0 && t.stddev > 0;
	if (rmse > 0 && b > 0)
		share = 1 / (b * b) / (1 / (rmse * rmse) + 1 / (b * b));
	else if (known)
		share = now / (was + now);
	return (struct spot){s.x + share * (t.x - s.x), s.y + share * (t.y - s.y), known ? 1 / sqrt(was + now) : t.stddev};
}

static double fused_error(double a, double b)
{
	return a > 0 && b > 0 ? 1 / sqrt(1 / (a * a) + 1 / (b * b)) : 0;
}

static int near(double got, double want, double tolerance)
{
	return isnan(want) ? isnan(got) : fabs(got - want) < tolerance * (1 + fabs(want));
}

/* ---- infer_refine ---- */

/* Points everywhere: whole, half and quarter pixels, the first and the last, outside by little and by more than the image, NaN. Spreads:
 * most known, some 0, some NaN. */
static struct spot start(uint32_t i)
{
	static const double x[] = {0, 16, 7.5, 8, 2.25, -0.5, 16.5, -3, 19, 100, -60, NAN},
			    y[] = {0, 10, 4.5, 5, 9.75, -0.5, 10.5, -2, 12.5, 40};
	static const double stddev[] = {0.5, 1, 2, 0.7, 3, 0, NAN};
	return (struct spot){x[i % 12], y[i % 10], stddev[i % 7]};
}

static void check_refine(const struct backend *be, struct model **m, int n, int flip, double rmse)
{
	float xy[N * K][2], stddev[N * K];
	double got_rmse = rmse;
	int moved = 0;
	for (uint32_t i = 0; i < N * K; i++) {
		struct spot s = start(i);
		xy[i][0] = (float)s.x, xy[i][1] = (float)s.y, stddev[i] = (float)s.stddev;
	}
	struct infer *f = infer_new(be, m, n, flip);
	infer_refine(f, images[0], W, H, N, xy[0], stddev, &got_rmse);
	ck_assert_double_eq_tol(got_rmse, fused_error(rmse, error_of(m, n)), 1e-9);
	for (uint32_t i = 0; i < N * K; i++) {
		struct spot was = start(i), want;
		was.stddev = (double)(float)was.stddev;
		want = refined(was, rmse, m, n, flip, images[i / K], (int)(i % K));
		ck_assert_msg(near((double)xy[i][0], want.x, 1e-5) && near((double)xy[i][1], want.y, 1e-5),
			"%d models, flip %d, rmse %g, point %u at %g,%g: %g,%g, not %g,%g", n, flip, rmse, i, was.x, was.y,
			(double)xy[i][0], (double)xy[i][1], want.x, want.y);
		ck_assert_msg(near((double)stddev[i], want.stddev, 1e-4), "%d models, flip %d, rmse %g, point %u: spread %g, not %g", n,
			flip, rmse, i, (double)stddev[i], want.stddev);
		moved += hypot(want.x - was.x, want.y - was.y) > 0.3;
	}
	ck_assert_int_gt(moved, N / 2);
	infer_free(f);
}

/* Both errors known: shares from them, whatever the spreads are. One of them unknown: shares by each point's spread. */
START_TEST(shares)
{
	struct backend *be = _i ? backend_init_by_name("ref", 1, PRECISION_FP32) : backend_here();
	struct model *m[2] = {linear(PW, PH, 2, 1.5), linear(PW, PH, 3, 0.9)};
	for (int n = 1; n <= 2; n++)
		for (int flip = 0; flip < 2; flip++)
			check_refine(be, m, n, flip, 2.5), check_refine(be, m, n, flip, 0);
	m[1]->rmse = 0;
	check_refine(be, m, 2, 1, 2.5);
	/* a point that no model of the level learned stays; one that a model learned is that model's; mirrored it is the partner's */
	m[0]->unlearned = xstrdup("nose,left_eye");
	for (int n = 1; n <= 2; n++)
		for (int flip = 0; flip < 2; flip++)
			check_refine(be, m, n, flip, n == 1 ? 2.5 : 0);
	model_free(m[0]), model_free(m[1]);
	be->close(be);
}
END_TEST

/* A window as large as the image, in its middle, is the image: the way back adds nothing. */
START_TEST(whole_window)
{
	struct backend *be = backend_here();
	struct model *m = linear(W, H, 4, 0);
	struct infer *f = infer_new(be, &m, 1, 0);
	float xy[N * K * 2], stddev[N * K], out[N * K * 2];
	double rmse = 0;
	for (int i = 0; i < N * K; i++)
		xy[2 * i] = (W - 1) / 2, xy[2 * i + 1] = (H - 1) / 2, stddev[i] = NAN;
	infer_refine(f, images[0], W, H, N, xy, stddev, &rmse);
	for (int b = 0; b < N; b += INFER_BATCH)
		infer_batch(f, images[b], N - b < INFER_BATCH ? N - b : INFER_BATCH, out + b * K * 2, NULL);
	for (int i = 0; i < N * K * 2; i++)
		ck_assert_float_eq_tol(xy[i], out[i], 1e-5f);
	infer_free(f), model_free(m);
	be->close(be);
}
END_TEST

/* ---- predict --refine ---- */

enum { LEVELS = 3 };

/* Rows whose ids are not their numbers, points in another order than the models'. */
static void data_set(const char *path, const char *const *more, const float *predicted, const float *labels)
{
	static uint32_t id[N];
	for (uint32_t i = 0; i < N; i++)
		id[i] = 7000 - 13 * i;
	prog_stream(path, N,
		(struct prog_col[]){{"image", TNS_U8, H, W, images}, {"id", TNS_U32, 0, 0, id}, {"keypoints", TNS_F32, K, 2, labels},
			{predicted ? "predicted" : NULL, TNS_F32, K, 2, predicted}, {0}},
		more);
}

static const float *tensor(const struct tns_table *t, const char *name)
{
	int id = tns_find(tns_table_head(t), name);
	ck_assert_msg(id >= 0, "no tensor %s", name);
	ck_assert_uint_eq(tns_table_head(t)->def[id].rows, N);
	return tns_row(t, id, 0);
}

START_TEST(levels)
{
	static const int order[K] = {2, 0, 1}; /* the data's points among the models' */
	static const char *const files[] = {"a.tns", "b.tns", "c.tns", "d.tns", "e.tns"};
	static float labels[N][K][2];
	int known = _i;
	struct model *m[5] = {linear(W, H, 5, known ? 2 : 0), linear(W, H, 6, known ? 3 : 0), linear(PW, PH, 7, known ? 1.5 : 0),
		linear(PW, PH, 8, known ? 2.5 : 0), linear(9, 4, 9, known ? 1 : 0)};
	for (int i = 0; i < 5; i++)
		save(m[i], files[i]);
	data_set("data.tns", (const char *const[]){"points", "nose,left_eye,right_eye", NULL}, NULL, labels[0][0]);
	prog_went(prog("predict", "-q", "--flip", "a.tns", "b.tns", "--refine", "c.tns,d.tns", "--refine", "e.tns", "data.tns", "-o",
		"out.tns", NULL));
	struct tns_table *t = tns_load("out.tns");
	const float *predicted = tensor(t, "predicted"), *confidence = tensor(t, "confidence"), *steps = tensor(t, "steps");
	ck_assert_uint_eq(*(const uint32_t *)tns_row(t, tns_find(tns_table_head(t), "id"), N - 1), 7000 - 13 * (N - 1));
	for (int b = 0; b < N; b++)
		for (int k = 0; k < K; k++) {
			int p = order[k];
			struct spot s[LEVELS] = {by_level(m, 2, 1, images[b], 0, 0, p)};
			double rmse = error_of(m, 2);
			s[1] = refined(s[0], rmse, m + 2, 2, 1, images[b], p);
			rmse = fused_error(rmse, error_of(m + 2, 2));
			s[2] = refined(s[1], rmse, m + 4, 1, 1, images[b], p);
			for (int l = 0; l < LEVELS; l++) {
				const float *got = l < 2 ? steps + ((b * 2 + l) * K + k) * 2 : predicted + (b * K + k) * 2;
				ck_assert_msg(near((double)got[0], s[l].x, 1e-4) && near((double)got[1], s[l].y, 1e-4),
					"errors known %d, row %d, point %d, level %d: %g,%g, not %g,%g", known, b, p, l, (double)got[0],
					(double)got[1], s[l].x, s[l].y);
			}
			ck_assert_msg(near((double)confidence[b * K + k], 1 / (1 + s[2].stddev), 1e-4),
				"row %d, point %d: confidence %g, not %g", b, p, (double)confidence[b * K + k], 1 / (1 + s[2].stddev));
		}
	tns_unload(t);
	for (int i = 0; i < 5; i++)
		model_free(m[i]);
}
END_TEST

/* ---- patch-extract --around predicted ---- */

/* A label's place in a window of its own: counted from the window's first pixel, NaN beyond its last one. */
static int in_window(const float label[2], int cx, int cy)
{
	return label[0] >= cx && label[0] <= cx + PW - 1 && label[1] >= cy && label[1] <= cy + PH - 1;
}

/* 1: the window is the image's at cx, cy. */
static int is_window(const uint8_t *got, const uint8_t *image, int cx, int cy)
{
	int same = 1;
	for (int i = 0; same && i < PW * PH; i++)
		same = got[i] == image[held(cy + i / PW, H) * W + held(cx + i % PW, W)];
	return same;
}

/* Moves cx, cy by up to two pixels to where the window is; 0: it is not there. */
static int jittered(const uint8_t *got, const uint8_t *image, int *cx, int *cy)
{
	for (int k = 0; k < 5 * 5; k++)
		if (is_window(got, image, *cx + k % 5 - 2, *cy + k / 5 - 2)) {
			*cx += k % 5 - 2, *cy += k / 5 - 2;
			return 1;
		}
	return 0;
}

/* Labels at the window's first and last pixels and half a pixel beyond them, from predictions at whole, half and other places. */
static void plant(float predicted[N][K][2], float labels[N][K][2])
{
	static const float away[] = {0, 0.5f, -0.5f, 2, -2, 2.5f, -2.5f, 3, -3};
	for (uint32_t i = 0; i < N * K; i++) {
		float *p = predicted[i / K][i % K], *l = labels[i / K][i % K];
		p[0] = (float)(0.25 * floor(4 * W * unit(10, i))), p[1] = (float)(0.25 * floor(4 * H * unit(11, i)));
		l[0] = p[0] + away[i % 9], l[1] = p[1] + away[i / 9 % 9];
		if (i % 31 == 5)
			l[i % 2] = NAN;
	}
}

START_TEST(window_labels)
{
	static float predicted[N][K][2], labels[N][K][2];
	static const char *const meta[] = {"points", points, "pairs", "left_eye:right_eye,nose", NULL};
	double jitter = _i ? 1.75 : 0;
	plant(predicted, labels);
	data_set("data.tns", meta, predicted[0][0], labels[0][0]);
	prog_went(prog("patch-extract", "-q", "--around", "predicted", "--size", "6x5", "--copies", _i ? "3" : "1", "--jitter",
		_i ? "1.75" : "0", "data.tns", "-o", "patches.tns", NULL));
	struct tns_table *t = tns_load("patches.tns");
	const struct tns *head = tns_table_head(t);
	ck_assert_str_eq(tns_meta_value(head, "points"), points);
	ck_assert_str_eq(tns_meta_value(head, "pairs"), "left_eye:right_eye,nose");
	int image = tns_find(head, "image"), keypoints = tns_find(head, "keypoints"), source = tns_find(head, "source");
	uint64_t row = 0, rows = head->def[image].rows;
	double furthest[2] = {0, 0};
	for (int b = 0; b < N; b++)
		for (int i = 0; i < K * (_i ? 3 : 1); i++) {
			int p = i % K, cx = corner((double)predicted[b][p][0], PW, W), cy = corner((double)predicted[b][p][1], PH, H);
			const uint8_t *got = row < rows ? tns_row(t, image, row) : NULL;
			const float *to = row < rows ? tns_row(t, keypoints, row) : NULL;
			if (isnan(labels[b][p][0]) || isnan(labels[b][p][1]))
				continue;
			int at = jitter > 0 && got ? jittered(got, images[b], &cx, &cy) : !jitter;
			if (!at || !in_window(labels[b][p], cx, cy)) /* lost: its label is outside */
				continue;
			ck_assert_msg(got && is_window(got, images[b], cx, cy), "row %d, point %d: not the window at %d,%d", b, p, cx, cy);
			ck_assert_uint_eq(*(const uint32_t *)tns_row(t, source, row), 7000 - 13 * (uint32_t)b);
			for (int q = 0; q < K; q++) {
				int in = in_window(labels[b][q], cx, cy);
				ck_assert_msg(in ? to[2 * q] == labels[b][q][0] - (float)cx && to[2 * q + 1] == labels[b][q][1] - (float)cy
						 : isnan(to[2 * q]) && isnan(to[2 * q + 1]),
					"row %d, window of point %d at %d,%d, label %g,%g: %g,%g", b, p, cx, cy, (double)labels[b][q][0],
					(double)labels[b][q][1], (double)to[2 * q], (double)to[2 * q + 1]);
			}
			furthest[0] = fmax(furthest[0], fabs(cx + (PW - 1) / 2.0 - (double)predicted[b][p][0]));
			furthest[1] = fmax(furthest[1], fabs(cy + (PH - 1) / 2.0 - (double)predicted[b][p][1]));
			row++;
		}
	ck_assert_uint_eq(row, rows);
	for (int k = 0; k < 2; k++)
		ck_assert(furthest[k] <= 0.5 + jitter && furthest[k] > (_i ? 1.75 : 0.4));
	tns_unload(t);
}
END_TEST

int main(void)
{
	prog_begin();
	fill_images();
	Suite *s = suite_create("refine");
	TCase *t = tcase_create("refine");
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, shares, 0, 2);
	tcase_add_test(t, whole_window);
	tcase_add_loop_test(t, levels, 0, 2);
	tcase_add_loop_test(t, window_labels, 0, 2);
	return prog_end(s);
}
