/* parse_row only decides whether a row is valid, in one pass; an invalid row is parsed again by explain, which writes the message. */
#include "lib/csv/csv.h"

#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/csv/lines.h"
#include "lib/csv/pixels.h"

#define NAME_MAX_BYTES 200 /* of a column */

enum { IMAGE = -1, ID = -2 };

struct csv_source {
	struct lines *lines;
	int ncol, *col; /* (ncol) IMAGE, ID or an index into xy */
	float *xy;
	unsigned char *image;
	size_t image_cap;
	pixels_fn *pixels;
};

static int fault(struct csv *c, const char *fmt, ...) PRINTF(2, 3);
static int fault(struct csv *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->err, sizeof c->err, fmt, ap);
	va_end(ap);
	return CSV_ERR;
}

/* A field for a message: at most 40 bytes, printable. */
static const char *printable(struct span f, char out[44])
{
	size_t n = (size_t)(f.e - f.p), i;
	for (i = 0; i < n && i < 40; i++)
		out[i] = f.p[i] < ' ' || f.p[i] == 127 ? '?' : (char)f.p[i];
	strcpy(out + i, n > 40 ? "..." : "");
	return out;
}

/* ---- fields ---- */

/* The field at *p, without its quotes; *p moves past its comma, or is NULL after the line's last field. 0: malformed quotes.
 * A doubled quote inside is not unescaped: no valid field contains one. */
static int next_field(const unsigned char **p, const unsigned char *e, struct span *f)
{
	const unsigned char *q = *p, *end;
	if (q < e && *q == '"') {
		end = ++q;
		while ((end = memchr(end, '"', (size_t)(e - end))) && end + 1 < e && end[1] == '"')
			end += 2;
		if (!end || (end + 1 < e && end[1] != ','))
			return 0;
		*f = (struct span){q, end};
		*p = end + 1 < e ? end + 2 : NULL;
		return 1;
	}
	end = memchr(q, ',', (size_t)(e - q));
	*f = (struct span){q, end ? end : e};
	*p = end ? end + 1 : NULL;
	return 1;
}

static int real_field(struct span f, double *to)
{
	char text[512];
	size_t n = (size_t)(f.e - f.p);
	if (n >= sizeof text || memchr(f.p, 0, n))
		return 0;
	memcpy(text, f.p, n);
	text[n] = 0;
	return num_real(text, to) && fabs(*to) <= 3.4e38;
}

/* Fast path for most coordinates: up to 15 digits with at most one decimal point, whose division by a power of ten rounds as strtod does.
 * Returns the byte after the number, or NULL: real_field must parse it. */
static const unsigned char *fast_real(const unsigned char *p, const unsigned char *e, float *to)
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
	if (p - first < 1 + !!point || p - first >= 16 || (p < e && *p != ','))
		return NULL;
	*to = (float)((double)v / ten[point ? p - point - 1 : 0]);
	return p;
}

static int id_field(struct span f, uint32_t *to)
{
	uint64_t v = 0;
	const unsigned char *p = f.p;
	for (; p < f.e && *p - (unsigned)'0' <= 9 && v <= UINT32_MAX; p++)
		v = v * 10 + (*p - (unsigned)'0');
	*to = (uint32_t)v;
	return p == f.e && p > f.p && v <= UINT32_MAX;
}

/* ---- rows ---- */

/* Writes the message for the pixels of an invalid row; want: their expected number, 0 if unknown. */
static int explain_pixels(struct csv *c, struct span f, size_t want, const char *truncated)
{
	unsigned long long row = c->row;
	size_t n = 0;
	for (const unsigned char *p = f.p; p < f.e;) {
		struct span token = {p, p};
		char text[44];
		if (*p == ' ') {
			p++;
			continue;
		}
		int value = 0, other = 0;
		for (n++; token.e < f.e && *token.e != ' '; token.e++) {
			other |= *token.e - (unsigned)'0' > 9;
			value = value < 1000 ? value * 10 + *token.e - '0' : value;
		}
		if (other)
			return fault(c, "row %llu: pixel %zu is '%s', not a number from 0 to 255", row, n, printable(token, text));
		if (value > 255 || token.e - token.p > 3)
			return fault(c, "row %llu: pixel %zu is %s, not 0 to 255", row, n, printable(token, text));
		p = token.e;
	}
	if (want)
		return fault(c, "row %llu: %zu pixels instead of %zu (%d x %d)%s", row, n, want, c->w, c->h, truncated);
	return fault(c, "row %llu: %zu pixels, which is %s%s", row, n,
		n > CSV_IMAGE_MAX ? "more than an image may have" : "no square: --size WxH tells the shape", truncated);
}

