/* Adam's bias correction, computed on the host once a step by every backend. */
#ifndef OPTIMIZER_H
#define OPTIMIZER_H

#include <math.h>

#include "kernels/backend.h"

/* Factors of the first and the second moment: 1 / (1 - beta^step); 1 for other optimizers. */
static inline void optimizer_bias_correction(const struct optimizer_step *opt, real *correction1, real *correction2)
{
	*correction1 = opt->kind == OPTIMIZER_ADAM ? (real)(1 / (1 - pow((double)opt->momentum, opt->step))) : 1;
	*correction2 = opt->kind == OPTIMIZER_ADAM ? (real)(1 / (1 - pow((double)opt->beta2, opt->step))) : 1;
}

#endif
