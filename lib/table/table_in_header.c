/* What the columns of a header are: by the notes before it, else by their names. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/crc.h"
#include "lib/stream/names.h"
#include "lib/table/table_in_io.h"

enum { NAME_BYTES = 1000 }; /* of a column */

/* Names of a header without notes, sorted by what they are. */
struct header {
	char **name;
	int n;
	char *points, *predicted, *confidence; /* comma-joined */
	int image;			       /* its column, or -1 */
	struct csv_names sorted;
};

/* ---- the line ---- */

/* A field without the quotes that are doubled in it; to be freed. */
static char *plain(struct span f)
{
	char *text = xcalloc((size_t)(f.e - f.p) + 1, 1), *to = text;
	for (const unsigned char *p = f.p; p < f.e; p++) {
		*to++ = (char)*p;
		p += *p == '"' && p + 1 < f.e && p[1] == '"';
	}
	return text;
}

static int split(struct table_in *t, struct header *h)
{
	struct table_in_source *s = t->src;
	struct span line = s->lines->line, f;
	s->sep = csv_separator(line);
	h->name = xcalloc(COLUMNS_MAX + 1, sizeof *h->name);
	for (const unsigned char *p = line.p; p;) {
		if (h->n == COLUMNS_MAX)
			return table_in_fault(t, "header: more than %d columns", COLUMNS_MAX);
		if (!csv_next_field(&p, line.e, s->sep, &f))
			return table_in_fault(t, "header: column %d: the quotes are not closed, or not at the field's ends", h->n + 1);
		if (!t->noted || f.p == line.p || f.p[-1] != '"') /* our own quotes hold blanks that are the name's */
			f = csv_trimmed(f);
		if (f.e - f.p > NAME_BYTES || memchr(f.p, 0, (size_t)(f.e - f.p)))
			return table_in_fault(t, "header: column %d is no name", h->n + 1);
		h->name[h->n++] = plain(f);
	}
	csv_names_make(&h->sorted, h->name, h->n);
	const char *twice = csv_names_twice(&h->sorted);
	return twice ? table_in_fault(t, "header: two columns are called '%.100s'", twice) : TABLE_IN_DONE;
}

/* ---- without notes ---- */

static int in_header(const struct header *h, const char *name)
{
	return csv_names_have(&h->sorted, name);
}

/* The name without its beginning, or NULL. */
static const char *behind(const char *name, const char *start)
{
	size_t n = strlen(start);
	return strncmp(name, start, n) ? NULL : name + n;
}

/* The point of a column POINT_x that has its POINT_y; NULL: none, also where no META can hold its name. To be freed. */
static char *point_of(const struct header *h, const char *name)
{
	size_t n = strlen(name);
	if (n < 3 || strcmp(name + n - 2, "_x") || strchr(name, ','))
		return NULL;
	char *y = xprintf("%.*s_y", (int)n - 2, name);
	int there = in_header(h, y) && !csv_is_corner(csv_coord_of(name), &h->sorted);
	y[n - 2] = 0;
	if (there)
		return y;
	free(y);
	return NULL;
}

static void define(struct table_in *t, const char *name, int dtype, int ndim, uint64_t a, uint64_t b)
{
	t->def = xrealloc(t->def, (size_t)(t->ntensors + 1) * sizeof *t->def);
	struct tns_def *d = &t->def[t->ntensors++];
	*d = (struct tns_def){.dtype = dtype, .ndim = ndim, .dim = {TNS_UNLIMITED, a, b}};
	snprintf(d->name, sizeof d->name, "%.255s", name);
	d->row_bytes = tns_size(dtype) * (ndim > 1 ? (size_t)a : 1) * (ndim > 2 ? (size_t)b : 1);
}

