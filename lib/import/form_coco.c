/* COCO's keypoint annotations: one JSON file with images, categories and annotations. */
#include "lib/base/err.h"
#include "lib/import/coco.h"
#include "lib/import/form.h"

static void *open_coco(struct annotations *a, const struct annotation_options *o)
{
	char err[ANNOTATION_ERR];
	struct coco *c = coco_open(o->operands[0], a, o, err);
	if (!c)
		die("%s", err);
	return c;
}

static int next_coco(void *state, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	int r = coco_next(state, a, face, err);
	if (r == COCO_BROKEN)
		die("%s", err);
	return r;
}

static void close_coco(void *state)
{
	coco_close(state);
}

const struct annotation_form form_coco = {"coco", ORIGIN_INDEX, 0, open_coco, next_coco, close_coco};
