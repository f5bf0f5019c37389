/* Eigenvalues and eigenvectors of symmetric matrices, by LAPACK's dsyevd. The rooms' calls of OpenBLAS run on the calling thread alone
 * (eigen_begin), so that their results do not depend on a number of threads; they do depend on the kernels that OpenBLAS chooses for the
 * processor. */
#ifndef EIGEN_H
#define EIGEN_H

/* To be called before anything else of this room. */
void eigen_begin(void);
/* "OpenBLAS 0.3.21, Zen": version and kernels, for the log; not to be freed. */
const char *eigen_kernel(void);
/* a (n, n), row-major: its lower triangle is read; becomes the unit eigenvectors as rows, those of the largest eigenvalues first. values
 * (n) fall. Ends the program where the iteration does not converge, as it can't but with NaN. */
void eigen_symmetric(double *a, int n, double *values);

#endif
