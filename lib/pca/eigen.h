/* Eigenvalues and eigenvectors of symmetric matrices, by LAPACK: reduced to tridiagonal form, solved by divide and conquer, and transformed
 * back, of all eigenvectors only those that are wanted. The rooms' calls of OpenBLAS run on the calling thread alone
 * (eigen_begin), so that their results do not depend on a number of threads; they do depend on the kernels that OpenBLAS chooses for the
 * processor. */
#ifndef EIGEN_H
#define EIGEN_H

/* To be called before anything else of this room. */
void eigen_begin(void);
/* "OpenBLAS 0.3.21, Zen": version and kernels, for the log; not to be freed. */
const char *eigen_kernel(void);
/* values (n) falls: the eigenvalues of a (n, n), row-major, whose lower triangle is read. Ends the program where the iteration does not
 * converge, as it can't but with NaN. */
struct eigen *eigen_new(const double *a, int n, double *values);
/* vectors (k, n): the unit eigenvectors of the k largest ones, as rows. */
void eigen_vectors(struct eigen *e, int k, double *vectors);
void eigen_free(struct eigen *e);

#endif
