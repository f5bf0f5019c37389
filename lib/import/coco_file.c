/* Events by depth: the whole is an object (0), its keys name lists (1) of objects (2), whose keys (3) name values or lists of them (4).
 * Lists and keys that are not of interest are passed by. */
#include "lib/import/coco_file.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/import/text.h"

static const char *const lists[] = {"", "images", "categories", "annotations"};
static const struct {
	enum coco_list list;
	const char *key;
	enum coco_field field;
} fields[] = {
	{COCO_IMAGES, "id", COCO_ITS_ID},
	{COCO_IMAGES, "file_name", COCO_NAME},
	{COCO_IMAGES, "width", COCO_WIDTH},
	{COCO_IMAGES, "height", COCO_HEIGHT},
	{COCO_CATEGORIES, "id", COCO_ITS_ID},
	{COCO_CATEGORIES, "name", COCO_NAME},
	{COCO_CATEGORIES, "keypoints", COCO_KEYPOINTS},
	{COCO_ANNOTATIONS, "id", COCO_ITS_ID},
	{COCO_ANNOTATIONS, "image_id", COCO_IMAGE_ID},
	{COCO_ANNOTATIONS, "category_id", COCO_CATEGORY_ID},
	{COCO_ANNOTATIONS, "iscrowd", COCO_CROWD},
	{COCO_ANNOTATIONS, "num_keypoints", COCO_LABELLED},
	{COCO_ANNOTATIONS, "keypoints", COCO_KEYPOINTS},
	{COCO_ANNOTATIONS, "bbox", COCO_BOX},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static int refuse(char err[ANNOTATION_ERR], const char *fmt, ...) PRINTF(2, 3);
static int refuse(char err[ANNOTATION_ERR], const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err, ANNOTATION_ERR, fmt, ap);
	va_end(ap);
	return 0;
}

static const char *field_key(const struct coco_file *f)
{
	for (int i = 0; i < FIELDS; i++)
		if (fields[i].list == f->list && fields[i].field == f->field)
			return fields[i].key;
	return "";
}

/* A value that is not what it should be: ends the reading for images and categories; of an annotation the first is kept. */
static int wrong(struct coco_file *f, char err[ANNOTATION_ERR], const char *fmt, ...) PRINTF(3, 4);
static int wrong(struct coco_file *f, char err[ANNOTATION_ERR], const char *fmt, ...)
{
	struct coco_element *e = &f->element;
	char why[sizeof e->fault];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	if (f->list != COCO_ANNOTATIONS)
		return refuse(err, "%s: element %llu: %s", lists[f->list], e->number, why);
	if (!*e->fault)
		memcpy(e->fault, why, sizeof why);
	return 1;
}

static int not_a(struct coco_file *f, const struct json_event *e, const char *what, char err[ANNOTATION_ERR])
{
	char value[96];
	return wrong(f, err, "%s is %s, not %s", field_key(f), json_event_text(e, value), what);
}

/* Copies n bytes and a zero to the end of a text that grows. */
static void append(char **text, size_t *used, size_t *room, const char *s, size_t n)
{
	if (*room - *used < n + 1) {
		*room += *room + n + 256;
		*text = xrealloc(*text, *room);
	}
	if (n)
		memcpy(*text + *used, s, n);
	(*text)[*used + n] = 0;
	*used += n + 1;
}

/* ---- elements ---- */

static void element_begin(struct coco_file *f)
{
	unsigned long long number = f->element.number + 1;
	f->element = (struct coco_element){.number = number, .labelled = -1};
	f->field = COCO_OTHER;
	f->text_n = f->names_n = 0;
	f->nnames = 0;
}

static int image_end(struct coco_file *f, char err[ANNOTATION_ERR])
{
	const struct coco_element *e = &f->element;
	size_t n = f->text_n ? f->text_n - 1 : 0;
	if (e->id.kind == COCO_NO_ID)
		return wrong(f, err, "it has no id");
	if (n)
		text_slashes(f->text);
	struct coco_entry *to = coco_index_add(&f->images, &e->id, f->text, n);
	if (e->W && e->H)
		to->W = e->W, to->H = e->H;
	f->number_ids |= e->id.kind == COCO_NUMBER;
	f->longest = n > f->longest ? n : f->longest;
	return 1;
}

static int category_end(struct coco_file *f, char err[ANNOTATION_ERR])
{
	const struct coco_element *e = &f->element;
	if (e->id.kind == COCO_NO_ID)
		return wrong(f, err, "it has no id");
	coco_index_add(&f->categories, &e->id, f->text, f->text_n ? f->text_n - 1 : 0);
	if (!f->nnames)
		return 1;
	f->with_points = xrealloc(f->with_points, (size_t)(f->nwith_points + 1) * sizeof *f->with_points);
	struct coco_category *c = &f->with_points[f->nwith_points++];
	*c = (struct coco_category){e->id, xstrdup(f->text_n ? f->text : ""), xmalloc(f->names_n), f->nnames};
	memcpy(c->names, f->names, f->names_n);
	return 1;
}

