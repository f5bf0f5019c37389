/* Where the points of a face lie, learnt from labels of which some are missing and some are wrong, and how unlikely a set of labels is.
 *
 * The model is one multivariate t distribution of all coordinates (x0, y0, x1, y1, ...) in pixels: centre, shape matrix, degrees of
 * freedom. Turned and laughing faces are natural: they are its heavy tails, whose weight (the degrees) is read off the data. What is
 * asked of a row is asked of its visible points alone, whichever they are: the marginal and the conditional of a t are t again.
 *
 * Three questions, each with chance SHAPE_ALPHA of calling a right row wrong:
 *   set    is the row's distance too large? (F distributed, f_dist.h)
 *   point  is one point too far from where all others put it? (SHAPE_ALPHA over the number of points, for each)
 *   shift  is the row too far from where faces stand, seen as a whole moved by one vector? (by itself, and for how well the rest fits)
 * So of right labels like those it was fitted to a few in 1,000 are called unlikely, whatever the data. */
#ifndef SHAPE_H
#define SHAPE_H

#include <stddef.h>
#include <stdint.h>

#define SHAPE_POINTS_MAX 64
#define SHAPE_ROWS_MIN 100
#define SHAPE_ALPHA 0.001
#define SHAPE_PRECISION 0.5 /* pixels: the standard deviation that no label undercuts, however well the others foretell it */

struct shape {
	int k;
	double *mean;		  /* (2K) */
	double *cov;		  /* (2K, 2K), the shape matrix */
	double dof;		  /* nu */
	size_t rows;		  /* it was fitted to */
	size_t unlike;		  /* of them left aside in the last round, as wrong */
	struct shape_seen **seen; /* private: what is worked out once for each set of visible points */
};

/* Fit to n rows (n, K, 2), where a NaN makes a point invisible. NULL if fewer than SHAPE_ROWS_MIN rows have a label, or K is 0 or more than
 * SHAPE_POINTS_MAX. w, h: the image's size, for points that nobody has. Takes about 20 ms for 2,000 rows of 15 points. */
struct shape *shape_fit(int k, const float *xy, size_t n, int w, int h);
void shape_free(struct shape *s);
/* For who has a model already: k points, 1 <= k <= SHAPE_POINTS_MAX; mean, cov (positive definite) and dof are the caller's to fill, and
 * shape_forget must follow any change of them. */
struct shape *shape_new(int k);
void shape_forget(struct shape *s);
/* Bit i: point i of xy (K, 2) is there. */
uint64_t shape_visible(int k, const float *xy);

/* One row's answers. */
struct shape_view {
	int n;		       /* visible points */
	double distance;       /* D over all of them */
	int set, point, shift; /* 1: too unlikely */
	int worst;	       /* the point farthest beyond its bound, or -1 if none is visible */
	double move[2];	       /* the vector by which the row seems to be moved */
	double moved;	       /* how much moving it back would take off the distance */
};

/* Judge the row xy (K, 2). With fewer than 2 visible points nothing is called wrong. */
void shape_look(const struct shape *s, const float *xy, struct shape_view *v);
/* Only D and, if tail is not NULL, its chance. */
double shape_distance(const struct shape *s, const float *xy, double *tail);
/* Logarithm of the density of the visible points (per square pixel each); moved: of them up to where the row stands, which has two
 * coordinates less. No visible point: 0. */
double shape_likelihood(const struct shape *s, const float *xy, int moved);
/* Where the other visible points put the visible point k. */
void shape_expect(const struct shape *s, const float *xy, int k, double at[2]);

#endif
