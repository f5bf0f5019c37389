/* LAPACK's eigenvalue solver; its matrices are column-major, so the lower triangle of ours is its upper one. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pca/eigen.h"

/* Fortran: the lengths of texts at the end. */
void dsytrd_(const char *triangle, const int *n, double *a, const int *lda, double *d, double *e, double *tau, double *work,
	const int *lwork, int *info, size_t triangle_length);
void dstedc_(const char *job, const int *n, double *d, double *e, double *z, const int *ldz, double *work, const int *lwork, int *iwork,
	const int *liwork, int *info, size_t job_length);
void dormtr_(const char *side, const char *triangle, const char *transpose, const int *m, const int *n, const double *a, const int *lda,
	const double *tau, double *c, const int *ldc, double *work, const int *lwork, int *info, size_t side_length, size_t triangle_length,
	size_t transpose_length);

struct eigen {
	int n;
	double *a, *tau; /* one block of memory: (n, n), (n): the reflectors of the reduction; */
	double *z;	 /* (n, n): the tridiagonal matrix's eigenvectors as rows, those of the least eigenvalues first */
};

/* Ends OpenBLAS's own threads, which else keep processors busy while they wait for work: in no header of it, and not in all of its builds.
 */
int blas_thread_shutdown_(void) __attribute__((weak));

void eigen_begin(void)
{
	openblas_set_num_threads(1); /* first: it may start them again */
	if (blas_thread_shutdown_)
		blas_thread_shutdown_();
}

const char *eigen_kernel(void)
{
	static char text[160];
	const char *config = openblas_get_config(); /* "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..." */
	int words = (int)strcspn(config, " ");
	words += config[words] ? 1 + (int)strcspn(config + words + 1, " ") : 0;
	snprintf(text, sizeof text, "%.*s, %s", words, config, openblas_get_corename());
	return text;
}

struct eigen *eigen_new(const double *a, int n, double *values)
{
	size_t N = (size_t)n, least = 1 + 4 * N + N * N, blocks = 64 * N;
	int lwork = (int)(least > blocks ? least : blocks), liwork = 3 + 5 * n, info;
	struct eigen *e = xcalloc(1, sizeof *e);
	e->n = n, e->a = xlarge((2 * N * N + 2 * N + (size_t)lwork) * sizeof *a);
	e->z = e->a + N * N, e->tau = e->z + N * N;
	double *off = e->tau + N, *work = off + N;
	int *iwork = xcalloc((size_t)liwork, sizeof *iwork);
	memcpy(e->a, a, N * N * sizeof *a);
	dsytrd_("U", &n, e->a, &n, values, off, e->tau, work, &lwork, &info, 1);
	dstedc_("I", &n, values, off, e->z, &n, work, &lwork, iwork, &liwork, &info, 1);
	if (info)
		die("the eigenvalues of a matrix of %d rows do not converge (dstedc: %d)", n, info);
	free(iwork);
	for (int i = 0; i < n / 2; i++) { /* LAPACK's rise */
		double t = values[i];
		values[i] = values[n - 1 - i], values[n - 1 - i] = t;
	}
	return e;
}

void eigen_vectors(struct eigen *e, int k, double *vectors)
{
	int n = e->n, lwork = 64 * (k + 65), info; /* blocks of 64, and their triangles */
	size_t N = (size_t)n;
	double *work = xmalloc((size_t)lwork * sizeof *work);
	for (int i = 0; i < k; i++)
		memcpy(vectors + (size_t)i * N, e->z + (N - 1 - (size_t)i) * N, N * sizeof *vectors);
	dormtr_("L", "U", "N", &n, &k, e->a, &n, e->tau, vectors, &n, work, &lwork, &info, 1, 1, 1);
	free(work);
}

void eigen_free(struct eigen *e)
{
	free(e->a), free(e);
}
