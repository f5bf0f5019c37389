/* Images to vectors: frame, gradients, histogram, whitening. Every row's arithmetic is in one order, whatever the machine's threads. */
#include "lib/labels/likeness.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/labels/cholesky.h"
#include "lib/labels/similarity.h"

enum { GRID = LIKENESS_GRID, CELLS = LIKENESS_CELLS, ANGLES = LIKENESS_ANGLES, DIM = LIKENESS_DIM };

#define FRAME 3.0 /* side of the frame around the mean points, in root mean squares of their distances from their centroid */
#define RIDGE 0.1 /* added to the covariance, in means of its eigenvalues: what N rows say of DIM directions is uncertain */
#define TURNED 4  /* a row's points that need a larger scale than this, or one below its inverse, are not believed */

/* Points of a data set, their means, and the frame around these: of the whole image where there are no points. */
struct frame {
	int K, W, H;
	double complex *mean; /* (K); NAN: never labelled */
	double complex centre;
	double w, h;
};

static int is_labelled(const struct frame *f, const float *xy, int k)
{
	double x = (double)xy[2 * k], y = (double)xy[2 * k + 1];
	return x > -f->W && x < 2 * f->W && y > -f->H && y < 2 * f->H; /* a wild label would move the mean; false for NaN */
}

static double complex point(const float *xy, int k)
{
	return (double)xy[2 * k] + (double)xy[2 * k + 1] * I;
}

static void mean_points(struct frame *f, const struct tns_table *t, int keypoints, uint64_t n)
{
	double *count = xcalloc((size_t)f->K, sizeof *count);
	for (uint64_t i = 0; i < n; i++) {
		const float *xy = tns_row(t, keypoints, i);
		for (int k = 0; k < f->K; k++)
			if (is_labelled(f, xy, k))
				f->mean[k] += point(xy, k), count[k]++;
	}
	for (int k = 0; k < f->K; k++)
		f->mean[k] = count[k] > 0 ? f->mean[k] / count[k] : NAN;
	free(count);
}

static void frame_around(struct frame *f)
{
	int n = 0;
	double complex sum = 0;
	double square = 0;
	f->centre = (f->W - 1) / 2.0 + (f->H - 1) / 2.0 * I, f->w = f->W, f->h = f->H;
	for (int k = 0; k < f->K; k++)
		if (!isnan(creal(f->mean[k])))
			sum += f->mean[k], n++;
	for (int k = 0; k < f->K; k++)
		if (!isnan(creal(f->mean[k])))
			square += pow(cabs(f->mean[k] - sum / n), 2);
	if (n > 1 && square / n > 1)
		f->centre = sum / n, f->w = f->h = FRAME * sqrt(square / n);
}

/* The similarity z = turn * mean + shift that takes the mean points nearest to the row's; none: 1, 0. */
static void fit_points(const struct frame *f, const float *xy, double complex *turn, double complex *shift)
{
	double *mean = xcalloc(4 * (size_t)f->K + 1, sizeof *mean), *row = mean + 2 * f->K;
	struct similarity s;
	*turn = 1, *shift = 0;
	for (int k = 0; k < f->K; k++) {
		mean[2 * k] = creal(f->mean[k]), mean[2 * k + 1] = cimag(f->mean[k]);
		row[2 * k] = row[2 * k + 1] = NAN;
		if (is_labelled(f, xy, k))
			row[2 * k] = (double)xy[2 * k], row[2 * k + 1] = (double)xy[2 * k + 1];
	}
	if (similarity_fit(&s, mean, row, f->K, TURNED))
		*turn = s.turn[0] + s.turn[1] * I, *shift = s.to[0] + s.to[1] * I - *turn * (s.from[0] + s.from[1] * I);
	free(mean);
}

/* The frame as GRID x GRID pixels; one that covers more than a pixel of the image is a mean of samples. */
static void look(float *to, const struct frame *f, const uint8_t *image, double complex turn, double complex shift)
{
	double step = cabs(turn) * fmax(f->w, f->h) / GRID;
	int n = step > 1 ? (int)lround(step) : 1;
	for (int i = 0; i < GRID * GRID; i++) {
		double sum = 0;
		for (int k = 0; k < n * n; k++) {
			double u = (i % GRID + (k % n + 0.5) / n) / GRID - 0.5, v = ((double)(i / GRID) + (k / n + 0.5) / n) / GRID - 0.5;
			double complex z = turn * (f->centre + u * f->w + v * f->h * I) + shift;
			sum += similarity_sample(image, f->W, f->H, creal(z), cimag(z));
		}
		to[i] = (float)(sum / (n * n));
	}
}

/* Cells on both sides of a coordinate and the share of the first; those beyond the border are -1 or CELLS. */
static double cells_at(int x, int cell[2])
{
	double at = (x + 0.5) * CELLS / GRID - 0.5;
	cell[0] = (int)floor(at), cell[1] = cell[0] + 1;
	return cell[1] - at;
}

