/* The choice among a row's possible faults against all of them computed in double, penalties included; bounds of images that are wider than
 * high, in faults_find and through csv-clean. */
#include <math.h>

#include "lib/base/philox.h"
#include "lib/labels/fault.h"
#include "tests/prog.h"

enum { W = 50, H = 34, K = 6, PAIRS = 2, ROWS = 6000 };

static const int mirror[K] = {1, 0, 3, 2, 4, 5};
static const double centre[K][2] = {{32, 12}, {18, 12}, {38, 14}, {12, 14}, {25, 20}, {25, 26}};
#define SIGMA 1.5
#define DOF 6.0

static uint32_t drawn;

static double uniform(void)
{
	return (double)philox_uniform(philox(41, PHILOX_TEST, 0, drawn++, 0).v[0]);
}

static double normal(void)
{
	struct philox p = philox(41, PHILOX_TEST, 1, drawn++, 0);
	return (double)philox_normal(p.v[0], p.v[1]);
}

/* A model of points that are independent but for the t distribution's common scale. */
static struct shape *model(void)
{
	struct shape *s = shape_new(K);
	s->dof = DOF;
	for (int i = 0; i < 2 * K; i++)
		s->mean[i] = centre[i / 2][i % 2], s->cov[i * 2 * K + i] = SIGMA * SIGMA;
	shape_clear_cache(s);
	return s;
}

/* Log density of a t distribution in p dimensions at squared distance d. */
static double density(int p, double d, double log_det)
{
	return lgamma((DOF + p) / 2) - lgamma(DOF / 2) - p / 2.0 * log(DOF * M_PI) - log_det / 2 - (DOF + p) / 2 * log(1 + d / DOF);
}

static double square(const float *xy, int k)
{
	return (pow((double)xy[2 * k] - centre[k][0], 2) + pow((double)xy[2 * k + 1] - centre[k][1], 2)) / (SIGMA * SIGMA);
}

/* Of the points in the set. */
static double likelihood(const float *xy, unsigned set)
{
	int n = 0;
	double d = 0;
	for (int k = 0; k < K; k++)
		if (set >> k & 1)
			n++, d += square(xy, k);
	return n ? density(2 * n, d, 2 * n * log(SIGMA * SIGMA)) : 0;
}

/* Up to a translation: of the n points' differences to the first, whose covariance is SIGMA^2 (1 + the unit matrix) on each axis. Its
 * determinant is SIGMA^(2 n - 2) n, and their squared distance what is left of the deviations about their mean. */
static double translated(const float *xy, unsigned set, double move[2])
{
	double d = 0;
	int n = __builtin_popcount(set);
	for (int axis = 0; axis < 2; axis++) {
		move[axis] = 0;
		for (int k = 0; k < K; k++)
			move[axis] += set >> k & 1 ? ((double)xy[2 * k + axis] - centre[k][axis]) / n : 0;
		for (int k = 0; k < K; k++)
			d += set >> k & 1 ? pow((double)xy[2 * k + axis] - centre[k][axis] - move[axis], 2) / (SIGMA * SIGMA) : 0;
	}
	return density(2 * (n - 1), d, 2 * ((n - 1) * log(SIGMA * SIGMA) + log(n)));
}

struct choice {
	enum fault_kind kind;
	double value, second; /* of the best and of the next */
	unsigned points;
};

static void consider(struct choice *c, enum fault_kind kind, double value, unsigned points)
{
	if (value > c->value)
		c->second = c->value, c->kind = kind, c->value = value, c->points = points;
	else
		c->second = fmax(c->second, value);
}

static void swap(float *xy, int k)
{
	for (int i = 0; i < 2; i++) {
		float t = xy[2 * k + i];
		xy[2 * k + i] = xy[2 * mirror[k] + i], xy[2 * mirror[k] + i] = t;
	}
}

