#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/stream/stat.h"
#include "lib/stream/tns.h"

int stat_supported(int dtype)
{
	return dtype != TNS_F16 && dtype != TNS_BF16 && dtype != TNS_BOOL;
}

void stat_begin(struct stat_range *s, int dtype)
{
	memset(s, 0, sizeof *s);
	s->dtype = dtype;
	s->min = INFINITY, s->max = -INFINITY;
	s->imin = INT64_MAX, s->imax = INT64_MIN;
	s->umin = UINT64_MAX;
}

/* One loop a type; memcpy because values may be unaligned: it compiles to a plain load. */
#define INTEGERS(type, wide, lo, hi)                                                                                                       \
	do {                                                                                                                               \
		wide a = s->lo, b = s->hi;                                                                                                 \
		double sum = 0;                                                                                                            \
		for (size_t i = 0; i < n; i++) {                                                                                           \
			type v;                                                                                                            \
			memcpy(&v, p + i * sizeof v, sizeof v);                                                                            \
			a = v < a ? v : a, b = v > b ? v : b;                                                                              \
			sum += (double)v;                                                                                                  \
		}                                                                                                                          \
		s->lo = a, s->hi = b, s->sum += sum, s->n += n;                                                                            \
	} while (0)

#define FLOATS(type)                                                                                                                       \
	for (size_t i = 0; i < n; i++) {                                                                                                   \
		type v;                                                                                                                    \
		memcpy(&v, p + i * sizeof v, sizeof v);                                                                                    \
		if (isnan(v)) {                                                                                                            \
			s->nan++;                                                                                                          \
			continue;                                                                                                          \
		}                                                                                                                          \
		s->n++;                                                                                                                    \
		s->min = v < s->min ? v : s->min, s->max = v > s->max ? v : s->max;                                                        \
		if (isinf(v))                                                                                                              \
			s->inf++;                                                                                                          \
		else                                                                                                                       \
			s->sum += v;                                                                                                       \
	}

void stat_add(struct stat_range *s, const void *values, size_t n)
{
	const unsigned char *p = values;
	switch (s->dtype) {
	case TNS_U8:
		INTEGERS(uint8_t, uint64_t, umin, umax);
		break;
	case TNS_U16:
		INTEGERS(uint16_t, uint64_t, umin, umax);
		break;
	case TNS_U32:
		INTEGERS(uint32_t, uint64_t, umin, umax);
		break;
	case TNS_U64:
		INTEGERS(uint64_t, uint64_t, umin, umax);
		break;
	case TNS_I8:
		INTEGERS(int8_t, int64_t, imin, imax);
		break;
	case TNS_I16:
		INTEGERS(int16_t, int64_t, imin, imax);
		break;
	case TNS_I32:
		INTEGERS(int32_t, int64_t, imin, imax);
		break;
	case TNS_I64:
		INTEGERS(int64_t, int64_t, imin, imax);
		break;
	case TNS_F32:
		FLOATS(float)
		break;
	case TNS_F64:
		FLOATS(double)
		break;
	}
}

double stat_mean(const struct stat_range *s)
{
	return s->n > s->inf ? s->sum / (double)(s->n - s->inf) : NAN;
}

static int is_float(int dtype)
{
	return dtype == TNS_F32 || dtype == TNS_F64;
}

static int is_unsigned(int dtype)
{
	return dtype == TNS_U8 || dtype == TNS_U16 || dtype == TNS_U32 || dtype == TNS_U64;
}

static const char *bound(char *buf, const struct stat_range *s, double f, int64_t i, uint64_t u)
{
	if (!s->n)
		return strcpy(buf, "-");
	if (is_float(s->dtype))
		return json_digits(buf, f, s->dtype == TNS_F32);
	if (is_unsigned(s->dtype))
		snprintf(buf, 40, "%" PRIu64, u);
	else
		snprintf(buf, 40, "%" PRId64, i);
	return buf;
}

const char *stat_min(char *buf, const struct stat_range *s)
{
	return bound(buf, s, s->min, s->imin, s->umin);
}

const char *stat_max(char *buf, const struct stat_range *s)
{
	return bound(buf, s, s->max, s->imax, s->umax);
}

void stat_json(struct json *j, const struct stat_range *s)
{
	char buf[40];
	if (!stat_supported(s->dtype))
		return;
	json_key(j, "min"), json_literal(j, strpbrk(stat_min(buf, s), "in") || !s->n ? "null" : buf);
	json_key(j, "max"), json_literal(j, strpbrk(stat_max(buf, s), "in") || !s->n ? "null" : buf);
	json_key(j, "mean"), json_real(j, stat_mean(s));
	json_key(j, "nan"), json_uint(j, s->nan);
	json_key(j, "inf"), json_uint(j, s->inf);
}

const char *stat_text(char *buf, int dtype, const void *values, size_t i)
{
	const unsigned char *p = (const unsigned char *)values + i * tns_size(dtype);
	struct stat_range s;
	unsigned bits = 0;
	if (stat_supported(dtype)) {
		stat_begin(&s, dtype);
		stat_add(&s, p, 1);
		return s.nan ? strcpy(buf, "nan") : stat_min(buf, &s);
	}
	for (size_t b = tns_size(dtype); b-- > 0;)
		bits = bits << 8 | p[b];
	snprintf(buf, 40, dtype == TNS_BOOL ? "%u" : "0x%04x", bits);
	return buf;
}
