/* parse_row only decides whether a row is valid, in one pass; an invalid row is parsed again by explain, which writes the message. */
#include "lib/csv/csv_io.h"

#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/magic.h"
#include "lib/base/num.h"

int csv_fault(struct csv *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->err, sizeof c->err, fmt, ap);
	va_end(ap);
	return CSV_ERR;
}

const char *csv_shown(struct span f, char out[CSV_SHOWN])
{
	size_t n = (size_t)(f.e - f.p), i;
	for (i = 0; i < n && i < 40; i++)
		out[i] = f.p[i] < ' ' || f.p[i] == 127 ? '?' : (char)f.p[i];
	strcpy(out + i, n > 40 ? "..." : "");
	return out;
}

/* ---- fields ---- */

int csv_next_field(const unsigned char **p, const unsigned char *e, unsigned char sep, struct span *f)
{
	const unsigned char *q = *p, *end;
	if (q < e && *q == '"') {
		end = ++q;
		while ((end = memchr(end, '"', (size_t)(e - end))) && end + 1 < e && end[1] == '"')
			end += 2;
		if (!end || (end + 1 < e && end[1] != sep))
			return 0;
		*f = (struct span){q, end};
		*p = end + 1 < e ? end + 2 : NULL;
		return 1;
	}
	end = memchr(q, sep, (size_t)(e - q));
	*f = (struct span){q, end ? end : e};
	*p = end ? end + 1 : NULL;
	return 1;
}

struct span csv_trimmed(struct span f)
{
	while (f.p < f.e && (*f.p == ' ' || *f.p == '\t'))
		f.p++;
	while (f.e > f.p && (f.e[-1] == ' ' || f.e[-1] == '\t'))
		f.e--;
	return f;
}

/* How people and programs write that there is no value; in any case. */
static const char *const missing[] = {"", "nan", "-nan", "na", "<na>", "n/a", "#n/a", "null", "none", ".", "?", "-"};

/* As csv_number, of any size. */
static int number_field(struct span f, unsigned char sep, double *to)
{
	char text[512];
	f = csv_trimmed(f);
	size_t n = (size_t)(f.e - f.p);
	if (n >= sizeof text || memchr(f.p, 0, n))
		return 0;
	memcpy(text, f.p, n);
	text[n] = 0;
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
		if (!strcasecmp(text, missing[i])) {
			*to = NAN;
			return 1;
		}
	char *comma = sep == ';' ? strchr(text, ',') : NULL;
	if (comma)
		*comma = '.';
	return num_real(text + (text[0] == '+' && text[1] != '-'), to);
}

int csv_number(struct span f, unsigned char sep, double *to)
{
	return number_field(f, sep, to) && !(fabs(*to) > 3.4e38);
}

/* Fast path for most coordinates: up to 15 digits with at most one decimal point, whose division by a power of ten rounds as strtod does.
 * Returns the byte after the number, or NULL: csv_number must parse it. */
static const unsigned char *fast_real(const unsigned char *p, const unsigned char *e, unsigned char sep, float *to)
{
	static const double ten[16] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	uint64_t v = 0;
	const unsigned char *first = p, *point = NULL;
	for (; p < e && p - first < 16; p++) {
		unsigned d = *p - (unsigned)'0';
		if (d <= 9)
			v = v * 10 + d;
		else if (*p == '.' && !point)
			point = p;
		else
			break;
	}
	if (p - first < 1 + !!point || p - first >= 16 || (p < e && *p != sep))
		return NULL;
	*to = (float)((double)v / ten[point ? p - point - 1 : 0]);
	return p;
}

static int id_field(struct span f, uint32_t *to)
{
	uint64_t v = 0;
	f = csv_trimmed(f);
	const unsigned char *p = f.p;
	for (; p < f.e && *p - (unsigned)'0' <= 9 && v <= UINT32_MAX; p++)
		v = v * 10 + (*p - (unsigned)'0');
	int digits = p > f.p;
	if (p < f.e && *p == '.') /* 7.0 */
		while (++p < f.e && *p == '0')
			;
	*to = (uint32_t)v;
	return p == f.e && digits && v <= UINT32_MAX;
}

