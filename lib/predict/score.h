/* Errors of predictions against the truth: RMSE, mean distance and normalised error of points; error rate, confusion matrix and AUC of
 * labels. Rows are added one at a time, in constant memory, but for the AUC, which stores every score (16 bytes a row). All ratios and
 * means are NaN where nothing was counted. */
#ifndef SCORE_H
#define SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/out.h"

#define SCORE_THRESHOLDS 4
extern const int score_px[SCORE_THRESHOLDS]; /* 1, 2, 3, 5 */

/* Sums of one point, or of all. A coordinate is counted where its truth is not NaN, a point where both its coordinates are counted. */
struct score_sum {
	uint64_t coords, points;
	double square;			   /* sum of squared errors of the coordinates, px^2 */
	double distance, distance2;	   /* sums of the points' Euclidean distances, px, and of their squares */
	uint64_t within[SCORE_THRESHOLDS]; /* points at most score_px away */
};

struct score_points {
	int k;
	struct score_sum *point;  /* (K) */
	char *left_out;		  /* (K) 1: not measured, see score_points_leave_out */
	uint64_t left_out_coords; /* labels of such points */
	uint64_t rows;
	/* Normalised mean error: point distances divided by the row's distance between the true eye centres, over the points of rows where
	 * both eye centres are labelled and differ, every point of equal weight. */
	int left, right; /* indices of left_eye_center and right_eye_center, or -1 */
	double norm;
	uint64_t norm_points;
};

/* names: K of them, NULL-terminated; read during the call only. */
void score_points_begin(struct score_points *s, char **names, int k);
/* mark (K) 1: the point is not measured, as no model learned it and its predictions are NaN; its labels are counted apart. Copied. */
void score_points_leave_out(struct score_points *s, const char *mark);
/* As after score_points_begin, and with the same points left out. */
void score_points_clear(struct score_points *s);
/* One row, truth and predicted (K, 2) in pixels. Returns -1, or the index of the first coordinate that is predicted and not finite, or
 * labelled and infinite; then nothing was counted. */
int score_points_add(struct score_points *s, const float *truth, const float *predicted);
/* Ends the program over such a coordinate, of a row of file, whose labels are truth's (NULL: its own); coordinate: its index. */
void score_die(const char *file, const char *truth, unsigned long long row, char **names, int coordinate, const float *labels,
	const float *predicted) NORETURN;
struct score_sum score_points_all(const struct score_points *s);
/* The competition's measure: root of the mean squared error over labelled coordinates, px. A point has two, so score_rmse_point is sqrt(2)
 * times as much where every point that has one label has both. */
double score_rmse(const struct score_sum *s);
double score_mean(const struct score_sum *s);	       /* mean distance of the points, px */
double score_rmse_point(const struct score_sum *s);    /* root of the mean squared distance of the points, px */
double score_within(const struct score_sum *s, int i); /* fraction of points at most score_px[i] away */
double score_normalised(const struct score_points *s);
void score_points_end(struct score_points *s);

struct score_labels {
	int c;		     /* classes, 2 to 256 */
	uint64_t *confusion; /* (C, C): [truth][predicted] */
	uint64_t rows, wrong;
	struct score_pair *pair; /* private: scores for the AUC, where C is 2 */
	size_t cap;
};

void score_labels_begin(struct score_labels *s, int c);
/* One row: scores (columns) is the probability of class 1 where columns is 1 (class 1 is predicted from 0.5 on), else one a class (argmax,
 * the first of equals). Returns -1, or the index of a score that is not finite; label < C (assert). */
int score_labels_add(struct score_labels *s, int label, const float *scores, int columns);
double score_error(const struct score_labels *s);
/* Area under the ROC curve, exact: the fraction of (positive, negative) pairs in the right order, ties counted half (Mann and Whitney,
 * 1947). NaN unless there are two classes and both occur. Sorts the stored scores. */
double score_auc(struct score_labels *s);
void score_labels_end(struct score_labels *s);

/* The text begins with `rmse_px X`, `error_rate X`; names (K), classes (C). level (levels): a cascade's scores after each level but the
 * last; s is the last one's. about: what is said beside them. */
struct score_about;
void score_points_print(struct out *to, const struct score_points *s, char **names, const struct score_points *level, int levels,
	const struct score_about *about, int as_json);
/* Two lines that say what rmse_px, mean_px and rmse_px_point are. */
void score_print_units(struct out *to);
void score_labels_print(struct out *to, struct score_labels *s, char **classes, const struct score_about *about, int as_json);

#endif