static void annotation_end(struct coco_file *f)
{
	const struct coco_element *e = &f->element;
	f->whole = f->pass == 2;
	if (f->pass == 1 && !e->crowd)
		coco_ids_add(&f->ids, &e->id, &e->category, e->number);
}

static int element_end(struct coco_file *f, char err[ANNOTATION_ERR])
{
	if (f->list == COCO_IMAGES)
		return image_end(f, err);
	if (f->list == COCO_CATEGORIES)
		return category_end(f, err);
	annotation_end(f);
	return 1;
}

/* ---- values ---- */

static int text_value(struct coco_file *f, const struct json_event *e, char err[ANNOTATION_ERR])
{
	f->text_n = 0;
	if (e->kind == JSON_NULL)
		return 1;
	if (e->kind != JSON_STRING || memchr(e->text, 0, e->n))
		return not_a(f, e, "a text", err);
	append(&f->text, &f->text_n, &f->text_room, e->text, e->n);
	return 1;
}

/* The value of a key of an element, no list. */
static int value(struct coco_file *f, const struct json_event *e, char err[ANNOTATION_ERR])
{
	struct coco_element *to = &f->element;
	int null = e->kind == JSON_NULL;
	if (f->pass == 1 && f->list == COCO_ANNOTATIONS && f->field != COCO_ITS_ID && f->field != COCO_CATEGORY_ID &&
		f->field != COCO_CROWD)
		return 1;
	struct coco_id *id = f->field == COCO_ITS_ID ? &to->id : f->field == COCO_IMAGE_ID ? &to->image : &to->category;
	switch (f->field) {
	case COCO_OTHER:
		return 1;
	case COCO_ITS_ID:
	case COCO_IMAGE_ID:
	case COCO_CATEGORY_ID:
		return coco_id_set(id, e) || null || not_a(f, e, "an id (a number or a text)", err);
	case COCO_NAME:
		return text_value(f, e, err);
	case COCO_WIDTH:
	case COCO_HEIGHT:
		return null || json_event_whole(e, INT_MAX, f->field == COCO_WIDTH ? &to->W : &to->H) || not_a(f, e, "a whole number", err);
	case COCO_CROWD:
		to->crowd = e->kind == JSON_TRUE;
		return null || e->kind == JSON_TRUE || e->kind == JSON_FALSE || json_event_whole(e, 1, &to->crowd) ||
		       not_a(f, e, "0 or 1", err);
	case COCO_LABELLED:
		to->labelled = -1;
		return null || json_event_whole(e, INT_MAX, &to->labelled) || not_a(f, e, "a whole number", err);
	case COCO_KEYPOINTS:
	case COCO_BOX:
		if (f->field == COCO_BOX)
			to->nbox = 0;
		else
			to->nkeypoints = 0, to->visible = 0, f->names_n = 0, f->nnames = 0;
		return null || not_a(f, e, "a list", err);
	}
	return 1;
}

/* 1: a number with a fraction. 0, 1, 2, which most are, are not parsed. */
static int is_score(const struct json_event *e)
{
	double v;
	if (e->n == 1 || (e->n == 3 && e->text[1] == '.' && e->text[2] == '0'))
		return 0;
	return json_event_real(e, &v) && isfinite(v) && v != floor(v);
}

static int name_item(struct coco_file *f, const struct json_event *e, char err[ANNOTATION_ERR])
{
	if ((e->kind != JSON_STRING && e->kind != JSON_NUMBER) || !e->n || memchr(e->text, 0, e->n))
		return not_a(f, e, "a name", err);
	if (f->nnames == ANNOTATION_POINTS)
		return wrong(f, err, "it has more than %d keypoints", ANNOTATION_POINTS);
	append(&f->names, &f->names_n, &f->names_room, e->text, e->n);
	f->nnames++;
	return 1;
}

/* A value of a list that is the value of a key. */
static int item(struct coco_file *f, const struct json_event *e, char err[ANNOTATION_ERR])
{
	struct coco_element *to = &f->element;
	double v = NAN;
	if ((f->field != COCO_KEYPOINTS && f->field != COCO_BOX) || e->kind == JSON_CLOSE)
		return 1;
	if (f->list == COCO_CATEGORIES)
		return name_item(f, e, err);
	if (f->pass == 1) {
		if (f->field == COCO_KEYPOINTS && to->nkeypoints++ % 3 == 2)
			f->scores |= is_score(e);
		return 1;
	}
	if (!json_event_real(e, &v)) {
		char text[96];
		return wrong(f, err, "%s: number %zu is %s, not a number", field_key(f),
			1 + (f->field == COCO_BOX ? to->nbox : to->nkeypoints), json_event_text(e, text));
	}
	if (f->field == COCO_BOX && to->nbox++ < 4)
		to->box[to->nbox - 1] = v;
	to->visible |= f->field == COCO_KEYPOINTS && to->nkeypoints % 3 == 2 && v > 0;
	if (f->field == COCO_KEYPOINTS && to->nkeypoints++ < f->nkeypoints_max)
		f->keypoints[to->nkeypoints - 1] = v;
	return 1;
}

/* ---- events ---- */

