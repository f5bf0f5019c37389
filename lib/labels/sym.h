/* Small symmetric positive definite matrices, row-major doubles, by Cholesky (Golub and Van Loan, Matrix Computations, 4.2). */
#ifndef SYM_H
#define SYM_H

/* Lower factor L of a = L L' in place (n, n); above the diagonal stays what was there. 0 if a is not positive definite. */
int sym_factor(double *a, int n);
/* The inverse in place (n, n), both triangles, and the logarithm of the determinant that a had. 0 if a is not positive definite; a is then
 * spoilt. */
int sym_invert(double *a, int n, double *logdet);

#endif
