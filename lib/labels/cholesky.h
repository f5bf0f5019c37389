/* Small symmetric positive definite matrices, row-major doubles, by Cholesky (Golub and Van Loan, Matrix Computations, 4.2). */
#ifndef CHOLESKY_H
#define CHOLESKY_H

/* Lower factor L of a = L L' in place (n, n); above the diagonal stays what was there. 0 if a is not positive definite. */
int cholesky_factor(double *a, int n);
/* The inverse in place (n, n), both triangles, and the logarithm of the determinant that a had. 0 if a is not positive definite; a is then
 * spoilt. */
int cholesky_invert(double *a, int n, double *logdet);

#endif
