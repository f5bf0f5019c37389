/* The axis first, then partners, nearest first; then the mirroring is refined by the partners found, and partners by the mirroring. */
#include "lib/labels/pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/median.h"
#include "lib/labels/cholesky.h"
#include "lib/labels/shape.h"
#include "lib/stream/names.h"

/* Of the larger side of the image: how far a mirrored mean may lie from its partner's; how far the axis may be from the image's middle. */
#define TOLERANCE 0.05
#define AXIS_RANGE 0.1
/* Of the tolerance: two points on the axis are rather each alone there than a pair. */
#define TIE 0.1
/* Of a radian: how far the axis may be from upright. */
#define TILT_RANGE 0.1
/* Names may overrule a nearer point up to this many tolerances. */
#define NAME_TOLERANCES 3
/* See coherence; an eighth of all rows may have columns exchanged. */
#define COHERENT 0.75
#define PAIRS_ROWS_TELL 10
/* So many points without a side are not all on the axis: numbers of a contour, as of 68 points. */
#define AXIS_MANY 6

struct candidate {
	double distance;
	int a, b; /* a <= b; equal: on the axis */
};

static int by_distance(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	return x->distance != y->distance ? (x->distance > y->distance) - (x->distance < y->distance)
	       : x->a != y->a		  ? x->a - y->a
					  : x->b - y->b;
}

/* Median position of each point, which swapped and wrong labels hardly move; NaN with too few labels. Returns how many have one. */
static int medians(int k, const float *xy, size_t n, double (*m)[2])
{
	float *v = xmalloc((n + 1) * sizeof *v);
	int known = 0;
	for (int p = 0; p < k; p++) {
		for (int d = 0; d < 2; d++) {
			size_t count = 0;
			for (size_t i = 0; i < n; i++) {
				const float *q = xy + (i * (size_t)k + (size_t)p) * 2;
				if (!isnan(q[0]) && !isnan(q[1]))
					v[count++] = q[d];
			}
			m[p][d] = count < PAIRS_ROWS_MIN ? NAN : median(v, count);
		}
		known += !isnan(m[p][0]);
	}
	free(v);
	return known;
}

/* Of few rows that lack different points, medians are those of other faces for each point, turned otherwise: the centre of the shape model
 * is one of all rows, the missing points inferred. */
static void centre_of_few(int k, const float *xy, size_t n, int w, int h, double (*m)[2])
{
	struct shape *s = n < SHAPE_ROWS_MANY ? shape_fit(k, xy, n, w, h) : NULL;
	for (int p = 0; p < k && s; p++)
		for (int d = 0; d < 2; d++)
			m[p][d] = isnan(m[p][d]) ? NAN : s->mean[2 * p + d];
	if (s)
		shape_free(s);
}

/* An axis, x = x0 + tilt (y - y0), tilt small. */
struct axis {
	double x0, y0, tilt;
};

/* Where a mirrored point comes to lie: x = 2 axis - x, y = y at first; then a fit of degree 2 over the pairs found, since faces that look
 * more often to one side have a mean shape that is no exact mirror image of itself (Besl and McKay, 1992, for the iteration). */
enum { TERMS = 6, ROUNDS = 6, REFINE = 12, OPTIMAL = 600 };

struct mirror {
	double centre[2], size; /* of the mean shape: terms are of about 1 */
	double c[2][TERMS];
};

static void terms(const struct mirror *f, const double p[2], double v[TERMS])
{
	double x = (p[0] - f->centre[0]) / f->size, y = (p[1] - f->centre[1]) / f->size;
	v[0] = 1, v[1] = x, v[2] = y, v[3] = x * x, v[4] = x * y, v[5] = y * y;
}

static void mirror_point(const struct mirror *f, const double p[2], double to[2])
{
	double v[TERMS];
	terms(f, p, v);
	for (int d = 0; d < 2; d++) {
		to[d] = 0;
		for (int i = 0; i < TERMS; i++)
			to[d] += f->c[d][i] * v[i];
	}
}

