/* Fields of a row into values of tensors. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/num.h"
#include "lib/table/table_in_io.h"

static const char *const missing[] = {"", "nan", "na", "<na>", "n/a", "#n/a", "null", "none"};

/* ---- numbers ---- */

/* A real number or NaN; single: as a float. 0: it is none. */
static int real(char *text, unsigned char sep, int single, double *to)
{
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
		if (!strcasecmp(text, missing[i])) {
			*to = (double)NAN;
			return 1;
		}
	if (!strcmp(text, "-nan")) {
		*to = -(double)NAN;
		return 1;
	}
	if (!strcmp(text, "inf") || !strcmp(text, "-inf")) {
		*to = *text == '-' ? -(double)INFINITY : (double)INFINITY;
		return 1;
	}
	char *comma = sep == ';' ? strchr(text, ',') : NULL;
	if (comma)
		*comma = '.';
	text += text[0] == '+' && text[1] != '-';
	if (!num_real(text, to))
		return 0;
	if (single) /* not by way of a double, which would be rounded twice */
		*to = (double)strtof(text, NULL);
	return isfinite(*to);
}

/* A whole number, perhaps with a fraction of zeros, of n bytes. */
static int whole(char *text, size_t n, int is_signed, unsigned char *to)
{
	char *point = strchr(text, '.');
	int64_t i;
	uint64_t u;
	if (point && point > text && !point[1 + strspn(point + 1, "0")])
		*point = 0;
	if (is_signed) {
		if (!num_int(text, &i) || (n < 8 && (i < -((int64_t)1 << (8 * n - 1)) || i >= (int64_t)1 << (8 * n - 1))))
			return 0;
		memcpy(to, &i, n); /* little-endian */
		return 1;
	}
	if (!num_uint(text, &u) || (n < 8 && u >> 8 * n))
		return 0;
	memcpy(to, &u, n);
	return 1;
}

/* The bits of an f16 or bf16, as tns-table writes them: 0x3c00. */
static int bits(const char *text, unsigned char *to)
{
	char *end;
	if (strncmp(text, "0x", 2) || strspn(text + 2, "0123456789abcdefABCDEF") != 4)
		return 0;
	unsigned long v = strtoul(text + 2, &end, 16);
	to[0] = (unsigned char)v, to[1] = (unsigned char)(v >> 8);
	return !*end;
}

/* One value of the type; 0: the text is none. */
static int value(struct span f, unsigned char sep, int dtype, unsigned char *to)
{
	char text[512];
	size_t n = (size_t)(f.e - f.p);
	double v;
	if (n >= sizeof text || memchr(f.p, 0, n))
		return 0;
	memcpy(text, f.p, n);
	text[n] = 0;
	if (dtype == TNS_F32 || dtype == TNS_F64) {
		if (!real(text, sep, dtype == TNS_F32, &v))
			return 0;
		float single = (float)v;
		memcpy(to, dtype == TNS_F32 ? (void *)&single : (void *)&v, tns_size(dtype));
		return 1;
	}
	if (dtype == TNS_F16 || dtype == TNS_BF16)
		return bits(text, to);
	if (dtype == TNS_BOOL)
		return whole(text, 1, 0, to) && *to <= 1;
	return whole(text, tns_size(dtype), dtype == TNS_I8 || dtype == TNS_I16 || dtype == TNS_I32 || dtype == TNS_I64, to);
}

/* ---- fields ---- */

static int is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

size_t table_in_count(struct span f)
{
	size_t n = 0;
	for (const unsigned char *p = f.p; p < f.e; p++)
		n += !is_blank(*p) && (p == f.p || is_blank(p[-1]));
	return n;
}

static const char *wanted(int dtype)
{
	return dtype == TNS_F32 || dtype == TNS_F64    ? "a number"
	       : dtype == TNS_F16 || dtype == TNS_BF16 ? "0x and four hexadecimal digits"
	       : dtype == TNS_BOOL		       ? "0 or 1"
						       : "a whole number of its type";
}

static int wrong(struct table_in *t, const struct column *c, const char *which, struct span f)
{
	char text[44];
	int dtype = t->def[c->tensor].dtype;
	return table_in_fault(t, "row %llu: %.100s%s is '%s', not %s (%s)", (unsigned long long)t->row, c->name, which,
		table_in_text(f, text), wanted(dtype), tns_dtype_name(dtype));
}

static int list(struct table_in *t, const struct column *c, struct span f)
{
	int dtype = t->def[c->tensor].dtype;
	size_t size = tns_size(dtype), n = 0;
	unsigned char *to = t->value[c->tensor];
	if (to && dtype == TNS_U8 && t->src->pixels(f.p, f.e, to, c->n) == (long)c->n)
		return TABLE_IN_DONE;
	n = table_in_count(f);
	if (n != c->n)
		return table_in_fault(t, "row %llu: %.100s has %zu numbers instead of %zu%s", (unsigned long long)t->row, c->name, n, c->n,
			t->src->lines->truncated ? "; the file ends in this row" : "");
	if (!to)
		to = t->value[c->tensor] = xcalloc(1, c->n * size + PIXELS_PAD);
	n = 0;
	for (const unsigned char *p = f.p; p < f.e;) {
		struct span one = {p, p};
		char which[40];
		if (is_blank(*p)) {
			p++;
			continue;
		}
		while (one.e < f.e && !is_blank(*one.e))
			one.e++;
		snprintf(which, sizeof which, ", number %zu,", n + 1);
		if (!value(one, t->src->sep, dtype, to + n * size))
			return wrong(t, c, which, one);
		n++;
		p = one.e;
	}
	return TABLE_IN_DONE;
}

/* Fields of the line; -1: malformed quotes, of field *bad. */
static int count_fields(struct span line, unsigned char sep, int *bad)
{
	struct span f;
	int n = 0;
	for (const unsigned char *p = line.p; p; n++)
		if (!csv_next_field(&p, line.e, sep, &f)) {
			*bad = n + 1;
			return -1;
		}
	return n;
}

static int fields(struct table_in *t)
{
	struct table_in_source *s = t->src;
	struct span line = s->lines->line, f;
	const unsigned char *p = line.p;
	for (int i = 0; i < s->nfields; i++) {
		if (!p || !csv_next_field(&p, line.e, s->sep, &f))
			return TABLE_IN_ERR;
		if (s->field[i] < 0)
			continue;
		const struct column *c = &s->columns.col[s->field[i]];
		int dtype = t->def[c->tensor].dtype;
		f = csv_trimmed(f);
		if (c->list && list(t, c, f) < 0)
			return TABLE_IN_ERR;
		if (!c->list && !value(f, s->sep, dtype, t->value[c->tensor] + c->first * tns_size(dtype)))
			return wrong(t, c, "", f);
	}
	return p ? TABLE_IN_ERR : TABLE_IN_ROW;
}

int table_in_row(struct table_in *t)
{
	struct table_in_source *s = t->src;
	const char *cut = s->lines->truncated ? "; the file ends in this row" : "";
	int bad = 0;
	if (fields(t) == TABLE_IN_ROW)
		return TABLE_IN_ROW;
	int n = count_fields(s->lines->line, s->sep, &bad); /* goes before what is wrong with one of them */
	if (n < 0)
		return table_in_fault(t, "row %llu: field %d: the quotes are not closed, or not at the field's ends%s",
			(unsigned long long)t->row, bad, cut);
	if (n != s->nfields)
		return table_in_fault(
			t, "row %llu: %d field%s instead of %d%s", (unsigned long long)t->row, n, n == 1 ? "" : "s", s->nfields, cut);
	return TABLE_IN_ERR;
}
