/* Offsets of sources, and their METAs. */
#include "lib/nn/sources.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/nn/point_offsets.h"
#include "lib/stream/named_points.h"
#include "lib/stream/names.h"

struct sources *sources_new(const char *names, int points)
{
	struct sources *s = xcalloc(1, sizeof *s);
	names_free(names_split(names, &s->n));
	s->names = xstrdup(names), s->points = points, s->chosen = SOURCES_NONE;
	s->offset = xcalloc((size_t)s->n * (size_t)points * 2, sizeof *s->offset);
	return s;
}

struct sources *sources_read(const struct tns *t, const char *before, char **points, int k)
{
	char *list = xprintf("%ssources", before);
	const char *names = tns_meta_value(t, list);
	int n = 0;
	char **name = names ? names_split(names, &n) : NULL;
	if (names && (n < 2 || n > SOURCES_MOST))
		die("%s: META %s: %d sources, not 2 to %d", t->name, list, n, SOURCES_MOST);
	struct sources *s = names ? sources_new(names, k) : NULL;
	for (int i = 0; i < n; i++) {
		if (names_index(name, name[i]) != i)
			die("%s: META %s: '%s' stands there twice", t->name, list, name[i]);
		char *key = xprintf("%ssource.%s", before, name[i]);
		double *xy = point_offsets_read(t, key, points, k);
		if (!xy)
			die("%s: there is no META %s, but META %s names it", t->name, key, list);
		memcpy(s->offset + (size_t)i * (size_t)k * 2, xy, (size_t)k * 2 * sizeof *xy);
		free(key), free(xy);
	}
	names_free(name), free(list);
	return s;
}

void sources_put(const struct sources *s, struct tns_writer *w, const char *before, char **points)
{
	int n;
	if (!s)
		return;
	char **name = names_split(s->names, &n), *list = xprintf("%ssources", before);
	tns_put_meta(w, list, s->names);
	for (int i = 0; i < n; i++) {
		char *key = xprintf("%ssource.%s", before, name[i]);
		named_points_put(w, key, points, s->offset + (size_t)i * (size_t)s->points * 2, s->points);
		free(key);
	}
	names_free(name), free(list);
}

struct sources *sources_copy(const struct sources *s)
{
	struct sources *c = s ? sources_new(s->names, s->points) : NULL;
	if (c)
		memcpy(c->offset, s->offset, (size_t)s->n * (size_t)s->points * 2 * sizeof *s->offset);
	return c;
}

void sources_choose(struct sources *s, const char *name, int model)
{
	int n;
	if (!s)
		die_usage("--as-source %s: model %d was not trained with cnn-train --sources", name, model);
	char **names = names_split(s->names, &n);
	s->chosen = names_index(names, name);
	if (s->chosen < 0)
		die_usage("--as-source %s: the sources of model %d are %s", name, model, s->names);
	names_free(names);
}

void sources_add(const struct sources *s, int source, float *xy)
{
	for (int k = 0; s && source != SOURCES_NONE && k < 2 * s->points; k++)
		xy[k] += (float)s->offset[(size_t)source * (size_t)s->points * 2 + (size_t)k];
}

void sources_free(struct sources *s)
{
	if (s)
		free(s->names), free(s->offset), free(s);
}