/* Least squares with a ridge towards the plain mirroring about the axis. */
static void fit_mirror(struct mirror *f, int k, double (*m)[2], const int *partner, const struct axis *s)
{
	double a[TERMS * TERMS] = {0}, b[2][TERMS] = {{0}}, logdet, plain[2][TERMS] = {{0}};
	/* the centre is a point of the axis */
	plain[0][0] = s->x0, plain[0][1] = -f->size, plain[0][2] = 2 * s->tilt * f->size;
	plain[1][0] = s->y0, plain[1][1] = 2 * s->tilt * f->size, plain[1][2] = f->size;
	for (int p = 0; p < k; p++) {
		double v[TERMS];
		if (partner[p] < 0 || isnan(m[p][0]) || isnan(m[partner[p]][0]))
			continue;
		terms(f, m[p], v);
		for (int i = 0; i < TERMS; i++) {
			for (int j = 0; j < TERMS; j++)
				a[i * TERMS + j] += v[i] * v[j];
			for (int d = 0; d < 2; d++)
				b[d][i] += v[i] * m[partner[p]][d];
		}
	}
	for (int i = 0; i < TERMS; i++) { /* as heavy as a few points */
		a[i * TERMS + i] += 2;
		for (int d = 0; d < 2; d++)
			b[d][i] += 2 * plain[d][i];
	}
	if (!cholesky_invert(a, TERMS, &logdet))
		return;
	for (int d = 0; d < 2; d++)
		for (int i = 0; i < TERMS; i++) {
			f->c[d][i] = 0;
			for (int j = 0; j < TERMS; j++)
				f->c[d][i] += a[i * TERMS + j] * b[d][j];
		}
}

/* Distance of b from a mirrored about the axis, to first order in its tilt. */
static double mirrored(const double a[2], const double b[2], const struct axis *s)
{
	double x = a[0] - s->x0, y = a[1] - s->y0;
	return hypot(s->x0 - x + 2 * s->tilt * y - b[0], s->y0 + y + 2 * s->tilt * x - b[1]);
}

/* Sides say nothing against it: two named sides are not the same, and neither lies on the axis. */
static int sides_allow(const int *side, int a, int b)
{
	return a == b ? !side[a] : !(side[a] && side[a] == side[b]);
}

/* How badly the shape falls onto itself: mean over points of the distance to the nearest mirrored point, at most limit each. Of large
 * shapes every step-th point is asked. */
static double misfit(int k, double (*m)[2], const int *side, const struct axis *s, double limit)
{
	int step = k / 200 + 1, asked = 0;
	double sum = 0;
	for (int a = 0; a < k; a += step, asked++) {
		double nearest = limit;
		for (int b = 0; b < k && !isnan(m[a][0]); b++) {
			double d = isnan(m[b][0]) || !sides_allow(side, a, b) ? limit : mirrored(m[a], m[b], s);
			nearest = d < nearest ? d : nearest;
		}
		sum += nearest;
	}
	return sum / asked;
}

/* The axis with the least misfit, coarse to fine: each round looks about the best of the round before. */
static struct axis best_axis(int k, double (*m)[2], const int *side, double middle, double y0, double range, double limit)
{
	struct axis best = {middle, y0, 0};
	double tilt = TILT_RANGE;
	/* labels of one side have axes of their own, an eye's through its middle: an axis at the range's end must be better by half the
	 * limit */
	double prior = limit / 2 / range, least = INFINITY;
	for (double span = range; span > 0.02; span /= 5, tilt /= 4) {
		struct axis centre = best;
		for (int i = -6; i <= 6; i++)
			for (int l = -2; l <= 2; l++) {
				struct axis s = {centre.x0 + i * span / 6, y0, centre.tilt + l * tilt / 2};
				double v = misfit(k, m, side, &s, limit) + prior * fabs(s.x0 - middle);
				if (fabs(s.x0 - middle) <= range && v < least)
					least = v, best = s;
			}
	}
	return best;
}

