/* How far each source's labels of a point are off from the convention that the net learns of all of them: a fit of residuals after each
 * epoch. The net learns of labels minus the offsets found so far (lib/nn/sources.h), so that what is left over is found in the next one. */
#ifndef SOURCE_FIT_H
#define SOURCE_FIT_H

#include <stdint.h>

#include "lib/nn/sources.h"

struct source_fit {
	uint32_t n; /* rows */
	int points;
	float *residual; /* (points, 2, n): label minus offset minus prediction, in the unmoved image, pixels; NaN: none this epoch */
};

struct source_fit *source_fit_new(uint32_t n, int points);
/* At an epoch's end, from (n) rows' sources and all residuals, which are then NaN again; changes s->offset. Of each source, point and
 * coordinate: residuals further from their median than SOURCE_FIT_FAR times their scatter (the median distance from it, times 1.4826, as
 * of a normal distribution) are left out; d is the offset so far plus the mean of the others, e its standard error; of all sources the mean
 * of d, weighted by their labels, is taken off. Then all d of the point and coordinate are shrunk alike, times max(0, 1 - SOURCE_FIT_SHRINK
 * (S - 1) / Q), Q = sum of (d / e)^2 over the S sources with SOURCE_FIT_LEAST labels at least (James and Stein, Estimation with quadratic
 * loss, 1961, the positive part): of two sources that are apart by less than two standard errors nothing is left. Without two such sources:
 * 0. */
void source_fit_end(struct source_fit *f, const int *from, struct sources *s);
#define SOURCE_FIT_FAR 3.0
#define SOURCE_FIT_SHRINK 4.0
enum { SOURCE_FIT_LEAST = 10 };
void source_fit_free(struct source_fit *f);

#endif
