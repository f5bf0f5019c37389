#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <cairo.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/utf8.h"
#include "lib/draw/pict.h"

struct pict {
	int format, w, h;
	cairo_surface_t *surface;
	cairo_t *cr;
	unsigned char *bytes; /* of an SVG or PDF, so far */
	size_t n, capacity;
};

static int known_format(const char *name)
{
	static const char *const names[] = {"png", "svg", "pdf"};
	for (int i = 0; i < 3; i++)
		if (!strcasecmp(name, names[i]))
			return i;
	return -1;
}

const char *pict_suffix(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL, *base = slash ? slash + 1 : path, *dot = base ? strrchr(base, '.') : NULL;
	return dot && dot != base ? dot : NULL;
}

int pict_format(const struct pict_output *to)
{
	if (to->format)
		return known_format(to->format);
	const char *dot = pict_suffix(to->path);
	if (!dot)
		return PICT_PNG;
	int f = known_format(dot + 1);
	if (f < 0)
		die_usage("%s: unknown suffix '%s': png, svg or pdf, or give --format", to->path, dot);
	return f;
}

struct out *pict_open(const struct pict_output *to)
{
	return out_open(to->path, pict_format(to) != PICT_SVG);
}

uint32_t pict_colour(int i)
{
	static const uint32_t colours[PICT_COLOURS] = {
		0x0072B2FF,
		0xD55E00FF,
		0x009E73FF,
		0xCC79A7FF,
		0xE69F00FF,
		0x56B4E9FF,
		0x4D4D4DFF,
	};
	return colours[i % PICT_COLOURS];
}

static cairo_status_t append_bytes(void *arg, const unsigned char *data, unsigned n)
{
	struct pict *p = arg;
	if (p->n + n > p->capacity) {
		p->capacity = (p->n + n) * 2;
		p->bytes = xrealloc(p->bytes, p->capacity);
	}
	memcpy(p->bytes + p->n, data, n);
	p->n += n;
	return CAIRO_STATUS_SUCCESS;
}

static cairo_status_t write_bytes(void *arg, const unsigned char *data, unsigned n)
{
	out_write(arg, data, n);
	return CAIRO_STATUS_SUCCESS;
}

static void check(const struct pict *p, cairo_status_t status)
{
	if (status)
		die("a picture of %dx%d pixels: %s", p->w, p->h, cairo_status_to_string(status));
}

static void colour(struct pict *p, uint32_t c)
{
	cairo_set_source_rgba(p->cr, (c >> 24) / 255.0, (c >> 16 & 255) / 255.0, (c >> 8 & 255) / 255.0, (c & 255) / 255.0);
}

struct pict *pict_new(int format, double w, double h)
{
	if (w > PICT_SIDE_MAX || h > PICT_SIDE_MAX || w * h > PICT_PIXELS_MAX)
		die("the picture would be %.0fx%.0f pixels: draw fewer (--count) or smaller (--zoom)", w, h);
	struct pict *p = xcalloc(1, sizeof *p);
	p->format = format;
	p->w = (int)ceil(w), p->h = (int)ceil(h);
	if (format == PICT_PNG) {
		p->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, p->w, p->h);
	} else if (format == PICT_SVG) {
		p->surface = cairo_svg_surface_create_for_stream(append_bytes, p, p->w, p->h);
		cairo_svg_surface_set_document_unit(p->surface, CAIRO_SVG_UNIT_PX);
	} else {
		p->surface = cairo_pdf_surface_create_for_stream(append_bytes, p, p->w, p->h);
		/* Else cairo writes the current time. */
		cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
		cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATOR, "Keypipe");
	}
	check(p, cairo_surface_status(p->surface));
	p->cr = cairo_create(p->surface);
	check(p, cairo_status(p->cr));
	/* Grey antialiasing: the desktop's subpixel order must not colour the text. */
	cairo_font_options_t *f = cairo_font_options_create();
	cairo_font_options_set_antialias(f, CAIRO_ANTIALIAS_GRAY);
	cairo_font_options_set_hint_style(f, CAIRO_HINT_STYLE_SLIGHT);
	cairo_font_options_set_hint_metrics(f, CAIRO_HINT_METRICS_ON);
	cairo_set_font_options(p->cr, f);
	cairo_font_options_destroy(f);
	cairo_set_line_cap(p->cr, CAIRO_LINE_CAP_ROUND);
	cairo_set_line_join(p->cr, CAIRO_LINE_JOIN_ROUND);
	pict_box(p, 0, 0, p->w, p->h, 0xFFFFFFFF);
	return p;
}