/* ---- rows ---- */

/* What stands between pixels: blanks and tabs, commas too where they are a list in brackets, [1, 2, 3], whose brackets are taken off. */
static const char *gaps_of(struct span *f)
{
	*f = csv_trimmed(*f);
	if (f->e - f->p < 2 || *f->p != '[' || f->e[-1] != ']')
		return " \t";
	f->p++, f->e--;
	return " \t,";
}

static int is_gap(unsigned char c, const char *gaps)
{
	return c && strchr(gaps, c);
}

/* Pixels as the fast parsers don't take them: tabs, lists, whole numbers with a fraction of zeros (128.0). Returns how many, or -1. */
static long any_pixels(struct span f, unsigned char *out, size_t max)
{
	size_t n = 0;
	const char *gaps = gaps_of(&f);
	for (const unsigned char *p = f.p;;) {
		int value = 0, digits = 0;
		while (p < f.e && is_gap(*p, gaps))
			p++;
		if (p == f.e)
			return (long)n;
		for (; p < f.e && *p - (unsigned)'0' <= 9 && digits < 3; p++, digits++)
			value = value * 10 + *p - '0';
		if (p < f.e && *p == '.' && digits)
			while (++p < f.e && *p == '0')
				;
		if (!digits || value > 255 || (p < f.e && !is_gap(*p, gaps)) || n == max)
			return -1;
		out[n++] = (unsigned char)value;
	}
}

/* Writes the message for the pixels of an invalid row; want: their expected number, 0 if unknown. */
static int explain_pixels(struct csv *c, struct span f, size_t want, const char *truncated)
{
	unsigned long long row = c->row;
	size_t n = 0;
	const char *gaps = gaps_of(&f);
	for (const unsigned char *p = f.p; p < f.e;) {
		struct span token = {p, p};
		char text[CSV_SHOWN];
		if (is_gap(*p, gaps)) {
			p++;
			continue;
		}
		int value = 0, other = 0, fraction = 0;
		for (n++; token.e < f.e && !is_gap(*token.e, gaps); token.e++) {
			if (*token.e == '.' && token.e > token.p && !other) { /* a fraction of zeros */
				const unsigned char *q = token.e + 1;
				while (q < f.e && *q == '0')
					q++;
				if (q == f.e || is_gap(*q, gaps)) {
					fraction = (int)(q - token.e);
					token.e = q;
					break;
				}
			}
			other |= *token.e - (unsigned)'0' > 9;
			value = !other && value < 1000 ? value * 10 + *token.e - '0' : value;
		}
		if (other)
			return csv_fault(c, "row %llu: pixel %zu is '%s', not a number from 0 to 255", row, n, csv_shown(token, text));
		if (value > 255 || token.e - token.p - fraction > 3)
			return csv_fault(c, "row %llu: pixel %zu is %s, not 0 to 255", row, n, csv_shown(token, text));
		p = token.e;
	}
	if (want)
		return csv_fault(c, "row %llu: %zu pixels instead of %zu (%d x %d)%s", row, n, want, c->w, c->h, truncated);
	return csv_fault(c, "row %llu: %zu pixels, which is %s%s", row, n,
		n > CSV_IMAGE_MAX ? "more than an image may have" : "no square: --size WxH tells the shape", truncated);
}

/* 0: the line is no header; 1: its columns are called as the header says; 2: it is one of these columns in another order. */
static int is_header(const struct csv_source *s, struct span line)
{
	const unsigned char *p = line.p;
	struct span f;
	int same = 0, n = 0;
	for (; p && n < s->ncol && csv_next_field(&p, line.e, s->sep, &f); n++) {
		int found = 0;
		f = csv_trimmed(f);
		for (int i = 0; i < s->ncol && !found; i++)
			if (strlen(s->name[i]) == (size_t)(f.e - f.p) && !memcmp(s->name[i], f.p, (size_t)(f.e - f.p)))
				found = 1, same += i == n;
		if (!found)
			return 0;
	}
	return p || n < s->ncol ? 0 : same == n ? 1 : 2;
}