static void add_gradient(float *to, int x, int y, double dx, double dy)
{
	int cx[2], cy[2];
	double wx = cells_at(x, cx), wy = cells_at(y, cy), angle = atan2(dy, dx) / (2 * M_PI) * ANGLES, size = hypot(dx, dy);
	angle = angle < 0 ? angle + ANGLES : angle;
	double below = floor(angle), share = 1 - (angle - below);
	int a = (int)below % ANGLES, b = (a + 1) % ANGLES;
	for (int k = 0; k < 4; k++) {
		int i = cx[k % 2], j = cy[k / 2];
		double w = size * (k % 2 ? 1 - wx : wx) * (k / 2 ? 1 - wy : wy);
		if (i < 0 || j < 0 || i >= CELLS || j >= CELLS)
			continue;
		float *cell = to + (j * CELLS + i) * ANGLES;
		cell[a] += (float)(w * share), cell[b] += (float)(w * (1 - share));
	}
}

/* Square roots of the histogram, scaled to sum 1: a vector of unit length; zero where nothing has a gradient. */
static void histogram(float *to, const float *pixel)
{
	double sum = 0;
	memset(to, 0, DIM * sizeof *to);
	for (int y = 0; y < GRID; y++)
		for (int x = 0; x < GRID; x++) {
			const float *row = pixel + y * GRID;
			int left = x ? x - 1 : 0, right = x < GRID - 1 ? x + 1 : x, up = y ? y - 1 : 0, down = y < GRID - 1 ? y + 1 : y;
			double dx = (double)(row[right] - row[left]), dy = (double)(pixel[down * GRID + x] - pixel[up * GRID + x]);
			add_gradient(to, x, y, dx, dy);
		}
	for (int k = 0; k < DIM; k++)
		sum += (double)to[k];
	for (int k = 0; k < DIM && sum > 0; k++)
		to[k] = (float)sqrt((double)to[k] / sum);
}

/* Subtracts the mean of all rows; a (DIM, DIM): the lower triangle of their covariance. Returns its mean eigenvalue. */
static double centre(float *x, uint64_t n, double *a)
{
	double mean[DIM] = {0}, trace = 0;
	for (uint64_t i = 0; i < n; i++)
		for (int k = 0; k < DIM; k++)
			mean[k] += (double)x[i * DIM + (uint64_t)k] / (double)n;
	for (uint64_t i = 0; i < n; i++) {
		double row[DIM];
		for (int k = 0; k < DIM; k++)
			row[k] = (double)(x[i * DIM + (uint64_t)k] -= (float)mean[k]);
		for (int j = 0; j < DIM; j++)
			for (int k = 0; k <= j; k++)
				a[j * DIM + k] += row[j] * row[k] / (double)n;
	}
	for (int k = 0; k < DIM; k++)
		trace += a[k * DIM + k];
	return trace / DIM;
}

/* x becomes L^-1 x, of unit length: products are then cosines under the inverse of L L'. */
static void whiten(float *x, const double *L)
{
	double y[DIM], norm = 0;
	for (int j = 0; j < DIM; j++) {
		y[j] = (double)x[j];
		for (int k = 0; k < j; k++)
			y[j] -= L[j * DIM + k] * y[k];
		y[j] /= L[j * DIM + j];
		norm += y[j] * y[j];
	}
	for (int j = 0; j < DIM; j++)
		x[j] = norm > 0 ? (float)(y[j] / sqrt(norm)) : 0;
}

static int whiten_all(float *x, uint64_t n)
{
	double *a = xcalloc(DIM * DIM, sizeof *a), mean = centre(x, n, a);
	for (int k = 0; k < DIM; k++)
		a[k * DIM + k] += RIDGE * mean;
	int differ = mean > 1e-9 && cholesky_factor(a, DIM);
	for (uint64_t i = 0; differ && i < n; i++)
		whiten(x + i * DIM, a);
	free(a);
	return differ;
}

float *likeness(const struct tns_table *t, int image, int keypoints)
{
	const struct tns_def *d = &tns_table_head(t)->def[image];
	uint64_t n = d->rows;
	struct frame f = {.W = (int)d->dim[2], .H = (int)d->dim[1]};
	if (n < 2)
		return NULL;
	if (keypoints >= 0)
		f.K = (int)tns_table_head(t)->def[keypoints].dim[1];
	f.mean = xcalloc((size_t)f.K, sizeof *f.mean);
	if (keypoints >= 0)
		mean_points(&f, t, keypoints, n);
	frame_around(&f);
	float *x = xcalloc(n * DIM, sizeof *x), *pixel = xcalloc(GRID * GRID, sizeof *pixel);
	for (uint64_t i = 0; i < n; i++) {
		double complex turn = 1, shift = 0;
		if (keypoints >= 0)
			fit_points(&f, tns_row(t, keypoints, i), &turn, &shift);
		look(pixel, &f, tns_row(t, image, i), turn, shift);
		histogram(x + i * DIM, pixel);
	}
	if (!whiten_all(x, n)) {
		free(x);
		x = NULL;
	}
	free(pixel), free(f.mean);
	return x;
}
