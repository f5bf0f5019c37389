#include "lib/import/coco.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/import/coco_file.h"

struct coco {
	struct coco_file file;
	struct coco_id category;
	char **names; /* a's */
	int unlabelled, ended;
	size_t image; /* behind the last annotation: the next that may have none */
	double *confidence;
};

/* ---- the category ---- */

static int refuse(const struct coco_file *f, char err[ANNOTATION_ERR], const char *fmt, ...) PRINTF(3, 4);
static int refuse(const struct coco_file *f, char err[ANNOTATION_ERR], const char *fmt, ...)
{
	char why[ANNOTATION_ERR / 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	snprintf(err, ANNOTATION_ERR, "%s: %s", f->path, why);
	return -1;
}

/* "'face', 'hand'", as far as there is room. */
static const char *with_points(const struct coco_file *f, char *to, size_t size)
{
	size_t n = 0;
	*to = 0;
	for (int i = 0; i < f->nwith_points && n + 40 < size; i++)
		n += (size_t)snprintf(to + n, size - n, "%s'%.30s'", i ? ", " : "", f->with_points[i].name);
	return to;
}

static int has_category(const struct coco_file *f, const char *name)
{
	for (size_t i = 0; i < f->categories.n; i++)
		if (!strcmp(coco_entry_name(&f->categories, &f->categories.entry[i]), name))
			return 1;
	return 0;
}

/* Where no category has keypoints: the one that is called name, or the only one, whose annotations are boxes. 0, or -1 and err. */
static int choose_boxes(const struct coco_file *f, const char *name, struct coco_category *to, char err[ANNOTATION_ERR])
{
	int found = 0;
	for (size_t i = f->categories.n; i-- > 0;)
		if (!name || !strcmp(coco_entry_name(&f->categories, &f->categories.entry[i]), name)) {
			found++;
			coco_entry_id(&f->categories, &f->categories.entry[i], &to->id);
			to->name = "", to->names = "", to->K = 0;
		}
	if (found == 1)
		return 0;
	if (!found)
		return name ? refuse(f, err, "there is no category '%.100s'", name) : refuse(f, err, "there are no categories");
	if (name)
		return refuse(f, err, "%d categories are called '%.100s'", found, name);
	return refuse(f, err, "none of %d categories has keypoints: --category must name the one whose boxes are read", found);
}

/* The category whose annotations are read, in *to, which may be *boxes. 0, or -1 and err. */
static int choose(
	const struct coco_file *f, const char *name, struct coco_category *boxes, const struct coco_category **to, char err[ANNOTATION_ERR])
{
	char all[300];
	*to = boxes;
	if (!f->nwith_points)
		return choose_boxes(f, name, boxes, err);
	int found = 0;
	for (int i = f->nwith_points - 1; i >= 0; i--)
		if (!name || !strcmp(f->with_points[i].name, name)) {
			found++;
			*to = &f->with_points[i];
		}
	with_points(f, all, sizeof all);
	if (found == 1)
		return 0;
	if (!name)
		return refuse(f, err, "several categories have keypoints: --category must name one of %s", all);
	if (found)
		return refuse(f, err, "%d categories are called '%.100s'", found, name);
	return refuse(f, err, "%s '%.100s'; those with keypoints: %s",
		has_category(f, name) ? "there are no keypoints in the category" : "there is no category", name, all);
}

static char **copy_names(const struct coco_category *c)
{
	char **names = xcalloc((size_t)c->K + 1, sizeof *names);
	const char *s = c->names;
	for (int i = 0; i < c->K; i++, s += strlen(s) + 1)
		names[i] = xstrdup(s);
	return names;
}

static const char *twice(char **names, int K)
{
	for (int i = 0; i < K; i++)
		for (int k = 0; k < i; k++)
			if (!strcmp(names[i], names[k]))
				return names[i];
	return NULL;
}

static void free_names(char **names)
{
	for (int i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

/* The first id of an image that is a text, for messages; NULL: there is none. */
static char *text_image_id(const struct coco_file *f)
{
	struct coco_id id;
	char text[COCO_ID + 2];
	for (size_t i = 0; i < f->images.n; i++)
		if (f->images.entry[i].is_text) {
			coco_entry_id(&f->images, &f->images.entry[i], &id);
			return xstrdup(coco_id_show(&id, text));
		}
	return NULL;
}

struct coco *coco_open(const char *path, struct annotations *a, const struct annotation_options *o, char err[ANNOTATION_ERR])
{
	struct coco *c = xcalloc(1, sizeof *c);
	struct coco_category boxes;
	const struct coco_category *category = NULL;
	struct coco_file *f = &c->file;
	char **names = NULL;
	const char *same;
	c->unlabelled = o->unlabelled;
	if (coco_file_open(f, path, err) < 0 || choose(f, o->category, &boxes, &category, err) < 0)
		goto failed;
	names = copy_names(category);
	if ((same = twice(names, category->K))) {
		refuse(f, err, "two keypoints of the category '%.100s' are called '%.100s'", category->name, same);
		goto failed;
	}
	c->category = category->id;
	if (coco_file_again(f, category->K, err) < 0)
		goto failed;
	a->K = category->K;
	a->category = category->name ? xstrdup(category->name) : NULL;
	a->category_id = category->id.kind == COCO_NUMBER ? category->id.number : 0;
	a->names = c->names = names;
	a->has_box = 1;
	a->has_confidence = f->scores;
	a->has_image_id = f->number_ids;
	a->renumbered = o->unlabelled ? xstrdup("images without annotations have none (--unlabelled)")
				      : coco_ids_odd(&f->ids, &c->category, f->categories.n == 1);
	coco_ids_free(&f->ids);
	a->has_id = !a->renumbered;
	a->nameless = text_image_id(f);
	a->longest = (int)f->longest;
	if (f->scores)
		c->confidence = xcalloc((size_t)a->K, sizeof *c->confidence);
	return c;
failed:
	free_names(names);
	coco_close(c);
	return NULL;
}

void coco_close(struct coco *c)
{
	coco_file_close(&c->file);
	free(c->confidence);
	free(c);
}

/* ---- a face ---- */

enum { PASSED_BY = 2 };

static int bad(const struct coco *c, const struct annotation *face, char err[ANNOTATION_ERR], const char *fmt, ...) PRINTF(4, 5);
static int bad(const struct coco *c, const struct annotation *face, char err[ANNOTATION_ERR], const char *fmt, ...)
{
	char why[ANNOTATION_ERR / 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	return refuse(&c->file, err, "%s: %s", face->place, why);
}

/* An image that faces are of. */
static int set_image(struct coco *c, struct annotation *face, const struct coco_entry *image, char err[ANNOTATION_ERR])
{
	face->file = coco_entry_name(&c->file.images, image);
	face->image_id = image->is_text ? -1 : image->number;
	face->W = image->W, face->H = image->H;
	return *face->file ? 1 : bad(c, face, err, "its image has no file_name");
}

/* 1: an annotation of the category; PASSED_BY: of another; -1. */
static int set_category(const struct coco *c, const struct annotation *face, char err[ANNOTATION_ERR])
{
	const struct coco_id *id = &c->file.element.category;
	char text[COCO_ID + 2];
	if (coco_id_equal(id, &c->category))
		return 1;
	if (id->kind == COCO_NO_ID && !*c->file.element.fault)
		return c->file.categories.n == 1 ? 1 : bad(c, face, err, "there is no category_id");
	if (id->kind == COCO_NO_ID)
		return bad(c, face, err, "%s", c->file.element.fault);
	return coco_index_find(&c->file.categories, id)
		       ? PASSED_BY
		       : bad(c, face, err, "category_id is %s, which no category has", coco_id_show(id, text));
}

static int set_box(const struct coco *c, struct annotation *face, char err[ANNOTATION_ERR])
{
	static const char *const side[] = {"x", "y", "width", "height"};
	const struct coco_element *e = &c->file.element;
	int known = 0;
	if (!e->nbox)
		return 1;
	if (e->nbox != 4)
		return bad(c, face, err, "bbox has %zu numbers, not 4", e->nbox);
	for (int i = 0; i < 4; i++)
		known += !isnan(e->box[i]);
	if (!known || (e->box[2] == 0 && e->box[3] == 0)) /* how a box is left out */
		return 1;
	for (int i = 0; i < 4; i++)
		if (isnan(e->box[i]))
			return bad(c, face, err, "bbox has no %s", side[i]);
		else if (i >= 2 && e->box[i] <= 0)
			return bad(c, face, err, "bbox: %s is %g, not above 0", side[i], e->box[i]);
	memcpy(face->box, e->box, sizeof face->box);
	face->has_box = 1;
	return 1;
}

/* 1: third numbers of this annotation are scores; 0: they are 0, 1 or 2, with a 2 among them, or the file has no scores. */
static int has_scores(const struct coco *c, int K)
{
	const double *v = c->file.keypoints;
	int two = 0;
	if (!c->confidence)
		return 0;
	for (int i = 0; i < K; i++) {
		two |= v[3 * i + 2] == 2;
		if (v[3 * i + 2] != 0 && v[3 * i + 2] != 1 && v[3 * i + 2] != 2)
			return 1;
	}
	return !two;
}

/* num_keypoints is not believed where points are visible. */
static int set_points(struct coco *c, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	const struct coco_element *e = &c->file.element;
	int K = a->K, scores;
	for (int i = 0; c->confidence && i < K; i++)
		c->confidence[i] = NAN;
	face->confidence = c->confidence;
	if (!e->nkeypoints || (!e->labelled && !e->visible))
		return 1;
	if (e->nkeypoints != 3 * (size_t)K)
		return bad(c, face, err, "keypoints has %zu numbers, not 3 for each of %d points", e->nkeypoints, K);
	scores = has_scores(c, K);
	for (int i = 0; i < K; i++) {
		const double *p = c->file.keypoints + 3 * i, v = p[2];
		if (scores)
			c->confidence[i] = v;
		if (v == 0 || (isnan(p[0]) && isnan(p[1])))
			continue;
		if (isnan(p[0]) || isnan(p[1]))
			return bad(c, face, err, "point %s has no %s", c->names[i], isnan(p[0]) ? "x" : "y");
		if (!scores && v != 1 && v != 2)
			return isnan(v) ? bad(c, face, err, "point %s has no visibility", c->names[i])
					: bad(c, face, err, "point %s: its visibility is %g, not 0, 1 or 2", c->names[i], v);
		face->points[2 * i] = p[0];
		face->points[2 * i + 1] = p[1];
		face->has_points = 1;
	}
	a->miscounted += !e->labelled && face->has_points;
	return 1;
}

/* The annotation that was read: 1, PASSED_BY or -1. */
static int set_face(struct coco *c, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	const struct coco_element *e = &c->file.element;
	char text[COCO_ID + 2];
	face->id = e->id.kind == COCO_NUMBER ? e->id.number : -1;
	face->image_id = -1;
	if (e->id.kind == COCO_NO_ID)
		snprintf(face->place, sizeof face->place, "element %llu of annotations", e->number);
	else
		snprintf(face->place, sizeof face->place, "annotation %s", coco_id_show(&e->id, text));
	int r = set_category(c, face, err);
	if (r != 1)
		return r;
	struct coco_entry *image = coco_index_find(&c->file.images, &e->image);
	if (image)
		image->seen = 1;
	if (e->crowd) {
		a->crowd++;
		return PASSED_BY;
	}
	if (*e->fault)
		return bad(c, face, err, "%s", e->fault);
	if (e->image.kind == COCO_NO_ID)
		return bad(c, face, err, "there is no image_id");
	if (!image)
		return bad(c, face, err, "image_id is %s, which no image has", coco_id_show(&e->image, text));
	r = set_image(c, face, image, err);
	if (r == 1)
		r = set_box(c, face, err);
	return r == 1 ? set_points(c, a, face, err) : r;
}

/* An image without annotations: a face without labels. */
static int set_unlabelled(struct coco *c, struct annotation *face, const struct coco_entry *image, char err[ANNOTATION_ERR])
{
	struct coco_id id;
	char text[COCO_ID + 2];
	coco_entry_id(&c->file.images, image, &id);
	snprintf(face->place, sizeof face->place, "image %s", coco_id_show(&id, text));
	face->id = -1;
	for (int i = 0; c->confidence && c->names[i]; i++)
		c->confidence[i] = NAN;
	face->confidence = c->confidence;
	return set_image(c, face, image, err);
}

int coco_next(struct coco *c, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	int r = 0;
	while (!c->ended && (r = coco_file_next(&c->file, err)) > 0)
		if ((r = set_face(c, a, face, err)) != PASSED_BY)
			return r;
	if (r < 0)
		return COCO_BROKEN;
	for (c->ended = 1; c->image < c->file.images.n;) {
		const struct coco_entry *image = &c->file.images.entry[c->image++];
		if (image->seen)
			continue;
		if (c->unlabelled)
			return set_unlabelled(c, face, image, err);
		a->unlabelled++;
	}
	return 0;
}
