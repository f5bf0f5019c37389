#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/stream/names.h"
#include "lib/table/columns.h"

/* What the columns of a tensor are. */
enum form { FORM_NUMBERS, FORM_POINTS, FORM_OF_POINTS, FORM_OF_CLASSES, FORM_LIST };

struct names {
	char **name;
	int n;
};

/* A list with an empty name is none. */
static struct names split(const char *list)
{
	struct names s = {NULL, 0};
	if (list && *list && *list != ',' && !strstr(list, ",,") && list[strlen(list) - 1] != ',')
		s.name = names_split(list, &s.n);
	return s;
}

static int ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);
	return n >= k && !strcmp(name + n - k, end);
}

static enum form form_of(const struct tns_def *d, int points, int classes)
{
	if (!strcmp(d->name, "image"))
		return FORM_LIST;
	if (points && d->ndim == 3 && d->dim[1] == (uint64_t)points && d->dim[2] == 2)
		return FORM_POINTS;
	if (points && d->ndim == 2 && d->dim[1] == (uint64_t)points && ends_with(d->name, "confidence"))
		return FORM_OF_POINTS;
	if (classes && d->ndim == 2 && d->dim[1] == (uint64_t)classes && ends_with(d->name, "score"))
		return FORM_OF_CLASSES;
	return d->row_bytes / tns_size(d->dtype) > COLUMNS_VALUES ? FORM_LIST : FORM_NUMBERS;
}

/* Where its columns stand. */
static int rank(const struct tns_def *d, enum form form)
{
	static const char *const order[] = {"id", "keypoints", "predicted", "confidence", "label", "score"};
	int n = sizeof order / sizeof *order, last = n + 2;
	if (form == FORM_LIST)
		return strcmp(d->name, "image") ? last - 1 : last;
	for (int i = 0; i < n; i++)
		if (!strcmp(d->name, order[i]))
			return i;
	return n;
}

/* Takes name over. */
static int add(struct columns *c, char *name, int tensor, size_t first, size_t n, int list)
{
	if (c->n == COLUMNS_MAX) {
		free(name);
		return -1;
	}
	if (!(c->n & (c->n - 1)))
		c->col = xrealloc(c->col, (c->n ? 2 * (size_t)c->n : 1) * sizeof *c->col);
	c->col[c->n++] = (struct column){name, tensor, first, n, list};
	return 0;
}

static int add_tensor(struct columns *c, const struct tns_def *d, int id, enum form form, char **points, char **classes)
{
	size_t values = d->row_bytes / tns_size(d->dtype);
	int of_points = form == FORM_POINTS || form == FORM_OF_POINTS;
	if (form == FORM_LIST)
		return add(c, xstrdup(strcmp(d->name, "image") ? d->name : "Image"), id, 0, values, 1);
	for (size_t i = 0; i < values; i++) {
		const char *of = of_points ? points[form == FORM_POINTS ? i / 2 : i] : form == FORM_OF_CLASSES ? classes[i] : NULL;
		char *name = form == FORM_POINTS && !strcmp(d->name, "keypoints") ? xprintf("%s_%c", of, "xy"[i % 2])
			     : form == FORM_POINTS				  ? xprintf("%s_%s_%c", d->name, of, "xy"[i % 2])
			     : of						  ? xprintf("%s_%s", d->name, of)
			     : values == 1					  ? xstrdup(d->name)
										  : xprintf("%s_%zu", d->name, i + 1);
		if (add(c, name, id, i, 1, 0) < 0)
			return -1;
	}
	return 0;
}

static int has_error(const struct tns_def *def, int n)
{
	const struct tns_def *keypoints = NULL, *predicted = NULL;
	for (int i = 0; i < n; i++) {
		if (!strcmp(def[i].name, "error"))
			return 0;
		keypoints = strcmp(def[i].name, "keypoints") ? keypoints : &def[i];
		predicted = strcmp(def[i].name, "predicted") ? predicted : &def[i];
	}
	return keypoints && predicted && keypoints->dtype == TNS_F32 && predicted->dtype == TNS_F32 &&
	       keypoints->row_bytes == predicted->row_bytes;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int two_alike(const struct columns *c, char err[COLUMNS_ERR])
{
	char **name = xcalloc((size_t)c->n + 1, sizeof *name);
	int bad = 0;
	for (int i = 0; i < c->n; i++)
		name[i] = c->col[i].name;
	qsort(name, (size_t)c->n, sizeof *name, by_name);
	for (int i = 1; i < c->n && !bad; i++)
		if (!strcmp(name[i - 1], name[i]))
			bad = snprintf(err, COLUMNS_ERR, "two columns would be called '%.200s'", name[i]);
	free(name);
	return bad ? -1 : 0;
}

int columns_make(struct columns *c, const struct tns_def *def, int ntensors, const char *points, const char *classes, char err[COLUMNS_ERR])
{
	struct names p = split(points), k = split(classes);
	int many = 0;
	*c = (struct columns){0, NULL};
	for (int r = 0; r <= 8; r++) {
		if (r == 7 && has_error(def, ntensors))
			many |= add(c, xstrdup("error"), COLUMNS_ERROR, 0, 1, 0);
		for (int i = 0; i < ntensors && !many; i++) {
			enum form form = form_of(&def[i], p.n, k.n);
			if (rank(&def[i], form) == r)
				many |= add_tensor(c, &def[i], i, form, p.name, k.name);
		}
	}
	names_free(p.name), names_free(k.name);
	if (many) {
		snprintf(err, COLUMNS_ERR, "more than %d columns", COLUMNS_MAX);
		return -1;
	}
	return two_alike(c, err);
}

int columns_find(const struct columns *c, const char *name)
{
	for (int i = 0; i < c->n; i++)
		if (!strcmp(c->col[i].name, name))
			return i;
	return -1;
}

void columns_free(struct columns *c)
{
	for (int i = 0; i < c->n; i++)
		free(c->col[i].name);
	free(c->col);
	*c = (struct columns){0, NULL};
}

int columns_is_text(const struct tns_def *d)
{
	return !strcmp(d->name, "source") && d->dtype == TNS_U8 && d->ndim == 2;
}
