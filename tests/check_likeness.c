/* Likeness and its groups: turned copies are recognised by their points, thresholds and average linkage agree with what their headers say.
 */
#include <math.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/labels/likeness.h"
#include "lib/labels/linkage.h"
#include "tests/prog.h"

static double uniform(int a, int b, int c)
{
	return (double)philox_uniform(philox(7, PHILOX_TEST, (uint32_t)a, (uint32_t)b, (uint32_t)c).v[0]);
}

static double normal(int a, int b, int c)
{
	return sqrt(-2 * log(1 - uniform(a, b, 2 * c))) * cos(2 * M_PI * uniform(a, b, 2 * c + 1));
}

/* ---- groups ---- */

enum { D = 64, MANY = 400 };
static float x[MANY][D];

/* Unit vectors about centres, member i of centre i % centres. */
static void scatter(int seed, int n, int centres, double spread)
{
	for (int i = 0; i < n; i++) {
		double v[D], norm = 0;
		for (int k = 0; k < D; k++)
			v[k] = normal(seed, i % centres, k) + spread * normal(seed + 1, i, k), norm += v[k] * v[k];
		for (int k = 0; k < D; k++)
			x[i][k] = (float)(v[k] / sqrt(norm));
	}
}

static float threshold_by_counting(int n, double odds)
{
	static double v[MANY * MANY];
	float found = 2;
	int pairs = 0;
	for (int i = 0; i < n; i++)
		for (int k = 0; k < i; k++)
			v[pairs++] = (double)linkage_product(x[i], x[k], D) * LINKAGE_STEPS;
	for (int s = LINKAGE_STEPS; s > 0; s--) {
		double above = 0, below = 0;
		for (int p = 0; p < pairs; p++)
			above += v[p] >= s, below += v[p] <= -s;
		if (below + 1 <= odds * above)
			found = (float)s / LINKAGE_STEPS;
		else if (found < 2)
			break;
	}
	return found;
}

START_TEST(thresholds)
{
	float nearest[MANY];
	for (int seed = 0; seed < 4; seed++) {
		scatter(10 * seed, 150, 50, 0.8);
		float t = linkage_threshold(x[0], 150, D, 0.1, nearest);
		ck_assert_float_eq(t, threshold_by_counting(150, 0.1));
		ck_assert(t > 0.15f && t < 0.5f); /* members: 0.6, others: 0 +- 0.125 */
		for (int i = 0; i < 150; i++) {
			float high = -1;
			for (int k = 0; k < 150; k++)
				high = k == i ? high : fmaxf(high, linkage_product(x[i], x[k], D));
			ck_assert_float_eq(nearest[i], high);
		}
		scatter(10 * seed, 150, 150, 0); /* unrelated ones */
		ck_assert_float_eq(linkage_threshold(x[0], 150, D, 0.01, nearest), 2);
	}
	ck_assert_float_eq(linkage_threshold(x[0], 0, D, 0.1, nearest), 2);
	ck_assert_float_eq(linkage_threshold(x[0], 1, D, 0.1, nearest), 2);
	for (int i = 0; i < 30; i++) /* equal ones: 435 pairs at 1 */
		memcpy(x[i], x[0], sizeof x[0]);
	ck_assert_float_eq(linkage_threshold(x[0], 30, D, 0.01, nearest), 1.0f / LINKAGE_STEPS);
}
END_TEST

/* Average linkage as it is defined: the two groups with the highest mean product of their members are joined, as long as it reaches t. */
static void link_slowly(int *group, int n, double t)
{
	for (int i = 0; i < n; i++)
		group[i] = i;
	for (;;) {
		double high = -2;
		int a = 0, b = 0;
		for (int i = 0; i < n; i++)
			for (int k = 0; k < i; k++) {
				double sum = 0, pairs = 0;
				for (int p = 0; p < n && group[i] == i && group[k] == k; p++)
					for (int q = 0; q < n; q++)
						if (group[p] == i && group[q] == k)
							sum += (double)linkage_product(x[p], x[q], D), pairs++;
				if (pairs > 0 && sum / pairs > high)
					high = sum / pairs, a = k, b = i;
			}
		if (high < t)
			return;
		for (int i = 0; i < n; i++)
			group[i] = group[i] == b ? a : group[i];
	}
}

