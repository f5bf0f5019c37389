/* Shape model: the distribution of a face's points, fitted to labels of which some are missing and some wrong, and tests for outliers.
 *
 * The model is one multivariate t distribution of all coordinates (x0, y0, x1, y1, ...) in pixels: centre, shape matrix, degrees of
 * freedom. Turned and laughing faces are covered by its heavy tails: the degrees of freedom are fitted too. Tests of a row use its labelled
 * points alone, whichever they are: marginals and conditionals of a t distribution are t distributions.
 *
 * Three tests, each rejecting a correct row with probability SHAPE_ALPHA:
 *   set    squared Mahalanobis distance of the row (F distributed, f_dist.h)
 *   point  the distance of each point given all others (SHAPE_ALPHA over the number of points, for each)
 *   shift  the distance of the best translation of the row; rejected where it is too large both alone and given the rest
 * So of correct labels like those it was fitted to a few in 1,000 are rejected, whatever the data.
 *
 * Few rows (under SHAPE_ROWS_MANY, or SHAPE_ROWS_EACH a coordinate) don't determine the matrix: it is shrunk towards a simpler one
 * (shape_target.h) that weighs as many rows as there are coordinates, so that it matters less the more rows there are; scale and degrees of
 * freedom come from rows that were held out. A scale estimated from n rows makes tails heavier, 1 / nu = 1 / nu of the rows + 1 / (n - 1)
 * (variances of the two add, as Welch and Satterthwaite match them, 1946), so that correct rows are rejected as rarely as by many rows.
 * What is found then: pipelines/README.md, "Small sets". */
#ifndef SHAPE_H
#define SHAPE_H

#include <stddef.h>
#include <stdint.h>

#define SHAPE_POINTS_MAX 64
#define SHAPE_ROWS_MIN 10
#define SHAPE_ROWS_GROSS 30 /* fewer: only gross faults are found */
#define SHAPE_ROWS_MANY 300
#define SHAPE_ROWS_EACH 10 /* of each coordinate */
#define SHAPE_ALPHA 0.001
#define SHAPE_PRECISION 0.5 /* pixels: least standard deviation of a label, however well the others predict it */

struct shape {
	int k;
	double *mean;		    /* (2K) */
	double *cov;		    /* (2K, 2K), the shape matrix */
	double dof;		    /* degrees of freedom, nu */
	size_t rows;		    /* with a label, that it was fitted to */
	size_t rejected;	    /* of them, rejected as wrong by the last round of the fit */
	double shrunk;		    /* weight of shape_target.h in cov, 0 to 1; 0: there were many rows */
	struct shape_cache **cache; /* private: what depends on the set of labelled points alone */
};

/* Fits a model to n rows (n, K, 2), where a NaN makes a point invisible. Up to about an eighth of them may be wrong in one way,
 * and are found all the same. NULL if fewer than SHAPE_ROWS_MIN rows have a label, or K is 0 or
 * more than SHAPE_POINTS_MAX. w, h: the image's size, for points that no row has. About 20 ms for 2,000 rows of 15 points, or for
 * 100, which are fitted to six times; 0.8 s for 100 of 64 points. */
struct shape *shape_fit(int k, const float *xy, size_t n, int w, int h);
void shape_free(struct shape *s);
/* A model with given parameters: k points, 1 <= k <= SHAPE_POINTS_MAX; the caller fills mean, cov (positive definite) and dof, and calls
 * shape_clear_cache, which empties the cache, after any change of them. */
struct shape *shape_new(int k);
void shape_clear_cache(struct shape *s);
/* Bit i: point i of xy (K, 2) is labelled (not NaN). */
uint64_t shape_visible(int k, const float *xy);

/* Results of the tests of one row. */
struct shape_test_result {
	int n;		       /* labelled points */
	double distance;       /* D, squared Mahalanobis, of all of them */
	int set, point, shift; /* 1: rejected by this test */
	int worst;	       /* the point least likely given the others, or -1 if none is labelled */
	double move[2];	       /* estimated translation of the row */
	double moved;	       /* its part of the distance */
};

/* Tests the row xy (K, 2). With fewer than 2 labelled points nothing is rejected. */
void shape_test(const struct shape *s, const float *xy, struct shape_test_result *v);
/* Only D and, if tail is not NULL, the probability of a larger one. */
double shape_distance(const struct shape *s, const float *xy, double *tail);
/* Log density of the labelled points (per square pixel each); moved 1: up to a translation, two dimensions less. No labelled point: 0. */
double shape_likelihood(const struct shape *s, const float *xy, int moved);
/* Mean of the labelled point k given the other labelled points. */
void shape_conditional_mean(const struct shape *s, const float *xy, int k, double at[2]);

#endif
