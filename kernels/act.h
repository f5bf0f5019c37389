/* Activation functions and their derivatives in terms of the output, for one value; shared by all backends. */
#ifndef ACT_H
#define ACT_H

#include <math.h>

#include "kernels/backend.h"

#ifdef REAL_DOUBLE
#define real_exp exp
#define real_tanh tanh
#else
#define real_exp expf
#define real_tanh tanhf
#endif

static inline HOST_DEVICE real act_value(real x, enum act act)
{
	switch (act) {
	case ACT_RELU:
		return x > 0 ? x : x != x ? x : 0; /* NaN stays NaN, so that diverged training is noticed */
	case ACT_TANH:
		return real_tanh(x);
	case ACT_SIGMOID:
		return 1 / (1 + real_exp(-x));
	default:
		return x;
	}
}

/* The derivative act'(x), given y = act(x). */
static inline HOST_DEVICE real act_slope(real y, enum act act)
{
	switch (act) {
	case ACT_RELU:
		return y > 0 ? 1 : y != y ? y : 0;
	case ACT_TANH:
		return 1 - y * y;
	case ACT_SIGMOID:
		return y * (1 - y);
	default:
		return 1;
	}
}

#endif