/* Distance of a and b under the mirroring, or INFINITY where they can't be partners; named: names say that they are; side NULL: whatever
 * their sides. */
static double cost(double (*m)[2], double (*at)[2], const int *side, int a, int b, int named, double tolerance)
{
	if (isnan(m[a][0]) || isnan(m[b][0]) || (side && !sides_allow(side, a, b)))
		return INFINITY;
	double d = 0.5 * (hypot(at[a][0] - m[b][0], at[a][1] - m[b][1]) + hypot(at[b][0] - m[a][0], at[b][1] - m[a][1]));
	if (named)
		return d <= NAME_TOLERANCES * tolerance ? d - 1e6 : INFINITY; /* before all others */
	return d > tolerance ? INFINITY : a == b ? d : d + TIE * tolerance;
}

/* Nearest first, of those that have no partner yet. */
static void match_greedily(int k, double (*m)[2], double (*at)[2], const int *side, const int *by_name, double tolerance, int *partner)
{
	size_t count = 0, most = (size_t)k;
	struct candidate *list = xmalloc(most * sizeof *list);
	for (int a = 0; a < k; a++)
		for (int b = a; b < k; b++) {
			double d =
				partner[a] < 0 && partner[b] < 0 ? cost(m, at, side, a, b, by_name[a] == b && a != b, tolerance) : INFINITY;
			if (isinf(d))
				continue;
			if (count == most)
				list = xrealloc(list, (most *= 2) * sizeof *list);
			list[count++] = (struct candidate){d, a, b};
		}
	qsort(list, count, sizeof *list, by_distance);
	for (size_t i = 0; i < count; i++)
		if (partner[list[i].a] < 0 && partner[list[i].b] < 0)
			partner[list[i].a] = list[i].b, partner[list[i].b] = list[i].a;
	free(list);
}

/* The assignment of least total cost (the Hungarian method by shortest augmenting paths: Jonker and Volgenant, 1987); K^3. Those of its
 * cycles that are pairs or fixed points become partners. */
static void match_optimally(int k, double (*m)[2], double (*at)[2], const int *side, const int *by_name, double tolerance, int *partner)
{
	const double none = 1e7;
	size_t n = (size_t)k + 1;
	double *u = xcalloc(n, sizeof *u), *v = xcalloc(n, sizeof *v), *least = xmalloc(n * sizeof *least);
	int *row = xcalloc(n, sizeof *row), *way = xcalloc(n, sizeof *way); /* 0: none; row[b]: whom column b is given to, from 1 */
	char *used = xmalloc(n);
	for (int a = 1; a <= k; a++) {
		int b0 = 0;
		row[0] = a;
		memset(used, 0, n);
		for (int b = 0; b <= k; b++)
			least[b] = INFINITY;
		do {
			int i = row[b0], next = 0;
			double delta = INFINITY;
			used[b0] = 1;
			for (int b = 1; b <= k; b++) {
				if (used[b])
					continue;
				double d = cost(m, at, side, i - 1, b - 1, by_name[i - 1] == b - 1 && i != b, tolerance);
				d = (isinf(d) ? none : d) - u[i] - v[b];
				if (d < least[b])
					least[b] = d, way[b] = b0;
				if (least[b] < delta)
					delta = least[b], next = b;
			}
			for (int b = 0; b <= k; b++)
				if (used[b])
					u[row[b]] += delta, v[b] -= delta;
				else
					least[b] -= delta;
			b0 = next;
		} while (row[b0]);
		for (; b0; b0 = way[b0])
			row[b0] = row[way[b0]];
	}
	for (int a = 0; a < k; a++) {
		int b = row[a + 1] - 1;
		if (row[b + 1] - 1 == a && partner[a] < 0 && partner[b] < 0 &&
			!isinf(cost(m, at, side, a, b, by_name[a] == b && a != b, tolerance)))
			partner[a] = b, partner[b] = a;
	}
	free(u), free(v), free(least), free(row), free(way), free(used);
}