/* All hypotheses: no fault, which is ten times as likely beforehand; all pairs swapped; one pair of two; n points anywhere in the image, of
 * all choices of n; moved to anywhere in the image; all points anywhere. */
static struct choice best(const float *row, unsigned set, double move[2])
{
	double area = log((double)W * H);
	int labels = __builtin_popcount(set), both = (set & 15) == 15;
	struct choice c = {FAULT_NONE, likelihood(row, set) + log(10), -INFINITY, 0};
	float xy[2 * K];
	for (unsigned pairs = 1; pairs < 4; pairs++) {
		unsigned first = (pairs & 1) | (pairs & 2) << 1, members = first | first << 1;
		if ((members & set) != members)
			continue;
		memcpy(xy, row, sizeof xy);
		for (int k = 0; k < K; k++)
			if (first >> k & 1)
				swap(xy, k);
		consider(&c, FAULT_SWAPPED, likelihood(xy, set) - (both && pairs < 3 ? log(PAIRS) : 0), first);
	}
	for (unsigned out = 1; out < set; out++) {
		int n = __builtin_popcount(out);
		if ((out & set) != out)
			continue;
		double choices = lgamma(labels + 1) - lgamma(n + 1) - lgamma(labels - n + 1);
		consider(&c, FAULT_FAR, likelihood(row, set & ~out) - n * area - choices, out);
	}
	consider(&c, FAULT_SHIFTED, translated(row, set, move) - area, 0);
	consider(&c, FAULT_SCRAMBLED, -labels * area, 0);
	if (c.kind == FAULT_FAR && 3 * __builtin_popcount(c.points) > labels && __builtin_popcount(c.points) > 1)
		c.kind = FAULT_SCRAMBLED;
	return c;
}

/* A row with a fault of any kind, of any size, so that all hypotheses are near each other in some. */
static void make_row(float *xy, int i)
{
	double size = 14 * uniform(), angle = 2 * M_PI * uniform(), wide = 0.6 + (i % 7 ? 0.8 : 1.6) * uniform();
	for (int k = 0; k < 2 * K; k++)
		xy[k] = (float)(centre[k / 2][k % 2] + wide * SIGMA * normal());
	int n = i % 6;
	for (int k = 0; k < K && n < 4; k++) /* up to three points off, or all together */
		if (n == 3 || k < n)
			xy[2 * k] += (float)(size * cos(angle + (n < 3 ? k : 0))),
				xy[2 * k + 1] += (float)(size * sin(angle + (n < 3 ? k : 0)));
	if (n == 4) /* a pair, or both, swapped in part: drawn together */
		for (int k = 0; k < 4; k++) {
			double share = k < 2 || size > 7 ? 0.4 + 0.6 * uniform() : 0;
			xy[2 * k] += (float)(share * (centre[mirror[k]][0] - centre[k][0]));
		}
	for (int k = 0; k < K && n == 5; k++) {
		double share = 0.3 + 0.7 * uniform();
		xy[2 * k] += (float)(share * (W * uniform() - (double)xy[2 * k])),
			xy[2 * k + 1] += (float)(share * (H * uniform() - (double)xy[2 * k + 1]));
	}
	for (int k = 0; k < 2 * K; k++)
		xy[k] = fminf(fmaxf(xy[k], 0), k % 2 ? H - 1 : W - 1);
	for (int k = 0; k < K; k++) /* of every fifth row some labels are missing */
		if (i % 5 == 2 && uniform() < 0.5)
			xy[2 * k] = xy[2 * k + 1] = NAN;
}

