/* Energy in low frequencies: projections onto the cosines and sines of low frequency, an orthonormal basis, along rows, then columns. */
#include "lib/train/filters.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"

/* The basis (count, n) of the frequencies of fewer than n / 4 periods; to be freed. */
static double *low_basis(int n, int *count)
{
	int periods = (n - 1) / 4; /* the most below n / 4 */
	double *basis = xcalloc((size_t)(2 * periods + 1) * (size_t)n, sizeof *basis);
	for (int i = 0; i < n; i++)
		basis[i] = sqrt(1.0 / n);
	for (int k = 1; k <= periods; k++)
		for (int i = 0; i < n; i++) {
			double angle = 2 * acos(-1) * k * i / n, scale = sqrt(2.0 / n);
			basis[(2 * k - 1) * n + i] = scale * cos(angle), basis[2 * k * n + i] = scale * sin(angle);
		}
	*count = 2 * periods + 1;
	return basis;
}

void filters_low_shares(const real *w, int n, int H, int W, double *share)
{
	int nx, ny;
	double *bx = low_basis(W, &nx), *by = low_basis(H, &ny), *row = xcalloc((size_t)(H * nx), sizeof *row);
	for (int f = 0; f < n; f++, w += H * W) {
		double sum = 0, all = 0, low = 0;
		for (int i = 0; i < H * W; i++)
			sum += (double)w[i];
		for (int i = 0; i < H * W; i++)
			all += ((double)w[i] - sum / (H * W)) * ((double)w[i] - sum / (H * W));
		for (int y = 0; y < H; y++)
			for (int k = 0; k < nx; k++) {
				double s = 0;
				for (int x = 0; x < W; x++)
					s += bx[k * W + x] * ((double)w[y * W + x] - sum / (H * W));
				row[y * nx + k] = s;
			}
		for (int j = 0; j < ny; j++)
			for (int k = 0; k < nx; k++) {
				double s = 0;
				for (int y = 0; y < H; y++)
					s += by[j * H + y] * row[y * nx + k];
				low += s * s;
			}
		share[f] = all > 0 ? low / all : 0;
	}
	free(bx), free(by), free(row);
}

double filters_structured(const real *w, int n, int H, int W)
{
	double *share = xcalloc((size_t)n, sizeof *share);
	int structured = 0;
	filters_low_shares(w, n, H, W, share);
	for (int i = 0; i < n; i++)
		structured += share[i] > FILTERS_STRUCTURED;
	free(share);
	return (double)structured / n;
}