/* Writes the message for an invalid row. */
static int explain(struct csv *c, struct span line, size_t want)
{
	struct csv_source *s = c->src;
	const unsigned char *p = line.p;
	unsigned long long row = c->row;
	const char *truncated = s->lines->truncated ? "; the file ends in this row" : "";
	struct span f;
	char text[44];
	int n = 0;
	for (; p; n++)
		if (!next_field(&p, line.e, &f))
			return fault(
				c, "row %llu: column %d: the quotes are not closed, or not at the field's ends%s", row, n + 1, truncated);
	if (n != s->ncol)
		return fault(c, "row %llu: %d column%s instead of %d%s", row, n, n == 1 ? "" : "s", s->ncol, truncated);
	p = line.p;
	for (int i = 0; i < n; i++) {
		double v;
		uint32_t id;
		next_field(&p, line.e, &f);
		int k = s->col[i];
		if (k >= 0 && f.p < f.e && !real_field(f, &v))
			return fault(c, "row %llu: %s_%c is '%s', not a number%s", row, c->points[k / 2], "xy"[k % 2], printable(f, text),
				truncated);
		if (k == ID && !id_field(f, &id))
			return fault(c, "row %llu: ImageId is '%s', not a number from 0 to %u", row, printable(f, text), UINT32_MAX);
	}
	p = line.p;
	for (int i = 0; i < n; i++) {
		next_field(&p, line.e, &f);
		if (s->col[i] == IMAGE)
			return explain_pixels(c, f, want, truncated);
	}
	return CSV_ERR; /* not reached: there is an Image column */
}

/* 1, or 0: the row is invalid. *pixels: how many the image has. */
static int parse_row(struct csv *c, struct span line, size_t *pixels)
{
	struct csv_source *s = c->src;
	const unsigned char *p = line.p;
	struct span f;
	for (int i = 0; i < s->ncol; i++) {
		int k = s->col[i];
		if (!p)
			return 0;
		if (k >= 0) {
			if (p < line.e && *p == ',') {
				s->xy[k] = NAN;
				p++;
				continue;
			}
			const unsigned char *after = fast_real(p, line.e, &s->xy[k]);
			if (after) {
				p = after < line.e ? after + 1 : NULL;
				continue;
			}
		}
		if (k == IMAGE && i == s->ncol - 1 && p < line.e && *p != '"') {
			f = (struct span){p, line.e}; /* no search for a comma: the pixel parser rejects it */
			p = NULL;
		} else if (!next_field(&p, line.e, &f)) {
			return 0;
		}
		double v = NAN;
		if (k >= 0) {
			if (f.p < f.e && !real_field(f, &v))
				return 0;
			s->xy[k] = (float)v;
		} else if (k == ID) {
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
			if (n < 1)
				return 0;
			*pixels = (size_t)n;
		}
	}
	return !p;
}

