/* Drawing on a canvas (a cairo surface), written as PNG, SVG or PDF. Units are pixels (points in a PDF), x right, y down, 0,0 the top left
 * corner of the canvas; colours are 0xRRGGBBAA. Equal calls give equal bytes on one machine: no time, host or path is written, but text is
 * drawn with the machine's "sans" font.
 * Only lib/draw uses cairo; it is not part of libkeypipe.a, and is linked into render only. */
#ifndef PICT_H
#define PICT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/out.h"

enum { PICT_PNG, PICT_SVG, PICT_PDF };

/* Output of a picture. */
struct pict_output {
	const char *path;   /* NULL: stdout */
	const char *format; /* "png", "svg", "pdf"; NULL: by the suffix of path */
};

/* The suffix of the last name in path, from its dot; NULL where there is none, or path is NULL. */
const char *pict_suffix(const char *path);
/* The format; PNG where path is NULL or has no suffix. An unknown suffix is a usage error. */
int pict_format(const struct pict_output *to);
/* Opens the output; called before any work is done, so that a bad name or a terminal is refused early. */
struct out *pict_open(const struct pict_output *to);

/* Colour of series i = 0, 1, ..., repeating; distinguishable by the colour-blind (Okabe and Ito, 2008, without yellow). */
uint32_t pict_colour(int i);
#define PICT_COLOURS 7
#define PICT_INK 0x30343AFF	  /* text */
#define PICT_PALE 0x7A8088FF	  /* secondary text, ticks */
#define PICT_GRID 0xE6E8EBFF	  /* grid lines */
#define PICT_NONFINITE 0xE6168CFF /* values that are not finite */

struct pict;
enum { PICT_SIDE_MAX = 32000, PICT_PIXELS_MAX = 400000000 }; /* cairo's limit of a side is 32767 */
/* A white canvas. Ends the program when w x h is larger than that. */
struct pict *pict_new(int format, double w, double h);
/* Writes the picture to o and closes o (out_close); frees p. */
void pict_finish(struct pict *p, struct out *o);

void pict_box(struct pict *p, double x, double y, double w, double h, uint32_t colour);
/* rgb (h, w): 0xRRGGBB, copied; a pixel is drawn zoom x zoom. smooth: interpolated, else nearest neighbour. */
void pict_image(struct pict *p, double x, double y, double zoom, int w, int h, const uint32_t *rgb, int smooth);
void pict_dot(struct pict *p, double x, double y, double r, uint32_t colour);	/* with a dark outline */
void pict_cross(struct pict *p, double x, double y, double r, uint32_t colour); /* diagonal, with a dark outline */
/* A polyline through n points, broken where a coordinate is not finite; a single point becomes a dot. dash 0: solid, 1, 2, 3: patterns. */
void pict_path(struct pict *p, const double *x, const double *y, int n, double width, uint32_t colour, int dash);
/* The filled area between lo and hi over x, broken likewise. */
void pict_band(struct pict *p, const double *x, const double *lo, const double *hi, int n, uint32_t colour);
void pict_clip(struct pict *p, double x, double y, double w, double h);
void pict_unclip(struct pict *p);

enum { PICT_LEFT, PICT_CENTRE, PICT_RIGHT };
enum { PICT_PLAIN = 0, PICT_BOLD = 1, PICT_UP = 2, PICT_HALO = 4 }; /* UP: rotated, reads upward; HALO: dark outline, for text on images */
/* y is the baseline. Bytes that are not UTF-8, control characters and noncharacters are shown as ?. */
void pict_text(struct pict *p, double x, double y, double size, int align, int style, uint32_t colour, const char *text);
double pict_text_width(struct pict *p, double size, int style, const char *text);

#endif
