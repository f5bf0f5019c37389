/* Ids of a COCO file's annotations: may they be those of the rows? Noted in the first pass, in which the category that is read is not known
 * yet; 16 bytes an annotation. Private to lib/import/coco*.c. */
#ifndef COCO_IDS_H
#define COCO_IDS_H

#include "lib/import/coco_index.h"

struct coco_ids { /* zeroed at first */
	size_t n;
	struct coco_noted_id *v;
};

/* The annotation at place number, from 1, of its list. */
void coco_ids_add(struct coco_ids *x, const struct coco_id *id, const struct coco_id *category, unsigned long long number);
/* NULL: of this category each has an id of 32 bits, no two the same; else the first reason why not, to be freed. unnamed: annotations
 * without a category are of it. To be called once: the ids are sorted. */
char *coco_ids_odd(struct coco_ids *x, const struct coco_id *category, int unnamed);
void coco_ids_free(struct coco_ids *x);

#endif
