/* Predictions of linear nets against sums in double: averages of models and mirror images, standard deviations. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/predict/infer.h"
#include "tests/backend_of_test.h"
#include "tests/child.h"

enum { W = 5, H = 3, P = W * H, N = INFER_BATCH };

static struct backend *be;
static uint8_t images[N * P];

static float unit(uint32_t what, uint32_t i)
{
	return philox_uniform(philox(17, PHILOX_TEST, what, i, 0).v[0]);
}

static void set_up(void)
{
	be = backend_here();
	for (uint32_t i = 0; i < N * P; i++)
		images[i] = (uint8_t)(256 * unit(1, i));
}

static void tear_down(void)
{
	be->close(be);
}

static struct model *linear(enum target target, int outputs, const char *names, uint32_t what)
{
	struct model *m = model_new("fc", target, W, H, outputs, names);
	for (uint32_t i = 0; i < m->d.nparam; i++)
		m->param[i] = 2 * unit(what, i) - 1;
	m->mul = (1 + (float)(what % 3)) / 255, m->add = -0.1f * (float)what; /* models may differ in scale */
	m->sx *= 1 + 0.1f * (float)what, m->oy += 0.2f;
	return m;
}

/* Output k of the net for an image, or for its mirror image. */
static double raw(const struct model *m, const uint8_t *image, int k, int mirrored)
{
	double s = (double)m->param[m->outputs * P + k];
	for (int p = 0; p < P; p++) {
		int from = mirrored ? p / W * W + W - 1 - p % W : p;
		s += (image[from] * (double)m->mul + (double)m->add) * (double)m->param[k * P + p];
	}
	return s;
}

/* A point's x or y in pixels by one model, from the image or from its mirror image. */
static double coordinate(const struct model *m, const uint8_t *image, int point, int y, int mirrored)
{
	static const int swap[] = {1, 0, 2}; /* left_eye, right_eye, nose */
	if (y)
		return (raw(m, image, 2 * (mirrored ? swap[point] : point) + 1, mirrored) - (double)m->oy) / (double)m->sy;
	double x = (raw(m, image, 2 * (mirrored ? swap[point] : point), mirrored) - (double)m->ox) / (double)m->sx;
	return mirrored ? W - 1 - x : x;
}

static const int sizes[] = {1, 2, 37, N};

START_TEST(coords)
{
	struct model *m[3];
	float out[N * 6], stddev[N * 3];
	for (uint32_t i = 0; i < 3; i++)
		m[i] = linear(TARGET_COORDS, 6, "left_eye,right_eye,nose", 2 + i);
	for (int n = 1; n <= 3; n++)
		for (int flip = 0; flip < 2; flip++)
			for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
				struct infer *f = infer_new(be, m, n, flip);
				infer_batch(f, images, sizes[s], out, stddev);
				for (int b = 0; b < sizes[s]; b++)
					for (int p = 0; p < 3; p++) {
						double sum[2] = {0, 0}, square = 0;
						int count = n * (1 + flip);
						for (int i = 0; i < count; i++)
							for (int y = 0; y < 2; y++)
								sum[y] += coordinate(
										  m[i / (1 + flip)], images + b * P, p, y, i % (1 + flip)) /
									  count;
						for (int i = 0; i < count; i++)
							for (int y = 0; y < 2; y++) {
								double d = coordinate(m[i / (1 + flip)], images + b * P, p, y,
										   i % (1 + flip)) -
									   sum[y];
								square += d * d / count;
							}
						const float *got = out + 6 * b + 2 * p;
						ck_assert_msg(fabs((double)got[0] - sum[0]) < 1e-4 && fabs((double)got[1] - sum[1]) < 1e-4,
							"%d models, flip %d, row %d, point %d: %g,%g not %g,%g", n, flip, b, p,
							(double)got[0], (double)got[1], sum[0], sum[1]);
						if (count == 1)
							ck_assert(isnan(stddev[3 * b + p]));
						else
							ck_assert_msg(fabs((double)stddev[3 * b + p] - sqrt(square)) < 1e-3,
								"stddev %g, not %g", (double)stddev[3 * b + p], sqrt(square));
					}
				infer_batch(f, images, 1, out, NULL); /* a smaller batch after a large one; stddev may be absent */
				ck_assert(fabs((double)out[5]) < 1e6);
				infer_free(f);
			}
	/* twice the same model: stddev 0, and the coordinates of the model alone */
	struct model *twins[] = {m[0], m[0]};
	float alone[N * 6];
	struct infer *f = infer_new(be, twins, 2, 0), *one = infer_new(be, m, 1, 0);
	infer_batch(f, images, N, out, stddev), infer_batch(one, images, N, alone, NULL);
	ck_assert(!memcmp(out, alone, sizeof out));
	for (int i = 0; i < N * 3; i++)
		ck_assert_float_eq_tol(stddev[i], 0, 1e-3f);
	infer_free(f), infer_free(one);
	for (int i = 0; i < 3; i++)
		model_free(m[i]);
}
END_TEST

