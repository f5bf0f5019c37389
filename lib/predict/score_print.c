/* Scores as text (the first line is the main measure) and as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/predict/score_about.h"

static void sum_json(struct json *j, const struct score_sum *s)
{
	char key[32];
	json_key(j, "rmse_px"), json_real(j, score_rmse(s));
	json_key(j, "coordinates"), json_uint(j, s->coords);
	json_key(j, "points"), json_uint(j, s->points);
	json_key(j, "mean_px"), json_real(j, score_mean(s));
	json_key(j, "rmse_px_point"), json_real(j, score_rmse_point(s));
	for (int i = 0; i < SCORE_THRESHOLDS; i++) {
		snprintf(key, sizeof key, "within_%dpx", score_px[i]);
		json_key(j, key), json_real(j, score_within(s, i));
	}
}

/* A line for each level of a cascade. */
static void print_levels(struct out *to, const struct score_points *s, const struct score_points *level, int levels)
{
	out_printf(to, "\n%-5s %9s %9s", "level", "rmse_px", "mean_px");
	for (int i = 0; i < SCORE_THRESHOLDS; i++)
		out_printf(to, " within_%dpx", score_px[i]);
	for (int l = 0; l <= levels; l++) {
		struct score_sum all = score_points_all(l < levels ? &level[l] : s);
		out_printf(to, "\n%-5d %9.5f", l + 1, score_rmse(&all));
		if (all.points)
			out_printf(to, " %9.5f", score_mean(&all));
		for (int i = 0; i < SCORE_THRESHOLDS && all.points; i++)
			out_printf(to, " %10.4f", score_within(&all, i));
	}
	out_write(to, "\n", 1);
}

static void print_mean_face(struct out *to, const struct score_about *a)
{
	struct score_sum s = score_about_mean_face(a);
	out_printf(to, "mean_face rmse_px %.5f", score_rmse(&s));
	if (s.points)
		out_printf(to, ", mean_px %.5f, rmse_px_point %.5f", score_mean(&s), score_rmse_point(&s));
	out_printf(to, ": if every face were answered with %s\n",
		a->mean ? "the training set's mean labels" : "these faces' own mean labels (the training set's are not known)");
}

static void mean_face_json(struct json *j, const struct score_about *a)
{
	struct score_sum s = score_about_mean_face(a);
	json_key(j, "mean_face"), json_open(j, '{');
	json_key(j, "rmse_px"), json_real(j, score_rmse(&s));
	json_key(j, "mean_px"), json_real(j, score_mean(&s));
	json_key(j, "rmse_px_point"), json_real(j, score_rmse_point(&s));
	json_key(j, "labels"), json_string(j, a->mean ? "training" : "own");
	json_close(j, '}');
}

void score_print_units(struct out *to)
{
	out_printf(to, "rmse_px: of coordinates, the root of their mean squared error; mean_px: of points, their mean distance\n"
		       "rmse_px_point: of points, the root of their mean squared distance; sqrt(2) times rmse_px where both coordinates "
		       "are labelled\n");
}