void pict_finish(struct pict *p, struct out *o)
{
	check(p, cairo_status(p->cr));
	cairo_destroy(p->cr);
	if (p->format == PICT_PNG)
		check(p, cairo_surface_write_to_png_stream(p->surface, write_bytes, o));
	cairo_surface_finish(p->surface);
	check(p, cairo_surface_status(p->surface));
	cairo_surface_destroy(p->surface);
	out_write(o, p->bytes, p->n);
	out_close(o);
	free(p->bytes);
	free(p);
}

void pict_box(struct pict *p, double x, double y, double w, double h, uint32_t c)
{
	colour(p, c);
	cairo_rectangle(p->cr, x, y, w, h);
	cairo_fill(p->cr);
}

/* An image surface with each pixel replicated k x k. */
static cairo_surface_t *upscaled(struct pict *p, int w, int h, const uint32_t *rgb, int k)
{
	cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, w * k, h * k);
	check(p, cairo_surface_status(s));
	cairo_surface_flush(s);
	unsigned char *to = cairo_image_surface_get_data(s);
	size_t stride = (size_t)cairo_image_surface_get_stride(s);
	for (int i = 0; i < h; i++) {
		unsigned char *row = to + (size_t)i * (size_t)k * stride;
		for (int j = 0; j < w * k; j++)
			memcpy(row + 4 * (size_t)j, &rgb[(size_t)i * (size_t)w + (size_t)(j / k)], 4);
		for (int j = 1; j < k; j++)
			memcpy(row + (size_t)j * stride, row, 4 * (size_t)w * (size_t)k);
	}
	cairo_surface_mark_dirty(s);
	return s;
}

void pict_image(struct pict *p, double x, double y, double zoom, int w, int h, const uint32_t *rgb, int smooth)
{
	/* SVG and PDF don't store cairo's filter, and most viewers interpolate: for nearest neighbour the image is stored upscaled. */
	int k = smooth || zoom <= 1 || p->format == PICT_PNG ? 1 : (int)ceil(zoom), most = w > h ? w : h;
	if (most > PICT_SIDE_MAX)
		die("images of %dx%d can't be drawn: a side is over %d", w, h, PICT_SIDE_MAX);
	if (k > PICT_SIDE_MAX / most)
		k = PICT_SIDE_MAX / most;
	cairo_surface_t *s = upscaled(p, w, h, rgb, k);
	cairo_save(p->cr);
	cairo_translate(p->cr, x, y);
	cairo_scale(p->cr, zoom / k, zoom / k);
	cairo_rectangle(p->cr, 0, 0, w * k, h * k);
	cairo_set_source_surface(p->cr, s, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(p->cr), smooth || zoom < 1 ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST);
	cairo_pattern_set_extend(cairo_get_source(p->cr), CAIRO_EXTEND_PAD); /* edges are not blended with white */
	cairo_fill(p->cr);
	cairo_restore(p->cr);
	cairo_surface_destroy(s);
}

/* Strokes the current path: a wider dark outline, then the colour. */
static void stroke_outlined(struct pict *p, double width, uint32_t c)
{
	colour(p, 0x000000B0);
	cairo_set_line_width(p->cr, width + 1.6);
	cairo_stroke_preserve(p->cr);
	colour(p, c);
	cairo_set_line_width(p->cr, width);
	cairo_stroke(p->cr);
}

void pict_dot(struct pict *p, double x, double y, double r, uint32_t c)
{
	colour(p, 0x000000B0);
	cairo_arc(p->cr, x, y, r + 0.8, 0, 2 * M_PI);
	cairo_fill(p->cr);
	colour(p, c);
	cairo_arc(p->cr, x, y, r, 0, 2 * M_PI);
	cairo_fill(p->cr);
}

void pict_cross(struct pict *p, double x, double y, double r, uint32_t c)
{
	cairo_move_to(p->cr, x - r, y - r);
	cairo_line_to(p->cr, x + r, y + r);
	cairo_move_to(p->cr, x - r, y + r);
	cairo_line_to(p->cr, x + r, y - r);
	stroke_outlined(p, fmax(1.2, r * 0.55), c);
}

