/* Axes: tick positions, tick labels, and the mapping from values to canvas coordinates. */
#ifndef PICT_AXIS_H
#define PICT_AXIS_H

enum { PICT_TICKS_MAX = 24 };

struct pict_axis {
	double lo, hi;	 /* values at the ends; lo < hi */
	int log;	 /* logarithmic; lo > 0 */
	double from, to; /* canvas coordinates of lo and hi */
	int n;
	double tick[PICT_TICKS_MAX];
	char label[PICT_TICKS_MAX][32];
};

/* Fits an axis to lo..hi with about `wanted` ticks at 1, 2 or 5 times a power of ten. extend: the ends move outward by a margin, on a
 * linear axis to a tick (to 0, where lo is near it); else they stay. integer: ticks at integers only. On a log axis lo must be above 0. */
void pict_axis_fit(struct pict_axis *a, double lo, double hi, int log, int extend, int integer, int wanted);
/* Canvas coordinate of the value v. */
double pict_axis_at(const struct pict_axis *a, double v);

#endif
