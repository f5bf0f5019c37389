/* Labels sorted by value, so that equal pairs stand together: those of one point may be its mean; each pair that recurs, the most frequent
 * first, is compared with the other labels of its points, less what was found so far. Before that, the smallest and the largest x, and y,
 * that recur. */
#include "lib/labels/sentinel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/ascending.h"
#include "lib/base/err.h"
#include "lib/base/median.h"
#include "lib/base/num.h"

/* A pair recurs at least so often, or a single number so often as makes a point without other labels have none; it is far at so many robust
 * standard deviations (1.4826 MAD: Rousseeuw and Croux, 1993), each with some pixels added; of its labels this part must be far. */
enum { REPEATS = 3, DEVIATIONS = 6, NEVER = 10, TRIED = 64 /* most frequent pairs */ };
#define PIXELS 0.5
#define FAR_PART 0.5
/* A mean stands in this part of a point's labels at least, and so many times as often as the next pair; the labels beside it are further
 * from it than two steps of their grid. Where all points of these rows stand still, in this part of them at least, it must be near the
 * mean, or the median: this part of a standard deviation, and three standard errors. Whole numbers with a standard deviation of 0.4 repeat
 * one pair 8 times as often as the next. All but this part of a point that is fixed are at one place. */
#define MEAN_PART 0.01
#define MEAN_TIMES 8
#define MEAN_NEAR 0.25
#define STILL_PART 0.9
#define GRID_STEPS 1.5
#define MOVED_PART 0.01

struct label {
	float x, y;
	int point;
};

static int by_value(const void *a, const void *b)
{
	const struct label *p = a, *q = b;
	return p->x != q->x ? (p->x > q->x) - (p->x < q->x) : p->y != q->y ? (p->y > q->y) - (p->y < q->y) : p->point - q->point;
}

struct group { /* labels [from, to) are equal */
	size_t from, to;
};

static int by_count(const void *a, const void *b)
{
	const struct group *p = a, *q = b;
	size_t m = p->to - p->from, n = q->to - q->from;
	return m != n ? (m < n) - (m > n) : (p->from > q->from) - (p->from < q->from);
}

static int is_labelled(const float *xy)
{
	return !isnan(xy[0]) && !isnan(xy[1]);
}

/* 1: has the numbers of v; NaN there is any number. */
static int has(const float *xy, const float v[2])
{
	return (isnan(v[0]) || xy[0] == v[0]) && (isnan(v[1]) || xy[1] == v[1]);
}

struct rows { /* what is searched: xy (n, k, 2) of w x h images */
	const float *xy;
	size_t n;
	int k, w, h;
};

/* 1: label i, of all in the order of xy, is one, and none of the sentinels found so far. */
static int is_left(const struct sentinels *s, const struct rows *r, size_t i)
{
	return is_labelled(r->xy + 2 * i) && !sentinel_is(s, (int)(i % (size_t)r->k), r->xy + 2 * i);
}

/* The labels of point p but v and the sentinels found so far: the coordinates d of them, into to. */
static size_t others(const struct sentinels *s, const struct rows *r, int p, const float v[2], int d, float *to)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++) {
		size_t at = i * (size_t)r->k + (size_t)p;
		if (!has(r->xy + 2 * at, v) && is_left(s, r, at))
			to[n++] = r->xy[2 * at + (size_t)d];
	}
	return n;
}

/* Removes, of n numbers, the smallest or largest where more than a third of them are it: it may be another sentinel, and would hide how the
 * rest is spread. */
static size_t without_repeated(float *v, size_t n)
{
	qsort(v, n, sizeof *v, ascending_float);
	for (;;) {
		size_t low = 0, high = 0;
		while (low < n && v[low] == v[0])
			low++;
		while (high < n && v[n - 1 - high] == v[n - 1])
			high++;
		size_t most = low > high ? low : high;
		if (3 * most <= n || n - most < REPEATS)
			return n;
		if (low > high)
			memmove(v, v + low, (n - low) * sizeof *v);
		n -= most;
	}
}

