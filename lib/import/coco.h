/* The faces of a COCO file (keypoint annotations), as form_coco hands them out, but faults of the file are returned, not fatal. */
#ifndef COCO_H
#define COCO_H

#include "lib/import/annotation.h"

enum { COCO_BROKEN = -2 };

struct coco;

/* Reads images and categories; sets a's K, names, has_confidence, has_image_id, has_id, renumbered, nameless, category, category_id and
 * longest, on success alone. NULL: the file can't be read, or its category isn't told; err is ready to print. */
struct coco *coco_open(const char *path, struct annotations *a, const struct annotation_options *o, char err[ANNOTATION_ERR]);
/* As next of struct annotation_form; COCO_BROKEN: no further faces can be had, err says why. */
int coco_next(struct coco *c, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR]);
void coco_close(struct coco *c);

#endif
