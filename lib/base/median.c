/* By sorting. */
#include <stdlib.h>

#include "lib/base/median.h"

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

double median(float *v, size_t n)
{
	qsort(v, n, sizeof *v, ascending);
	return 0.5 * ((double)v[(n - 1) / 2] + (double)v[n / 2]);
}
