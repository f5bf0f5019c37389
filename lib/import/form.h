/* What a form of annotations provides: an entry in the table of forms (annotations.c), filled by form_NAME.c; README.md says what each
 * form's numbers mean. Private to lib/import/. */
#ifndef FORM_H
#define FORM_H

#include "lib/import/annotation.h"

struct annotation_form {
	const char *name;
	int origin;   /* enum annotation_origin of its points */
	int relative; /* 1: numbers are shares of the image's size */
	/* Parses what must be known first (point names, images) and sets a's K, names, has_*; returns the form's state. Ends the program on
	 * broken files. */
	void *(*open)(struct annotations *a, const struct annotation_options *o);
	/* As annotations_next, with the file's own numbers; face is zeroed but points, which holds room for K points, all NaN, and id and
	 * image_id, which are -1. */
	int (*next)(void *state, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR]);
	void (*close)(void *state);
};

extern const struct annotation_form form_coco, form_imglab, form_pts, form_wflw, form_yolo, form_dlc, form_table, form_folder;

#endif
