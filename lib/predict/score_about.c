/* The mean face, and rows that the model was trained on. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/stream/named_points.h"
#include "lib/nn/trained.h"
#include "lib/predict/score_about.h"

struct score_own {
	double n, mean, square; /* labels so far, their mean, the sum of their squared distances from it */
};

void score_about_begin(struct score_about *a, const struct tns *in, char **names, int k, const char *left_out)
{
	memset(a, 0, sizeof *a);
	a->split = dataset_stream_split(in);
	a->trained_col = tns_find(in, "trained");
	if (a->trained_col >= 0 && (in->def[a->trained_col].dtype != TNS_U8 || in->def[a->trained_col].ndim != 1))
		a->trained_col = -1; /* somebody else's */
	a->k = k, a->left_out = left_out;
	a->own = xcalloc(2 * (size_t)k + 1, sizeof *a->own);
	a->mean = k ? named_points_read(in, "mean_face", names, k) : NULL;
	for (int i = 0; i < 2 * k && a->mean; i++)
		if (!left_out[i / 2] && isnan(a->mean[i]))
			free(a->mean), a->mean = NULL;
}

/* A running mean and variance (Welford, 1962). */
static void add_own(struct score_own *o, double v)
{
	double d = v - o->mean;
	o->mean += d / ++o->n;
	o->square += d * (v - o->mean);
}

void score_about_add(struct score_about *a, const uint8_t *trained, const float *truth)
{
	a->rows++;
	if (trained)
		a->trained += *trained == TRAINED_ON, a->unknown += *trained >= TRAINED_UNKNOWN;
	for (int i = 0; i < 2 * a->k; i++) {
		if (a->left_out[i / 2] || isnan(truth[i]))
			continue;
		double d = a->mean ? (double)truth[i] - a->mean[i] : 0,
		       other = a->mean && i % 2 ? (double)truth[i - 1] - a->mean[i - 1] : NAN;
		add_own(&a->own[i], (double)truth[i]);
		a->sum.coords++, a->sum.square += d * d;
		if (isnan(other))
			continue;
		a->sum.points++, a->sum.distance += hypot(d, other), a->sum.distance2 += d * d + other * other;
	}
}

void score_about_row(struct score_about *a, const struct dataset_stream *d, uint64_t i, const float *truth)
{
	score_about_add(a, a->trained_col >= 0 ? dataset_stream_at(d, a->trained_col, i) : NULL, truth);
}

struct score_sum score_about_mean_face(const struct score_about *a)
{
	struct score_sum s = a->sum;
	if (a->mean)
		return s;
	s.points = 0, s.square = s.distance = s.distance2 = 0;
	for (int i = 0; i < 2 * a->k; i++)
		s.square += a->own[i].square;
	return s;
}

double score_about_trained(const struct score_about *a)
{
	uint64_t known = a->rows - a->unknown;
	return known ? (double)a->trained * ((double)a->rows / (double)known) : 0;
}

void score_about_warn(const struct score_about *a, const char *name)
{
	if (a->trained)
		warn("%s: the model was trained on %s%.0f of its %" PRIu64 " rows: the figures flatter", name, a->unknown ? "about " : "",
			score_about_trained(a), a->rows);
}

void score_about_print(struct out *to, const struct score_about *a, const char *name)
{
	const char *of = name ? name : "", *after = name ? ": " : "";
	if (a->split)
		out_printf(to, "%s%ssplit %s: rows of one person may be in several parts, so these figures may flatter\n", of, after,
			a->split);
	if (a->trained)
		out_printf(to,
			"%s%strained %s%.0f: of %" PRIu64
			" rows that many are among those that the model was trained on, so these figures flatter\n",
			of, after, a->unknown ? "about " : "", score_about_trained(a), a->rows);
}

void score_about_json(struct json *j, const struct score_about *a)
{
	if (a->split)
		json_key(j, "split"), json_string(j, a->split);
	if (a->trained_col >= 0) {
		json_key(j, "trained_rows"), json_real(j, floor(score_about_trained(a) + 0.5));
		json_key(j, "trained_rows_estimated"), json_literal(j, a->unknown ? "true" : "false");
	}
	if (a->split || a->trained)
		json_key(j, "may_flatter"), json_literal(j, "true");
}

void score_about_end(struct score_about *a)
{
	free(a->mean), free(a->own);
}