/* Of CSVs put one after another. */
static int explain_header(struct csv *c, int kind)
{
	char word[300];
	unsigned long long row = c->row;
	magic_word(word, sizeof word, c->name);
	if (kind == 1)
		return csv_fault(c, "row %llu: the header again, of a second CSV: awk '$0 != h; NR == 1 {h = $0}' %s | %s", row, word,
			err_program());
	return csv_fault(
		c, "row %llu: a header again, with columns in another order: clean each CSV alone, tns-cat puts them together", row);
}

/* Writes the message for an invalid row. */
static int explain(struct csv *c, struct span line, size_t want)
{
	struct csv_source *s = c->src;
	const unsigned char *p = line.p;
	unsigned long long row = c->row;
	const char *truncated = s->lines->truncated ? "; the file ends in this row" : "";
	struct span f;
	char text[CSV_SHOWN];
	int n = 0, header = is_header(s, line);
	if (header)
		return explain_header(c, header);
	for (; p; n++)
		if (!csv_next_field(&p, line.e, s->sep, &f))
			return csv_fault(
				c, "row %llu: column %d: the quotes are not closed, or not at the field's ends%s", row, n + 1, truncated);
	if (n != s->ncol)
		return csv_fault(c, "row %llu: %d column%s instead of %d%s", row, n, n == 1 ? "" : "s", s->ncol, truncated);
	p = line.p;
	for (int i = 0; i < n; i++) {
		double v;
		uint32_t id;
		csv_next_field(&p, line.e, s->sep, &f);
		int k = s->col[i];
		if (k >= 0 && number_field(f, s->sep, &v) && !csv_number(f, s->sep, &v))
			return csv_fault(c, "row %llu: %s_%c is %s: too large for a coordinate", row, c->points[k / 2], "xy"[k % 2],
				csv_shown(f, text));
		if (k >= 0 && !csv_number(f, s->sep, &v))
			return csv_fault(c, "row %llu: %s_%c is '%s', not a number%s", row, c->points[k / 2], "xy"[k % 2],
				csv_shown(f, text), truncated);
		if (k == CSV_COL_ID && !id_field(f, &id))
			return csv_fault(c, "row %llu: %.100s is '%s', not a number from 0 to %u", row, c->src->name[i], csv_shown(f, text),
				UINT32_MAX);
	}
	p = line.p;
	for (int i = 0; i < n; i++) {
		csv_next_field(&p, line.e, s->sep, &f);
		if (s->col[i] == CSV_COL_IMAGE)
			return explain_pixels(c, f, want, truncated);
	}
	return CSV_ERR; /* not reached: there is an Image column */
}

/* 1, or 0: the row is invalid. *pixels: how many the image has. */
static int parse_row(struct csv *c, struct span line, size_t *pixels)
{
	struct csv_source *s = c->src;
	const unsigned char *p = line.p;
	const unsigned char sep = s->sep;
	struct span f;
	for (int i = 0; i < s->ncol; i++) {
		int k = s->col[i];
		if (!p)
			return 0;
		if (k >= 0) {
			if (p < line.e && *p == sep) {
				s->xy[k] = NAN;
				p++;
				continue;
			}
			const unsigned char *after = fast_real(p, line.e, sep, &s->xy[k]);
			if (after) {
				p = after < line.e ? after + 1 : NULL;
				continue;
			}
		}
		if (k == CSV_COL_IMAGE && i == s->ncol - 1 && p < line.e && *p != '"') {
			f = (struct span){p, line.e}; /* no search for a separator: the pixel parser rejects it */
			p = NULL;
		} else if (!csv_next_field(&p, line.e, sep, &f)) {
			return 0;
		}
		double v = NAN;
		if (k >= 0) {
			if (!csv_number(f, s->sep, &v))
				return 0;
			s->xy[k] = (float)v;
		} else if (k == CSV_COL_IGNORED) {
			continue;
		} else if (k == CSV_COL_ID) {
			if (!id_field(f, &c->id))
				return 0;
		} else {
			size_t max_pixels = c->w ? (size_t)c->w * (size_t)c->h : (size_t)(f.e - f.p) / 2 + 1;
			if (max_pixels > CSV_IMAGE_MAX)
				max_pixels = CSV_IMAGE_MAX;
			if (s->image_cap < max_pixels) {
				s->image = xrealloc(s->image, max_pixels + PIXELS_PAD);
				s->image_cap = max_pixels;
			}
			long n = s->pixels(f.p, f.e, s->image, max_pixels);
			if (n < 1 && (n = any_pixels(f, s->image, max_pixels)) < 1)
				return 0;
			*pixels = (size_t)n;
		}
	}
	return !p;
}

