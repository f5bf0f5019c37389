#include "lib/convert/json_in.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/utf8.h"

void json_in_begin(struct json_in *j, const void *text, size_t n)
{
	*j = (struct json_in){.begin = text, .p = text, .e = (const char *)text + n};
}

int json_in_fault(struct json_in *j, const char *fmt, ...)
{
	va_list ap;
	if (*j->err)
		return -1;
	size_t n = (size_t)snprintf(j->err, sizeof j->err, "byte %zu: ", (size_t)(j->p - j->begin));
	va_start(ap, fmt);
	vsnprintf(j->err + n, sizeof j->err - n, fmt, ap);
	va_end(ap);
	return -1;
}

static void skip_blanks(struct json_in *j)
{
	while (j->p < j->e && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r'))
		j->p++;
}

int json_in_is(struct json_in *j, char c)
{
	skip_blanks(j);
	if (*j->err || j->p == j->e || *j->p != c)
		return 0;
	j->p++;
	return 1;
}

int json_in_need(struct json_in *j, char c)
{
	return json_in_is(j, c) ? 0 : json_in_fault(j, "not the '%c' that belongs here", c);
}

int json_in_more(struct json_in *j, char end)
{
	return json_in_is(j, ',') ? 1 : json_in_need(j, end);
}

/* Four hexadecimal digits behind "\u", or -1. */
static int hex4(struct json_in *j)
{
	int v = 0;
	for (int i = 0; i < 4; i++, j->p++) {
		int c = j->p < j->e ? *j->p : 0;
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
		if (digit < 0)
			return json_in_fault(j, "no four hexadecimal digits");
		v = v << 4 | digit;
	}
	return v;
}

static char *put_utf8(char *to, unsigned c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6), *to++ = (char)(0x80 | (c & 63));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12), *to++ = (char)(0x80 | (c >> 6 & 63)), *to++ = (char)(0x80 | (c & 63));
	} else {
		*to++ = (char)(0xf0 | c >> 18), *to++ = (char)(0x80 | (c >> 12 & 63));
		*to++ = (char)(0x80 | (c >> 6 & 63)), *to++ = (char)(0x80 | (c & 63));
	}
	return to;
}

/* Behind a backslash; NULL: no escape. */
static char *put_escape(struct json_in *j, char *to)
{
	static const char from[] = "\"\\/bfnrt", is[] = "\"\\/\b\f\n\r\t";
	char c = j->p < j->e ? *j->p++ : 0;
	const char *at = c ? strchr(from, c) : NULL;
	if (at) {
		*to = is[at - from];
		return to + 1;
	}
	if (c != 'u')
		return json_in_fault(j, "an unknown escape"), NULL;
	int v = hex4(j), low = 0;
	if (v >= 0xd800 && v < 0xdc00) { /* half of a pair of UTF-16 */
		if (j->e - j->p < 2 || j->p[0] != '\\' || j->p[1] != 'u')
			return json_in_fault(j, "half of a surrogate pair"), NULL;
		j->p += 2;
		low = hex4(j);
		if (low >= 0 && (low < 0xdc00 || low > 0xdfff))
			return json_in_fault(j, "half of a surrogate pair"), NULL;
		v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
	}
	return v < 0 || low < 0 ? NULL : put_utf8(to, (unsigned)v);
}

char *json_in_text(struct json_in *j, size_t *n)
{
	if (json_in_need(j, '"'))
		return NULL;
	const char *end = j->p;
	while (end < j->e && *end != '"' && (unsigned char)*end >= 0x20)
		end += *end == '\\' && end + 1 < j->e ? 2 : 1;
	if (end >= j->e || *end != '"')
		return json_in_fault(j, "a text without end"), NULL;
	char *s = xmalloc((size_t)(end - j->p) + 1), *to = s; /* no escape is shorter than what it stands for */
	while (to && j->p < end)
		if (*j->p == '\\')
			j->p++, to = put_escape(j, to);
		else
			*to++ = *j->p++;
	if (to && !utf8_valid((unsigned char *)s, (size_t)(to - s)))
		json_in_fault(j, "a text that is not UTF-8");
	if (*j->err) {
		free(s);
		return NULL;
	}
	j->p = end + 1;
	*to = 0;
	*n = (size_t)(to - s);
	return s;
}

int json_in_uint(struct json_in *j, uint64_t *to)
{
	uint64_t v = 0;
	skip_blanks(j);
	const char *first = j->p;
	for (; j->p < j->e && *j->p >= '0' && *j->p <= '9'; j->p++)
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, (uint64_t)(*j->p - '0'), &v))
			return json_in_fault(j, "a number that is too large");
	if (j->p == first || (*first == '0' && j->p - first > 1) || (j->p < j->e && strchr(".eE", *j->p) && *j->p))
		return json_in_fault(j, "no whole number");
	*to = v;
	return *j->err ? -1 : 0;
}

int json_in_end(struct json_in *j)
{
	skip_blanks(j);
	return j->p == j->e && !*j->err ? 0 : json_in_fault(j, "something follows");
}
