/* LAPACK's eigenvalue solver; its matrices are column-major, so the lower triangle of ours is its upper one. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pca/eigen.h"

/* Fortran: the two lengths of texts at the end. */
void dsyevd_(const char *job, const char *triangle, const int *n, double *a, const int *lda, double *values, double *work, const int *lwork,
	int *iwork, const int *liwork, int *info, size_t job_length, size_t triangle_length);

void eigen_begin(void)
{
	openblas_set_num_threads(1);
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

static void swap_rows(double *a, double *b, int n)
{
	for (int i = 0; i < n; i++) {
		double t = a[i];
		a[i] = b[i], b[i] = t;
	}
}

void eigen_symmetric(double *a, int n, double *values)
{
	double size, *work = &size;
	int info, isize, *iwork = &isize, lwork = -1, liwork = -1;
	dsyevd_("V", "U", &n, a, &n, values, work, &lwork, iwork, &liwork, &info, 1, 1); /* asks for the sizes */
	lwork = (int)size, liwork = isize;
	work = xcalloc((size_t)lwork, sizeof *work), iwork = xcalloc((size_t)liwork, sizeof *iwork);
	dsyevd_("V", "U", &n, a, &n, values, work, &lwork, iwork, &liwork, &info, 1, 1);
	if (info)
		die("the eigenvalues of a matrix of %d rows do not converge (dsyevd: %d)", n, info);
	free(work), free(iwork);
	for (int i = 0; i < n / 2; i++) { /* LAPACK's rise */
		double t = values[i];
		values[i] = values[n - 1 - i], values[n - 1 - i] = t;
		swap_rows(a + (size_t)i * (size_t)n, a + (size_t)(n - 1 - i) * (size_t)n, n);
	}
}
