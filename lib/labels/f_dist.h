/* F distribution: survival function and its inverse, for the squared Mahalanobis distance D = (x - m)' S^-1 (x - m) of a multivariate t
 * distribution with dimension p, centre m, shape matrix S and nu degrees of freedom: D / p is F distributed with p and nu degrees of
 * freedom. As nu grows, D becomes chi-squared with p. */
#ifndef F_DIST_H
#define F_DIST_H

/* P(D > d), d >= 0. */
double f_dist_sf(double d, double p, double nu);
/* Its inverse: d such that P(D > d) = a, 0 < a < 1. */
double f_dist_isf(double a, double p, double nu);

#endif