void score_points_print(struct out *to, const struct score_points *s, char **names, const struct score_points *level, int levels,
	const struct score_about *about, int as_json)
{
	struct score_sum all = score_points_all(s);
	struct json j;
	if (as_json) {
		json_begin(&j, to);
		sum_json(&j, &all);
		json_key(&j, "normalised_error"), json_real(&j, score_normalised(s));
		json_key(&j, "rows"), json_uint(&j, s->rows);
		mean_face_json(&j, about);
		score_about_json(&j, about);
		json_key(&j, "unlearned"), json_open(&j, '[');
		for (int k = 0; k < s->k; k++)
			if (s->left_out[k])
				json_string(&j, names[k]);
		json_close(&j, ']');
		json_key(&j, "by_point"), json_open(&j, '{');
		for (int k = 0; k < s->k; k++)
			json_key(&j, names[k]), json_open(&j, '{'), sum_json(&j, &s->point[k]), json_close(&j, '}');
		json_close(&j, '}');
		if (levels)
			json_key(&j, "by_level"), json_open(&j, '[');
		for (int l = 0; levels && l <= levels; l++) {
			struct score_sum sum = score_points_all(l < levels ? &level[l] : s);
			json_open(&j, '{'), sum_json(&j, &sum), json_close(&j, '}');
		}
		if (levels)
			json_close(&j, ']');
		json_finish(&j);
		return;
	}
	out_printf(to, "rmse_px %.5f\nrows %" PRIu64 "\ncoordinates %" PRIu64 "\npoints %" PRIu64 "\n", score_rmse(&all), s->rows,
		all.coords, all.points);
	score_about_print(to, about, NULL);
	if (all.points)
		out_printf(to, "mean_px %.5f\nrmse_px_point %.5f\n", score_mean(&all), score_rmse_point(&all));
	for (int i = 0; i < SCORE_THRESHOLDS && all.points; i++)
		out_printf(to, "within_%dpx %.4f\n", score_px[i], score_within(&all, i));
	if (s->norm_points)
		out_printf(to, "normalised_error %.5f\n", score_normalised(s));
	print_mean_face(to, about);
	score_print_units(to);
	int width = 5;
	for (int k = 0; k < s->k; k++)
		width = (int)strlen(names[k]) > width ? (int)strlen(names[k]) : width;
	out_printf(to, "\n%-*s %11s %9s %9s", width, "point", "coordinates", "rmse_px", "mean_px");
	for (int i = 0; i < SCORE_THRESHOLDS; i++)
		out_printf(to, " within_%dpx", score_px[i]);
	for (int k = 0; k < s->k; k++) {
		const struct score_sum *p = &s->point[k];
		if (s->left_out[k]) {
			out_printf(to, "\n%-*s %11s", width, names[k], "unlearned");
			continue;
		}
		out_printf(to, "\n%-*s %11" PRIu64, width, names[k], p->coords);
		if (p->coords)
			out_printf(to, " %9.5f", score_rmse(p));
		if (p->points)
			out_printf(to, " %9.5f", score_mean(p));
		for (int i = 0; i < SCORE_THRESHOLDS && p->points; i++)
			out_printf(to, " %10.4f", score_within(p, i));
	}
	out_write(to, "\n", 1);
	if (levels)
		print_levels(to, s, level, levels);
}

void score_labels_print(struct out *to, struct score_labels *s, char **classes, const struct score_about *about, int as_json)
{
	double auc = score_auc(s);
	struct json j;
	if (as_json) {
		json_begin(&j, to);
		json_key(&j, "error_rate"), json_real(&j, score_error(s));
		json_key(&j, "rows"), json_uint(&j, s->rows);
		json_key(&j, "wrong"), json_uint(&j, s->wrong);
		json_key(&j, "auc"), json_real(&j, auc);
		score_about_json(&j, about);
		json_key(&j, "classes"), json_open(&j, '[');
		for (int i = 0; i < s->c; i++)
			json_string(&j, classes[i]);
		json_close(&j, ']');
		json_key(&j, "confusion"), json_open(&j, '[');
		for (int t = 0; t < s->c; t++) {
			json_open(&j, '[');
			for (int a = 0; a < s->c; a++)
				json_uint(&j, s->confusion[t * s->c + a]);
			json_close(&j, ']');
		}
		json_close(&j, ']');
		json_finish(&j);
		return;
	}
	out_printf(to, "error_rate %.6f\nrows %" PRIu64 "\nwrong %" PRIu64 "\n", score_error(s), s->rows, s->wrong);
	score_about_print(to, about, NULL);
	if (!isnan(auc))
		out_printf(to, "auc %.6f\n", auc);
	int width = 8;
	for (int i = 0; i < s->c; i++)
		width = (int)strlen(classes[i]) > width ? (int)strlen(classes[i]) : width;
	out_printf(to, "\n%-*s", width + 6, "truth");
	for (int a = 0; a < s->c; a++)
		out_printf(to, " %*s", width, classes[a]);
	for (int t = 0; t < s->c; t++) {
		out_printf(to, "\n%-*s", width + 6, classes[t]);
		for (int a = 0; a < s->c; a++)
			out_printf(to, " %*" PRIu64, width, s->confusion[t * s->c + a]);
	}
	out_write(to, "\n", 1);
}
