/* Range, mean and NaN count of a tensor's values, accumulated in one pass and constant memory, and single values as text. Sums are in the
 * order of the values, so equal rows give equal text. f16, bf16 and bool have no statistics: nothing is counted. */
#ifndef STAT_H
#define STAT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/json.h"

struct stat_range {
	int dtype;
	uint64_t n, nan, inf; /* values that are not NaN (infinities included), that are NaN, infinite */
	double min, max;      /* of floats; +inf, -inf while n is 0 */
	int64_t imin, imax;   /* of signed integers */
	uint64_t umin, umax;  /* of unsigned integers */
	double sum;	      /* of the finite values */
};

void stat_begin(struct stat_range *s, int dtype);
int stat_supported(int dtype); /* 0 for the types without statistics */
/* n more values of the type, aligned or not. */
void stat_add(struct stat_range *s, const void *values, size_t n);
/* Mean of the finite values; NaN if there are none. */
double stat_mean(const struct stat_range *s);

/* Value i of an array as text in buf (40 bytes at least): integers and bool in decimal, floats with the fewest digits that read back the
 * same, f16 and bf16 as hexadecimal bits. Returns buf. */
const char *stat_text(char *buf, int dtype, const void *values, size_t i);
/* The smallest and the largest value as text; "-" while n is 0. Both return buf (40 bytes at least). */
const char *stat_min(char *buf, const struct stat_range *s);
const char *stat_max(char *buf, const struct stat_range *s);
/* min, max, mean, nan and inf (counts) as keys of the open object; null where there is none or it is infinite; no key of a type without
 * statistics. */
void stat_json(struct json *j, const struct stat_range *s);

#endif
