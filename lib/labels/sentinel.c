/* Labels sorted by value, so that equal pairs stand together; each pair that recurs, the most frequent first, is compared with the other
 * labels of its points, less the sentinels found so far. */
#include "lib/labels/sentinel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/median.h"
#include "lib/base/num.h"

/* A pair recurs at least so often; it is far at so many robust standard deviations (1.4826 MAD: Rousseeuw and Croux, 1993), each with some
 * pixels added; of its labels this part must be far; a point without other labels has none where it has the pair so often. */
enum { REPEATS = 3, DEVIATIONS = 6, NEVER = 10, TRIED = 64 /* most frequent pairs */ };
#define PIXELS 0.5
#define FAR_PART 0.5

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

/* 1: the pair is far from the other labels of point p, or they are too few and it stands there always. */
static int is_far(const struct sentinels *s, const struct label *pair, int p, size_t count, int k, const float *xy, size_t n, float *work)
{
	double distance = 0;
	for (int d = 0; d < 2; d++) {
		size_t others = 0;
		for (size_t i = 0; i < n; i++) {
			const float *q = xy + (i * (size_t)k + (size_t)p) * 2;
			if (!isnan(q[0]) && !isnan(q[1]) && (q[0] != pair->x || q[1] != pair->y) && !sentinel_is(s, q))
				work[others++] = q[d];
		}
		if (others < REPEATS)
			return count >= NEVER;
		double centre = median(work, others), v = (double)(d ? pair->y : pair->x);
		for (size_t i = 0; i < others; i++)
			work[i] = fabsf(work[i] - (float)centre);
		double z = (v - centre) / (1.4826 * median(work, others) + PIXELS);
		distance += z * z;
	}
	return distance > DEVIATIONS * DEVIATIONS;
}

void sentinels_find(struct sentinels *s, int k, const float *xy, size_t n)
{
	if (s->nstated)
		return;
	struct label *label = xmalloc((n * (size_t)k + 1) * sizeof *label);
	float *work = xmalloc((n + 1) * sizeof *work);
	size_t all = 0;
	for (size_t i = 0; i < n * (size_t)k; i++)
		if (!isnan(xy[2 * i]) && !isnan(xy[2 * i + 1]))
			label[all++] = (struct label){xy[2 * i], xy[2 * i + 1], (int)(i % (size_t)k)};
	qsort(label, all, sizeof *label, by_value);
	struct group *group = xmalloc((all / REPEATS + 1) * sizeof *group);
	size_t groups = 0;
	for (size_t from = 0, to; from < all; from = to) {
		for (to = from; to < all && label[to].x == label[from].x && label[to].y == label[from].y;)
			to++;
		if (to - from >= REPEATS)
			group[groups++] = (struct group){from, to};
	}
	qsort(group, groups, sizeof *group, by_count);
	for (size_t g = 0; g < groups && g < TRIED && s->n < SENTINELS; g++) {
		size_t from = group[g].from, to = group[g].to, far = 0;
		for (size_t i = from, end; i < to; i = end) {
			for (end = i; end < to && label[end].point == label[i].point;)
				end++;
			if (is_far(s, &label[i], label[i].point, end - i, k, xy, n, work))
				far += end - i;
		}
		if ((double)far >= FAR_PART * (double)(to - from) && far >= REPEATS)
			s->xy[s->n][0] = label[from].x, s->xy[s->n++][1] = label[from].y;
	}
	free(label), free(work), free(group);
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

int sentinel_is(const struct sentinels *s, const float xy[2])
{
	int known[2] = {0, 0};
	for (int i = 0; i < s->n; i++)
		if (xy[0] == s->xy[i][0] && xy[1] == s->xy[i][1])
			return 1;
	for (int i = 0; i < s->nstated; i++)
		for (int d = 0; d < 2; d++)
			known[d] |= xy[d] == s->stated[i];
	return known[0] && known[1];
}