static int is_tensor_name(const char *s)
{
	static const char valid[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";
	return *s && strlen(s) < 256 && !s[strspn(s, valid)];
}

/* h, w of the images: given, or of a square by the first row, which is read for that and held. */
static int image_size(struct table_in *t, const struct header *h)
{
	struct table_in_source *s = t->src;
	struct span f = {NULL, NULL};
	int r = lines_next(s->lines);
	if (r == LINES_ERR)
		return table_in_fault(t, "row 1: %s", s->lines->err);
	s->held = r == LINES_ONE;
	if (t->w)
		return TABLE_IN_DONE;
	const unsigned char *p = s->held ? s->lines->line.p : NULL;
	for (int i = 0; p && i <= h->image; i++)
		if (!csv_next_field(&p, s->lines->line.e, s->sep, &f))
			return table_in_fault(t, "row 1: field %d: the quotes are not closed, or not at the field's ends", i + 1);
	size_t n = f.p ? table_in_count(f) : 0;
	int side = (int)lround(sqrt((double)n));
	if (!s->held)
		return table_in_fault(t, "no rows, and no --size to tell the images' size");
	if (!n || (size_t)side * (size_t)side != n || n > TNS_CHUNK_MAX)
		return table_in_fault(t, "row 1: %zu pixels, which is no square: --size WxH tells the shape", n);
	t->w = t->h = side;
	return TABLE_IN_DONE;
}

/* Gives Image and id the names that columns.h has for them. */
static void rename_special(struct header *h)
{
	h->image = -1;
	for (int i = 0; i < h->n; i++) {
		const char *name = h->name[i], *as = NULL;
		if (!strcasecmp(name, "image") || !strcasecmp(name, "pixels"))
			as = "Image";
		else if (!strcasecmp(name, "ImageId") || !strcasecmp(name, "image_id"))
			as = "id";
		if (as && strcmp(as, name) && !in_header(h, as)) {
			free(h->name[i]), h->name[i] = xstrdup(as);
			csv_names_free(&h->sorted), csv_names_make(&h->sorted, h->name, h->n);
		}
		if (!strcmp(h->name[i], "Image"))
			h->image = i;
	}
}

/* Sorts the names by what they are. */
static void sort_names(struct header *h)
{
	rename_special(h);
	for (int i = 0; i < h->n; i++) {
		char *point = point_of(h, h->name[i]);
		const char *predicted = point ? behind(point, "predicted_") : NULL, *sure = behind(h->name[i], "confidence_");
		if (predicted && *predicted)
			h->predicted = names_append(h->predicted, predicted);
		else if (point)
			h->points = names_append(h->points, point);
		else if (sure && *sure && !strchr(sure, ','))
			h->confidence = names_append(h->confidence, sure);
		free(point);
	}
}

/* 0: both hold the same names. */
static int compare(struct table_in *t, const char *list, const char *what)
{
	int n, m;
	char **a = names_split(list, &n), **b = names_split(t->meta[0].value, &m);
	for (int i = 0; i < m && !*t->err; i++)
		if (names_index(a, b[i]) < 0)
			table_in_fault(t, "header: there is no column of %s for the point '%.100s'", what, b[i]);
	for (int i = 0; i < n && !*t->err; i++)
		if (names_index(b, a[i]) < 0)
			table_in_fault(t, "header: a column of %s for '%.100s', which is none of the other points", what, a[i]);
	names_free(a), names_free(b);
	return *t->err ? TABLE_IN_ERR : TABLE_IN_DONE;
}

static int infer(struct table_in *t, struct header *h)
{
	uint64_t k = 1;
	sort_names(h);
	if (h->image >= 0 && image_size(t, h) < 0)
		return TABLE_IN_ERR;
	const char *points = h->points ? h->points : h->predicted;
	for (const char *s = points; s && *s; s++)
		k += *s == ',';
	if (h->image >= 0)
		define(t, "image", TNS_U8, 3, (uint64_t)t->h, (uint64_t)t->w);
	if (h->points)
		define(t, "keypoints", TNS_F32, 3, k, 2);
	if (in_header(h, "id"))
		define(t, "id", TNS_U32, 1, 0, 0);
	if (points) {
		t->meta = xcalloc(1, sizeof *t->meta), t->place = xcalloc(1, sizeof *t->place);
		t->meta[t->nmeta] = (struct tns_meta){xstrdup("points"), xstrdup(points), 6, strlen(points), 0};
		t->place[t->nmeta++] = t->ntensors;
		if ((h->predicted && compare(t, h->predicted, "predicted") < 0) ||
			(h->confidence && compare(t, h->confidence, "confidence") < 0))
			return TABLE_IN_ERR;
		if (h->predicted)
			define(t, "predicted", TNS_F32, 3, k, 2);
		if (h->confidence)
			define(t, "confidence", TNS_F32, 2, k, 0);
	}
	if (in_header(h, "label"))
		define(t, "label", TNS_U8, 1, 0, 0);
	if (in_header(h, "score"))
		define(t, "score", TNS_F32, 1, 0, 0);
	for (int i = 0; t->others && t->others[i]; i++) {
		const char *name = t->others[i];
		if (!in_header(h, name) || !is_tensor_name(name))
			return table_in_fault(t,
				in_header(h, name) ? "header: '%.100s' is no name of a tensor" : "header: no column is called '%.100s'",
				name);
		for (int k = 0; k < t->ntensors; k++)
			if (!strcmp(t->def[k].name, name))
				return table_in_fault(t, "header: '%.100s' is known: it needs not be named", name);
		define(t, name, TNS_F32, 1, 0, 0);
	}
	if (!t->ntensors)
		return table_in_fault(t, "header: no column has a name that is known here (id, Image, POINT_x and POINT_y, label, score)");
	return TABLE_IN_DONE;
}

/* ---- both ---- */

static const char *value_of(const struct table_in *t, const char *key)
{
	for (int i = 0; i < t->nmeta; i++)
		if (!strcmp(t->meta[i].key, key))
			return t->meta[i].value;
	return NULL;
}

/* Which column each field is. */
static int match(struct table_in *t, const struct header *h)
{
	struct table_in_source *s = t->src;
	char err[COLUMNS_ERR], *seen;
	int missing = -1;
	size_t ignored = 0;
	if (columns_make(&s->columns, t->def, t->ntensors, value_of(t, "points"), value_of(t, "classes"), err) < 0)
		return table_in_fault(t, "header: %s", err);
	seen = xcalloc((size_t)s->columns.n + 1, 1);
	s->nfields = h->n;
	s->field = xcalloc((size_t)h->n + 1, sizeof *s->field);
	for (int i = 0; i < h->n; i++) {
		int c = s->field[i] = columns_find(&s->columns, h->name[i]);
		if (c >= 0 && s->columns.col[c].tensor != COLUMNS_ERROR) {
			seen[c] = 1;
			continue;
		}
		s->field[i] = -1;
		if (strcmp(h->name[i], "error"))
			csv_list_add(&t->ignored, &ignored, h->name[i]);
	}
	for (int i = 0; i < s->columns.n && missing < 0; i++)
		if (!seen[i] && s->columns.col[i].tensor != COLUMNS_ERROR)
			missing = i;
	free(seen);
	if (missing >= 0)
		return table_in_fault(t, "header: no column is called '%.100s', which tensor %.100s needs", s->columns.col[missing].name,
			t->def[s->columns.col[missing].tensor].name);
	t->value = xcalloc((size_t)t->ntensors + 1, sizeof *t->value);
	for (int i = 0; i < s->columns.n; i++) { /* of a list, whose length is only said so far: when it has come */
		const struct column *c = &s->columns.col[i];
		if (c->tensor != COLUMNS_ERROR && !c->list && !t->value[c->tensor])
			t->value[c->tensor] = xcalloc(1, t->def[c->tensor].row_bytes);
	}
	return TABLE_IN_DONE;
}

static void free_header(struct header *h)
{
	for (int i = 0; i < h->n; i++)
		free(h->name[i]);
	csv_names_free(&h->sorted), free(h->name), free(h->points), free(h->predicted), free(h->confidence);
}

int table_in_head(struct table_in *t)
{
	struct table_in_source *s = t->src;
	struct header h = {.image = -1};
	static const char mark[] = "# keypipe table ";
	int r, n = 0;
	for (; (r = lines_next(s->lines)) == LINES_ONE; n++) {
		struct span line = s->lines->line;
		if (line.p == line.e || *line.p != '#')
			break;
		if (!n && (size_t)(line.e - line.p) >= sizeof mark - 1 && !memcmp(line.p, mark, sizeof mark - 1)) {
			t->noted = 1;
			if (line.e - line.p < 18 || line.p[16] != '1' || line.p[17] != ' ')
				return table_in_fault(t, "header: notes of a version that is not known here");
		} else if (t->noted && table_in_note(t) < 0) {
			return TABLE_IN_ERR;
		}
	}
	if (r == LINES_ERR)
		return table_in_fault(t, "%s", s->lines->err);
	if (r == LINES_DONE)
		return table_in_fault(t, "empty, not even a header");
	if (t->noted && t->others)
		return table_in_fault(t, "its notes say what its columns are: --fields is for tables without notes");
	t->text = crc_add(crc_add(0, s->lines->line.p, (size_t)(s->lines->line.e - s->lines->line.p)), "\n", 1);
	if (s->lines->truncated)
		r = table_in_fault(t, "header: the file ends in it");
	else if (split(t, &h) < 0 || (!t->noted && infer(t, &h) < 0) || match(t, &h) < 0)
		r = TABLE_IN_ERR;
	else
		r = TABLE_IN_DONE;
	free_header(&h);
	return r;
}
