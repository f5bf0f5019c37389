/* Cholesky factorisation and inverse of small symmetric positive definite matrices, row-major doubles (Golub and Van Loan, Matrix
 * Computations, 4.2). Both return 1, or 0 if a is not positive definite; a is then undefined. */
#ifndef CHOLESKY_H
#define CHOLESKY_H

/* In place (n, n): the lower factor L of a = L L'; elements above the diagonal are unchanged. */
int cholesky_factor(double *a, int n);
/* In place (n, n): the inverse, both triangles; *logdet: log determinant of the original a. */
int cholesky_invert(double *a, int n, double *logdet);

#endif