/* A symmetric image and a symmetric net: flip changes nothing. */
START_TEST(symmetric)
{
	struct model *m = linear(TARGET_COORDS, 6, "left_eye,right_eye,nose", 1);
	m->oy -= 0.2f, m->sx /= 1.1f;
	uint8_t image[P];
	for (int p = 0; p < P; p++) {
		int q = p / W * W + W - 1 - p % W;
		image[p] = images[p < q ? p : q];
		m->param[1 * P + q] = m->param[3 * P + p], m->param[5 * P + q] = m->param[5 * P + p];
		m->param[0 * P + q] = -m->param[2 * P + p];
		if (p < q)
			m->param[4 * P + q] = -m->param[4 * P + p];
		if (p == q)
			m->param[4 * P + p] = 0;
	}
	m->param[6 * P + 0] = -m->param[6 * P + 2], m->param[6 * P + 1] = m->param[6 * P + 3], m->param[6 * P + 4] = 0;
	float out[6], both[6], stddev[3];
	struct infer *f = infer_new(be, &m, 1, 0), *g = infer_new(be, &m, 1, 1);
	infer_batch(f, image, 1, out, NULL), infer_batch(g, image, 1, both, stddev);
	for (int k = 0; k < 6; k++)
		ck_assert_float_eq_tol(out[k], both[k], 1e-4f);
	ck_assert(stddev[0] < 1e-3f && stddev[1] < 1e-3f && stddev[2] < 1e-3f);
	ck_assert_float_eq_tol(out[4], (W - 1) / 2.0f, 1e-4f);
	infer_free(f), infer_free(g);
	model_free(m);
}
END_TEST

START_TEST(labels)
{
	for (int classes = 2; classes <= 4; classes += 2)
		for (int flip = 0; flip < 2; flip++) {
			int K = classes == 2 ? 1 : classes;
			struct model *m[] = {linear(TARGET_LABEL, K, classes == 2 ? "no,yes" : "a,b,c,d", 3),
				linear(TARGET_LABEL, K, classes == 2 ? "no,yes" : "a,b,c,d", 4)};
			m[1]->param[K * P] = 200; /* saturates sigmoid and softmax */
			float out[N * 4];
			struct infer *f = infer_new(be, m, 2, flip);
			infer_batch(f, images, N, out, NULL);
			for (int b = 0; b < N; b++)
				for (int k = 0; k < K; k++) {
					double want = 0;
					for (int i = 0; i < 2 * (1 + flip); i++) {
						double z[4], sum = 0, max;
						for (int c = 0; c < K; c++)
							z[c] = raw(m[i % 2], images + b * P, c, i / 2);
						max = z[0];
						for (int c = 1; c < K; c++)
							max = fmax(max, z[c]);
						for (int c = 0; c < K; c++)
							sum += exp(z[c] - max);
						want += (K == 1 ? 1 / (1 + exp(-z[0])) : exp(z[k] - max) / sum) / (2 * (1 + flip));
					}
					ck_assert_msg(fabs((double)out[b * K + k] - want) < 1e-5, "%d classes, flip %d: %g, not %g",
						classes, flip, (double)out[b * K + k], want);
				}
			infer_free(f);
			model_free(m[0]), model_free(m[1]);
		}
}
END_TEST

START_TEST(images_out)
{
	struct model *m = linear(TARGET_IMAGE, P, "", 5);
	float out[2 * P];
	for (int flip = 0; flip < 2; flip++) {
		struct infer *f = infer_new(be, &m, 1, flip);
		infer_batch(f, images, 2, out, NULL);
		for (int b = 0; b < 2; b++)
			for (int k = 0; k < P; k++) {
				double want = raw(m, images + b * P, k, 0);
				if (flip)
					want = (want + raw(m, images + b * P, k / W * W + W - 1 - k % W, 1)) / 2;
				ck_assert_double_eq_tol((double)out[b * P + k], want, 1e-4);
			}
		infer_free(f);
	}
	model_free(m);
}
END_TEST

struct pair {
	struct model *m[3];
};

/* A point that one model did not learn is the mean of the other estimates; in a mirror image it is the partner's output that was not
 * learned. */