int csv_step(struct csv *c)
{
	struct csv_source *s = c->src;
	int r = lines_next(s->lines);
	if (r == LINES_ERR)
		return fault(c, "row %llu: %s", (unsigned long long)c->row + 1, s->lines->err);
	if (r == LINES_DONE)
		return CSV_DONE;
	struct span line = s->lines->line;
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

/* ---- the header ---- */

/* Resolves the column names, ncol strings, to s->col and c->points. */
static int name_columns(struct csv *c, char **name)
{
	struct csv_source *s = c->src;
	int image = 0;
	for (int i = 0; i < s->ncol; i++)
		for (int j = 0; j < i; j++)
			if (!strcmp(name[i], name[j]))
				return fault(c, "header: two columns are called '%.100s'", name[i]);
	c->points = xcalloc((size_t)s->ncol + 1, sizeof *c->points);
	for (int i = 0; i < s->ncol; i++) {
		size_t n = strlen(name[i]);
		int j = 0;
		if (!strcmp(name[i], "Image") || !strcmp(name[i], "ImageId")) {
			s->col[i] = name[i][5] ? ID : IMAGE;
			image |= !name[i][5];
			c->has_id |= !!name[i][5];
			continue;
		}
		if (n < 3 || (strcmp(name[i] + n - 2, "_x") && strcmp(name[i] + n - 2, "_y")))
			return fault(c, "header: column %d is '%.100s': Image, ImageId, NAME_x or NAME_y are known", i + 1, name[i]);
		for (size_t k = 0; k < n; k++)
			if ((unsigned char)name[i][k] <= ' ' || name[i][k] == ',' || name[i][k] == '"' || name[i][k] == 127)
				return fault(c, "header: column %d: a space, comma or quote in '%.100s'", i + 1, name[i]);
		while (j < s->ncol &&
			(strncmp(name[i], name[j], n - 1) || strlen(name[j]) != n || name[j][n - 1] != 'x' + 'y' - name[i][n - 1]))
			j++;
		if (j == s->ncol)
			return fault(c, "header: '%.100s' without '%.*s_%c'", name[i], (int)(n < 100 ? n - 2 : 98), name[i],
				'x' + 'y' - name[i][n - 1]);
		if (name[i][n - 1] == 'x') {
			s->col[i] = 2 * c->npoints;
			s->col[j] = 2 * c->npoints + 1;
			c->points[c->npoints] = xstrdup(name[i]);
			c->points[c->npoints++][n - 2] = 0;
		}
	}
	return image ? CSV_DONE : fault(c, "header: no column is called Image");
}

/* The header's column names, s->ncol strings, freed by the caller. */
static char **header_names(struct csv *c, struct span line)
{
	struct csv_source *s = c->src;
	char **name = xcalloc(CSV_COLUMNS_MAX, sizeof *name);
	struct span f;
	for (const unsigned char *p = line.p; p && !*c->err;) {
		if (s->ncol == CSV_COLUMNS_MAX)
			fault(c, "header: more than %d columns", CSV_COLUMNS_MAX);
		else if (!next_field(&p, line.e, &f))
			fault(c, "header: column %d: the quotes are not closed, or not at the field's ends", s->ncol + 1);
		else if (memchr(f.p, 0, (size_t)(f.e - f.p)) || f.e - f.p > NAME_MAX_BYTES)
			fault(c, "header: column %d is no name", s->ncol + 1);
		else
			name[s->ncol++] = xprintf("%.*s", (int)(f.e - f.p), (const char *)f.p);
	}
	return name;
}

int csv_head(struct csv *c)
{
	struct csv_source *s = c->src;
	int r = lines_next(s->lines);
	if (r == LINES_ERR)
		return fault(c, "header: %s", s->lines->err);
	if (r == LINES_DONE)
		return fault(c, "empty, not even a header");
	if (s->lines->truncated)
		fault(c, "header: the file ends in it");
	char **name = header_names(c, s->lines->line);
	s->col = xcalloc((size_t)s->ncol + 1, sizeof *s->col);
	if (!*c->err)
		name_columns(c, name);
	for (int i = 0; i < s->ncol; i++)
		free(name[i]);
	free(name);
	s->xy = xcalloc(2 * (size_t)c->npoints + 1, sizeof *s->xy);
	if (!*c->err)
		return CSV_DONE;
	size_t n = strlen(c->name);
	if (!s->lines->gzip && n > 3 && !strcmp(c->name + n - 3, ".gz")) {
		char *why = xstrdup(c->err);
		fault(c, "not gzip, though its name ends in .gz, and no such CSV either: %s", why);
		free(why);
	}
	return CSV_ERR;
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
	return new_csv(lines_open_fd(fd), name, w, h);
}

struct csv *csv_open_memory(const void *data, size_t n, const char *name, int w, int h)
{
	return new_csv(lines_open_memory(data, n), name, w, h);
}

struct csv *csv_open(const char *path, int w, int h)
{
	int std = !path || !strcmp(path, "-"), fd = std ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die_errno("%s", path);
	struct csv *c = csv_open_fd(fd, std ? "stdin" : path, w, h);
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
	free(s->col);
	free(s->xy);
	free(s->image);
	free(s);
	free(c);
}