START_TEST(average)
{
	static const int size[] = {0, 1, 2, 3, 17, 40};
	static const double spread[] = {0.3, 1, 2};
	float nearest[MANY];
	int want[MANY], joined = 0, apart = 0;
	for (int k = 0; k < 6 * 3 * 3; k++) {
		int n = size[k % 6];
		float t = (float[]){0.1f, 0.3f, 0.6f}[k / 18];
		scatter(100 + k, n, n / 4 + 1, spread[k / 6 % 3]);
		linkage_threshold(x[0], (uint32_t)n, D, 0.1, nearest);
		uint32_t *g = linkage_average(x[0], (uint32_t)n, D, t, nearest);
		link_slowly(want, n, (double)t);
		for (int i = 0; i < n; i++) {
			ck_assert_msg(g[i] == (uint32_t)want[i], "of %d, %d is in %u, not %d", n, i, g[i], want[i]);
			want[i] == i ? apart++ : joined++;
		}
		free(g);
	}
	ck_assert(joined > 100 && apart > 100);
}
END_TEST

/* Equal vectors are one group, in spite of ties; the ends of a chain are not joined by what lies between. */
START_TEST(ties_and_chains)
{
	float nearest[MANY];
	scatter(3, 5, 5, 0);
	for (int i = 5; i < 60; i++)
		memcpy(x[i], x[i % 5], sizeof x[0]);
	linkage_threshold(x[0], 60, D, 0.1, nearest);
	uint32_t *g = linkage_average(x[0], 60, D, 0.9f, nearest);
	for (int i = 0; i < 60; i++)
		ck_assert_uint_eq(g[i], (uint32_t)i % 5);
	free(g);
	memset(x, 0, sizeof x);
	for (int i = 0; i < 64; i++) /* neighbours at 5 degrees */
		x[i][0] = (float)cos(i * M_PI / 36), x[i][1] = (float)sin(i * M_PI / 36);
	linkage_threshold(x[0], 64, D, 0.1, nearest);
	g = linkage_average(x[0], 64, D, 0.9f, nearest);
	ck_assert_uint_ne(g[0], g[8]);
	for (int i = 1; i < 64; i++)
		ck_assert_uint_ge(g[i], g[i - 1]); /* groups are stretches of the circle */
	free(g);
}
END_TEST

/* ---- images ---- */

enum { W = 48, H = 44, K = 5, N = 120 };
static uint8_t images[N][H][W];
static float points[N][K][2];

/* Blobs of a number's own about five features; turned, scaled and shifted about the centre, with its points. */
static void paint(int to, int number, double angle, double scale, double dx, double dy)
{
	static const double at[K][2] = {{-8, -6}, {8, -6}, {0, 2}, {-6, 9}, {6, 9}};
	double c = scale * cos(angle), s = scale * sin(angle);
	for (int k = 0; k < K; k++) {
		double px = at[k][0], py = at[k][1];
		points[to][k][0] = (float)(W / 2.0 + dx + c * px - s * py), points[to][k][1] = (float)(H / 2.0 + dy + s * px + c * py);
	}
	for (int i = 0; i < W * H; i++) {
		double x0 = i % W - W / 2.0 - dx, y0 = (double)(i / W) - H / 2.0 - dy, v = 120;
		double u = (c * x0 + s * y0) / (scale * scale), w = (c * y0 - s * x0) / (scale * scale);
		for (int b = 0; b < 12; b++) {
			double bx = 30 * uniform(number, 50, b) - 15, by = 30 * uniform(number, 51, b) - 15,
			       high = 140 * uniform(number, 52, b) - 70;
			v += high * exp(-((u - bx) * (u - bx) + (w - by) * (w - by)) / 12);
		}
		images[to][i / W][i % W] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
	}
}

static float *vectors(int n, int seen)
{
	prog_stream("like.tns", (uint64_t)n,
		(struct prog_col[]){{"image", TNS_U8, H, W, images}, {"keypoints", TNS_F32, K, 2, points}, {0}}, NULL);
	struct tns_table *t = tns_load("like.tns");
	float *v = likeness(t, 0, seen ? 1 : -1);
	tns_unload(t);
	return v;
}

static double product(const float *v, int a, int b)
{
	return (double)linkage_product(v + (size_t)a * LIKENESS_DIM, v + (size_t)b * LIKENESS_DIM, LIKENESS_DIM);
}