static int key_is(const struct json_event *e, const char *key)
{
	size_t n = strlen(key);
	return e->n == n && !memcmp(e->text, key, n);
}

/* Keys of the whole, and what they name. */
static int on_list(struct coco_file *f, const struct json_event *e, char err[ANNOTATION_ERR])
{
	if (e->kind == JSON_KEY) {
		f->list = COCO_NO_LIST;
		for (unsigned i = COCO_IMAGES; i <= COCO_ANNOTATIONS; i++)
			if (key_is(e, lists[i])) {
				if (f->met & 1u << i)
					return refuse(err, "there are two lists '%s'", lists[i]);
				f->met |= 1u << i;
				f->list = (enum coco_list)i;
			}
		f->element.number = 0;
		return 1;
	}
	if (f->list == COCO_NO_LIST || e->kind == JSON_LIST || e->kind == JSON_CLOSE || e->kind == JSON_NULL)
		return 1;
	char text[96];
	return refuse(err, "%s is %s, not a list", lists[f->list], json_event_text(e, text));
}

/* Elements of a list, and their keys. */
static int on_element(struct coco_file *f, const struct json_event *e, char err[ANNOTATION_ERR])
{
	char text[96];
	if (e->depth == 2) {
		if (e->kind == JSON_OBJECT)
			element_begin(f);
		else if (e->kind == JSON_CLOSE)
			return element_end(f, err);
		else
			return refuse(err, "%s: element %llu is %s, not an object", lists[f->list], f->element.number + 1,
				json_event_text(e, text));
		return 1;
	}
	if (e->kind == JSON_KEY) {
		f->field = COCO_OTHER;
		for (int i = 0; i < FIELDS; i++)
			if (fields[i].list == f->list && key_is(e, fields[i].key))
				f->field = fields[i].field;
		return 1;
	}
	if (e->kind == JSON_CLOSE)
		return 1;
	if (e->kind == JSON_LIST && (f->field == COCO_KEYPOINTS || f->field == COCO_BOX)) {
		if (f->field == COCO_BOX)
			f->element.nbox = 0;
		else
			f->element.nkeypoints = 0, f->element.visible = 0, f->names_n = 0, f->nnames = 0;
		return 1;
	}
	return value(f, e, err);
}

static int on_event(void *arg, const struct json_event *e, char err[ANNOTATION_ERR])
{
	struct coco_file *f = arg;
	if (e->depth == 0) {
		if (e->kind == JSON_LIST)
			return refuse(err, "a list, as of results, which name no images: an object with the lists images, annotations and "
					   "categories is needed");
		return e->kind == JSON_OBJECT || e->kind == JSON_CLOSE ||
		       refuse(err, "not an object with the lists images, annotations and categories");
	}
	if (e->depth == 1)
		return on_list(f, e, err);
	if (f->list == COCO_NO_LIST || (f->pass == 2 && f->list != COCO_ANNOTATIONS))
		return 1;
	return e->depth <= 3 ? on_element(f, e, err) : e->depth == 4 ? item(f, e, err) : 1;
}

/* ---- passes ---- */

int coco_file_open(struct coco_file *f, const char *path, char err[ANNOTATION_ERR])
{
	int more;
	*f = (struct coco_file){.path = path, .pass = 1};
	f->json = json_events_open(path, on_event, f, err);
	if (!f->json)
		return -1;
	while ((more = json_events_step(f->json, err)) > 0)
		;
	if (more < 0)
		return -1;
	if (!(f->met & 1u << COCO_IMAGES))
		return refuse(err, "%s: there is no list 'images', so it is not of COCO", path) - 1;
	const struct coco_entry *e = coco_index_sort(&f->images);
	const char *of = "images";
	const struct coco_index *x = &f->images;
	if (!e) {
		e = coco_index_sort(&f->categories);
		of = "categories", x = &f->categories;
	}
	if (e) {
		struct coco_id id;
		char text[COCO_ID + 2];
		coco_entry_id(x, e, &id);
		return refuse(err, "%s: %s: two have the id %s", path, of, coco_id_show(&id, text)) - 1;
	}
	return 0;
}

int coco_file_again(struct coco_file *f, int K, char err[ANNOTATION_ERR])
{
	f->pass = 2;
	f->list = COCO_NO_LIST;
	f->met = 0;
	f->nkeypoints_max = 3 * (size_t)K;
	f->keypoints = xcalloc(f->nkeypoints_max, sizeof *f->keypoints);
	return json_events_rewind(f->json, err);
}

int coco_file_next(struct coco_file *f, char err[ANNOTATION_ERR])
{
	int more;
	f->whole = 0;
	while ((more = json_events_step(f->json, err)) > 0)
		if (f->whole)
			return 1;
	return more;
}

void coco_file_close(struct coco_file *f)
{
	json_events_free(f->json);
	coco_index_free(&f->images);
	coco_index_free(&f->categories);
	for (int i = 0; i < f->nwith_points; i++) {
		free(f->with_points[i].name);
		free(f->with_points[i].names);
	}
	free(f->with_points);
	coco_ids_free(&f->ids);
	free(f->keypoints);
	free(f->text);
	free(f->names);
	*f = (struct coco_file){0};
}