/* Partners under the mirroring; a point without labels keeps its name's. */
static void match(
	int k, double (*m)[2], const struct mirror *f, const int *side, const int *by_name, double tolerance, int optimal, int *partner)
{
	double(*at)[2] = xmalloc(((size_t)k + 1) * sizeof *at);
	for (int p = 0; p < k; p++) {
		partner[p] = NAMES_NO_PARTNER;
		mirror_point(f, m[p], at[p]);
	}
	for (int p = 0; p < k; p++)
		if (isnan(m[p][0]) && by_name[p] >= 0)
			partner[p] = by_name[p], partner[by_name[p]] = p;
	if (optimal)
		match_optimally(k, m, at, side, by_name, tolerance, partner);
	match_greedily(k, m, at, side, by_name, tolerance, partner);
	free(at);
}

/* rather[p]: a point that p falls onto, where the partner that names say is further off than the tolerance, and that point's as well. */
static void contradict(int k, double (*m)[2], const struct mirror *f, const int *side, const int *by_name, double tolerance, int *rather)
{
	double(*at)[2] = xmalloc(((size_t)k + 1) * sizeof *at);
	char *off = xcalloc((size_t)k + 1, 1);
	for (int p = 0; p < k; p++)
		mirror_point(f, m[p], at[p]);
	for (int p = 0; p < k; p++) {
		int q = by_name[p];
		off[p] = q >= 0 && q != p && !isnan(m[p][0]) && !isnan(m[q][0]) && isinf(cost(m, at, NULL, p, q, 0, tolerance));
	}
	for (int p = 0; p < k; p++) {
		double least = INFINITY;
		for (int q = 0; q < k && off[p]; q++) {
			double d = off[q] && q != p ? cost(m, at, side, p, q, 0, tolerance) : INFINITY;
			if (d < least)
				least = d, rather[p] = q;
		}
	}
	free(at), free(off);
}

/* Of rows with points a and b, at least PAIRS_ROWS_TELL (else 1): the share in which b lies on that side of a on which it lies on average;
 * 1 of a shape that keeps upright, about 1/2 where it is turned at will, or stands mirrored in half of the rows, as left and right hands.
 * *count: these rows; *length: their mean distance. */
static double coherence(int k, const float *xy, size_t n, int a, int b, size_t *count, double *length)
{
	double way[2] = {0}, sum = 0;
	size_t same = 0;
	*count = 0;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++) {
			const float *p = xy + 2 * (i * (size_t)k + (size_t)a), *q = xy + 2 * (i * (size_t)k + (size_t)b);
			double x = (double)p[0] - (double)q[0], y = (double)p[1] - (double)q[1], d = hypot(x, y);
			if (isnan(d) || d <= 0)
				continue;
			if (pass)
				same += x * way[0] + y * way[1] > 0;
			else
				way[0] += x / d, way[1] += y / d, sum += d, ++*count;
		}
	*length = *count ? sum / (double)*count : 0;
	return *count < PAIRS_ROWS_TELL ? 1 : (double)same / (double)*count;
}

/* Pairs that only labels tell are none where rows don't agree on their direction; nor are any where they don't on that of the points that
 * are furthest apart, of those that half of the rows have. */