START_TEST(most_likely_fault)
{
	struct shape *s = model();
	struct faults *f = faults_new(K);
	int decided[FAULT_KINDS] = {0}, close[FAULT_KINDS] = {0};
	for (int i = 0; i < ROWS; i++) {
		float xy[2 * K];
		double move[2];
		struct shape_test_result v;
		make_row(xy, i);
		shape_test(s, xy, &v);
		faults_find(f, s, xy, mirror, W, H);
		if (!(v.set || v.point || v.shift)) {
			ck_assert_int_eq(f->n, 0);
			continue;
		}
		unsigned set = (unsigned)shape_visible(K, xy);
		struct choice c = best(xy, set, move);
		int all_pairs = (set & 15) == 15 ? c.points == 5 : 0;
		if (c.value - c.second < 1e-6)
			continue;
		decided[c.kind]++, close[c.kind] += c.value - c.second < 0.6;
		enum fault_kind first = f->n ? f->list[0].kind : FAULT_NONE;
		ck_assert_msg(first == (c.kind == FAULT_NONE && v.set ? FAULT_ODD : c.kind),
			"row %d: %s, not %s, which is %g more likely than the next", i, fault_name(first), fault_name(c.kind),
			c.value - c.second);
		unsigned points = 0;
		for (int k = 0; k < K; k++)
			points |= (unsigned)(f->blank[k] != 0) << k;
		if (c.kind == FAULT_NONE)
			ck_assert(!points && !f->drop);
		if (c.kind == FAULT_SHIFTED)
			ck_assert(f->drop && fabs((double)f->list[0].at[0] - move[0]) < 1e-4 &&
				  fabs((double)f->list[0].at[1] - move[1]) < 1e-4);
		if (c.kind == FAULT_SCRAMBLED)
			ck_assert(f->drop);
		if (c.kind == FAULT_FAR) /* further faults may be found among what is left */
			ck_assert_msg((points & c.points) == c.points && f->list[0].point == __builtin_ctz(c.points) &&
					      fabs(f->list[0].expect[1] - centre[f->list[0].point][1]) < 1e-4,
				"row %d: points %x, not %x", i, points, c.points);
		if (c.kind == FAULT_SWAPPED)
			ck_assert_msg((points & (c.points | c.points << 1)) == (c.points | c.points << 1) &&
					      f->list[0].point == (all_pairs ? -1 : __builtin_ctz(c.points)),
				"row %d: points %x, not %x and their partners", i, points, c.points);
	}
	static const enum fault_kind all[] = {FAULT_NONE, FAULT_SWAPPED, FAULT_FAR, FAULT_SHIFTED, FAULT_SCRAMBLED};
	for (int k = 0; k < 5; k++)
		ck_assert_msg(decided[all[k]] > 20 && close[all[k]] > 2, "%s: %d, %d of them close", fault_name(all[k]), decided[all[k]],
			close[all[k]]);
	shape_free(s), faults_free(f);
}
END_TEST

/* A label may be a pixel beyond each edge, no more; x by the width, y by the height. */
static const struct {
	float x, y;
	enum fault_kind kind;
} edges[] = {{-1, 5, FAULT_NONE}, {-1.01f, 5, FAULT_OUTSIDE}, {W, 5, FAULT_NONE}, {W + 0.01f, 5, FAULT_OUTSIDE}, {5, -1, FAULT_NONE},
	{5, -1.01f, FAULT_OUTSIDE}, {5, H, FAULT_NONE}, {5, H + 0.01f, FAULT_OUTSIDE}, {5, W - 1, FAULT_OUTSIDE},
	{W - 1, H - 1, FAULT_NONE}, {NAN, 5, FAULT_HALF}, {5, NAN, FAULT_HALF}, {NAN, NAN, FAULT_NONE}, {NAN, H + 2, FAULT_OUTSIDE},
	{W + 2, NAN, FAULT_OUTSIDE}};

