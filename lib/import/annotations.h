/* Faces of all forms (form.h), in one convention, with the paths of their images (annotation.h says what a face is). */
#ifndef ANNOTATIONS_H
#define ANNOTATIONS_H

#include "lib/base/err.h"
#include "lib/import/annotation.h"

#define ANNOTATION_FORMS "coco|imglab|pts|wflw|yolo|dlc|table|folder" /* for option tables */

/* Ends the program where a file can't be opened or is not of the form at all (1), or options don't fit the form (2). o is not copied. Names
 * of points are of printable characters without blanks, commas and quotes, which become `_`. */
struct annotations *annotations_open(const struct annotation_options *o);
/* 1: a face; 0: the end; -1: this face is bad, the reason in err, ready to print: FILE: PLACE: REASON, the value named. The next call goes
 * on with the next face. A file that can't be parsed any further ends the program. Relative coordinates (yolo) are made pixels by
 * annotations_scale once the image's size is known. */
int annotations_next(struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR]);
void annotations_scale(const struct annotations *a, struct annotation *face, int W, int H);
/* 1: points outside of the image are labels all the same, as WFLW's; 0: they are faults. */
int annotations_outside(const struct annotations *a);
/* Formats "FILE: PLACE: " and the reason into err; returns -1. */
int annotations_fault(const struct annotations *a, const struct annotation *face, char err[ANNOTATION_ERR], const char *fmt, ...)
	PRINTF(4, 5);
void annotations_close(struct annotations *a);

#endif
