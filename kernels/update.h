/* What every hand's update of weights begins with. */
#ifndef UPDATE_H
#define UPDATE_H

#include <math.h>

#include "kernels/ops.h"

/* What Adam divides by: 1 - beta^step of either moment, as factors; 1 for other updates. */
static inline void update_fixes(const struct update *u, real *fix1, real *fix2)
{
	*fix1 = u->kind == UPDATE_ADAM ? (real)(1 / (1 - pow((double)u->momentum, u->step))) : 1;
	*fix2 = u->kind == UPDATE_ADAM ? (real)(1 / (1 - pow((double)u->beta2, u->step))) : 1;
}

#endif
