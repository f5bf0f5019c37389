/* What every backend's update of weights begins with. */
#ifndef OPTIMIZER_H
#define OPTIMIZER_H

#include <math.h>

#include "kernels/backend.h"

/* What Adam divides by: 1 - beta^step of either moment, as factors; 1 for other updates. */
static inline void optimizer_bias_correction(const struct optimizer_step *opt, real *fix1, real *fix2)
{
	*fix1 = opt->kind == OPTIMIZER_ADAM ? (real)(1 / (1 - pow((double)opt->momentum, opt->step))) : 1;
	*fix2 = opt->kind == OPTIMIZER_ADAM ? (real)(1 / (1 - pow((double)opt->beta2, opt->step))) : 1;
}

#endif