/* As many points as a model has at most: the first and the last are off, and no other is blanked. */
START_TEST(most_points)
{
	enum { MOST = SHAPE_POINTS_MAX };
	struct shape *s = shape_new(MOST);
	struct faults *f = faults_new(MOST);
	float xy[2 * MOST];
	int none[MOST];
	s->dof = DOF;
	for (int i = 0; i < 2 * MOST; i++) {
		s->mean[i] = i % 2 ? 3 + 4 * (i / 16) : 5 + 5 * (i / 2 % 8), s->cov[i * 2 * MOST + i] = SIGMA * SIGMA;
		xy[i] = (float)(s->mean[i] + SIGMA * normal());
		none[i / 2] = i / 2;
	}
	shape_clear_cache(s);
	xy[0] = 45, xy[2 * MOST - 2] = 2;
	faults_find(f, s, xy, none, W, H);
	ck_assert_int_eq(f->n, 2);
	for (int i = 0; i < 2; i++) {
		int k = i ? MOST - 1 : 0;
		ck_assert(f->list[i].kind == FAULT_FAR && f->list[i].point == k && f->list[i].at[0] == xy[2 * k]);
		ck_assert_double_eq_tol(f->list[i].expect[0], s->mean[2 * k], 1e-9); /* the points are independent */
	}
	for (int k = 0; k < MOST; k++)
		ck_assert_int_eq(f->blank[k], k == 0 || k == MOST - 1);
	faults_free(f), shape_free(s);
}
END_TEST

START_TEST(bounds)
{
	static const int self[3] = {0, 1, 2};
	struct faults *f = faults_new(3);
	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
		faults_find(f, NULL, (float[]){10, 10, edges[i].x, edges[i].y, 20, 20}, self, W, H);
		ck_assert_msg(
			f->n == (edges[i].kind != FAULT_NONE) && f->blank[1] == (edges[i].kind != FAULT_NONE) && !f->blank[0] && !f->drop,
			"%g,%g: %d faults", (double)edges[i].x, (double)edges[i].y, f->n);
		ck_assert(!f->n || (f->list[0].kind == edges[i].kind && f->list[0].point == 1));
	}
	faults_free(f);
}
END_TEST

START_TEST(bounds_of_a_file)
{
	FILE *f = fopen("faces.csv", "w");
	fprintf(f, "a_x,a_y,b_x,b_y,c_x,c_y,Image\n");
	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
		fprintf(f, "%g,10,", 10 + 0.25 * (double)i);
		for (int k = 0; k < 2; k++)
			isnan(k ? edges[i].y : edges[i].x) ? fprintf(f, ",") : fprintf(f, "%.9g,", (double)(k ? edges[i].y : edges[i].x));
		fprintf(f, "%g,20,", 20 + 0.25 * (double)i);
		for (int k = 0; k < W * H; k++)
			fprintf(f, "%s%d", k ? " " : "", (k * 7 + (int)i * 31) % 256);
		fprintf(f, "\n");
	}
	fclose(f);
	prog_went(prog("csv-clean", "-q", "--size", "50x34", "--report", "report.tsv", "faces.csv", "-o", "out.tns", NULL));
	struct tns_table *t = tns_load("out.tns");
	int id = tns_find(tns_table_head(t), "keypoints");
	ck_assert_uint_eq(tns_table_head(t)->def[id].rows, sizeof edges / sizeof *edges);
	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
		const float *xy = tns_row(t, id, i);
		int blank = edges[i].kind != FAULT_NONE || isnan(edges[i].x);
		ck_assert_msg(isnan(xy[2]) == blank && isnan(xy[3]) == blank && !isnan(xy[0]) && !isnan(xy[4]), "%g,%g became %g,%g",
			(double)edges[i].x, (double)edges[i].y, (double)xy[2], (double)xy[3]);
	}
	tns_unload(t);
}
END_TEST

int main(void)
{
	prog_begin();
	Suite *s = suite_create("fault");
	TCase *t = tcase_create("fault");
	suite_add_tcase(s, t);
	tcase_add_test(t, most_likely_fault);
	tcase_add_test(t, most_points);
	tcase_add_test(t, bounds);
	tcase_add_test(t, bounds_of_a_file);
	return prog_end(s);
}