static void doubt(int k, const float *xy, size_t n, const int *by_name, int *partner)
{
	double longest = 0, length, at_longest = 1;
	size_t count, most = 0;
	int step = k / 100 + 1, open = 0;
	for (int p = 0; p < k; p++)
		open |= partner[p] >= 0 && by_name[p] != partner[p];
	if (!open)
		return;
	for (int a = 0; a < k; a += step)
		for (int b = a + 1; b < k; b += step) {
			coherence(k, xy, n, a, b, &count, &length);
			most = count > most ? count : most;
		}
	for (int a = 0; a < k; a += step)
		for (int b = a + 1; b < k; b += step) {
			double c = coherence(k, xy, n, a, b, &count, &length);
			if (2 * count >= most && length > longest)
				longest = length, at_longest = c;
		}
	for (int p = 0; p < k; p++)
		if (at_longest < COHERENT && partner[p] >= 0 && by_name[p] != partner[p])
			partner[p] = NAMES_NO_PARTNER;
	for (int p = 0; p < k; p++) {
		int q = partner[p];
		if (q > p && by_name[p] != q && coherence(k, xy, n, p, q, &count, &length) < COHERENT)
			partner[p] = partner[q] = NAMES_NO_PARTNER;
	}
}

int *pairs_find(int k, const float *xy, size_t n, int w, int h, char **names, int *rather)
{
	int *partner = names_partners(names, NULL), *by_name = xmalloc(((size_t)k + 1) * sizeof *by_name);
	int *side = xcalloc((size_t)k + 1, sizeof *side);
	double(*m)[2] = xmalloc(((size_t)k + 1) * sizeof *m), tolerance = TOLERANCE * (w > h ? w : h);
	int known = medians(k, xy, n, m);
	for (int p = 0; p < k && rather; p++)
		rather[p] = NAMES_NO_PARTNER;
	if (2 * known < k || !known) {
		free(by_name), free(side), free(m);
		return partner;
	}
	centre_of_few(k, xy, n, w, h, m);
	memcpy(by_name, partner, (size_t)k * sizeof *by_name);
	for (int p = 0; p < k; p++)
		side[p] = names_side(names[p], names);
	double y0 = 0;
	for (int p = 0; p < k; p++)
		y0 += isnan(m[p][0]) ? 0 : m[p][1] / known;
	struct axis axis = best_axis(k, m, side, 0.5 * (w - 1), y0, AXIS_RANGE * w, 2 * tolerance);
	struct mirror f = {.centre = {axis.x0, axis.y0}, .size = w > h ? w : h};
	for (int p = 0; p < k; p++)
		partner[p] = NAMES_NO_PARTNER;
	fit_mirror(&f, k, m, partner, &axis); /* no pairs yet: the plain mirroring */
	for (int round = 0; round < ROUNDS; round++) {
		match(k, m, &f, side, by_name, tolerance, 0, partner);
		int found = 0;
		for (int p = 0; p < k; p++)
			found += partner[p] > p;
		if (found < REFINE) /* too few to tell a fit from a slide along the shape; sparse points need none */
			break;
		fit_mirror(&f, k, m, partner, &axis);
	}
	match(k, m, &f, side, by_name, tolerance, k <= OPTIMAL, partner);
	doubt(k, xy, n, by_name, partner);
	if (rather)
		contradict(k, m, &f, side, by_name, tolerance, rather);
	free(by_name), free(side), free(m);
	return partner;
}

int *pairs_complete(int k, const float *xy, size_t n, int w, int h, char **names)
{
	int *partner = names_partners(names, NULL), *found = pairs_find(k, xy, n, w, h, names, NULL), open = 0;
	char *is_open = xcalloc((size_t)k + 1, 1);
	for (int p = 0; p < k; p++)
		open += is_open[p] = (char)(partner[p] < 0 || partner[p] == p);
	for (int p = 0; p < k; p++)
		if (is_open[p] && (found[p] >= 0 ? is_open[found[p]] : open > AXIS_MANY))
			partner[p] = found[p];
	free(found), free(is_open);
	return partner;
}

void pairs_state(int *partner, char **names, const char *stated)
{
	int *said = names_partners(names, stated);
	for (int i = 0; names[i]; i++) {
		if (said[i] < 0)
			continue;
		int was = partner[i];
		if (was >= 0 && was != said[i] && partner[was] == i)
			partner[was] = NAMES_NO_PARTNER;
		partner[i] = said[i];
	}
	free(said);
}
