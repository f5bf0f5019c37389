#include "lib/labels/shape_target.h"

#include <math.h>

#include "lib/labels/shape.h"

enum { MOTIONS = 6, P = 2 * SHAPE_POINTS_MAX };

/* A point may have few labels: half of its own variance, half of the mean of all. */
#define OWN_PART 0.5

/* Removes from v its parts along the n orthonormal vectors u, and makes it of length 1; 0 where nothing is left. */
static int orthonormalise(double (*u)[P], int n, int p, double *v)
{
	double before = 0, after = 0;
	for (int j = 0; j < p; j++)
		before += v[j] * v[j];
	for (int e = 0; e < n; e++) {
		double dot = 0;
		for (int j = 0; j < p; j++)
			dot += u[e][j] * v[j];
		for (int j = 0; j < p; j++)
			v[j] -= dot * u[e][j];
	}
	for (int j = 0; j < p; j++)
		after += v[j] * v[j];
	if (!(after > 1e-6 * before))
		return 0;
	for (int j = 0; j < p; j++)
		v[j] /= sqrt(after);
	return 1;
}

/* An orthonormal basis of the affine motions of the points seen: of x and of y each, all alike, in proportion to x, and to y. Returns how
 * many there are: points on a line have fewer. */
static int motions(int k, uint64_t seen, const double *mean, double (*u)[P])
{
	double centre[2] = {0, 0};
	int n = 0, all = __builtin_popcountll(seen);
	for (int i = 0; i < k; i++)
		if (seen >> i & 1)
			centre[0] += mean[2 * i] / all, centre[1] += mean[2 * i + 1] / all;
	for (int m = 0; m < MOTIONS; m++) {
		double *v = u[n];
		for (int i = 0; i < k; i++) {
			double by = m < 2 ? 1 : m < 4 ? mean[2 * i] - centre[0] : mean[2 * i + 1] - centre[1];
			v[2 * i] = v[2 * i + 1] = 0;
			v[2 * i + m % 2] = seen >> i & 1 ? by : 0;
		}
		n += orthonormalise(u, n, 2 * k, v);
	}
	return n;
}

void shape_target(int k, uint64_t seen, const double *mean, const double *cov, double *target)
{
	double u[MOTIONS][P], cu[MOTIONS][P], a[MOTIONS][MOTIONS], own[P], all = 0;
	int p = 2 * k, n = motions(k, seen, mean, u), free = 2 * __builtin_popcountll(seen) - n;
	for (int e = 0; e < n; e++)
		for (int i = 0; i < p; i++) {
			cu[e][i] = 0;
			for (int j = 0; j < p; j++)
				cu[e][i] += cov[i * p + j] * u[e][j];
		}
	for (int e = 0; e < n; e++)
		for (int g = 0; g < n; g++) {
			a[e][g] = 0;
			for (int j = 0; j < p; j++)
				a[e][g] += u[e][j] * cu[g][j];
		}
	/* the diagonal of (I - U U') cov (I - U U'), over the part of the dimensions that the motions leave */
	for (int i = 0; i < p; i++) {
		own[i] = cov[i * p + i];
		for (int e = 0; e < n; e++) {
			own[i] -= 2 * u[e][i] * cu[e][i];
			for (int g = 0; g < n; g++)
				own[i] += u[e][i] * a[e][g] * u[g][i];
		}
		if (!(seen >> (i / 2) & 1))
			continue;
		own[i] = free ? own[i] * (free + n) / free : 0;
		all += own[i] / (free + n);
	}
	for (int i = 0; i < p; i++)
		for (int j = 0; j < p; j++) {
			double v = 0;
			for (int e = 0; e < n; e++)
				for (int g = 0; g < n; g++)
					v += u[e][i] * a[e][g] * u[g][j];
			if (i == j)
				v += (seen >> (i / 2) & 1 ? OWN_PART * own[i] + (1 - OWN_PART) * all : own[i]) +
				     SHAPE_PRECISION * SHAPE_PRECISION;
			target[i * p + j] = v;
		}
}
