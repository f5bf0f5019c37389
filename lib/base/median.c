/* By sorting. */
#include <stdlib.h>

#include "lib/base/ascending.h"
#include "lib/base/median.h"

double median(float *v, size_t n)
{
	qsort(v, n, sizeof *v, ascending_float);
	return 0.5 * ((double)v[(n - 1) / 2] + (double)v[n / 2]);
}