/* 1: v is far from the other labels of point p, or they are too few and it stands on the border or outside always. */
static int is_far(const struct sentinels *s, const struct rows *r, const float v[2], int p, size_t count, float *work)
{
	double distance = 0;
	for (int d = 0; d < 2; d++) {
		if (isnan(v[d]))
			continue;
		size_t n = others(s, r, p, v, d, work);
		if (n < REPEATS)
			return count >= NEVER && (v[0] <= 0 || v[1] <= 0 || v[0] >= (float)(r->w - 1) || v[1] >= (float)(r->h - 1));
		n = without_repeated(work, n);
		double centre = median(work, n);
		for (size_t i = 0; i < n; i++)
			work[i] = fabsf(work[i] - (float)centre);
		double z = ((double)v[d] - centre) / (1.4826 * median(work, n) + PIXELS);
		distance += z * z;
	}
	return distance > DEVIATIONS * DEVIATIONS;
}

static void add(struct sentinels *s, float x, float y)
{
	s->xy[s->n][0] = x, s->xy[s->n++][1] = y;
}

/* Adds v where most of its labels are far; of each point, how many there are. */
static void consider(struct sentinels *s, const struct rows *r, const float v[2], const size_t *count, float *work)
{
	size_t all = 0, far = 0;
	for (int p = 0; p < r->k; p++) {
		all += count[p];
		far += count[p] && is_far(s, r, v, p, count[p], work) ? count[p] : 0;
	}
	if ((double)far >= FAR_PART * (double)all && far >= REPEATS)
		add(s, v[0], v[1]);
}

static void find_pairs(struct sentinels *s, const struct rows *r, const struct label *label, size_t all, float *work)
{
	struct group *group = xmalloc((all / REPEATS + 1) * sizeof *group);
	size_t groups = 0, *count = xcalloc((size_t)r->k, sizeof *count);
	for (size_t from = 0, to; from < all; from = to) {
		for (to = from; to < all && label[to].x == label[from].x && label[to].y == label[from].y;)
			to++;
		if (to - from >= REPEATS)
			group[groups++] = (struct group){from, to};
	}
	qsort(group, groups, sizeof *group, by_count);
	for (size_t g = 0; g < groups && g < TRIED && s->n < SENTINELS; g++) {
		const float v[2] = {label[group[g].from].x, label[group[g].from].y};
		if (sentinel_is(s, label[group[g].from].point, v) == SENTINEL_NUMBER)
			continue;
		memset(count, 0, (size_t)r->k * sizeof *count);
		for (size_t i = group[g].from; i < group[g].to; i++)
			count[label[i].point]++;
		consider(s, r, v, count, work);
	}
	free(group), free(count);
}

/* The smallest (step 1) or largest (step -1) of n sorted numbers that recurs; NaN: none does. */
static float recurring(const float *v, size_t n, int step)
{
	for (size_t i = 0, run = 0; i < n; i++) {
		const float *at = step > 0 ? v + i : v + n - 1 - i;
		run = i && *at == at[-step] ? run + 1 : 1;
		if (run == NEVER)
			return *at;
	}
	return NAN;
}

/* How often the most frequent of n numbers is there; sorts them. */
static size_t most_frequent(float *v, size_t n)
{
	size_t most = 0;
	qsort(v, n, sizeof *v, ascending_float);
	for (size_t i = 0, run = 0; i < n; i++) {
		run = i && v[i] == v[i - 1] ? run + 1 : 1;
		most = run > most ? run : most;
	}
	return most;
}

/* 1: half of the labels that have the number v have one number beside it: they are a pair. */
static int is_pair(const struct sentinels *s, const struct rows *r, const float v[2], float *work)
{
	int beside = isnan(v[0]) ? 0 : 1;
	size_t n = 0;
	for (size_t i = 0; i < r->n * (size_t)r->k; i++)
		if (has(r->xy + 2 * i, v) && is_left(s, r, i))
			work[n++] = r->xy[2 * i + (size_t)beside];
	return 2 * most_frequent(work, n) >= n;
}

