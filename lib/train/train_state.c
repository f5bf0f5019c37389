/* The check for finite weights. */
#include <math.h>

#include "lib/base/err.h"
#include "lib/train/train_state.h"

void train_state_check_finite(const struct train_state *s, const real *p, size_t n)
{
	int fine = 1;
	for (size_t i = 0; i < n; i++)
		fine &= isfinite(p[i]) != 0;
	if (!fine)
		die("epoch %d: a weight is no number; a smaller --rate may help", s->epoch);
}
