#include "lib/labels/f_dist.h"

#include <math.h>

/* Continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8, evaluated by Lentz's method). */
static double fraction(double a, double b, double x)
{
	double c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), h = d;
	for (int m = 1; m < 500; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		d = 1 / (1 + even * d);
		c = 1 + even / c;
		h *= c * d;
		d = 1 / (1 + odd * d);
		c = 1 + odd / c;
		h *= c * d;
		if (fabs(c * d - 1) < 1e-12)
			break;
	}
	return h;
}

/* Regularised incomplete beta function, 0 < x < 1. */
static double beta(double a, double b, double x)
{
	double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
	return x < (a + 1) / (a + b + 2) ? front * fraction(a, b, x) / a : 1 - front * fraction(b, a, 1 - x) / b;
}

double f_dist_sf(double d, double p, double nu)
{
	double x = nu / (nu + d);
	if (!(x > 0))
		return 0;
	return x < 1 ? beta(nu / 2, p / 2, x) : 1;
}

double f_dist_isf(double a, double p, double nu)
{
	double lo = 1e-9, hi = 1e12;
	for (int i = 0; i < 100 && hi > lo * (1 + 1e-10); i++) {
		double mid = sqrt(lo * hi);
		if (f_dist_sf(mid, p, nu) > a)
			lo = mid;
		else
			hi = mid;
	}
	return sqrt(lo * hi);
}
