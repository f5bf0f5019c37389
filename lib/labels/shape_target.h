/* What the covariance of few faces is shrunk towards: faces that move, turn, grow and slant as a whole, and beyond that points that vary
 * each for itself. A factor model whose loadings are known: the six affine motions of the mean shape; their covariance (6, 6) and the
 * points' own variances come from the covariance to be shrunk, so that the target has 21 + 2K numbers to learn where the covariance has K
 * (2K + 1). Shrinking towards a factor model: Ledoit and Wolf, 2003, "Improved estimation of the covariance matrix of stock returns". */
#ifndef SHAPE_TARGET_H
#define SHAPE_TARGET_H

#include <stdint.h>

/* target (2K, 2K), positive definite, from mean (2K) and cov (2K, 2K); points that are not seen keep their own variances. */
void shape_target(int k, uint64_t seen, const double *mean, const double *cov, double *target);

#endif