/* An empty line, or a comment of a table that begins with comments: they may stand at the end. */
static int is_behind(const struct csv *c, struct span line)
{
	return line.p == line.e || (c->src->commented && line.e - line.p >= 2 && line.p[0] == '#' && line.p[1] == ' ');
}

int csv_step(struct csv *c)
{
	struct csv_source *s = c->src;
	int r = lines_next(s->lines);
	if (r == LINES_ERR)
		return csv_fault(c, "row %llu: %s", (unsigned long long)c->row + 1, s->lines->err);
	if (r == LINES_DONE)
		return CSV_DONE;
	struct span line = csv_trimmed(s->lines->line);
	if (is_behind(c, line)) {
		int comment = line.p < line.e;
		do {
			r = lines_next(s->lines);
			line = csv_trimmed(s->lines->line);
		} while (r == LINES_ONE && is_behind(c, line));
		if (r == LINES_ERR)
			return csv_fault(c, "row %llu: %s", (unsigned long long)c->row + 1, s->lines->err);
		if (r == LINES_DONE)
			return CSV_DONE;
		return csv_fault(c, "row %llu: %s", (unsigned long long)c->row + 1, comment ? "a comment (#)" : "an empty line");
	}
	line = s->lines->line;
	size_t n = 0, want = (size_t)c->w * (size_t)c->h;
	c->row++;
	c->id = (uint32_t)c->row;
	if (!parse_row(c, line, &n) || (want && n != want))
		return explain(c, line, want);
	if (!want) {
		int side = (int)lround(sqrt((double)n));
		if ((size_t)side * (size_t)side != n)
			return explain(c, line, want);
		c->w = c->h = side;
	}
	c->xy = s->xy;
	c->image = s->image;
	return CSV_ROW;
}

/* ---- opening ---- */

static struct csv *new_csv(struct lines *lines, const char *name, int w, int h)
{
	struct csv *c = xcalloc(1, sizeof *c);
	c->src = xcalloc(1, sizeof *c->src);
	c->name = name;
	c->w = w;
	c->h = h;
	c->src->lines = lines;
	c->src->pixels = pixels_best(NULL);
	return c;
}

struct csv *csv_open_fd(int fd, const char *name, int w, int h)
{
	return new_csv(lines_open_fd(fd, name), name, w, h);
}

struct csv *csv_open_memory(const void *data, size_t n, const char *name, int w, int h)
{
	return new_csv(lines_open_memory(data, n, name), name, w, h);
}

struct csv *csv_open(const char *path, int w, int h, const char *image_column)
{
	int std = !path || !strcmp(path, "-"), fd = std ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die_errno("%s", path);
	if (isatty(fd))
		die_usage("%s is a terminal: name a CSV", std ? "stdin" : path);
	struct csv *c = csv_open_fd(fd, std ? "stdin" : path, w, h);
	c->image_column = image_column;
	if (csv_head(c))
		die("%s: %s", c->name, c->err);
	return c;
}

int csv_next(struct csv *c)
{
	int r = csv_step(c);
	if (r == CSV_ERR)
		die("%s: %s", c->name, c->err);
	return r;
}

void csv_free(struct csv *c)
{
	struct csv_source *s = c->src;
	for (int i = 0; i < c->npoints; i++)
		free(c->points[i]);
	lines_free(s->lines);
	free(c->points);
	free(c->ignored);
	for (int i = 0; i < s->ncol; i++)
		free(s->name[i]);
	free(s->name);
	free(s->col);
	free(s->xy);
	free(s->image);
	free(s);
	free(c);
}
