/* Regression losses of one coordinate (squared, smooth L1, wing) and their derivatives; shared by all backends. */
#ifndef POINT_LOSS_H
#define POINT_LOSS_H

#include <math.h>

#include "kernels/backend.h"

/* The loss of d = z - t; *slope is its derivative by z. NaN stays NaN. */
static inline HOST_DEVICE double point_loss(const struct loss *s, double d, double *slope)
{
	double a = fabs(d), sign = d > 0 ? 1 : d < 0 ? -1 : d, w = (double)s->width, c = (double)s->curve;
	switch (s->kind) {
	case LOSS_SMOOTH:
		*slope = a < w ? d / w : sign;
		return a < w ? d * d / (2 * w) : a - w / 2;
	case LOSS_WING:
		*slope = a < w ? sign * w / (c + a) : sign;
		return a < w ? w * log1p(a / c) : a - w + w * log1p(w / c);
	default:
		*slope = 2 * d;
		return d * d;
	}
}

#endif
