#include "lib/base/num.h"

#include <math.h>
#include <stdlib.h>

static int digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits into *to; 0 if there are none or the value is above max. *end: what follows the last digit. */
static int digits(const char *s, uint64_t max, uint64_t *to, const char **end)
{
	uint64_t v = 0;
	if (!digit(*s))
		return 0;
	for (; digit(*s); s++) {
		unsigned d = (unsigned)(*s - '0');
		if (v > (max - d) / 10)
			return 0;
		v = v * 10 + d;
	}
	*to = v;
	*end = s;
	return 1;
}

int num_uint(const char *s, uint64_t *to)
{
	const char *end;
	uint64_t v;
	if (!digits(s, UINT64_MAX, &v, &end) || *end)
		return 0;
	*to = v;
	return 1;
}

int num_int(const char *s, int64_t *to)
{
	const char *end;
	uint64_t v;
	int minus = *s == '-';
	if (!digits(s + minus, (uint64_t)INT64_MAX + (unsigned)minus, &v, &end) || *end)
		return 0;
	*to = !minus ? (int64_t)v : v ? -(int64_t)(v - 1) - 1 : 0;
	return 1;
}

int num_real(const char *s, double *to)
{
	/* strtod accepts spaces, hexadecimal, inf and nan: the syntax is checked here first. */
	const char *p = s + (*s == '-');
	int n = 0;
	for (; digit(*p); p++)
		n++;
	if (*p == '.')
		for (p++; digit(*p); p++)
			n++;
	if (!n)
		return 0;
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		if (!digit(*p))
			return 0;
		while (digit(*p))
			p++;
	}
	if (*p)
		return 0;
	double v = strtod(s, NULL);
	if (!isfinite(v))
		return 0;
	*to = v;
	return 1;
}

int num_size(const char *s, int *w, int *h)
{
	uint64_t a, b;
	if (!digits(s, 65535, &a, &s) || *s != 'x' || !digits(s + 1, 65535, &b, &s) || *s || !a || !b)
		return 0;
	*w = (int)a;
	*h = (int)b;
	return 1;
}