/* End of the run of finite points that begins at i. */
static int run_end(const double *x, const double *y, const double *z, int n, int i)
{
	while (i < n && isfinite(x[i]) && isfinite(y[i]) && isfinite(z[i]))
		i++;
	return i;
}

void pict_path(struct pict *p, const double *x, const double *y, int n, double width, uint32_t c, int dash)
{
	static const double dashes[4][4] = {{0}, {7, 4.5, 7, 4.5}, {1, 4, 1, 4}, {9, 4, 1, 4}};
	cairo_save(p->cr);
	colour(p, c);
	cairo_set_line_width(p->cr, width);
	if (dash % 4)
		cairo_set_dash(p->cr, dashes[dash % 4], 4, 0);
	for (int i = 0; i < n; i++) {
		int end = run_end(x, y, y, n, i);
		if (end == i + 1) {
			cairo_arc(p->cr, x[i], y[i], width * 1.2, 0, 2 * M_PI);
			cairo_fill(p->cr);
		} else if (end > i) {
			for (int k = i; k < end; k++)
				cairo_line_to(p->cr, x[k], y[k]);
			cairo_stroke(p->cr);
		}
		i = end;
	}
	cairo_restore(p->cr);
}

void pict_band(struct pict *p, const double *x, const double *lo, const double *hi, int n, uint32_t c)
{
	colour(p, c);
	for (int i = 0; i < n; i++) {
		int end = run_end(x, lo, hi, n, i);
		for (int k = i; k < end; k++)
			cairo_line_to(p->cr, x[k], hi[k]);
		for (int k = end - 1; k >= i; k--)
			cairo_line_to(p->cr, x[k], lo[k]);
		cairo_fill(p->cr);
		i = end;
	}
}

void pict_clip(struct pict *p, double x, double y, double w, double h)
{
	cairo_save(p->cr);
	cairo_rectangle(p->cr, x, y, w, h);
	cairo_clip(p->cr);
}

void pict_unclip(struct pict *p)
{
	cairo_restore(p->cr);
}

/* Length of the UTF-8 character at s, 0 if there is none, or it is a control character or one of Unicode's noncharacters, at which cairo
 * fails. */
static size_t drawn_length(const unsigned char *s, size_t left)
{
	size_t n = utf8_length(s, left);
	if (n == 1)
		return s[0] >= 0x20 && s[0] != 0x7F;
	uint32_t c = s[0] & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3Fu);
	return (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE ? 0 : n;
}

/* text with ? for bytes of what drawn_length takes for none: names in streams may hold them. The caller frees. */
static char *printable_utf8(const char *text)
{
	char *s = xstrdup(text);
	size_t left = strlen(s);
	for (unsigned char *c = (unsigned char *)s; left;) {
		size_t n = drawn_length(c, left);
		if (!n)
			*c = '?';
		n += !n;
		c += n, left -= n;
	}
	return s;
}

static void font(struct pict *p, double size, int style)
{
	cairo_select_font_face(
		p->cr, "sans", CAIRO_FONT_SLANT_NORMAL, style & PICT_BOLD ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(p->cr, size);
}

double pict_text_width(struct pict *p, double size, int style, const char *text)
{
	char *s = printable_utf8(text);
	cairo_text_extents_t e;
	font(p, size, style);
	cairo_text_extents(p->cr, s, &e);
	free(s);
	return e.x_advance;
}

void pict_text(struct pict *p, double x, double y, double size, int align, int style, uint32_t c, const char *text)
{
	double w = pict_text_width(p, size, style, text), offset = align == PICT_LEFT ? 0 : align == PICT_CENTRE ? w / 2 : w;
	char *s = printable_utf8(text);
	cairo_save(p->cr);
	cairo_translate(p->cr, x, y);
	if (style & PICT_UP)
		cairo_rotate(p->cr, -M_PI / 2);
	cairo_move_to(p->cr, -offset, 0);
	if (style & PICT_HALO) {
		cairo_text_path(p->cr, s);
		colour(p, 0x000000B0);
		cairo_set_line_width(p->cr, 2.4);
		cairo_stroke(p->cr);
		cairo_move_to(p->cr, -offset, 0);
	}
	colour(p, c);
	cairo_show_text(p->cr, s);
	cairo_new_path(p->cr); /* else the current point stays at the text's end, and the next path begins there */
	cairo_restore(p->cr);
	free(s);
}
