/* dlib's imglab: one XML file of images, their boxes, and the boxes' parts. */
#include "lib/base/err.h"
#include "lib/import/form.h"
#include "lib/import/imglab.h"

static void *open_imglab(struct annotations *a, const struct annotation_options *o)
{
	char err[ANNOTATION_ERR];
	struct imglab *m = imglab_open(o->operands[0], a, o, err);
	if (!m)
		die("%s", err);
	return m;
}

static int next_imglab(void *state, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	int r = imglab_next(state, a, face, err);
	if (r == IMGLAB_BROKEN)
		die("%s", err);
	return r;
}

static void close_imglab(void *state)
{
	imglab_close(state);
}

const struct annotation_form form_imglab = {"imglab", ORIGIN_INDEX, 0, open_imglab, next_imglab, close_imglab};
