/* A canvas on which pictures are drawn, and the one room that knows cairo. Units are pixels (points in a PDF), x right, y down, 0,0 the
 * top left corner of the canvas; colours are 0xRRGGBBAA. Equal calls give equal bytes: no clock, host or path inside, and
 * text is drawn with the machine's "sans" font, so bytes are compared on one machine.
 * Compiled apart from libkeypipe.a (lib/draw) and linked with cairo into render only. */
#ifndef PICT_H
#define PICT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/out.h"

enum { PICT_PNG, PICT_SVG, PICT_PDF };

/* What all pictures share: where they go. */
struct pict_to {
	const char *path;   /* NULL: stdout */
	const char *format; /* "png", "svg", "pdf"; NULL: by the suffix of path */
};

/* The format; png where path is NULL or has no suffix. An unknown suffix ends the program as wrong use. */
int pict_format(const struct pict_to *to);
/* Opens the output before any work is done, so that a bad name or a terminal is refused at once. */
struct out *pict_open(const struct pict_to *to);

/* Quiet colours, told apart by the colour-blind (Okabe and Ito, 2008, without yellow): i = 0, 1, ... wraps around. */
uint32_t pict_colour(int i);
#define PICT_COLOURS 7
#define PICT_INK 0x30343AFF    /* text */
#define PICT_PALE 0x7A8088FF   /* small text */
#define PICT_GRID 0xE6E8EBFF   /* lines behind curves */
#define PICT_SIGNAL 0xE6168CFF /* what is not a number */

struct pict;
/* A white canvas. Dies with one line when cairo can't hold w x h (a side over 32,000, or 400 million pixels). */
struct pict *pict_new(int format, double w, double h);
/* Writes it to o and closes o, so the file appears; frees p. */
void pict_finish(struct pict *p, struct out *o);

void pict_box(struct pict *p, double x, double y, double w, double h, uint32_t colour);
/* rgb: h rows of w pixels 0xRRGGBB, each drawn zoom wide; smooth: interpolated, else in squares. Copied. */
void pict_image(struct pict *p, double x, double y, double zoom, int w, int h, const uint32_t *rgb, int smooth);
void pict_dot(struct pict *p, double x, double y, double r, uint32_t colour);	/* dark rim */
void pict_cross(struct pict *p, double x, double y, double r, uint32_t colour); /* diagonal, dark rim */
/* n points joined; where a coordinate is not finite the line breaks, and a lone point becomes a dot. dash 0: solid, 1, 2, 3: patterns. */
void pict_path(struct pict *p, const double *x, const double *y, int n, double width, uint32_t colour, int dash);
/* The area between lo and hi over x; the same breaks. */
void pict_band(struct pict *p, const double *x, const double *lo, const double *hi, int n, uint32_t colour);
void pict_clip(struct pict *p, double x, double y, double w, double h);
void pict_unclip(struct pict *p);

enum { PICT_LEFT, PICT_CENTRE, PICT_RIGHT };
enum { PICT_PLAIN = 0, PICT_BOLD = 1, PICT_UP = 2, PICT_HALO = 4 }; /* UP: read from below; HALO: dark rim, for text on images */
/* y is the base line. Bytes that are not UTF-8 are shown as ?. */
void pict_text(struct pict *p, double x, double y, double size, int align, int style, uint32_t colour, const char *text);
double pict_text_width(struct pict *p, double size, int style, const char *text);

#endif
