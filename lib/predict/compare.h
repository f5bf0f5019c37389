/* Several streams of predictions of the same faces, side by side: rows are matched by id, points by name, and what is not in all is left
 * out and counted. The measures are those of score.h, each with its difference to the first stream's and the confidence interval of that
 * (bootstrap.h). */
#ifndef COMPARE_H
#define COMPARE_H

#include "lib/base/lookup.h"
#include "lib/base/out.h"
#include "lib/predict/bootstrap.h"
#include "lib/predict/score_about.h"
#include "lib/stream/tns.h"

enum { COMPARE_MEASURES = 4 + SCORE_THRESHOLDS };

struct compare_options {
	const char *truth;  /* stream that has the labels, or NULL: each stream of predictions has its own, which must be equal */
	const char *by;	    /* tensor of the first stream whose values are groups of rows; or NULL */
	const char *groups; /* CSV of groups, see lib/labels/groups.h; or NULL */
	uint64_t seed;
};

struct compare_file { /* predictions, or the truth */
	const char *name;
	struct tns_table *table;
	const struct tns *head;
	int points, labels, id; /* numbers of tensors: predicted (of the truth: keypoints), keypoints (-1: not asked for), id */
	int crop;		/* likewise; -1: there is none */
	int k;			/* its points */
	char **names;
	int *at;		  /* (points in all files): their numbers in this one */
	struct lookup by_id;	  /* its rows */
	uint64_t left_out;	  /* rows that are not in all files */
	struct score_about about; /* of the rows in all; predictions alone */
};

/* Of the errors e of n files in the coordinates of a point: sums over coordinates. The mean of e_f e_g over pairs of files is what they err
 * in common, by the labels' noise and what no such model learns; no average of many such models gets below its root. */
struct compare_shared {
	uint64_t coords;
	double square, product; /* of the means over files of e_f e_f, and over pairs of files of e_f e_g */
};

struct compare {
	int n, files; /* streams of predictions; with the truth where that is one of its own, the last one */
	struct compare_file *file;
	char **names;		       /* points in all files, learned by all models */
	char *left_out;		       /* the others, comma-joined; NULL: none */
	uint64_t rows, coords, points; /* what is measured */
	uint32_t groups;
	char *grouped; /* by what: "ids", "tensor NAME" or the file's name */
	uint64_t seed;
	struct bootstrap_result *result; /* (n, COMPARE_MEASURES) */
	struct compare_shared *shared;	 /* (names) */
};

/* Loads n files, matches and measures. Warns of rows and points that are left out, and of rows that a model was trained on unless quiet.
 * Dies, naming file, row and value, where a tensor is missing, an id stands twice, labels of one id differ, a prediction is not finite, or
 * nothing is left. */
struct compare *compare_load(char **path, int n, const struct compare_options *o, int quiet);
/* A table, a line for each measure and file, and what is known of it; or one JSON object. */
void compare_print(struct out *to, const struct compare *c, int as_json);
const char *compare_measure(int i); /* its name */
void compare_free(struct compare *c);

#endif
