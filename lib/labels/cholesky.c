#include "lib/labels/cholesky.h"

#include <math.h>

int cholesky_factor(double *a, int n)
{
	for (int j = 0; j < n; j++) {
		double *aj = a + j * n, d = aj[j];
		for (int k = 0; k < j; k++)
			d -= aj[k] * aj[k];
		if (!(d > 0))
			return 0;
		aj[j] = sqrt(d);
		for (int i = j + 1; i < n; i++) {
			double *ai = a + i * n, s = ai[j];
			for (int k = 0; k < j; k++)
				s -= ai[k] * aj[k];
			ai[j] = s / aj[j];
		}
	}
	return 1;
}

int cholesky_invert(double *a, int n, double *logdet)
{
	if (!cholesky_factor(a, n))
		return 0;
	*logdet = 0;
	for (int j = 0; j < n; j++)
		*logdet += 2 * log(a[j * n + j]);
	/* M = L^-1, stored transposed, on and above the diagonal, so that the sums below run along rows */
	for (int j = 0; j < n; j++)
		a[j * n + j] = 1 / a[j * n + j];
	for (int j = 0; j < n; j++)
		for (int i = j + 1; i < n; i++) {
			double s = a[i * n + j] * a[j * n + j];
			for (int k = j + 1; k < i; k++)
				s += a[i * n + k] * a[j * n + k];
			a[j * n + i] = -s * a[i * n + i];
		}
	/* a^-1 = M' M: element (i, j) from columns i and j of M, which are stored as rows; M's diagonal element is overwritten by the row's
	 * last sum, j = i */
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++) {
			double s = 0;
			for (int k = i; k < n; k++)
				s += a[i * n + k] * a[j * n + k];
			a[i * n + j] = s;
		}
	for (int i = 0; i < n; i++)
		for (int j = i + 1; j < n; j++)
			a[i * n + j] = a[j * n + i];
	return 1;
}
