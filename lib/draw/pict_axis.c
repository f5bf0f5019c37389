#include <math.h>
#include <stdio.h>

#include "lib/draw/pict_axis.h"

/* The smallest step, 1, 2 or 5 times a power of ten, that divides span into at most n intervals. */
static double nice_step(double span, int n)
{
	double raw = span / n, power = pow(10, floor(log10(raw) + 1e-9));
	return raw <= power * 1.0001 ? power : raw <= power * 2.0001 ? 2 * power : raw <= power * 5.0001 ? 5 * power : 10 * power;
}

static void add(struct pict_axis *a, double v, double step)
{
	double tolerance = a->log ? 1e-9 * a->hi : 1e-9 * (a->hi - a->lo);
	if (a->n == PICT_TICKS_MAX || v < a->lo - tolerance || v > a->hi + tolerance)
		return;
	double largest = fmax(fabs(a->lo), fabs(a->hi));
	int digits = step > 0 ? (int)fmax(0, -floor(log10(step) + 1e-9)) : 0;
	if (step > 0 && largest < 1e6 && digits <= 5)
		snprintf(a->label[a->n], sizeof a->label[0], "%.*f", digits, v + 0.0);
	else /* as many digits as tell neighbours apart */
		snprintf(a->label[a->n], sizeof a->label[0], "%.*g", step > 0 ? (int)fmax(6, floor(log10(largest / step) + 1e-9) + 2) : 6,
			v);
	a->tick[a->n++] = v;
}

static void linear_ticks(struct pict_axis *a, double step)
{
	double first = ceil(a->lo / step - 1e-9);
	for (int i = 0; i < PICT_TICKS_MAX; i++)
		add(a, fabs(first + i) < 0.5 ? 0 : (first + i) * step, step);
}

/* Ticks at powers of ten, thinned out to fit, and at 2 and 5 times them where there is space; linear ticks where those are too few. */
static void log_ticks(struct pict_axis *a, int wanted)
{
	double low = floor(log10(a->lo)), high = ceil(log10(a->hi)), decades = log10(a->hi / a->lo);
	int every = (int)ceil(fmax(1, fmax((high - low) / (1.5 * wanted), (high - low + 1) / PICT_TICKS_MAX)));
	for (double k = low; k <= high; k += every) {
		add(a, pow(10, k), 0);
		for (int m = 2; m <= 5 && decades <= wanted / 2.5 && 3 * (high - low) < PICT_TICKS_MAX - 1; m += 3)
			add(a, m * pow(10, k), 0);
	}
	if (a->n < 3 && decades < 2) {
		a->n = 0;
		linear_ticks(a, nice_step(a->hi - a->lo, wanted));
	}
}

void pict_axis_fit(struct pict_axis *a, double lo, double hi, int log, int extend, int integer, int wanted)
{
	/* A range of zero width is widened. */
	if (log && hi / lo < 1.000001)
		lo /= 2, hi *= 2;
	else if (!log && hi - lo <= 1e-9 * fmax(fabs(lo), fabs(hi))) {
		double margin = lo == 0 ? 1 : fabs(lo) / 2;
		lo -= margin, hi += margin;
	}
	a->log = log;
	a->n = 0;
	wanted = wanted < PICT_TICKS_MAX - 2 ? wanted : PICT_TICKS_MAX - 2;
	if (log) {
		double margin = extend ? pow(hi / lo, 0.04) : 1;
		a->lo = lo / margin, a->hi = hi * margin;
		log_ticks(a, wanted);
		return;
	}
	double margin = extend ? 0.03 * (hi - lo) : 0;
	int to_zero = extend && lo >= 0 && lo < 0.4 * hi;
	a->lo = to_zero ? 0 : lo - margin;
	a->hi = hi + margin;
	double step = nice_step(a->hi - a->lo, wanted);
	if (integer && step < 1)
		step = 1;
	if (extend) {
		a->lo = floor(a->lo / step + 1e-9) * step;
		a->hi = ceil(a->hi / step - 1e-9) * step;
	}
	linear_ticks(a, step);
}

double pict_axis_at(const struct pict_axis *a, double v)
{
	double s = a->log ? log(v / a->lo) / log(a->hi / a->lo) : (v - a->lo) / (a->hi - a->lo);
	return a->from + s * (a->to - a->from);
}
