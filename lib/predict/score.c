/* Sums of errors over rows, and the measures from them. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/predict/score.h"
#include "lib/stream/names.h"

const int score_px[SCORE_THRESHOLDS] = {1, 2, 3, 5};

void score_points_begin(struct score_points *s, char **names, int k)
{
	memset(s, 0, sizeof *s);
	s->k = k;
	s->point = xcalloc((size_t)k, sizeof *s->point);
	s->left_out = xcalloc((size_t)k, 1);
	s->left = names_index(names, "left_eye_center");
	s->right = names_index(names, "right_eye_center");
}

void score_points_leave_out(struct score_points *s, const char *mark)
{
	memcpy(s->left_out, mark, (size_t)s->k);
}

void score_points_clear(struct score_points *s)
{
	memset(s->point, 0, (size_t)s->k * sizeof *s->point);
	s->left_out_coords = s->rows = s->norm_points = 0, s->norm = 0;
}

/* The row's distance between the true eye centres, the unit of its normalised errors; 0 if one is unknown. */
static double interocular(const struct score_points *s, const float *truth)
{
	const float *l = truth + 2 * s->left, *r = truth + 2 * s->right;
	if (s->left < 0 || s->right < 0)
		return 0;
	double d = hypot((double)l[0] - r[0], (double)l[1] - r[1]);
	return isfinite(d) ? d : 0;
}

int score_points_add(struct score_points *s, const float *truth, const float *predicted)
{
	double unit = interocular(s, truth);
	for (int i = 0; i < 2 * s->k; i++)
		if (!s->left_out[i / 2] && (!isfinite(predicted[i]) || isinf(truth[i])))
			return i;
	s->rows++;
	for (int i = 0; i < s->k; i++, truth += 2, predicted += 2) {
		struct score_sum *p = &s->point[i];
		if (s->left_out[i]) {
			s->left_out_coords += (uint64_t)(!isnan(truth[0]) + !isnan(truth[1]));
			continue;
		}
		double dx = (double)predicted[0] - truth[0], dy = (double)predicted[1] - truth[1], d = hypot(dx, dy);
		if (!isnan(dx))
			p->coords++, p->square += dx * dx;
		if (!isnan(dy))
			p->coords++, p->square += dy * dy;
		if (isnan(dx) || isnan(dy))
			continue;
		p->points++;
		p->distance += d, p->distance2 += dx * dx + dy * dy;
		for (int t = 0; t < SCORE_THRESHOLDS; t++)
			p->within[t] += d <= score_px[t];
		if (unit > 0)
			s->norm += d / unit, s->norm_points++;
	}
	return -1;
}

void score_die(const char *file, const char *truth, unsigned long long row, char **names, int coordinate, const float *labels,
	const float *predicted)
{
	const char *name = names[coordinate / 2];
	char axis = "xy"[coordinate % 2];
	double p = (double)predicted[coordinate], label = (double)labels[coordinate];
	if (!isfinite(p))
		die("%s: row %llu: predicted %s_%c is %g", file, row, name, axis, p);
	if (truth)
		die("%s: %s_%c is %g where row %llu of %s is labelled", truth, name, axis, label, row, file);
	die("%s: row %llu: labelled %s_%c is %g", file, row, name, axis, label);
}

struct score_sum score_points_all(const struct score_points *s)
{
	struct score_sum all = {0};
	for (int i = 0; i < s->k; i++) {
		const struct score_sum *p = &s->point[i];
		all.coords += p->coords, all.points += p->points;
		all.square += p->square, all.distance += p->distance, all.distance2 += p->distance2;
		for (int t = 0; t < SCORE_THRESHOLDS; t++)
			all.within[t] += p->within[t];
	}
	return all;
}

double score_rmse(const struct score_sum *s)
{
	return s->coords ? sqrt(s->square / (double)s->coords) : NAN;
}

double score_mean(const struct score_sum *s)
{
	return s->points ? s->distance / (double)s->points : NAN;
}

double score_rmse_point(const struct score_sum *s)
{
	return s->points ? sqrt(s->distance2 / (double)s->points) : NAN;
}

double score_within(const struct score_sum *s, int i)
{
	return s->points ? (double)s->within[i] / (double)s->points : NAN;
}

double score_normalised(const struct score_points *s)
{
	return s->norm_points ? s->norm / (double)s->norm_points : NAN;
}

void score_points_end(struct score_points *s)
{
	free(s->point), free(s->left_out);
}

struct score_pair {
	double score;
	int positive;
};

void score_labels_begin(struct score_labels *s, int c)
{
	assert(c >= 2 && c <= 256);
	memset(s, 0, sizeof *s);
	s->c = c;
	s->confusion = xcalloc((size_t)c * (size_t)c, sizeof *s->confusion);
}

/* Two columns are stored as their difference: a float near 1 has few significant digits of 1 - p, its complement has all. */
static void add_pair(struct score_labels *s, double score, int positive)
{
	if (s->rows == s->cap)
		s->pair = xrealloc(s->pair, (s->cap = s->cap ? s->cap * 2 : 1024) * sizeof *s->pair);
	s->pair[s->rows].score = score;
	s->pair[s->rows].positive = positive;
}

int score_labels_add(struct score_labels *s, int label, const float *scores, int columns)
{
	int predicted = columns == 1 ? scores[0] >= 0.5f : 0;
	assert(label >= 0 && label < s->c && (columns == s->c || (columns == 1 && s->c == 2)));
	for (int i = 0; i < columns; i++) {
		if (!isfinite(scores[i]))
			return i;
		if (columns > 1 && scores[i] > scores[predicted])
			predicted = i;
	}
	if (s->c == 2)
		add_pair(s, columns == 1 ? scores[0] : (double)scores[1] - scores[0], label);
	s->confusion[label * s->c + predicted]++;
	s->rows++;
	s->wrong += predicted != label;
	return -1;
}

double score_error(const struct score_labels *s)
{
	return s->rows ? (double)s->wrong / (double)s->rows : NAN;
}

static int by_score(const void *a, const void *b)
{
	double x = ((const struct score_pair *)a)->score, y = ((const struct score_pair *)b)->score;
	return (x > y) - (x < y);
}

double score_auc(struct score_labels *s)
{
	uint64_t positives = 0, negatives = 0;
	double twice = 0; /* twice the number of pairs in the right order: an integer, so exact up to 2^53 */
	if (s->c != 2)
		return NAN;
	if (s->rows)
		qsort(s->pair, s->rows, sizeof *s->pair, by_score);
	for (size_t i = 0, end; i < s->rows; i = end) {
		uint64_t p = 0, n = 0;
		for (end = i; end < s->rows && s->pair[end].score == s->pair[i].score; end++)
			s->pair[end].positive ? p++ : n++;
		twice += (double)p * (double)(2 * negatives + n);
		positives += p, negatives += n;
	}
	return positives && negatives ? twice / 2 / (double)positives / (double)negatives : NAN;
}

void score_labels_end(struct score_labels *s)
{
	free(s->confusion);
	free(s->pair);
}