/* One coordinate alone: its smallest and its largest number. */
static void find_numbers(struct sentinels *s, const struct rows *r, float *work)
{
	size_t labels = r->n * (size_t)r->k, *count = xcalloc((size_t)r->k, sizeof *count);
	float *sorted = xmalloc((labels + 1) * sizeof *sorted), *beside = xmalloc((labels + 1) * sizeof *beside);
	for (int d = 0; d < 2; d++) {
		size_t n = 0;
		for (size_t i = 0; i < labels; i++)
			if (is_left(s, r, i))
				sorted[n++] = r->xy[2 * i + (size_t)d];
		qsort(sorted, n, sizeof *sorted, ascending_float);
		for (int step = 1; step >= -1 && s->n < SENTINELS; step -= 2) {
			float v[2] = {NAN, NAN};
			v[d] = recurring(sorted, n, step);
			memset(count, 0, (size_t)r->k * sizeof *count);
			for (size_t i = 0; i < labels && !isnan(v[d]); i++)
				count[i % (size_t)r->k] += has(r->xy + 2 * i, v) && is_left(s, r, i);
			if (!isnan(v[d]) && !is_pair(s, r, v, beside))
				consider(s, r, v, count, work);
		}
	}
	free(sorted), free(beside), free(count);
}

/* 1: more than half of the other labels of point p are further from v than the steps of their grid explain. */
static int is_apart(const struct sentinels *s, const struct rows *r, int p, const float v[2], float *work)
{
	float *distance = xcalloc(r->n + 1, sizeof *distance);
	double step = INFINITY;
	size_t n = 0;
	for (int d = 0; d < 2; d++) {
		n = others(s, r, p, v, d, work);
		for (size_t i = 0; i < n; i++)
			distance[i] = hypotf(distance[i], work[i] - v[d]);
		qsort(work, n, sizeof *work, ascending_float);
		for (size_t i = 1; i < n; i++)
			step = work[i] > work[i - 1] && (double)(work[i] - work[i - 1]) < step ? (double)(work[i] - work[i - 1]) : step;
	}
	int apart = n && median(distance, n) > GRID_STEPS * (isinf(step) ? 0 : step);
	free(distance);
	return apart;
}

/* 1: v is about the mean, or the median, of the other labels of point p. */
static int is_middle(const struct sentinels *s, const struct rows *r, int p, const float v[2], float *work)
{
	int mean = 1, middle = 1;
	for (int d = 0; d < 2; d++) {
		size_t n = others(s, r, p, v, d, work);
		double sum = 0, square = 0;
		for (size_t i = 0; i < n; i++)
			sum += (double)work[i];
		for (size_t i = 0; i < n; i++)
			square += pow((double)work[i] - sum / (double)n, 2);
		double near = sqrt(square / (double)n) * (MEAN_NEAR + 3 / sqrt((double)n)) + 0.5;
		mean &= fabs((double)v[d] - sum / (double)n) <= near;
		middle &= fabs((double)v[d] - (double)median(work, n)) <= near;
	}
	return mean || middle;
}

/* 1: where point p is v, all other points stand still, too, as in a film of a face that does not move. A row that was filled has a label
 * or more of its own, which vary. */
static int is_still(const struct rows *r, int p, const float v[2], float *work)
{
	for (int q = 0; q < r->k; q++) {
		size_t n = 0;
		for (size_t i = 0; i < r->n && q != p; i++) {
			const float *row = r->xy + 2 * i * (size_t)r->k;
			if (has(row + 2 * p, v) && is_labelled(row + 2 * q))
				work[n++] = row[2 * q];
		}
		if (n >= REPEATS && (double)most_frequent(work, n) < STILL_PART * (double)n)
			return 0;
	}
	return 1;
}