START_TEST(unlearned)
{
	struct model *m[2];
	float out[N * 6], stddev[N * 3];
	for (uint32_t i = 0; i < 2; i++)
		m[i] = linear(TARGET_COORDS, 6, "left_eye,right_eye,nose", 2 + i);
	m[0]->unlearned = xstrdup("left_eye,nose");
	for (int n = 1; n <= 2; n++)
		for (int flip = 0; flip < 2; flip++) {
			struct infer *f = infer_new(be, m, n, flip);
			infer_batch(f, images, 7, out, stddev);
			for (int b = 0; b < 7; b++)
				for (int p = 0; p < 3; p++) {
					double sum[2] = {0, 0}, count = 0;
					for (int i = 0; i < n; i++)
						for (int side = 0; side <= flip; side++) {
							int learned =
								i == 1 || p == (side ? 0 : 1); /* the first model knows the right eye */
							for (int y = 0; y < 2 && learned; y++)
								sum[y] += coordinate(m[i], images + b * P, p, y, side);
							count += learned;
						}
					ck_assert_int_eq(infer_learned(f, p), count > 0);
					for (int y = 0; y < 2; y++) {
						double got = (double)out[6 * b + 2 * p + y];
						ck_assert_msg(count > 0 ? fabs(got - sum[y] / count) < 1e-4 : isnan(got),
							"%d models, flip %d, point %d: %g", n, flip, p, got);
					}
					ck_assert(count > 1 || isnan(stddev[3 * b + p]));
				}
			infer_free(f);
		}
	for (int i = 0; i < 2; i++)
		model_free(m[i]);
}
END_TEST

/* Nets of averaging filters pass a blob on where it is: the point decoded from their maps must be the blob's middle, wherever it is. */
static const char *const unpadded[] = {"conv5x5x3s2p2 relu conv3x3", "conv3x3x2 relu pool2 conv3x3", "conv2x2x2 relu up2 conv3x3",
	"pool3 conv3x5", "conv4x4x3s2 relu conv3x3p1 up2", "conv3x3x2s3 relu up3 conv5x5", "conv7x7x2s4p1 relu conv1x1"};

START_TEST(places_of_cells)
{
	enum { BW = 96, BH = 79, SIGMA = 12 };
	static uint8_t blob[BW * BH];
	float xy[2], from[2] = {0, 0};
	struct model *m = model_new(unpadded[_i], TARGET_HEATMAP, BW, BH, 2, "a");
	const struct layer *last = NULL;
	for (int i = 0; i < m->d.n; i++) {
		const struct layer *l = &m->d.layer[i];
		for (size_t k = 0; k < l->nw; k++)
			m->param[l->w + k] = 1 / (float)(l->C * l->KH * l->KW);
		last = l->nw ? l : last;
	}
	for (size_t k = 0; k < last->nw; k++) /* the blob's height in logits: its softmax is SIGMA / sqrt(20) wide */
		m->param[last->w + k] *= 20;
	m->mul = 1.0f / 255;
	struct infer *f = infer_new(be, &m, 1, 0);
	for (int t = 0; t < 4; t++) {
		double at[2] = {30.3 + 7 * t, 47.9 - 5 * t};
		for (int i = 0; i < BW * BH; i++)
			blob[i] = (uint8_t)lrint(255 * exp(-(pow(i % BW - at[0], 2) + pow(i / BW - at[1], 2)) / (2 * SIGMA * SIGMA)));
		infer_batch(f, blob, 1, xy, NULL);
		ck_assert_msg(hypot((double)xy[0] - at[0], (double)xy[1] - at[1]) < 0.12, "%s: a blob at %g,%g is seen at %g,%g",
			unpadded[_i], at[0], at[1], (double)xy[0], (double)xy[1]);
		if (t) /* a shift of the image is a shift of the point */
			ck_assert(fabs((double)(xy[0] - from[0]) - 7) < 0.12 && fabs((double)(xy[1] - from[1]) + 5) < 0.12);
		from[0] = xy[0], from[1] = xy[1];
	}
	infer_free(f), model_free(m);
}
END_TEST

static void open_pair(void *arg)
{
	struct pair *p = arg;
	infer_free(infer_new(be, p->m, 3, 0));
}

START_TEST(incompatible_models)
{
	struct model *a = linear(TARGET_COORDS, 4, "a,b", 2);
	struct model *others[] = {linear(TARGET_COORDS, 4, "b,a", 2), linear(TARGET_COORDS, 6, "a,b,c", 2),
		linear(TARGET_LABEL, 4, "a,b", 2), model_new("fc", TARGET_COORDS, W + 1, H, 4, "a,b"),
		model_new("fc", TARGET_COORDS, W, H + 1, 4, "a,b")};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct pair p = {{a, a, others[i]}};
		struct child c = child_run(open_pair, &p);
		ck_assert_msg(c.status == 1 && strstr(c.err, "models 1 and 3 differ in target, input or names: they can't be averaged\n"),
			"%zu: %d %s", i, c.status, c.err);
		model_free(others[i]);
	}
	model_free(a);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("infer");
	TCase *t = tcase_create("infer");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, coords);
	tcase_add_test(t, symmetric);
	tcase_add_test(t, labels);
	tcase_add_test(t, images_out);
	tcase_add_test(t, unlearned);
	tcase_add_loop_test(t, places_of_cells, 0, sizeof unpadded / sizeof *unpadded);
	tcase_add_test(t, incompatible_models);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
