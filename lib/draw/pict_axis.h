/* Axes: where the ticks are, what stands beside them, and from values to places. */
#ifndef PICT_AXIS_H
#define PICT_AXIS_H

enum { PICT_TICKS_MAX = 24 };

struct pict_axis {
	double lo, hi;	 /* values at the ends; lo < hi */
	int log;	 /* logarithmic; lo > 0 */
	double from, to; /* their places on the canvas */
	int n;
	double tick[PICT_TICKS_MAX];
	char label[PICT_TICKS_MAX][32];
};

/* An axis that holds lo..hi with about `wanted` ticks at 1, 2 or 5 times a power of ten. open: ends may move outward, to air and round
 * numbers (and to 0, where the values come near it); else they stay. whole: no tick between whole numbers. On a log axis lo must be over 0.
 */
void pict_axis_fit(struct pict_axis *a, double lo, double hi, int log, int open, int whole, int wanted);
double pict_axis_at(const struct pict_axis *a, double v);

#endif