/* Pairs that one point has again and again. */
static void find_means(struct sentinels *s, const struct rows *r, const struct label *label, size_t all, float *work)
{
	struct tally {
		size_t labels, most, next; /* of the two most frequent pairs */
		float v[2];		   /* the most frequent */
	} *tally = xcalloc((size_t)r->k, sizeof *tally);
	for (size_t from = 0, to; from < all; from = to) {
		struct tally *t = &tally[label[from].point];
		const float v[2] = {label[from].x, label[from].y};
		for (to = from; to < all && label[to].point == label[from].point && label[to].x == v[0] && label[to].y == v[1];)
			to++;
		size_t n = to - from;
		t->labels += n;
		t->next = n > t->most ? t->most : n > t->next ? n : t->next;
		if (n > t->most)
			t->most = n, memcpy(t->v, v, sizeof v);
	}
	for (int p = 0; p < r->k; p++) {
		const struct tally *t = &tally[p];
		double other = (double)(t->labels - t->most);
		if (t->most < NEVER)
			continue;
		if (other < REPEATS || other <= MOVED_PART * (double)t->labels)
			memcpy(s->fixed + 2 * p, t->v, sizeof t->v);
		else if ((double)t->most >= MEAN_PART * (double)t->labels && t->most > MEAN_TIMES * t->next &&
			 is_apart(s, r, p, t->v, work) && (is_middle(s, r, p, t->v, work) || !is_still(r, p, t->v, work)))
			memcpy(s->mean + 2 * p, t->v, sizeof t->v);
	}
	free(tally);
}

void sentinels_find(struct sentinels *s, int k, const float *xy, size_t n, int w, int h)
{
	const struct rows r = {xy, n, k, w, h};
	size_t all = 0;
	s->mean = xmalloc((2 * (size_t)k + 1) * sizeof *s->mean), s->fixed = xmalloc((2 * (size_t)k + 1) * sizeof *s->fixed);
	for (int i = 0; i < 2 * k; i++)
		s->mean[i] = s->fixed[i] = NAN;
	if (s->nstated)
		return;
	struct label *label = xmalloc((n * (size_t)k + 1) * sizeof *label);
	float *work = xmalloc((n + 1) * sizeof *work);
	for (size_t i = 0; i < n * (size_t)k; i++)
		if (is_labelled(xy + 2 * i))
			label[all++] = (struct label){xy[2 * i], xy[2 * i + 1], (int)(i % (size_t)k)};
	qsort(label, all, sizeof *label, by_value);
	find_means(s, &r, label, all, work); /* first: more than half of a point's labels may be its mean, so that any other is far */
	find_numbers(s, &r, work);
	find_pairs(s, &r, label, all, work);
	for (int p = 0; p < k; p++)
		for (int i = 0; i < s->n; i++) {
			if (has(s->mean + 2 * p, s->xy[i]))
				s->mean[2 * p] = s->mean[2 * p + 1] = NAN;
			if (has(s->fixed + 2 * p, s->xy[i]))
				s->fixed[2 * p] = s->fixed[2 * p + 1] = NAN;
		}
	free(label), free(work);
}

void sentinels_free(struct sentinels *s)
{
	free(s->mean), free(s->fixed);
}

void sentinels_state(struct sentinels *s, const char *text)
{
	memset(s, 0, sizeof *s);
	if (!text)
		return;
	if (!strcmp(text, "none")) {
		s->nstated = -1;
		return;
	}
	char *copy = xstrdup(text);
	for (char *word = copy, *next; word; word = next) {
		double v;
		if ((next = strchr(word, ',')))
			*next++ = 0;
		if (!num_real(word, &v) || s->nstated == SENTINELS)
			die_usage("--missing: '%s' is neither none nor up to %d numbers, comma-joined", text, SENTINELS);
		s->stated[s->nstated++] = (float)v;
	}
	free(copy);
}

enum sentinel sentinel_is(const struct sentinels *s, int p, const float xy[2])
{
	int known[2] = {0, 0};
	for (int i = 0; i < s->n; i++)
		if (has(xy, s->xy[i]))
			return SENTINEL_NUMBER;
	for (int i = 0; i < s->nstated; i++)
		for (int d = 0; d < 2; d++)
			known[d] |= xy[d] == s->stated[i];
	if (known[0] && known[1])
		return SENTINEL_NUMBER;
	return s->mean && xy[0] == s->mean[2 * p] && xy[1] == s->mean[2 * p + 1] ? SENTINEL_MEAN : SENTINEL_NOT;
}
