/* Tails of the distances that a multivariate t distribution gives: if x has dimension p, centre m, shape S and nu degrees of freedom, then
 * D = (x - m)' S^-1 (x - m) is such that D / p is F distributed with p and nu degrees. As nu grows, D becomes chi-squared with p. */
#ifndef F_DIST_H
#define F_DIST_H

/* The chance of a distance above d >= 0. */
double f_dist_sf(double d, double p, double nu);
/* The distance that is exceeded with chance a, 0 < a < 1. */
double f_dist_isf(double a, double p, double nu);

#endif