/* Row i + N / 2 shows the same as row i, turned by up to 57 degrees, scaled, moved, darker: nearest to it of all, where points tell how. */
static int found(int seen)
{
	int n = 0;
	float *v = vectors(N, seen);
	for (int i = 0; i < N; i++) {
		int best = -1;
		ck_assert_double_eq_tol(product(v, i, i), 1, 1e-4);
		for (int k = 0; k < N; k++)
			if (k != i && (best < 0 || product(v, i, k) > product(v, i, best)))
				best = k;
		n += best == (i + N / 2) % N;
	}
	free(v);
	return n;
}

static void paint_pairs(void)
{
	for (int i = 0; i < N / 2; i++) {
		paint(i, i, 0.1 * normal(1, 60, i), 1, 0, 0);
		paint(i + N / 2, i, 2 * uniform(1, 61, i) - 1, 0.8 + 0.5 * uniform(1, 62, i), 6 * uniform(1, 63, i) - 3, 2);
		uint8_t *dark = &images[i + N / 2][0][0];
		for (int p = 0; p < W * H; p++)
			dark[p] = (uint8_t)(20 + dark[p] / 2);
	}
}

START_TEST(turned)
{
	paint_pairs();
	ck_assert_int_ge(found(1), N * 95 / 100);
	ck_assert_int_le(found(0), N / 2);
	for (int i = 0; i < N; i++) /* two points are enough, whichever */
		for (int k = 0; k < 3; k++)
			points[i][(i + k) % K][i % 2] = NAN;
	ck_assert_int_ge(found(1), N * 95 / 100);
}
END_TEST

/* Neither brightness nor contrast matters. */
START_TEST(contrast)
{
	for (int i = 0; i < N / 2; i++) {
		paint(i, i, 0, 1, 0, 0);
		for (int p = 0; p < W * H; p++) {
			uint8_t *v = &images[i][p / W][p % W];
			*v &= 0xFE, images[i + N / 2][p / W][p % W] = (uint8_t)(20 + *v / 2);
		}
	}
	float *v = vectors(N, 0);
	for (int i = 0; i < N / 2; i++)
		ck_assert_double_eq_tol(product(v, i, i + N / 2), 1, 1e-4);
	free(v);
}
END_TEST

/* Labels that can't be do no harm: rows with them are seen as if they had none, others as before. */
START_TEST(wild)
{
	static const float wild[] = {1e30f, -1e30f, INFINITY, -INFINITY, NAN, 3 * W, -2 * W};
	paint_pairs();
	for (int i = 0; i < 14; i++)
		for (int k = 0; k < K; k++)
			points[i][k][i / 7] = wild[i % 7];
	for (int k = 0; k < K; k++) /* all in one place, and mirrored */
		points[14][k][0] = 20, points[14][k][1] = 20, points[15][k][0] = (float)W - points[15][k][0];
	ck_assert_int_ge(found(1), (N - 2 * 16) * 95 / 100);
	for (int i = 0; i < N; i++)
		for (int k = 0; k < K; k++)
			points[i][k][0] = NAN;
	int none = found(1);
	ck_assert_int_eq(none, found(0));
}
END_TEST

START_TEST(nothing_to_compare)
{
	ck_assert_ptr_null(vectors(0, 1));
	ck_assert_ptr_null(vectors(1, 1));
	memset(images, 77, sizeof images);
	ck_assert_ptr_null(vectors(N, 1));
	images[3][20][20] = 0; /* one differs */
	float *v = vectors(N, 0);
	ck_assert_ptr_nonnull(v);
	ck_assert_double_eq_tol(product(v, 0, 1), 1, 1e-4);
	ck_assert_double_lt(product(v, 0, 3), 0);
	free(v);
}
END_TEST

int main(void)
{
	prog_begin();
	Suite *s = suite_create("likeness");
	TCase *t = tcase_create("likeness");
	suite_add_tcase(s, t);
	tcase_add_test(t, thresholds);
	tcase_add_test(t, average);
	tcase_add_test(t, ties_and_chains);
	tcase_add_test(t, turned);
	tcase_add_test(t, contrast);
	tcase_add_test(t, wild);
	tcase_add_test(t, nothing_to_compare);
	return prog_end(s);
}
